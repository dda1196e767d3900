import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import melody_scores, scores

from partimento.errors import ParameterError
from partimento.music.notation import format_text, seq
from partimento.music.notes import Notes
from partimento.music.score import Control, Key, Meter, Part, Score, Tempo, Text
from partimento.music.timing import BarMap


def test_bars_and_quarters_are_cut_out():
    tune = seq("c4:w d4:h e4:h f4:w")
    assert format_text(tune.slice(1, 2)) == "d4:h e4:h"
    assert format_text(tune.slice(1)) == "d4:h e4:h f4:w"
    assert format_text(tune.slice(stop=1)) == "c4:w"
    assert format_text(tune.slice(-1)) == "f4:w"
    assert format_text(tune.slice(4, 6, unit="quarters")) == "d4:h"
    assert format_text(tune.slice(0.5, 1.25, unit="quarters")) == "c4:e."
    assert format_text(tune.slice(-480, unit="ticks")) == "f4:q"


def test_notes_that_cross_an_edge_are_cut_there():
    assert format_text(seq("c4:h. d4:h.").slice(2, 4, unit="quarters")) == "c4:q d4:q"


@given(melody_scores(min_notes=1), st.data())
def test_two_halves_cut_at_a_bar_line_join_to_the_same_lengths(score, data):
    bars = BarMap.of(score).count(score.end_tick)
    middle = data.draw(st.integers(1, bars)) if bars > 1 else 1
    first = score.slice(0, middle)
    joined = first.concat(score.slice(middle)) if middle < bars else first
    assert joined.end_tick == score.end_tick
    assert joined.meters == score.meters
    sounding = sum(part.notes.duration.sum() for part in joined.parts)
    assert sounding == sum(part.notes.duration.sum() for part in score.parts)


@given(scores(), st.integers(0, 3000), st.integers(1, 3000))
def test_what_holds_at_the_start_is_written_there(score, start, length):
    if start >= score.end_tick:
        return
    cut = score.slice(start, start + length, unit="ticks")
    assert cut.end_tick == min(start + length, score.end_tick) - start
    for name in ("tempo_map", "meter_map", "keys"):
        before = [event[1:] for event in getattr(score, name) if event.tick <= start][-1:]
        after = [event[1:] for event in getattr(cut, name) if event.tick == 0]
        assert after == before
    for old, new in zip(score.parts, cut.parts, strict=True):
        for number in {control.number for control in old.controls}:
            before = [c[1:] for c in old.controls if c.number == number and c.tick <= start][-1:]
            after = [c[1:] for c in new.controls if c.number == number and c.tick == 0]
            assert after == before
        assert (
            len(new.notes)
            == ((old.notes.onset < start + length) & (old.notes.offset > start)).sum()
        )


@given(scores())
def test_the_whole_of_a_piece_is_the_piece(score):
    if score.end_tick:
        whole = score.slice()
        assert [part.notes for part in whole.parts] == [part.notes for part in score.parts]
        assert whole.end_tick == score.end_tick


def test_texts_inside_are_kept_and_remarks_speak_of_the_whole():
    score = Score(
        (Part(Notes([0], [3840], [60]), lyrics=(Text(0, "a"), Text(1920, "b"))),),
        markers=(Text(0, "A"), Text(1920, "B")),
        remarks=(Text(0, "by nobody"), Text(3000, "here")),
    ).slice(1)
    assert score.parts[0].lyrics == (Text(0, "b"),)
    assert score.markers == (Text(0, "B"),)
    assert score.remarks == (Text(0, "by nobody"), Text(1080, "here"))


@pytest.mark.parametrize(
    ("edges", "unit", "words"),
    [
        ((2, 2), "bars", "start must come before stop: 2 to 2"),
        ((3, None), "bars", "3 to the end .* piece of 3 bars"),
        ((0.5, 1), "bars", "whole number of bars"),
        ((0, 1), "beats", "unit must be"),
        ((float("nan"), 1), "quarters", "start must be a number"),
        ((0, float("inf")), "bars", "stop must be a number"),
    ],
)
def test_edges_that_hold_nothing_are_refused(edges, unit, words):
    with pytest.raises(ParameterError, match=words):
        seq("c4:w d4:w e4:w").slice(*edges, unit=unit)


def test_cropping_takes_the_silence_away_up_to_bar_lines():
    score = seq("r:w r:q c4:q r:h r:w r:w")
    assert format_text(score.crop()) == "r:q c4:q r:h"
    assert format_text(score.crop(at_bar=False)) == "c4:q"


@given(scores())
def test_cropping_loses_no_note_and_cropping_twice_is_cropping_once(score):
    cropped = score.crop(at_bar=False)
    assert cropped.num_notes == score.num_notes
    assert cropped.crop(at_bar=False) == cropped


def test_cropping_silence_leaves_it():
    assert seq("r:w").crop() == seq("r:w")


def test_tempo_meter_key_and_pedal_of_a_late_slice():
    score = Score(
        (Part(Notes([0], [9600], [60]), controls=(Control(10, 64, 127), Control(20, 64, 0))),),
        tempos=(Tempo(100, 400_000),),
        meters=(Meter(0, 3, 4),),
        keys=(Key(0, 2),),
    ).slice(15, 25, unit="ticks")
    assert score.parts[0].controls == (Control(0, 64, 127), Control(5, 64, 0))
    assert score.tempos == ()
    assert (score.meters, score.keys) == ((Meter(0, 3, 4),), (Key(0, 2),))
