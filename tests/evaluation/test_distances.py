from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from partimento.evaluation.distances import jensen_shannon, overlap, set_overlap


def normalised(counts):
    histogram = np.array(counts, dtype=float) + 1e-9
    return histogram / histogram.sum()


HISTOGRAMS = st.lists(st.integers(0, 100), min_size=5, max_size=5).map(normalised)
NUMBERS = st.lists(st.integers(0, 20), min_size=2, max_size=12).map(np.array)


@given(HISTOGRAMS, HISTOGRAMS)
def test_distances_are_symmetric_and_between_0_and_1(one, other):
    for distance in (jensen_shannon, overlap):
        assert distance(one, other) == pytest.approx(distance(other, one))
        assert -1e-9 <= distance(one, other) <= 1 + 1e-9


@given(HISTOGRAMS)
def test_a_histogram_is_not_apart_from_itself(one):
    assert jensen_shannon(one, one) == pytest.approx(0, abs=1e-12)
    assert overlap(one, one) == pytest.approx(1)


def test_distances_by_hand():
    one, other = np.array([1.0, 0]), np.array([0.5, 0.5])
    # 0.5 * (log2(1 / 0.75)) + 0.5 * (0.5 * log2(0.5 / 0.75) + 0.5 * log2(0.5 / 0.25))
    expected = 0.5 * np.log2(4 / 3) + 0.25 * np.log2(2 / 3) + 0.25
    assert jensen_shannon(one, other) == pytest.approx(expected)
    assert overlap(one, other) == 0.5


@given(NUMBERS, NUMBERS)
def test_the_overlap_of_sets_is_a_share(generated, reference):
    assert 0 <= set_overlap(generated, reference) <= 1


def test_draws_of_one_distribution_overlap_and_distant_ones_do_not():
    generator = np.random.default_rng(0)
    one, other = generator.normal(size=(2, 150))
    assert set_overlap(one, other) > 0.95
    assert set_overlap(one + 50, other) < 0.01
    assert 0.3 < set_overlap(one + 3, other) < 0.8


def test_the_overlap_is_that_of_kernel_densities_written_out():
    generator = np.random.default_rng(1)
    generated, reference = generator.normal(size=20), generator.normal(1, 2, size=30)
    inside = [abs(a - b) for i, a in enumerate(reference) for b in reference[i + 1 :]]
    between = [abs(a - b) for a in generated for b in reference]

    def density(values, at):
        width = np.std(values) * len(values) ** (-1 / 5)
        return np.mean([NormalDist(value, width).pdf(at) for value in values])

    grid = np.linspace(-5, 15, 400)
    lower = [min(density(inside, at), density(between, at)) for at in grid]
    expected = sum(lower) * (grid[1] - grid[0])
    assert set_overlap(generated, reference) == pytest.approx(expected, abs=0.005)


def test_sets_of_one_number_are_alike_or_apart():
    assert set_overlap(np.ones(3), np.ones(4)) == 1
    assert set_overlap(np.zeros(3), 7 * np.ones(4)) < 0.01


def test_shares_overlap_by_what_they_have_in_common():
    assert set_overlap(np.array([0, 0, 0, 1]), np.array([1, 1, 0, 0])) == 0.75
    assert set_overlap(np.zeros(3), np.ones(4)) == 0
