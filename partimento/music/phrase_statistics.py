"""What multi-track phrases are like, in numbers: the metrics of MuseGAN and a few more.

`measure` takes many phrases as binary rolls and gives one `Figures`; `distances` says how far two
of them are apart, metric by metric. `nearest` and `spread` look for copies and for sameness.

| figure | is |
|---|---|
| `empty_bars` | share of the bars in which a track rests throughout |
| `pitch_classes` | used pitch classes per bar of a track that is not empty |
| `qualified_notes` | share of the notes of 3 steps or more at 24 steps a quarter |
| `longer_notes` | share of the notes longer than one step of the grid |
| `polyphonicity` | share of the steps at which three pitches or more sound, all tracks together |
| `double_stops` | share of a track's sounding steps at which it plays more than one pitch |
| `scale_consistency` | share of what sounds that lies in the best of 12 major scales, by phrase |
| `tonal_distance` | between two tracks, by beat: distance of their tonal centroids |
| `repeated_bars` | share of the bars of a track equal to an earlier one of the phrase |
| `notes` | per bar of a track |
| `note_lengths`, `intervals`, `harmony` | shares: lengths of notes; steps of the top line of a
  track; interval classes that sound between two tracks |

References
----------
Dong et al., "MuseGAN", AAAI 2018, section 5.2 (EB, UPC, QN, TD); Dong and Yang, "Convolutional
Generative Adversarial Networks with Binary Neurons for Polyphonic Music Generation", ISMIR 2018
(QN, PP, TD); Harte, Sandler and Gasser, "Detecting Harmonic Change in Musical Audio", 2006 (tonal
centroid).
"""

from dataclasses import dataclass, fields
from itertools import combinations

import numpy as np

from partimento.music.track_rolls import run_lengths

QUALIFIED = 3 / 24  # of a quarter
LONGEST = 16  # steps that are told apart
WIDEST = 12  # semitones of a step up or down that are told apart
MAJOR = (0, 2, 4, 5, 7, 9, 11)
CLASSES = 12
SMALLEST = 0.02  # below this a figure's own size does not make a distance larger
COMPARED = 400  # phrases that are compared with each other for `spread`
_TURN = (np.arange(CLASSES)[:, None] + np.arange(CLASSES)) % CLASSES


@dataclass(frozen=True, eq=False)
class Figures:
    """Figures of many phrases: float arrays, one entry a track, pair of tracks, or whole set."""

    empty_bars: np.ndarray
    pitch_classes: np.ndarray
    qualified_notes: np.ndarray
    longer_notes: np.ndarray
    polyphonicity: np.ndarray
    double_stops: np.ndarray
    scale_consistency: np.ndarray
    tonal_distance: np.ndarray
    repeated_bars: np.ndarray
    notes: np.ndarray
    note_lengths: np.ndarray  # track length
    intervals: np.ndarray  # track interval
    harmony: np.ndarray  # pair interval_class

    def as_dict(self) -> dict[str, float]:
        """Mean of each figure that is a number; shares are left out."""
        return {
            field.name: float(np.mean(getattr(self, field.name)))
            for field in fields(self)
            if getattr(self, field.name).ndim == 1
        }


