"""Reading: what must be read is read right, what must be refused names the byte."""

import contextlib
import tracemalloc

import pytest
from formats.midi.midi_bytes import (
    END,
    NOTE,
    ON,
    chunk,
    file,
    header,
    hexed,
    meta,
    rows,
    track,
)
from formats.midi.odd_files import BAD, GOOD, TOO_LARGE

from partimento.errors import FormatError, LimitError, MidiError, ParameterError
from partimento.formats.midi import Limits, read_midi, read_midi_report
from partimento.music.score import PITCH_BEND, Control, Key, Meter, Tempo, Text


@pytest.mark.parametrize("name", GOOD)
def test_an_odd_but_good_file_gives_its_notes(name):
    data, notes = GOOD[name]
    assert rows(read_midi(data)) == notes


@pytest.mark.parametrize("name", GOOD)
def test_salvage_finds_nothing_to_mend_in_a_good_file(name):
    data, _ = GOOD[name]
    reading = read_midi_report(data, salvage=True)
    assert (reading.score, reading.repairs) == (read_midi(data), ())


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_with_the_byte_in_question(name):
    data, offset, words = BAD[name]
    with pytest.raises(MidiError) as caught:
        read_midi(data, source="bad.mid")
    message = str(caught.value)
    assert caught.value.offset == offset
    assert message.startswith(f"bad.mid: byte {offset}: ")
    assert words in message
    assert "\n" not in message


@pytest.mark.parametrize("name", TOO_LARGE)
def test_a_file_beyond_a_limit_is_refused_by_the_name_of_the_limit(name):
    data, limit, offset = TOO_LARGE[name]
    for salvage in (False, True):
        with pytest.raises(LimitError, match=limit) as caught:
            read_midi(data, salvage=salvage)
        assert (caught.value.limit, caught.value.offset) == (limit, offset)


@pytest.mark.parametrize(
    ("limit", "event"),
    [
        ("max_notes", "01 90 3C 40"),
        ("max_notes", "01 80 3C 40"),
        ("max_controls", "01 B0 40 7F"),
        ("max_texts", "01 FF 05 01 41"),
        ("max_changes", "01 FF 51 03 07 A1 20"),
        ("max_ticks", "01 90 3C 40"),
    ],
)
def test_each_limit_can_be_raised_by_its_name(limit, event):
    data = file(track(*[event] * 10, end=hexed("00 FF 2F 00")))
    read_midi(data, limits=Limits(**{limit: 10 + (limit == "max_ticks")}))
    with pytest.raises(LimitError, match=rf"limit {limit} is \d") as caught:
        read_midi(data, limits=Limits(**{limit: 9}))
    assert f"Limits({limit}=...)" in str(caught.value) or limit == "max_ticks"


def test_tracks_bytes_and_parts_are_limits_too():
    data = file(track(NOTE), track("00 C0 01", NOTE, "00 C0 02", NOTE))
    read_midi(data, limits=Limits(max_tracks=2, max_bytes=len(data), max_parts=3))
    for limit, value in (("max_tracks", 1), ("max_bytes", len(data) - 1), ("max_parts", 2)):
        with pytest.raises(LimitError, match=limit):
            read_midi(data, limits=Limits(**{limit: value}))


def test_controls_that_several_parts_share_count_for_each():
    data = file(track("00 C0 01", NOTE, *["00 B0 40 7F"] * 6, "00 C0 02", NOTE))
    assert [len(part.controls) for part in read_midi(data).parts] == [6, 6]
    with pytest.raises(LimitError, match="max_controls"):
        read_midi(data, limits=Limits(max_controls=11))


def test_a_limit_that_is_no_number_is_refused():
    with pytest.raises(ParameterError, match="max_notes"):
        Limits(max_notes=-1)
    with pytest.raises(ParameterError, match="max_ticks"):
        Limits(max_ticks=2**31 + 1)


def test_a_text_of_a_file_is_escaped_in_an_error():
    with pytest.raises(FormatError) as caught:
        read_midi(b"", source="a\x1b[2Jb")
    assert "\x1b" not in str(caught.value)


