"""Laying voices on a grid in the time of a chorale, and where that grid stands in the piece.

Networks learned harmony that moves by quarters. In meters of eighths (6/8) an eighth is taken for a
beat, and in meters of halves (3/2) a half, so that harmony has time; `time_factor` says which.
`lay_voices` starts the grid at the first note, where it stands in its beat.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from partimento.music.four_voices import FourVoices
from partimento.music.notes import Notes
from partimento.music.pickup import estimate_pickup
from partimento.music.score import Score
from partimento.music.timing import BarMap, ticks_to_steps

OFF_GRID = 0.2  # of a step: farther from the grid is off it
MAX_OFF_GRID = 0.1  # share of notes that may be


@dataclass(frozen=True, eq=False)
class LaidVoices:
    """Voices on a grid.

    Attributes
    ----------
    voices : FourVoices
    time_factor : Fraction
        Quarters on the grid for one of the piece: 2 where an eighth is the beat.
    first_tick : int
        Where the first step stands in the piece.
    notes, off_grid, lost : int
        All notes; those that stand farther than `OFF_GRID` from a step and moved to the nearest;
        those that another of their voice left no step.
    farthest_qn : float
        How far the farthest moved, in quarters of the piece.
    """

    voices: FourVoices
    time_factor: Fraction
    first_tick: int
    notes: int
    off_grid: int
    lost: int
    farthest_qn: float


def lay_voices(
    score: Score, voices: Sequence[Notes], steps_per_quarter: int, max_steps: int
) -> LaidVoices | int:
    """Lay voices of a score on a grid.

    Parameters
    ----------
    score
        Whose meters count.
    voices
        Notes of four voices, some of them with notes.
    max_steps
        Of a longer piece only the number of steps is given back.
    """
    factor = time_factor(score, voices, steps_per_quarter)
    per_quarter = int(steps_per_quarter * factor)
    scale = score.ticks_per_quarter, per_quarter
    sounding = [notes for notes in voices if len(notes)]
    first_step = int(ticks_to_steps(np.array(min(n.onset[0] for n in sounding)), *scale))
    end = int(ticks_to_steps(np.array(max(n.end for n in sounding)), *scale))
    last_step = int(ticks_to_steps(np.array(max(n.onset[-1] for n in sounding)), *scale))
    steps = max(end, last_step + 1) - first_step
    if steps > max_steps:
        return steps
    first_tick = first_step * score.ticks_per_quarter // per_quarter
    from_first = [
        Notes(np.maximum(n.onset - first_tick, 0), n.duration, n.pitch, n.velocity) for n in voices
    ]
    place = place_in_beat(score, voices, first_step, per_quarter) % steps_per_quarter
    laid = FourVoices.of(from_first, score.ticks_per_quarter, per_quarter, steps=steps)
    distance = distances(from_first, *scale)
    is_off = distance > OFF_GRID
    return LaidVoices(
        FourVoices(laid.pitch, laid.is_struck, steps_per_quarter, place),
        factor,
        first_tick,
        notes=len(distance),
        off_grid=int(is_off.sum()),
        lost=len(distance) - int(laid.is_struck.sum()),
        farthest_qn=float(distance.max()) / per_quarter,
    )


def time_factor(score: Score, voices: Sequence[Notes], steps_per_quarter: int) -> Fraction:
    """Quarters on the grid for one of the piece, by the meter that lasts longest."""
    meters = score.meter_map
    until = [meter.tick for meter in meters[1:]] + [max(score.end_tick, meters[-1].tick)]
    lasts = [end - meter.tick for meter, end in zip(meters, until, strict=True)]
    meter = meters[int(np.argmax(lasts))]
    if meter.denominator in (8, 16):
        return Fraction(meter.denominator, 4)
    is_slow = meter.denominator == 1 or (meter.denominator == 2 and meter.numerator > 2)
    if is_slow and steps_per_quarter % 2 == 0:
        # Unless many notes are shorter than the grid would hold.
        distance = distances(voices, score.ticks_per_quarter, steps_per_quarter // 2)
        if (distance > OFF_GRID).mean() <= MAX_OFF_GRID:
            return Fraction(1, 2)
    return Fraction(1)


def place_in_beat(
    score: Score, voices: Sequence[Notes], first_step: int, steps_per_quarter: int
) -> int:
    """Count steps from a bar line to the first; only the place in the beat is meant.

    Where a file begins with an upbeat as if it were a bar, the upbeat is heard from the notes (see
    `partimento.music.pickup`).
    """
    if first_step == 0 and len(score.meter_map) == 1:
        sounding = [notes for notes in voices if len(notes)]
        line = estimate_pickup(sounding, score.ticks_per_quarter, score.meter)
    else:
        tick = first_step * score.ticks_per_quarter // steps_per_quarter
        bar_map = BarMap.of(score)
        line = int(bar_map.start(bar_map.bar(tick)))
    scale = score.ticks_per_quarter, steps_per_quarter
    return first_step - int(ticks_to_steps(np.array(line), *scale))


def distances(
    voices: Sequence[Notes], ticks_per_quarter: int, steps_per_quarter: int
) -> np.ndarray:
    """How far each onset stands from the nearest step, in steps; shape (note,)."""
    at = np.concatenate([notes.onset for notes in voices]) * steps_per_quarter / ticks_per_quarter
    return np.abs(at - np.rint(at))
