"""What a network that fills in reads at each step: a row of integers from the cells that are known.

| columns | hold |
|---|---|
| 0-3 `CELLS` | the cells, soprano first; `unknown` where the network is to write |
| 4-7 `BEFORE` | the nearest known pitch of each voice before this step, or `unknown` |
| 8-11 `AFTER` | the nearest known pitch after it |
| 12-15 `SINCE` | how many steps ago that was, in buckets (`EDGES`); the last is "never" |
| 16-19 `UNTIL` | how many steps until that comes |
| 20 `PLACE` | place in a cycle of four quarters; `cycle` where a row is padding, after the end |
| 21 `KEY` | class of the tonic's tokens, 12 more in minor (`key_value`); or `NO_KEY` |
| 22 `PAST` | quarters since the piece began, `MOST_QUARTERS` at most |
| 23 `LEFT` | quarters until it ends, `MOST_QUARTERS` at most; `NOT_TOLD` if it is not told |

The key is told, or estimated from the cells that are known. Nothing here depends on cells that are
not known, unless a key is told.
"""

import numpy as np

from partimento.music.keys import estimate_key
from partimento.music.notes import Notes
from partimento.music.score import Key
from partimento.representations.satb import SatbRepresentation

CELLS, BEFORE, AFTER = slice(0, 4), slice(4, 8), slice(8, 12)
SINCE, UNTIL = slice(12, 16), slice(16, 20)
PLACE, KEY, PAST, LEFT = 20, 21, 22, 23
NUM_COLUMNS = 24

EDGES = np.array([2, 3, 4, 5, 7, 9, 13, 17, 33])  # of the buckets of SINCE and UNTIL, in steps
NEVER = len(EDGES) + 1
NO_KEY = 24
MOST_QUARTERS = 16
NOT_TOLD = MOST_QUARTERS + 1


def filling_features(
    cells: np.ndarray,
    representation: SatbRepresentation,
    *,
    first: int = 0,
    key: int | None = None,
    before: int = 0,
    after: int | None = 0,
) -> np.ndarray:
    """Lay out the rows of versions of one piece.

    Parameters
    ----------
    cells
        Shape (batch, step, voice).
    first
        Where the first step of the piece stands in its beat.
    key
        Value of the column `KEY` (see `key_value`); `None` estimates it from the known cells.
    before, after
        Steps of the piece before and after these: an excerpt has some. `None` after tells nothing.

    Returns
    -------
    features : int64 array, shape (batch, step, `NUM_COLUMNS`)
    """
    batch, steps, _ = cells.shape
    features = np.empty((batch, steps, NUM_COLUMNS), dtype=np.int64)
    features[..., CELLS] = cells
    features[..., BEFORE], features[..., SINCE] = nearest(cells, representation)
    coming, until = nearest(cells[:, ::-1], representation)
    features[..., AFTER], features[..., UNTIL] = coming[:, ::-1], until[:, ::-1]
    features[..., PLACE] = representation.positions(before + steps, first)[before:]
    if key is None:
        features[..., KEY] = np.array([known_key(row, representation) for row in cells])[:, None]
    else:
        features[..., KEY] = key
    past = (before + np.arange(steps)) // representation.steps_per_quarter
    features[..., PAST] = np.minimum(past, MOST_QUARTERS)
    features[..., LEFT] = NOT_TOLD
    if after is not None:
        left = representation.countdown(steps + after, MOST_QUARTERS)
        features[..., LEFT] = left[:steps]
    return features


def nearest(cells: np.ndarray, representation: SatbRepresentation) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest known pitch before each cell, and how long ago it was, in buckets.

    Parameters
    ----------
    cells
        Shape (batch, step, voice).

    Returns
    -------
    pitch, since : int64 arrays, shape (batch, step, voice)
    """
    unknown = representation.unknown
    steps = np.arange(cells.shape[1])[:, None]  # step 1
    is_pitch = (cells >= representation.first_pitch) & (cells < unknown)
    at = np.maximum.accumulate(np.where(is_pitch, steps, -1), axis=1)
    at = np.concatenate([np.full_like(at[:, :1], -1), at[:, :-1]], axis=1)  # strictly before
    found = np.take_along_axis(cells, np.maximum(at, 0), axis=1)
    since = np.searchsorted(EDGES, steps - at, side="right")
    return np.where(at >= 0, found, unknown), np.where(at >= 0, since, NEVER)


def key_value(key: Key, representation: SatbRepresentation) -> int:
    """Write a key for the column `KEY`: the class of the tonic's tokens, 12 more in minor."""
    tonic = key.tonic + representation.first_pitch - representation.lowest
    return tonic % 12 + 12 * key.is_minor


def known_key(cells: np.ndarray, representation: SatbRepresentation) -> int:
    """Estimate the key of known cells, for the column `KEY`; `NO_KEY` where none is a pitch."""
    known = cells[(cells >= representation.first_pitch) & (cells < representation.vocab_size)]
    if not len(known):
        return NO_KEY
    counts = np.bincount(known - representation.first_pitch + representation.lowest)
    pitch = np.flatnonzero(counts)
    return key_value(estimate_key(Notes(pitch, counts[pitch], pitch)), representation)


def moved_key(key: int, semitones: int) -> int:
    """Transpose a value of the column `KEY`."""
    return key if key == NO_KEY else (key + semitones) % 12 + key // 12 * 12
