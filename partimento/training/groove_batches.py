"""What a `GrooveNet` is shown: windows of drums as played, and what of them it is told.

`GrooveBatches` deals the windows out and draws for each what is told and what is asked (see
`representations.groove`), so that one network learns all tasks. `told_for` fixes the task, for
figures that can be compared.
"""

from dataclasses import dataclass, field

import numpy as np

from partimento.errors import ParameterError
from partimento.representations.bars import BarsRepresentation
from partimento.representations.groove import (
    NUM_DRUMS,
    Given,
    GrooveRepresentation,
    Played,
    given_numbers,
    meter_numbers,
    tap_of,
)
from partimento.training.batches import Batch
from partimento.training.windows import Windows

TASKS = ("humanize", "finish", "tap", "fill", "nothing")
SHARES = (0.45, 0.1, 0.25, 0.15, 0.05)  # of the examples of training, by task
WHOLE_TAPS = 0.5  # of the taps: strokes of all drums; the others are of some
EVALUATION_BATCH = 100
TOLD = 0.6  # of the taps: velocity is told; the same of time


@dataclass(frozen=True)
class GrooveWindows:
    """Windows of drums with bars of one length, steps in a row.

    Attributes
    ----------
    played : Played
    meter : float32 array, shape (window, step, number)
        See `meter_numbers`.
    qpm : float64 array, shape (window,)
    """

    played: Played
    meter: np.ndarray
    qpm: np.ndarray

    @classmethod
    def of(
        cls,
        windows: Windows,
        rows: np.ndarray,
        bars: BarsRepresentation,
        representation: GrooveRepresentation,
    ) -> "GrooveWindows":
        """Take some windows, all with bars of one length."""
        assert windows.velocity is not None and windows.offset is not None
        assert windows.qpm is not None
        length = int((windows.tables[rows[0], 0] != bars.pad).sum())
        steps = bars.bars * length

        def flat(table: np.ndarray) -> np.ndarray:
            return table[rows][:, :, :length].reshape(len(rows), steps, NUM_DRUMS)

        velocity = flat(windows.velocity)
        played = Played(velocity > 0, velocity, flat(windows.offset))
        qpm = windows.qpm[rows]
        position = np.arange(steps) % length
        meter = meter_numbers(
            position, np.array(length), qpm[:, None], representation.steps_per_quarter
        )
        return cls(played, meter, qpm)


def grouped(
    windows: Windows, bars: BarsRepresentation, representation: GrooveRepresentation
) -> list[GrooveWindows]:
    """Cut windows into batches with bars of one length."""
    lengths = (windows.tables[:, 0] != bars.pad).sum(axis=1)
    found = []
    for length in np.unique(lengths):
        rows = np.flatnonzero(lengths == length)
        for part in np.split(rows, np.arange(EVALUATION_BATCH, len(rows), EVALUATION_BATCH)):
            found.append(GrooveWindows.of(windows, part, bars, representation))
    return found


def told_for(task: str, played: Played, generator: np.random.Generator) -> Given:
    """Draw what is told of windows in a task; ``humanize`` and ``nothing`` leave no choice.

    Parameters
    ----------
    task
        One of `TASKS`.
    """
    batch, steps, drums = played.is_hit.shape
    given = Given.nothing(batch, steps)
    everywhere = np.ones((batch, steps, drums), dtype=bool)
    if task == "nothing":
        return given
    if task == "humanize":
        return given._replace(hit=everywhere)
    if task == "finish":  # some strokes are played already
        shares = generator.random((2, batch, 1, 1))
        known = generator.random((2, batch, steps, drums)) < shares
        return given._replace(hit=everywhere, velocity=known[0], offset=known[1])
    if task == "tap":
        return given._replace(tap=_taps(played, generator))
    if task != "fill":
        raise ParameterError(f"the tasks are {', '.join(TASKS)}, got {task!r}")
    known = everywhere & (generator.random((batch, 1, drums)) < generator.random((batch, 1, 1)))
    return Given(known, known, known, given.tap)


def _taps(played: Played, generator: np.random.Generator) -> np.ndarray:
    """Rhythms as somebody would tap them: the loudest stroke of each step, of some drums or all."""
    batch, _, drums = played.is_hit.shape
    tapped = generator.random((batch, 1, drums)) < generator.random((batch, 1, 1))
    tapped |= generator.random((batch, 1, 1)) < WHOLE_TAPS
    loud = np.where(tapped & played.is_hit, played.velocity, 0)
    loudest = loud.argmax(axis=2)[..., None]
    velocity = np.take_along_axis(loud, loudest, axis=2)[..., 0]
    offset = np.take_along_axis(played.offset, loudest, axis=2)[..., 0]
    tap = tap_of(velocity > 0, velocity, offset)
    for columns in (slice(2, 4), slice(4, 6)):
        tap[..., columns] *= generator.random((batch, 1, 1)) < TOLD
    return tap


@dataclass
class GrooveBatches:
    """Batches of windows with bars of one length, each example with a task of its own.

    Which examples a step gets, and what is told of them, depends on the seed and the step alone.
    """

    windows: Windows
    bars: BarsRepresentation
    representation: GrooveRepresentation
    batch_size: int
    seed: int
    _planned: tuple[int, list[np.ndarray]] = field(
        default_factory=lambda: (-1, []), init=False, repr=False
    )

    def __post_init__(self) -> None:
        lengths = (self.windows.tables[:, 0] != self.bars.pad).sum(axis=1)
        self._groups = [np.flatnonzero(lengths == length) for length in np.unique(lengths)]

    @property
    def batches_per_epoch(self) -> int:
        """Batches that show each window once."""
        return sum(-(-len(group) // self.batch_size) for group in self._groups)

    def __call__(self, step: int) -> Batch:
        """Give the batch of one step of training, counted from 0."""
        epoch, index = divmod(step, self.batches_per_epoch)
        if self._planned[0] != epoch:
            generator = np.random.default_rng((self.seed, 0, epoch))
            batches: list[np.ndarray] = []
            for group in self._groups:
                rows = generator.permutation(group)
                batches += np.split(rows, np.arange(self.batch_size, len(rows), self.batch_size))
            order = generator.permutation(len(batches))
            self._planned = epoch, [batches[number] for number in order]
        generator = np.random.default_rng((self.seed, 1, step))
        rows = self._planned[1][index]
        found = GrooveWindows.of(self.windows, rows, self.bars, self.representation)
        return mixed_batch(found, self.representation, generator)


def mixed_batch(
    windows: GrooveWindows, representation: GrooveRepresentation, generator: np.random.Generator
) -> Batch:
    """Draw a task for each window."""
    played = windows.played
    told = [told_for(task, played, generator) for task in TASKS]
    task = generator.choice(len(TASKS), size=len(played.is_hit), p=SHARES)
    row = np.arange(len(task))
    columns = (np.stack(column)[task, row] for column in zip(*told, strict=True))
    return batch_of(windows, Given(*columns), representation)


def batch_of(windows: GrooveWindows, given: Given, representation: GrooveRepresentation) -> Batch:
    """Windows to be written where they are not told."""
    played = windows.played
    numbers = given_numbers(played, given, windows.meter, representation)
    features = np.concatenate([numbers, played.written()], axis=-1)
    return Batch(features, played.classes(), given.is_asked(played.is_hit))
