"""Four voices as tokens: there and back again."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from partimento.errors import VocabularyError
from partimento.music.four_voices import SILENT, FourVoices
from partimento.music.notes import Notes
from partimento.representations.satb import HOLD, REST, SatbRepresentation


@st.composite
def four_voices(draw, lowest=36, highest=81):
    """Any pitches and rests, beginning anywhere."""
    steps = draw(st.integers(1, 24))
    cells = st.one_of(st.just(SILENT), st.integers(lowest, highest))
    pitch = draw(st.lists(st.lists(cells, min_size=4, max_size=4), min_size=steps, max_size=steps))
    struck = draw(st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=steps,
                           max_size=steps))  # fmt: skip
    return FourVoices(np.array(pitch), np.array(struck))


@given(four_voices())
def test_with_holds_nothing_is_lost(voices):
    representation = SatbRepresentation(holds=True)
    back = representation.decode(representation.encode(voices))
    assert np.array_equal(back.pitch, voices.pitch)
    assert np.array_equal(back.is_struck, voices.is_struck)


@given(four_voices())
def test_without_holds_the_pitches_are_kept(voices):
    representation = SatbRepresentation()
    tokens = representation.encode(voices)
    assert 0 <= tokens.min() <= tokens.max() < representation.vocab_size == 47
    assert np.array_equal(representation.decode(tokens).pitch, voices.pitch)


@given(four_voices())
def test_notes_and_grid_are_the_same_music(voices):
    notes = voices.notes(480)
    back = FourVoices.of(notes, 480, steps=len(voices))
    assert np.array_equal(back.pitch, voices.pitch)
    assert np.array_equal(back.is_struck, voices.is_struck)


@given(st.lists(st.lists(st.integers(0, 47), min_size=4, max_size=4), min_size=1, max_size=20))
def test_any_tokens_are_music(tokens):
    representation = SatbRepresentation(holds=True)
    voices = representation.decode(np.array(tokens))
    assert len(voices) == len(tokens)
    FourVoices.of(voices.notes(480), 480, steps=len(voices))


def test_a_held_quarter_and_a_rest_by_hand():
    #                        C4 quarter, rest
    notes = [Notes([0], [480], [60]), Notes(), Notes(), Notes([240], [720], [48])]
    voices = FourVoices.of(notes, 480)
    tokens = SatbRepresentation(holds=True).encode(voices)
    assert tokens[:, 0].tolist() == [26, HOLD, HOLD, HOLD, REST, REST, REST, REST]
    assert tokens[:, 3].tolist() == [REST, REST, 14, HOLD, HOLD, HOLD, HOLD, HOLD]


def test_a_voice_begins_anew_on_a_beat_with_the_soprano():
    pitch = np.array([[72, 67, 64, 60]] * 4 + [[74, 67, 65, 59]] * 4)
    voices = SatbRepresentation().decode(pitch - 35)
    assert voices.is_struck[4].tolist() == [True, True, True, True]
    assert not voices.is_struck[[1, 2, 3, 5, 6, 7]].any()


def test_positions_begin_at_the_first_beat():
    representation = SatbRepresentation()
    assert representation.positions(5, first=2).tolist() == [14, 15, 0, 1, 2]
    assert representation.positions(18)[-2:].tolist() == [0, 1]
    assert representation.countdown(9, most=1).tolist() == [1, 1, 1, 1, 1, 0, 0, 0, 0]


def test_a_pitch_out_of_range_is_named():
    voices = FourVoices(np.array([[90, 60, 55, 40]]), np.ones((1, 4), dtype=bool))
    with pytest.raises(VocabularyError, match="of the soprano at step 0 has no token"):
        SatbRepresentation().encode(voices)


@given(four_voices(50, 60), st.integers(-10, 10))
def test_moving_tokens_moves_pitches(voices, semitones):
    representation = SatbRepresentation()
    tokens = representation.encode(voices)
    down, up = representation.room(tokens)
    semitones = max(down, min(up, semitones))
    moved = representation.decode(representation.transposed(tokens, semitones)).pitch
    assert np.array_equal(moved, np.where(voices.pitch == SILENT, SILENT, voices.pitch + semitones))
