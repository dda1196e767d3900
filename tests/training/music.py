"""Small music of our own to train on: scales and arpeggios, with a little chance."""

import numpy as np

from partimento.music.grid import Grid
from partimento.music.score import Meter
from partimento.representations.melody import FIRST_PITCH, MelodyRepresentation
from partimento.training.batches import EncodedPiece

REPRESENTATION = MelodyRepresentation(with_position=True, lookback_bars=(1,), countdown_bars=4)
SCALE = np.array([0, 2, 4, 5, 7, 9, 11, 12])


def small_pieces(count, seed=0):
    """Tunes of 4 to 8 bars of 2/4 in eighths that walk up and down a scale."""
    generator = np.random.default_rng(seed)
    pieces = []
    for _ in range(count):
        bars = int(generator.integers(4, 9))
        grid = Grid.regular(Meter(0, 2, 4), 4, bars)
        degrees = np.abs(np.cumsum(generator.choice([-1, 1, 1], bars * 4))) % 8
        tokens = np.zeros(len(grid), dtype=np.int64)
        tokens[::2] = 60 - REPRESENTATION.lowest + FIRST_PITCH + SCALE[degrees]
        pieces.append(EncodedPiece(tokens, grid))
    return pieces
