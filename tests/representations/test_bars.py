"""Windows of bars: what is cut out of a piece, laid out, and read off again."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from partimento.errors import ParameterError, VocabularyError
from partimento.music.grid import Grid
from partimento.music.score import Meter
from partimento.music.track_rolls import GridNotes
from partimento.representations.bars import BarsRepresentation, cut_windows, line_tokens
from partimento.representations.melody import FIRST_PITCH, HOLD, REST

TWO = BarsRepresentation()
WALTZ = Meter(0, 3, 4)


@given(st.integers(1, 5), st.sampled_from([(4, 4), (3, 4), (6, 8), (9, 8), (5, 4)]), st.data())
def test_what_is_laid_out_is_read_off_again(windows, meter, data):
    size = TWO.bar_steps(Meter(0, *meter))
    rows = np.array(
        data.draw(
            st.lists(
                st.lists(st.integers(0, 89), min_size=2 * size, max_size=2 * size),
                min_size=windows,
                max_size=windows,
            )
        )
    )
    table = TWO.laid_out(rows)
    assert table.shape == (windows, 2, 24)
    assert (table[:, :, size:] == TWO.pad).all()
    np.testing.assert_array_equal(TWO.read_off(table, size), rows)


def test_a_window_begins_at_every_bar_and_strikes_again_what_sounds_into_it():
    grid = Grid.regular(WALTZ, 4, 4)
    tokens = np.full(len(grid), HOLD)
    tokens[0], tokens[30] = FIRST_PITCH + 40, REST  # one note over two and a half bars
    found = cut_windows(tokens, grid, TWO)
    assert found.first_bar.tolist() == [0, 1, 2]
    assert found.tables[1, 0, 0] == FIRST_PITCH + 40
    assert found.tables[2, 0, :12].tolist() == [FIRST_PITCH + 40, *[HOLD] * 5, REST, *[HOLD] * 5]
    assert cut_windows(tokens, grid, TWO, hop=2).first_bar.tolist() == [0, 2]


def test_windows_over_a_change_of_meter_and_bars_too_long_are_passed_over():
    grids = [Grid.regular(Meter(0, n, 4), 4, 2) for n in (4, 3, 8)]
    edges = np.cumsum([0, 2, 2])
    grid = Grid(
        np.concatenate([g.bar + edge for g, edge in zip(grids, edges, strict=True)]),
        *(np.concatenate([getattr(g, n) for g in grids]) for n in ("position", "bar_steps")),
        np.concatenate([g.beat_steps for g in grids]),
    )
    found = cut_windows(np.full(len(grid), REST), grid, TWO)
    assert found.first_bar.tolist() == [0, 2]


def test_windows_move_as_far_as_the_keyboard_reaches_and_drums_not_at_all():
    table = TWO.laid_out(np.full((1, 32), HOLD))
    table[0, 0, 0] = FIRST_PITCH + 3
    down, up = TWO.room(table)
    assert (down.tolist(), up.tolist()) == ([3], [84])
    moved = TWO.transposed(table, np.array([[[-3]]]))
    assert moved[0, 0, 0] == FIRST_PITCH
    assert (moved[0, 0, 1:] == table[0, 0, 1:]).all()
    drums = BarsRepresentation("drums")
    assert drums.room(table)[0].tolist() == [0]


@pytest.mark.parametrize(
    "fields", [{"kind": "song"}, {"bars": 0}, {"positions": 97}, {"lowest": 90, "highest": 80}]
)
def test_windows_that_make_no_sense_are_refused(fields):
    with pytest.raises(ParameterError):
        BarsRepresentation(**fields)


def test_a_bar_that_is_too_long_is_refused_with_the_way_out():
    with pytest.raises(ParameterError, match="choose a shorter meter"):
        TWO.bar_steps(Meter(0, 8, 4))
    with pytest.raises(VocabularyError, match="got 31 steps"):
        TWO.laid_out(np.zeros((1, 31), dtype=np.int64))


def test_windows_of_four_parts_have_the_bars_of_each_part_in_a_row():
    four = BarsRepresentation("quartet", 2)
    grid = Grid.regular(WALTZ, 4, 3)
    tokens = np.full((4, len(grid)), HOLD)
    tokens[:, 0] = FIRST_PITCH + np.arange(4)
    tokens[2, 12] = FIRST_PITCH + 9
    found = cut_windows(tokens, grid, four)
    assert found.tables.shape == (2, 8, 24)
    assert found.tables[0, ::2, 0].tolist() == [FIRST_PITCH + part for part in range(4)]
    assert found.tables[1, ::2, 0].tolist() == [FIRST_PITCH + part for part in (0, 1, 9, 3)]
    assert found.tables[0, 5, 0] == FIRST_PITCH + 9
    row = four.in_a_row(found.tables, 12)
    assert row.shape == (4, 48)
    np.testing.assert_array_equal(four.windows_of(row.reshape(4, 2, 24)), found.tables)


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_a_line_is_the_highest_of_what_begins_together_or_the_lowest(seed, is_bass):
    generator = np.random.default_rng(seed)
    onset = np.sort(generator.integers(0, 30, 20))
    pitch, end = generator.integers(30, 100, 20), onset + generator.integers(1, 9, 20)
    given_notes = GridNotes(onset, end, pitch, np.zeros(20, dtype=bool))
    four = BarsRepresentation("quartet", 2, lowest=36, highest=90)
    tokens, is_unfit = line_tokens(given_notes, four, 24, is_bass=is_bass)
    assert tokens.shape == is_unfit.shape == (24,)
    for step in range(24):
        there = pitch[onset == step]
        assert four.is_onset(tokens)[step] == bool(len(there))
        if len(there):
            expected = there.min() if is_bass else there.max()
            assert tokens[step] == np.clip(expected, 36, 90) - 36 + FIRST_PITCH
            assert is_unfit[step] == (not 36 <= expected <= 90)
