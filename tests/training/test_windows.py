"""Windows of several parts: what is cut out of pieces, and what is left out."""

import numpy as np

from partimento.data.tracks import TrackPiece
from partimento.music.grid import Grid
from partimento.music.score import Meter
from partimento.music.track_rolls import GridNotes
from partimento.representations.bars import BarsRepresentation
from partimento.training.windows import quartet_windows

FOUR = BarsRepresentation("quartet", 2, lowest=36, highest=103)


def piece(bars=6, *, off=(), low=()):
    """Four parts in quarters; some notes off the grid, or far too low, by their numbers."""
    onset = np.arange(0, 16 * bars, 4)
    tracks = []
    for part in range(4):
        pitch = 76 - 10 * part + onset // 4 % 5
        pitch[list(low)] = 20
        is_off = np.zeros(len(onset), dtype=bool)
        is_off[list(off)] = True
        tracks.append(GridNotes(onset, onset + 4, pitch, is_off))
    return TrackPiece("a", "b", "train", tuple(tracks), Grid.regular(Meter(0, 4, 4), 4, bars))


def test_a_window_begins_at_every_bar_and_repeats_are_left_out_for_training():
    pieces = [piece(), piece(12)]
    everything = quartet_windows(pieces, FOUR, all_=True)
    assert len(everything) == 5 + 11
    assert everything.tables.shape[1:] == (8, 24)
    assert everything.unfit == 0
    kept = quartet_windows(pieces, FOUR)
    assert (len(kept), kept.repeated) == (10, 6)  # the pattern comes again after five bars
    assert kept.piece.tolist() == [0] * 5 + [1] * 5


def test_windows_with_notes_off_the_grid_or_out_of_range_are_left_out():
    assert quartet_windows([piece(off=[9])], FOUR).unfit == 2  # bar 3 lies in two windows
    assert quartet_windows([piece(low=[0])], FOUR).unfit == 1
    assert len(quartet_windows([piece(low=[0])], FOUR)) == 4
    assert len(quartet_windows([], FOUR)) == 0
