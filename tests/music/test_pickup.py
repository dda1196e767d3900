"""Upbeats: heard where they are clear, and never where nothing tells."""

import numpy as np
import pytest
from hypothesis import given
from strategies import melodies

from partimento.music.notes import Notes
from partimento.music.pickup import FEATURES, LONGEST, _template, estimate_pickup, profile
from partimento.music.score import Meter

# (pitch, eighths): eight bars of a jig made for this test, from its first bar line.
JIG = [
    *[(67, 2), (69, 1), (71, 1), (69, 1), (67, 1)],
    *[(74, 2), (71, 1), (69, 3)],
    *[(67, 2), (69, 1), (71, 1), (72, 1), (74, 1)],
    *[(71, 2), (69, 1), (67, 2), (62, 1)],
] * 3
REEL = [
    *[(74, 2), (71, 1), (74, 1), (67, 1), (74, 1), (71, 1), (74, 1)],
    *[(74, 2), (71, 1), (67, 1), (69, 2), (67, 1), (69, 1)],
    *[(71, 2), (67, 1), (71, 1), (62, 1), (67, 1), (71, 1), (67, 1)],
    *[(69, 1), (72, 1), (71, 1), (69, 1), (67, 2), (67, 2)],
] * 3


def notes_of(tune, upbeat=()):
    """The tune after an upbeat, which its last bar gives back."""
    rows = [*upbeat, *tune]
    length = 240 * np.array([eighths for _, eighths in rows])
    return Notes(np.cumsum(length) - length, length, np.array([pitch for pitch, _ in rows]))


@pytest.mark.parametrize(
    "tune, meter, upbeat",
    [
        (JIG, Meter(0, 6, 8), [(62, 1)]),
        (JIG, Meter(0, 6, 8), [(64, 1), (66, 1)]),
        (REEL, Meter(0, 4, 4), [(62, 1)]),
        (REEL, Meter(0, 4, 4), [(62, 1), (66, 1)]),
    ],
)
def test_a_clear_upbeat_is_heard_and_a_tune_at_the_bar_left_alone(tune, meter, upbeat):
    ticks = 240 * sum(eighths for _, eighths in upbeat)
    assert estimate_pickup([notes_of(tune, upbeat)], 480, meter) == ticks
    assert estimate_pickup([notes_of(tune)], 480, meter) == 0


def test_the_division_and_the_key_make_no_difference():
    notes = notes_of(REEL, [(62, 1), (66, 1)])
    moved = Notes(notes.onset // 5, notes.duration // 5, notes.pitch + 3)
    assert estimate_pickup([moved], 96, Meter(0, 4, 4)) == 96


def test_what_tells_nothing_is_left_alone():
    even = notes_of([(60 + step % 7, 1) for step in range(128)])
    assert estimate_pickup([even], 480, Meter(0, 4, 4)) == 0
    assert estimate_pickup([], 480, Meter(0, 4, 4)) == 0
    assert estimate_pickup([notes_of(JIG[:10], [(62, 1)])], 480, Meter(0, 6, 8)) == 0  # short
    assert estimate_pickup([notes_of(JIG, [(62, 1)])], 480, Meter(0, 7, 8)) == 0  # no template


@given(melodies())
def test_a_profile_counts_every_last_note_once(notes):
    if not len(notes):
        return
    counts = profile(notes, 480, 16)
    assert counts.shape == (2, len(FEATURES), 16)
    assert counts[:, -1].sum() == 1
    assert (counts >= 0).all()


def test_every_meter_has_weights_for_every_feature_and_place():
    for numerator, denominator in LONGEST:
        table = _template()[f"{numerator}/{denominator}"]
        assert table.shape == (len(FEATURES), 16 * numerator // denominator)
