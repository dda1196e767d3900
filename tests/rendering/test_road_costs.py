"""What roads cost, as a picture: every curve lies within the axes, and is named."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partimento.errors import MusicError
from partimento.rendering.road_costs import HEIGHT, TOP, road_costs_svg

COSTS = st.lists(st.floats(0.2, 3), min_size=2, max_size=9)


@given(COSTS, COSTS)
def test_every_step_lies_within_the_axes(ours, mixed):
    svg = road_costs_svg("Roads", {"tunes": ours}, {"tunes": mixed})
    paths = re.findall(r'<path d="M([\d. L-]+)" fill="none"', svg)
    heights = [float(place.split()[1]) for path in paths for place in path.split("L")]
    assert len(heights) == len(ours) + len(mixed)
    assert all(TOP - 0.1 <= y <= TOP + HEIGHT + 0.1 for y in heights)


def test_each_model_is_named_beside_its_mixed_notes():
    svg = road_costs_svg("Roads", {"a": [1, 0.9, 1], "b": [1, 1.2, 1]}, {"a": [1, 1.4, 1]})
    assert ">a<" in svg and ">b<" in svg
    assert svg.count("notes mixed") == 1


def test_nothing_measured_is_said():
    with pytest.raises(MusicError, match="no roads were measured"):
        road_costs_svg("Roads", {}, {})
