import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from training.music import REPRESENTATION, small_pieces

from partimento.errors import TrainingError
from partimento.representations.melody import FIRST_PITCH
from partimento.training.batches import MelodyBatches, whole_pieces

PIECES = small_pieces(30)


def batches(seed=0, **settings):
    settings = {"batch_size": 4, "chunk_steps": 24, **settings}
    return MelodyBatches(PIECES, REPRESENTATION, seed=seed, **settings)


@given(st.integers(0, 60), st.integers(0, 3))
def test_a_batch_is_a_function_of_seed_and_step_alone(step, seed):
    walked = batches(seed)
    for before in range(min(step, 3)):
        walked(before)
    one, other = walked(step), batches(seed)(step)
    assert (one.features == other.features).all()
    assert (one.targets == other.targets).all()


def test_another_seed_gives_other_batches():
    assert not np.array_equal(batches(0)(0).targets, batches(1)(0).targets)


def test_targets_follow_their_features():
    batch = batches(chunk_steps=512)(0)
    for row in range(4):
        length = int(batch.is_real[row].sum())
        previous = batch.features[row, 1:length, 0]
        assert previous.tolist() == batch.targets[row, : length - 1].tolist()


def test_every_note_of_a_chunk_moves_by_the_same_interval():
    still, moved = batches(transpose=0)(3), batches(transpose=6)(3)
    assert still.targets.shape == moved.targets.shape
    for row in range(4):
        is_note = still.targets[row] >= FIRST_PITCH
        steps = moved.targets[row][is_note] - still.targets[row][is_note]
        assert len(set(steps.tolist())) <= 1
        assert (moved.targets[row][~is_note] == still.targets[row][~is_note]).all()


def test_an_epoch_shows_nearly_every_step_of_every_piece():
    shown = batches(transpose=0)
    total = sum(int(shown(step).is_real.sum()) for step in range(shown.batches_per_epoch))
    there = sum(len(piece.tokens) for piece in PIECES)
    assert 0.8 * there <= total <= 1.2 * there


def test_held_out_pieces_come_whole_and_once_and_without_a_countdown():
    found = list(whole_pieces(PIECES, REPRESENTATION, 8))
    real = sum(int(batch.is_real.sum()) for batch in found)
    assert real == sum(len(piece.tokens) for piece in PIECES)
    for batch in found:
        assert (batch.features[..., -1][batch.is_real] == REPRESENTATION.countdown_bars + 1).all()


def test_no_pieces_is_an_error_that_says_where_to_look():
    with pytest.raises(TrainingError, match="partimento data"):
        MelodyBatches([], REPRESENTATION, 4, 64, 0)