def measure(
    phrases: np.ndarray,
    lowest: tuple[int, ...],
    bar_steps: int,
    beat_steps: int,
    steps_per_quarter: int,
) -> Figures:
    """Measure phrases.

    Parameters
    ----------
    phrases : bool array, shape (phrase, 2, track, step, pitch)
        Struck, and sounding.
    lowest
        Lowest pitch of each track's roll.
    bar_steps, beat_steps
        Steps in a bar and in a beat.
    steps_per_quarter
    """
    onset, sustain = phrases[:, 0], phrases[:, 1]
    count, tracks, steps, _ = onset.shape
    bars = steps // bar_steps
    chroma = chroma_of(sustain, lowest)  # phrase track step class
    in_bars = chroma.reshape(count, tracks, bars, bar_steps, CLASSES).any(axis=3)
    used = in_bars.sum(axis=-1)  # phrase track bar
    lengths = run_lengths(onset, sustain)
    of_track = [lengths[:, track][onset[:, track]] for track in range(tracks)]
    qualified = QUALIFIED * steps_per_quarter
    sounding = sustain.sum(axis=-1)  # phrase track step
    weight = chroma.sum(axis=(1, 2))  # phrase class
    degrees = (np.arange(CLASSES)[:, None] + np.array(MAJOR)) % CLASSES  # tonic degree
    scales = weight[:, degrees].sum(axis=2).T  # tonic phrase
    pairs = list(combinations(range(tracks), 2))
    return Figures(
        empty_bars=empty_bars(sustain, bars),
        pitch_classes=used.sum(axis=(0, 2)) / np.maximum((used > 0).sum(axis=(0, 2)), 1),
        qualified_notes=np.array([_share(length >= qualified) for length in of_track]),
        longer_notes=np.array([_share(length > 1) for length in of_track]),
        polyphonicity=np.array([_share(sounding.sum(axis=1) >= 3)]),
        double_stops=double_stops(sustain),
        scale_consistency=np.array(
            [float((scales.max(axis=0) / np.maximum(weight.sum(axis=1), 1)).mean())]
        ),
        tonal_distance=_tonal_distances(chroma, beat_steps, pairs),
        repeated_bars=repeated_bars(onset, sustain, bars),
        notes=onset.sum(axis=(0, 2, 3)) / max(1, count * bars),
        note_lengths=np.stack([_histogram(np.minimum(n, LONGEST), LONGEST + 1) for n in of_track]),
        intervals=np.stack([_intervals(onset[:, track]) for track in range(tracks)]),
        harmony=_harmony(chroma, pairs),
    )


def distances(of: Figures, to: Figures) -> dict[str, float]:
    """Say how far figures are from others, by metric.

    Numbers: difference as a share of the number it should be, the mean over tracks or pairs.
    Shares: total variation distance, 0 to 1.
    """
    found = {}
    for field in fields(of):
        made, real = getattr(of, field.name), getattr(to, field.name)
        if made.ndim == 1:
            away = np.abs(made - real) / np.maximum(np.abs(real), SMALLEST)
        else:
            away = np.abs(made - real).sum(axis=-1) / 2
        found[field.name] = float(away.mean())
    return found


def chroma_of(sustain: np.ndarray, lowest: tuple[int, ...]) -> np.ndarray:
    """Which pitch classes sound: bool, (phrase, track, step, class), from rolls over pitches."""
    pitches = sustain.shape[-1]
    chroma = np.zeros((*sustain.shape[:-1], CLASSES), dtype=bool)
    for track, low in enumerate(lowest):
        for first in range(min(CLASSES, pitches)):
            octaves = sustain[:, track, :, first::CLASSES]
            chroma[:, track, :, (low + first) % CLASSES] = octaves.any(axis=-1)
    return chroma


def spread(phrases: np.ndarray) -> float:
    """Mean distance of any two phrases: 1 less the share of cells they have in common (Dice)."""
    cells = phrases[:COMPARED].reshape(min(len(phrases), COMPARED), -1).astype(np.float32)
    return float(_dice(cells, cells)[np.triu_indices(len(cells), 1)].mean())


