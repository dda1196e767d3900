"""Finding and decoding events: the fast way and a slow, plain one say the same."""

import pytest
from formats.midi.midi_bytes import END, chunk, file
from formats.midi.slow_reader import RefusedError, read_slowly
from hypothesis import given, settings
from hypothesis import strategies as st

from partimento.errors import MidiError
from partimento.formats.midi import read_midi
from partimento.formats.midi.assembly import DRUM_CHANNEL
from partimento.formats.midi.boundaries import Block

BYTES = st.integers(0, 127)


def number(value):
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(value & 0x7F | 0x80)
    return bytes(reversed(digits))


@st.composite
def contents(draw):
    """What a track may hold, with every kind of event; running status where it may be."""
    content, status = b"", None
    for _ in range(draw(st.integers(0, 30))):
        content += number(draw(st.sampled_from((0, 0, 1, 60, 127, 128, 16_383, 16_384, 2**21))))
        kind = draw(st.sampled_from((8, 8, 9, 9, 9, 0xA, 0xB, 0xC, 0xD, 0xE, 0xF)))
        if kind == 0xF:
            status = None
            size = draw(st.sampled_from((0, 1, 5, 127, 128, 250, 300)))
            head = draw(st.sampled_from((b"\xf0", b"\xf7", b"\xff\x7f", b"\xff\x01", b"\xff\x60")))
            content += head + number(size) + bytes(range(128, 256)) * 3
            content = content[: len(content) - 3 * 128 + size]
            continue
        new = kind << 4 | draw(st.sampled_from((0, 1, 9)))
        if new != status or draw(st.booleans()):
            content += bytes([new])
        status = new
        pitch = draw(st.sampled_from((60, 61, 127)))
        content += bytes([pitch] if kind in (0xC, 0xD) else [pitch, draw(st.sampled_from((0, 64)))])
    return content + draw(st.sampled_from((END, END, b"")))


@st.composite
def damaged(draw):
    """Tracks with some bytes changed, left out or put in; their lengths are right."""
    tracks = []
    for content in draw(st.lists(contents(), min_size=1, max_size=3)):
        content = bytearray(content)
        for _ in range(draw(st.integers(0, 2))):
            at = draw(st.integers(0, len(content)))
            content[at : at + draw(st.integers(0, 2))] = draw(st.binary(max_size=2))
        tracks.append(chunk(bytes(content)))
    return file(*tracks)


def read_quickly(data):
    """Notes and the end, or the byte of the fault."""
    try:
        score = read_midi(data)
    except MidiError as error:
        return error.offset
    notes = [(tuple(note), part.is_drum) for part in score.parts for note in part.notes]
    return sorted(notes), score.end_tick


def read_plainly(data):
    """Say the same by the slow reader; of a fault also where its event begins."""
    try:
        return facts_of(read_slowly(data))
    except RefusedError as refused:
        return refused.args


def agree(data):
    """Whether both readers make the same of a file.

    An event may be wrong in two ways, of which each names one: then it must be the same event.
    """
    fast, slow = read_quickly(data), read_plainly(data)
    return fast == slow or (isinstance(fast, int) and slow[0] >= fast >= slow[1])


def facts_of(tracks):
    notes = [
        (tuple(note), channel == DRUM_CHANNEL)
        for track in tracks
        for channel, *note in track["notes"]
    ]
    ends = [track["end"] for track in tracks] + [note[0] + note[1] for note, _ in notes]
    return sorted(notes), max(ends)


@given(st.lists(contents(), min_size=1, max_size=4))
def test_sound_tracks_read_as_the_slow_reader_reads_them(tracks):
    assert agree(file(*map(chunk, tracks)))


@settings(max_examples=300)
@given(damaged())
def test_damaged_tracks_are_refused_at_the_same_byte(data):
    assert agree(data)


@settings(max_examples=200)
@given(data=damaged(), size=st.integers(1, 40))
def test_blocks_of_any_size_give_the_same(data, size):
    whole = read_quickly(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Block.__init__, "__defaults__", (size,))
        assert read_quickly(data) == whole


@given(contents())
def test_controls_and_programs_are_those_of_the_slow_reader(content):
    data = file(chunk(content))
    try:
        (slow,) = read_slowly(data)
    except RefusedError:
        return
    channels = {note[0] for note in slow["notes"]}
    parts = read_midi(data).parts
    for part in parts if channels else ():
        owners = [c for c in channels if part.controls == controls_of(slow, c)]
        assert owners
    assert all(part.program in {0, *(p for _, _, p in slow["programs"])} for part in parts)


def controls_of(slow, channel):
    moves = [tuple(move) for owner, *move in slow["controls"] if owner == channel]
    return tuple(sorted(moves, key=lambda move: move[0]))
