import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import polyphonic_notes

from partimento.errors import MusicError, PitchRangeError
from partimento.music.notes import MAX_TICK, Note, Notes


def test_rows_are_sorted_by_onset_then_pitch():
    notes = Notes([480, 0, 0], [240, 480, 480], [62, 67, 60])
    assert list(notes) == [Note(0, 480, 60, 80), Note(0, 480, 67, 80), Note(480, 240, 62, 80)]
    assert (notes.end, len(notes)) == (720, 3)


@given(polyphonic_notes(with_overlaps=True), st.randoms())
def test_order_of_rows_makes_no_difference(notes, random):
    order = list(range(len(notes)))
    random.shuffle(order)
    again = notes.where(np.array(order, dtype=int))
    assert again == notes
    assert hash(again) == hash(notes)


def test_columns_cannot_be_written_to():
    notes = Notes([0], [480], [60])
    with pytest.raises(ValueError, match="read-only"):
        notes.pitch[0] = 61


def test_the_caller_keeps_his_own_arrays():
    pitch = np.array([60])
    notes = Notes([0], [480], pitch)
    pitch[0] = 61
    assert notes.pitch.tolist() == [60]


def test_no_notes_end_at_tick_zero():
    assert Notes().end == 0
    assert repr(Notes()) == "Notes(none)"


@pytest.mark.parametrize(
    ("columns", "error", "words"),
    [
        (([0], [0], [60]), MusicError, "lasts 0 ticks"),
        (([-1], [1], [60]), MusicError, "starts at tick -1"),
        (([0], [1], [128]), PitchRangeError, "pitch 128 at tick 0"),
        (([0], [1], [60], [0]), MusicError, "velocity 0 at tick 0"),
        (([0, 1], [1], [60]), MusicError, "differ in length"),
        (([0], [1], [60.5]), MusicError, "must hold integers, got float64"),
        (([[0]], [1], [60]), MusicError, "one-dimensional"),
        (([0], [MAX_TICK + 1], [60]), MusicError, "ends by tick"),
    ],
)
def test_what_is_no_note_is_refused(columns, error, words):
    with pytest.raises(error, match=words):
        Notes(*columns)


def test_notes_differ_from_other_things():
    assert Notes() != "notes"