def test_a_good_file_tells_its_facts():
    reading = read_midi_report(file(track(), track(NOTE), kind=1, division=96))
    assert (reading.format, reading.num_tracks, reading.score.ticks_per_quarter) == (1, 2, 96)
    assert (reading.repairs, reading.notices) == ((), {})


def test_changes_and_texts_stand_where_the_file_puts_them():
    conductor = track(
        meta(3, b"Title"),
        meta(0x51, hexed("07 A1 20")),
        meta(0x58, hexed("06 03 24 08")),
        meta(0x59, hexed("FD 01")),
        meta(6, b"A", 96),
        meta(1, b"remark"),
        meta(2, "© me".encode()),
        meta(0x51, hexed("03 D0 90"), 96),
    )
    score = read_midi(file(conductor, track(meta(3, b"Voice"), meta(5, b"la"), NOTE)))
    assert score.title == "Title"
    assert score.tempos == (Tempo(0, 500_000), Tempo(192, 250_000))
    assert score.meters == (Meter(0, 6, 8),)
    assert score.keys == (Key(0, -3, is_minor=True),)
    assert score.markers == (Text(96, "A"),)
    assert score.remarks == (Text(96, "remark"), Text(96, "© me"))
    assert score.parts[0].name == "Voice"
    assert score.parts[0].lyrics == (Text(0, "la"),)
    assert score.end_tick == 192


def test_of_changes_on_one_tick_the_last_counts():
    slow, fast = meta(0x51, hexed("0F 42 40")), meta(0x51, hexed("03 D0 90"))
    assert read_midi(file(track(slow, fast))).tempos == (Tempo(0, 250_000),)
    assert read_midi(file(track(fast), track(slow))).tempos == (Tempo(0, 1_000_000),)


def test_in_format_2_the_changes_of_the_first_track_that_has_any_count():
    slow, fast = meta(0x51, hexed("0F 42 40")), meta(0x51, hexed("03 D0 90"))
    reading = read_midi_report(file(track(NOTE), track(slow, NOTE), track(fast, NOTE), kind=2))
    assert reading.score.tempos == (Tempo(0, 1_000_000),)
    assert reading.notices["tempos, meters and keys of later tracks"] == 1


def test_the_sustain_pedal_and_bends_are_kept_as_data():
    score = read_midi(
        file(track("00 B1 40 7F", "10 E1 00 40", "00 91 3C 40", "10 B1 40 00", "00 91 3C 00"))
    )
    assert score.parts[0].controls == (
        Control(0, 64, 127),
        Control(16, PITCH_BEND, 8192),
        Control(32, 64, 0),
    )
    assert rows(score) == [[(16, 16, 60, 64)]]


def test_channel_10_is_drums_and_has_a_kit():
    (part,) = read_midi(file(track("00 C9 08", "00 99 24 40", "60 89 24 00"))).parts
    assert (part.is_drum, part.program) == (True, 8)


def test_the_programs_of_a_channel_become_parts_in_order_of_program():
    turns = track("00 C0 09", NOTE, "00 C0 02", NOTE, "00 C0 09", NOTE, "00 B0 07 64")
    parts = read_midi(file(turns)).parts
    assert [(part.program, len(part.notes)) for part in parts] == [(2, 1), (9, 2)]
    assert all(part.controls == (Control(288, 7, 100),) for part in parts)


def test_a_track_without_a_program_takes_that_of_its_channel():
    setup = track("00 C0 09", "00 C1 28", "20 C1 29")
    voice = track("00 91 3C 40", "60 81 3C 00", "00 91 3C 40", "60 81 3C 00")
    assert [part.program for part in read_midi(file(setup, voice)).parts] == [40, 41]
    own = track("00 C1 05", "00 91 3C 40", "60 81 3C 00")
    assert [part.program for part in read_midi(file(setup, own)).parts] == [5]
    assert [part.program for part in read_midi(file(setup, voice, kind=2)).parts] == [0]


def test_a_setup_track_hands_its_controls_to_those_who_play_on_the_channel():
    setup = track("00 B0 07 64", "00 B1 07 32", "00 B5 07 01")
    reading = read_midi_report(file(setup, track(NOTE), track("00 91 3C 40", "60 81 3C 00")))
    assert [part.controls for part in reading.score.parts] == [
        (Control(0, 7, 100),),
        (Control(0, 7, 50),),
    ]
    assert reading.notices == {"controls of silent channels": 1}


