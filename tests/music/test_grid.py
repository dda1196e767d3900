import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from partimento.errors import ParameterError
from partimento.music.grid import Grid
from partimento.music.notes import Notes
from partimento.music.score import Meter, Part, Score

METERS = [(4, 4), (3, 4), (2, 4), (6, 8), (9, 8), (12, 8), (5, 8), (7, 8), (2, 2), (3, 2)]


@given(st.sampled_from(METERS), st.integers(1, 12), st.sampled_from([2, 4, 12]))
def test_the_grid_of_a_score_is_the_regular_one_where_the_meter_stays(meter, bars, per_quarter):
    regular = Grid.regular(Meter(0, *meter), per_quarter, bars)
    ticks = 4 * 480 * meter[0] * bars // meter[1]
    score = Score((Part(Notes([0], [ticks], [60])),), meters=(Meter(0, *meter),))
    taken = Grid.of(score, per_quarter)
    for name in ("bar", "position", "bar_steps", "beat_steps"):
        assert getattr(taken, name).tolist() == getattr(regular, name).tolist()


def test_a_change_of_meter_changes_the_length_of_bars():
    score = Score(
        (Part(Notes([0], [480 * 7], [60])),), meters=(Meter(0, 4, 4), Meter(480 * 4, 6, 8))
    )
    grid = Grid.of(score, 4)
    assert np.bincount(grid.bar).tolist() == [16, 12]
    assert grid.beat_steps[[0, 16]].tolist() == [4, 6]  # quarters, then dotted quarters


def test_a_bar_cut_short_by_a_new_meter_is_as_long_as_it_sounds():
    score = Score((Part(Notes([0], [480 * 4], [60])),), meters=(Meter(0, 4, 4), Meter(480, 3, 4)))
    assert np.bincount(Grid.of(score, 4).bar).tolist() == [4, 12]


def test_a_new_meter_in_which_no_bar_lies_is_no_matter():
    score = Score(
        (Part(Notes([0], [480 * 4], [60])),), meters=(Meter(0, 4, 4), Meter(480 * 4, 5, 32))
    )
    assert np.bincount(Grid.of(score, 4).bar).tolist() == [16]


def test_a_meter_finer_than_the_grid_is_refused():
    score = Score((Part(Notes([0], [480], [60])),), meters=(Meter(0, 5, 32),))
    with pytest.raises(ParameterError, match=r"a bar of 5/32 is not a whole number of steps"):
        Grid.of(score, 4)
