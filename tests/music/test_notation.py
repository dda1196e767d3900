import time
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import melody_scores

from partimento.errors import MusicError, NotationError, ParameterError
from partimento.music.durations import den, ent, hn, qn, sn
from partimento.music.notation import format_text, parse_meter, parse_text, seq
from partimento.music.notes import Notes
from partimento.music.pitches import c4, d4, e4, g4, rest
from partimento.music.score import Key, Meter, Part, Score, Tempo


def rows(score):
    notes = score.parts[0].notes
    return list(
        zip(notes.onset.tolist(), notes.duration.tolist(), notes.pitch.tolist(), strict=True)
    )


def test_notes_follow_each_other_with_rests_and_chords_between():
    tune = seq([(c4, qn), (c4, den), (d4, sn), (rest, qn), ((c4, e4, g4), hn)])
    assert rows(tune) == [
        (0, 480, 60),
        (480, 360, 60),
        (840, 120, 62),
        *[(1440, 960, pitch) for pitch in (60, 64, 67)],
    ]
    assert tune.end_tick == 2400


def test_lists_tuples_numbers_and_text_mean_the_same():
    tune = seq([(c4, qn), ((c4, e4), ent), (rest, hn)])
    assert seq([[60, 1], [[60, 64], Fraction(1, 3)], [rest, 2.0]]) == tune
    assert seq(((np.int64(60), np.float32(1)), ((60, 64), 1 / 3), (rest, np.int8(2)))) == tune
    assert seq(iter([(c4, qn), ((c4, e4), ent), (rest, hn)])) == tune
    assert seq("c4:q [c4 e4]:et r:h") == tune
    assert parse_text("C4:qn\n| [60 64]:ent | rest:2") == tune


def test_the_line_of_the_manual_reads_as_it_says():
    tune = seq("c4:q d4:e. r:s [c4 e4 g4]:h f#4:h. bb3:w a4:et")
    pitches = [pitch for _, _, pitch in rows(tune)]
    assert pitches == [60, 62, 60, 64, 67, 66, 58, 69]
    assert tune.end_tick == (1 + 0.75 + 0.25 + 2 + 3 + 4) * 480 + 160


def test_a_closing_rest_belongs_to_the_piece():
    assert seq([(c4, qn), (rest, hn)]).duration_qn == 3


def test_settings_reach_the_score():
    tune = seq("c4:q", qpm=90, meter="6/8", key="d minor", program=40, velocity=101)
    assert tune.tempos == (Tempo(0, 666_667),)
    assert tune.meters == (Meter(0, 6, 8),)
    assert tune.keys == (Key(0, -1, is_minor=True),)
    assert tune.parts[0].program == 40
    assert tune.parts[0].notes.velocity.tolist() == [101]


@pytest.mark.parametrize("meter", ["3/4", (3, 4), [3, 4], Meter(960, 3, 4)])
def test_a_meter_is_read_in_any_form(meter):
    assert parse_meter(meter) == Meter(0, 3, 4)


@pytest.mark.parametrize(
    "meter", ["3/5", "0/4", "3", "a/b", "3/4/4", "", None, (3,), 4, (3.5, 4), "²/4"]
)
def test_an_impossible_meter_is_refused(meter):
    with pytest.raises(ParameterError, match="meter must be like 3/4"):
        seq("c4:q", meter=meter)


@pytest.mark.parametrize(
    "setting",
    [
        {"qpm": 0},
        {"qpm": float("nan")},
        {"program": 128},
        {"velocity": 0},
        {"ticks_per_quarter": 0},
        {"key": "h major"},
    ],
    ids=str,
)
def test_bad_settings_are_refused(setting):
    with pytest.raises((ParameterError, MusicError), match=r"qpm|program|velocity|ticks|key"):
        seq("c4:q", **setting)


def test_the_division_rises_until_all_lengths_are_whole_ticks():
    assert seq("c4:q").ticks_per_quarter == 480
    assert seq("c4:1/7").ticks_per_quarter == 3360
    assert rows(seq("c4:1/7 d4:1/7"))[1] == (480, 480, 62)
    assert seq("c4:1/9999").ticks_per_quarter == 9999
    with pytest.raises(NotationError, match=r"item 1 .*needs 1011\d+ ticks a quarter"):
        seq([(c4, Fraction(1, 101)), (c4, Fraction(1, 10_011))])


@pytest.mark.parametrize(
    ("notes", "words"),
    [
        ([(c4, qn), (128, qn)], r"item 1 .*pitch 128 is outside 0-127"),
        ([(c4, qn), ("x", qn)], r"item 1 .*'x' is not a pitch"),
        ([(60.5, qn)], r"item 0 .*60.5 is not a pitch"),
        ([(True, qn)], r"item 0 .*True is not a pitch"),
        ([(None, qn)], r"item 0 .*None is not a pitch"),
        ([(c4, qn), (c4, 0)], r"item 1 .*cannot last 0 quarters"),
        ([(c4, -1)], r"item 0 .*cannot last -1 quarters"),
        ([(c4, "q")], r"item 0 .*'q' is not a length"),
        ([(c4, float("nan"))], r"item 0 .*nan is not a length"),
        ([(c4, float("inf"))], r"item 0 .*inf is not a length"),
        ([(c4, 1 + 1j)], r"item 0 .*is not a length"),
        ([(c4, 1e300)], r"item 0 .*cannot last"),
        ([(c4, 1e-9)], r"item 0 "),
        ([(c4, qn), c4], r"item 1 .*60 is not a pair"),
        ([[(c4, qn), (c4, qn)]], r"item 0 "),
        ([(c4, qn, qn)], r"item 0 .*not a pair"),
        ([((c4, (e4, g4)), qn)], r"item 0 .*\(64, 67\) is not a pitch"),
        ([((c4, rest), qn)], r"item 0 .*rest is not a pitch"),
        ([((), qn)], r"item 0 .*at least one pitch"),
        ([((c4, c4), qn)], r"item 0 .*stands twice"),
        ([(c4, 60_000), (c4, 60_000)], r"item 1 .*longer than 65,536 quarters"),
        (42, r"notes must be text or a list"),
        ({c4: qn}, r"notes must be text or a list"),
        (b"c4:q", r"notes must be text or a list"),
    ],
)
def test_a_bad_item_of_a_list_is_named_by_its_position(notes, words):
    with pytest.raises(NotationError, match=words):
        seq(notes)


