"""Names of notes: in the key, and where the line goes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partimento.music.keys import parse_key, scale_pitch_classes
from partimento.music.notation import seq
from partimento.music.pitches import pitch_number
from partimento.music.score import Key, Score
from partimento.music.spelling import key_heard, spell, spell_one

KEYS = [Key(0, fifths, is_minor) for fifths in range(-7, 8) for is_minor in (False, True)]


@given(st.integers(1, 126), st.sampled_from(KEYS), st.sets(st.integers(0, 127)))
def test_a_name_sounds_as_the_pitch(pitch, key, following):
    name = spell_one(pitch, key, tuple(following))
    assert name.pitch == pitch
    assert -2 <= name.alter <= 2


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_a_scale_takes_each_letter_once_and_no_sign_beside_the_signature(key):
    scale = [
        60 + (key.tonic + up) % 12
        for up in ((0, 2, 3, 5, 7, 8, 10) if key.is_minor else (0, 2, 4, 5, 7, 9, 11))
    ]
    names = [spell_one(pitch, key) for pitch in scale]
    assert len({name.step for name in names}) == 7
    assert sum(name.alter for name in names) == key.fifths


@pytest.mark.parametrize(
    "key, line, names",
    [
        ("c:major", "e4 d#4 e4", "E4 D#4 E4"),
        ("c:major", "e4 eb4 d4", "E4 Eb4 D4"),
        ("c:major", "a4 ab4 g4", "A4 Ab4 G4"),
        ("c:major", "g4 g#4 a4", "G4 G#4 A4"),
        ("a:minor", "a4 g#4 f#4 e4", "A4 G#4 F#4 E4"),
        ("g#:minor", "g#4 g4 g#4", "G#4 F##4 G#4"),
        ("eb:major", "eb4 e4 f4", "Eb4 E4 F4"),
        ("d:major", "c#5 c5 b4", "C#5 C5 B4"),
        ("gb:major", "cb5 bb4", "Cb5 Bb4"),
    ],
)
def test_lines_are_spelled_as_musicians_do(key, line, names):
    pitches = [pitch_number(word) for word in line.split()]
    found = spell(pitches, [parse_key(key)] * len(pitches))
    assert " ".join(map(str, found)) == names


def test_the_key_of_a_page_is_heard_where_there_is_enough_to_hear():
    tune = seq("d4:q e4:q f#4:q g4:q a4:q b4:q c#5:q d5:h")
    assert str(key_heard(tune.parts)) == "D major"
    assert key_heard(seq("f#4:q").parts) == Key(0, 0)
    assert key_heard(Score().parts) == Key(0, 0)
    assert set(scale_pitch_classes(key_heard(tune.parts))) >= {2, 6, 1}


@pytest.mark.parametrize("key", ["E major", "C# major", "Gb major"])
def test_no_name_lies_below_the_lowest_octave(key):
    for pitch in range(12):
        for following in ((), (pitch + 1,)):
            name = spell_one(pitch, parse_key(key), following)
            assert name.pitch == pitch
            assert name.octave >= -1
