"""The two columns of the piano-roll tables: what is counted, and how it is averaged.

Both begin with the nats of every frame of every piece, as a model measures them, and must not be
compared with each other:

- ``"joint"``: the exact likelihood of the set of keys of a frame. All frames count.
- ``"independent"``: 88 keys, each by itself given the past. The first frame of a piece is skipped,
  since the networks of that column were asked to predict what follows.

Two averages are in use: all nats over all frames, and the mean of the pieces' own means. They
differ where long pieces are easier than short ones, so both are told.

References
----------
Boulanger-Lewandowski, Bengio and Vincent, "Modeling Temporal Dependencies in High-Dimensional
Sequences", ICML 2012 (joint). Bai, Kolter and Koltun, "An Empirical Evaluation of Generic
Convolutional and Recurrent Networks for Sequence Modeling", 2018 (independent).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from partimento.errors import ParameterError

COLUMNS = {"joint": 0, "independent": 1}  # column: frames at the start of a piece that do not count


@dataclass(frozen=True)
class RollFigures:
    """How surprised a model is by the pieces of a split.

    Attributes
    ----------
    nats_per_frame : float
        All nats over all frames.
    mean_of_pieces : float
        Mean of the nats per frame of each piece.
    frames, pieces : int
        That counted.
    """

    nats_per_frame: float
    mean_of_pieces: float
    frames: int
    pieces: int


def roll_figures(nats: Sequence[np.ndarray], column: str) -> RollFigures:
    """Average the nats of the frames of pieces as a column does.

    Parameters
    ----------
    nats
        Of every frame of each piece, its first included.
    column
        ``"joint"`` or ``"independent"``.

    Examples
    --------
    >>> both = [np.array([9.0, 1.0, 2.0]), np.array([9.0, 3.0])]
    >>> roll_figures(both, "independent")
    RollFigures(nats_per_frame=2.0, mean_of_pieces=2.25, frames=3, pieces=2)
    """
    if column not in COLUMNS:
        raise ParameterError(f"column must be {' or '.join(COLUMNS)}, got {column!r}")
    counted = [piece[COLUMNS[column] :] for piece in nats]
    counted = [piece for piece in counted if len(piece)]
    if not counted:
        raise ParameterError("there is no frame to count")
    frames = sum(len(piece) for piece in counted)
    return RollFigures(
        nats_per_frame=float(sum(piece.sum() for piece in counted)) / frames,
        mean_of_pieces=float(np.mean([piece.mean() for piece in counted])),
        frames=frames,
        pieces=len(counted),
    )
