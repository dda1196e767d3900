"""`GrooveRepresentation`: how drums are played, as classes that a network can draw.

Each step has 27 cells: nine say which drums are struck (0, 1), nine how hard (32 classes of
velocity, four wide) and nine how early or late (32 classes of a 32nd of a step each, from -1/2 to
1/2). `Played` holds the cells of some pieces side by side, `Given` what of them is told to the
network and what it has to find out. From what is told come all its tasks:

| told | found out | task |
|---|---|---|
| all strokes | velocity and time | humanize |
| one rhythm without drums: a tap | all strokes, velocity and time | drums for a rhythm |
| some drums | the others | fill in |

References
----------
Gillick, Roberts, Engel, Eck and Bamman, "Learning to Groove with Inverse Sequence Transformations",
ICML 2019 (the tasks, and the three tables of hits, velocities and offsets).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from partimento.errors import ParameterError
from partimento.music.drums import DRUMS, Hits
from partimento.music.grid import Grid, check_steps_per_quarter

NUM_DRUMS = len(DRUMS)
CELLS = 3 * NUM_DRUMS  # of a step: struck, velocity, offset
CLASSES = 32  # of velocity, and of offset
WIDTH = 128 // CLASSES  # velocities of a class
TAP_SIZE, METER_SIZE = 6, 7  # numbers of a step that are about the tap, and about meter and tempo
OFFSET_SCALE = 4.0  # so that offsets are as large as other numbers


@dataclass(frozen=True)
class GrooveRepresentation:
    """Strokes of nine drums, how they are played, and what a network is told of them.

    Attributes
    ----------
    steps_per_quarter : int
    """

    steps_per_quarter: int = 4

    def __post_init__(self) -> None:
        check_steps_per_quarter(self.steps_per_quarter)

    @property
    def given_size(self) -> int:
        """Numbers of a step that a network is told."""
        return 2 * CELLS + TAP_SIZE + self.steps_per_quarter + METER_SIZE


class Played(NamedTuple):
    """Drums as played, in some pieces; each of shape (batch, step, 9).

    Attributes
    ----------
    is_hit : bool array
    velocity : float32 array
        0 to 1; 0 where nothing is struck.
    offset : float32 array
        In steps, -1/2 to 1/2.
    """

    is_hit: np.ndarray
    velocity: np.ndarray
    offset: np.ndarray

    @classmethod
    def of(cls, hits: Hits, count: int = 1) -> "Played":
        """Set the same strokes side by side."""
        return cls(*(np.repeat(table[None], count, axis=0) for table in hits))

    def written(self) -> np.ndarray:
        """Numbers of all cells as a network reads what it wrote: float32, (batch, step, 27)."""
        tables = (self.is_hit, self.velocity, self.offset * OFFSET_SCALE)
        return np.concatenate(tables, axis=-1).astype(np.float32)

    def classes(self) -> np.ndarray:
        """Class of each cell: int64, (batch, step, 27)."""
        tables = (self.is_hit, velocity_class(self.velocity), offset_class(self.offset))
        return np.concatenate(tables, axis=-1).astype(np.int64)


class Given(NamedTuple):
    """What a network is told of `Played`, and of the rhythm that somebody taps.

    Attributes
    ----------
    hit, velocity, offset : bool arrays, shape (batch, step, 9)
        Where it is told whether a drum is struck, how hard, how early.
    tap : float32 array, shape (batch, step, 6)
        Whether a tap is told at all; struck; velocity told, and which; offset told, and which.
    """

    hit: np.ndarray
    velocity: np.ndarray
    offset: np.ndarray
    tap: np.ndarray

    @classmethod
    def nothing(cls, batch: int, steps: int) -> "Given":
        """Tell nothing."""
        none = np.zeros((batch, steps, NUM_DRUMS), dtype=bool)
        return cls(none, none, none, np.zeros((batch, steps, TAP_SIZE), dtype=np.float32))

    def is_asked(self, is_hit: np.ndarray) -> np.ndarray:
        """Cells to find out, where these drums are struck: bool, (batch, step, 27)."""
        asked = (~self.hit, is_hit & ~self.velocity, is_hit & ~self.offset)
        return np.concatenate(asked, axis=-1)


def tap_of(
    is_hit: np.ndarray,
    velocity: np.ndarray | None = None,
    offset: np.ndarray | None = None,
) -> np.ndarray:
    """Write a tapped rhythm as `Given.tap`; each of shape (batch, step), `None` where not told."""
    tap = np.zeros((*is_hit.shape, TAP_SIZE), dtype=np.float32)
    tap[..., 0] = 1
    tap[..., 1] = is_hit
    for column, values in ((2, velocity), (4, offset)):
        if values is not None:
            scale = OFFSET_SCALE if column == 4 else 1.0
            tap[..., column] = 1
            tap[..., column + 1] = np.where(is_hit, values, 0) * scale
    return tap


def given_numbers(
    played: Played, given: Given, meter: np.ndarray, representation: GrooveRepresentation
) -> np.ndarray:
    """Write what a network is told of each step: float32, (batch, step, given_size).

    Parameters
    ----------
    meter
        See `meter_numbers`; (batch, step, number).
    """
    told = np.concatenate([given.hit, given.velocity, given.offset], axis=-1)
    values = played.written()
    known_hit = np.concatenate([given.hit] * 3, axis=-1)  # velocity is told of strokes alone
    numbers = [told & known_hit, np.where(told & known_hit, values, 0), given.tap, meter]
    made = np.concatenate(numbers, axis=-1).astype(np.float32)
    assert made.shape[-1] == representation.given_size
    return made


def meter_numbers(
    position: np.ndarray, bar_steps: np.ndarray, qpm: np.ndarray, steps_per_quarter: int
) -> np.ndarray:
    """Say where steps stand in their bars, and how fast they go by; (..., number).

    Parameters
    ----------
    position, bar_steps
        As in `Grid`.
    qpm
        Quarter notes a minute.
    """
    position, bar_steps, qpm = np.broadcast_arrays(position, bar_steps, qpm)
    phase = position[..., None] % steps_per_quarter == np.arange(steps_per_quarter)
    turn = 2 * np.pi * position / bar_steps
    more = np.stack(
        [
            np.sin(turn),
            np.cos(turn),
            np.sin(2 * turn),
            np.cos(2 * turn),
            position == 0,
            bar_steps / (4 * steps_per_quarter) - 1,
            np.log2(qpm / 120),
        ],
        axis=-1,
    )
    return np.concatenate([phase, more], axis=-1).astype(np.float32)


def meter_of(grid: Grid, qpm: float, steps_per_quarter: int) -> np.ndarray:
    """Say the same of all steps of a grid; (step, number)."""
    return meter_numbers(grid.position, grid.bar_steps, np.array(qpm), steps_per_quarter)


def velocity_class(velocity: np.ndarray) -> np.ndarray:
    """Class of velocities from 0 to 1."""
    return np.clip(np.rint(velocity * 127).astype(np.int64) // WIDTH, 0, CLASSES - 1)


def offset_class(offset: np.ndarray) -> np.ndarray:
    """Class of offsets in steps."""
    return np.clip(np.floor((offset + 0.5) * CLASSES).astype(np.int64), 0, CLASSES - 1)


def velocity_at(place: np.ndarray) -> np.ndarray:
    """Velocity, 0 to 1, at a place in the classes: 3.5 is the middle of class 3."""
    return np.clip(np.floor(place * WIDTH), 1, 127) / 127


def offset_at(place: np.ndarray) -> np.ndarray:
    """Offset in steps at a place in the classes."""
    return np.clip(place / CLASSES - 0.5, -0.5, np.nextafter(np.float32(0.5), np.float32(0)))


def check_drum(name: str) -> int:
    """Find a drum by its name."""
    if name not in DRUMS:
        raise ParameterError(f"the drums are {', '.join(DRUMS)}, got {name[:40]!r}")
    return DRUMS.index(name)
