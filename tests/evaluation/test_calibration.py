"""Reliability tables, held against what can be counted by hand."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from partimento.errors import ParameterError
from partimento.evaluation.calibration import fit_temperature, reliability


def test_a_model_that_says_80_percent_and_is_right_half_the_time_is_0_3_off():
    table = reliability(np.full(10, 0.8), np.arange(10) < 5)
    assert table.expected_error == pytest.approx(0.3)
    assert table.largest_error == pytest.approx(0.3)
    (row,) = [row for row in table.bins if row.predictions]
    assert (row.low, row.high, row.predictions, row.right) == (0.8, 0.9, 10, 0.5)
    # Wilson's interval of 5 in 10, as tables have it.
    assert (row.right_low, row.right_high) == pytest.approx((0.2366, 0.7634), abs=1e-4)


def test_the_error_is_the_mean_over_predictions_not_bins():
    confidence = np.array([0.05] * 90 + [0.95] * 10)
    is_right = np.array([False] * 90 + [True] * 5 + [False] * 5)
    assert reliability(confidence, is_right).expected_error == pytest.approx(
        0.9 * 0.05 + 0.1 * 0.45
    )


def test_certainty_falls_into_the_last_bin_and_empty_bins_have_no_numbers():
    table = reliability(np.array([1.0, 0.0]), np.array([True, False]))
    assert (table.bins[9].predictions, table.bins[0].predictions) == (1, 1)
    assert math.isnan(table.bins[5].right)
    assert "NaN" not in json.dumps(table.as_dict())
    assert "expected calibration error 0.0000 (2)" in table.text()


@given(st.integers(0, 2**32 - 1), st.integers(1, 20))
def test_outcomes_drawn_with_what_was_said_are_calibrated(seed, bins):
    generator = np.random.default_rng(seed)
    confidence = generator.uniform(size=20_000)
    table = reliability(confidence, generator.uniform(size=20_000) < confidence, bins)
    assert sum(row.predictions for row in table.bins) == 20_000
    assert table.expected_error < 0.02


@pytest.mark.parametrize(
    ("confidence", "is_right", "message"),
    [
        ([], [], "at least one prediction"),
        ([0.5], [True, False], "one length"),
        ([1.5], [True], "0 to 1"),
        ([math.nan], [True], "0 to 1"),
    ],
)
def test_what_is_no_prediction_is_refused(confidence, is_right, message):
    with pytest.raises(ParameterError, match=message):
        reliability(np.array(confidence), np.array(is_right))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_the_temperature_that_outcomes_were_drawn_with_is_found(temperature):
    generator = np.random.default_rng(3)
    logits = generator.normal(size=(20_000, 6)) * 2
    gumbel = generator.gumbel(size=logits.shape)
    targets = (logits / temperature + gumbel).argmax(axis=1)
    assert fit_temperature(logits, targets) == pytest.approx(temperature, rel=0.05)


def test_impossible_truths_have_no_temperature():
    with pytest.raises(ParameterError, match="probability 0"):
        fit_temperature(np.array([[0.0, -np.inf]]), np.array([1]))
    assert fit_temperature(np.array([[0.0, -np.inf, 1.0]]), np.array([2])) > 0
