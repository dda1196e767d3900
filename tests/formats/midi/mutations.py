"""Damage for MIDI files, and what must hold whatever the damage was."""

from partimento.errors import FormatError, MidiError
from partimento.formats.midi import read_midi, read_midi_report, write_midi

TELLING = (0, 1, 0x2F, 0x51, 0x58, 0x7F, 0x80, 0x90, 0xC0, 0xE0, 0xF0, 0xF7, 0xFF)


def mutated(data, chance):
    """Return a file with a few bytes changed, put in, left out, repeated or cut off."""
    data = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 4, 16))):
        at = chance.randrange(len(data) + 1)
        size = chance.choice((1, 1, 2, 4, 16))
        kind = chance.randrange(8)
        if kind <= 1:
            data[at : at + 1] = bytes([chance.randrange(256)])
        elif kind == 2:
            data[at : at + 1] = bytes([chance.choice(TELLING)])
        elif kind == 3:
            data[at:at] = bytes(chance.choice(TELLING) for _ in range(size))
        elif kind == 4:
            del data[at : at + size]
        elif kind == 5:
            other = chance.randrange(len(data) + 1)
            data[at:at] = data[other : other + 8 * size]
        elif kind == 6 and at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        elif chance.random() < 0.2:
            del data[at:]
    return bytes(data)


def check(data):
    """Read a file in every way; return "read", "mended" or "refused"."""
    try:
        reading = read_midi_report(data)
    except FormatError as error:
        if isinstance(error, MidiError):
            assert 0 <= error.offset <= len(data)
            assert f"byte {error.offset}: " in str(error)
        return check_salvage(data)
    assert reading.repairs == ()
    check_round_trip(reading.score)
    return "read"


def check_salvage(data):
    """Read what was refused, and mend it."""
    try:
        reading = read_midi_report(data, salvage=True)
    except FormatError:
        return "refused"
    assert reading.repairs
    assert all(0 <= repair.offset <= len(data) for repair in reading.repairs)
    check_round_trip(reading.score)
    return "mended"


def check_round_trip(score):
    """What came out of any file can be written and read again."""
    once = read_midi(write_midi(score))
    assert once.num_notes == score.num_notes
    assert read_midi(write_midi(once)) == once
