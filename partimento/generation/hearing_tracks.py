"""What a model of several instruments hears of a part that is given: `hear_track`.

The part is laid on the grid in the model's bars, moved to C major or A minor, and given to the
instrument that can play it. What had to be changed for the model's ears is said in remarks; where
that would change the music, it is refused unless `fit` is set.
"""

from dataclasses import dataclass

import numpy as np

from partimento.errors import ParameterError
from partimento.generation.hearing import AUTO, hear_part
from partimento.music.grid import Grid
from partimento.music.notes import Notes
from partimento.music.score import Score
from partimento.music.time_transforms import with_whole_steps
from partimento.music.timing import BarMap
from partimento.music.track_rolls import GridNotes, grid_notes, lay_tracks
from partimento.representations.phrases import OCTAVE, PhraseRepresentation, in_c

MOST_BARS = 256
MANY_OFF_GRID = 0.05


@dataclass(frozen=True, eq=False)
class HeardTrack:
    """A part as a model of several instruments hears it.

    Attributes
    ----------
    score : Score
        The piece, in ticks that can express every grid step.
    part, track : int
        Which part is given, and which track plays it.
    notes : Notes
        Of the part as it will sound: moved by octaves, and cut, if it had to be.
    phrases : bool array, shape (phrase, 2, step, pitch)
        Of this track, in C.
    shift : int
        Semitones from the piece to C.
    bars : int
        Of the piece.
    first_step : int
        Steps of the first bar that lie before the piece begins: a pickup has fewer.
    remarks : tuple of str
    """

    score: Score
    part: int
    track: int
    notes: Notes
    phrases: np.ndarray
    shift: int
    bars: int
    first_step: int
    remarks: tuple[str, ...]


def hear_track(
    score: Score,
    representation: PhraseRepresentation,
    *,
    part: str | int = AUTO,
    track: str = AUTO,
    fit: bool = False,
) -> HeardTrack:
    """Lay a part out for a model.

    Parameters
    ----------
    part
        Which part of the piece: as `melody` in `partimento.generation.hearing.hear`, but chords
        within a part stay.
    track
        Name of the instrument that plays it; ``"auto"``: the first that can.
    fit
        Move it by octaves, read other meters in the model's, cut what is too long.

    Raises
    ------
    ParameterError
        If it does not fit, and `fit` is not set; or has no notes.
    """
    score = with_whole_steps(score, representation.steps_per_quarter)
    number, remarks = hear_part(score, part)
    notes = score.parts[number].notes
    first_step, bars = _bars(score, representation, fit, remarks)
    if bars > MOST_BARS:
        if not fit:
            raise ParameterError(
                f"the music has {bars:,} bars, {MOST_BARS} at most are accompanied: give fewer, or "
                "--fit to cut it there"
            )
        remarks.append(f"only its first {MOST_BARS} bars are used")
        bars = MOST_BARS
    step = score.ticks_per_quarter // representation.steps_per_quarter
    end = (bars * representation.bar_steps - first_step) * step
    notes = notes.where(notes.onset < end)
    if not len(notes):
        raise ParameterError("the part has no notes to accompany")
    laid = grid_notes(notes, score.ticks_per_quarter, representation.steps_per_quarter)
    off = float(laid.is_off.mean())
    if off > MANY_OFF_GRID:
        remarks.append(
            f"{off:.0%} of its notes are off the grid of sixteenths: the model hears them on it"
        )
    chosen, octaves = _track(notes, representation, track, fit)
    if octaves:
        way = "up" if octaves > 0 else "down"
        remarks.append(f"it is moved {abs(octaves)} octave{'s' * (abs(octaves) > 1)} {way}")
        notes = Notes(notes.onset, notes.duration, notes.pitch + OCTAVE * octaves, notes.velocity)
    remarks.append(f"{representation.track_names[chosen]} plays what is given")
    phrases, shift = _laid(laid, octaves, chosen, representation, bars, first_step, remarks)
    return HeardTrack(
        score, number, chosen, notes, phrases, shift, bars, first_step, tuple(remarks)
    )


