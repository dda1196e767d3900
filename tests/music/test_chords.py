"""Names of chords."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from partimento.music.chords import NAMES, QUALITIES, Chord, chord_of, chords_of, tone_name
from partimento.music.keys import parse_key


@pytest.mark.parametrize(
    ("pitches", "name"),
    [
        ([48, 64, 67, 72], "C"),
        ([52, 55, 60, 72], "C/E"),
        ([47, 62, 65, 67], "G7/B"),
        ([45, 60, 64, 69], "Am"),
        ([48, 52, 55, 59], "Cmaj7"),
        ([48, 57, 64, 67], "Am7/C"),
        ([50, 65, 69, 71], "Bm7b5/D"),
        ([47, 50, 53, 56], "Bdim7"),
        ([60, 67], "C5"),
        ([60, 64], "C"),  # the fifth may be missing
        ([43, 59, 65], "G7"),
        ([55, 60, 62, 67], "Gsus4"),
        ([60, 72], "C alone"),
        ([60, 61], "C with c#"),
        ([46, 50, 53, 58], "Bb"),
        ([48, 55, 64, 65], "C with f"),
    ],
)
def test_chords_have_their_usual_names(pitches, name):
    assert str(chord_of(pitches)) == name


def test_nothing_sounds_and_has_no_name():
    assert chord_of([]) is None
    assert chords_of(np.array([[-1, -1, -1, -1], [72, 67, 64, 48]])) == [None, Chord(0, "", 0)]


@pytest.mark.parametrize("quality", NAMES)
@pytest.mark.parametrize("root", [0, 5, 11])
def test_every_chord_in_root_position_is_found(quality, root):
    chord = chord_of([36 + root, *(60 + root + interval for interval in QUALITIES[quality])])
    assert chord == Chord(root, quality, root)


def test_tones_are_spelled_by_the_key():
    flats, sharps = parse_key("f minor"), parse_key("e major")
    assert chord_of([56, 60, 63]).name(flats) == "Ab"
    assert chord_of([56, 60, 63]).name(sharps) == "G#"
    assert tone_name(11, parse_key("c minor")) == "B"


@given(st.lists(st.integers(0, 127), min_size=1, max_size=6), st.integers(0, 11))
def test_a_chord_moves_with_its_pitches(pitches, semitones):
    chord, moved = chord_of(pitches), chord_of([pitch + semitones for pitch in pitches])
    assert moved.quality == chord.quality
    assert moved.root == (chord.root + semitones) % 12
    assert moved.bass == (min(pitches) + semitones) % 12
    tones = {(moved.root + step) % 12 for step in QUALITIES.get(moved.quality, (0,))}
    assert {(pitch + semitones) % 12 for pitch in pitches} <= tones | set(moved.others)


@given(st.sampled_from("cdefgab"), st.sampled_from(["", "b", "#"]), st.booleans())
def test_every_tone_has_one_name_in_every_key(letter, sign, is_minor):
    try:
        key = parse_key(f"{letter}{sign} {'minor' if is_minor else 'major'}")
    except ValueError:
        return
    assert len({tone_name(tone, key) for tone in range(12)}) == 12
