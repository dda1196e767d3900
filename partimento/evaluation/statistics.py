"""Musical statistics: what melodies are like, in numbers that can be set beside other melodies'.

`measure` describes one melody by the numbers of `MelodyStatistics`; `histograms` counts intervals,
lengths and scale degrees over many. A number alone says little: compare a model's melodies with
tunes by people, of as many bars, as `evaluation.comparison` does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from partimento.errors import MusicError
from partimento.music.keys import estimate_key, share_in_key
from partimento.music.notes import Notes
from partimento.music.score import Score
from partimento.music.timing import BarMap
from partimento.music.transforms import merge

LARGEST_INTERVAL = 24  # semitones; larger ones share the last bin
BINS_PER_QUARTER = 12  # of the histogram of lengths
LONGEST_QN = 8  # longer notes share the last bin
LONG_ENDING = 2  # times the median length


@dataclass(frozen=True)
class MelodyStatistics:
    """One melody in numbers; shares run from 0 to 1.

    Attributes
    ----------
    notes_per_bar : float
    pitch_class_entropy : float
        Bits; 0 is one pitch class only, log2(12) = 3.58 all twelve alike.
    pitch_classes : float
        How many of the twelve occur.
    in_key : float
        Share of notes in the scale of the key they fit best (minor with raised 6th and 7th).
    pitch_range : float
        Semitones from the lowest to the highest note.
    stepwise : float
        Share of intervals of one or two semitones.
    same_pitch : float
        Share of intervals that are none: the note is struck again.
    leaps : float
        Share of intervals larger than a fifth.
    repeated_bars : float
        Share of bars (of those with notes) that an earlier bar equals, note for note.
    repeated_shapes : float
        The same up to transposition: equal places, lengths and intervals.
    repeated_rhythms : float
        The same for places and lengths alone.
    rest_share : float
        Share of the time that is silent.
    mean_length_qn, longest_qn : float
        Mean and longest note, in quarter notes.
    ends_on_tonic : float
        1 if the last note is the tonic of that key, else 0: a share over many melodies.
    ends_long : float
        1 if the last note lasts at least twice the median note, else 0.
    """

    notes_per_bar: float
    pitch_class_entropy: float
    pitch_classes: float
    in_key: float
    pitch_range: float
    stepwise: float
    same_pitch: float
    leaps: float
    repeated_bars: float
    repeated_shapes: float
    repeated_rhythms: float
    rest_share: float
    mean_length_qn: float
    longest_qn: float
    ends_on_tonic: float
    ends_long: float


NAMES = tuple(field.name for field in fields(MelodyStatistics))


def measure(score: Score) -> MelodyStatistics:
    """Describe a melody; more parts are taken together.

    Examples
    --------
    >>> from partimento.music.examples import row_your_boat
    >>> numbers = measure(row_your_boat())
    >>> numbers.notes_per_bar, numbers.in_key, numbers.longest_qn, numbers.ends_on_tonic
    (6.75, 1.0, 2.0, 1.0)
    """
    notes = notes_of(score)
    if not len(notes):
        raise MusicError("a melody without notes has no statistics: leave it out")
    key = estimate_key(notes)
    bars = BarMap.of(score)
    length_qn = notes.duration / score.ticks_per_quarter
    sizes = np.abs(np.diff(notes.pitch)) if len(notes) > 1 else np.zeros(1)
    shares = np.bincount(notes.pitch % 12, minlength=12) / len(notes)  # pitch_class
    is_long = notes.duration[-1] >= LONG_ENDING * np.median(notes.duration)
    return MelodyStatistics(
        notes_per_bar=len(notes) / bars.count(score.end_tick),
        pitch_class_entropy=entropy(shares),
        pitch_classes=float((shares > 0).sum()),
        in_key=share_in_key(notes, key),
        pitch_range=float(np.ptp(notes.pitch)),
        stepwise=float(((sizes == 1) | (sizes == 2)).mean()),
        same_pitch=float((sizes == 0).mean()) if len(notes) > 1 else 0.0,
        leaps=float((sizes > 7).mean()),
        **repetition(notes, bars),
        rest_share=1 - sounding_ticks(notes) / score.end_tick,
        mean_length_qn=float(length_qn.mean()),
        longest_qn=float(length_qn.max()),
        ends_on_tonic=float(notes.pitch[-1] % 12 == key.tonic),
        ends_long=float(is_long),
    )


def entropy(shares: np.ndarray) -> float:
    """Entropy in bits of shares that sum to 1."""
    some = shares[shares > 0]
    return float(-(some * np.log2(some)).sum())


def sounding_ticks(notes: Notes) -> int:
    """Ticks at which at least one note sounds."""
    reached = np.maximum.accumulate(notes.offset)
    before = np.append(0, reached)[:-1]
    return int(np.maximum(notes.offset - np.maximum(notes.onset, before), 0).sum())


def repetition(notes: Notes, bars: BarMap) -> dict[str, float]:
    """Shares of the bars with notes that repeat an earlier bar: whole, as a shape, as a rhythm.

    A note counts to the bar in which it starts.
    """
    bar = bars.bar(notes.onset)
    place = notes.onset - bars.start(bar)
    step = np.diff(notes.pitch, prepend=0)
    is_first = np.diff(bar, prepend=-1) > 0
    step[is_first] = 0  # a shape is known by the intervals inside the bar
    patterns = {
        "repeated_bars": (place, notes.duration, notes.pitch),
        "repeated_shapes": (place, notes.duration, step),
        "repeated_rhythms": (place, notes.duration),
    }
    edges = np.flatnonzero(is_first)[1:]
    shares = {}
    for name, columns in patterns.items():
        bars_as_bytes = [rows.tobytes() for rows in np.split(np.stack(columns, axis=1), edges)]
        shares[name] = 1 - len(set(bars_as_bytes)) / len(bars_as_bytes)
    return shares


def histograms(scores: Sequence[Score]) -> dict[str, np.ndarray]:
    """Count over many melodies; each histogram sums to 1, or is all 0 without notes.

    Returns
    -------
    intervals : float64 array, shape (49,)
        From 24 semitones down to 24 up, from each note to the next.
    lengths : float64 array, shape (97,)
        Note lengths to the nearest twelfth of a quarter, up to 8 quarters.
    degrees : float64 array, shape (12,)
        Semitones above the tonic of each melody's own key.
    """
    intervals = np.zeros(2 * LARGEST_INTERVAL + 1)
    lengths = np.zeros(BINS_PER_QUARTER * LONGEST_QN + 1)
    degrees = np.zeros(12)
    for score in scores:
        notes = notes_of(score)
        if not len(notes):
            continue
        moves = np.clip(np.diff(notes.pitch), -LARGEST_INTERVAL, LARGEST_INTERVAL)
        intervals += np.bincount(moves + LARGEST_INTERVAL, minlength=len(intervals))
        bins = np.rint(notes.duration * BINS_PER_QUARTER / score.ticks_per_quarter).astype(int)
        lengths += np.bincount(np.minimum(bins, len(lengths) - 1), minlength=len(lengths))
        degrees += np.bincount((notes.pitch - estimate_key(notes).tonic) % 12, minlength=12)
    counts = {"intervals": intervals, "lengths": lengths, "degrees": degrees}
    return {name: count / max(count.sum(), 1) for name, count in counts.items()}


def notes_of(score: Score) -> Notes:
    """All pitched notes of a score in one table."""
    pitched = [part for part in score.parts if not part.is_drum]
    if len(pitched) == 1:
        return pitched[0].notes
    return merge(score.with_parts(pitched)).parts[0].notes if pitched else Notes()
