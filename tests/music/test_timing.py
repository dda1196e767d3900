import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import METERS, scores

from partimento.errors import ParameterError
from partimento.music.score import Meter, Score, Tempo
from partimento.music.timing import (
    BarMap,
    TempoMap,
    quarters_to_ticks,
    steps_per_bar,
    steps_to_ticks,
    ticks_to_quarters,
    ticks_to_steps,
)


@given(st.integers(0, 2**31 - 1), st.integers(1, 32767))
def test_ticks_survive_the_way_through_quarters(ticks, division):
    assert quarters_to_ticks(ticks_to_quarters(ticks, division), division) == ticks


@given(st.integers(0, 10**6), st.sampled_from((96, 480, 960)), st.sampled_from((1, 4, 12, 24)))
def test_steps_survive_the_way_through_ticks(step, division, steps_per_quarter):
    ticks = steps_to_ticks(np.array([step]), division, steps_per_quarter)
    assert ticks_to_steps(ticks, division, steps_per_quarter).tolist() == [step]


def test_halves_go_to_the_later_step():
    assert ticks_to_steps(np.array([59, 60, 61, 180]), 480, 4).tolist() == [0, 1, 1, 2]


@pytest.mark.parametrize(
    ("meter", "steps"), [("4/4", 16), ("3/4", 12), ("6/8", 12), ("2/2", 16), ("7/16", 7)]
)
def test_a_bar_has_so_many_sixteenth_steps(meter, steps):
    assert steps_per_bar(Meter(0, *map(int, meter.split("/"))), 4) == steps


def test_a_bar_that_is_no_whole_number_of_steps_is_refused():
    with pytest.raises(ParameterError, match=r"bar of 3/8 .* multiple of 2"):
        steps_per_bar(Meter(0, 3, 8), 1)


def test_seconds_follow_every_tempo():
    score = Score(tempos=(Tempo(0, 500_000), Tempo(960, 1_000_000)), end_tick=1920)
    seconds = TempoMap.of(score).seconds(np.array([0, 480, 960, 1440]))
    assert seconds.tolist() == [0, 0.5, 1, 2]


@given(scores(), st.lists(st.integers(0, 5000)))
def test_ticks_survive_the_way_through_seconds(score, ticks):
    tempo_map = TempoMap.of(score)
    seconds = tempo_map.seconds(np.array(ticks, dtype=int))
    # Within a tick: a tempo of a microsecond a quarter puts ticks nearer than floats can tell.
    assert np.abs(tempo_map.ticks(seconds) - np.array(ticks, dtype=int)).max(initial=0) <= 1


def test_bars_follow_every_meter():
    score = Score(meters=(Meter(0, 4, 4), Meter(3840, 3, 4)), end_tick=3840 + 2 * 1440)
    bars = BarMap.of(score)
    assert bars.start(np.arange(5)).tolist() == [0, 1920, 3840, 5280, 6720]
    assert bars.bar(np.array([0, 1919, 1920, 3840, 5279, 5280])).tolist() == [0, 0, 1, 2, 2, 3]
    assert bars.count(score.end_tick) == 4


def test_a_change_of_meter_cuts_the_bar_it_stands_in():
    bars = BarMap.of(Score(meters=(Meter(0, 4, 4), Meter(960, 3, 4))))
    assert bars.start(np.arange(3)).tolist() == [0, 960, 2400]


@given(scores(), st.integers(0, 40))
def test_the_first_tick_of_a_bar_lies_in_it_and_the_tick_before_does_not(score, bar):
    bars = BarMap.of(score)
    start = int(bars.start(bar))
    assert bars.bar(start) == bar
    assert bar == 0 or bars.bar(start - 1) == bar - 1
    assert bars.line_from(start) == start
    assert bars.line_from(start + 1) == bars.start(bar + 1) or bars.start(bar + 1) == start + 1


@given(st.sampled_from(METERS), st.integers(1, 5), st.integers(0, 20))
def test_bars_that_are_no_whole_ticks_still_hold_their_first_tick(meter, division, bar):
    bars = BarMap(division, (Meter(0, *meter),))
    if bars.bar_ticks(bars.meters[0]) >= 1:
        assert bars.bar(bars.start(bar)) == bar


def test_an_empty_piece_has_no_bars():
    assert BarMap.of(Score()).count(0) == 0
