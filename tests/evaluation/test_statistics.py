import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import melody_scores, scores

from partimento.errors import MusicError
from partimento.evaluation.statistics import NAMES, histograms, measure, sounding_ticks
from partimento.music.examples import row_your_boat
from partimento.music.notation import seq
from partimento.music.notes import Notes
from partimento.music.score import Part, Score

SHARES = (
    *("in_key", "stepwise", "same_pitch", "leaps", "repeated_bars", "repeated_shapes"),
    *("repeated_rhythms", "rest_share", "ends_on_tonic", "ends_long"),
)


def test_a_melody_by_hand():
    tune = seq("c4:q d4:q e4:h | c4:q d4:q e4:h | d4:q e4:q f#4:h | e4:h r:q c4:q")
    numbers = measure(tune)
    assert numbers.notes_per_bar == 11 / 4
    assert numbers.pitch_classes == 4
    assert numbers.pitch_range == 6
    assert numbers.repeated_bars == pytest.approx(1 / 4)
    assert numbers.repeated_shapes == pytest.approx(2 / 4)
    assert numbers.repeated_rhythms == pytest.approx(2 / 4)
    assert numbers.rest_share == pytest.approx(1 / 16)
    assert numbers.longest_qn == 2
    assert numbers.mean_length_qn == pytest.approx(15 / 11)
    # d e | c' d e | d e f# | e c: of ten intervals one is 0, none a leap
    assert numbers.same_pitch == 0
    assert numbers.stepwise == pytest.approx(8 / 10)
    assert numbers.ends_long == 0


def test_entropy_counts_pitch_classes_in_bits():
    assert measure(seq("c4:q c5:q c3:q")).pitch_class_entropy == 0
    assert measure(seq("c4:q d4:q")).pitch_class_entropy == 1
    assert measure(seq(" ".join(f"{p}:q" for p in range(60, 72)))).pitch_class_entropy == (
        pytest.approx(np.log2(12))
    )


def test_row_your_boat_ends_at_home_on_a_long_note():
    numbers = measure(row_your_boat())
    assert (numbers.ends_on_tonic, numbers.ends_long, numbers.in_key) == (1, 1, 1)
    assert numbers.repeated_bars == 0


def test_a_bar_that_only_holds_a_note_is_no_bar_of_its_own():
    assert measure(seq("c4:8 c4:8 ")).repeated_bars == 1 / 2


def test_repeating_a_piece_repeats_its_bars():
    once, thrice = measure(row_your_boat()), measure(row_your_boat().repeat(3))
    assert thrice.repeated_bars == pytest.approx(2 / 3)
    assert thrice.pitch_class_entropy == pytest.approx(once.pitch_class_entropy)


@given(melody_scores(min_notes=1))
def test_numbers_are_numbers_and_shares_are_shares(score):
    numbers = measure(score)
    assert all(np.isfinite(getattr(numbers, name)) for name in NAMES)
    assert all(0 <= getattr(numbers, name) <= 1 for name in SHARES)
    assert numbers.repeated_bars <= numbers.repeated_shapes <= numbers.repeated_rhythms


@given(melody_scores(min_notes=1, lowest=60, highest=71), st.integers(-12, 12))
def test_moving_a_melody_changes_no_number(score, semitones):
    before, after = measure(score), measure(score.transpose(semitones))
    for name in set(NAMES) - {"in_key", "ends_on_tonic"}:  # level keys may fall either way
        assert getattr(after, name) == pytest.approx(getattr(before, name))


@given(scores(min_parts=1))
def test_sounding_time_is_counted_once(score):
    notes = score.parts[0].notes
    is_sounding = np.zeros(max(notes.end, 1), dtype=bool)
    for note in notes:
        is_sounding[note.onset : note.onset + note.duration] = True
    assert sounding_ticks(notes) == is_sounding.sum()


def test_silence_has_no_statistics():
    with pytest.raises(MusicError, match="without notes"):
        measure(seq("r:w"))


def test_parts_are_taken_together_and_drums_left_out():
    drums = Part(Notes([0], [480], [36]), is_drum=True)
    other = Part(Notes([480], [480], [64]), program=5)
    score = Score((Part(Notes([0], [480], [60])), drums, other))
    assert measure(score).pitch_classes == 2


@given(st.lists(melody_scores(), max_size=4))
def test_histograms_sum_to_one_or_are_empty(tunes):
    for histogram in histograms(tunes).values():
        assert histogram.sum() == pytest.approx(1) or not histogram.any()


def test_histograms_count_by_hand():
    counted = histograms([seq("c4:q e4:h c4:q c4:q")])
    assert {i - 24: n for i, n in enumerate(counted["intervals"]) if n} == pytest.approx(
        {4: 1 / 3, -4: 1 / 3, 0: 1 / 3}
    )
    assert counted["lengths"][[12, 24]].tolist() == [0.75, 0.25]
    assert counted["degrees"][[0, 4]].tolist() == [0.75, 0.25]
