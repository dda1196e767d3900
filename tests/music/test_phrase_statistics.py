"""Statistics of multi-track phrases, against figures worked out by hand."""

import numpy as np
import pytest

from partimento.music.notation import seq
from partimento.music.phrase_statistics import distances, measure, nearest, spread
from partimento.music.track_rolls import grid_notes, lay_tracks

LOWEST = (50, 30)


def phrase(*texts):
    tracks = [grid_notes(seq(text).parts[0].notes, 480, 4) for text in texts]
    rolls = lay_tracks(tracks, 32)
    both = np.stack([rolls.onset, rolls.sustain])  # 2 track step 128
    return np.stack([both[:, k, :, low : low + 48] for k, low in enumerate(LOWEST)], axis=1)


def figures(*phrases):
    return measure(np.stack(phrases), LOWEST, 16, 4, 4)


def test_figures_of_a_small_phrase():
    found = figures(phrase("c4:q e4:q g4:q c5:q r:w", "c3:w c3:w"))
    assert found.empty_bars.tolist() == [0.5, 0.0]
    assert found.pitch_classes.tolist() == [3.0, 1.0]
    assert found.notes.tolist() == [2.0, 1.0]
    assert found.longer_notes.tolist() == [1.0, 1.0]
    assert found.repeated_bars.tolist() == [0.0, 1.0]
    assert found.scale_consistency[0] == 1
    assert found.polyphonicity[0] == 0
    assert found.intervals[0][[16, 15, 17]].sum() == pytest.approx(1)  # up 4, 3 and 5
    assert found.harmony[0][[0, 8, 5]].tolist() == pytest.approx([0.5, 0.25, 0.25])


def test_sixteenths_are_qualified_but_not_longer():
    found = figures(phrase("c4:s d4:s e4:e", "c3:w"))
    assert found.qualified_notes[0] == 1
    assert found.longer_notes[0] == pytest.approx(1 / 3)


def test_tracks_that_agree_have_no_tonal_distance_and_others_have_one():
    assert figures(phrase("c4:w", "c3:w")).tonal_distance[0] == pytest.approx(0)
    third, tritone = (figures(phrase(note, "c3:w")).tonal_distance[0] for note in ("e4:w", "f#4:w"))
    assert 0 < third < tritone


def test_a_set_has_no_distance_to_itself():
    one = figures(phrase("c4:q e4:q g4:q c5:q", "c3:w"))
    assert set(distances(one, one).values()) == {0.0}
    other = figures(phrase("c4:w d4:w", "c3:w"))
    away = distances(other, one)
    assert away["notes"] > 0 and away["note_lengths"] > 0


def test_copies_are_near_and_equal_phrases_have_no_spread():
    one, other = phrase("c4:q e4:q", "c3:w"), phrase("d4:h. f4:q", "g3:w")
    assert nearest(np.stack([one]), np.stack([other, one])).tolist() == [0.0]
    assert spread(np.stack([one, one])) == pytest.approx(0)
    assert spread(np.stack([one, other])) == pytest.approx(1)
