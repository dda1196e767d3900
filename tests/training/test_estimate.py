import time

import pytest
import torch
from training.music import REPRESENTATION, small_pieces

from partimento.networks.melody_rnn import MelodyRNN, MelodyRNNConfig
from partimento.training.batches import MelodyBatches
from partimento.training.estimate import estimate
from partimento.training.loop import TrainingSettings

BATCHES = MelodyBatches(small_pieces(20), REPRESENTATION, 8, 64, 0)


class Slow(MelodyRNN):
    """A network that takes a hundredth of a second, whatever it reads."""

    def forward(self, *arguments):
        time.sleep(0.01)
        return super().forward(*arguments)


def slow():
    torch.manual_seed(0)
    return Slow(MelodyRNNConfig(REPRESENTATION.vocab_size, REPRESENTATION.feature_sizes, 8))


def estimated(done=(0, 0.0), **settings):
    asked = TrainingSettings(**{"evaluate_every": 1000, **settings})
    return estimate(slow(), BATCHES, 10, 64, asked, done=done)


def test_a_run_by_steps_takes_as_long_as_its_steps():
    found = estimated(steps=200)
    assert (found.steps, found.epochs) == (200, 20)
    assert 2 < found.seconds < 60
    assert estimated(steps=200, done=(190, 50.0)).seconds < 0.3 * found.seconds


def test_a_run_by_the_clock_takes_as_many_steps_as_fit():
    found = estimated(minutes=0.1)
    assert found.seconds == pytest.approx(6, abs=0.5)
    assert 10 < found.steps < 600
    later = estimated(minutes=0.1, done=(300, 5.0))
    assert 300 < later.steps < 420
    assert later.seconds < 3


def test_the_sooner_of_both_ends_counts():
    assert estimated(steps=5, minutes=10).steps == 5
    assert estimated(steps=10**6, minutes=0.1).steps < 600


def test_the_network_is_left_as_it_was():
    network = slow()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    estimate(network, BATCHES, 10, 64, TrainingSettings(steps=5))
    assert all(torch.equal(before[name], t) for name, t in network.state_dict().items())
    assert all(weights.grad is None for weights in network.parameters())
