import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from partimento.errors import VocabularyError
from partimento.music.notes import Notes
from partimento.representations.pianoroll import KEYS, PianoRollRepresentation

QUARTERS = PianoRollRepresentation(steps_per_quarter=1)

rolls = st.lists(st.sets(st.integers(0, KEYS - 1), max_size=6), min_size=1, max_size=12)


def roll_of(frames):
    roll = np.zeros((len(frames), KEYS), dtype=np.uint8)
    for step, keys in enumerate(frames):
        roll[step, list(keys)] = 1
    return roll


def test_a_half_note_sounds_for_two_quarters_below_a_quarter():
    roll = QUARTERS.encode(Notes(onset=[0, 480], duration=[960, 480], pitch=[60, 64]), 480)
    assert [np.flatnonzero(frame).tolist() for frame in roll] == [[39], [39, 43]]


@given(rolls)
def test_frames_read_as_notes_are_written_as_the_same_frames(frames):
    roll = roll_of(frames)
    notes = QUARTERS.decode(roll)
    assert np.array_equal(QUARTERS.encode(notes, 480, steps=len(roll)), roll)


def test_notes_that_overlap_on_a_key_sound_until_the_last_ends():
    notes = Notes(onset=[0, 480], duration=[1920, 480], pitch=[60, 60])
    assert QUARTERS.encode(notes, 480)[:, 39].tolist() == [1, 1, 1, 1]


@given(rolls, st.integers(-87, 87))
def test_moving_as_far_as_there_is_room_loses_no_key(frames, semitones):
    roll = roll_of(frames)
    low, high = QUARTERS.room(roll)
    moved = QUARTERS.transposed(roll, min(max(semitones, low), high))
    assert moved.sum() == roll.sum()


def test_a_pitch_that_no_piano_has_is_refused():
    with pytest.raises(VocabularyError, match="no key of a piano"):
        QUARTERS.encode(Notes(onset=[0], duration=[480], pitch=[12]), 480)


def test_a_table_of_another_width_is_refused():
    with pytest.raises(VocabularyError, match="steps by 88"):
        QUARTERS.decode(np.zeros((3, 12)))
