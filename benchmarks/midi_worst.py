"""The slowest and largest files we could think of, all within the usual limits.

Each is read in a process of its own, and its time and peak memory printed: no file of 16 MiB may
take more than 5 seconds or 300 MB. A refusal is as good as a reading.

    python benchmarks/midi_worst.py [NAME...]
"""

import subprocess
import sys
import time

SIZE = 2**24
HEADER = b"MThd\x00\x00\x00\x06\x00\x01"
END = b"\x00\xff\x2f\x00"


def file(*tracks, division=480, kind=1):
    """Wrap the content of tracks."""
    head = b"MThd\x00\x00\x00\x06" + kind.to_bytes(2, "big") + len(tracks).to_bytes(2, "big")
    chunks = (b"MTrk" + len(t).to_bytes(4, "big") + t for t in tracks)
    return head + division.to_bytes(2, "big") + b"".join(chunks)


def filled(event, start=b"", size=SIZE - 64):
    """One track of the same bytes again and again."""
    return file(start + event * ((size - len(start)) // len(event)) + END)


def many_notes(spread):
    """Make a million notes: note-ons, then note-offs, on so many pitches."""
    pitches = [60 + at % spread for at in range(1000)]
    starts = b"".join(bytes([1, pitch, 64]) for pitch in pitches) * 1000
    ends = b"".join(bytes([1, pitch, 0]) for pitch in pitches) * 1000
    return file(b"\x00\x90" + starts[1:] + ends + END)


def turns(count):
    """Give every note a program of its own."""
    event = b"".join(
        bytes([0, 0xC0 | c, p, 0, 0x90 | c, 60, 1, 1, 60, 0]) for p in range(128) for c in range(16)
    )
    return file(*([event + END] * count))


def setups():
    """Let a setup track hand its controls to parts of many tracks."""
    setup = b"".join(bytes([0, 0xB0 | c, 7, v]) for v in range(120) for c in range(16))
    return file(setup * 8 + END, *([b"\x00\x90\x3c\x40\x60\x3c\x00" + END] * 4000))


def junk():
    """Bytes of no sense, always the same."""
    state, out = 1, bytearray()
    while len(out) < SIZE - 64:
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        out += state.to_bytes(8, "big")
    return bytes(out)


def damaged(event, period):
    """Set a data byte above 127 after every so many events."""
    bad = event * period + bytes([event[0], event[1], 0xC8, *event[3:]])
    return filled(bad)


def everything():
    """Come close to all limits at once."""
    words = b"".join([b"\x01\xff\x05\x08" + b"%08d" % n for n in range(49_990)])
    tempos = b"".join([b"\x01\xff\x51\x03" + (n + 1).to_bytes(3, "big") for n in range(49_990)])
    moves = b"\x01\xb0\x07\x40" + b"\x01\x07\x40" * 499_900
    notes = b"\x01\x90\x3c\x40" + b"\x01\x3c\x00\x01\x3c\x40" * 999_990
    return file(words + tempos + END, moves + notes + b"\x01\x3c\x00" + END, *[NOTE + END] * 9)


NOTE = bytes([0, 0x90, 60, 64, 96, 0x80, 60, 64])
FILES = {
    "notes": lambda: file(NOTE * 1_000_000 + END),
    "notes in running status": lambda: many_notes(60),
    "notes of one pitch": lambda: many_notes(1),
    "notes that never end": lambda: file(
        b"\x00\x90" + b"\x3c\x40\x01" * 999_999 + b"\x3c\x40" + END
    ),
    "note ends without notes": lambda: filled(b"\x01\x3c\x00", b"\x00\x90\x3c\x00"),
    "channel pressure": lambda: filled(b"\x01\x40", b"\x00\xd0\x40"),
    "program changes": lambda: filled(b"\x01\x40", b"\x00\xc0\x40"),
    "lengths of status in turn": lambda: filled(b"\x00\xd0\x01\x00\xa0\x3c\x00"),
    "lengths, then running": lambda: filled(b"\x00\xd0\x01\x00\x01\x00\xa0\x3c\x00"),
    "controls": lambda: filled(b"\x01\x07\x40", b"\x00\xb0\x07\x40"),
    "controls within limits": lambda: filled(b"\x01\x07\x40", b"\x00\xb0\x07\x40", 1_449_990),
    "bends": lambda: filled(b"\x01\xe0\x00\x40", b"", 1_999_990),
    "empty texts": lambda: filled(b"\x00\xff\x01\x00"),
    "texts within limits": lambda: filled(b"\x00\xff\x05\x82\x2c" + b"a" * 300, b"", 15_000_000),
    "short texts": lambda: filled(b"\x00\xff\x05\x02ab", b"", 299_990),
    "one long text": lambda: file(b"\x00\xff\x01\x87\xff\xfe\x00" + b"\xff" * (2**24 - 256) + END),
    "other meta events": lambda: filled(b"\x00\xff\x7f\x00"),
    "longer meta events": lambda: filled(b"\x00\xff\x7f\x80\x00"),
    "longest numbers": lambda: filled(b"\x80\x80\x80\x00\xff\x7f\x80\x80\x80\x00"),
    "meta events of 300 bytes": lambda: filled(b"\x00\xff\x7f\x82\x2c" + bytes(300)),
    "system exclusive": lambda: filled(b"\x00\xf0\x00"),
    "tempos": lambda: filled(b"\x01\xff\x51\x03\x07\xa1\x20", b"", 349_990),
    "meters": lambda: filled(b"\x01\xff\x58\x04\x04\x02\x18\x08", b"", 399_990),
    "long delta times": lambda: filled(b"\x80\x80\x80\x00\x90\x3c\x00"),
    "unknown chunks": lambda: file(END) + b"XXXX\x00\x00\x00\x00" * ((SIZE - 64) // 8),
    "everything at once": everything,
    "tracks": lambda: file(*([NOTE * 500 + END] * 4000)),
    "empty tracks": lambda: file(*([END] * 4096)),
    "a program a note": lambda: turns(400),
    "setup tracks": setups,
    "junk": lambda: file(junk()),
    "damaged often": lambda: damaged(b"\x01\x90\x3c\x40", 20),
    "damaged 1000 times": lambda: damaged(b"\x01\xa0\x3c\x00", 4300),
    "damaged in running status": lambda: filled(
        b"\x01\x3c\x00" * 5000 + b"\x01\x3c\xc8", b"\x00\xa0\x3c\x00"
    ),
    "too short a length": lambda: file(NOTE)[:18] + b"\x00\x00\x00\x10" + NOTE * 1_000_000 + END,
}


def main():
    """Print a line a file, strict and with salvage."""
    if sys.argv[1:2] == ["--one"]:
        return one(sys.argv[2], sys.argv[3] == "salvage")
    for name in sys.argv[1:] or FILES:
        for way in ("strict", "salvage"):
            command = [sys.executable, __file__, "--one", name, way]
            print(f"{name:28}{way:9}", end="", flush=True)
            subprocess.run(command, check=True)
    return None


def one(name, salvage):
    """Read one file and print time, memory and what came of it."""
    import resource

    from partimento.errors import PartimentoError
    from partimento.formats.midi import read_midi_report

    data = FILES[name]()
    assert len(data) <= SIZE, len(data)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start, cpu = time.perf_counter(), time.process_time()
    try:
        reading = read_midi_report(data, salvage=salvage)
        what = f"{reading.score.num_notes:,} notes, {len(reading.repairs)} repairs"
    except PartimentoError as error:
        what = str(error)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"{len(data) / 1e6:6.1f} MB {seconds:6.2f} s (cpu {cpu:5.2f}) "
        f"{(peak - before) / 1e3:6.0f} MB more, {peak / 1e3:5.0f} MB in all: {what[:90]}",
        flush=True,
    )


if __name__ == "__main__":
    main()
