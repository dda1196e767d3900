"""Music from a melody model: `continue_score` goes on from a primer, `sample_scores` from nothing.

The primer comes back as it was, to the tick. Generation starts at the grid step nearest to its end,
fills the bar the primer stops in, and then writes exactly the bars asked for, in the primer's last
meter and tempo. A note that sounds where the primer ends, ends there.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import lcm
from typing import Any

import numpy as np

from partimento.errors import ParameterError
from partimento.generation.constraints import Constraints
from partimento.generation.engine import StepEngine
from partimento.generation.hearing import MAX_STEPS, Heard, check_meter
from partimento.generation.sampling import Sampling, check_seed, whole
from partimento.generation.writing import Task, write_on
from partimento.music.grid import Grid
from partimento.music.notation import parse_meter
from partimento.music.notes import DEFAULT_VELOCITY, Notes
from partimento.music.score import (
    DEFAULT_TICKS_PER_QUARTER,
    MAX_TICKS_PER_QUARTER,
    Meter,
    Part,
    Score,
    Tempo,
)
from partimento.music.timing import BarMap, steps_per_bar
from partimento.representations.melody import MelodyRepresentation

MAX_BARS = 1024
MAX_COUNT = 1024


def continue_score(
    engine: StepEngine,
    heard: Heard,
    bars: int,
    seeds: Sequence[int],
    sampling: Sampling,
    constraints: Constraints,
) -> list[Score]:
    """Go on from a primer, once for each seed.

    Parameters
    ----------
    heard
        The primer as the model hears it.
    bars
        New bars, after the one the primer ends in.

    Returns
    -------
    scores
        The primer and what follows. New notes stand in the melody's part, as loud as the median of
        the primer's notes; other parts are as they were. Where the primer's division cannot express
        a grid step its ticks are multiplied, exactly.
    """
    bars = check_bars(bars)
    grid = heard.grid(more_bars=bars)
    task = Task(
        heard.tokens,
        grid,
        heard.bars + bars,
        heard.shift,
        heard.is_sounding,
        heard.silent_steps,
    )
    written = write_on(engine, heard.representation, task, seeds, sampling, constraints)
    end_tick = int(BarMap.of(heard.score).start(heard.first_bar + heard.bars + bars))
    return [_set_beside(heard, tokens, end_tick) for tokens in written]


def sample_scores(
    engine: StepEngine,
    representation: MelodyRepresentation,
    bars: int,
    seeds: Sequence[int],
    sampling: Sampling,
    constraints: Constraints,
    *,
    meter: Meter | tuple[int, int] | str = "4/4",
    qpm: float = 120,
    program: int = 0,
) -> list[Score]:
    """Make melodies from nothing, once for each seed."""
    bars = check_bars(bars)
    meter = parse_meter(meter)
    steps_per_quarter = representation.steps_per_quarter
    check_meter(meter, steps_per_quarter)
    length = bars * steps_per_bar(meter, steps_per_quarter)
    if length > MAX_STEPS:
        raise ParameterError(
            f"bars: {bars} bars of {meter} are {length:,} steps, at most {MAX_STEPS:,} fit"
        )
    task = Task(np.zeros(0, dtype=np.int64), Grid.regular(meter, steps_per_quarter, bars), bars)
    written = write_on(engine, representation, task, seeds, sampling, constraints)
    division = lcm(DEFAULT_TICKS_PER_QUARTER, steps_per_quarter)
    if division > MAX_TICKS_PER_QUARTER:
        division = steps_per_quarter
    frame = Score(
        ticks_per_quarter=division,
        tempos=(Tempo.from_qpm(qpm),),
        meters=(meter,),
        end_tick=length * division // steps_per_quarter,
    )
    return [
        frame.with_parts([Part(representation.decode(tokens, division), "melody", program)])
        for tokens in written
    ]


def check_bars(bars: Any) -> int:
    """Refuse a number of bars that is none."""
    number = whole("bars", bars)
    if not 1 <= number <= MAX_BARS:
        raise ParameterError(f"bars must be 1 to {MAX_BARS}, got {number}")
    return number


def seeds_of(seed: Any, count: Any) -> list[int]:
    """Seeds of the sequences of a batch: the one given, and those after it.

    So that number `i` of a batch is what the seed ``seed + i`` makes alone.
    """
    first, number = check_seed(seed), check_count(count)
    check_seed(first + number - 1)
    return list(range(first, first + number))


def check_count(count: Any) -> int:
    """Refuse a number of sequences that is none."""
    number = whole("count", count)
    if not 1 <= number <= MAX_COUNT:
        raise ParameterError(f"count must be 1 to {MAX_COUNT}, got {number}")
    return number


def _set_beside(heard: Heard, tokens: np.ndarray, end_tick: int) -> Score:
    """Add new tokens to the primer they go on from."""
    score, start = heard.score, len(heard.tokens)
    steps_per_quarter = heard.representation.steps_per_quarter
    new = heard.representation.decode(tokens, steps_per_quarter)  # ticks are steps here
    # The primer may end a little off the grid, and a bar may be no whole number of ticks.
    onset = np.maximum(heard.ticks(start + new.onset), score.end_tick)
    offset = np.minimum(heard.ticks(start + new.offset), end_tick)
    primer = score.parts[heard.part].notes
    loudness = int(np.median(heard.notes.velocity)) if len(heard.notes) else DEFAULT_VELOCITY
    notes = Notes(
        np.concatenate([primer.onset, onset]),
        np.concatenate([primer.duration, np.maximum(offset - onset, 1)]),
        np.concatenate([primer.pitch, new.pitch - heard.shift]),
        np.concatenate([primer.velocity, np.full(len(new), loudness)]),
    )
    parts = list(score.parts)
    parts[heard.part] = replace(parts[heard.part], notes=notes)
    return replace(score, parts=tuple(parts), end_tick=end_tick)
