"""Assembly: from columns of events to the parts, changes and texts of a `Score`."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import itemgetter
from typing import Any, NamedTuple

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
    notes: Notes = Notes()  # noqa: RUF009 (frozen)
    end: int = 0
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
    num_tracks = max(events.track_ends, default=0) + 1
    return assemble_all(data, [header], [0] * num_tracks, events, on_bad_change)[0]


def assemble_all(
    data: bytes | bytearray,
    headers: Sequence[Header],
    file_of_track: Sequence[int],
    events: Events,
    on_bad_change: Callable[[MidiError], None] | None = None,
) -> list[Score]:
    """Make a score of each of several files whose tracks were read as if they were one file's.

    Parameters
    ----------
    headers
        Of each file. One of format 2 must be alone.
    file_of_track
        Number of the file that each track belongs to; tracks stand in the order of the files.
    """
    is_independent = headers[0].format == INDEPENDENT_TRACKS
    words = read_words(data, is_independent, file_of_track, events, on_bad_change)
    seats = _seats(events, np.array(file_of_track), is_independent)
    _add_silent_seats(seats, events, words)
    seats.sort(key=lambda seat: seat.channel)
    _hand_out_controls(seats, events, file_of_track, is_independent)
    parts: list[list[Part]] = [[] for _ in headers]
    singers = set()
    for seat in seats:
        track = seat.track
        file = file_of_track[track]
        said = words[file]
        sings = track not in singers  # the first part of a track takes its lyrics
        singers.add(track)
        parts[file].append(
            Part.of_checked(
                seat.notes,
                said.names.get(track) or said.instruments.get(track, ""),
                seat.program,
                seat.channel % CHANNELS == DRUM_CHANNEL,
                tuple(seat.controls),
                tuple(said.lyrics[track]) if sings and track in said.lyrics else (),
            )
        )
    ends = [0] * len(headers)
    for track, end in (*events.track_ends.items(), *((seat.track, seat.end) for seat in seats)):
        file = file_of_track[track]
        ends[file] = max(ends[file], end)
    first_track = {file: track for track, file in reversed([*enumerate(file_of_track)])}
    return [
        Score.of_checked(
            parts=tuple(parts[file]),
            ticks_per_quarter=header.ticks_per_quarter,
            end_tick=ends[file],
            tempos=_one_a_tick(said.tempos),
            meters=_one_a_tick(said.meters),
            keys=_one_a_tick(said.keys),
            markers=tuple(_in_order(said.markers)),
            title=said.names.get(first_track[file], ""),
            remarks=tuple(_in_order(said.remarks)),
        )
        for file, (header, said) in enumerate(zip(headers, words, strict=True))
    ]


def _in_order(events: list[Any]) -> list[Any]:
    """Sort by tick, keeping the order of those at one tick."""
    return sorted(events, key=itemgetter(0)) if len(events) > 1 else events


def _one_a_tick(events: list[Any]) -> tuple[Any, ...]:
    """Sort by tick; of several at one tick the last given counts."""
    if len(events) < 2:
        return tuple(events)
    return tuple({event.tick: event for event in _in_order(events)}.values())


class PairedNotes(NamedTuple):
    """Columns of all notes of a file, each of shape (note,); `offset` is the byte of the start."""

    channel: np.ndarray
    onset: np.ndarray
    duration: np.ndarray
    pitch: np.ndarray
    velocity: np.ndarray
    offset: np.ndarray


def _seats(events: Events, file_of_track: np.ndarray, is_independent: bool) -> list[Seat]:
    """Sort the notes into parts, in order of channel and program."""
    notes = _paired_notes(events)
    if notes is None:
        return []
    programs = _programs_of_notes(events, notes, file_of_track, is_independent)
    group = notes.channel * PITCHES + programs
    key = group << 38 | notes.onset << 7 | notes.pitch
    order = sorted_order(key, notes.duration, notes.velocity)
    group = group[order]
    begins = [0, *(true_rows(group[1:] != group[:-1]) + 1).tolist()]
    ends = [*begins[1:], len(group)]
    events.count("max_parts", len(begins), "parts", None)
    table = np.stack((notes.onset, notes.duration, notes.pitch, notes.velocity))[:, order]
    last = np.maximum.reduceat(table[0] + table[1], begins)
    rows = zip(begins, ends, group[begins].tolist(), last.tolist(), strict=True)
    return [
        Seat(which >> 7, which & 0x7F, Notes.of_table(table[:, low:high].copy()), end)
        for low, high, which, end in rows
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


def _programs_of_notes(
    events: Events, notes: PairedNotes, file_of_track: np.ndarray, is_independent: bool
) -> np.ndarray:
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
    shared, of_note = (
        file_of_track[channel // CHANNELS] * CHANNELS + channel % CHANNELS
        for channel in (giver, notes.channel)
    )
    lent = _latest(shared, tick, program, of_note, notes.onset)
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


def _add_silent_seats(seats: list[Seat], events: Events, words: list[Words]) -> None:
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
    singing = (track for said in words for track in said.lyrics)
    seats += [Seat(track * CHANNELS, 0) for track in singing if track not in with_seat]


def _hand_out_controls(
    seats: list[Seat], events: Events, file_of_track: Sequence[int], is_independent: bool
) -> None:
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
    same_channel: defaultdict[tuple[int, int], list[Seat]] = defaultdict(list)
    for seat in seats:
        takers[seat.channel].append(seat)
        same_channel[file_of_track[seat.track], seat.channel % CHANNELS].append(seat)
    order = np.argsort(channel, kind="stable")
    channel = channel[order]
    cuts = true_rows(channel[1:] != channel[:-1]) + 1
    begins = [0, *cuts.tolist()]
    ends = [*cuts.tolist(), len(channel)]
    for low, high, which in zip(begins, ends, channel[begins].tolist(), strict=True):
        shared = file_of_track[which // CHANNELS], which % CHANNELS
        given = takers.get(which) or (() if is_independent else same_channel[shared])
        if not given:
            events.notices["controls of silent channels"] += high - low
            continue
        more = (high - low) * (len(given) - 1)
        events.count("max_controls", more, "controls", None)
        rows = order[low:high]
        columns = (column[rows].tolist() for column in (tick, kind, value))
        moves = list(map(_new_control, zip(*columns, strict=True)))
        for seat in given:
            seat.controls = _in_order([*seat.controls, *moves]) if seat.controls else moves


def read_words(
    data: bytes | bytearray,
    is_independent: bool,
    file_of_track: Sequence[int],
    events: Events,
    on_bad_change: Callable[[MidiError], None] | None = None,
) -> list[Words]:
    """Read the content of the meta events a score has a place for, file by file."""
    words = [Words() for _ in range(max(file_of_track) + 1)]
    counting_track: int | None = None
    for meta in events.metas:
        start = number_end(data, meta.length_at, len(data)) or meta.length_at
        content = data[start : start + number(data, meta.length_at, start)]
        if meta.kind < TEMPO:
            text = decode_text(bytes(content), events.limits.max_text_characters)
            _add_text(words[file_of_track[meta.track]], meta, text)
            continue
        if is_independent:
            counting_track = meta.track if counting_track is None else counting_track
            if meta.track != counting_track:
                events.notices["tempos, meters and keys of later tracks"] += 1
                continue
        try:
            _add_change(words[file_of_track[meta.track]], meta, content, start)
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
