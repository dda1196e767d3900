from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import melodies, scores

from partimento.errors import MusicError, ParameterError
from partimento.music.notation import format_text, seq
from partimento.music.notes import MAX_TICK, Notes
from partimento.music.score import Control, Key, Meter, Part, Score, Tempo, Text
from partimento.music.transforms import quantization_shift


def text(score):
    return format_text(score)


def test_a_delay_rests_first_under_the_same_meter():
    score = seq("c4:q", meter="3/4").delay(3)
    assert text(score) == "r:h. c4:q"
    assert score.meters == (Meter(0, 3, 4),)


@pytest.mark.parametrize("quarters", [-1, float("nan"), 1e12])
def test_a_delay_outside_time_is_refused(quarters):
    with pytest.raises(ParameterError, match="quarters"):
        seq("c4:q").delay(quarters)


def test_stretching_multiplies_every_length():
    assert text(seq("c4:q r:e d4:e").stretch(2)) == "c4:h r:q d4:q"
    assert text(seq("c4:q d4:q").stretch(Fraction(2, 3))) == "c4:qt d4:qt"
    assert text(seq("c4:q d4:q").stretch(0.5)) == "c4:e d4:e"


@given(scores(), st.integers(1, 7))
def test_stretching_and_shrinking_again_changes_nothing(score, factor):
    assert score.stretch(factor).stretch(Fraction(1, factor)) == score


@pytest.mark.parametrize("factor", [0, -1, float("nan"), float("inf"), 1e9])
def test_a_factor_outside_reason_is_refused(factor):
    with pytest.raises(ParameterError, match="factor"):
        seq("c4:q").stretch(factor)


def test_a_piece_cannot_be_stretched_beyond_the_last_tick():
    with pytest.raises(MusicError, match="beyond tick"):
        Score(end_tick=MAX_TICK).stretch(2)


def test_backwards_each_note_ends_where_it_began():
    assert text(seq("c4:q d4:e. r:s e4:h").reverse()) == "e4:h r:s d4:e. c4:q"


def test_backwards_tempo_meter_key_and_pedal_hold_over_the_same_music():
    score = Score(
        parts=(Part(Notes([0, 960], [480, 480], [60, 62]), controls=((480, 64, 127),)),),
        tempos=(Tempo(960, 250_000),),
        meters=(Meter(0, 2, 4), Meter(960, 1, 4)),
        keys=(Key(0, 1), Key(960, 2)),
        markers=(Text(960, "B"),),
        end_tick=1440,
    ).reverse()
    assert score.tempos == (Tempo(0, 250_000), Tempo(480, 500_000))
    assert score.meters == (Meter(0, 1, 4), Meter(480, 2, 4))
    assert score.keys == (Key(0, 2), Key(480, 1))
    assert score.parts[0].controls == (Control(0, 64, 127), Control(960, 64, 0))
    assert score.markers == (Text(480, "B"),)


def test_backwards_syllables_go_with_their_notes():
    part = Part(Notes([0, 480], [480, 960], [60, 62]), lyrics=(Text(0, "la"), Text(480, "li")))
    assert Score((part,)).reverse().parts[0].lyrics == (Text(0, "li"), Text(960, "la"))


@given(scores())
def test_backwards_twice_gives_the_same_notes_and_end(score):
    again = score.reverse().reverse()
    assert [part.notes for part in again.parts] == [part.notes for part in score.parts]
    assert again.end_tick == score.end_tick


@given(scores())
def test_backwards_twice_gives_the_same_maps_inside_the_piece(score):
    ticks = range(0, score.end_tick, 97)
    again = score.reverse().reverse()
    for name in ("tempo_map", "meter_map"):
        assert in_force(getattr(again, name), ticks) == in_force(getattr(score, name), ticks)


def in_force(events, ticks):
    return [[event for event in events if event.tick <= tick][-1][1:] for tick in ticks]


def test_quantizing_moves_onsets_and_offsets_to_the_nearest_step():
    notes = Notes([10, 470, 1000], [400, 500, 10], [60, 62, 64])
    score = Score((Part(notes, lyrics=(Text(470, "la"),)),)).quantize(2)
    assert score.parts[0].notes == Notes([0, 480, 960], [480, 480, 240], [60, 62, 64])
    assert score.parts[0].lyrics == (Text(480, "la"),)


@given(scores(), st.sampled_from((1, 2, 3, 4, 12)))
def test_quantizing_twice_is_quantizing_once(score, steps_per_quarter):
    once = score.quantize(steps_per_quarter)
    assert once.quantize(steps_per_quarter) == once
    assert quantization_shift(once, steps_per_quarter).largest_qn == 0


@given(scores(), st.sampled_from((1, 2, 3, 4, 12)))
def test_quantizing_moves_onsets_as_far_as_it_says(score, steps_per_quarter):
    shift = score.quantization_shift(steps_per_quarter)
    grid = score.quantize(steps_per_quarter)
    moved = [
        np.abs(np.sort(new.notes.onset) - old.notes.onset) / score.ticks_per_quarter
        for new, old in zip(grid.parts, score.parts, strict=True)
    ]
    distances = np.concatenate([*moved, [0.0]])
    assert shift.largest_qn == pytest.approx(distances.max())
    assert shift.largest_qn <= 0.5 / steps_per_quarter + 1e-9
    if score.num_notes:
        assert shift.mean_qn == pytest.approx(distances[:-1].mean())
        assert shift.moved_share == pytest.approx((distances[:-1] > 0).mean())


@given(melodies())
def test_what_lies_on_the_grid_stays(notes):
    score = Score((Part(notes),))
    assert score.quantize(4) == score
    assert score.quantization_shift(4).moved_share == 0


@pytest.mark.parametrize("steps", [0, -4, 1000])
def test_a_grid_that_is_none_is_refused(steps):
    for verb in (Score.quantize, Score.quantization_shift):
        with pytest.raises(ParameterError, match="steps_per_quarter"):
            verb(seq("c4:q"), steps)


@given(scores(), st.integers(1, 8))
def test_a_finer_division_and_back_changes_nothing(score, times):
    fine = score.with_ticks_per_quarter(score.ticks_per_quarter * times)
    assert fine.duration_qn == score.duration_qn
    assert fine.with_ticks_per_quarter(score.ticks_per_quarter) == score


def test_a_coarser_division_is_refused_unless_it_may_round():
    score = seq("c4:e d4:s e4:s")
    assert score.with_ticks_per_quarter(24).ticks_per_quarter == 24
    with pytest.raises(MusicError, match=r"tick 240 of 480 a quarter is no whole tick of 1"):
        score.with_ticks_per_quarter(1)
    rounded = score.with_ticks_per_quarter(4, may_round=True).parts[0].notes
    assert rounded == Notes([0, 2, 3], [2, 1, 1], [60, 62, 64])


@pytest.mark.parametrize("division", [0, 32768, -1])
def test_a_division_that_midi_cannot_write_is_refused(division):
    with pytest.raises(ParameterError, match="ticks_per_quarter must be 1 to 32767"):
        seq("c4:q").with_ticks_per_quarter(division)
