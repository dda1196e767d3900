import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import melody_scores

from partimento.errors import ParameterError, VocabularyError
from partimento.generation.hearing import REMEMBERED_BARS, hear
from partimento.music.examples import row_your_boat, row_your_boat_canon
from partimento.music.notation import seq
from partimento.music.notes import Notes
from partimento.music.score import Meter, Part, Score
from partimento.representations.melody import FIRST_PITCH, MelodyRepresentation

REPRESENTATION = MelodyRepresentation()  # sixteenths, pitches 48-83


def pitches(heard):
    onsets = heard.tokens[heard.tokens >= FIRST_PITCH]
    return (onsets - FIRST_PITCH + heard.representation.lowest).tolist()


@given(melody_scores(min_notes=1, meter=(4, 4)))
def test_a_melody_on_the_grid_is_heard_as_it_is(score):
    heard = hear(score, REPRESENTATION, whole=True)
    expected = REPRESENTATION.encode(score.parts[0].notes, 480, steps=score.end_tick // 120)
    assert heard.tokens.tolist() == expected.tolist()
    assert heard.remarks == ()
    assert heard.notes == score.parts[0].notes


@given(st.lists(st.tuples(st.integers(0, 4000), st.integers(1, 900)), min_size=1, max_size=30))
def test_anything_played_freely_is_heard_somehow(rows):
    onset, duration = np.array(rows).T
    score = Score(parts=(Part(Notes(onset, duration, np.full(len(rows), 60))),))
    heard = hear(score, REPRESENTATION, "skyline")
    assert heard.tokens.max() < REPRESENTATION.vocab_size
    assert (heard.tokens >= FIRST_PITCH).sum() == len(heard.notes) >= 1
    assert abs(len(heard.tokens) * 120 - score.end_tick) <= 120
    assert len(heard.grid()) >= len(heard.tokens)


def test_notes_off_the_grid_are_heard_on_the_nearest_step_and_counted():
    score = Score(parts=(Part(Notes([7, 470, 1000], [480, 480, 400], [60, 62, 64])),))
    heard = hear(score, REPRESENTATION)
    assert heard.tokens.tolist() == [14, 0, 0, 0, 16, 0, 0, 0, 18, 0, 0, 0]
    assert heard.notes == Notes([7, 470, 1000], [463, 480, 400], [60, 62, 64])
    assert "3 of 3 notes stand off the model's grid" in heard.remarks[0]


def test_an_ornament_gives_way_to_the_note_it_adorns():
    score = Score(parts=(Part(Notes([0, 30, 480], [30, 450, 480], [65, 64, 62])),))
    heard = hear(score, REPRESENTATION)
    assert pitches(heard) == [64, 62]
    assert any("1 of 3 notes are too short" in remark for remark in heard.remarks)


def test_the_first_single_line_is_the_melody():
    chords = Part(Notes([0, 0], [480, 480], [60, 64]), name="piano")
    drums = Part(Notes([0], [480], [35]), is_drum=True)
    flute = Part(Notes([0], [480], [72]), name="flute\x1b[2J")
    heard = hear(Score(parts=(drums, chords, flute)), REPRESENTATION)
    assert heard.part == 2
    assert pitches(heard) == [72]
    assert heard.remarks == (r"the melody is part 3 ('flute\x1b[2J')",)


def test_legato_that_reaches_into_the_next_note_is_still_one_line():
    score = Score(parts=(Part(Notes([0, 480], [530, 480], [60, 62])),))
    assert hear(score, REPRESENTATION).tokens.tolist() == [14, 0, 0, 0, 16, 0, 0, 0]


def test_chords_are_refused_with_a_way_out():
    score = seq("[c4 e4]:q [d4 f4]:q")
    with pytest.raises(ParameterError, match=r"no part of .* single line.*skyline"):
        hear(score, REPRESENTATION)
    assert pitches(hear(score, REPRESENTATION, "skyline")) == [64, 65]
    assert pitches(hear(score, REPRESENTATION, "1")) == [64, 65]


def test_a_part_may_be_asked_for_by_number():
    heard = hear(row_your_boat_canon(), REPRESENTATION, 3)
    assert heard.part == 2
    assert heard.remarks[0].startswith("the melody is the part 3")


@pytest.mark.parametrize("melody", ["0", "4", "bass", "", "1.5", -1, "9" * 5000])
def test_a_part_that_is_not_there_is_named(melody):
    with pytest.raises(ParameterError, match=r"^melody must be auto, skyline or .* 1 to 3"):
        hear(row_your_boat_canon(), REPRESENTATION, melody)


@pytest.mark.parametrize(
    "score", [Score(), seq("r:w"), Score(parts=(Part(Notes([0], [9], [35]), is_drum=True),))]
)
def test_music_without_notes_is_refused(score):
    with pytest.raises(ParameterError, match="has no notes"):
        hear(score, REPRESENTATION)


@pytest.mark.parametrize(
    ("octaves", "shift"), [(-3, 24), (-1, 0), (0, 0), (1, 0), (3, -24), (4, -36)]
)
def test_a_melody_out_of_range_is_heard_octaves_away(octaves, shift):
    tune = seq("c4:q e4:q g4:q c4:q").transpose(12 * octaves)
    heard = hear(tune, REPRESENTATION)
    assert heard.shift == shift
    assert pitches(heard) == [60 + 12 * octaves + shift + step for step in (0, 4, 7, 0)]
    assert bool(heard.remarks) == bool(shift)


def test_a_melody_wider_than_the_vocabulary_is_refused():
    with pytest.raises(VocabularyError, match="spans pitches 24-96, this model's vocabulary 48-83"):
        hear(seq("c1:q c7:q"), REPRESENTATION)


def test_ticks_are_made_finer_where_steps_are_not_whole_ticks():
    score = seq("c4:q d4:q").with_ticks_per_quarter(6)
    heard = hear(score, REPRESENTATION)
    assert heard.score.ticks_per_quarter == 12
    assert heard.score.duration_qn == score.duration_qn
    assert heard.ticks(np.arange(4)).tolist() == [0, 3, 6, 9]


def test_a_division_too_fine_to_multiply_is_used_as_it_is():
    score = Score(parts=(Part(Notes([0], [32767], [60])),), ticks_per_quarter=32767)
    heard = hear(score, REPRESENTATION)
    assert heard.score.ticks_per_quarter == 32767
    assert heard.tokens.tolist() == [14, 0, 0, 0]


def test_a_long_primer_is_heard_from_a_later_bar_on():
    score = seq("c4:q d4:q e4:q f4:q").repeat(200)
    heard = hear(score, REPRESENTATION)
    assert heard.first_bar == 128
    assert REMEMBERED_BARS <= heard.bars < REMEMBERED_BARS + 16
    assert heard.first_tick + len(heard.tokens) * 120 == score.end_tick
    assert heard.remarks == ("the model hears it from bar 129 on",)
    assert len(hear(score, REPRESENTATION, whole=True).tokens) == 200 * 16


def test_a_note_held_over_the_place_where_hearing_begins_is_heard_from_there():
    score = Score(parts=(Part(Notes([0, 190_000], [190_000, 2_000], [60, 62])),))
    heard = hear(score, REPRESENTATION)
    assert heard.first_bar > 0
    assert heard.tokens[0] == 14


def test_meters_and_their_changes_make_the_grid():
    score = Score(
        parts=(Part(Notes([0, 1920], [1920, 1440], [60, 62])),),
        meters=(Meter(0, 4, 4), Meter(1920, 3, 4)),
    )
    heard = hear(score, REPRESENTATION)
    grid = heard.grid(more_bars=2)
    assert np.unique(grid.bar, return_counts=True)[1].tolist() == [16, 12, 12, 12]


def test_a_primer_that_stops_inside_a_bar_counts_that_bar():
    heard = hear(seq("c4:q d4:q e4:q f4:q g4:e"), REPRESENTATION)
    assert heard.bars == 2
    assert len(heard.tokens) == 18
    assert len(heard.grid()) == 32


def test_a_release_just_after_the_bar_line_opens_no_new_bar():
    score = Score(parts=(Part(Notes([0], [1925], [60])),))
    heard = hear(score, REPRESENTATION)
    assert (heard.bars, len(heard.tokens)) == (1, 16)


def test_a_meter_that_begins_where_the_piece_ends_cuts_its_last_bar_short():
    score = Score(
        parts=(Part(Notes([0], [2400], [60])),),
        meters=(Meter(0, 4, 4), Meter(2400, 3, 4)),
    )
    grid = hear(score, REPRESENTATION).grid()
    assert np.bincount(grid.bar).tolist() == [16, 4]


def test_a_meter_that_does_not_fit_the_grid_is_explained():
    heard = hear(seq("c4:q d4:q", meter="7/32"), REPRESENTATION)
    with pytest.raises(ParameterError, match=r"^meter: a bar of 7/32 .* a multiple of 8"):
        heard.grid()


def test_sounding_and_silence_at_the_end_are_told_apart():
    assert hear(seq("c4:q d4:q"), REPRESENTATION).is_sounding
    resting = hear(seq("c4:q d4:q r:e"), REPRESENTATION)
    assert (resting.is_sounding, resting.silent_steps) == (False, 2)


def test_a_piece_longer_than_memory_is_refused_at_once():
    score = Score(parts=(Part(Notes([0, 2**31 - 10_000], [9, 9], [60, 60])),))
    assert hear(score, REPRESENTATION).bars < REMEMBERED_BARS + 16
    with pytest.raises(ParameterError, match="at most 250,000"):
        hear(score, REPRESENTATION, whole=True)


def test_the_tune_of_the_book_is_heard_with_its_triplets_moved():
    heard = hear(row_your_boat(), REPRESENTATION)
    assert len(heard.tokens) == 64
    assert pitches(heard) == row_your_boat().parts[0].notes.pitch.tolist()
    exact = hear(row_your_boat(), MelodyRepresentation(steps_per_quarter=12))
    assert exact.remarks == ()
