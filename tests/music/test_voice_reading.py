"""Finding soprano, alto, tenor and bass in scores of all kinds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import melodies

from partimento.errors import ParameterError
from partimento.music.four_voices import VOICES
from partimento.music.notation import seq
from partimento.music.notes import Notes
from partimento.music.score import Part, Score
from partimento.music.voice_reading import lines_of, voice_numbers, voices_of

HYMN = ("c5:q d5:q e5:h", "g4:q g4:q g4:h", "e4:q d4:q c4:h", "c3:q b2:q c3:h")


def hymn(*names):
    parts = [Part(seq(line).parts[0].notes, name) for line, name in zip(HYMN, names, strict=True)]
    return Score(parts=tuple(parts))


@pytest.mark.parametrize(
    "names",
    [
        ("Soprano", "Alto", "Tenor", "Bass"),
        ("CANTVS.", "ALTVS.", "TENOR.", "BASSVS."),
        ("Discantus", "Altus", "Tenore", "Baſso"),
        ("S", "A", "T", "B"),
        ("", "", "", ""),
    ],
)
def test_four_parts_are_the_four_voices(names):
    assert voices_of(hymn(*names)).parts == (0, 1, 2, 3)


def test_names_come_before_pitch():
    assert voices_of(hymn("Bass", "Tenor", "Alto", "Soprano")).parts == (3, 2, 1, 0)


def test_names_that_say_one_voice_twice_do_not_count():
    assert voices_of(hymn("Tenor I", "Tenor II", "Bass I", "Bass II")).parts == (0, 1, 2, 3)


def test_a_word_in_a_title_is_no_voice():
    tune = Score(parts=(Part(seq("c5:q d5:q").parts[0].notes, "Better than a bass, A"),))
    assert voices_of(tune).parts == (0, None, None, None)


def test_a_part_without_a_name_takes_the_place_its_pitch_says():
    parts = [hymn("", "", "", "").parts[index] for index in (3, 0, 2)]
    read = voices_of(Score(parts=tuple(parts)))
    assert read.parts == (1, None, 2, 0)
    assert "part 1 the bass" in read.remarks[0]


def test_two_staves_are_taken_apart():
    soprano, alto, tenor, bass = (seq(line).parts[0].notes for line in HYMN)

    def staff(*lines):
        columns = [
            np.concatenate([getattr(notes, name) for notes in lines])
            for name in ("onset", "duration", "pitch")
        ]
        return Part(Notes(*columns))

    read = voices_of(Score(parts=(staff(soprano, alto), staff(tenor, bass))))
    assert read.parts == (0, 0, 1, 1)
    assert list(read.notes) == [soprano, alto, tenor, bass]
    closed = voices_of(Score(parts=(staff(soprano, alto, tenor, bass),)))
    assert list(closed.notes) == [soprano, alto, tenor, bass]


def test_lines_that_meet_sing_in_unison():
    chords = Notes([0, 0, 480, 960, 960], [480] * 5, [60, 64, 62, 60, 64])
    upper, lower = lines_of(chords)
    assert upper.pitch.tolist() == [64, 62, 64]
    assert lower.pitch.tolist() == [60, 62, 60]


def test_a_tune_with_chords_is_a_tune():
    tune = seq("c5:q d5:q e5:q c5:q").stack(seq([((48, 52, 55), 1.0)] * 4))
    read = voices_of(tune)
    assert read.parts == (0, None, None, None)
    assert read.left_aside == (1,)


def test_parts_can_be_named_in_order_or_by_number():
    score = hymn("", "", "", "")
    assert voices_of(score, "soprano=2,bass=1").parts == (1, None, None, 0)
    assert voices_of(score, "bass,tenor,alto,soprano").parts == (3, 2, 1, 0)
    assert voices_of(score, "alto").parts == (None, 0, None, None)


@pytest.mark.parametrize(
    ("voices", "message"),
    [
        ("mezzo", "voice 'mezzo' is unknown"),
        ("", "got nothing"),
        ("soprano,soprano", "a voice twice"),
        ("soprano,bass", "names 2 voices, 4 parts have notes"),
        ("soprano=1,bass=1", "a part twice"),
        ("soprano=9", "number from 1 to 4"),
        ("soprano=", "number from 1 to 4"),
    ],
)
def test_what_is_asked_for_wrongly_is_refused(voices, message):
    with pytest.raises(ParameterError, match=message):
        voices_of(hymn("", "", "", ""), voices)


def test_chords_where_one_voice_is_wanted_are_refused_or_their_outer_line_taken():
    chords = seq([((60, 64, 67), 1.0), ((60, 65, 69), 1.0)])
    with pytest.raises(ParameterError, match="must be one line, part 1 has chords"):
        voices_of(chords, "soprano")
    assert voices_of(chords, "soprano", fit=True).notes[0].pitch.tolist() == [67, 69]
    assert voices_of(chords, "bass", fit=True).notes[3].pitch.tolist() == [60, 60]


def test_no_notes_and_too_many_parts_are_refused():
    with pytest.raises(ParameterError, match="no notes"):
        voices_of(Score())
    many = Score(parts=(*hymn("", "", "", "").parts, Part(Notes([0], [1], [60]))))
    with pytest.raises(ParameterError, match="5 parts are lines"):
        voices_of(many)
    cluster = seq([(tuple(range(60, 66)), 1.0)])
    with pytest.raises(ParameterError, match="not two to four voices"):
        voices_of(cluster)


def test_names_of_voices_are_read_in_any_order_and_spelling():
    assert voice_numbers("B, alto") == (1, 3)
    with pytest.raises(ParameterError, match="each once"):
        voice_numbers("alto,A")


@given(st.lists(melodies(min_notes=1), min_size=1, max_size=4))
def test_parts_of_one_line_come_back_as_they_are(lines):
    read = voices_of(Score(parts=tuple(Part(notes) for notes in lines)))
    assert sorted(part for part in read.parts if part is not None) == list(range(len(lines)))
    for voice in range(len(VOICES)):
        if read.parts[voice] is not None:
            assert read.notes[voice] == lines[read.parts[voice]]


def test_notes_shorter_than_legato_make_no_lines():
    assert lines_of(Notes([0, 1], [1, 1], [0, 1]), tolerance=6) == []
