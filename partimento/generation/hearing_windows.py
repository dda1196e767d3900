"""What a model of windows hears of a piece, and how windows become a piece again.

`hear_windows` cuts a melody, a drum part or four parts into windows of whole bars, one after
another; the last is filled up with silence. All bars must be of one length: of a piece with
several, the longest stretch is taken, as where a pickup comes first. `score_of` puts windows in a
row.
"""

from bisect import bisect_right
from dataclasses import dataclass, replace
from math import lcm

import numpy as np

from partimento.errors import ParameterError
from partimento.generation.hearing import AUTO, hear
from partimento.generation.hearing_quartet import PLAYERS, hear_quartet
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
from partimento.music.timing import BarMap
from partimento.representations.bars import BarsRepresentation
from partimento.representations.melody import HOLD, REST, MelodyRepresentation


@dataclass(frozen=True, eq=False)
class HeardWindows:
    """A piece as windows.

    Attributes
    ----------
    tables : int64 array, shape (window, row, position)
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
    players : tuple of (str, int)
        Of four parts: name and General MIDI program of each.
    """

    tables: np.ndarray
    bars: int
    bar_steps: int
    meter: Meter
    qpm: float
    shift: int = 0
    remarks: tuple[str, ...] = ()
    hits: Hits | None = None
    players: tuple[tuple[str, int], ...] = PLAYERS


def hear_windows(
    score: Score, representation: BarsRepresentation, melody: str | int = AUTO
) -> HeardWindows:
    """Cut a piece into windows: of bars of several lengths, the longest stretch of one length.

    Parameters
    ----------
    melody
        Which part is the melody: see `partimento.generation.hearing.hear`.

    Raises
    ------
    ParameterError
        If it is of the other kind (drums, melody), or no bar fits.
    """
    score, stretch = _in_one_meter(score, representation)
    remarks = [stretch] * bool(stretch)
    shift, hits, players = 0, None, PLAYERS
    if representation.kind == "quartet":
        if melody != AUTO:
            raise ParameterError("--melody means nothing to a model of four parts: it hears all")
        quartet = hear_quartet(score, representation)
        steps, grid, players = quartet.tokens, quartet.grid, quartet.players  # part step
        remarks += quartet.remarks
    elif representation.kind == "drums":
        hits, grid, unknown, merged = hear_drums(score, representation.steps_per_quarter)
        steps = hits.tokens[None]
        if unknown:
            remarks.append(f"{unknown} strokes of other instruments are not heard")
        if merged:
            remarks.append(f"{merged} strokes fall on the step of a louder one of the same drum")
        if not steps.any():
            raise ParameterError("no drum that this model knows is struck: give it a drum part")
    else:
        line, grid, shift, heard = _hear_melody(score, representation, melody)
        steps = line[None]
        remarks += heard
    bar_steps = _one_length(grid, representation, score)
    bars = steps.shape[1] // bar_steps
    windows = -(-bars // representation.bars)
    needed = windows * representation.bars * bar_steps
    if more := needed - steps.shape[1]:
        steps = np.pad(steps, ((0, 0), (0, more)))
        if representation.kind != "drums":
            steps[:, -more] = REST
        remarks.append(
            f"{bars} bar{' is' if bars == 1 else 's are'} no whole number of windows of "
            f"{representation.bars}: silence fills the last"
        )
    return HeardWindows(
        representation.windows_of(steps.reshape(len(steps), windows, -1)),
        bars,
        bar_steps,
        score.meter_map[0]._replace(tick=0),
        score.tempo_map[0].qpm,
        shift,
        tuple(remarks),
        hits,
        players,
    )


def _hear_melody(
    score: Score, representation: BarsRepresentation, melody: str | int
) -> tuple[np.ndarray, Grid, int, tuple[str, ...]]:
    """Tokens of a melody, its grid, how far it was moved, and remarks."""
    tokens = representation.tokens
    assert isinstance(tokens, MelodyRepresentation)
    if score.num_notes and all(part.is_drum for part in score.parts if len(part.notes)):
        raise ParameterError(
            "the piece has drums alone, and this model knows melodies: take drums-vae"
        )
    heard = hear(score, tokens, melody, whole=True)
    grid = heard.grid()
    steps = np.full(len(grid), HOLD, dtype=np.int64)
    steps[: len(heard.tokens)] = heard.tokens
    if len(grid) > len(heard.tokens) and heard.is_sounding:
        steps[len(heard.tokens)] = REST
    return steps, grid, heard.shift, tuple(heard.remarks)


def _in_one_meter(score: Score, representation: BarsRepresentation) -> tuple[Score, str]:
    """Take the longest stretch whose bars have one length that fits, and say which it is.

    Raises
    ------
    ParameterError
        If no bar fits.
    """
    bar_map = BarMap.of(score)
    count = bar_map.count(score.end_tick)
    starts = bar_map.start(np.arange(count + 1))  # the last bar is as long as its meter says
    length = np.diff(starts)
    edges = np.flatnonzero(np.diff(length, prepend=-1, append=-1))
    runs = sorted(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True), key=_shorter)
    at = [meter.tick for meter in score.meter_map]
    fits = [
        (first, last)
        for first, last in runs
        if _fits(score.meter_map[bisect_right(at, int(starts[first])) - 1], representation)
    ]
    if len(edges) <= 2 or not fits:
        representation.bar_steps(score.meter_map[0])
        return score, ""
    first, last = fits[0]
    stretch = score.slice(int(starts[first]), int(starts[last]), unit="ticks")
    if not stretch.num_notes:
        return score, ""
    meter = stretch.meter_map[0]
    return stretch, (
        f"bars {first + 1}-{last} of {count} are used, which are in {meter}: the others have "
        "another length"
    )


