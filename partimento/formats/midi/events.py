"""Events as columns: what each event of a block says, decoded for all of them at once.

`decode` turns the events that a walk has marked into `Rows`; `Events` gathers of them what a score
has a place for, for a whole file. `partimento.formats.midi.assembly` makes a score of it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from partimento.formats.midi.boundaries import (
    END_OF_TRACK,
    META,
    SYSEX,
    Block,
    Fault,
    data_bytes,
    numbers,
    true_rows,
)
from partimento.formats.midi.limits import Limits
from partimento.music.score import PITCH_BEND

CHANNELS, PITCHES = 16, 128
NOTE_ON, KEY_PRESSURE, CONTROL, PROGRAM, CHANNEL_PRESSURE, BEND = 0x90, 0xA, 0xB, 0xC, 0xD, 0xE
TEXTS = range(1, 16)  # kinds of meta events that are texts
TEMPO, METER, KEY = 0x51, 0x58, 0x59
_OTHER, _TEXT, _CHANGE, _END = range(4)


def _by_status(first: int, last: int) -> np.ndarray:
    """Bits of each data byte that must not be set, for each status."""
    mask = np.zeros(256, np.uint8)
    mask[first:last] = 0x80
    return mask


_FIRST_BITS = _by_status(0x80, SYSEX)
_FIRST_BITS[META] = 0x80  # the kind of a meta event
_SECOND_BITS = _by_status(0x80, SYSEX)
_SECOND_BITS[[status for status in range(0x80, SYSEX) if data_bytes(status) == 1]] = 0
_META_SORTS = np.full(256, _OTHER, np.uint8)
_META_SORTS[TEXTS.start : TEXTS.stop] = _TEXT
_META_SORTS[[TEMPO, METER, KEY]] = _CHANGE
_META_SORTS[END_OF_TRACK] = _END


class Segment(NamedTuple):
    """Events of one track in one block.

    Attributes
    ----------
    track : int
    start : int
        Offset of its first event.
    tick, status : int
        Reached and in force before it; both 0 at the start of a track, where no status holds.
    """

    track: int
    start: int
    tick: int = 0
    status: int = 0


class Rows(NamedTuple):
    """Events, one a row, in the order of the file.

    Attributes
    ----------
    track : array, shape (event,)
        Number of the track, from 0.
    tick : array
    status : array
        The status byte in force: the event's own, or the running status.
    first, second : array
        Data bytes. The first of a meta event is its kind.
    offset : array
        Byte at which the event begins.
    first_at : array
        Byte at which `first` stands.
    """

    track: np.ndarray
    tick: np.ndarray
    status: np.ndarray
    first: np.ndarray
    second: np.ndarray
    offset: np.ndarray
    first_at: np.ndarray

    @property
    def channel(self) -> np.ndarray:
        """Channel, counted through the file: ``16 * track + channel``."""
        return self.track * CHANNELS + (self.status & 0x0F)

    def where(self, rows: np.ndarray | slice) -> "Rows":
        """Select some rows."""
        return Rows(*[column[rows] for column in self])


def decode(
    block: Block, segments: Sequence[Segment], *, is_lenient: bool = False
) -> tuple[Rows, Fault | None]:
    """Decode the marked events of some segments that follow each other in a block.

    Parameters
    ----------
    is_lenient
        Let running status go on behind meta and system events, as players do.

    Returns
    -------
    rows : Rows
        Up to the first event that cannot be.
    fault
        What is wrong with that event.
    """
    begin_at = segments[0].start - block.low
    position = true_rows(np.frombuffer(block.marks, np.bool_)[begin_at:])
    position += begin_at
    byte = np.frombuffer(block.content, np.uint8)
    delta, at = numbers(byte, position)
    status = byte[at]
    is_running = status < 0x80
    begin = np.searchsorted(position, [segment.start - block.low for segment in segments])
    segment = np.zeros(len(position), np.int64)  # number of each row's segment
    segment[begin[1:]] = 1
    segment = segment.cumsum()
    tick = delta.cumsum()
    before = np.array([s.tick for s in segments]) - tick[begin] + delta[begin]
    tick += before[segment]
    track = np.array([s.track for s in segments])[segment]
    if is_running.any():
        held = segments[0].status  # the only one that may go on from the block before
        status = _running_status(status, is_running, held, begin, is_lenient)
    first_at = at + ~is_running
    first, second = byte[first_at], byte[first_at + 1]
    rows = Rows(track, tick, status, first, second, position + block.low, first_at + block.low)
    is_bad = ((first & _FIRST_BITS[status]) | (second & _SECOND_BITS[status])) > 0
    is_bad |= is_running & ((status >= SYSEX) | (status < 0x80))
    if not is_bad.any():
        return rows, None
    row = int(is_bad.argmax())
    return rows.where(slice(row)), _fault(rows, row, bool(is_running[row]))


def _running_status(
    status: np.ndarray, is_running: np.ndarray, held: int, begin: np.ndarray, is_lenient: bool
) -> np.ndarray:
    """Status in force at each event; below 0x80 where there is none.

    Parameters
    ----------
    held
        In force before the first event; 0 for none.
    begin
        First row of each track (but the first row may stand inside one).
    """
    gives = ~is_running
    if is_lenient:
        gives &= status < SYSEX
    # What counts is the latest row that gives a status; a track begins with none.
    giver = np.where(gives, np.arange(len(status)), 0)
    giver[begin] = begin
    giver = np.maximum.accumulate(giver)
    source = status.copy()
    if held and not gives[0]:
        source[0] = held
    elif is_lenient:
        source[begin[~gives[begin]]] = 0
    return np.where(is_running, source[giver], status)


def _fault(rows: Rows, row: int, is_running: bool) -> Fault:
    event, status, at = int(rows.offset[row]), int(rows.status[row]), int(rows.first_at[row])
    if is_running and not 0x80 <= status < SYSEX:
        what = "a data byte where a status byte must stand: no running status holds here"
        return Fault(at, what, event, lacks_status=True)
    at += 0 if rows.first[row] >= 0x80 else 1
    value = int(rows.first[row] if rows.first[row] >= 0x80 else rows.second[row])
    return Fault(at, f"data byte {value} is above 127", event)


class Meta(NamedTuple):
    """A meta event that a score has a place for; its length stands at `length_at`."""

    track: int
    tick: int
    kind: int
    length_at: int


class NoteColumns(NamedTuple):
    """Note starts and, with velocity 0, note ends; `key` is ``128 * channel + pitch``."""

    key: np.ndarray
    tick: np.ndarray
    velocity: np.ndarray
    offset: np.ndarray


class ControlColumns(NamedTuple):
    """Controller moves and pitch bends."""

    channel: np.ndarray
    tick: np.ndarray
    number: np.ndarray
    value: np.ndarray


class ProgramColumns(NamedTuple):
    """Program changes."""

    channel: np.ndarray
    tick: np.ndarray
    program: np.ndarray
    offset: np.ndarray


@dataclass
class Events:
    """Everything in the tracks that a score has a place for, in the order of the file.

    Attributes
    ----------
    notes, controls, programs : list
        A piece of each column for each block.
    metas : list of Meta
    track_ends : dict of int to int
        Tick of the last event of each track: in a sound file, of its end.
    notices : Counter
        What a score has no place for, and what is odd about the file.
    """

    limits: Limits
    notes: list[NoteColumns] = field(default_factory=list)
    controls: list[ControlColumns] = field(default_factory=list)
    programs: list[ProgramColumns] = field(default_factory=list)
    metas: list[Meta] = field(default_factory=list)
    track_ends: dict[int, int] = field(default_factory=dict)
    notices: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)

    def count(self, limit: str, more: int, what: str, offset: int | None) -> None:
        """Count something towards a limit, and refuse what passes it."""
        self.counts[what] += more
        most = getattr(self.limits, limit)
        if self.counts[what] > most:
            self.limits.refuse(limit, f"more than {most:,} {what}", offset)

    def add(self, rows: Rows) -> None:
        """Add decoded events, which follow those added before."""
        if not len(rows.tick):
            return
        self._check_ticks(rows)
        last = [*true_rows(rows.track[1:] != rows.track[:-1]).tolist(), -1]
        self.track_ends |= zip(rows.track[last].tolist(), rows.tick[last].tolist(), strict=True)
        is_note = (rows.status & 0xE0) == 0x80
        notes = true_rows(is_note)
        if len(notes):
            self._add_notes(rows.where(notes))
        if len(notes) < len(is_note):
            self._add_others(rows.where(true_rows(~is_note)))

    def _check_ticks(self, rows: Rows) -> None:
        is_late = rows.tick >= self.limits.max_ticks
        if is_late.any():
            row = int(is_late.argmax())
            self.limits.refuse(
                "max_ticks", f"an event at tick {rows.tick[row]:,}", int(rows.offset[row])
            )

    def _add_notes(self, rows: Rows) -> None:
        velocity = np.where(rows.status >= NOTE_ON, rows.second, 0).astype(np.uint8)
        num_starts = int(np.count_nonzero(velocity))
        num_ends = len(velocity) - num_starts
        last = int(rows.offset[-1])
        self.count("max_notes", num_starts, "notes", last)
        self.count("max_notes", num_ends, "note ends", last)
        key = rows.channel * PITCHES + rows.first
        narrow = (key.astype(np.int32), rows.tick.astype(np.int32))
        self.notes.append(NoteColumns(*narrow, velocity, rows.offset.astype(np.int32)))

    def _add_others(self, rows: Rows) -> None:
        """Add what is no note."""
        kind = rows.status >> 4
        numbers = np.bincount(kind, minlength=16).tolist()
        for name, code in (
            ("key pressures", KEY_PRESSURE),
            ("channel pressures", CHANNEL_PRESSURE),
        ):
            if numbers[code]:
                self.notices[name] += numbers[code]
        if numbers[CONTROL] or numbers[BEND]:
            self._add_controls(rows.where((kind == CONTROL) | (kind == BEND)))
        if numbers[PROGRAM]:
            changes = rows.where(kind == PROGRAM)
            narrow = (changes.channel.astype(np.int32), changes.tick.astype(np.int32))
            self.programs.append(
                ProgramColumns(*narrow, changes.first, changes.offset.astype(np.int32))
            )
        if numbers[0xF]:
            is_meta = rows.status == META
            if num_others := numbers[0xF] - int(np.count_nonzero(is_meta)):
                self.notices["system exclusive messages"] += num_others
            self._add_metas(rows.where(is_meta))

    def _add_controls(self, rows: Rows) -> None:
        self.count("max_controls", len(rows.tick), "controls", int(rows.offset[-1]))
        is_bend = rows.status >> 4 == BEND
        first, second = rows.first.astype(np.int16), rows.second.astype(np.int16)
        self.controls.append(
            ControlColumns(
                rows.channel.astype(np.int32),
                rows.tick.astype(np.int32),
                np.where(is_bend, np.int16(PITCH_BEND), first),
                np.where(is_bend, first | second << 7, second),
            )
        )

    def _add_metas(self, rows: Rows) -> None:
        if not len(rows.tick):
            return
        sort = _META_SORTS[rows.first]
        numbers = np.bincount(sort, minlength=4).tolist()
        self.count("max_texts", numbers[_TEXT], "texts", int(rows.offset[-1]))
        self.count("max_changes", numbers[_CHANGE], "tempos, meters and keys", int(rows.offset[-1]))
        if numbers[_OTHER]:
            self.notices["other meta events"] += numbers[_OTHER]
        if numbers[_TEXT] or numbers[_CHANGE]:
            kept = rows.where((sort == _TEXT) | (sort == _CHANGE))
            columns = (kept.track, kept.tick, kept.first, kept.first_at + 1)
            self.metas += map(Meta, *(column.tolist() for column in columns))
