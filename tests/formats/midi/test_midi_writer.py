"""Writing: what is written reads back equal, and the same score gives the same bytes."""

from dataclasses import replace

import numpy as np
import pytest
from formats.midi.midi_bytes import rows
from hypothesis import given
from hypothesis import strategies as st
from strategies import scores

from partimento.errors import MusicError
from partimento.formats.midi import read_midi, read_midi_report, write_midi
from partimento.music.notes import MAX_TICK, Notes
from partimento.music.score import PITCH_BEND, Control, Key, Meter, Part, Score, Tempo, Text


@given(scores())
def test_what_is_written_reads_back_equal(score):
    assert read_midi(write_midi(score)) == score


@given(scores())
def test_our_own_files_have_nothing_odd_about_them(score):
    reading = read_midi_report(write_midi(score))
    assert (reading.repairs, reading.notices) == ((), {})
    assert (reading.format, reading.num_tracks) == (1, 1 + len(score.parts))


@given(scores(with_overlaps=True))
def test_overlaps_of_equal_pitches_settle_after_one_round(score):
    once = read_midi(write_midi(score))
    assert read_midi(write_midi(once)) == once
    for ours, read in zip(score.parts, once.parts, strict=True):
        assert sorted(ours.notes.onset) == sorted(read.notes.onset)
        assert sorted(ours.notes.offset) == sorted(read.notes.offset)


@given(scores())
def test_the_same_score_gives_the_same_bytes(score):
    again = Score(**{name: getattr(score, name) for name in score.__dataclass_fields__})
    assert write_midi(again) == write_midi(score)


@given(st.integers(17, 40), st.randoms())
def test_more_than_16_parts_stay_apart(count, chance):
    parts = tuple(
        Part(
            Notes([480 * number], [480], [60]),
            name=f"part {number}",
            program=chance.randrange(128),
            is_drum=chance.random() < 0.2,
            controls=(Control(0, 7, number), Control(480 * number, 64, 127)),
        )
        for number in range(count)
    )
    assert read_midi(write_midi(Score(parts))).parts == parts


def test_a_full_score_reads_back_equal():
    score = Score(
        parts=(
            Part(
                Notes([0, 480, 480], [480, 240, 960], [60, 64, 64], [1, 64, 127]),
                name="Geige №1",
                program=40,
                controls=(
                    Control(0, 0, 1),
                    Control(0, 32, 2),
                    Control(0, PITCH_BEND, 0),
                    Control(5, PITCH_BEND, 16383),
                    Control(480, 64, 127),
                    Control(480, 64, 0),
                ),
                lyrics=(Text(0, "Row,"), Text(480, ""), Text(480, "row")),
            ),
            Part(Notes([0], [10], [36]), is_drum=True, program=25),
            Part(name="silent", program=127, lyrics=(Text(7, "…"),)),
            Part(is_drum=True),
        ),
        ticks_per_quarter=32767,
        tempos=(Tempo(0, 1), Tempo(7, 2**24 - 1)),
        meters=(Meter(0, 255, 128), Meter(9, 1, 1)),
        keys=(Key(0, -7, is_minor=True), Key(10**6, 7)),
        markers=(Text(0, "A"), Text(0, "B"), Text(10**9, "Z")),
        end_tick=MAX_TICK,
        title="Row\nrow \x00\x1b[2J",
        remarks=(Text(0, "partimento {}"), Text(3, "")),
    )
    assert read_midi(write_midi(score)) == score


def test_an_empty_score_reads_back_equal():
    assert read_midi(write_midi(Score())) == Score()


def test_a_silence_of_any_length_is_written():
    for onset in (2**28 - 1, 2**28, 2**29 + 5, MAX_TICK - 1):
        score = Score((Part(Notes([onset], [1], [60])),))
        assert rows(read_midi(write_midi(score))) == [[(onset, 1, 60, 80)]]


def test_a_bank_is_chosen_before_its_program_and_that_before_the_notes():
    part = Part(Notes([0], [96], [60]), program=5, controls=(Control(0, 0, 1), Control(0, 32, 2)))
    data = write_midi(Score((part,)))
    bank, program, note = (data.index(bytes(b)) for b in ([0xB0, 0, 1], [0xC0, 5], [0x90, 60]))
    assert bank < program < note


def test_a_note_ends_before_its_pitch_starts_again():
    data = write_midi(Score((Part(Notes([0, 96], [96, 96], [60, 60])),)))
    assert data.index(bytes([96, 0x80, 60, 0])) < data.rindex(bytes([0, 0x90, 60, 80]))


@pytest.mark.parametrize(
    "control",
    [Control(0, 129, 0), Control(0, 7, 128), Control(0, 7, -1), Control(0, PITCH_BEND, 2**14)],
)
def test_a_control_that_is_none_is_refused(control):
    with pytest.raises(MusicError, match="no MIDI controller"):
        write_midi(Score((Part(controls=(control,)),)))


def test_a_long_text_is_written_whole_and_read_cut():
    data = write_midi(Score(title="ä" * 300, remarks=(Text(0, "\ud800"),)))
    assert "ä".encode() * 300 in data
    score = read_midi(data)
    assert (score.title, score.remarks) == ("ä" * 200, (Text(0, "?"),))


def test_a_million_notes_are_written_without_a_loop_over_them():
    onset = np.arange(200_000) * 10
    score = Score((Part(Notes(onset, np.full(200_000, 10), 40 + onset % 50)),))
    data = write_midi(score)
    assert read_midi(data) == score
    assert write_midi(replace(score, title="a")) != data
