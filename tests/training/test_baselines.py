import numpy as np
import pytest
from training.music import REPRESENTATION, small_pieces

from partimento.music.grid import Grid
from partimento.music.score import Meter
from partimento.training.baselines import by_counts, uniform
from partimento.training.batches import EncodedPiece


def test_chance_costs_the_logarithm_of_the_vocabulary_a_step():
    pieces = small_pieces(3)
    found = uniform(pieces, REPRESENTATION.vocab_size)
    assert found.nats_per_step == pytest.approx(np.log(REPRESENTATION.vocab_size))
    assert found.steps == sum(len(piece.tokens) for piece in pieces)
    assert found.notes == sum(piece.num_notes for piece in pieces)


def test_counts_by_hand():
    # One bar of 2/4: a note, holds; with one more of each, 8 holds, 2 of the note and 1 rest of 11.
    grid = Grid.regular(Meter(0, 2, 4), 4, 1)
    piece = EncodedPiece(np.array([2, 0, 0, 0, 0, 0, 0, 0]), grid)
    found = by_counts([piece], [piece], 3)
    assert found.nats == pytest.approx(-7 * np.log(8 / 11) - np.log(2 / 11))
    assert (found.steps, found.notes) == (8, 1)


def test_counts_are_less_surprised_than_chance_by_music_of_the_same_kind():
    training, held_out = small_pieces(20), small_pieces(5, seed=1)
    size = REPRESENTATION.vocab_size
    assert by_counts(training, held_out, size).nats < uniform(held_out, size).nats
