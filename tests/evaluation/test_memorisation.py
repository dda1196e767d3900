import time
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from models.tiny_model import save_tiny_model
from strategies import melody_scores

from partimento.checkpoints.arrays import write_arrays
from partimento.data import note_runs
from partimento.data.note_runs import HashedRuns, hashed_runs
from partimento.errors import CheckpointError
from partimento.evaluation.memorisation import (
    SharedRun,
    SharedRuns,
    copying,
    longest_shared_runs,
    training_runs,
)
from partimento.evaluation.statistics import notes_of
from partimento.models.load import load
from partimento.music.examples import row_your_boat
from partimento.music.notation import seq
from partimento.music.notes import Notes
from partimento.music.score import Part, Score

FEW = melody_scores(lowest=60, highest=62, steps_per_quarter=2, max_notes=12, with_rests=False)


def test_a_copy_in_another_key_and_tempo_is_a_copy():
    tune = row_your_boat()
    copy = tune.transpose(5).stretch(2)
    assert longest_shared_runs([copy], [seq("c4:q d4:e"), tune]) == [SharedRun(27, 0, 1)]


def test_another_rhythm_is_no_copy():
    assert longest_shared_runs([seq("c4:q d4:e e4:q")], [seq("c4:q d4:q e4:q")])[0].notes == 0


def test_a_run_never_goes_from_one_melody_into_the_next():
    parts = [seq("c4:q d4:q e4:q"), seq("f4:q g4:q a4:q")]
    (run,) = longest_shared_runs([seq("c4:q d4:q e4:q f4:q g4:q a4:q")], parts)
    assert run.notes == 3


def test_the_place_of_a_run_is_named():
    quoted = "c5:e b4:e a4:q g4:h"
    (run,) = longest_shared_runs([seq(f"c4:h c4:q {quoted}")], [seq("d4:q"), seq(f"{quoted} c4:s")])
    assert run == SharedRun(4, 2, 1)


def test_nothing_is_shared_with_nobody():
    assert longest_shared_runs([row_your_boat()], []) == [SharedRun(0, 0, -1)]
    assert (
        longest_shared_runs([seq("c4:q"), seq("r:q")], [row_your_boat()])
        == [SharedRun(0, 0, -1)] * 2
    )
    assert longest_shared_runs([], []) == []


@given(st.lists(FEW, max_size=4), st.lists(FEW, max_size=4))
def test_runs_are_as_long_as_a_slow_search_finds(melodies, others):
    found = longest_shared_runs(melodies, others)
    for melody, run in zip(melodies, found, strict=True):
        longest = max((slowly(melody, other) for other in others), default=0)
        assert run.notes == longest
        if run.notes:
            codes = steps_of(melody)[run.start : run.start + run.notes - 1]
            theirs = steps_of(others[run.other])
            assert any(
                theirs[at : at + len(codes)] == codes for at in range(len(theirs) - len(codes) + 1)
            )


@pytest.mark.parametrize("is_large", [False, True])
@given(melodies=st.lists(FEW, max_size=4), others=st.lists(FEW, max_size=4))
def test_hashes_find_the_runs_that_the_tunes_themselves_show(is_large, melodies, others):
    hashed = hashed_runs(others)
    if is_large:
        hashed = HashedRuns(note_runs.shortened(hashed.hashes, np.uint16), hashed.ends)
    exact = [run.notes for run in longest_shared_runs(melodies, others)]
    found = [run.notes for run in longest_shared_runs(melodies, hashed)]
    assert found == [notes if notes >= hashed.shortest else 0 for notes in exact]


def test_what_hashes_cannot_prove_counts_as_one_note_less():
    hashed = hashed_runs([row_your_boat()])
    runs = longest_shared_runs([row_your_boat(), seq("c4:q c#4:w")], hashed)
    assert [run.notes for run in runs] == [27, 0]
    assert SharedRuns.of(runs, hashed) == SharedRuns((27 + 4) / 2, 27, 0.5)


def test_sets_of_melodies_are_summed_up_by_name():
    sides = {"ours": [row_your_boat()], "nobody's": [], "theirs": [seq("c4:q c#4:w")]}
    found = copying(sides, [row_your_boat()])
    assert {name: runs.longest for name, runs in found.items()} == {"ours": 27, "theirs": 0}


def test_hashes_come_with_a_checkpoint(tmp_path):
    content = write_arrays(hashed_runs([row_your_boat()]).arrays())
    model = load(save_tiny_model(tmp_path / "with", extras={"training.npz": content}))
    (run,) = longest_shared_runs([row_your_boat().transpose(2)], training_runs(model))
    assert run.notes == 27
    assert training_runs(load(save_tiny_model(tmp_path / "without"))) is None
    odd = save_tiny_model(
        tmp_path / "odd", extras={"training.npz": write_arrays({"x": np.ones(2)})}
    )
    with pytest.raises(CheckpointError, match="holds no hashes"):
        training_runs(load(odd))


def steps_of(score):
    """Interval and ratio of lengths of each step, as plain numbers."""
    notes = list(notes_of(score))
    lengths = [b.onset - a.onset for a, b in pairwise(notes)]
    lengths += [notes[-1].duration] if notes else []
    intervals = [b.pitch - a.pitch for a, b in pairwise(notes)]
    return list(zip(intervals, [b / a for a, b in pairwise(lengths)], strict=True))


def slowly(melody, other):
    ours, theirs = steps_of(melody), steps_of(other)
    for size in range(min(len(ours), len(theirs)), 0, -1):
        runs = {tuple(theirs[i : i + size]) for i in range(len(theirs) - size + 1)}
        if any(tuple(ours[i : i + size]) in runs for i in range(len(ours) - size + 1)):
            return size + 1
    return 0


def test_half_a_million_notes_are_searched_in_seconds():
    generator = np.random.default_rng(0)
    melodies = []
    for _ in range(500):
        pitch = np.clip(60 + np.cumsum(generator.integers(-2, 3, size=1000)), 0, 127)
        length = generator.choice([120, 240, 480], size=1000, p=[0.3, 0.5, 0.2])
        onset = np.cumsum(length) - length
        melodies.append(Score((Part(Notes(onset, length, pitch)),)))
    started = time.perf_counter()
    runs = longest_shared_runs([*melodies[:50], row_your_boat()], melodies[50:])
    assert time.perf_counter() - started < 20
    assert 4 < max(run.notes for run in runs) < 40
