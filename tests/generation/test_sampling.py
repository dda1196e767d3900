import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from partimento.errors import GenerationError, ParameterError
from partimento.generation.sampling import (
    Sampling,
    check_seed,
    draw,
    generator_of,
    keep_top_k,
    keep_top_p,
    log_softmax,
    softmax,
)

logit = st.floats(-30, 30, width=32)
rows = st.integers(1, 9)


@st.composite
def batches(draw_, allow_barred=True):
    vocabulary = draw_(st.integers(1, 12))
    row = st.lists(logit, min_size=vocabulary, max_size=vocabulary)
    logits = np.array(draw_(st.lists(row, min_size=1, max_size=9)), dtype=np.float32)
    if allow_barred:
        barred = np.random.default_rng(draw_(st.integers(0, 99))).random(logits.shape) < 0.4
        barred[np.arange(len(logits)), draw_(st.integers(0, vocabulary - 1))] = False
        logits = np.where(barred, -np.inf, logits)
    return logits


settings_of_sampling = st.builds(
    Sampling,
    temperature=st.sampled_from([0, 1e-300, 1e-3, 0.5, 1, 3, 100]),
    top_k=st.integers(0, 14),
    top_p=st.sampled_from([1e-9, 0.2, 0.9, 1]),
)


@given(batches(), settings_of_sampling, st.integers(0, 2**32))
def test_a_forbidden_token_is_never_drawn(logits, sampling, seed):
    uniforms = np.random.default_rng(seed).random(len(logits))
    tokens = draw(logits, uniforms, sampling)
    assert np.isfinite(logits[np.arange(len(logits)), tokens]).all()


@given(batches(), settings_of_sampling, st.sampled_from([0.0, math.nextafter(1, 0)]))
def test_the_ends_of_the_distribution_are_tokens_too(logits, sampling, uniform):
    tokens = draw(logits, np.full(len(logits), uniform), sampling)
    assert np.isfinite(logits[np.arange(len(logits)), tokens]).all()


@given(batches(), settings_of_sampling, st.integers(0, 2**32))
def test_a_row_is_drawn_the_same_alone_and_in_a_batch(logits, sampling, seed):
    uniforms = np.random.default_rng(seed).random(len(logits))
    alone = [draw(logits[[i]], uniforms[[i]], sampling)[0] for i in range(len(logits))]
    assert draw(logits, uniforms, sampling).tolist() == alone


def test_tokens_come_as_often_as_their_probabilities_say():
    logits = np.log(np.array([[0.5, 0.3, 0.2]], dtype=np.float32)).repeat(200_000, axis=0)
    uniforms = np.random.default_rng(0).random(len(logits))
    counts = np.bincount(draw(logits, uniforms, Sampling())) / len(logits)
    assert np.abs(counts - [0.5, 0.3, 0.2]).max() < 0.005


@given(batches())
def test_temperature_zero_takes_the_likeliest_and_the_first_of_equals(logits):
    tokens = draw(logits, np.full(len(logits), 0.99), Sampling(temperature=0))
    assert tokens.tolist() == logits.argmax(axis=1).tolist()


@given(batches())
def test_a_tiny_temperature_takes_the_likeliest_too(logits):
    tokens = draw(logits, np.full(len(logits), 0.5), Sampling(temperature=1e-300))
    assert (logits[np.arange(len(logits)), tokens] == logits.max(axis=1)).all()


def test_a_higher_temperature_draws_rare_tokens_more_often():
    logits = np.log(np.array([[0.9, 0.1]], dtype=np.float32)).repeat(20_000, axis=0)
    uniforms = np.random.default_rng(0).random(len(logits))
    cold, hot = (draw(logits, uniforms, Sampling(temperature=t)).mean() for t in (0.5, 2))
    assert cold == pytest.approx(1 / 82, abs=0.005)  # 0.1**2 / (0.9**2 + 0.1**2)
    assert hot == pytest.approx(0.25, abs=0.01)  # sqrt(0.1) / (sqrt(0.9) + sqrt(0.1))


@given(batches(allow_barred=False), st.integers(1, 14))
def test_top_k_keeps_the_likeliest(logits, top_k):
    kept = np.isfinite(keep_top_k(logits, top_k))
    for row, is_kept in zip(logits, kept, strict=True):
        assert is_kept.sum() >= min(top_k, len(row))
        assert is_kept.all() or row[is_kept].min() > row[~is_kept].max()


@given(batches(), st.floats(1e-6, 1))
def test_top_p_keeps_the_fewest_tokens_that_have_the_mass(logits, top_p):
    kept = np.isfinite(keep_top_p(logits, top_p))
    for row, is_kept in zip(softmax(logits), kept, strict=True):
        assert row[is_kept].sum() >= top_p - 1e-9
        without_the_least = np.sort(row[is_kept])[1:].sum()
        assert top_p == 1 or without_the_least < top_p + 1e-9


@given(batches())
def test_probabilities_sum_to_one(logits):
    assert softmax(logits).sum(axis=1) == pytest.approx(np.ones(len(logits)))
    assert log_softmax(logits).dtype == np.float64


def test_uniform_logits_cost_the_logarithm_of_the_vocabulary():
    assert -log_softmax(np.zeros((1, 38)))[0, 5] == pytest.approx(math.log(38))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_broken_network_is_noticed(value):
    with pytest.raises(GenerationError, match="damaged"):
        draw(np.array([[0.0, value]]), np.array([0.5]), Sampling())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", -0.1),
        ("temperature", math.nan),
        ("temperature", math.inf),
        ("temperature", 101),
        ("temperature", "1"),
        ("temperature", True),
        ("top_p", 0),
        ("top_p", 1.1),
        ("top_p", math.nan),
        ("top_k", -1),
        ("top_k", 2.5),
        ("top_k", True),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(name, value):
    with pytest.raises(ParameterError, match=f"^{name} must be"):
        Sampling(**{name: value})


@pytest.mark.parametrize("seed", [-1, 2**63, 1.5, "7", None, True])
def test_a_seed_that_is_none_is_named(seed):
    with pytest.raises(ParameterError, match=r"^seed must be"):
        check_seed(seed)


def test_numpy_numbers_are_numbers():
    assert check_seed(np.int64(7)) == 7
    assert Sampling(np.float32(0.5), np.int32(3), np.float64(0.5)).temperature == 0.5


def test_seeds_and_tries_give_numbers_of_their_own():
    first = {generator_of(seed, attempt).random() for seed in range(20) for attempt in range(4)}
    assert len(first) == 80
    assert generator_of(7).random() == generator_of(7).random()
