"""Build MIDI files byte by byte, for the tests beside this file.

`file(track(ON, OFF))` is a sound one; everything can be overridden to make it odd or bad.
"""

END = bytes.fromhex("00 FF 2F 00")
ON = bytes.fromhex("00 90 3C 40")  # c4 at once
OFF = bytes.fromhex("60 80 3C 00")  # and off after 96 ticks
NOTE = ON + OFF


def hexed(words):
    """Bytes of a text of hexadecimal digits."""
    return bytes.fromhex(words)


def header(kind=1, tracks=1, division=480, length=6, more=b""):
    return b"MThd" + b"".join(
        [
            length.to_bytes(4, "big"),
            kind.to_bytes(2, "big"),
            tracks.to_bytes(2, "big"),
            division.to_bytes(2, "big"),
            more,
        ]
    )


def chunk(content, name=b"MTrk", length=None):
    return name + (len(content) if length is None else length).to_bytes(4, "big") + content


def track(*events, end=END, length=None):
    """A track chunk; an event is bytes or hexadecimal digits."""
    content = b"".join(hexed(event) if isinstance(event, str) else event for event in events)
    return chunk(content + end, length=length)


def file(*chunks, kind=1, division=480, tracks=None):
    tracks = sum(c.startswith(b"MTrk") for c in chunks) if tracks is None else tracks
    return header(kind, tracks, division) + b"".join(chunks)


def meta(kind, content, delta=0):
    assert delta < 128 and len(content) < 128
    return bytes([delta, 0xFF, kind, len(content)]) + content


def rows(score):
    """Notes of each part as (onset, duration, pitch, velocity)."""
    return [[tuple(note) for note in part.notes] for part in score.parts]
