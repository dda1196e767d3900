"""Odd and bad MIDI files, made by hand: `GOOD` must be read, `BAD` must be refused.

Each good file comes with the notes of its parts as (onset, duration, pitch, velocity); each bad
one with the byte the error must name and some words of it.
"""

from formats.midi.midi_bytes import END, NOTE, OFF, ON, chunk, file, header, hexed, meta, track

C4 = (0, 96, 60, 64)
TEMPO = meta(0x51, hexed("07 A1 20"))
HUGE = hexed("FF FF FF 7F")  # the longest delta time, 2**28 - 1

GOOD = {
    "format 0": (file(track(NOTE), kind=0), [[C4]]),
    "format 1": (file(track(TEMPO), track(NOTE)), [[C4]]),
    "format 2: each track from its own start": (
        file(track(NOTE), track(NOTE), kind=2),
        [[C4], [C4]],
    ),
    "a longer header": (header(length=10, more=b"more") + track(NOTE), [[C4]]),
    "an unknown chunk before the track": (file(chunk(b"words", b"XFIH"), track(NOTE)), [[C4]]),
    "an unknown chunk behind the track": (file(track(NOTE), chunk(b"MTrk", b"XFKM")), [[C4]]),
    "bytes behind the last track": (file(track(NOTE)) + b"\x00" * 5, [[C4]]),
    "a track of no events": (file(track(NOTE), track()), [[C4]]),
    "a track of no bytes": (file(chunk(b""), track(NOTE)), [[C4]]),
    "no end of track": (file(track(NOTE, end=b"")), [[C4]]),
    "running status": (
        file(track("00 90 3C 40", "60 3C 00", "00 3E 50", "60 3E 00")),
        [[C4, (96, 96, 62, 80)]],
    ),
    "running status of one data byte": (
        file(track("00 C0 05", "00 06", "00 07", NOTE)),
        [[C4]],
    ),
    "running status that changes its length": (
        file(track("00 D0 05", "00 06", "00 A0 3C 01", "00 3C 02", "00 D0 01", "00 01", NOTE)),
        [[C4]],
    ),
    "a status after a meta event": (file(track(ON, TEMPO, OFF)), [[C4]]),
    "note-on with velocity 0 ends a note": (file(track(ON, "60 90 3C 00")), [[C4]]),
    "note-off with a velocity": (file(track(ON, "60 80 3C 7F")), [[C4]]),
    "equal pitches overlap: first in, first out": (
        file(track("00 90 3C 40", "0A 3C 50", "0A 3C 00", "14 3C 00")),
        [[(0, 20, 60, 64), (10, 30, 60, 80)]],
    ),
    "equal pitches at once": (
        file(track("00 90 3C 40", "00 3C 50", "0A 3C 00", "0A 3C 00")),
        [[(0, 10, 60, 64), (0, 20, 60, 80)]],
    ),
    "a pitch repeated on the tick it ends": (
        file(track(ON, "60 90 3C 00", "00 3C 30", "60 3C 00")),
        [[C4, (96, 96, 60, 48)]],
    ),
    "a pitch repeated on the tick before it ends": (
        file(track(ON, "60 90 3C 30", "00 3C 00", "60 3C 00")),
        [[C4, (96, 96, 60, 48)]],
    ),
    "a hanging note ends with its track": (
        file(track(ON, end=hexed("60 FF 2F 00")), track(NOTE, end=hexed("7F FF 2F 00"))),
        [[C4], [C4]],
    ),
    "a hanging note at the end of its track": (file(track(ON)), [[(0, 1, 60, 64)]]),
    "of two hanging notes both": (
        file(track(ON, "10 3C 41", end=hexed("10 FF 2F 00"))),
        [[(0, 32, 60, 64), (16, 16, 60, 65)]],
    ),
    "a note-off without a note": (file(track("00 80 3C 00", NOTE, "00 80 3C 00")), [[C4]]),
    "a note-off on another channel": (file(track(ON, "10 81 3C 00", "50 80 3C 00")), [[C4]]),
    "a note-off in another track": (file(track("00 90 3C 40", OFF), track("10 80 3C 00")), [[C4]]),
    "a note of no length": (file(track(ON, "00 80 3C 00")), [[(0, 1, 60, 64)]]),
    "two channels in one track": (
        file(track(NOTE, "00 91 3E 40", "60 81 3E 00"), kind=0),
        [[C4], [(96, 96, 62, 64)]],
    ),
    "the same channel in two tracks": (file(track(NOTE), track(NOTE)), [[C4], [C4]]),
    "a program that changes": (
        file(track("00 C0 05", NOTE, "00 C0 07", NOTE)),
        [[C4], [(96, 96, 60, 64)]],
    ),
    "a program that changes while a note sounds": (
        file(track("00 C0 05", ON, "00 C0 07", OFF)),
        [[C4]],
    ),
    "delta times of four bytes": (
        file(track(HUGE + ON[1:], HUGE + OFF[1:])),
        [[(2**28 - 1, 2**28 - 1, 60, 64)]],
    ),
    "numbers longer than they need to be": (
        file(track("80 80 80 00 90 3C 40", "80 60 80 3C 00", "80 00 FF 01 80 80 00")),
        [[C4]],
    ),
    "the last tick there is": (
        file(track(*[HUGE + hexed("FF 01 00")] * 8, hexed("06 90 3C 40"), hexed("01 80 3C 00"))),
        [[(2**31 - 2, 1, 60, 64)]],
    ),
    "a note of no length on the last tick": (
        file(track(*[HUGE + hexed("FF 01 00")] * 8, hexed("07 90 3C 40"), "00 80 3C 00")),
        [[(2**31 - 2, 1, 60, 64)]],
    ),
    "division 1": (file(track(NOTE), division=1), [[C4]]),
    "division 32767": (file(track(NOTE), division=0x7FFF), [[C4]]),
    "system exclusive": (file(track("10 F0 05 43 12 00 07 F7", NOTE)), [[(16, 96, 60, 64)]]),
    "system exclusive in pieces, with time between": (
        file(track("10 F0 03 43 12 00", "20 F7 02 01 F7", "30 F7 01 F7", NOTE)),
        [[(96, 96, 60, 64)]],
    ),
    "an escape that looks like a note": (file(track("00 F7 03 90 3D 40", NOTE)), [[C4]]),
    "bytes above 127 in system exclusive": (file(track("00 F0 02 FF F7", NOTE)), [[C4]]),
    "a long system exclusive message": (
        file(track(hexed("00 F0 83 00") + bytes(384), NOTE)),
        [[C4]],
    ),
    "an unknown meta event": (file(track("00 FF 60 02 FF FF", NOTE)), [[C4]]),
    "an SMPTE offset, a port, a channel prefix, a sequence number": (
        file(
            track("00 FF 54 05 60 00 00 00 00", "00 FF 21 01 00", "00 FF 20 01 00", "00 FF 00 00"),
            track(NOTE),
        ),
        [[C4]],
    ),
    "a text with bytes that are no UTF-8": (file(track("00 FF 01 04 FF FE 80 81", NOTE)), [[C4]]),
    "a text that holds a track": (
        file(track(meta(1, b"MTrk\x00\x00\x00\x04\x00\xff\x2f\x00"), NOTE)),
        [[C4]],
    ),
    "the longest bar and the shortest beat": (
        file(track(meta(0x58, hexed("FF 07 18 08")), NOTE)),
        [[C4]],
    ),
    "the slowest tempo": (file(track(meta(0x51, hexed("FF FF FF")), NOTE)), [[C4]]),
    "the fastest tempo": (file(track(meta(0x51, hexed("00 00 01")), NOTE)), [[C4]]),
    "seven flats, minor": (file(track(meta(0x59, hexed("F9 01")), NOTE)), [[C4]]),
    "all channels": (
        file(track(*[bytes([0, 0x90 | c, 60, 64, 96, 0x80 | c, 60, 0]) for c in range(16)])),
        [[(96 * c, 96, 60, 64)] for c in range(16)],
    ),
    "the outermost pitches and velocities": (
        file(track("00 90 00 01", "00 90 7F 7F", "60 80 00 00", "00 80 7F 00")),
        [[(0, 96, 0, 1), (0, 96, 127, 127)]],
    ),
}

