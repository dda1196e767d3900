from types import SimpleNamespace

import numpy as np
import pytest
import torch
from generation.tiny_frames import SATB, graphs_for, network_for
from hypothesis import given
from hypothesis import strategies as st

from partimento.checkpoints.onnx_scan import scan
from partimento.errors import TrainingError
from partimento.networks.bach_rnn import BachRNN, BachRNNConfig
from partimento.representations.frames import (
    BEFORE,
    KEY,
    LEFT,
    NO_KEY,
    NO_LEFT,
    NUM_COLUMNS,
    frame_features,
)
from partimento.training.frame_graphs import check_graphs
from partimento.training.frames import FrameBatches, tune, untold_batches
from partimento.training.voice_pieces import EncodedVoices


def pieces(count=6, seed=0):
    """Random walks in four voices."""
    generator = np.random.default_rng(seed)
    made = []
    for number in range(count):
        steps = int(generator.integers(20, 90))
        walk = generator.integers(-1, 2, (steps, 4)).cumsum(axis=0).clip(-5, 5)
        tokens = walk + np.array([36, 30, 24, 18])
        made.append(EncodedVoices(str(number), tokens, steps))
    return made


def batches(**changes):
    config = BachRNNConfig(SATB.vocab_size, **{"key": True, "countdown": True} | changes)
    return FrameBatches(pieces(), config, SATB, batch_size=4, chunk_steps=40, seed=3)


@given(st.integers(0, 12))
def test_a_batch_is_a_function_of_the_step(step):
    first, second = batches()(step), batches()(step)
    assert np.array_equal(first.features, second.features)
    assert np.array_equal(first.targets, second.targets)


def test_an_epoch_shows_each_step_of_each_piece_once():
    made = batches()
    epoch = [made(step) for step in range(made.batches_per_epoch)]
    shown = sum(int(batch.is_real.sum()) for batch in epoch)
    assert shown == sum(piece.tokens.size for piece in made.pieces)
    assert max(batch.targets.shape[1] for batch in epoch) <= 40


def test_the_cells_of_a_step_are_read_behind_its_columns_and_before_the_next():
    for step in range(5):
        batch = batches()(step)
        now = batch.features[..., NUM_COLUMNS:]
        assert (now == batch.targets)[batch.is_real].all()
        is_real = batch.is_real[:, 1:, 0]
        assert (batch.features[:, 1:, BEFORE] == batch.targets[:, :-1])[is_real].all()


def test_key_and_countdown_are_told_to_some_and_only_if_they_are_read():
    many = [batches()(step) for step in range(20)]
    for column, untold in ((KEY, NO_KEY), (LEFT, NO_LEFT)):
        told = np.concatenate([batch.features[:, 0, column] != untold for batch in many])
        assert 0.2 < told.mean() < 0.8
    deaf = batches(key=False, countdown=False)(0)
    assert (deaf.features[..., KEY] == NO_KEY).all()
    assert (deaf.features[..., LEFT] == NO_LEFT).all()


def test_all_orders_are_learned_where_that_is_asked():
    many = [batches(any_order=True)(step) for step in range(20)]
    orders = np.concatenate([batch.features[:, 0, NUM_COLUMNS + 4] for batch in many])
    assert len(set(orders.tolist())) > 12
    assert orders.min() >= 0
    assert orders.max() <= 23


def test_held_out_pieces_are_told_nothing():
    made = untold_batches(pieces(), SATB)
    assert sum(int(batch.is_real.sum()) for batch in made) == sum(p.tokens.size for p in pieces())
    assert all((batch.features[..., KEY] == NO_KEY).all() for batch in made)


def examples():
    """Features with the cells behind them, of some random walks."""
    some = [piece for piece in pieces(12) if len(piece.tokens) >= 30]
    rows = frame_features([piece.tokens[:30] for piece in some], SATB)
    return np.stack(
        [
            np.concatenate([r, piece.tokens[:30]], axis=1)
            for r, piece in zip(rows, some, strict=True)
        ]
    )


def test_the_graphs_say_what_the_network_says():
    assert check_graphs(network_for(SATB), graphs_for(SATB), examples()) < 1e-4


def test_graphs_of_other_weights_are_noticed():
    with pytest.raises(TrainingError, match="exported graphs disagree"):
        check_graphs(BachRNN(network_for(SATB).config), graphs_for(SATB), examples())


@pytest.mark.parametrize("name", ["frame", "voice"])
def test_the_graphs_are_ones_that_checkpoints_may_hold(name):
    scan(graphs_for(SATB)[name], f"{name}.onnx")


def test_a_network_that_is_too_sure_is_cooled():
    """Logits three times as large as those that fit random walks best need a higher temperature."""
    torch.manual_seed(0)
    network = BachRNN(BachRNNConfig(SATB.vocab_size, hidden_size=12, head_size=8)).eval()
    torch.nn.init.normal_(network.heads.out, std=1.5)
    found = tune(network, pieces(), SimpleNamespace(representation=SATB))["calibration"][
        "temperature"
    ]
    assert 1.1 < found <= 2
