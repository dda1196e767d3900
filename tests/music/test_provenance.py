from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partimento.music.notation import seq
from partimento.music.provenance import MAX_CHARACTERS, read_stamps, stamp
from partimento.music.score import Text

TUNE = seq("c4:q d4:q")
values = st.one_of(st.integers(), st.booleans(), st.none(), st.text(), st.floats(-9, 9))
facts = st.dictionaries(st.text(max_size=9), values, max_size=30)


@given(st.lists(facts, max_size=4))
def test_stamps_come_back_in_the_order_they_were_given(stamps):
    score = TUNE
    for one in stamps:
        score = stamp(score, one)
    assert read_stamps(score) == stamps
    assert score.parts == TUNE.parts


@given(facts)
def test_no_remark_is_long_enough_to_be_cut(one):
    remarks = stamp(TUNE, one).remarks
    assert all(len(text) <= MAX_CHARACTERS and text.isascii() for _, text in remarks)


def test_a_short_stamp_is_one_readable_line():
    assert stamp(TUNE, {"seed": 7, "model": "m"}).remarks == (
        Text(0, 'partimento {"model":"m","seed":7}'),
    )


@pytest.mark.parametrize(
    "texts",
    [
        ["hello"],
        ["partimento"],
        ["partimento "],
        ["partimento is a bass line"],
        ["partimento [1, 2]"],
        ["partimento 1/2 {"],
        ['partimento 2/2 {"a":1}'],
        ['partimento 1/2 {"a"', "partimento 3/2 :1}"],
        ['partimento 0/1 {"a":1}'],
        [f"partimento {'[' * 100_000}"],
        ['partimento 1/2 {"a"', "hello", "partimento 2/3 :1}"],
    ],
)
def test_what_only_looks_like_a_stamp_is_left_out(texts):
    score = replace(TUNE, remarks=tuple(Text(0, text) for text in texts))
    assert read_stamps(score) == []


def test_a_broken_stamp_does_not_hide_the_next():
    score = replace(TUNE, remarks=(Text(0, "partimento 1/3 {"), Text(0, "partimento 2/3 {")))
    assert read_stamps(stamp(score, {"seed": 1})) == [{"seed": 1}]
