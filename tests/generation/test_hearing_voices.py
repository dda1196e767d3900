"""What four-voice models hear of a piece, and how it comes back."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import melodies, scores

from partimento.errors import ParameterError, PartimentoError, VocabularyError
from partimento.generation.hearing_voices import hear_voices
from partimento.music.examples import row_your_boat
from partimento.music.four_voices import SILENT, FourVoices
from partimento.music.notation import seq
from partimento.music.score import Meter, Part, Score
from partimento.representations.satb import SatbRepresentation

SATB = SatbRepresentation()


def filled(heard, pitch=55):
    """Answer with one pitch in all voices that are not there."""
    table = np.where(heard.is_given, heard.voices.pitch, pitch)
    struck = np.where(heard.is_given, heard.voices.is_struck, heard.lead[:, None])
    return FourVoices(table, struck, 4, heard.first)


def test_a_melody_is_the_soprano_and_the_rest_is_unknown():
    heard = hear_voices(seq("c5:q d5:e e5:e f5:h"), SATB)
    assert heard.is_given.tolist() == [True, False, False, False]
    assert heard.tokens.shape == (16, 4)
    assert (heard.tokens[:, 1:] == SATB.unknown).all()
    assert heard.tokens[:7, 0].tolist() == [37, 37, 37, 37, 39, 39, 41]
    assert np.flatnonzero(heard.lead).tolist() == [0, 4, 6, 8]


def test_triplets_are_refused_or_heard_on_the_nearest_step():
    with pytest.raises(ParameterError, match=r"8 of 27 notes \(30%\) stand off"):
        hear_voices(row_your_boat(), SATB)
    heard = hear_voices(row_your_boat(), SATB, fit=True)
    assert "up to 0.08 of a quarter" in heard.remarks[0]
    # The piece keeps its triplets, and the written voices begin their notes with them.
    score = heard.with_voices(filled(heard))
    assert score.parts[0] == row_your_boat().parts[0]
    assert (score.parts[1].notes.onset == score.parts[0].notes.onset).all()


def test_written_voices_are_parts_with_names():
    heard = hear_voices(seq("c5:q d5:q").with_meter("2/4"), SATB)
    score = heard.with_voices(filled(heard))
    assert [part.name for part in score.parts] == ["", "Alto", "Tenor", "Bass"]
    assert score.meter == Meter(0, 2, 4)
    assert score.parts[3].notes.pitch.tolist() == [55, 55]


def test_an_eighth_is_the_beat_of_a_jig():
    jig = seq("c5:e d5:e e5:e f5:q e5:e").with_meter("6/8")
    heard = hear_voices(jig, SATB)
    assert heard.time_factor == 2
    assert len(heard) == 24
    assert np.flatnonzero(heard.lead).tolist() == [0, 4, 8, 12, 20]
    score = heard.with_voices(filled(heard))
    assert (score.parts[1].notes.onset == jig.parts[0].notes.onset).all()
    assert score.end_tick == jig.end_tick


def test_a_half_is_the_beat_of_three_halves_unless_notes_are_short():
    slow = seq("c5:h d5:q e5:q f5:h").with_meter("3/2")
    assert hear_voices(slow, SATB).time_factor == Fraction(1, 2)
    quick = seq("c5:s d5:s e5:s d5:s " * 6).with_meter("3/2")
    assert hear_voices(quick, SATB).time_factor == 1


def test_an_upbeat_is_heard_where_it_stands_in_its_beat():
    upbeat = seq("r:q. c5:e d5:q e5:q").with_meter("2/4")
    heard = hear_voices(upbeat, SATB)
    assert heard.first == 2
    assert heard.first_tick == 720
    assert SATB.positions(4, heard.first).tolist() == [14, 15, 0, 1]
    assert heard.with_voices(filled(heard)).parts[1].notes.onset.tolist() == [720, 960, 1440]


def test_a_high_melody_is_heard_lower_and_answered_higher():
    heard = hear_voices(seq("c6:q d6:q"), SATB)  # two semitones above Bach's sopranos
    assert heard.shift == -5
    assert "5 semitones lower" in heard.remarks[0]
    score = heard.with_voices(filled(heard, 55))
    assert score.parts[0].notes.pitch.tolist() == [84, 86]
    assert score.parts[1].notes.pitch.tolist() == [60, 60]


def test_a_melody_out_of_range_is_refused_or_moved_by_octaves():
    low = seq("c2:q d2:q e2:q")
    with pytest.raises(VocabularyError, match=r"the soprano spans c2-e2 \(Bach's c4-a5\)"):
        hear_voices(low, SATB)
    heard = hear_voices(low, SATB, fit=True)
    assert heard.shift == 24
    assert "2 octaves higher" in heard.remarks[0]
    assert hear_voices(low, SATB, voices="bass").shift == 0
    wide = seq("c1:q c8:q")
    with pytest.raises(VocabularyError, match="no transposition"):
        hear_voices(wide, SATB, fit=True)


def test_one_note_is_music_and_none_is_not():
    assert len(hear_voices(seq("c5:s"), SATB)) == 1
    with pytest.raises(ParameterError, match="no notes"):
        hear_voices(Score(), SATB)


def test_ten_thousand_bars_are_too_many():
    with pytest.raises(ParameterError, match="160,000 steps"):
        hear_voices(seq("c5:w").repeat(10_000), SATB)


def test_bars_are_found_and_rewritten_and_the_rest_is_untouched():
    line = "c5:q d5:q e5:q f5:q g5:h e5:h c5:w"
    piece = seq(line).stack(seq("c3:w g3:w c3:w"))
    heard = hear_voices(piece, SATB)
    steps = heard.steps_of_bars(2, 2)
    assert steps == slice(16, 32)
    is_written = np.zeros((48, 4), dtype=bool)
    is_written[steps, 0] = True
    pitch = np.where(is_written, 76, heard.voices.pitch)
    score = heard.with_voices(FourVoices(pitch, heard.voices.is_struck), is_written)
    assert score.parts[0].notes.pitch.tolist() == [72, 74, 76, 77, 76, 76, 72]
    assert score.parts[0].notes.onset.tolist() == [0, 480, 960, 1440, 1920, 2880, 3840]
    assert score.parts[1] == piece.parts[1]
    with pytest.raises(ParameterError, match="within 1-3"):
        heard.steps_of_bars(3, 4)


def test_a_note_that_reaches_into_rewritten_bars_is_shortened():
    heard = hear_voices(seq("c5:h d5:w e5:h"), SATB)
    is_written = np.zeros((32, 4), dtype=bool)
    is_written[16:20, 0] = True
    score = heard.with_voices(filled(heard), is_written | ~heard.is_given)
    soprano = score.parts[0].notes
    assert soprano.onset.tolist() == [0, 960, 1920, 2400, 2880]
    assert soprano.pitch.tolist() == [72, 74, 74, 74, 76]


@given(
    melodies(min_notes=1, lowest=60, highest=81),
    st.sampled_from([(4, 4), (3, 4), (6, 8), (3, 2)]),
)
def test_what_is_given_comes_back_untouched(notes, meter):
    score = Score(parts=(Part(notes, "tune"),), meters=(Meter(0, *meter),))
    heard = hear_voices(score, SATB)
    answer = heard.with_tokens(np.full((len(heard), 4), 20))
    assert answer.parts[0] == score.parts[0]
    assert len(answer.parts) == 4
    nothing = heard.with_voices(heard.voices, np.zeros(4, dtype=bool))
    assert nothing == replace(score, parts=score.parts)
    if heard.time_factor >= 1:  # sixteenths of the piece are on the grid
        sounding = heard.voices.pitch[:, 0] != SILENT
        assert sounding.sum() * Fraction(480, 4) / heard.time_factor == notes.duration.sum()


@given(scores(max_parts=5, max_notes=12), st.booleans(), st.data())
def test_any_music_is_heard_or_refused_in_a_line(score, fit, data):
    try:
        heard = hear_voices(score, SATB, fit=fit)
    except PartimentoError as error:
        assert "\n" not in str(error)
        return
    tokens = heard.tokens
    assert tokens.shape == (len(heard), 4)
    kept = heard.with_voices(heard.voices, np.zeros(4, dtype=bool))
    assert kept.parts == score.with_ticks_per_quarter(kept.ticks_per_quarter).parts
    start = data.draw(st.integers(0, len(heard) - 1))
    stop = data.draw(st.integers(start + 1, len(heard)))
    is_written = np.zeros(tokens.shape, dtype=bool)
    is_written[start:stop, data.draw(st.integers(0, 3))] = True
    answer = heard.with_tokens(np.full(tokens.shape, 20), is_written | ~heard.is_given)
    # Heard again, the cells that were not written are the same.
    for voice in np.flatnonzero(heard.is_given).tolist():
        if not is_written[:, voice].any():
            index = heard.parts[voice]
            if heard.parts.count(index) == 1:
                assert answer.parts[index] == kept.parts[index]
