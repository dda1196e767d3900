import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from partimento.networks import bach_rnn
from partimento.representations import frames
from partimento.representations.frames import (
    AGE,
    BEFORE,
    FRAME_RUN,
    FRAME_THEN,
    KEY,
    LAST,
    NO_KEY,
    NUM_COLUMNS,
    PLACE,
    RUN_EDGES,
    TUNE_RUN,
    TUNE_THEN,
    FrameReader,
    RunFollower,
    frame_features,
    key_of,
    move_features,
)
from partimento.representations.satb import SatbRepresentation

SATB = SatbRepresentation(lowest=58, highest=66)
pieces = st.lists(
    st.tuples(*[st.integers(0, SATB.vocab_size - 1)] * 4), min_size=1, max_size=30
).map(np.array)
narrow = st.lists(st.integers(0, 1), min_size=1, max_size=40).map(
    lambda row: np.array(row)[:, None]
)


def test_the_network_reads_the_columns_that_are_laid_out():
    for name in ("NUM_VOICES", "BEFORE", "AGE", "LAST", "PLACE", "KEY", "LEFT", "NUM_COLUMNS"):
        assert getattr(bach_rnn, name) == getattr(frames, name)
    assert bach_rnn.THEN == (FRAME_THEN, TUNE_THEN)
    assert bach_rnn.RUN == (FRAME_RUN, TUNE_RUN)
    assert frames.NUM_RUNS == bach_rnn.NUM_RUNS
    assert frames.MOST_AGE + 1 == bach_rnn.NUM_AGES
    assert frames.NO_LEFT + 1 == bach_rnn.NUM_LEFT
    assert NO_KEY + 1 == bach_rnn.NUM_KEYS


@given(narrow, st.sampled_from([1, 4]))
def test_the_longest_run_is_found(cells, every):
    follower = RunFollower(1, every)
    for step in range(len(cells)):
        then, length = (int(found[0]) for found in follower.best())
        runs = {
            earlier: next(
                (n for n in range(earlier) if cells[earlier - 1 - n] != cells[step - 1 - n]),
                earlier,
            )
            for earlier in range(1, step)
            if (step - earlier) % every == 0
        }
        longest = min(max(runs.values(), default=0), frames.LONGEST_RUN)
        assert length == longest
        assert then == max((e for e, n in runs.items() if n == longest and n), default=-1)
        follower.add(cells[None, step])


def test_a_phrase_that_comes_again_is_foretold():
    phrase = np.array([[5, 4, 3, 2], [6, 4, 3, 1], [7, 5, 2, 1], [5, 4, 3, 2]]).repeat(4, axis=0)
    tokens = np.concatenate([phrase, phrase])
    (rows,) = frame_features([tokens], SATB)
    assert (rows[24:, FRAME_THEN] == tokens[24:]).all()
    assert rows[-1, FRAME_RUN] == np.searchsorted(RUN_EDGES, 15, side="right")


@given(pieces, st.integers(0, 29), st.integers(0, 99))
def test_a_row_does_not_depend_on_its_step_or_later_ones(tokens, step, seed):
    step = min(step, len(tokens) - 1)
    other = tokens.copy()
    generator = np.random.default_rng(seed)
    other[step:] = generator.integers(0, SATB.vocab_size, other[step:].shape)
    first, second = frame_features([tokens, other], SATB)
    assert (first[: step + 1] == second[: step + 1]).all()


@given(pieces)
def test_the_columns_say_what_was(tokens):
    (rows,) = frame_features([tokens], SATB)
    assert rows.shape == (len(tokens), NUM_COLUMNS)
    assert (rows[0, BEFORE] == SATB.unknown).all()
    assert (rows[1:, BEFORE] == tokens[:-1]).all()
    for voice in range(4):
        column = tokens[:, voice]
        for step in range(1, len(tokens)):
            since = next(
                (n for n in range(1, step) if column[step - 1 - n] != column[step - 1]), step
            )
            assert rows[step, AGE][voice] == min(since, frames.MOST_AGE)
            sung = [token for token in column[:step] if token > 0]
            if sung:
                assert rows[step, LAST][voice] == sung[-1]


@given(pieces, st.integers(-3, 3))
def test_moved_rows_are_the_rows_of_a_moved_piece(tokens, semitones):
    down, up = SATB.room(tokens)
    semitones = int(np.clip(semitones, down, up))
    (rows,) = frame_features([tokens], SATB)
    (moved,) = frame_features([SATB.transposed(tokens, semitones)], SATB)
    found = move_features(rows, semitones, SATB)
    sung = np.maximum.accumulate(np.vstack([np.zeros((1, 4)), tokens[:-1]]) > 0, axis=0)
    columns = [c for c in range(NUM_COLUMNS) if not LAST.start <= c < LAST.stop]
    assert (found[:, columns] == moved[:, columns]).all()
    assert (found[:, LAST] == moved[:, LAST])[sung].all()


def test_rows_of_several_pieces_are_those_of_each():
    generator = np.random.default_rng(0)
    several = [generator.integers(0, SATB.vocab_size, (n, 4)) for n in (7, 3, 12)]
    together = frame_features(several, SATB, [0, 2, 1])
    for tokens, rows, first in zip(several, together, [0, 2, 1], strict=True):
        (alone,) = frame_features([tokens], SATB, [first])
        assert (rows == alone).all()
        assert (rows[:, PLACE] == SATB.positions(len(tokens), first)).all()


def test_copies_of_a_reader_go_their_own_ways():
    generator = np.random.default_rng(1)
    tokens = generator.integers(0, 3, (20, 4))
    reader = FrameReader(SATB, 1)
    for cells in tokens:
        reader.add(cells[None])
    both = reader.take(np.array([0, 0]))
    both.add(np.array([[1, 1, 1, 1], [2, 2, 2, 2]]))
    for row, value in enumerate((1, 2)):
        (rows,) = frame_features([np.vstack([tokens, [[value] * 4], [[0] * 4]])], SATB)
        assert (both.features()[row] == rows[-1]).all()


@pytest.mark.parametrize(("pitches", "number"), [([60, 64, 67, 60], 0), ([57, 60, 64, 57], 21)])
def test_the_key_is_estimated(pitches, number):
    wide = SatbRepresentation()
    tokens = np.array([pitches]) - wide.lowest + wide.first_pitch
    assert key_of(tokens, wide) == number
    moved = move_features(np.full((1, NUM_COLUMNS), number), 2, wide)
    assert moved[0, KEY] == (number % 12 + 2) % 12 + number // 12 * 12


def test_silence_has_no_key():
    assert key_of(np.zeros((3, 4), dtype=int), SATB) == NO_KEY
