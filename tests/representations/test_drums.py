"""Nine drums on a grid, and how they were played."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from partimento.errors import ParameterError, VocabularyError
from partimento.music.drums import DRUM_OF, PLAYED, hear_drums, hits_of, tokens_of
from partimento.music.notes import Notes
from partimento.music.score import Meter, Part, Score
from partimento.representations.drums import DrumsRepresentation

DRUMS = DrumsRepresentation()


def beat(offsets=0, **fields):
    onset = np.arange(8) * 240 + offsets
    notes = Notes(onset, np.full(8, 60), np.array([36, 42, 38, 42] * 2), np.full(8, 100))
    return Score((Part(notes, is_drum=True, **fields),), meters=(Meter(0, 4, 4),), end_tick=1920)


@given(st.lists(st.integers(0, 511), min_size=1, max_size=40))
def test_every_set_of_drums_survives(tokens):
    tokens = np.array(tokens)
    np.testing.assert_array_equal(tokens_of(hits_of(tokens)), tokens)
    notes = DRUMS.decode(tokens)
    np.testing.assert_array_equal(DRUMS.encode(notes, steps=len(tokens)).tokens, tokens)


def test_each_drum_plays_what_it_hears():
    assert DRUM_OF[PLAYED].tolist() == list(range(9))


def test_how_a_stroke_was_played_survives_too():
    score = beat(
        offsets=np.array([10, -12, 5, 0, 30, -40, 7, 1])[np.arange(8)] * (np.arange(8) > 0)
    )
    heard = hear_drums(score)
    assert heard.unknown == 0
    hits = heard.hits
    assert hits.velocity.max() == pytest.approx(100 / 127)
    again = DRUMS.decode(hits.tokens, velocity=hits.velocity, offset=hits.offset)
    assert again.onset.tolist() == score.parts[0].notes.onset.tolist()
    assert again.pitch.tolist() == score.parts[0].notes.pitch.tolist()
    assert again.velocity.tolist() == [100] * 8


def test_of_two_strokes_of_a_drum_on_one_step_the_louder_counts():
    notes = Notes([0, 20, 480], [10] * 3, [36, 35, 60], [60, 110, 90])
    hits = DRUMS.encode(notes)
    assert hits.is_hit[0].sum() == 1
    assert hits.velocity[0, 0] == pytest.approx(110 / 127)
    assert hits.offset[0, 0] == pytest.approx(20 / 120)
    assert hits.tokens.tolist() == [1, 0, 0, 0, 1 << 5]
    assert hear_drums(Score((Part(notes, is_drum=True),))).merged == 1


def test_other_instruments_are_counted_and_music_without_drums_is_refused():
    notes = Notes([0, 0], [10, 10], [36, 81])
    score = Score((Part(notes, is_drum=True),), end_tick=1920)
    assert hear_drums(score).unknown == 1
    assert hear_drums(score).merged == 0
    with pytest.raises(ParameterError, match=r"no drums .*melody-vae"):
        hear_drums(Score((Part(notes),)))
    with pytest.raises(ParameterError, match="is empty"):
        hear_drums(Score())
    with pytest.raises(VocabularyError):
        DRUMS.decode(np.array([512]))
