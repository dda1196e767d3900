"""Hashes of runs of notes: equal in any key and tempo, and they reveal no more than asked."""

import numpy as np
import pytest
from hypothesis import given
from strategies import melody_scores

from partimento.checkpoints.arrays import read_arrays, write_arrays
from partimento.checkpoints.limits import CheckpointLimits
from partimento.data import note_runs
from partimento.data.note_runs import WINDOW, HashedRuns, hashed_runs, run_hashes, step_codes
from partimento.errors import DataError
from partimento.music.examples import row_your_boat
from partimento.music.notation import seq

TUNES = melody_scores(lowest=60, highest=72, steps_per_quarter=4, max_notes=20)


def hashes_of(score):
    return run_hashes(step_codes(score.parts[0].notes, score.ticks_per_quarter))


@given(TUNES)
def test_key_and_tempo_do_not_matter(tune):
    assert np.array_equal(hashes_of(tune), hashes_of(tune.transpose(7).stretch(2)))


@given(TUNES)
def test_there_is_a_hash_for_every_five_notes_in_a_row(tune):
    assert len(hashes_of(tune)) == max(0, tune.num_notes - WINDOW)


def test_other_intervals_and_other_rhythms_have_other_hashes():
    tune, sharp, even = (
        "c4:q d4:q e4:e f4:e g4:h",
        "c4:q d4:q e4:e f#4:e g4:h",
        "c4:q d4:q e4:q f4:q g4:q",
    )
    assert len({int(hashes_of(seq(text))[0]) for text in (tune, sharp, even)}) == 3


def test_they_come_back_from_a_file_as_they_were():
    found = hashed_runs([row_your_boat(), seq("c4:q d4:q"), seq("c4:q d4:e e4:q f4:e g4:q a4:q")])
    content = write_arrays(found.arrays())
    again = HashedRuns.read(read_arrays(content, "x", CheckpointLimits()))
    assert [len(one) for one in again.melodies()] == [23, 2]
    assert np.array_equal(again.hashes, found.hashes)
    assert (again.hashes.dtype, again.shortest) == (np.uint32, 5)


def test_a_large_set_has_short_hashes_which_prove_six_notes(monkeypatch):
    monkeypatch.setattr(note_runs, "LARGE", 10)
    found = hashed_runs([row_your_boat()])
    assert (found.hashes.dtype, found.shortest) == (np.uint16, 6)


def test_the_same_melody_is_kept_once():
    assert len(hashed_runs([row_your_boat()] * 3).ends) == 1


def test_nothing_has_no_hashes():
    found = hashed_runs([])
    assert (len(found.hashes), found.melodies()) == (0, [])
    assert HashedRuns.read(found.arrays()).melodies() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"hashes": None},
        {"ends": None},
        {"hashes": np.zeros(3, dtype=np.float32)},
        {"hashes": np.zeros((3, 1), dtype=np.uint32)},
        {"ends": np.array([3, 2])},
        {"ends": np.array([2])},
        {"ends": np.array([-1, 3])},
        {"ends": np.array([3.0])},
    ],
    ids=str,
)
def test_arrays_from_a_stranger_are_not_trusted(changes):
    arrays = {"hashes": np.zeros(3, dtype=np.uint32), "ends": np.array([3])} | changes
    there = {name: array for name, array in arrays.items() if array is not None}
    with pytest.raises(DataError, match="holds no hashes of training pieces"):
        HashedRuns.read(there)