def nearest(phrases: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Give for each phrase the distance to the nearest of some that are known, 0 to 1 (Dice)."""
    cells = phrases.reshape(len(phrases), -1).astype(np.float32)
    found = np.ones(len(cells))
    for start in range(0, len(known), 1024):
        block = known[start : start + 1024]
        other = block.reshape(len(block), -1).astype(np.float32)
        found = np.minimum(found, _dice(cells, other).min(axis=1))
    return found


def _dice(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    sizes = one.sum(axis=1)[:, None] + other.sum(axis=1)
    return np.asarray(1 - 2 * (one @ other.T) / np.maximum(sizes, 1))


def _share(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else 0.0


def _histogram(values: np.ndarray, size: int) -> np.ndarray:
    return np.asarray(np.bincount(values, minlength=size) / max(1, len(values)))


def _intervals(onset: np.ndarray) -> np.ndarray:
    """Shares of the moves of the top line, -12 and lower to 12 and higher.

    `onset` is of one track, (phrase, step, pitch).
    """
    highest = onset.shape[-1] - 1 - onset[..., ::-1].argmax(axis=-1)
    phrase, step = np.nonzero(onset.any(axis=-1))
    line = highest[phrase, step]
    moves = np.diff(line)[phrase[1:] == phrase[:-1]]
    return _histogram(np.clip(moves, -WIDEST, WIDEST) + WIDEST, 2 * WIDEST + 1)


def empty_bars(sustain: np.ndarray, bars: int) -> np.ndarray:
    """Share of the bars of each track that are silent: (track,), of rolls as in `measure`."""
    count, tracks = sustain.shape[:2]
    in_bars = sustain.reshape(count, tracks, bars, -1)
    return np.asarray((~in_bars.any(axis=-1)).mean(axis=(0, 2)))


def double_stops(sustain: np.ndarray) -> np.ndarray:
    """Share of the sounding steps of each track with more than one pitch."""
    sounding = sustain.sum(axis=-1)  # phrase track step
    return np.array([_share(of[of > 0] > 1) for of in sounding.swapaxes(0, 1)])


def repeated_bars(onset: np.ndarray, sustain: np.ndarray, bars: int) -> np.ndarray:
    """Share of the bars of each track that equal an earlier one; the first bar does not count."""
    count, tracks = onset.shape[:2]
    packed = np.packbits(np.stack([onset, sustain], axis=2), axis=-1)
    cells = packed.reshape(count, tracks, 2, bars, -1)
    is_repeat = np.zeros((count, tracks, bars), dtype=bool)
    for bar in range(1, bars):
        same = (cells[:, :, :, :bar] == cells[:, :, :, bar, None]).all(axis=(2, 4))
        is_repeat[:, :, bar] = same.any(axis=-1)
    return np.asarray(is_repeat[:, :, 1:].mean(axis=(0, 2)) if bars > 1 else np.zeros(tracks))


def _harmony(chroma: np.ndarray, pairs: list[tuple[int, int]]) -> np.ndarray:
    """Shares of the interval classes between two tracks, upwards from the lower-numbered."""
    rows = []
    for one, other in pairs:
        a = chroma[:, one].reshape(-1, CLASSES).astype(np.float32)
        b = chroma[:, other].reshape(-1, CLASSES).astype(np.float32)
        together = (a.T @ b).astype(np.float64)  # class class
        classes = np.array([together[np.arange(CLASSES), turn].sum() for turn in _TURN])
        rows.append(classes / max(1.0, classes.sum()))
    return np.array(rows).reshape(len(pairs), CLASSES)


def _tonal_distances(
    chroma: np.ndarray, beat_steps: int, pairs: list[tuple[int, int]]
) -> np.ndarray:
    """Mean distance of the tonal centroids of two tracks, over the beats in which both sound."""
    angle = np.arange(CLASSES)[:, None] * np.pi * np.array([7 / 6, 3 / 2, 2 / 3])
    radius = np.array([1.0, 1.0, 0.5])
    basis = np.concatenate([np.sin(angle) * radius, np.cos(angle) * radius], axis=1)  # class 6
    count, tracks, steps, _ = chroma.shape
    beats = chroma.reshape(count, tracks, steps // beat_steps, beat_steps, CLASSES).sum(axis=3)
    size = beats.sum(axis=-1, keepdims=True)
    centroid = (beats / np.maximum(size, 1)) @ basis
    found = []
    for one, other in pairs:
        is_heard = (size[:, one, :, 0] > 0) & (size[:, other, :, 0] > 0)
        away = np.linalg.norm(centroid[:, one] - centroid[:, other], axis=-1)
        found.append(_share(away[is_heard]))
    return np.array(found)
