import numpy as np
from hypothesis import given
from strategies import melodies, polyphonic_notes

from partimento.music.notes import Notes
from partimento.music.voices import cut_overlaps, is_monophonic, lowest_line, skyline


@given(melodies())
def test_a_melody_is_monophonic_and_stays_as_it_is(notes):
    assert is_monophonic(notes)
    assert skyline(notes) == lowest_line(notes) == cut_overlaps(notes) == notes


@given(polyphonic_notes(with_overlaps=True))
def test_lines_are_monophonic_and_start_at_every_onset(notes):
    for line in (skyline(notes), lowest_line(notes)):
        assert is_monophonic(line)
        assert line.onset.tolist() == np.unique(notes.onset).tolist()
        assert set(line) <= set(notes) or (line.end <= notes.end)


@given(polyphonic_notes(with_overlaps=True))
def test_cutting_overlaps_keeps_chords_and_shortens_only(notes):
    cut = cut_overlaps(notes)
    assert cut.onset.tolist() == notes.onset.tolist()
    assert sorted(cut.pitch.tolist()) == sorted(notes.pitch.tolist())
    starts = np.unique(notes.onset)
    for note in cut:
        later = starts[starts > note.onset]
        assert note.onset + note.duration <= (later[0] if len(later) else notes.end)


def test_the_skyline_is_the_highest_of_each_chord():
    notes = Notes([0, 0, 480], [960, 480, 480], [60, 67, 65])
    assert skyline(notes) == Notes([0, 480], [480, 480], [67, 65])
    assert lowest_line(notes) == Notes([0, 480], [480, 480], [60, 65])


def test_legato_is_monophonic_within_a_tolerance():
    notes = Notes([0, 480, 960], [490, 480, 480], [60, 62, 64])
    assert not is_monophonic(notes)
    assert is_monophonic(notes, tolerance=10)
    assert not is_monophonic(notes, tolerance=9)


def test_a_note_under_two_others_is_found():
    assert not is_monophonic(Notes([0, 480, 960], [1400, 480, 480], [60, 62, 64]))


def test_notes_that_start_together_are_two_voices_whatever_the_tolerance():
    assert not is_monophonic(Notes([0, 0], [5, 5], [60, 62]), tolerance=100)


def test_nothing_and_one_note_are_monophonic():
    assert is_monophonic(Notes())
    assert is_monophonic(Notes([0], [1], [60]))
    assert skyline(Notes()) == Notes()
