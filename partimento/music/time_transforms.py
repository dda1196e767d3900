"""Transforms of time: later, longer, backwards, onto a grid, in other ticks.

Times that cannot be exact are rounded to the nearest tick, and the docstring says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import gcd
from typing import Any

import numpy as np

from partimento.errors import MusicError, ParameterError
from partimento.music.events import Ticks, controls_reversed, map_reversed, moved_events
from partimento.music.grid import check_steps_per_quarter
from partimento.music.notes import MAX_TICK, Notes
from partimento.music.score import MAX_TICKS_PER_QUARTER, Part, Score, Text
from partimento.music.timing import steps_to_ticks, ticks_to_steps


def delay(score: Score, quarters: float | Fraction) -> Score:
    """Rest for so many quarters (to the nearest tick), then play.

    What holds at the start (tempo, meter, key) holds from the beginning of the rest.
    """
    if not 0 <= quarters * score.ticks_per_quarter <= MAX_TICK - score.end_tick:  # no NaN either
        raise ParameterError(
            f"quarters must not be negative or beyond tick {MAX_TICK}, got {quarters}"
        )
    later = round(quarters * score.ticks_per_quarter)
    return _moved(score, lambda ticks: ticks + later)


def stretch(score: Score, factor: float | Fraction) -> Score:
    """Make everything so many times as long, in quarter notes; the tempo stays.

    Times that are no whole ticks move to the nearest, notes keep at least one tick. Meters keep
    their names: a melody stretched by 2 takes twice as many bars.

    Parameters
    ----------
    factor
        0.001 to 1000; 2 turns quarters into halves.
    """
    if not 0.001 <= factor <= 1000:  # refuses NaN too
        raise ParameterError(f"factor must be 0.001 to 1000, got {factor}")
    exact = Fraction(factor).limit_denominator(100_000)
    if score.end_tick * exact > MAX_TICK:
        raise MusicError(f"stretched by {factor} the piece would end beyond tick {MAX_TICK}")
    return _moved(score, _scaled(exact))


def reverse(score: Score) -> Score:
    """Play a score backwards: every note ends where it began.

    Tempos, meters, keys and controllers hold over the same music as before. Lyrics go with their
    notes; markers, which name what follows them, come to the same place in the music.
    """
    end = score.end_tick

    def part_reversed(part: Part) -> Part:
        notes = part.notes
        begins = dict(zip(notes.onset.tolist(), (end - notes.offset).tolist(), strict=True))
        return replace(
            part,
            notes=Notes(end - notes.offset, notes.duration, notes.pitch, notes.velocity),
            controls=controls_reversed(part.controls, end),
            lyrics=tuple(Text(begins.get(t, max(end - t, 0)), text) for t, text in part.lyrics),
        )

    return replace(
        score,
        parts=tuple(part_reversed(part) for part in score.parts),
        tempos=map_reversed(score.tempo_map, end) if score.tempos else (),
        meters=map_reversed(score.meter_map, end) if score.meters else (),
        keys=map_reversed(score.keys, end),
        markers=tuple(Text(max(end - t, 0), text) for t, text in score.markers),
    )


@dataclass(frozen=True)
class QuantizationShift:
    """How far notes stand from a grid: their onsets, in quarter notes.

    Attributes
    ----------
    moved_share : float
        Share of notes that do not stand on the grid, 0 to 1.
    mean_qn, largest_qn : float
        Mean and largest distance from the grid, of all notes.
    """

    moved_share: float
    mean_qn: float
    largest_qn: float


def quantize(score: Score, steps_per_quarter: int = 4) -> Score:
    """Move note onsets and offsets to the nearest step of a grid, at least one step apart.

    Steps lie on the nearest tick where the division cannot express them. Lyrics move alike; tempos,
    meters, keys, markers and controllers stay. `quantization_shift` says how far notes move.
    """
    check_steps_per_quarter(steps_per_quarter)

    def to_grid(ticks: np.ndarray, later_by: int = 0) -> np.ndarray:
        steps = ticks_to_steps(ticks, score.ticks_per_quarter, steps_per_quarter)
        return steps_to_ticks(steps + later_by, score.ticks_per_quarter, steps_per_quarter)

    def quantized(part: Part) -> Part:
        onset = to_grid(part.notes.onset)
        end = np.maximum(to_grid(part.notes.offset), to_grid(part.notes.onset, later_by=1))
        duration = np.maximum(end - onset, 1)
        notes = Notes(onset, duration, part.notes.pitch, part.notes.velocity)
        return replace(part, notes=notes, lyrics=moved_events(part.lyrics, to_grid))

    return replace(
        score,
        parts=tuple(quantized(part) for part in score.parts),
        end_tick=int(to_grid(np.array(score.end_tick))),
    )


def quantization_shift(score: Score, steps_per_quarter: int = 4) -> QuantizationShift:
    """Say how far `quantize` would move the onsets of a score.

    Examples
    --------
    >>> from partimento.music.notation import seq
    >>> quantization_shift(seq("c4:et c4:et c4:et c4:q"), steps_per_quarter=4)
    QuantizationShift(moved_share=0.5, mean_qn=0.0416..., largest_qn=0.0833...)
    """
    check_steps_per_quarter(steps_per_quarter)
    if not score.num_notes:
        return QuantizationShift(0.0, 0.0, 0.0)
    onset_qn = np.concatenate([part.notes.onset for part in score.parts]) / score.ticks_per_quarter
    from_grid = np.abs(onset_qn * steps_per_quarter - np.rint(onset_qn * steps_per_quarter))
    shift_qn = np.where(from_grid < 1e-9, 0.0, from_grid) / steps_per_quarter
    return QuantizationShift(
        float((shift_qn > 0).mean()), float(shift_qn.mean()), float(shift_qn.max())
    )


def with_ticks_per_quarter(
    score: Score, ticks_per_quarter: int, *, may_round: bool = False
) -> Score:
    """Write the same music with another division of the quarter note.

    Parameters
    ----------
    ticks_per_quarter
        1 to 32,767.
    may_round
        Move times that the new division cannot express to the nearest tick (notes keep at least
        one). Without it they are refused.

    Raises
    ------
    MusicError
        If a time is no whole number of the new ticks.
    """
    if not 1 <= ticks_per_quarter <= MAX_TICKS_PER_QUARTER:
        raise ParameterError(
            f"ticks_per_quarter must be 1 to {MAX_TICKS_PER_QUARTER}, got {ticks_per_quarter}"
        )
    if ticks_per_quarter == score.ticks_per_quarter:
        return score
    factor = Fraction(ticks_per_quarter, score.ticks_per_quarter)
    if not may_round and factor.denominator > 1:
        ticks = _all_ticks(score)
        if (has_rest := ticks % factor.denominator != 0).any():
            raise MusicError(
                f"tick {ticks[has_rest][0]} of {score.ticks_per_quarter} a quarter is no whole "
                f"tick of {ticks_per_quarter}: use a multiple, or may_round=True"
            )
    return _moved(replace(score, ticks_per_quarter=ticks_per_quarter), _scaled(factor))


def with_whole_steps(score: Score, steps_per_quarter: int) -> Score:
    """Raise the division, exactly, to one in which grid steps are whole ticks."""
    division = score.ticks_per_quarter
    factor = steps_per_quarter // gcd(division, steps_per_quarter)
    if factor == 1 or factor * division > MAX_TICKS_PER_QUARTER:
        return score  # beyond that, steps go to the nearest tick: a 30,000th of a quarter
    try:
        return score.with_ticks_per_quarter(factor * division)
    except MusicError:  # too long for finer ticks
        return score


def _moved(score: Score, move: Ticks) -> Score:
    """Move everything; what stands at tick 0 in the maps stays there."""

    def note_ticks(notes: Notes) -> Notes:
        onset = move(notes.onset)
        duration = np.maximum(move(notes.offset) - onset, 1)
        return Notes(onset, duration, notes.pitch, notes.velocity)

    def from_start(events: Sequence[Any]) -> tuple[Any, ...]:
        moved = moved_events(events, move)
        return tuple(
            new._replace(tick=0) if old.tick == 0 else new
            for old, new in zip(events, moved, strict=True)
        )

    return replace(
        score,
        parts=tuple(
            replace(
                part,
                notes=note_ticks(part.notes),
                controls=moved_events(part.controls, move),
                lyrics=moved_events(part.lyrics, move),
            )
            for part in score.parts
        ),
        tempos=from_start(score.tempos),
        meters=from_start(score.meters),
        keys=from_start(score.keys),
        markers=moved_events(score.markers, move),
        remarks=from_start(score.remarks),
        end_tick=int(move(np.array(score.end_tick))),
    )


def _scaled(factor: Fraction) -> Ticks:
    """Multiply ticks, to the nearest; halves go up."""
    above, below = factor.numerator, factor.denominator
    return lambda ticks: (2 * ticks * above + below) // (2 * below)


def _all_ticks(score: Score) -> np.ndarray:
    """Every tick that means something."""
    events: list[Any] = [*score.tempos, *score.meters, *score.keys, *score.markers, *score.remarks]
    for part in score.parts:
        events += [*part.controls, *part.lyrics]
    columns = [np.array([event.tick for event in events] + [score.end_tick], dtype=np.int64)]
    for part in score.parts:
        columns += [part.notes.onset, part.notes.offset]
    return np.concatenate(columns)
