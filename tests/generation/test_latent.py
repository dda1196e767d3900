"""Points, roads and sliders of a space; and the engine that runs there."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from models.tiny_vae import LATENT_SIZE, tiny_graphs, tiny_network

from partimento.errors import CheckpointError, ParameterError
from partimento.generation.attributes import Sliders, attribute_names, measured
from partimento.generation.latent import Prior, normal_log_density, slerp, strayed
from partimento.generation.latent_engine import LatentEngine
from partimento.generation.sampling import Sampling, generator_of
from partimento.representations.bars import BarsRepresentation
from partimento.representations.melody import FIRST_PITCH, HOLD, REST

TWO = BarsRepresentation()


def engine(kind="melody", bars_apart=False):
    network = vars(tiny_network(kind, bars_apart=bars_apart).config)
    return LatentEngine(
        tiny_graphs(kind, bars_apart=bars_apart), BarsRepresentation(kind), dict(network)
    )


def windows(count, steps=16, seed=0):
    return TWO.laid_out(np.random.default_rng(seed).integers(0, 90, (count, 2 * steps)))


@given(st.integers(0, 1000), st.floats(0, 1))
def test_a_road_starts_and_ends_where_it_should_and_keeps_its_distance(seed, share):
    generator = np.random.default_rng(seed)
    a, b = generator.normal(size=(2, 20))
    np.testing.assert_allclose(slerp(a, b, 0), a)
    np.testing.assert_allclose(slerp(a, b, 1), b)
    one, other = a / np.linalg.norm(a), b / np.linalg.norm(b)
    assert np.linalg.norm(slerp(one, other, share)) == pytest.approx(1)
    assert np.isfinite(slerp(a, -a, share)).all()
    assert np.isfinite(slerp(0 * a, b, share)).all()


def test_a_prior_is_fitted_drawn_from_written_and_read():
    generator = np.random.default_rng(0)
    mixing = np.array([[2.0, 0.0], [1.0, 0.5]])
    mu = generator.normal(size=(20_000, 2)) @ mixing.T + [3, -1]
    prior = Prior.fitted(mu, np.full(mu.shape, -20.0))
    np.testing.assert_allclose(prior.factor @ prior.factor.T, mixing @ mixing.T, atol=0.1)
    drawn = prior.draw([generator_of(seed) for seed in range(4000)])
    np.testing.assert_allclose(drawn.mean(axis=0), [3, -1], atol=0.15)
    again = Prior.of_arrays(prior.arrays(), 2)
    np.testing.assert_allclose(again.factor, prior.factor, rtol=1e-5)
    standard = Prior.standard(2)
    np.testing.assert_allclose(
        standard.log_density(mu[:5]), normal_log_density(mu[:5], np.zeros(2), np.zeros(2))
    )
    assert Prior.of_arrays(None, 2).mean.tolist() == [0, 0]
    for broken in (
        {"prior_mean": np.zeros(3), "prior_factor": np.eye(2)},
        {"prior_mean": np.zeros(2), "prior_factor": np.full((2, 2), np.nan)},
        {"prior_mean": np.zeros(2), "prior_factor": -np.eye(2)},
    ):
        with pytest.raises(CheckpointError):
            Prior.of_arrays(broken, 2)


def test_straying_by_nothing_stays_and_by_all_forgets():
    prior, points = Prior.standard(4), np.full((2, 4), 9.0)
    np.testing.assert_allclose(strayed(points, 0.0, prior, generator_of(1)), points)
    gone = strayed(points, 1.0, prior, generator_of(1))
    assert np.abs(gone).max() < 5


@pytest.mark.parametrize("bars_apart", [False, True])
def test_a_row_is_the_same_alone_and_among_many(bars_apart):
    running = engine(bars_apart=bars_apart)
    tables = windows(70)
    mu, log_variance = running.encode(tables)
    one, _ = running.encode(tables[33:34])
    np.testing.assert_array_equal(one[0], mu[33])
    dice = [generator_of(seed) for seed in range(70)]
    many = running.decode(mu, 16, dice, Sampling(1.0))
    alone = running.decode(mu[33:34], 16, [generator_of(33)], Sampling(1.0))
    np.testing.assert_array_equal(alone[0], many[33])
    assert (many[:, :, 16:] == TWO.pad).all()
    assert log_variance.shape == (70, LATENT_SIZE)


def test_the_surprise_is_that_of_the_network():
    import torch

    network, tables = tiny_network(), windows(3)
    running = engine()
    mu, _ = running.encode(tables)
    with torch.inference_mode():
        logits = network.decode(torch.from_numpy(mu), torch.from_numpy(tables))
    expected = -torch.log_softmax(logits.view(3, 2, 24, -1)[:, :, :16], dim=-1).gather(
        -1, torch.from_numpy(tables[:, :, :16, None])
    )
    found = running.nats(mu, tables, 16)
    np.testing.assert_allclose(found, expected[..., 0].numpy(), atol=1e-3)
    likeliest = running.likeliest(mu, tables, 16)
    np.testing.assert_array_equal(
        likeliest[:, :, :16], logits.view(3, 2, 24, -1)[:, :, :16].argmax(-1).numpy()
    )


def test_graphs_that_are_others_are_refused():
    graphs = dict(tiny_graphs())
    network = dict(vars(tiny_network().config))
    with pytest.raises(CheckpointError, match="plan graph"):
        LatentEngine({**graphs, "plan": graphs["encode"]}, TWO, network)
    with pytest.raises(CheckpointError, match="latent_size"):
        LatentEngine(graphs, TWO, {})
    with pytest.raises(CheckpointError, match="encode graph"):
        LatentEngine(graphs, BarsRepresentation(bars=3), network)


def test_attributes_of_a_melody_are_what_they_say():
    steps = np.full((1, 32), HOLD)
    steps[0, [0, 4, 8, 12]] = FIRST_PITCH + np.array([40, 42, 43, 52])  # c# d# e c#'
    steps[0, 16:] = steps[0, :16]
    found = dict(zip(attribute_names(TWO), measured(TWO.laid_out(steps), TWO)[0], strict=True))
    assert found["density"] == 1
    assert found["register"] == pytest.approx(21 + (40 + 42 + 43 + 52) / 4)
    assert found["contour"] == 0
    assert found["leaps"] == pytest.approx(3 / 7)  # two ninths up, and one down
    assert found["repetition"] == 1
    assert found["syncopation"] == 0
    late = np.full((1, 32), HOLD)
    late[0, [0, 2, 6]] = FIRST_PITCH + 40
    late[0, 8] = REST
    found = dict(zip(attribute_names(TWO), measured(TWO.laid_out(late), TWO)[0], strict=True))
    assert found["syncopation"] == pytest.approx(1 / 3)  # the stroke at 2 sounds over the quarter


def test_attributes_of_drums_are_what_they_say():
    drums = BarsRepresentation("drums")
    steps = np.zeros((1, 32), dtype=np.int64)
    steps[0, ::4], steps[0, 2] = 1, 4  # kicks on the quarters, a closed hat between
    found = dict(
        zip(attribute_names(drums), measured(drums.laid_out(steps), drums)[0], strict=True)
    )
    assert found["kick"] == 1
    assert found["hats"] == pytest.approx(1 / 8)
    assert found["syncopation"] == pytest.approx(1 / 9)


def test_a_slider_moves_what_it_names_and_nothing_else():
    generator = np.random.default_rng(0)
    z = generator.normal(size=(3000, 8))
    attributes = np.stack([z[:, 0] + 0.5 * z[:, 1], 10 * z[:, 1] + 1], axis=1)
    sliders = Sliders.learned(z, attributes, ("bright", "dark"))
    away = sliders.direction("bright")
    moved = np.array([away[0] + 0.5 * away[1], 10 * away[1]]) / sliders.deviations
    np.testing.assert_allclose(moved, [1, 0], atol=0.05)
    again = Sliders.of_arrays(sliders.arrays(), ["bright", "dark"], 8)
    np.testing.assert_allclose(again.directions, sliders.directions, rtol=1e-5)
    assert Sliders.of_arrays({}, [], 8) is None
    with pytest.raises(ParameterError, match="there is bright, dark"):
        sliders.direction("loud")
    with pytest.raises(CheckpointError):
        Sliders.of_arrays(sliders.arrays(), ["bright"], 8)
    with pytest.raises(ParameterError, match="too few"):
        Sliders.learned(z[:3], attributes[:3], ("bright", "dark"))
    with pytest.raises(ParameterError, match="the same in all"):
        Sliders.learned(z, attributes * [1, 0], ("bright", "dark"))