def test_a_track_that_only_sets_up_one_channel_is_a_silent_part():
    (part,) = read_midi(file(track(meta(3, b"Later"), "00 C3 05", "00 B3 07 64"))).parts
    assert (part.name, part.program, part.controls) == ("Later", 5, (Control(0, 7, 100),))
    assert len(part.notes) == 0


def test_a_track_of_words_only_is_a_silent_part_too():
    first, second = read_midi(file(track(NOTE), track(meta(5, b"la"), meta(5, b"lu", 96)))).parts
    assert second.lyrics == (Text(0, "la"), Text(96, "lu"))
    assert first.lyrics == ()


def test_names_of_instruments_name_a_part_that_has_no_other():
    instrument = meta(4, b"Oboe")
    assert read_midi(file(track(instrument, NOTE))).parts[0].name == "Oboe"
    assert read_midi(file(track(instrument, meta(3, b"I"), NOTE))).parts[0].name == "I"


def test_a_long_text_is_cut():
    long = (
        meta(1, "ä".encode() * 60)
        + b"\x00\xff\x06\x84\x58"
        + "音".encode() * 200
        + b"\x00\xff\x01\x82\x59"
        + b"a" * 345
    )
    score = read_midi(file(track(long)))
    assert [len(text.text) for text in (*score.markers, *score.remarks)] == [200, 60, 200]
    assert len(read_midi(file(track(long)), limits=Limits(max_text_characters=3)).title) == 0


def test_what_a_score_has_no_place_for_is_counted():
    odd = track("00 A0 3C 01", "00 D0 01", "00 D0 02", "00 F0 01 F7", "00 FF 21 01 00", ON, end=b"")
    assert read_midi_report(file(odd, track("00 80 3C 00", NOTE))).notices == {
        "key pressures": 1,
        "channel pressures": 2,
        "system exclusive messages": 1,
        "other meta events": 1,
        "missing ends of track": 1,
        "note ends without a note": 1,
        "missing note ends": 1,
        "notes of no length, made one tick long": 1,
    }


@pytest.mark.parametrize("size", [1 << 18, (1 << 18) + 1, 300_001, 700_000])
@pytest.mark.parametrize("event", ["01 3C 40 01 3C 00", "01 90 3C 40 01 80 3C 00 00 C0 01 00 02"])
def test_a_track_of_many_blocks_reads_like_a_short_one(size, event):
    events = hexed(event)
    count = size // len(events)
    score = read_midi(file(track("00 90 3C 00", events * count)))
    assert score.num_notes == count
    assert {note[1] for part in rows(score) for note in part} == {1}
    assert score.end_tick == 2 * count
    shifted = read_midi(file(track("00 FF 01 03 61 62 63", "00 90 3C 00", events * count)))
    assert rows(shifted) == rows(score)


def test_a_text_longer_than_a_block_is_passed_over():
    content = b"\x00\xff\x01" + hexed("C0 80 00") + b"\x90" * (1 << 20)
    score = read_midi(file(track(content, NOTE)))
    assert (rows(score), len(score.remarks[0].text)) == ([[(0, 96, 60, 64)]], 200)


def test_many_small_tracks_share_a_block():
    tracks = [track(bytes([number, 0x90, 60, 64, 10, 60, 0])) for number in range(100)]
    assert rows(read_midi(file(*tracks))) == [[(number, 10, 60, 64)] for number in range(100)]


def test_a_header_may_claim_what_it_likes_without_taking_memory():
    claims = [
        header(tracks=65535, length=2**32 - 1),
        file(chunk(END, length=2**32 - 1)),
        file(track(hexed("00 FF 01 FF FF FF 7F"))),
        file(track(hexed("00 F0 FF FF FF 7F"))),
    ]
    tracemalloc.start()
    for data in claims:
        for salvage in (False, True):
            with contextlib.suppress(FormatError):
                read_midi(data, salvage=salvage)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20
