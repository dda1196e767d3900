"""How drums are played, as classes and as numbers that are told."""

import numpy as np
import pytest
from groove_music import some_drums
from hypothesis import given
from hypothesis import strategies as st

from partimento.errors import ParameterError
from partimento.music.grid import Grid
from partimento.music.score import Meter
from partimento.representations.groove import (
    CELLS,
    CLASSES,
    NUM_DRUMS,
    TAP_SIZE,
    Given,
    GrooveRepresentation,
    check_drum,
    given_numbers,
    meter_of,
    offset_at,
    offset_class,
    tap_of,
    velocity_at,
    velocity_class,
)

REPRESENTATION = GrooveRepresentation()


@given(st.integers(1, 127))
def test_a_velocity_lies_in_its_class(velocity):
    number = velocity_class(np.array([velocity / 127]))
    assert 4 * number[0] <= velocity < 4 * number[0] + 4
    assert abs(127 * velocity_at(number + 0.5)[0] - velocity) <= 2


@given(st.floats(-0.5, 0.499))
def test_an_offset_comes_back_within_its_class(offset):
    number = offset_class(np.array([offset]))
    assert 0 <= number[0] < CLASSES
    assert abs(offset_at(number + 0.5)[0] - offset) <= 0.5 / CLASSES + 1e-6


def test_velocities_and_offsets_stay_in_their_range():
    places = np.array([0, CLASSES - 1e-9])
    assert (127 * velocity_at(places)).tolist() == [1, 127]
    low, high = offset_at(places)
    assert (low, high < 0.5) == (-0.5, True)


def test_what_is_not_told_is_not_in_the_numbers():
    one, other = some_drums(seed=1), some_drums(seed=2)
    meter = np.zeros((2, 8, REPRESENTATION.given_size - 2 * CELLS - TAP_SIZE), np.float32)
    nothing = Given.nothing(2, 8)
    told = [given_numbers(played, nothing, meter, REPRESENTATION) for played in (one, other)]
    assert np.array_equal(*told)
    everything = Given(*[np.ones_like(one.is_hit)] * 3, nothing.tap)
    told = [given_numbers(played, everything, meter, REPRESENTATION) for played in (one, other)]
    assert not np.array_equal(*told)


def test_only_strokes_are_asked_how_they_are_played():
    played = some_drums()
    asked = Given.nothing(2, 8).is_asked(played.is_hit)
    assert asked[..., :NUM_DRUMS].all()
    assert np.array_equal(asked[..., NUM_DRUMS : 2 * NUM_DRUMS], played.is_hit)
    humanize = Given.nothing(2, 8)._replace(hit=np.ones_like(played.is_hit))
    assert humanize.is_asked(played.is_hit).sum() == 2 * played.is_hit.sum()


def test_a_tap_says_what_is_told_of_it():
    is_hit = np.array([True, False])
    assert tap_of(is_hit).tolist() == [[1, 1, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0]]
    tap = tap_of(is_hit, np.array([0.5, 0.9]), np.array([0.25, 0.1]))
    assert tap.tolist() == [[1, 1, 1, 0.5, 1, 1], [1, 0, 1, 0, 1, 0]]


def test_the_meter_says_where_bars_begin_and_how_fast_they_go():
    numbers = meter_of(Grid.regular(Meter(0, 3, 4), 4, 2), 240, 4)
    assert numbers.shape == (24, 11)
    assert np.flatnonzero(numbers[:, 8]).tolist() == [0, 12]
    assert set(numbers[:, -1].tolist()) == {1.0}


def test_unknown_drums_are_refused():
    assert check_drum("ride") == 8
    with pytest.raises(ParameterError, match="the drums are kick"):
        check_drum("cowbell")
