"""Salvage: what players mend is mended, every repair is listed, and sound music stays as it is."""

import pytest
from formats.midi.midi_bytes import END, NOTE, ON, chunk, file, header, hexed, meta, rows, track
from formats.midi.odd_files import BAD
from hypothesis import given
from hypothesis import strategies as st
from strategies import scores

from partimento.errors import FormatError, LimitError, MidiError
from partimento.formats.midi import Limits, read_midi, read_midi_report, write_midi
from partimento.music.score import Key, Meter, Tempo

AT = 14 + 8  # where the content of the first track begins
C4, D4 = (0, 96, 60, 64), (96, 96, 62, 64)
SECOND = hexed("00 90 3E 40 60 80 3E 00")
LATER = b"".join(bytes([10, 0x90, pitch, 64, 10, 0x80, pitch, 0]) for pitch in range(70, 80))
LATER_ROWS = [(20 * n + 10, 10, 70 + n, 64) for n in range(10)]

# Damaged files: the bytes, the notes of the parts, and of each repair the byte and some words.
MENDED = {
    "a last track cut off inside an event": (
        file(track(NOTE, SECOND))[:-7],
        [[C4, (96, 1, 62, 64)]],
        [(AT + 12, "cut off at the end of the file; left out 1 byte")],
    ),
    "a last track cut off between events": (
        file(track(NOTE, SECOND))[:-12],
        [[C4]],
        [(AT + 8, "cut off at the end of the file; left out 0 bytes")],
    ),
    "a track length too short": (
        file(track(NOTE, SECOND, length=8)),
        [[C4, D4]],
        [(18, "took the length of a track as 20, not 8")],
    ),
    "a track length too short, another track behind": (
        file(track(NOTE, SECOND, length=10), track(NOTE)),
        [[C4, D4], [C4]],
        [(18, "as 20, not 10")],
    ),
    "a track length of 0": (
        file(track(NOTE, SECOND, length=0), track(NOTE)),
        [[C4, D4], [C4]],
        [(18, "as 20, not 0")],
    ),
    "a track length too long": (
        file(track(NOTE, length=99), track(NOTE)),
        [[C4], [C4]],
        [(18, "as 12, not 99")],
    ),
    "a track length of 2**32 - 1": (
        file(track(NOTE, length=2**32 - 1), track(NOTE)),
        [[C4], [C4]],
        [(18, "as 12, not 4294967295")],
    ),
    "bytes behind the end of a track": (
        file(track(NOTE, END, b"\x00\x01\x02", end=b""), track(NOTE)),
        [[C4], [C4]],
        [(AT + 12, "left out 3 bytes behind the end")],
    ),
    "junk between tracks": (
        file(track(NOTE), b"\x00\x01\x02", track(NOTE)),
        [[C4], [C4]],
        [(34, "left out 3 bytes that are no chunk")],
    ),
    "junk before the header": (
        b"\x00\x00junk" + file(track(NOTE)),
        [[C4]],
        [(0, "left out 6 bytes before the header")],
    ),
    "MIDI inside RIFF": (
        b"RIFF\x40\x00\x00\x00RMIDdata\x20\x00\x00\x00" + file(track(NOTE)),
        [[C4]],
        [(0, "left out 20 bytes before the header")],
    ),
    "a wrong header length": (
        header(length=5) + track(NOTE),
        [[C4]],
        [(4, "header's length as 6, not 5")],
    ),
    "an unknown format": (file(track(NOTE), kind=9), [[C4]], [(8, "format as 1, not 9")]),
    "a format 0 of two tracks": (
        file(track(NOTE), track(NOTE), kind=0),
        [[C4], [C4]],
        [(14, "format 0 with 2 tracks as format 1")],
    ),
    "more tracks than declared": (
        file(track(NOTE), track(NOTE), tracks=1),
        [[C4], [C4]],
        [(14, "found 2 tracks where the header declares 1")],
    ),
    "fewer tracks than declared": (file(track(NOTE), tracks=7), [[C4]], [(14, "declares 7")]),
    "stray bytes before a status": (
        file(track("3C 40 55", LATER)),
        [LATER_ROWS],
        [(AT, "left out stray data: 3 bytes")],
    ),
    "a stray byte between events": (
        file(track(NOTE, "55", LATER)),
        [[C4, *[(96 + onset, *rest) for onset, *rest in LATER_ROWS]]],
        [(AT + 8, "left out stray data: 1 byte")],
    ),
    "a velocity above 127": (
        file(track("00 90 3C C0 60 80 3C 00", LATER)),
        [[C4, *[(96 + onset, *rest) for onset, *rest in LATER_ROWS]]],
        [(AT + 3, "took the data byte 192 as 64")],
    ),
    "a pitch and a velocity above 127": (
        file(track("00 90 BC C0 60 80 3C 00", LATER)),
        [[C4, *[(96 + onset, *rest) for onset, *rest in LATER_ROWS]]],
        [(AT + 2, "188 as 60"), (AT + 3, "192 as 64")],
    ),
    "running status behind a meta event": (
        file(track(ON, meta(1, b"x"), "60 3C 00", "00 3E 40", meta(1, b"y"), "60 3E 00")),
        [[C4, D4]],
        [(AT + 10, "took the status from before a meta event")],
    ),
    "a status byte that files do not have": (
        file(track(NOTE, "00 F8", LATER)),
        [[C4, *[(96 + onset, *rest) for onset, *rest in LATER_ROWS]]],
        [(AT + 8, "left out stray data: 2 bytes")],
    ),
    "an endless number": (
        file(track(NOTE, "FF FF FF FF FF FF", LATER)),
        [[C4, *[(96 + onset, *rest) for onset, *rest in LATER_ROWS]]],
        [(AT + 8, "left out stray data: 6 bytes")],
    ),
    "junk up to the end of track": (
        file(track(NOTE, "00 F8 00 F8 00 F8"), track(NOTE)),
        [[C4], [C4]],
        [(AT + 8, "left out stray data: 6 bytes")],
    ),
    "nothing but junk behind a fault": (
        file(track(NOTE, "00 F8 00 F8 00 F8", end=b""), track(NOTE)),
        [[C4], [C4]],
        [(AT + 9, "left out the last 6 bytes of a track")],
    ),
    "a tempo 0, a meter 0/4 and a key that is none": (
        file(
            track(
                "00 FF 51 03 07 A1 20 10 FF 51 03 00 00 00",
                "00 FF 58 04 00 02 18 08 00 FF 59 02 08 00",
                NOTE,
            )
        ),
        [[(16, 96, 60, 64)]],
        [
            (AT + 11, "left out: tempo 0"),
            (AT + 18, "impossible meter"),
            (AT + 26, "impossible key"),
        ],
    ),
}


