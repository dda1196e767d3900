"""Score to MusicXML and back: what paper can hold survives."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import melody_scores, scores

from partimento.formats.musicxml import musicxml_page, read_musicxml, read_musicxml_report
from partimento.formats.musicxml import write_musicxml as written
from partimento.music.examples import EXAMPLES
from partimento.music.notation import parse_text
from partimento.music.notes import Notes
from partimento.music.score import Key, Meter, Part, Score, Tempo, Text


def back(score):
    return read_musicxml(written(score).encode())


def sounding(score):
    """Notes by onset and offset in quarters, pitch and velocity, one list a part."""
    ticks = score.ticks_per_quarter
    return [
        sorted(
            (onset / ticks, (onset + duration) / ticks, pitch, velocity)
            for onset, duration, pitch, velocity in part.notes
        )
        for part in score.parts
    ]


@given(melody_scores(with_velocities=True))
def test_a_melody_on_a_grid_comes_back_as_it_was(score):
    page = musicxml_page(score)
    again = back(score)
    assert page.moved == 0
    assert sounding(again) == sounding(score)
    assert again.meter_map == score.meter_map
    assert again.tempos == score.tempos


@st.composite
def tangles(draw):
    """Parts whose notes overlap at will, on sixteenths and triplets."""
    step = draw(st.sampled_from((120, 160, 240)))
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        rows = draw(
            st.lists(
                st.tuples(st.integers(0, 30), st.integers(1, 12), st.integers(30, 90)), max_size=25
            )
        )
        ends = {}
        kept = []
        for onset, duration, pitch in sorted(rows):
            if onset >= ends.get(pitch, 0):
                ends[pitch] = onset + duration
                kept.append((onset * step, duration * step, pitch))
        columns = list(zip(*kept, strict=True)) or [[], [], []]
        parts.append(Part(Notes(*map(list, columns))))
    meter = draw(st.sampled_from(((4, 4), (3, 4), (6, 8), (5, 4), (2, 2))))
    if step == 160 and meter == (6, 8):
        meter = (4, 4)  # triplets of quarters do not fit the eighths of 6/8
    return Score(tuple(parts), meters=(Meter(0, *meter),))


@given(tangles())
@settings(max_examples=80)
def test_overlapping_notes_come_back_whatever_voices_they_need(score):
    assert musicxml_page(score).moved == 0
    assert sounding(back(score)) == sounding(score)


@given(scores())
@settings(max_examples=40)
def test_any_score_can_be_written_and_read(score):
    again = back(score)
    assert [len(part.notes) for part in again.parts] == [
        len(part.notes) for part in score.parts
    ] or not score.parts
    for ours, theirs in zip(score.parts, again.parts, strict=False):
        assert sorted(ours.notes.pitch) == sorted(theirs.notes.pitch)
        assert sorted(ours.notes.velocity) == sorted(theirs.notes.velocity)
        assert ours.program == theirs.program


def test_the_same_score_gives_the_same_bytes():
    tune = EXAMPLES["row-your-boat"]()
    assert written(tune) == written(EXAMPLES["row-your-boat"]())


def test_what_a_score_says_beside_its_notes_survives():
    score = Score(
        (
            Part(Notes([0, 960], [960, 960], [60, 62]), name="A & <B>", program=40,
                 lyrics=(Text(0, "la"),)),
            Part(Notes([0], [480], [36]), is_drum=True),
        ),
        tempos=(Tempo.from_qpm(90), Tempo.from_qpm(91.37, 960)),
        meters=(Meter(0, 2, 4), Meter(960, 6, 8)),
        keys=(Key(0, -3, True), Key(960, 2)),
        markers=(Text(960, "B"),),
        title="Größe 音 & <x>",
        remarks=(Text(0, 'partimento {"seed":7}'),),
    )  # fmt: skip
    again = back(score)
    for name in ("tempos", "meters", "keys", "markers", "title", "remarks"):
        assert getattr(again, name) == getattr(score, name), name
    assert [(p.name, p.program, p.is_drum, p.lyrics) for p in again.parts] == [
        ("A & <B>", 40, False, (Text(0, "la"),)),
        ("", 0, True, ()),
    ]


def test_a_pickup_is_written_as_one_and_comes_back():
    tune = parse_text("g4:q c5:q d5:q e5:q c5:q", meter="4/4")
    score = dataclasses.replace(tune, meters=(Meter(0, 1, 4), Meter(480, 4, 4)))
    text = written(score)
    assert '<measure number="0" implicit="yes">' in text
    assert text.count("<time>") == 1
    again = back(score)
    assert again.meters == score.meters
    assert sounding(again) == sounding(score)


def test_a_short_first_bar_in_a_meter_far_from_the_next_is_a_meter():
    score = Score(
        (Part(Notes([0, 960], [960, 1440], [60, 62])),), meters=(Meter(0, 2, 4), Meter(960, 6, 8))
    )
    assert "implicit" not in written(score)


def test_a_performance_is_rounded_and_counted():
    late = [3, 487, 955, 1446]
    page = musicxml_page(Score((Part(Notes([t + 20 for t in late], [430] * 4, [60, 62, 64, 65])),)))
    assert page.moved == 4
    again = read_musicxml(page.text.encode())
    assert again.parts[0].notes.onset.tolist() == [0, 480, 960, 1440]
    assert again.parts[0].notes.duration.tolist() == [480] * 4


def test_a_tick_late_is_not_counted():
    score = Score((Part(Notes([1, 481, 961], [470, 470, 470], [60, 62, 64])),))
    page = musicxml_page(score)
    assert page.moved == 0
    assert read_musicxml(page.text.encode()).parts[0].notes.onset.tolist() == [0, 480, 960]


@pytest.mark.data
@pytest.mark.parametrize("name", ["openscore-lieder", "chopin-first-editions", "mutopia"])
def test_real_pieces_come_back(shared_data, name):
    import zipfile

    from partimento.formats.midi import read_midi

    with zipfile.ZipFile(shared_data / name / "midi.zip") as archive:
        files = sorted(file for file in archive.namelist() if file.endswith(".mid"))
        score = read_midi(archive.read(files[5]))
    page = musicxml_page(score)
    reading = read_musicxml_report(page.text.encode())
    ours, theirs = sounding(score), sounding(reading.score)
    same = sum(a == b for x, y in zip(ours, theirs, strict=True) for a, b in zip(x, y, strict=True))
    assert same >= score.num_notes - 2 * page.moved
    assert not reading.notices


def test_a_repeated_note_keeps_its_name():
    text = written(parse_text("c4:q ab4:q ab4:q g4:q", meter="4/4"))
    assert text.count("<step>A</step><alter>-1</alter>") == 2
    assert text.count("<accidental>flat</accidental>") == 1
