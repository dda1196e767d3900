import pytest
import torch
from training.music import REPRESENTATION, small_pieces

from partimento.networks.melody_rnn import MelodyRNN, MelodyRNNConfig
from partimento.training import estimate as module
from partimento.training.batches import MelodyBatches
from partimento.training.estimate import MEASURED_STEPS, estimate
from partimento.training.loop import TrainingSettings

BATCHES = MelodyBatches(small_pieces(20), REPRESENTATION, 8, 64, 0)
STEP, LOOK = 0.5, 10.0  # seconds that the machine of these tests takes


def network():
    torch.manual_seed(0)
    return MelodyRNN(MelodyRNNConfig(REPRESENTATION.vocab_size, REPRESENTATION.feature_sizes, 8))


@pytest.fixture
def estimated(monkeypatch):
    """An estimate on a machine whose speed is known."""
    monkeypatch.setattr(module, "_measured", lambda *given: (STEP, LOOK))

    def ask(done=(0, 0.0), **settings):
        asked = TrainingSettings(**{"evaluate_every": 100, **settings})
        return estimate(network(), BATCHES, 10, 64, asked, done=done)

    return ask


def test_a_run_by_steps_takes_as_long_as_its_steps_and_looks(estimated):
    found = estimated(steps=200)
    assert (found.steps, found.epochs) == (200, 20)
    assert found.seconds == pytest.approx(200 * STEP + 3 * LOOK)
    later = estimated(steps=200, done=(100, 60.0))
    assert later.seconds == pytest.approx(100 * STEP + 2 * LOOK)


def test_a_run_by_the_clock_takes_as_many_steps_as_fit(estimated):
    found = estimated(minutes=10.0)
    assert found.seconds == pytest.approx(600, abs=1)
    assert found.steps == pytest.approx(590 / 0.6, abs=1)
    assert found.epochs == found.steps / 10
    later = estimated(minutes=10.0, done=(500, 300.0))
    assert later.steps == pytest.approx(500 + 290 / 0.6, abs=1)
    assert later.seconds == pytest.approx(300, abs=1)


def test_the_sooner_of_both_ends_counts(estimated):
    assert estimated(steps=5, minutes=10.0).steps == 5
    assert estimated(steps=10**6, minutes=10.0).steps < 1000


def test_a_clock_that_has_run_out_still_gives_a_number(estimated):
    found = estimated(minutes=1.0, done=(80, 100.0))
    assert found.steps == 81
    assert 0 < found.seconds < 2 * LOOK


def test_real_steps_are_measured_and_the_network_is_left_as_it_was():
    taught, asked = network(), []
    before = {name: tensor.clone() for name, tensor in taught.state_dict().items()}

    def batches(step):
        asked.append(step)
        return BATCHES(step)

    found = estimate(taught, batches, 3, 64, TrainingSettings(steps=5))
    assert found.seconds > 0
    assert set(asked) <= {0, 1, 2}
    assert 1 <= len(asked) <= MEASURED_STEPS
    assert all(torch.equal(before[name], t) for name, t in taught.state_dict().items())
    assert all(weights.grad is None for weights in taught.parameters())
