"""What a groove model hears of a piece, and how the strokes of a piece are moved.

`hear_groove` lays the drums of a piece on the grid, `hear_tap` the rhythm of whatever it is, and
`moved` plays a piece as it was written.
"""

from dataclasses import replace
from math import ceil
from typing import NamedTuple

import numpy as np

from partimento.errors import ParameterError
from partimento.music.drums import (
    DRUM_OF,
    DRUMS,
    NO_DRUM,
    Hits,
    drum_notes,
    ending_by,
    hear_drums,
    without_overlap,
)
from partimento.music.grid import Grid
from partimento.music.notes import Notes
from partimento.music.score import (
    DEFAULT_TICKS_PER_QUARTER,
    MAX_TICKS_PER_QUARTER,
    MICROSECONDS_PER_MINUTE,
    Score,
)
from partimento.music.time_transforms import with_whole_steps
from partimento.music.timing import steps_to_ticks
from partimento.representations.groove import GrooveRepresentation, meter_numbers, tap_of

OFF_GRID = 0.2  # steps off the grid, from which on a stroke is meant to be there: a triplet, a flam
EVEN = 2 / 127  # deviation of velocities that say nothing
ON_GRID = 0.02  # steps: all closer than this is as written, not as played
MOST_STEPS = 100_000  # six thousand bars


class Heard(NamedTuple):
    """Drums of a piece, and where its steps stand.

    Attributes
    ----------
    score : Score
        The piece, in ticks that are fine enough.
    hits : Hits
    grid : Grid
    meter : float32 array, shape (step, number)
        See `meter_numbers`.
    remarks : tuple of str
    """

    score: Score
    hits: Hits
    grid: Grid
    meter: np.ndarray
    remarks: tuple[str, ...]


def hear_groove(score: Score, representation: GrooveRepresentation) -> Heard:
    """Lay the drums of a piece on the grid.

    Raises
    ------
    ParameterError
        If it has none, or a bar that is no whole number of steps.
    """
    score = _finer(score, representation)
    if not score.num_notes:
        raise ParameterError("the piece is empty: give it a drum part (MIDI channel 10)")
    if not any(part.is_drum and len(part.notes) for part in score.parts):
        raise ParameterError(
            "the piece has notes, but no drums (MIDI channel 10): `partimento drums` writes "
            "drums for it"
        )
    found = hear_drums(score, representation.steps_per_quarter)
    if not found.hits.is_hit.any():
        raise ParameterError(
            f"{len(drum_notes(score))} strokes, but of none of the nine drums: {', '.join(DRUMS)}"
        )
    remarks = []
    if found.unknown:
        remarks.append(f"strokes of other instruments, which stay as they are: {found.unknown}")
    if far := int((np.abs(found.hits.offset) > OFF_GRID).sum()):
        remarks.append(f"strokes far off the grid (triplets?), which keep their time: {far}")
    meter = _meter(score, found.grid, representation)
    return Heard(score, found.hits, found.grid, meter, tuple(remarks))


def hear_tap(score: Score, representation: GrooveRepresentation) -> tuple[Heard, np.ndarray]:
    """Lay the rhythm of a piece on the grid: of its pitched notes, else of its drums.

    Returns
    -------
    heard
        With no strokes: what a model has to write.
    tap : float32 array, shape (step, 6)
        See `tap_of`; velocity and time are told where they say something.
    """
    score = _finer(score, representation)
    pitched = [part.notes for part in score.parts if not part.is_drum and len(part.notes)]
    tables = pitched or [part.notes for part in score.parts if len(part.notes)]
    if not tables:
        raise ParameterError("the piece is empty: give it a rhythm, tapped or of a tune")
    onset, velocity = (
        np.concatenate([getattr(notes, name) for notes in tables]) for name in ("onset", "velocity")
    )
    grid = Grid.of(score, representation.steps_per_quarter)
    exact = onset * representation.steps_per_quarter / score.ticks_per_quarter  # step
    step = np.minimum(np.floor(exact + 0.5).astype(np.int64), len(grid) - 1)
    offset = np.clip(exact - step, -0.5, 0.5)
    loud, away = np.zeros((2, len(grid)), dtype=np.float32)
    order = np.argsort(velocity, kind="stable")  # the loudest is written last
    loud[step[order]], away[step[order]] = velocity[order] / 127, offset[order]
    is_tap = loud > 0
    is_uneven = loud[is_tap].std() > EVEN
    is_played = np.abs(away[is_tap]).max() > ON_GRID
    tap = tap_of(is_tap, loud if is_uneven else None, away if is_played else None)
    none = np.zeros((len(grid), len(DRUMS)), dtype=np.float32)
    meter = _meter(score, grid, representation)
    return Heard(score, Hits(none > 0, none, none), grid, meter, ()), tap


def _finer(score: Score, representation: GrooveRepresentation) -> Score:
    """Raise the division, exactly, to one in which a step is many ticks."""
    per_quarter = representation.steps_per_quarter
    if (steps := score.duration_qn * per_quarter) > MOST_STEPS:
        raise ParameterError(
            f"the piece has {steps:,.0f} steps, {MOST_STEPS:,} at most are played: cut it"
        )
    score = with_whole_steps(score, 4 * per_quarter)
    division = score.ticks_per_quarter
    factor = min(ceil(DEFAULT_TICKS_PER_QUARTER / division), MAX_TICKS_PER_QUARTER // division)
    return score.with_ticks_per_quarter(division * max(1, factor))


def _meter(score: Score, grid: Grid, representation: GrooveRepresentation) -> np.ndarray:
    per_quarter = representation.steps_per_quarter
    ticks = steps_to_ticks(np.arange(len(grid)), score.ticks_per_quarter, per_quarter)
    at = np.array([tempo.tick for tempo in score.tempo_map])
    microseconds = np.array([tempo.microseconds_per_quarter for tempo in score.tempo_map])
    qpm = MICROSECONDS_PER_MINUTE / microseconds[np.searchsorted(at, ticks, side="right") - 1]
    return meter_numbers(grid.position, grid.bar_steps, qpm, per_quarter)


def moved(heard: Heard, made: Hits, amount: float, steps_per_quarter: int) -> Score:
    """Move the strokes of a piece towards how they were written.

    Several strokes of a drum on one step (flams, rolls) go together, as far as the loudest.
    """
    score, hits = heard.score, heard.hits
    ticks_per_step = score.ticks_per_quarter / steps_per_quarter
    further = amount * (made.offset - hits.offset) * ticks_per_step
    louder = 1 + amount * (made.velocity / np.where(hits.is_hit, hits.velocity, 1) - 1)
    parts = []
    for part in score.parts:
        notes, drum = part.notes, DRUM_OF[part.notes.pitch]
        if not part.is_drum or not len(notes):
            parts.append(part)
            continue
        exact = notes.onset * steps_per_quarter / score.ticks_per_quarter
        step = np.floor(exact + 0.5).astype(np.int64)
        is_known = (drum != NO_DRUM) & (step < len(heard.grid))
        place = np.where(is_known, step, 0), np.where(is_known, drum, 0)
        onset = notes.onset + np.where(is_known, np.rint(further[place]), 0).astype(np.int64)
        velocity = notes.velocity * np.where(is_known, louder[place], 1)
        moved = Notes(
            np.maximum(onset, 0),
            notes.duration,
            notes.pitch,
            np.clip(np.rint(velocity), 1, 127).astype(np.int64),
        )
        parts.append(replace(part, notes=ending_by(without_overlap(moved), score.end_tick)))
    return score.with_parts(parts)
