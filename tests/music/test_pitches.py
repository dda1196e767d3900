import pytest
from hypothesis import given
from hypothesis import strategies as st

from partimento.errors import NotationError
from partimento.music import pitches
from partimento.music.pitches import pitch_name, pitch_number
from partimento.music.score import Key

KEYS = st.builds(Key, st.just(0), st.integers(-7, 7), st.booleans())


def named_pitches():
    return {name: value for name, value in vars(pitches).items() if type(value) is int}


def test_names_run_from_c0_to_g9_and_middle_c_is_60():
    assert (pitches.c0, pitches.c4, pitches.a4, pitches.g9) == (12, 60, 69, 127)
    assert not hasattr(pitches, "gs9")


def test_sharps_and_flats_of_every_letter_lie_a_semitone_beside_it():
    assert (pitches.cs4, pitches.df4, pitches.fs4, pitches.gf4) == (61, 61, 66, 66)
    assert (pitches.bf3, pitches.b3, pitches.bs3, pitches.cf4) == (58, 59, 60, 59)
    assert (pitches.es4, pitches.ff4) == (pitches.f4, pitches.e4)


def test_every_python_name_is_read_from_text_as_the_same_pitch():
    names = {n: v for n, v in named_pitches().items() if n[-1].isdigit() and len(n) < 4}
    assert len(names) == 9 * 21 + 5 + 4 + 5
    assert all(pitch_number(name) == value for name, value in names.items())


@pytest.mark.parametrize(
    ("name", "pitch"),
    [
        ("bb3", 58),  # B flat, not a double flat of nothing
        ("b3", 59),
        ("bbb3", 57),
        ("bf3", 58),
        ("Bb3", 58),
        ("f#4", 66),
        ("F♯4", 66),
        ("e♭4", 63),
        ("ff4", 64),
        ("fff4", 63),
        ("css4", 62),
        ("c-1", 0),
        ("as4", 70),
    ],
)
def test_text_spells_accidentals_with_signs_or_letters(name, pitch):
    assert pitch_number(name) == pitch


@pytest.mark.parametrize("name", ["h4", "c", "c10", "4", "", "c#b4", "cbf4", "gs9", "cf-1", "c٤"])
def test_what_is_no_pitch_is_refused(name):
    with pytest.raises(NotationError, match=r"pitch"):
        pitch_number(name)


@given(st.integers(0, 127), st.none() | KEYS, st.booleans())
def test_a_name_is_read_back_as_its_pitch(pitch, key, with_signs):
    assert pitch_number(pitch_name(pitch, key, with_signs=with_signs)) == pitch


@given(KEYS)
def test_the_scale_of_a_key_takes_each_letter_once(key):
    major_tonic = 7 * key.fifths % 12
    letters = {pitch_name(60 + (major_tonic + d) % 12, key)[0] for d in (0, 2, 4, 5, 7, 9, 11)}
    assert letters == set("abcdefg")


def test_minor_keys_spell_their_leading_tone_as_a_sharp():
    assert pitch_name(66, Key(0, -2, is_minor=True)) == "fs4"  # G minor
    assert pitch_name(68, Key(0, 0, is_minor=True)) == "gs4"  # A minor


@pytest.mark.parametrize("pitch", [-1, 128])
def test_only_midi_pitches_have_names(pitch):
    with pytest.raises(NotationError, match="has no name"):
        pitch_name(pitch)


def test_rest_is_no_number():
    assert repr(pitches.rest) == "rest"
    assert not isinstance(pitches.rest, int)
