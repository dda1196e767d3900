"""A second MIDI reader, as plain and slow as can be, to hold the fast one against.

It goes through a file byte by byte, and refuses the first fault in the order of the file.
"""

from collections import defaultdict


class RefusedError(Exception):
    """The byte at which an event cannot be, and the byte where that event begins."""


def read_slowly(data):
    """Notes, controls, programs and ends of all tracks of a file whose chunks are sound."""
    at = 8 + int.from_bytes(data[4:8], "big")
    tracks = []
    while at + 8 <= len(data):
        start, end = at + 8, at + 8 + int.from_bytes(data[at + 4 : at + 8], "big")
        if data[at : at + 4] == b"MTrk":
            tracks.append(read_track(data, start, end))
        at = end
    return tracks


def read_track(data, at, end):
    """Everything that one track says, as {"notes", "controls", "programs", "metas", "end"}."""
    found = {"notes": [], "controls": [], "programs": [], "metas": []}
    sounding = defaultdict(list)
    now, status = 0, 0
    while at < end:
        event = at
        delta, at = number(data, at, end, event)
        now += delta
        if at >= end:
            raise RefusedError(event, event)
        if data[at] >= 0x80:
            status, at = data[at], at + 1
        elif not 0x80 <= status < 0xF0:
            raise RefusedError(at, event)
        kind, channel = status >> 4, status & 0xF
        if kind == 0xF:
            if status not in (0xF0, 0xF7, 0xFF):
                raise RefusedError(at - 1, event)
            meta = None
            if status == 0xFF:
                if at >= end:
                    raise RefusedError(event, event)
                meta, meta_at, at = data[at], at, at + 1
            length_at = at
            length, at = number(data, at, end, event)
            if meta == 0x2F and length:
                raise RefusedError(length_at, event)
            if at + length > end:
                raise RefusedError(event, event)
            if meta is not None and meta >= 0x80:
                raise RefusedError(meta_at, event)
            if meta == 0x2F:
                if at < end:
                    raise RefusedError(at, at)
                break
            if meta in (0x51, 0x58, 0x59):
                found["metas"].append((now, meta, data[at : at + length]))
            at += length
            continue
        size = 1 if kind in (0xC, 0xD) else 2
        if at + size > end:
            raise RefusedError(event, event)
        values = data[at : at + size]
        for where, value in enumerate(values, start=at):
            if value >= 0x80:
                raise RefusedError(where, event)
        at += size
        if kind == 9 and values[1]:
            sounding[channel, values[0]].append((now, values[1]))
        elif kind in (8, 9):
            if sounding[channel, values[0]]:
                onset, velocity = sounding[channel, values[0]].pop(0)
                note = (onset, max(1, now - onset), values[0], velocity)
                found["notes"].append((channel, *note))
        elif kind == 0xB:
            found["controls"].append((channel, now, values[0], values[1]))
        elif kind == 0xE:
            found["controls"].append((channel, now, 128, values[0] | values[1] << 7))
        elif kind == 0xC:
            found["programs"].append((channel, now, values[0]))
    for (channel, pitch), notes in sounding.items():
        for onset, velocity in notes:
            found["notes"].append((channel, onset, max(1, now - onset), pitch, velocity))
    found["end"] = now
    return found


def number(data, at, end, event):
    """A variable-length number, and the offset behind it."""
    value = 0
    for after in range(at, at + 4):
        if after >= end:
            raise RefusedError(event, event)
        value = value << 7 | data[after] & 0x7F
        if data[after] < 0x80:
            return value, after + 1
    raise RefusedError(at, event)
