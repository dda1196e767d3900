from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partimento.errors import NotationError
from partimento.music import durations as d
from partimento.music.durations import duration_name, length_qn


def test_names_are_exact_lengths_in_quarters():
    assert [d.wn, d.hn, d.qn, d.en, d.sn, d.tn] == [4, 2, 1, Fraction(1, 2), 0.25, 0.125]
    assert [d.dwn, d.dhn, d.dqn, d.den, d.dsn] == [6, 3, 1.5, 0.75, 0.375]
    assert [d.hnt, d.qnt, d.ent, d.snt] == [
        Fraction(4, 3),
        Fraction(2, 3),
        Fraction(1, 3),
        d.sn * 2 / 3,
    ]


def test_twelve_eighth_note_triplets_fill_a_bar_of_four_quarters():
    assert 12 * d.ent == d.wn
    assert sum([d.ent] * 12) == 4


def test_aliases_mean_the_same():
    assert (d.qnd, d.end, d.ten, d.tqn) == (d.dqn, d.den, d.ent, d.qnt)


def test_every_python_name_is_read_from_text():
    names = {name: v for name, v in vars(d).items() if name.islower() and type(v) is Fraction}
    assert len(names) == 33
    assert all(length_qn(name) == value for name, value in names.items())


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("q", 1),
        ("e.", Fraction(3, 4)),
        ("q..", Fraction(7, 4)),
        ("et", Fraction(1, 3)),
        ("t", Fraction(1, 8)),
        ("tt", Fraction(1, 12)),
        ("ENT", Fraction(1, 3)),
        ("h+e", Fraction(5, 2)),
        ("5/12", Fraction(5, 12)),
        ("0.25", Fraction(1, 4)),
        ("3", 3),
    ],
)
def test_text_reads_letters_dots_triplets_sums_and_numbers(text, length):
    assert length_qn(text) == length


@pytest.mark.parametrize(
    "text",
    ["", "z", "q-", "q+", "0", "0/5", "1/0", "-1", "1e9", "99999999", "1/99999", "q...", "nan"],
)
def test_what_is_no_length_is_refused(text):
    with pytest.raises(NotationError, match=r"duration|last|finer"):
        length_qn(text)


@given(st.fractions(Fraction(1, 1000), 1000, max_denominator=1000))
def test_a_length_is_written_as_it_is_read(length):
    assert length_qn(duration_name(length)) == length


def test_usual_lengths_have_short_names():
    names = [duration_name(n) for n in (d.wn, d.den, d.ent, d.tn, d.tnt, d.hn + d.en, d.ddqn)]
    assert names == ["w", "e.", "et", "t", "tt", "h+e", "q.."]