AT = 14 + 8  # where the content of the first track begins

BAD = {
    "nothing": (b"", 0, "empty"),
    "words": (b"hello, I am no music", 0, "not MIDI"),
    "a ZIP archive": (b"PK\x03\x04" + bytes(40), 0, "ZIP"),
    "MIDI inside RIFF": (
        b"RIFF\x40\x00\x00\x00RMIDdata\x20\x00\x00\x00" + file(track()),
        0,
        "RMID",
    ),
    "a track first": (track(NOTE), 0, "not MIDI"),
    "the name of a header": (b"MThd", 4, "ends inside its header"),
    "half a header": (header()[:11], 11, "ends inside its header"),
    "a header only": (header(tracks=1), 10, "declares 1 tracks, the file holds 0"),
    "no tracks declared, none there": (header(tracks=0), 10, "holds 0"),
    "a header of 5 bytes": (header(length=5) + track(NOTE), 4, "6 or more"),
    "a header of 2**32 - 1 bytes": (header(length=2**32 - 1) + track(NOTE), 4, "file ends at"),
    "format 3": (file(track(NOTE), kind=3), 8, "format 3"),
    "format 65535": (file(track(NOTE), kind=65535), 8, "format 65535"),
    "division 0": (file(track(NOTE), division=0), 12, "division 0"),
    "SMPTE, 25 frames": (file(track(NOTE), division=0xE728), 12, "SMPTE"),
    "SMPTE, 30 frames, no ticks": (file(track(NOTE), division=0xE200), 12, "SMPTE"),
    "format 0 of two tracks": (file(track(NOTE), track(NOTE), kind=0), 8, "format 0"),
    "fewer tracks than declared": (file(track(NOTE), tracks=2), 10, "declares 2"),
    "more tracks than declared": (file(track(NOTE), track(NOTE), tracks=1), 10, "declares 1"),
    "65535 tracks declared": (file(track(NOTE), tracks=65535), 10, "declares 65535"),
    "a track cut off": (file(track(NOTE))[:-6], 18, "claims 12 bytes"),
    "a track of 2**32 - 1 bytes": (file(track(NOTE, length=2**32 - 1)), 18, "claims 4294967295"),
    "the head of a track cut off": (file(track(NOTE), tracks=2) + b"MTrk\x00", 39, "cut off"),
    "a track length too short": (file(track(NOTE, length=8)), AT + 8, "wrong"),
    "a track length that ends inside an event": (
        file(track(NOTE, length=6)),
        AT + 4,
        "leaves its track",
    ),
    "a track length too long": (file(track(NOTE, length=14), track(NOTE)), 36, "no chunk"),
    "bytes behind the end of track": (
        file(track(NOTE, END, NOTE)),
        AT + 12,
        "12 bytes stand in the track behind its end",
    ),
    "junk between tracks": (file(track(NOTE), b"\x00\x01\x02", track(NOTE)), 34, "no chunk"),
    "a data byte without a status": (file(track("00 3C 40")), AT + 1, "status byte"),
    "a data byte without a status in a second track": (
        file(track(NOTE), track("00 3C 40")),
        34 + 9,
        "status byte",
    ),
    "running status behind a meta event": (
        file(track(ON, meta(1, b"x"), "60 3C 00")),
        AT + 10,
        "status byte",
    ),
    "running status behind system exclusive": (
        file(track(ON, "00 F0 01 F7", "60 3C 00")),
        AT + 9,
        "status byte",
    ),
    "a pitch above 127": (file(track("00 90 80 40", OFF)), AT + 2, "128"),
    "a velocity above 127": (file(track("00 90 3C C8", OFF)), AT + 3, "200"),
    "a velocity above 127 in running status": (file(track(ON, "60 3C FF")), AT + 6, "255"),
    "a program above 127": (file(track("00 C0 80", NOTE)), AT + 2, "128"),
    "a control above 127": (file(track("00 B0 80 00", NOTE)), AT + 2, "128"),
    "a control's value above 127": (file(track("00 B0 07 80", NOTE)), AT + 3, "128"),
    "a bend above 127": (file(track("00 E0 00 C0", NOTE)), AT + 3, "192"),
    "a channel pressure above 127": (file(track("00 D0 FF", NOTE)), AT + 2, "255"),
    "a key pressure above 127": (file(track("00 A0 3C 80", NOTE)), AT + 3, "128"),
    "a kind of meta event above 127": (file(track("00 FF 80 00", NOTE)), AT + 2, "128"),
    "a song position": (file(track("00 F2 00 00", NOTE)), AT + 1, "F2"),
    "a clock": (file(track("00 F8", NOTE)), AT + 1, "F8"),
    "active sensing": (file(track("00 FE", NOTE)), AT + 1, "FE"),
    "an endless delta time": (file(track("80 80 80 80 00 90 3C 40", OFF)), AT, "beyond 4 bytes"),
    "an endless length": (
        file(track("00 FF 01 FF FF FF FF 7F", NOTE)),
        AT + 3,
        "beyond 4 bytes",
    ),
    "an endless length of system exclusive": (
        file(track("00 F0 80 80 80 80 00", NOTE)),
        AT + 2,
        "beyond 4 bytes",
    ),
    "a text that leaves its track": (file(track("00 FF 01 7F 41")), AT, "leaves its track"),
    "a text of 256 MB": (file(track("00 FF 01 FF FF FF 7F")), AT, "leaves its track"),
    "system exclusive that leaves its track": (
        file(track("00 F0 7F 43")),
        AT,
        "leaves its track",
    ),
    "a note that leaves its track": (file(track("00 90 3C", end=b"")), AT, "leaves its track"),
    "a status that leaves its track": (file(track(NOTE, "00 90", end=b"")), AT + 8, "leaves"),
    "a delta time that leaves its track": (file(track(NOTE, "00", end=b"")), AT + 8, "leaves"),
    "half a delta time": (file(track(NOTE, "81", end=b"")), AT + 8, "leaves"),
    "half a meta event": (file(track(NOTE, "00 FF", end=b"")), AT + 8, "leaves"),
    "an end of track with content": (
        file(track(NOTE, end=hexed("00 FF 2F 01 00"))),
        AT + 11,
        "must have none",
    ),
    "tempo 0": (file(track("00 FF 51 03 00 00 00", NOTE)), AT + 4, "tempo 0"),
    "a tempo of 2 bytes": (file(track("00 FF 51 02 07 A1", NOTE)), AT + 4, "must have 3"),
    "a tempo of no bytes": (file(track("00 FF 51 00", NOTE)), AT + 4, "must have 3"),
    "meter 0/4": (file(track("00 FF 58 04 00 02 18 08", NOTE)), AT + 4, "impossible meter"),
    "meter 4/256": (file(track("00 FF 58 04 04 08 18 08", NOTE)), AT + 4, "impossible meter"),
    "meter 4/2**255": (file(track("00 FF 58 04 04 FF 18 08", NOTE)), AT + 4, "impossible meter"),
    "a meter of 2 bytes": (file(track("00 FF 58 02 04 02", NOTE)), AT + 4, "must have 4"),
    "eight sharps": (file(track("00 FF 59 02 08 00", NOTE)), AT + 4, "impossible key"),
    "128 flats": (file(track("00 FF 59 02 80 00", NOTE)), AT + 4, "impossible key"),
    "mode 2": (file(track("00 FF 59 02 00 02", NOTE)), AT + 4, "impossible key"),
    "a key of 1 byte": (file(track("00 FF 59 01 00", NOTE)), AT + 4, "must have 2"),
    "the first of two faults": (file(track("00 90 3C 80", "80 80 80 80")), AT + 3, "128"),
}

# Beyond a limit: the file, the name of the limit, and the byte.
TOO_LARGE = {
    "ticks beyond 2**31": (
        file(track(*[HUGE + hexed("FF 01 00")] * 8, "08 90 3C 40")),
        "max_ticks",
        AT + 8 * 7,
    ),
    "4097 tracks": (file(*[track()] * 4097), "max_tracks", 14 + 4096 * 12),
    "16 MiB and a byte": (file(track(NOTE)) + bytes(2**24 - 33), "max_bytes", None),
}
