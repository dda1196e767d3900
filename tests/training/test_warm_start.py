"""Warm starts: the checkpoint's network with its weights, or a refusal in one line."""

from dataclasses import asdict

import numpy as np
import pytest
import torch
from training.music import REPRESENTATION

from partimento.checkpoints import open_checkpoint, save_checkpoint
from partimento.errors import CheckpointError
from partimento.networks.melody_rnn import MelodyRNN, MelodyRNNConfig
from partimento.training.export import step_graph
from partimento.training.warm_start import Parent, network_of

SIZES = MelodyRNNConfig(
    REPRESENTATION.vocab_size, REPRESENTATION.feature_sizes, hidden_size=12, dropout=0.3
)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(4)
    return MelodyRNN(SIZES)


@pytest.fixture(scope="module")
def graph(network):
    return step_graph(network)


@pytest.fixture
def save(network, graph, tmp_path):
    """Write a checkpoint of the network, with changes to its config."""

    def write(*, drop=(), says=None, **changes):
        weights = {name: t.numpy() for name, t in network.state_dict().items() if name not in drop}
        config = {
            "format": 1,
            "family": "melody-rnn",
            "name": "old",
            "representation": {**asdict(REPRESENTATION), "lookback_bars": [1]},
            "network": {**asdict(SIZES), "feature_sizes": list(SIZES.feature_sizes), **changes},
            "graphs": {"step": "step.onnx"},
            "training": says or {},
        }
        folder = tmp_path / "old"
        save_checkpoint(
            folder, config=config, weights=weights, graphs={"step.onnx": graph}, card="# old\n"
        )
        return open_checkpoint(folder)

    return write


def test_the_network_is_the_one_that_was_saved(network, save):
    again = network_of(save()).eval()
    features = torch.zeros(2, 5, len(SIZES.feature_sizes), dtype=torch.int64)
    assert torch.equal(again(features)[0], network.eval()(features)[0])
    assert again.config == SIZES
    again(features)[0].sum().backward()
    assert all(weights.grad is not None for weights in again.parameters())


def test_the_dropout_may_be_another(save):
    again = network_of(save(), dropout=0.1)
    assert (again.config.dropout, again.dropout.p, again.lstm.dropout) == (0.1, 0.1, 0.1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hidden_size": 10**7}, "should be .* by 10000000 and is .* by 12"),
        ({"num_layers": 3}, "lstm.bias_hh_l2 should be 48 and is missing"),
        ({"num_layers": 1}, "lstm.bias_hh_l1 should be missing and is 48"),
        ({"hidden_size": "12"}, "sizes must be whole numbers"),
        ({"feature_sizes": 4}, "describes no network"),
        ({"vocab_size": None}, "describes no network"),
        ({"dropout": 2.0}, "dropout must be in"),
        ({"num_heads": 4}, "setting that this version does not know: 'num_heads'"),
    ],
    ids=str,
)
def test_a_config_that_is_not_of_its_weights_is_refused(save, changes, message):
    with pytest.raises(CheckpointError, match=message):
        network_of(save(**changes))


def test_missing_weights_are_named(save):
    with pytest.raises(CheckpointError, match=r"head\.bias should be 38 and is missing"):
        network_of(save(drop=("head.bias",)))


def test_a_parent_says_where_it_came_from_even_of_its_own_parent(save):
    mine, older = {"name": "mine"}, {"name": "old set", "licence": "CC0"}
    checkpoint = save(
        says={"data": ["mine"], "data_report": {"sources": [mine]}, "parent": {"sources": [older]}}
    )
    parent = Parent.of(checkpoint)
    assert parent.facts() == {"name": "old", "hash": checkpoint.hash}
    assert parent.told()["data"] == ["mine"]
    assert parent.told()["sources"] == [older, mine]


@pytest.mark.parametrize("says", [{"data": 3, "data_report": [], "parent": "x"}, {"parent": {}}])
def test_what_a_stranger_says_of_its_training_is_not_trusted(save, says):
    assert Parent.of(save(says=says)).sources == ()


def test_a_checkpoint_that_changed_since_is_refused(save):
    parent = Parent.of(save())
    assert parent.network(0.0).config.dropout == 0.0
    save(dropout=0.2)
    with pytest.raises(CheckpointError, match="has changed: its hash was"):
        parent.network()


def test_the_weights_are_no_view_of_a_file(save):
    checkpoint = save()
    one, other = network_of(checkpoint), network_of(checkpoint)
    with torch.no_grad():
        one.head.bias += 1
    assert not np.allclose(one.head.bias.detach(), other.head.bias.detach())
