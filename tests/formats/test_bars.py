"""The order in which bars are played: repeats, endings and jumps."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partimento.errors import LimitError
from partimento.formats.bars import LOST_JUMPS, MAX_BARS_PLAYED, SIGNS, BarRead, unfolded
from partimento.formats.midi import Limits

MARKS = {
    "DC": "dacapo", "DS": "dalsegno", "to": "tocoda", "fine": "fine", "S": "segno", "O": "coda",
}  # fmt: skip


def bars(text):
    """Bars between spaces: ``|:`` and ``:|`` repeat, ``1.`` is an ending, signs after commas."""
    made = []
    for word in text.split():
        name, *signs = word.split(",")
        bar = BarRead(starts_repeat="|:" in name, passes=2 * (":|" in name))
        if "." in name:
            bar.endings = frozenset(int(digit) for digit in name if digit.isdigit())
        for sign in signs:
            kind, _, place = sign.partition("=")
            bar.signs[MARKS[kind]] = place
        made.append(bar)
    return made


def played(text):
    notices = Counter()
    found = list(unfolded(bars(text), Limits(), notices))
    return found, notices[LOST_JUMPS]


@pytest.mark.parametrize(
    "text, order",
    [
        ("a b,fine c d,DC", [0, 1, 2, 3, 0, 1]),
        ("a b c,DC", [0, 1, 2, 0, 1, 2]),  # to the end, where no fine stands
        ("a b,S c,fine d,DS", [0, 1, 2, 3, 1, 2]),
        ("a b,to c,DC d,O e", [0, 1, 2, 0, 1, 3, 4]),
        ("a b,S c,to d,DS e,O", [0, 1, 2, 3, 1, 2, 4]),
        ("a b,to=x c,DC d,O=y e,O=x", [0, 1, 2, 0, 1, 4]),  # by their names
        ("|:a b:| c,fine d,DC", [0, 1, 0, 1, 2, 3, 0, 1, 2]),  # no repeat the second time
        ("|:a 1.:| 2. c,DC", [0, 1, 0, 2, 3, 0, 2, 3]),  # the last ending
        ("|:a b:|,DC c", [0, 1, 0, 1, 0, 1, 2]),  # repeated before it jumps
        ("a,fine b,to c", [0, 1, 2]),  # signs of a second time that never comes
    ],
)
def test_jumps_are_followed(text, order):
    assert played(text) == (order, 0)


@pytest.mark.parametrize(
    "text, order",
    [
        ("a b,DS c", [0, 1, 2]),
        ("a b,to c,DC d", [0, 1, 2, 0, 1, 2, 3]),
        ("a,O b,to c,DC", [0, 1, 2, 0, 1, 2]),  # a coda lies ahead
    ],
)
def test_a_jump_to_nowhere_is_passed_over_and_counted(text, order):
    assert played(text) == (order, 1)


bars_drawn = st.builds(
    BarRead,
    starts_repeat=st.booleans(),
    passes=st.sampled_from([0, 0, 2, 3]),
    endings=st.sampled_from([frozenset(), frozenset(), frozenset({1}), frozenset({2})]),
    signs=st.dictionaries(st.sampled_from(SIGNS), st.sampled_from(["", "x"]), max_size=2),
)


@given(st.lists(bars_drawn, max_size=30))
def test_every_order_comes_to_an_end(drawn):
    try:
        count = sum(1 for _ in unfolded(drawn, Limits()))
    except LimitError:
        return
    assert count <= MAX_BARS_PLAYED