def _bars(
    score: Score, representation: PhraseRepresentation, fit: bool, remarks: list[str]
) -> tuple[int, int]:
    """Count the steps that a pickup leaves out, and the bars."""
    size = representation.bar_steps
    bar_map = BarMap.of(score)
    count = bar_map.count(score.end_tick)
    others = [m for m in score.meter_map if m.tick < score.end_tick and not representation.fits(m)]
    pickup = 0
    if others and others[0].tick == 0 and len(score.meter_map) > 1:
        first = int(bar_map.start(1)) * representation.steps_per_quarter // score.ticks_per_quarter
        if first < size and score.meter_map[1].tick == int(bar_map.start(1)):
            pickup, others = size - first, others[1:]
    if not others:
        lengths = Grid.of(score, representation.steps_per_quarter).bar_steps
        if not len(lengths) or pickup or (lengths == size).all():
            return pickup, count
        meter = "bars of several lengths"
    else:
        meter = str(others[0])
    if not fit:
        raise ParameterError(
            f"the music is in {meter}, the model writes in {representation.meter}: give --fit to "
            f"read it in bars of {representation.meter}, or train one with --config "
            f"{meter.replace('/', '-') if '/' in meter else '3-4'}"
        )
    steps = -(-score.end_tick * representation.steps_per_quarter // score.ticks_per_quarter)
    remarks.append(f"it is read in bars of {representation.meter}, though it is in {meter}")
    return 0, max(1, -(-steps // size))


def _track(
    notes: Notes, representation: PhraseRepresentation, track: str, fit: bool
) -> tuple[int, int]:
    """Choose who plays it, and how many octaves it moves for that."""
    names = representation.track_names
    low, high = int(notes.pitch.min()), int(notes.pitch.max())
    spans = [
        (representation.reach[k], representation.lowest[k] + representation.pitches - 1)
        for k in range(len(names))
    ]
    if track == AUTO:
        order = [0, *range(len(names) - 1, 0, -1)]  # a melody on top, a bass below, or within
    else:
        matches = [k for k, name in enumerate(names) if name.lower() == track.strip().lower()]
        if not matches:
            raise ParameterError(f"there is no track {track[:40]!r}: {', '.join(names)}")
        order = matches
    for k in order:
        if spans[k][0] <= low and high <= spans[k][1]:
            return k, 0
    moves = sorted(
        (abs(octaves), k, octaves)
        for k in order
        for octaves in range(-8, 9)
        if spans[k][0] <= low + OCTAVE * octaves and high + OCTAVE * octaves <= spans[k][1]
    )
    who = "no instrument has" if track == AUTO else f"{names[order[0]]} has not"
    cure = "give --fit to move it by octaves" if moves else "it spans too much: give fewer notes"
    if not moves or not fit:
        raise ParameterError(
            f"the part spans pitches {low}-{high}, which {who} ("
            + ", ".join(f"{names[k]} {spans[k][0]}-{spans[k][1]}" for k in order)
            + f"): {cure}"
        )
    return moves[0][1], moves[0][2]


def _laid(
    laid: GridNotes,
    octaves: int,
    track: int,
    representation: PhraseRepresentation,
    bars: int,
    first_step: int,
    remarks: list[str],
) -> tuple[np.ndarray, int]:
    """Lay notes out in phrases of the track, in C."""
    count = -(-bars // representation.bars)
    steps = count * representation.steps
    moved = GridNotes(
        laid.onset + first_step,
        laid.end + first_step,
        laid.pitch + OCTAVE * octaves,
        laid.is_off,
    )
    rolls = lay_tracks([moved], steps)
    both = np.stack([rolls.onset[0], rolls.sustain[0]])  # 2 step pitch
    shifts, _ = in_c(both[1].sum(axis=0)[None])
    shift = int(shifts[0])
    low = representation.lowest[track]
    wide = np.zeros((2, steps, both.shape[2] + 4 * OCTAVE), dtype=bool)
    start = 2 * OCTAVE + shift
    wide[:, :, start : start + both.shape[2]] = both
    heard = wide[:, :, 2 * OCTAVE + low : 2 * OCTAVE + low + representation.pitches].copy()
    lost = int(both[0].sum()) - int(heard[0].sum())
    if lost:
        remarks.append(f"{lost} notes beyond its rolls, in C, are not heard by the model")
    phrases = heard.reshape(2, count, representation.steps, -1).swapaxes(0, 1)
    phrases[:, 0, 0] |= phrases[:, 1, 0]
    return phrases, shift