def _shorter(run: tuple[int, int]) -> int:
    return run[0] - run[1]


def _fits(meter: Meter, representation: BarsRepresentation) -> bool:
    try:
        return bool(representation.bar_steps(meter))
    except ParameterError:
        return False


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
    players: tuple[tuple[str, int], ...] = PLAYERS,
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
    players
        Of four parts: name and General MIDI program of each.
    """
    tokens = representation.tokens
    if isinstance(tokens, MelodyRepresentation):
        pieces = tables[None]
        return scores_of(
            pieces, representation, meter, qpm, bars=bars, shift=shift, name=name, players=players
        )[0]
    steps, division = _cut(tables[None], representation, meter, bars)
    end_tick = steps.shape[2] * division // representation.steps_per_quarter
    strokes = tokens.decode(steps[0, 0], division, velocity=velocity, offset=offset)
    part = Part(ending_by(strokes, end_tick), name or "drums", is_drum=True)
    return Score(
        (part,),
        division,
        (Tempo.from_qpm(qpm),),
        (meter._replace(tick=0),),
        end_tick=end_tick,
    )


def scores_of(
    tables: np.ndarray,
    representation: BarsRepresentation,
    meter: Meter,
    qpm: float,
    *,
    bars: int | None = None,
    shift: int = 0,
    name: str = "",
    players: tuple[tuple[str, int], ...] = PLAYERS,
) -> list[Score]:
    """Put the windows of several pieces with pitches in a row; see `score_of`.

    Parameters
    ----------
    tables
        Shape (piece, window, row, position).
    """
    tokens = representation.tokens
    assert isinstance(tokens, MelodyRepresentation)
    steps, division = _cut(tables, representation, meter, bars)  # piece part step
    lines = tokens.decode_many(steps.reshape(-1, steps.shape[2]), division)
    if shift:
        lines = [replace(notes, pitch=notes.pitch - shift) for notes in lines]
    whose = players if representation.kind == "quartet" else ((name or "melody", 0),)
    tempos, meters = (Tempo.from_qpm(qpm),), (meter._replace(tick=0),)
    end_tick = steps.shape[2] * division // representation.steps_per_quarter
    count = len(whose)
    return [
        Score(
            tuple(
                Part(notes, player, program)
                for notes, (player, program) in zip(
                    lines[first : first + count], whose, strict=True
                )
            ),
            division,
            tempos,
            meters,
            end_tick=end_tick,
        )
        for first in range(0, len(lines), count)
    ]


def _cut(
    tables: np.ndarray, representation: BarsRepresentation, meter: Meter, bars: int | None
) -> tuple[np.ndarray, int]:
    """Tokens of pieces, (piece, part, step), and a division that has a tick for every step."""
    bar_steps = representation.bar_steps(meter)
    steps = np.stack([representation.in_a_row(piece, bar_steps) for piece in tables])
    if bars is not None:
        steps = steps[:, :, : bars * bar_steps]
    division = lcm(DEFAULT_TICKS_PER_QUARTER, representation.steps_per_quarter)
    if division > MAX_TICKS_PER_QUARTER:
        division = representation.steps_per_quarter
    return steps, division


def steps_equal(one: np.ndarray, other: np.ndarray, representation: BarsRepresentation) -> float:
    """Share of the steps of windows at which the same happens."""
    is_real = (one != representation.pad) & (other != representation.pad)
    return float((one == other)[is_real].mean()) if is_real.any() else 1.0
