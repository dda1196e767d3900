"""The convolutional network: what it reads, what it must not read, and that it learns."""

import numpy as np
import pytest
import torch

from partimento.errors import ParameterError
from partimento.networks import bach_cnn as network_columns
from partimento.networks.bach_cnn import BachCNN, BachCNNConfig
from partimento.representations import filling
from partimento.representations.filling import PLACE, filling_features
from partimento.representations.satb import SatbRepresentation

SATB = SatbRepresentation()
SMALL = {"hidden_size": 24, "dilations": (1, 2, 4), "head_size": 16}


def small(**changes) -> BachCNN:
    torch.manual_seed(1)
    return BachCNN(BachCNNConfig(SATB.vocab_size, SATB.cycle, **(SMALL | changes))).eval()


def some_cells(steps: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, SATB.vocab_size, (1, steps, 4))


def logits_of(network: BachCNN, features: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        return network(torch.from_numpy(features))[0].numpy()


def test_the_columns_are_those_of_the_representation():
    names = "CELLS BEFORE AFTER PLACE KEY PAST LEFT NO_KEY NUM_COLUMNS"
    for name in names.split():
        assert getattr(network_columns, name) == getattr(filling, name)
    assert network_columns.NUM_DISTANCES == filling.NEVER + 1
    assert network_columns.NUM_QUARTERS == filling.NOT_TOLD + 1


def test_what_is_hidden_cannot_be_read():
    """Logits are the same whatever stands in a cell that is hidden."""
    first, second = some_cells(40), some_cells(40, seed=1)
    is_hidden = np.random.default_rng(2).random(first.shape) < 0.5
    other = np.where(is_hidden, second, first)
    one, two = (np.where(is_hidden, SATB.unknown, cells) for cells in (first, other))
    network = small()
    assert (filling_features(one, SATB) == filling_features(two, SATB)).all()
    assert (
        logits_of(network, filling_features(one, SATB))
        == logits_of(network, filling_features(two, SATB))
    ).all()


def test_a_cell_is_predicted_from_before_and_after_and_all_voices():
    cells = some_cells(30)
    cells[0, 15, 1] = SATB.unknown
    network = small()
    expected = logits_of(network, filling_features(cells, SATB))[0, 15, 1]
    for step, voice in ((14, 1), (16, 1), (15, 0), (15, 3), (11, 2), (19, 0)):
        changed = cells.copy()
        changed[0, step, voice] = (changed[0, step, voice] + 5) % SATB.vocab_size
        found = logits_of(network, filling_features(changed, SATB))[0, 15, 1]
        assert not np.allclose(found, expected, atol=1e-6), (step, voice)


def test_padding_changes_nothing():
    features = filling_features(some_cells(21), SATB)
    padded = np.concatenate([features, np.repeat(features[:, -1:], 9, axis=1)], axis=1)
    padded[:, 21:, PLACE] = SATB.cycle
    network = small()
    assert np.allclose(logits_of(network, padded)[:, :21], logits_of(network, features), atol=1e-5)


def test_intervals_are_heard_in_every_key():
    """A network whose opinions are of intervals alone moves its prediction with the music."""
    network = small()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        opinions = network.heads.bias[:, SATB.vocab_size :]
        opinions.copy_(torch.randn(opinions.shape))
    cells = np.full((1, 9, 4), 20) + np.random.default_rng(0).integers(0, 9, (1, 9, 4))
    cells[0, 4, 2] = SATB.unknown
    here = logits_of(network, filling_features(cells, SATB))[0, 4, 2]
    moved = np.where(cells == SATB.unknown, cells, cells + 3)
    there = logits_of(network, filling_features(moved, SATB))[0, 4, 2]
    assert np.allclose(here[1:-3], there[4:])


@pytest.mark.parametrize(
    "wrong",
    [{"dilations": ()}, {"dilations": (0,)}, {"hidden_size": 0}, {"dropout": 1.0}, {"cycle": 0}],
    ids=str,
)
def test_sizes_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ParameterError):
        BachCNNConfig(**({"vocab_size": 47} | wrong))
