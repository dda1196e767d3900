"""Assembly: from columns of events to the parts, changes and texts of a `Score`."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import numpy as np

from partimento.errors import MidiError
from partimento.formats.midi.boundaries import number, number_end, true_rows
from partimento.formats.midi.chunks import Header
from partimento.formats.midi.events import (
    CHANNELS,
    KEY,
    METER,
    PITCHES,
    TEMPO,
    Events,
    Meta,
)
from partimento.formats.midi.pairing import pair
from partimento.formats.midi.texts import decode_text
from partimento.music.notes import MAX_TICK, Notes, sorted_order
from partimento.music.score import Control, Key, Meter, Part, Score, Tempo, Text

DRUM_CHANNEL = 9  # counted from 0
TRACK_NAME, INSTRUMENT_NAME, LYRIC, MARKER = 3, 4, 5, 6
INDEPENDENT_TRACKS = 2  # a format
# What Control._make does, without a call of Python for each: there may be very many.
_new_control = partial(tuple.__new__, Control)


@dataclass
class Words:
    """Everything that meta events say, in the order of the file."""

    tempos: list[Tempo] = field(default_factory=list)
    meters: list[Meter] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)
    markers: list[Text] = field(default_factory=list)
    remarks: list[Text] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)
    instruments: dict[int, str] = field(default_factory=dict)
    lyrics: defaultdict[int, list[Text]] = field(default_factory=lambda: defaultdict(list))


@dataclass
class Seat:
    """A part in the making: one channel of one track with one program."""

    channel: int
    program: int
    notes: Notes = field(default_factory=Notes)
    controls: list[Control] = field(default_factory=list)

    @property
    def track(self) -> int:
        """Number of its track, from 0."""
        return self.channel // CHANNELS


def assemble(
    data: bytes | bytearray,
    header: Header,
    events: Events,
    on_bad_change: Callable[[MidiError], None] | None = None,
) -> Score:
    """Make a score of all events of a file.

    Parameters
    ----------
    on_bad_change
        Called with what is wrong about a tempo, meter or key, which is then left out; without it
        the error is raised.
    """
    words = read_words(data, header, events, on_bad_change)
    is_independent = header.format == INDEPENDENT_TRACKS
    seats = _seats(events, is_independent)
    _add_silent_seats(seats, events, words)
    seats.sort(key=lambda seat: seat.channel)
    _hand_out_controls(seats, events, is_independent)
    parts = []
    singers = set()
    for seat in seats:
        sings = seat.track not in singers  # the first part of a track takes its lyrics
        singers.add(seat.track)
        name = words.names.get(seat.track) or words.instruments.get(seat.track, "")
        parts.append(
            Part(
                seat.notes,
                name,
                seat.program,
                seat.channel % CHANNELS == DRUM_CHANNEL,
                tuple(seat.controls),
                tuple(words.lyrics[seat.track]) if sings and seat.track in words.lyrics else (),
            )
        )
    return Score(
        parts=tuple(parts),
        ticks_per_quarter=header.ticks_per_quarter,
        tempos=tuple(words.tempos),
        meters=tuple(words.meters),
        keys=tuple(words.keys),
        markers=tuple(words.markers),
        end_tick=max(events.track_ends.values(), default=0),
        title=words.names.get(0, ""),
        remarks=tuple(words.remarks),
    )


class PairedNotes(NamedTuple):
    """Columns of all notes of a file, each of shape (note,); `offset` is the byte of the start."""

    channel: np.ndarray
    onset: np.ndarray
    duration: np.ndarray
    pitch: np.ndarray
    velocity: np.ndarray
    offset: np.ndarray


def _seats(events: Events, is_independent: bool) -> list[Seat]:
    """Sort the notes of the file into parts, in order of channel and program."""
    notes = _paired_notes(events)
    if notes is None:
        return []
    group = notes.channel * PITCHES + _programs_of_notes(events, notes, is_independent)
    key = group << 38 | notes.onset << 7 | notes.pitch
    order = sorted_order(key, notes.duration, notes.velocity)
    group = group[order]
    begins = [0, *(true_rows(group[1:] != group[:-1]) + 1).tolist()]
    ends = [*begins[1:], len(group)]
    events.count("max_parts", len(begins), "parts", None)
    columns = [c[order] for c in (notes.onset, notes.duration, notes.pitch, notes.velocity)]
    return [
        Seat(which >> 7, which & 0x7F, Notes.of_sorted(*[c[low:high].copy() for c in columns]))
        for low, high, which in zip(begins, ends, group[begins].tolist(), strict=True)
    ]


def _paired_notes(events: Events) -> PairedNotes | None:
    """Pair note starts with note ends, and count what is odd; None where there are no notes."""
    if not events.notes:
        return None
    key, tick, velocity, offset = (_joined(columns) for columns in zip(*events.notes, strict=True))
    events.notes.clear()  # a large file is in memory once, not twice
    start, end, num_stray_ends = pair(key, velocity > 0)
    if num_stray_ends:
        events.notices["note ends without a note"] += num_stray_ends
    if not len(start):
        return None
    key = key[start].astype(np.int64)
    channel, pitch = key >> 7, key & 0x7F
    onset = np.minimum(tick[start].astype(np.int64), MAX_TICK - 1)
    end_tick = tick[end].astype(np.int64)
    if (is_hanging := end < 0).any():
        track_end = np.zeros(max(events.track_ends) + 1, np.int64)
        track_end[list(events.track_ends)] = list(events.track_ends.values())
        end_tick = np.where(is_hanging, track_end[channel // CHANNELS], end_tick)
        events.notices["missing note ends"] += int(is_hanging.sum())
    duration = end_tick - onset
    if (is_empty := duration < 1).any():
        duration = np.maximum(duration, 1)
        events.notices["notes of no length, made one tick long"] += int(is_empty.sum())
    velocity = velocity[start].astype(np.int64)
    return PairedNotes(channel, onset, duration, pitch, velocity, offset[start])


def _programs_of_notes(events: Events, notes: PairedNotes, is_independent: bool) -> np.ndarray:
    """Program in force when each note starts."""
    if not events.programs:
        return np.zeros(len(notes.channel), np.int64)
    giver, tick, program, at = (_joined(columns) for columns in zip(*events.programs, strict=True))
    own = _latest(giver, at, program, notes.channel, notes.offset)
    if is_independent:
        return np.maximum(own, 0)
    has_own = np.zeros(int(max(giver.max(), notes.channel.max())) + 1, dtype=bool)
    has_own[giver] = True
    has_own = has_own[notes.channel]
    if has_own.all():
        return np.maximum(own, 0)
    # A track without a program of its own plays what others have chosen for its channel by then.
    lent = _latest(giver % CHANNELS, tick, program, notes.channel % CHANNELS, notes.onset)
    return np.maximum(np.where(has_own, own, lent), 0)


def _latest(
    group: np.ndarray, at: np.ndarray, value: np.ndarray, of_group: np.ndarray, by: np.ndarray
) -> np.ndarray:
    """Value given last in a group, up to a place; -1 where none was."""
    where = group.astype(np.int64) << 32 | at
    order = np.argsort(where, kind="stable")
    where = where[order]
    wanted = of_group.astype(np.int64) << 32 | by
    found = np.searchsorted(where, wanted, side="right") - 1
    is_found = (found >= 0) & (where[found] >> 32 == of_group)
    return np.where(is_found, value[order][found].astype(np.int64), -1)


def _add_silent_seats(seats: list[Seat], events: Events, words: Words) -> None:
    """Give a part to each track without notes that sets up one channel, or has lyrics."""
    with_notes = {seat.track for seat in seats}
    channels: defaultdict[int, set[int]] = defaultdict(set)
    programs: dict[int, int] = {}
    for changes in events.programs:
        for channel, program in zip(
            changes.channel.tolist(), changes.program.tolist(), strict=True
        ):
            programs[channel] = program
            channels[channel // CHANNELS].add(channel)
    for moves in events.controls:
        for channel in np.unique(moves.channel).tolist():
            channels[channel // CHANNELS].add(channel)
    for track, used in channels.items():
        if track not in with_notes and len(used) == 1:
            (channel,) = used
            seats.append(Seat(channel, programs.get(channel, 0)))
    with_seat = {seat.track for seat in seats}
    seats += [Seat(track * CHANNELS, 0) for track in words.lyrics if track not in with_seat]


def _hand_out_controls(seats: list[Seat], events: Events, is_independent: bool) -> None:
    """Give each channel's controls to the parts that play on it.

    Those of a channel on which its track plays nothing go to the parts of other tracks on that
    channel: that is how a setup track works.
    """
    if not events.controls:
        return
    channel, tick, kind, value = (
        _joined(columns) for columns in zip(*events.controls, strict=True)
    )
    takers: defaultdict[int, list[Seat]] = defaultdict(list)
    same_channel: defaultdict[int, list[Seat]] = defaultdict(list)
    for seat in seats:
        takers[seat.channel].append(seat)
        same_channel[seat.channel % CHANNELS].append(seat)
    order = np.argsort(channel, kind="stable")
    channel = channel[order]
    cuts = true_rows(channel[1:] != channel[:-1]) + 1
    begins = [0, *cuts.tolist()]
    ends = [*cuts.tolist(), len(channel)]
    for low, high, which in zip(begins, ends, channel[begins].tolist(), strict=True):
        given = takers.get(which) or (() if is_independent else same_channel[which % CHANNELS])
        if not given:
            events.notices["controls of silent channels"] += high - low
            continue
        more = (high - low) * (len(given) - 1)
        events.count("max_controls", more, "controls", None)
        rows = order[low:high]
        columns = (column[rows].tolist() for column in (tick, kind, value))
        moves = list(map(_new_control, zip(*columns, strict=True)))
        for seat in given:
            seat.controls += moves


def read_words(
    data: bytes | bytearray,
    header: Header,
    events: Events,
    on_bad_change: Callable[[MidiError], None] | None = None,
) -> Words:
    """Read the content of the meta events a score has a place for."""
    words = Words()
    counting_track: int | None = None
    for meta in events.metas:
        start = number_end(data, meta.length_at, len(data)) or meta.length_at
        content = data[start : start + number(data, meta.length_at, start)]
        if meta.kind < TEMPO:
            text = decode_text(bytes(content), events.limits.max_text_characters)
            _add_text(words, meta, text)
            continue
        if header.format == INDEPENDENT_TRACKS:
            counting_track = meta.track if counting_track is None else counting_track
            if meta.track != counting_track:
                events.notices["tempos, meters and keys of later tracks"] += 1
                continue
        try:
            _add_change(words, meta, content, start)
        except MidiError as error:
            if on_bad_change is None:
                raise
            on_bad_change(error)
    events.metas.clear()
    return words


def _add_text(words: Words, meta: Meta, text: str) -> None:
    if meta.kind == TRACK_NAME and meta.track not in words.names:
        words.names[meta.track] = text
    elif meta.kind == INSTRUMENT_NAME and meta.track not in words.instruments:
        words.instruments[meta.track] = text
    elif meta.kind == LYRIC:
        words.lyrics[meta.track].append(Text(meta.tick, text))
    elif meta.kind == MARKER:
        words.markers.append(Text(meta.tick, text))
    else:
        words.remarks.append(Text(meta.tick, text))


def _add_change(words: Words, meta: Meta, content: bytes | bytearray, start: int) -> None:
    name, size = {TEMPO: ("tempo", 3), METER: ("meter", 4), KEY: ("key", 2)}[meta.kind]
    if len(content) != size:
        raise MidiError(
            f"byte {start}: a {name} of {len(content)} bytes: it must have {size}", start
        )
    if meta.kind == TEMPO:
        microseconds = int.from_bytes(content, "big")
        if microseconds == 0:
            raise MidiError(
                f"byte {start}: tempo 0: a quarter must last 1 microsecond or more", start
            )
        words.tempos.append(Tempo(meta.tick, microseconds))
    elif meta.kind == METER:
        numerator, power = content[0], content[1]
        if numerator == 0 or power > 7:
            raise MidiError(
                f"byte {start}: impossible meter {numerator}/2**{power}: at least 1 note of "
                "length 1/1 to 1/128",
                start,
            )
        words.meters.append(Meter(meta.tick, numerator, 2**power))
    else:
        fifths, mode = int.from_bytes(content[:1], "big", signed=True), content[1]
        if not -7 <= fifths <= 7 or mode > 1:
            raise MidiError(
                f"byte {start}: impossible key: {fifths} sharps, mode {mode}; -7 to 7 sharps, mode "
                "0 (major) or 1 (minor)",
                start,
            )
        words.keys.append(Key(meta.tick, fifths, bool(mode)))


def _joined(columns: tuple[np.ndarray, ...]) -> np.ndarray:
    return columns[0] if len(columns) == 1 else np.concatenate(columns)
