import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from partimento.errors import ParameterError
from partimento.evaluation.rolls import roll_figures

nats = st.lists(
    st.lists(st.floats(0, 100), min_size=2, max_size=9).map(np.array), min_size=1, max_size=5
)


def test_both_averages_of_the_joint_column_count_all_frames():
    figures = roll_figures([np.array([9.0, 1.0, 2.0]), np.array([9.0, 3.0])], "joint")
    assert (figures.frames, figures.pieces) == (5, 2)
    assert figures.nats_per_frame == pytest.approx(24 / 5)
    assert figures.mean_of_pieces == pytest.approx((4 + 6) / 2)


@given(nats)
def test_the_averages_of_pieces_of_one_length_are_equal(pieces):
    same = [piece[:2] for piece in pieces]
    for column in ("joint", "independent"):
        figures = roll_figures(same, column)
        assert figures.nats_per_frame == pytest.approx(figures.mean_of_pieces)


@given(nats)
def test_the_independent_column_is_the_joint_one_without_first_frames(pieces):
    assert roll_figures(pieces, "independent") == roll_figures([p[1:] for p in pieces], "joint")


def test_no_frame_and_an_unknown_column_are_refused():
    with pytest.raises(ParameterError, match="no frame"):
        roll_figures([np.array([1.0])], "independent")
    with pytest.raises(ParameterError, match="joint or independent"):
        roll_figures([np.array([1.0])], "bernoulli")
