"""The outer shape of a MIDI file: its header, and where each track lies.

`read_chunks` walks the chunks without looking into the tracks. A chunk is four letters, a length
of four bytes and so many bytes; chunks other than ``MThd`` and ``MTrk`` are skipped.
"""

from typing import NamedTuple

from partimento.errors import MidiError
from partimento.formats.midi.limits import Limits

CHUNK_HEAD = 8
HEADER_LENGTH = 6


class Header(NamedTuple):
    """What the first chunk says.

    Attributes
    ----------
    format : int
        0 (one track), 1 (tracks side by side) or 2 (independent tracks).
    num_tracks : int
        As declared.
    ticks_per_quarter : int
    end : int
        Offset of the first byte behind the header.
    """

    format: int
    num_tracks: int
    ticks_per_quarter: int
    end: int


class Chunk(NamedTuple):
    """Where the content of a track lies: bytes `start` to before `end`."""

    start: int
    end: int


def read_header(data: bytes) -> Header:
    """Read the header chunk, or raise `MidiError`."""
    if data[:4] != b"MThd":
        raise MidiError(f"byte 0: {_strange_start(data)}", 0)
    if len(data) < CHUNK_HEAD + HEADER_LENGTH:
        raise MidiError(
            f"byte {len(data)}: the file ends inside its header: it is cut off", len(data)
        )
    length = int.from_bytes(data[4:8], "big")
    end = CHUNK_HEAD + length
    if length < HEADER_LENGTH:
        raise MidiError(f"byte 4: the header is {length} bytes long: it must have 6 or more", 4)
    if end > len(data):
        raise MidiError(
            f"byte 4: the header claims {length} bytes, but the file ends at byte {len(data)}", 4
        )
    kind, num_tracks, division = (int.from_bytes(data[at : at + 2], "big") for at in (8, 10, 12))
    if kind > 2:
        raise MidiError(f"byte 8: format {kind} is unknown: 0, 1 and 2 can be read", 8)
    if division & 0x8000:
        raise MidiError(
            f"byte 12: time is counted in SMPTE frames (division 0x{division:04X}), not in ticks "
            "per quarter: export the file again with ticks per quarter",
            12,
        )
    if division == 0:
        raise MidiError("byte 12: division 0: a quarter note must have 1 tick or more", 12)
    return Header(kind, num_tracks, division, end)


def read_chunks(data: bytes, header: Header, limits: Limits) -> tuple[list[Chunk], int]:
    """Find all tracks and the bytes behind the last one.

    Returns
    -------
    tracks : list of Chunk
    num_behind : int
        Bytes behind the last declared track that are no chunk; players ignore them.

    Raises
    ------
    MidiError
        If a chunk leaves the file, or the tracks are not as many as the header says.
    """
    tracks: list[Chunk] = []
    at, size = header.end, len(data)
    while at < size:
        end = at + CHUNK_HEAD + int.from_bytes(data[at + 4 : at + CHUNK_HEAD], "big")
        is_chunk = end <= size and at + CHUNK_HEAD <= size and is_name(data[at : at + 4])
        if data[at : at + 4] == b"MTrk":
            if not is_chunk:
                raise _cut_off(at, end, size)
            if len(tracks) == limits.max_tracks:
                limits.refuse("max_tracks", f"more than {len(tracks):,} tracks", at)
            tracks.append(Chunk(at + CHUNK_HEAD, end))
        elif not is_chunk:
            if len(tracks) >= header.num_tracks:
                break
            raise MidiError(
                f"byte {at}: expected a track, found bytes that are no chunk within the file "
                f"({data[at : at + 4].hex(' ')}): the track before may have a wrong length; "
                "salvage mends that",
                at,
            )
        at = end
    if len(tracks) != header.num_tracks or not tracks:
        raise MidiError(
            f"byte 10: the header declares {header.num_tracks} tracks, the file holds "
            f"{len(tracks)}" + (": salvage reads them" if tracks else ""),
            10,
        )
    if header.format == 0 and len(tracks) > 1:
        raise MidiError(
            f"byte 8: format 0 means one track, but there are {len(tracks)}: salvage reads them "
            "side by side",
            8,
        )
    return tracks, max(0, size - at)


def is_name(letters: bytes | bytearray) -> bool:
    """Whether four bytes can name a chunk: printable ASCII."""
    return len(letters) == 4 and letters.isascii() and letters.decode("ascii").isprintable()


def _cut_off(at: int, end: int, size: int) -> MidiError:
    start = at + CHUNK_HEAD
    if start > size:
        what = "the file ends inside the head of a track: it is cut off"
        return MidiError(f"byte {size}: {what}", size)
    return MidiError(
        f"byte {at + 4}: a track claims {end - start} bytes, but the file has only {size - start} "
        "left: it is cut off; salvage reads what is there",
        at + 4,
    )


def _strange_start(data: bytes) -> str:
    """Say what a file is that does not begin like MIDI."""
    if not data:
        return "the file is empty"
    if data[:4] == b"RIFF" and data[8:12] == b"RMID":
        return "MIDI inside RIFF (RMID): take the content of its data chunk"
    known = {b"PK\x03\x04": "a ZIP archive", b"\x1f\x8b": "a gzip file: unpack it first"}
    for start, name in known.items():
        if data.startswith(start):
            return f"not MIDI but {name}"
    return f"not MIDI: a MIDI file begins with 'MThd', this one with {data[:4].hex(' ')}"
