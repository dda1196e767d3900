import itertools
import math

import numpy as np
import pytest
import torch

from partimento.errors import ParameterError
from partimento.networks.roll_tcn import RollTCN, RollTCNConfig
from partimento.networks.rolls import (
    BELOW_BASS,
    END,
    INTERVAL,
    KEYS,
    NO_KEY,
    PLACE,
    RollRNN,
    RollRNNConfig,
    counted_from,
    in_turn,
    keys_of,
    slots_of,
)

SMALL = {"hidden_size": 12, "frame_size": 10, "heads": 2, "head_size": 4, "window": 6}
NETWORKS = {
    "set": lambda: RollRNN(RollRNNConfig("set", **SMALL)),
    "keys": lambda: RollRNN(RollRNNConfig("keys", **SMALL)),
    "two layers, no recall": lambda: RollRNN(
        RollRNNConfig(**SMALL | {"heads": 0, "num_layers": 2})
    ),
    "told how far it is moved": lambda: RollRNN(RollRNNConfig(**SMALL, knows_interval=True)),
    "tcn": lambda: RollTCN(RollTCNConfig(channels=8, levels=3, kernel_size=2)),
}


def music(batch=3, time=9, seed=0, most=5):
    generator = np.random.default_rng(seed)
    features = torch.zeros(batch, time, INTERVAL + 1, dtype=torch.int64)
    for row, step in itertools.product(range(batch), range(time)):
        count = int(generator.integers(0, most + 1))
        features[row, step, generator.choice(KEYS, count, replace=False)] = 1
    features[..., PLACE] = torch.arange(time)
    return features


def made(name, seed=0):
    torch.manual_seed(seed)
    network = NETWORKS[name]().eval()
    for weights in network.parameters():  # some begin at zero, and would hide mistakes
        torch.nn.init.normal_(weights, std=0.3)
    return network


def nats_of_set(network, features, step):
    """Nats of each example's frame at a step."""
    slots = slots_of(features[..., :KEYS])
    logits, _ = network(features)
    nats = torch.nn.functional.cross_entropy(
        logits.flatten(0, -2), slots.clamp(min=0).flatten(), reduction="none"
    ).view(slots.shape)
    return torch.where(slots != NO_KEY, nats, 0.0).sum(-1)[:, step]


@pytest.mark.parametrize("name", NETWORKS)
def test_no_frame_knows_itself_or_what_follows(name):
    network, features = made(name), music()
    changed = features.clone()
    changed[:, 5:, :KEYS] = music(seed=1)[:, 5:, :KEYS]
    before, after = network(features)[0], network(changed)[0]
    slots = 1 if before.shape[-1] == KEYS + 1 else KEYS  # the first key of a set knows no other
    assert torch.allclose(before[:, :5], after[:, :5, : before.shape[2]], atol=1e-5)
    assert torch.allclose(before[:, 5, :slots], after[:, 5, :slots], atol=1e-5)
    assert not torch.allclose(before[:, 6, :slots], after[:, 6, :slots], atol=1e-3)


def test_the_probabilities_of_all_sets_of_a_few_keys_add_up_to_one():
    network, few = made("set"), 6
    with torch.no_grad():  # the other keys never sound
        network.absolute.bias[few:KEYS] = -1e4
    sets = list(itertools.product((0, 1), repeat=few))
    features = music(batch=1, time=4).repeat(len(sets), 1, 1)
    features[:, 3, :KEYS] = 0
    features[:, 3, :few] = torch.tensor(sets)
    with torch.no_grad():
        nats = nats_of_set(network, features, 3).double()
    assert float((-nats).exp().sum()) == pytest.approx(1, abs=1e-5)
    assert float((-nats).exp().max()) < 0.9  # and no set has it all


def test_a_network_that_knows_nothing_pays_for_each_key_among_those_above_the_last():
    network = NETWORKS["set"]().eval()
    for weights in network.parameters():
        torch.nn.init.zeros_(weights)
    features = music(batch=1, time=2)
    features[:, :, :KEYS] = 0
    features[0, 1, [9, 40]] = 1
    nats = math.log(89) + math.log(79) + math.log(48)  # 88 keys and the end; then 78, then 47
    with torch.no_grad():
        assert float(nats_of_set(network, features, 0)) == pytest.approx(math.log(89), rel=1e-5)
        assert float(nats_of_set(network, features, 1)) == pytest.approx(nats, rel=1e-5)


@pytest.mark.parametrize("name", ["keys", "tcn"])
def test_keys_by_themselves_are_bernoulli(name):
    network, features = made(name), music()
    with torch.no_grad():
        logits, _ = network(features)
        reference = torch.distributions.Bernoulli(logits=logits[..., 1])
        said = logits.log_softmax(-1).gather(-1, features[..., :KEYS, None]).squeeze(-1)
        assert torch.allclose(said, reference.log_prob(features[..., :KEYS].float()), atol=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_learns_a_few_frames_by_heart(name):
    torch.manual_seed(0)
    network, features = NETWORKS[name](), music(batch=2, time=6, most=3)
    network.eval()  # without dropout
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    slots = slots_of(features[..., :KEYS])
    is_set = network(features)[0].shape[-1] == KEYS + 1
    targets = slots if is_set else features[..., :KEYS]
    losses = []
    for _ in range(100):
        logits, _ = network(features)
        loss = torch.nn.functional.cross_entropy(
            logits.flatten(0, -2),
            targets.flatten(),
            ignore_index=NO_KEY,
            reduction="sum",
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.2 * losses[0]


def test_keys_are_listed_from_the_lowest_up_and_end_with_the_end():
    frames = torch.zeros(1, 2, KEYS, dtype=torch.int64)
    frames[0, 0, [50, 3]] = 1
    assert keys_of(frames).tolist() == [[[3, 50], [NO_KEY, NO_KEY]]]
    assert slots_of(frames).tolist() == [[[3, 50, END], [END, NO_KEY, NO_KEY]]]


def test_a_key_is_picked_from_the_bottom_or_from_the_top():
    keys = torch.tensor([[3, 50, 60], [7, NO_KEY, NO_KEY]])
    assert in_turn(keys, 1).tolist() == [50, NO_KEY]
    assert in_turn(keys, -1).tolist() == [60, 7]
    assert in_turn(keys, -2).tolist() == [50, NO_KEY]
    assert in_turn(keys, 3).tolist() == [NO_KEY, NO_KEY]


def test_a_chord_counted_from_its_bass_is_the_same_at_all_places():
    frames = torch.zeros(2, KEYS)
    frames[0, [30, 34, 37]] = 1
    frames[1, [43, 47, 50]] = 1
    moved = counted_from(torch.tensor([30, 43]), frames)
    assert moved[0].nonzero().flatten().tolist() == [BELOW_BASS + n for n in (0, 4, 7)]
    assert torch.equal(moved[0], moved[1])
    assert not counted_from(torch.tensor([NO_KEY, NO_KEY]), frames).any()


def test_sizes_that_make_no_sense_are_refused():
    with pytest.raises(ParameterError, match="form must be"):
        RollRNNConfig("notes")
    with pytest.raises(ParameterError, match="dropout"):
        RollRNNConfig(dropout=1.0)
    with pytest.raises(ParameterError, match="levels"):
        RollTCNConfig(levels=0)
