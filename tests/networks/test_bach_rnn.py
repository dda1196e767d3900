import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from partimento.errors import ParameterError
from partimento.networks.bach_rnn import (
    KEY,
    LEFT,
    NOW,
    NUM_COLUMNS,
    RUN,
    BachRNN,
    BachRNNConfig,
    comes_before,
    orders,
)
from partimento.representations.frames import frame_features
from partimento.representations.satb import SatbRepresentation

VOCAB = 7
SMALL = {"hidden_size": 12, "head_size": 10}
KINDS = {
    "plain": {"looks_back": False},
    "looks back": {},
    "two layers": {"num_layers": 2},
    "soprano last": {"order": (3, 2, 1, 0)},
    "all told": {"key": True, "countdown": True},
}


@pytest.fixture(scope="module", params=KINDS)
def network(request):
    torch.manual_seed(0)
    return BachRNN(BachRNNConfig(VOCAB, **SMALL, **KINDS[request.param])).eval()


def features(time, batch=2, seed=0, columns=NOW.stop):
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randint(1, VOCAB, (batch, time, columns), generator=generator)
    rows[..., list(RUN)] %= 5
    rows[..., KEY], rows[..., LEFT] = 24, 33
    return rows


@given(st.integers(1, 12), st.data())
def test_the_future_does_not_leak_into_the_past(network, time, data):
    now = data.draw(st.integers(0, time - 1))
    before = features(time)
    after = before.clone()
    after[:, now + 1 :] = 1
    with torch.inference_mode():
        assert torch.equal(network(before)[0][:, : now + 1], network(after)[0][:, : now + 1])


@pytest.mark.parametrize("voice", range(4))
def test_a_cell_changes_the_voices_chosen_after_it_and_no_others(network, voice):
    before = features(3)
    after = before.clone()
    after[:, -1, NOW.start + voice] = (after[:, -1, NOW.start + voice] + 1) % VOCAB
    with torch.inference_mode():
        first, second = network(before)[0], network(after)[0]
    is_same = [torch.equal(first[:, -1, v], second[:, -1, v]) for v in range(4)]
    later = network.config.order[network.config.order.index(voice) + 1 :]
    assert is_same == [other not in later for other in range(4)]


@pytest.mark.parametrize("number", [0, 11, 23])
def test_the_order_can_be_chosen_by_a_column(number):
    torch.manual_seed(0)
    free = BachRNN(BachRNNConfig(VOCAB, **SMALL, any_order=True)).eval()
    fixed = BachRNN(BachRNNConfig(VOCAB, **SMALL, order=orders()[number])).eval()
    fixed.load_state_dict(free.state_dict())
    rows = features(4)
    chosen = torch.cat([rows, torch.full_like(rows[..., :1], number)], dim=-1)
    with torch.inference_mode():
        assert torch.equal(free(chosen)[0], fixed(rows)[0])


def test_one_step_at_a_time_gives_the_logits_of_all_at_once(network):
    rows = features(9)
    with torch.inference_mode():
        all_at_once, _ = network(rows)
        state, steps = None, []
        for time in range(9):
            logits, state = network(rows[:, time : time + 1], state)
            steps.append(logits)
    torch.testing.assert_close(torch.cat(steps, dim=1), all_at_once, atol=1e-6, rtol=1e-5)


def test_it_learns_one_small_batch_by_heart():
    torch.manual_seed(0)
    quiet = {"dropout": 0.0, "input_dropout": 0.0}
    network = BachRNN(BachRNNConfig(VOCAB, hidden_size=32, head_size=32, **quiet))
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    rows = features(8)
    targets = rows[..., NOW].flatten()
    for _ in range(60):
        logits = network(rows)[0].flatten(0, -2)
        loss = torch.nn.functional.cross_entropy(logits, targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.05


def test_the_probabilities_of_all_pieces_sum_to_one():
    satb = SatbRepresentation(lowest=60, highest=60)
    torch.manual_seed(0)
    network = BachRNN(BachRNNConfig(satb.vocab_size, order=(2, 0, 3, 1), **SMALL)).eval()
    torch.nn.init.normal_(network.heads.out, std=1.0)
    every = np.array(list(itertools.product(range(2), repeat=8))).reshape(-1, 2, 4)
    rows = np.stack(frame_features(list(every), satb))
    told = torch.from_numpy(np.concatenate([rows, every], axis=2))
    with torch.inference_mode():
        chances = network(told)[0].double().softmax(dim=-1)
    cells = chances.gather(-1, torch.from_numpy(every)[..., None])[..., 0]
    probabilities = cells.flatten(1).prod(dim=1)
    assert probabilities.sum().item() == pytest.approx(1, abs=1e-5)
    assert probabilities.std() > 1e-4


def test_recurrent_weights_are_dropped_while_it_learns_and_only_then():
    torch.manual_seed(0)
    network = BachRNN(
        BachRNNConfig(VOCAB, **SMALL, dropout=0.0, input_dropout=0.0, weight_dropout=0.5)
    )
    rows = features(5)
    first, second = (network(rows)[0] for _ in range(2))
    assert torch.equal(first[:, 0], second[:, 0])  # nothing has been remembered yet
    assert not torch.equal(first[:, 1:], second[:, 1:])
    network.eval()
    assert torch.equal(network(rows)[0], network(rows)[0])


def test_cells_are_hidden_while_it_learns_and_only_then():
    torch.manual_seed(0)
    network = BachRNN(
        BachRNNConfig(VOCAB, **SMALL, dropout=0.0, input_dropout=0.0, cell_dropout=0.5)
    )
    rows = features(5)
    drawn = [network(rows)[0] for _ in range(8)]
    assert not all(torch.equal(drawn[0], logits) for logits in drawn)
    network.eval()
    whole = network(rows)[0]
    assert torch.equal(network(rows)[0], whole)
    assert not any(torch.equal(logits, whole) for logits in drawn)


def test_who_comes_before_whom_is_read_off_the_order():
    assert comes_before((0, 3, 1, 2)).int().tolist() == [
        [0, 0, 0, 0],
        [1, 0, 0, 1],
        [1, 1, 0, 1],
        [1, 0, 0, 0],
    ]


@pytest.mark.parametrize(
    "settings",
    [{"order": (0, 1, 2)}, {"order": (0, 0, 1, 2)}, {"dropout": 1.0}, {"hidden_size": 0}],
)
def test_sizes_that_make_no_network_are_refused(settings):
    with pytest.raises(ParameterError):
        BachRNNConfig(VOCAB, **settings)


def test_the_columns_end_where_the_cells_begin():
    assert NOW.start == NUM_COLUMNS
