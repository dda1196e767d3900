"""What a model of windows hears of a piece, and how windows become a piece again.

`hear_windows` cuts a melody, or a drum part, into windows of whole bars, one after another; the
last is filled up with silence. All bars must be of one length. `score_of` puts windows in a row.
"""

from dataclasses import dataclass, replace
from math import lcm

import numpy as np

from partimento.errors import ParameterError
from partimento.generation.hearing import AUTO, hear
from partimento.music.drums import Hits, ending_by, hear_drums
from partimento.music.grid import Grid
from partimento.music.score import (
    DEFAULT_TICKS_PER_QUARTER,
    MAX_TICKS_PER_QUARTER,
    Meter,
    Part,
    Score,
    Tempo,
)
from partimento.representations.bars import BarsRepresentation
from partimento.representations.drums import DrumsRepresentation
from partimento.representations.melody import FIRST_PITCH, HOLD, REST, MelodyRepresentation


@dataclass(frozen=True, eq=False)
class HeardWindows:
    """A piece as windows.

    Attributes
    ----------
    tables : int64 array, shape (window, bar, position)
    bars : int
        Of the piece; the last window may have more.
    bar_steps : int
    meter : Meter
    qpm : float
    shift : int
        Semitones from the piece to the tokens.
    remarks : tuple of str
        What was changed for the model's ears.
    hits : Hits or None
        Of drums: how each stroke was played, over all windows in a row.
    """

    tables: np.ndarray
    bars: int
    bar_steps: int
    meter: Meter
    qpm: float
    shift: int = 0
    remarks: tuple[str, ...] = ()
    hits: Hits | None = None


def hear_windows(
    score: Score, representation: BarsRepresentation, melody: str | int = AUTO
) -> HeardWindows:
    """Cut a piece into windows.

    Parameters
    ----------
    melody
        Which part is the melody: see `partimento.generation.hearing.hear`.

    Raises
    ------
    ParameterError
        If it is of the other kind (drums, melody), changes its meter, or its bars do not fit.
    """
    tokens = representation.tokens
    remarks: list[str] = []
    shift, hits = 0, None
    if isinstance(tokens, DrumsRepresentation):
        hits, grid, unknown, merged = hear_drums(score, tokens.steps_per_quarter)
        steps = hits.tokens
        if unknown:
            remarks.append(f"{unknown} strokes of other instruments are not heard")
        if merged:
            remarks.append(f"{merged} strokes fall on the step of a louder one of the same drum")
        if not steps.any():
            raise ParameterError("no drum that this model knows is struck: give it a drum part")
    else:
        if score.num_notes and all(part.is_drum for part in score.parts if len(part.notes)):
            raise ParameterError(
                "the piece has drums alone, and this model knows melodies: take drums-vae"
            )
        heard = hear(score, tokens, melody, whole=True)
        grid, shift = heard.grid(), heard.shift
        remarks += heard.remarks
        steps = np.full(len(grid), HOLD, dtype=np.int64)
        steps[: len(heard.tokens)] = heard.tokens
        if len(grid) > len(heard.tokens) and heard.is_sounding:
            steps[len(heard.tokens)] = REST
    bar_steps = _one_length(grid, representation, score)
    bars = len(steps) // bar_steps
    windows = -(-bars // representation.bars)
    needed = windows * representation.bars * bar_steps
    if more := needed - len(steps):
        steps = np.concatenate([steps, np.zeros(more, dtype=np.int64)])
        if representation.kind == "melody":
            steps[-more] = REST
        remarks.append(
            f"{bars} bars are no whole number of windows of {representation.bars}: silence fills "
            "the last"
        )
    rows = steps.reshape(windows, -1)
    if representation.kind == "melody":
        rows = _struck_again(rows)
    meter = score.meter_map[0]._replace(tick=0)
    return HeardWindows(
        representation.laid_out(rows),
        bars,
        bar_steps,
        meter,
        score.tempo_map[0].qpm,
        shift,
        tuple(remarks),
        hits,
    )


def _one_length(grid: Grid, representation: BarsRepresentation, score: Score) -> int:
    """Count the steps of every bar, if all have one length that fits."""
    representation.bar_steps(score.meter_map[0])
    lengths = np.unique(grid.bar_steps)
    if len(lengths) != 1:
        raise ParameterError(
            "the bars of the piece are not of one length (its meter changes): give this model a "
            "stretch in one meter"
        )
    return int(lengths[0])


def _struck_again(rows: np.ndarray) -> np.ndarray:
    """Write the first step of each window as if nothing had been before it."""
    flat = rows.reshape(-1)
    place = np.arange(len(flat))
    last = np.maximum.accumulate(np.where(flat != HOLD, place, -1))
    first = np.arange(len(rows)) * rows.shape[1]
    held = np.where(last[first] < 0, REST, flat[np.maximum(last[first], 0)])
    rows = rows.copy()
    rows[:, 0] = np.where(rows[:, 0] == HOLD, held, rows[:, 0])
    return rows


def score_of(
    tables: np.ndarray,
    representation: BarsRepresentation,
    meter: Meter,
    qpm: float,
    *,
    bars: int | None = None,
    shift: int = 0,
    velocity: np.ndarray | None = None,
    offset: np.ndarray | None = None,
    name: str = "",
) -> Score:
    """Put windows in a row, as a piece.

    Parameters
    ----------
    bars
        Where to end; `None` at the end of the last window.
    shift
        Semitones to be taken off.
    velocity, offset
        Of drums, shape (step, 9): see `Hits`.
    """
    bar_steps = representation.bar_steps(meter)
    steps = representation.read_off(tables, bar_steps).reshape(-1)
    if bars is not None:
        steps = steps[: bars * bar_steps]
    per_quarter = representation.steps_per_quarter
    division = lcm(DEFAULT_TICKS_PER_QUARTER, per_quarter)
    if division > MAX_TICKS_PER_QUARTER:
        division = per_quarter
    tokens = representation.tokens
    if isinstance(tokens, MelodyRepresentation):
        notes = tokens.decode(steps, division)
        if shift:
            notes = replace(notes, pitch=notes.pitch - shift)
        part = Part(notes, name or "melody")
    else:
        notes = tokens.decode(steps, division, velocity=velocity, offset=offset)
        notes = ending_by(notes, len(steps) * division // per_quarter)
        part = Part(notes, name or "drums", is_drum=True)
    return Score(
        ticks_per_quarter=division,
        tempos=(Tempo.from_qpm(qpm),),
        meters=(meter._replace(tick=0),),
        end_tick=max(len(steps) * division // per_quarter, notes.end),
    ).with_parts([part])


def steps_equal(one: np.ndarray, other: np.ndarray, representation: BarsRepresentation) -> float:
    """Share of the steps of windows at which the same happens."""
    is_real = (one != representation.pad) & (other != representation.pad)
    return float((one == other)[is_real].mean()) if is_real.any() else 1.0


def sounding(tables: np.ndarray, representation: BarsRepresentation) -> np.ndarray:
    """Pitch that sounds at each step of windows of melody, -1 for silence; (window, step)."""
    flat = tables.reshape(len(tables), -1)
    place = np.arange(flat.shape[1])
    is_event = (flat != HOLD) & (flat != representation.pad)
    last = np.maximum.accumulate(np.where(is_event, place, -1), axis=1)
    token = np.take_along_axis(flat, np.maximum(last, 0), axis=1)
    return np.where((last >= 0) & (token >= FIRST_PITCH), token - FIRST_PITCH, -1)
