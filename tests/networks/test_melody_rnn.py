import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from partimento.errors import ParameterError
from partimento.networks.melody_rnn import MelodyRNN, MelodyRNNConfig, event_logits, one_hots

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


def test_one_hot_vectors_stand_side_by_side_and_the_last_value_is_all_zeros():
    config = MelodyRNNConfig(5, (4, 0, 3), one_hot=True)
    read = one_hots(torch.tensor([[0, 9, 1], [2, 9, 0], [3, 9, 2]]), config)
    assert read.tolist() == [[1, 0, 0, 0, 1], [0, 0, 1, 1, 0], [0, 0, 0, 0, 0]]


@given(st.integers(0, 3), st.integers(0, 9), st.integers(0, 9), st.integers(0, 99))
def test_the_ways_to_say_an_event_are_added_up(reference, first, second, seed):
    # Pitches 2-5, intervals of -3 to 3 from a reference; tokens 2-8 are intervals, 9 the beginning.
    config = MelodyRNNConfig(
        6, (10, 10, 0), repeat_columns=(0, 1), reference_column=2, one_hot=True
    )
    assert config.num_classes == 2 + 7 + 2
    classes = torch.randn(11, generator=torch.Generator().manual_seed(seed)).double()
    logits = event_logits(classes, torch.tensor([first, second, reference]), config)
    weights = classes.exp()
    shift = 3 - reference  # from a pitch to its interval
    expected = [
        weights[token if token < 2 else token + shift]
        + sum(
            weights[9 + which]
            for which, stood in enumerate((first, second))
            if token == (0 if stood == 9 else stood if stood < 2 else stood - shift)
        )
        for token in range(6)
    ]
    torch.testing.assert_close(logits, torch.stack(expected).log())


@pytest.fixture(scope="module")
def attentive():
    torch.manual_seed(0)
    config = MelodyRNNConfig(10, (11, 6, 4), hidden_size=12, attention_length=5, one_hot=True)
    return MelodyRNN(config).eval()


def test_attention_sees_no_future_either(attentive):
    before = features(12)
    after = before.clone()
    after[:, 8:] = 0
    with torch.inference_mode():
        assert torch.equal(attentive(before)[0][:, :8], attentive(after)[0][:, :8])


def test_attention_forgets_nothing_between_two_calls(attentive):
    given_features = features(12)
    with torch.inference_mode():
        all_at_once, _ = attentive(given_features)
        first, state = attentive(given_features[:, :7])
        second, _ = attentive(given_features[:, 7:], state)
    torch.testing.assert_close(torch.cat([first, second], dim=1), all_at_once)


def test_attention_remembers_so_many_outputs_and_no_more(attentive):
    _, state = attentive(features(9))
    memory, keys = state[-2:]
    assert memory.shape == keys.shape == (2, 5, 12)
    torch.testing.assert_close(attentive.lstm.key(memory), keys)


def test_attention_cannot_feed_on_itself(attentive):
    with torch.no_grad():
        attentive.lstm.output.weight.mul_(100)
    with torch.inference_mode():
        _, state = attentive(features(60))
    assert all(float(values.abs().max()) <= 1 for values in (state[-3], state[-2]))
