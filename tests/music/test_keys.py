import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import melodies

from partimento.errors import MusicError, ParameterError
from partimento.music.examples import row_your_boat
from partimento.music.keys import (
    MAJOR_PROFILE,
    MINOR_PROFILE,
    estimate_key,
    key_of_tonic,
    parse_key,
    scale_pitch_classes,
    share_in_key,
)
from partimento.music.notation import seq
from partimento.music.notes import Notes
from partimento.music.score import Key

KEYS = st.builds(Key, st.just(0), st.integers(-7, 7), st.booleans())


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("g:major", "G major"),
        ("a minor", "A minor"),
        ("f#:minor", "F# minor"),
        ("Bb major", "Bb major"),
        ("bb", "Bb major"),
        ("b", "B major"),
        ("bm", "B minor"),
        ("bbm", "Bb minor"),
        ("CM", "C major"),
        ("Cm", "C minor"),
        ("C", "C major"),
        ("ef:min", "Eb minor"),
        ("fs_minor", "F# minor"),
        (" D♭-maj ", "Db major"),
        ("AMINOR", "A minor"),
    ],
)
def test_keys_are_read_as_people_write_them(text, name):
    assert str(parse_key(text)) == name


@given(KEYS)
def test_a_key_is_read_back_from_its_name(key):
    assert parse_key(str(key)) == key
    assert parse_key(key._replace(tick=99)) == key


@pytest.mark.parametrize(
    "text", ["", "h", "c dur", "major", "c:dorian", "4", None, "g#:major", "fb"]
)
def test_what_is_no_key_is_refused(text):
    with pytest.raises(ParameterError, match=r"key .* (unknown|seven sharps)"):
        parse_key(text)


@given(st.integers(0, 11), st.booleans())
def test_every_tonic_has_a_key_with_few_signs(tonic, is_minor):
    key = key_of_tonic(tonic, is_minor)
    assert (key.tonic, key.is_minor) == (tonic, is_minor)
    assert abs(key.fifths) <= 6


def test_scales_start_on_the_tonic():
    assert scale_pitch_classes(parse_key("g")) == (7, 9, 11, 0, 2, 4, 6)
    assert scale_pitch_classes(parse_key("e minor")) == (4, 6, 7, 9, 11, 0, 2)
    assert set(scale_pitch_classes(parse_key("e minor"), with_raised=True)) == {
        *(4, 6, 7, 9, 11, 0, 2),
        *(1, 3),
    }


def test_the_share_counts_notes():
    notes = seq("c4:q d4:q f#4:w g4:q").parts[0].notes
    assert share_in_key(notes, parse_key("c")) == 0.75
    assert share_in_key(notes, parse_key("g")) == 1
    assert share_in_key(Notes(), parse_key("g")) == 1
    leading = seq("g#4:q a4:q").parts[0].notes
    assert share_in_key(leading, parse_key("a minor")) == 1
    assert share_in_key(leading, parse_key("a minor"), with_raised=False) == 0.5


@given(st.integers(0, 11), st.booleans())
def test_notes_as_long_as_a_profile_says_are_in_its_key(tonic, is_minor):
    profile = MINOR_PROFILE if is_minor else MAJOR_PROFILE
    pitch = [60 + (tonic + degree) % 12 for degree in range(12)]
    notes = Notes(list(range(12)), [int(100 * share) for share in profile], pitch)
    assert estimate_key(notes) == key_of_tonic(tonic, is_minor)


def test_the_key_of_a_known_tune():
    assert str(estimate_key(row_your_boat().parts[0].notes)) == "C major"
    assert str(estimate_key(seq("a4:h b4:q c5:q d5:q e5:h g#4:q a4:w").parts[0].notes)) == "A minor"


@given(melodies(min_notes=1, lowest=60, highest=71), st.integers(-12, 12))
def test_the_key_moves_with_the_notes(notes, semitones):
    key = estimate_key(notes)
    moved = estimate_key(Notes(notes.onset, notes.duration, notes.pitch + semitones))
    if len(set((notes.pitch % 12).tolist())) > 3:  # fewer leave keys level, and the first is taken
        assert moved.tonic == (key.tonic + semitones) % 12


def test_silence_has_no_key():
    with pytest.raises(MusicError, match="no notes, no key"):
        estimate_key(Notes())
