"""Writing melodies on: the loop in which a network reads what there is and the next token is drawn.

`write_on` takes what a model has heard and gives finished token sequences, any number at once. Each
has its own seed and is the same to the bit whatever else is in the batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from partimento.errors import GenerationError
from partimento.generation.constraints import Constraints, Watch
from partimento.generation.engine import Sequences, StepEngine
from partimento.generation.sampling import Sampling, draw, generator_of
from partimento.music.grid import Grid
from partimento.representations.melody import FIRST_PITCH, MelodyRepresentation

TRIES = 4  # for a sequence that comes out silent


@dataclass(frozen=True, eq=False)
class Task:
    """A melody to be written on.

    Attributes
    ----------
    tokens : int64 array, shape (time,)
        What there is already; may be empty.
    grid : Grid
        Of the whole piece: it ends where the melody must end.
    bars : int
        Bars of the whole piece, for networks that count down to the end.
    shift : int
        Semitones from what sounds to the tokens.
    is_sounding : bool
        Whether a note sounds where `tokens` ends. It is over there: the first new token cannot
        hold it, so what was heard is never made longer.
    silent_steps : int
        Steps of silence where `tokens` ends.
    """

    tokens: np.ndarray
    grid: Grid
    bars: int
    shift: int = 0
    is_sounding: bool = False
    silent_steps: int = 0


def write_on(
    engine: StepEngine,
    representation: MelodyRepresentation,
    task: Task,
    seeds: Sequence[int],
    sampling: Sampling,
    constraints: Constraints,
) -> np.ndarray:
    """Write a melody to its end, once for each seed.

    Returns
    -------
    tokens : int64 array, shape (batch, new steps)
        Only the new ones. Each row starts at least one note.

    Raises
    ------
    GenerationError
        If a seed gives silence `TRIES` times.
    """
    heard = read(engine, representation, task.tokens, task.grid, task.bars)
    written = np.empty((len(seeds), len(task.grid) - len(task.tokens)), dtype=np.int64)
    silent = np.arange(len(seeds))
    for attempt in range(TRIES if sampling.temperature > 0 else 1):
        generators = [generator_of(seeds[row], attempt) for row in silent.tolist()]
        sequences = heard.fork(np.zeros(len(silent), dtype=np.int64))
        watch = Watch(
            constraints,
            representation,
            task.grid,
            len(silent),
            shift=task.shift,
            is_over=task.is_sounding,
            silent_for=task.silent_steps,
        )
        written[silent] = _write(sequences, representation, task, generators, sampling, watch)
        silent = silent[(written[silent] < FIRST_PITCH).all(axis=1)]
        if not len(silent):
            return written
    tries = "the likeliest tokens are" if sampling.temperature == 0 else f"{TRIES} tries were"
    advice = "a temperature above 0" if sampling.temperature == 0 else "another seed, more bars"
    raise GenerationError(
        f"{tries} silence with seed {seeds[silent[0]]}: use {advice} or a lower rest_bars"
    )


def read(
    engine: StepEngine,
    representation: MelodyRepresentation,
    tokens: np.ndarray,
    grid: Grid,
    bars: int | None,
) -> Sequences:
    """Let a network hear a melody; the state it is in then, as a batch of one."""
    sequences = engine.start(1)
    for features in representation.features(tokens, grid, bars):  # feature
        sequences.step(features[None])
    return sequences


def _write(
    sequences: Sequences,
    representation: MelodyRepresentation,
    task: Task,
    generators: Sequence[np.random.Generator],
    sampling: Sampling,
    watch: Watch,
) -> np.ndarray:
    """Draw every new token of a batch; shape (batch, new steps)."""
    start, stop = len(task.tokens), len(task.grid)
    uniforms = np.stack([generator.random(stop - start) for generator in generators])
    tokens = np.zeros((len(generators), stop), dtype=np.int64)  # batch time
    tokens[:, :start] = task.tokens
    layout = FeatureLayout(representation, task.grid, task.bars)
    for step in range(start, stop):
        logits = sequences.step(layout.features(tokens, step))  # batch vocab
        drawn = draw(watch.masked(logits, step), uniforms[:, step - start], sampling)
        watch.follow(drawn)
        tokens[:, step] = drawn
    return tokens[:, start:]


class FeatureLayout:
    """`MelodyRepresentation.features`, where it can be worked out before any token is known.

    In plain representations features are either copies of earlier tokens or do not depend on
    tokens at all. Which are which, and which token each copies, comes out by laying out a melody
    whose tokens are their own step numbers, written as negative numbers, which no other feature
    can be. Representations that count repeats or intervals are laid out step by step.
    """

    def __init__(self, representation: MelodyRepresentation, grid: Grid, bars: int | None) -> None:
        self._representation, self._grid, self._bars = representation, grid, bars
        if not representation.only_copies:
            return
        steps = np.arange(len(grid))
        self._known = representation.features(-1 - steps, grid, bars)  # time feature
        rows, self._columns = np.nonzero(self._known < 0)
        self._sources = -1 - self._known[rows, self._columns]  # the step each one copies
        self._first = np.searchsorted(rows, np.arange(len(grid) + 1)).tolist()  # of each row

    def features(self, tokens: np.ndarray, step: int) -> np.ndarray:
        """Features of one step for a batch of tokens (batch, time); reads only earlier tokens."""
        if not self._representation.only_copies:
            return self._representation.features(tokens, self._grid, self._bars, step, step + 1)[
                :, 0
            ]
        features = np.empty((len(tokens), self._known.shape[1]), dtype=np.int64)
        features[:] = self._known[step]
        copies = slice(self._first[step], self._first[step + 1])
        features[:, self._columns[copies]] = tokens[:, self._sources[copies]]
        return features  # batch feature
