"""How the strokes of windows of drums are played: `performed` says it, for whoever writes them.

A model of windows knows what is struck. Strokes that a piece had are played as they were; the
others by a groove model, or, where there is none, even and on the grid.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from partimento.generation.sampling import generator_of
from partimento.models.groove import GrooveModel
from partimento.music.drums import Hits, hits_of
from partimento.music.grid import Grid
from partimento.music.score import Meter
from partimento.representations.bars import BarsRepresentation
from partimento.representations.drums import USUAL_VELOCITY
from partimento.representations.groove import Played

PLAYING = 1 << 20  # attempt of the dice by which strokes are played


class Performed(NamedTuple):
    """How the strokes of a piece are played; of melodies, nothing.

    Attributes
    ----------
    velocity, offset : float32 arrays, shape (step, 9), or None
        See `Hits`.
    """

    velocity: np.ndarray | None = None
    offset: np.ndarray | None = None


def performed(
    tables: np.ndarray,
    representation: BarsRepresentation,
    meter: Meter,
    qpm: float,
    seeds: Sequence[int],
    drummer: GrooveModel | None,
    known: Hits | None = None,
) -> list[Performed]:
    """Say how the strokes of pieces are played.

    Parameters
    ----------
    tables
        Shape (piece, window, bar, position).
    seeds
        One a piece.
    known
        Strokes of which it is known; all pieces have them.
    """
    if representation.kind != "drums":
        return [Performed() for _ in tables]
    bar_steps = representation.bar_steps(meter)
    windows = tables.reshape(-1, *tables.shape[2:])
    steps = representation.read_off(windows, bar_steps).reshape(len(tables), -1)
    is_hit = hits_of(steps)  # piece step drum
    velocity = np.full(is_hit.shape, USUAL_VELOCITY, dtype=np.float32)
    offset = np.zeros_like(velocity)
    is_known = np.zeros_like(is_hit)
    if known is not None:
        length = min(len(known.is_hit), steps.shape[1])
        first = slice(None), slice(length)
        is_known[first] = is_hit[first] & known.is_hit[:length]
        velocity[first] = np.where(is_known[first], known.velocity[:length], USUAL_VELOCITY)
        offset[first] = np.where(is_known[first], known.offset[:length], 0)
    made = Played(is_hit, velocity, offset)
    if drummer is not None:
        grid = Grid.regular(meter, representation.steps_per_quarter, steps.shape[1] // bar_steps)
        generators = [generator_of(seed, PLAYING) for seed in seeds]
        made = drummer.finish(made, is_known, grid, qpm, generators)
    return [Performed(*how) for how in zip(made.velocity, made.offset, strict=True)]