@pytest.mark.parametrize("name", MENDED)
def test_damage_is_mended_and_each_repair_listed(name):
    data, notes, repairs = MENDED[name]
    with pytest.raises(MidiError):
        read_midi(data)
    reading = read_midi_report(data, salvage=True)
    assert rows(reading.score) == notes
    assert [repair.offset for repair in reading.repairs] == [offset for offset, _ in repairs]
    for repair, (_, words) in zip(reading.repairs, repairs, strict=True):
        assert words in repair.message


@pytest.mark.parametrize("name", BAD)
def test_what_is_bad_is_mended_with_a_word_or_refused(name):
    data, _, _ = BAD[name]
    try:
        reading = read_midi_report(data, salvage=True)
    except FormatError:
        return
    assert reading.repairs
    assert list(reading.repairs) == sorted(reading.repairs)


@pytest.mark.parametrize("division", [0, 0xE728])
def test_time_that_is_not_in_ticks_per_quarter_cannot_be_mended(division):
    with pytest.raises(MidiError, match="byte 12"):
        read_midi(file(track(NOTE), division=division), salvage=True)


def test_sound_changes_beside_bad_ones_are_kept():
    sound = track("00 FF 51 03 0F 42 40 00 FF 58 04 03 02 18 08 00 FF 59 02 01 00")
    score = read_midi(file(sound, track("00 FF 51 03 00 00 00", NOTE)), salvage=True)
    assert (score.tempos, score.meters, score.keys) == (
        (Tempo(0, 1_000_000),),
        (Meter(0, 3, 4),),
        (Key(0, 1),),
    )


def test_too_many_repairs_are_a_limit_too():
    data = file(track(*[hexed("00 90 3C C8 60 80 3C 00") + LATER] * 50))
    assert len(read_midi_report(data, salvage=True).repairs) == 50
    with pytest.raises(LimitError, match="max_repairs"):
        read_midi(data, salvage=True, limits=Limits(max_repairs=49))


@given(scores(), st.data())
def test_a_file_cut_off_anywhere_gives_the_events_before_the_cut(score, data):
    whole = write_midi(score)
    cut = data.draw(st.integers(14 + 8, len(whole)))
    reading = read_midi_report(whole[:cut], salvage=True)
    assert bool(reading.repairs) == (cut < len(whole))
    kept = [note[0] for part in reading.score.parts for note in part.notes]
    there = [note[0] for part in score.parts for note in part.notes]
    assert sorted(kept) == sorted(kept) and len(kept) <= len(there)
    assert set(kept) <= set(there)


@given(scores(), st.data())
def test_damage_in_one_track_leaves_the_others_alone(score, data):
    bad = write_midi(score)
    starts = [at for at in range(len(bad)) if bad.startswith(b"MTrk", at)]
    if len(starts) < 3:
        return
    broken = bytearray(bad)
    at = data.draw(st.integers(starts[1] + 8, starts[2] - 1))
    broken[at] = data.draw(st.integers(128, 255))
    score_again = read_midi(bytes(broken), salvage=True)
    assert [part.notes for part in score_again.parts[-(len(starts) - 2) :]] == [
        part.notes for part in score.parts[1:]
    ]


def test_a_chunk_of_another_kind_is_passed_over():
    data = file(chunk(b"abc", b"XFIH"), track(NOTE), chunk(b"MTrk", b"XFKM"), track(NOTE), tracks=9)
    assert rows(read_midi(data, salvage=True)) == [[C4], [C4]]