def test_deep_nesting_is_refused_without_being_followed():
    nested = [c4]
    for _ in range(100_000):
        nested = [nested]
    with pytest.raises(NotationError, match="item 0"):
        seq(nested)
    with pytest.raises(NotationError, match="line 1, column 1"):
        seq("[" * 100_000)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("c4:q x4:q", r"line 1, column 6: 'x4' is not a pitch"),
        ("c4:q\nd4:q  e4:zz", r"line 2, column 7: 'zz' is not a duration"),
        ("c4", r"line 1, column 1: 'c4' has no duration"),
        ("c4:q d4 e4:q", r"line 1, column 6: 'd4' has no duration"),
        ("c4:", r"line 1, column 1: 'c4:' is not a note"),
        (":q", r"line 1, column 1: ':q' is not a note"),
        ("c4:q:e", r"line 1, column 1: 'c4:q:e' is not a note"),
        ("[c4 e4:q", r"line 1, column 1: .*not a chord"),
        ("[c4 [e4 g4]]:q", r"line 1, column 1: .*not a chord"),
        ("c4:q ]", r"line 1, column 6: .*not a chord"),
        ("[]:q", r"line 1, column 1: a chord needs"),
        ("[c4 r]:q", r"line 1, column 1: 'r' is not a pitch"),
        ("[c4 b#3]:q", r"line 1, column 1: pitch 60 \(c4\) stands twice"),
        ("128:q", r"line 1, column 1: pitch 128"),
        ("c4:q\x00", r"line 1, column 1"),
    ],
)
def test_a_bad_place_in_a_text_is_named_by_line_and_column(text, words):
    with pytest.raises(NotationError, match=words) as caught:
        seq(text)
    assert "\n" not in str(caught.value)


def test_ten_megabytes_of_text_are_refused_at_once():
    text = "c4:q d4:q " * 1_000_000
    started = time.perf_counter()
    with pytest.raises(NotationError, match=r"line 1, column 1000001: .*10,000,000 characters"):
        seq(text)
    assert time.perf_counter() - started < 0.5


def test_nothing_is_a_piece_without_notes():
    assert seq([]) == seq("  | ")
    assert seq([]).num_notes == 0


@given(melody_scores(min_notes=1, steps_per_quarter=12))
def test_text_reads_back_as_the_score_it_was_written_from(score):
    text = format_text(score)
    again = parse_text(text, qpm=score.qpm, meter=score.meter)
    assert again == score
    assert parse_text(format_text(score, with_bars=True)).parts == score.parts


@given(
    st.lists(
        st.tuples(
            st.one_of(
                st.just(rest),
                st.integers(0, 127),
                st.lists(st.integers(0, 127), min_size=1, max_size=5, unique=True),
            ),
            st.fractions(Fraction(1, 12), 8, max_denominator=12),
        )
    ),
    st.integers(-7, 7),
)
def test_chords_and_odd_lengths_survive_the_round_trip(items, fifths):
    score = seq(items, key=Key(0, fifths))
    division = score.ticks_per_quarter  # rests that follow each other may need a coarser one
    again = parse_text(format_text(score), key=Key(0, fifths), ticks_per_quarter=division)
    assert again == score


def test_text_shows_bars_and_spells_in_the_key():
    score = seq("bb3:h d4:h | f4:w", key="bb:major")
    assert format_text(score, with_bars=True) == "bb3:h d4:h | f4:w"


def test_two_voices_cannot_be_written_as_text():
    held = Part(Notes([0, 480], [960, 480], [60, 64]))
    with pytest.raises(NotationError, match=r"tick 0 overlap.*skyline"):
        format_text(Score((held,)))
    with pytest.raises(NotationError, match="2 parts have notes"):
        format_text(Score((held, held)))


@given(st.text(max_size=40) | st.text("abcdefg#bsr0123456789:qhwet./+[]| \n", max_size=60))
def test_any_text_is_music_or_a_notation_error(text):
    try:
        score = seq(text)
    except NotationError as error:
        assert str(error).startswith("line ")
    else:
        assert len(score.parts) == 1


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(rest),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner),
)


@given(st.lists(ANYTHING, max_size=4))
def test_any_list_is_music_or_a_notation_error(notes):
    try:
        score = seq(notes)
    except NotationError as error:
        assert str(error).startswith("item ")
    else:
        assert len(score.parts) == 1
