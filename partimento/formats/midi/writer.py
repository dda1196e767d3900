"""Writing a score as a Standard MIDI File of format 1: a conductor track, then a track a part.

`write_midi` is the function to call. The same score gives the same bytes, and reading them gives
the same score back.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from partimento.errors import MusicError
from partimento.formats.midi.assembly import DRUM_CHANNEL, LYRIC, MARKER, TRACK_NAME
from partimento.formats.midi.boundaries import END_OF_TRACK, META
from partimento.formats.midi.events import KEY, METER, TEMPO
from partimento.music.score import PITCH_BEND, Control, Part, Score, Text

REMARK = 1  # kind of a text event
MAX_DELTA = 2**28 - 1  # of one variable-length number
MAX_PARTS = 65_534  # the header has 16 bits for the number of tracks
CLOCKS_PER_CLICK, THIRTY_SECONDS_PER_QUARTER = 24, 8  # of a meter event, as most files have them
MELODIC_CHANNELS = [channel for channel in range(16) if channel != DRUM_CHANNEL]
FILLER = bytes([META, 0x7F, 0])  # says nothing; splits a silence too long for one delta time


class Messages(NamedTuple):
    """Messages of one kind, in order of time.

    Attributes
    ----------
    tick : int64 array, shape (message,)
    content : uint8 array
        The bytes of all, one after the other.
    size : int64 array, shape (message,)
        Bytes of each.
    """

    tick: np.ndarray
    content: np.ndarray
    size: np.ndarray


def write_midi(score: Score) -> bytes:
    """Write a score as MIDI.

    Parts take the melodic channels in turn, drums channel 10. With more than 15 melodic parts some
    share a channel, each in a track of its own: readers that go by track (this one, notation
    programs, sequencers) keep them apart; a bare synthesiser plays both with the program that was
    chosen last.

    What does not survive: which of two overlapping notes of equal pitch in one part is longer (the
    first to start will be the first to end); texts beyond 200 characters, which `read_midi` cuts,
    and half surrogate pairs in them; an end of the score before its last event.

    Raises
    ------
    MusicError
        If the score cannot be written: more than 65,534 parts, or a control that is none.
    """
    if len(score.parts) > MAX_PARTS:
        raise MusicError(f"{len(score.parts)} parts: a MIDI file holds {MAX_PARTS} at most")
    tracks = [_conductor_track(score)]
    num_melodic = 0
    for part in score.parts:
        channel = DRUM_CHANNEL
        if not part.is_drum:
            channel = MELODIC_CHANNELS[num_melodic % len(MELODIC_CHANNELS)]
            num_melodic += 1
        tracks.append(_part_track(part, channel))
    fields = ((6, 4), (1, 2), (len(tracks), 2), (score.ticks_per_quarter, 2))
    header = b"".join(value.to_bytes(size, "big") for value, size in fields)
    return b"".join([b"MThd", header, *tracks])


def _conductor_track(score: Score) -> bytes:
    """Write what holds for all parts. On one tick, kinds of events stand in this order."""
    return _track(
        _metas(TRACK_NAME, [(0, score.title.encode("utf-8", "replace"))] if score.title else []),
        _metas(
            TEMPO, ((t.tick, t.microseconds_per_quarter.to_bytes(3, "big")) for t in score.tempos)
        ),
        _metas(METER, ((m.tick, _meter_bytes(m.numerator, m.denominator)) for m in score.meters)),
        _metas(KEY, ((k.tick, bytes([k.fifths & 0xFF, k.is_minor])) for k in score.keys)),
        _texts(MARKER, score.markers),
        _texts(REMARK, score.remarks),
        end_tick=score.end_tick,
    )


def _part_track(part: Part, channel: int) -> bytes:
    """Write the notes of a part and what belongs to them."""
    notes = part.notes
    ends = np.argsort(notes.offset, kind="stable")
    return _track(
        _texts(TRACK_NAME, [Text(0, part.name)] if part.name else []),
        # Ends before starts: a repeated pitch must end before it starts again on the same tick.
        _channel_messages(
            notes.offset[ends], 0x80 | channel, notes.pitch[ends], np.zeros(len(notes), np.int64)
        ),
        _controls(part.controls, channel),
        # Behind the controls of tick 0, since a bank is chosen before its program.
        _channel_messages(np.array([0]), 0xC0 | channel, np.array([part.program])),
        _texts(LYRIC, part.lyrics),
        _channel_messages(notes.onset, 0x90 | channel, notes.pitch, notes.velocity),
    )


def _channel_messages(tick: np.ndarray, status: np.ndarray | int, *data: np.ndarray) -> Messages:
    columns = [np.broadcast_to(status, tick.shape), *data]
    content = np.stack(columns, axis=1).astype(np.uint8)
    return Messages(tick, content.ravel(), np.full(len(tick), len(columns)))


def _controls(controls: Sequence[Control], channel: int) -> Messages:
    columns = np.array(controls, dtype=np.int64).reshape(-1, 3)
    tick, number, value = columns.T
    is_bend = number == PITCH_BEND
    is_bad = (number < 0) | (number > PITCH_BEND) | (value < 0)
    is_bad |= value > np.where(is_bend, 2**14 - 1, 127)
    if is_bad.any():
        raise MusicError(
            f"{controls[int(is_bad.argmax())]} is no MIDI controller: numbers and values are "
            "0-127, and 0-16383 for pitch bend (number 128)"
        )
    return _channel_messages(
        tick,
        np.where(is_bend, 0xE0, 0xB0) | channel,
        np.where(is_bend, value & 0x7F, number),
        np.where(is_bend, value >> 7, value),
    )


def _texts(kind: int, texts: Iterable[Text]) -> Messages:
    return _metas(kind, ((text.tick, text.text.encode("utf-8", "replace")) for text in texts))


def _metas(kind: int, events: Iterable[tuple[int, bytes]]) -> Messages:
    ticks, contents = [], []
    for tick, content in events:
        ticks.append(tick)
        contents.append(bytes([META, kind]) + _number(len(content)) + content)
    return Messages(
        np.array(ticks, dtype=np.int64),
        np.frombuffer(b"".join(contents), np.uint8),
        np.array([len(content) for content in contents], dtype=np.int64),
    )


def _meter_bytes(numerator: int, denominator: int) -> bytes:
    power = denominator.bit_length() - 1
    return bytes([numerator, power, CLOCKS_PER_CLICK, THIRTY_SECONDS_PER_QUARTER])


def _track(*kinds: Messages, end_tick: int = 0) -> bytes:
    """Bring messages in order (on one tick in that of the arguments) and close the track."""
    last = max([end_tick, *(int(kind.tick[-1]) for kind in kinds if len(kind.tick))])
    content = _timed(_joined([*kinds, _metas(END_OF_TRACK, [(last, b"")])]))
    return b"MTrk" + len(content).to_bytes(4, "big") + content


def _joined(kinds: Sequence[Messages]) -> Messages:
    return Messages(*(np.concatenate(columns) for columns in zip(*kinds, strict=True)))


def _timed(messages: Messages) -> bytes:
    """Write messages, each behind the delta time since the one before it."""
    order = np.argsort(messages.tick, kind="stable")
    tick = messages.tick[order]
    delta = np.diff(tick, prepend=0)
    if delta.max() > MAX_DELTA:
        return _timed(_joined([_fillers(tick, delta), messages]))
    size = messages.size[order]
    num_digits = 1 + (delta >> 7 > 0) + (delta >> 14 > 0) + (delta >> 21 > 0)
    end = np.cumsum(num_digits + size)
    out = np.zeros(int(end[-1]), np.uint8)
    message_at = end - size
    for digit in range(int(num_digits.max())):  # from the last one to the first
        has = num_digits > digit
        out[message_at[has] - 1 - digit] = (delta[has] >> 7 * digit) & 0x7F | (0x80 if digit else 0)
    source = (np.cumsum(messages.size) - messages.size)[order]
    run = np.arange(int(size.sum())) - np.repeat(np.cumsum(size) - size, size)
    out[np.repeat(message_at, size) + run] = messages.content[np.repeat(source, size) + run]
    return out.tobytes()


def _fillers(tick: np.ndarray, delta: np.ndarray) -> Messages:
    """Messages that say nothing, wherever a silence is too long for one delta time."""
    ticks = [
        at
        for before, gap in zip((tick - delta).tolist(), delta.tolist(), strict=True)
        if gap > MAX_DELTA
        for at in range(before + MAX_DELTA, before + gap, MAX_DELTA)
    ]
    content = np.frombuffer(FILLER * len(ticks), np.uint8)
    return Messages(np.array(ticks, dtype=np.int64), content, np.full(len(ticks), len(FILLER)))


def _number(value: int) -> bytes:
    """Write a variable-length number."""
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(value & 0x7F | 0x80)
    return bytes(reversed(digits))
