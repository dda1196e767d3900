"""Piano rolls of several tracks: what is struck and what sounds."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from partimento.music.notation import seq
from partimento.music.notes import Notes
from partimento.music.track_rolls import grid_notes, lay_tracks, notes_of_roll, run_lengths


@st.composite
def lines(draw):
    """Notes of one voice on sixteenths."""
    events = st.tuples(st.integers(0, 3), st.integers(1, 6), st.integers(40, 90))
    onset, rows = 0, []
    for wait, length, pitch in draw(st.lists(events, min_size=1, max_size=12)):
        onset += wait
        rows.append((onset * 120, length * 120, pitch))
        onset += length
    columns = list(zip(*rows, strict=True))
    return Notes(*columns, [80] * len(rows))


@given(lines())
def test_rolls_give_the_notes_back(notes):
    laid = lay_tracks([grid_notes(notes, 480, 4)], steps=200)
    assert notes_of_roll(laid.onset[0], laid.sustain[0], 480, 4) == notes


def test_a_repeated_note_is_told_from_a_long_one():
    twice = lay_tracks([grid_notes(seq("c4:q c4:q").parts[0].notes, 480, 4)], 8)
    once = lay_tracks([grid_notes(seq("c4:h").parts[0].notes, 480, 4)], 8)
    assert (twice.sustain == once.sustain).all()
    assert twice.onset.sum() == 2 and once.onset.sum() == 1
    assert run_lengths(twice.onset, twice.sustain).max() == 4


def test_triplets_are_off_the_grid_and_dotted_notes_are_not():
    notes = seq("c4:q. d4:e").parts[0].notes
    assert not grid_notes(notes, 480, 4).is_off.any()
    triplets = Notes([0, 160, 320], [160, 160, 160], [60, 62, 64], [80] * 3)
    assert grid_notes(triplets, 480, 4).is_off.tolist() == [False, True, True]


def test_what_lies_beyond_the_rolls_is_cut_off():
    laid = lay_tracks([grid_notes(seq("c4:w d4:w").parts[0].notes, 480, 4)], steps=8)
    assert laid.sustain[0, :, 60].all() and np.count_nonzero(laid.onset) == 1
