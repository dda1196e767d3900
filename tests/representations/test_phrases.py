"""Phrases of several instruments: cut to rolls, moved to C, and read as parts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from partimento.errors import ParameterError
from partimento.music.keys import parse_key
from partimento.music.score import Meter
from partimento.music.track_rolls import grid_notes, lay_tracks
from partimento.representations.phrases import PhraseRepresentation, in_c

FOUR = PhraseRepresentation()


@st.composite
def phrases(draw):
    """Any decisions laid out as rolls: what is struck sounds."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    onset = generator.random(FOUR.shape[1:]) < 0.01
    sustain = onset | (generator.random(FOUR.shape[1:]) < 0.01)
    return np.stack([onset, sustain])


@given(phrases())
def test_what_is_played_is_what_the_rolls_say(phrase):
    score = FOUR.score_of(phrase, 0)
    for track, part in enumerate(score.parts):
        laid = lay_tracks([grid_notes(part.notes, 480, 4)], FOUR.steps)
        low, high = FOUR.lowest[track], FOUR.lowest[track] + FOUR.pitches
        reach = FOUR.reach[track] - low
        assert laid.sustain[0, :, : FOUR.reach[track]].sum() == 0
        above = laid.sustain[0, :, FOUR.reach[track] + 12 : high]
        assert (above == phrase[1, track, :, reach + 12 :]).all()


@given(phrases(), st.sampled_from(["C major", "D minor", "F# major", "Eb major"]))
def test_a_key_moves_all_notes_alike(phrase, name):
    key = parse_key(name)
    shift = int(FOUR.shift_for(phrase[None], key)[0])
    assert (shift - key.tonic + (9 if key.is_minor else 0)) % 12 == 0
    assert abs(shift) <= 11


def test_scales_in_all_keys_are_found_and_moved_to_c():
    major = np.zeros(128)
    major[60 + np.array([0, 2, 4, 5, 7, 9, 11])] = [4, 1, 2, 1, 3, 1, 1]
    minor = np.zeros(128)
    minor[57 + np.array([0, 2, 3, 5, 7, 8, 11])] = [4, 1, 2, 1, 3, 1, 1]
    for move in range(-6, 6):
        shifts, is_minor = in_c(np.stack([np.roll(major, move), np.roll(minor, move)]))
        assert ((shifts + move) % 12 == 0).all()
        assert is_minor.tolist() == [False, True]


def test_cutting_says_what_does_not_fit():
    rolls = np.zeros((2, 2, 4, FOUR.steps, 128), dtype=bool)
    rolls[0, :, 0, 0, 60] = True
    rolls[1, :, 0, 0, 20] = True
    cut, fits = FOUR.cut(rolls, np.array([5, 0]))
    assert fits.tolist() == [True, False]
    assert cut[0, 0, 0, 0].nonzero()[0].tolist() == [65 - FOUR.lowest[0]]


def test_meters_fit_where_bar_and_beat_do():
    assert FOUR.fits(Meter(0, 2, 2)) and not FOUR.fits(Meter(0, 3, 4))
    assert PhraseRepresentation(meter="6/8").beat_steps == 6
    assert not PhraseRepresentation(meter="6/8").fits(Meter(0, 3, 4))
    assert not FOUR.fits(Meter(0, 1, 64))


@pytest.mark.parametrize(
    "fields",
    [
        {"names": "a,b"},
        {"names": ",,,"},
        {"lowest": (50, 49, 42, 200)},
        {"pitches": 200},
        {"bars": 0},
        {"meter": "4/4", "bars": 16, "steps_per_quarter": 24},
        {"steps_per_quarter": 0},
    ],
)
def test_senseless_fields_are_refused(fields):
    with pytest.raises(ParameterError):
        PhraseRepresentation(**fields)
