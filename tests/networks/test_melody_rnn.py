import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from partimento.errors import ParameterError
from partimento.networks.melody_rnn import MelodyRNN, MelodyRNNConfig

CONFIG = MelodyRNNConfig(vocab_size=10, feature_sizes=(11, 6, 4), hidden_size=16, num_layers=2)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return MelodyRNN(CONFIG).eval()


def features(time, batch=2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    columns = [
        torch.randint(size, (batch, time), generator=generator) for size in CONFIG.feature_sizes
    ]
    return torch.stack(columns, dim=-1)


@given(st.integers(1, 20), st.data())
def test_the_future_does_not_leak_into_the_past(network, time, data):
    now = data.draw(st.integers(0, time - 1))
    before = features(time)
    after = before.clone()
    after[:, now + 1 :] = 0
    with torch.inference_mode():
        assert torch.equal(network(before)[0][:, : now + 1], network(after)[0][:, : now + 1])


def test_one_step_at_a_time_gives_the_logits_of_all_at_once(network):
    given_features = features(12)
    with torch.inference_mode():
        all_at_once, _ = network(given_features)
        state, steps = None, []
        for time in range(12):
            logits, state = network(given_features[:, time : time + 1], state)
            steps.append(logits)
    torch.testing.assert_close(torch.cat(steps, dim=1), all_at_once, atol=1e-6, rtol=1e-5)


def test_it_learns_one_small_batch_by_heart():
    torch.manual_seed(0)
    network = MelodyRNN(MelodyRNNConfig(10, (11, 6, 4), hidden_size=32, dropout=0.0))
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    given_features = features(8)
    targets = torch.randint(10, (2, 8), generator=torch.Generator().manual_seed(1))
    for _ in range(150):
        loss = torch.nn.functional.cross_entropy(network(given_features)[0].mT, targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.05


@pytest.mark.parametrize(
    "settings",
    [{"dropout": 1.0}, {"num_layers": 0}, {"hidden_size": 0}, {"feature_sizes": ()}],
)
def test_sizes_that_make_no_network_are_refused(settings):
    with pytest.raises(ParameterError):
        MelodyRNNConfig(**{"vocab_size": 5, "feature_sizes": (6,), **settings})
