"""The VAE of bars: what it reads, what it pays, and that one step is what the whole is."""

import numpy as np
import pytest
import torch
from models.tiny_vae import tiny_network

from partimento.errors import ParameterError
from partimento.networks.bars_vae import BarsVAE, BarsVAEConfig
from partimento.networks.window_vae import kl_to_standard_normal
from partimento.training.loop import Priced

VOCAB = 90


def tables(steps=16, count=3):
    made = torch.full((count, 2, 24), VOCAB)
    made[:, :, :steps] = torch.randint(0, VOCAB, (count, 2, steps))
    return made


@pytest.mark.parametrize("bars_apart", [False, True])
def test_writing_step_by_step_is_writing_at_once(bars_apart):
    network, given = tiny_network(bars_apart=bars_apart), tables()
    with torch.inference_mode():
        z = torch.randn(3, network.config.latent_size)
        whole = network.decode(z, given).view(3, 2, 24, VOCAB)
        plan, states = network.planner(z)
        token, state = torch.full((3,), network.config.nothing), states[:, 0]
        for bar in range(2):
            state = states[:, bar] if bars_apart else state
            for place in range(16):
                logits, state = network.writer.step(token, plan[:, bar, place], state)
                torch.testing.assert_close(logits, whole[:, bar, place], atol=1e-5, rtol=1e-5)
                token = given[:, bar, place]


def test_bars_written_at_once_know_nothing_of_each_other():
    network, given = tiny_network(bars_at_once=True), tables()
    other = given.clone()
    other[:, 0, :16] = 5
    with torch.inference_mode():
        z = torch.randn(3, network.config.latent_size)
        one, two = (network.decode(z, t).view(3, 2, 24, VOCAB) for t in (given, other))
    torch.testing.assert_close(one[:, 1], two[:, 1])
    assert not torch.equal(one[:, 0], two[:, 0])
    with pytest.raises(ParameterError, match="bars_at_once needs bars_apart"):
        BarsVAEConfig(VOCAB, bars_at_once=True)


def test_what_comes_later_changes_nothing_before():
    network, given = tiny_network(), tables()
    other = given.clone()
    other[:, 1, 3:16] = 5
    with torch.inference_mode():
        z = torch.randn(3, network.config.latent_size)
        one, two = (network.decode(z, t).view(3, 2, 24, VOCAB) for t in (given, other))
    torch.testing.assert_close(one[:, 0, :16], two[:, 0, :16])
    torch.testing.assert_close(one[:, 1, :4], two[:, 1, :4])
    assert not torch.allclose(one[:, 1, 4:16], two[:, 1, 4:16])


def test_the_divergence_is_that_of_two_gaussians_by_numbers():
    mu, log_variance = torch.tensor([[0.7, -1.2]]), torch.tensor([[-0.5, 0.3]])
    points = torch.linspace(-12, 12, 20_001, dtype=torch.float64)
    total = 0.0
    for m, v in zip(mu[0].double(), log_variance[0].double(), strict=True):
        q = torch.distributions.Normal(m, (v / 2).exp())
        p = torch.distributions.Normal(0.0, 1.0)
        difference = q.log_prob(points) - p.log_prob(points)
        total += float(torch.trapezoid(q.log_prob(points).exp() * difference, points))
    assert float(kl_to_standard_normal(mu, log_variance)) == pytest.approx(total, abs=1e-4)


def test_the_price_rises_and_some_nats_are_free():
    network = BarsVAE(BarsVAEConfig(VOCAB, beta=0.5, beta_steps=10, free_nats=3.0))
    assert isinstance(network, Priced)
    kl = torch.tensor([2.0, 5.0])
    assert float(network.price(kl, 4)) == pytest.approx(0.5 * 0.5 * 2)
    assert float(network.price(kl, 99)) == pytest.approx(0.5 * 2)


def test_its_own_tokens_and_dropped_ones_are_read_in_training_alone():
    torch.manual_seed(0)
    config = BarsVAEConfig(VOCAB, latent_size=4, bar_size=8, conductor_size=8, own_tokens=0.5)
    network, given = BarsVAE(config), tables()
    torch.manual_seed(1)
    one = network.train()(given)[0]
    torch.manual_seed(1)
    two = network.eval()(given)[0]
    assert one.shape == two.shape == (3, 48, VOCAB)
    assert not torch.allclose(one, two)
    assert np.isfinite(one.detach().numpy()).all()


@pytest.mark.parametrize(
    "fields", [{"vocab_size": 1}, {"bars": 0}, {"bar_size": 7}, {"beta": -1.0}, {"dropout": 1.0}]
)
def test_sizes_that_make_no_sense_are_refused(fields):
    with pytest.raises(ParameterError):
        BarsVAEConfig(**{"vocab_size": VOCAB, **fields})
