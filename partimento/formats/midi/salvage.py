"""Salvage: read what a player would still play of a damaged file, and say what was mended.

`Salvage.read` goes through a file as the strict reader does, but where that refuses it mends: it
trusts the end-of-track event more than a track's declared length, closes a track where the file is
cut off, clears the high bit of damaged data bytes, and leaves out stray bytes where the events
behind them make sense again. Nothing is mended without a `Repair` that says so.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from partimento.errors import MidiError
from partimento.formats.midi.boundaries import (
    SYSEX,
    Block,
    Fault,
    Step,
    data_bytes,
    has_status,
    look_closer,
    number_end,
    walk,
)
from partimento.formats.midi.chunks import CHUNK_HEAD, HEADER_LENGTH, Header, is_name, read_header
from partimento.formats.midi.events import Events, Segment, decode
from partimento.formats.midi.limits import Limits

MAX_JUNK_BEFORE_HEADER = 2**16
SMALL_BLOCK = 1 << 14  # a fault makes us read its block again
STATUS = re.compile(rb"[\x80-\xEF\xFF]")
MAX_STRAY_BYTES = 1 << 16
MAX_FRESH_STARTS = 32  # tried at one place
SOUND_RUN = 16  # events looked ahead to judge a repair
LEAST_SOUND_RUN = 4
LEAST_NOTE_ON = 0x90
NO_HEADER = Header(format=1, num_tracks=0, ticks_per_quarter=1, end=0)


class Repair(NamedTuple):
    """What was mended, and at which byte."""

    offset: int
    message: str


class Soundness(NamedTuple):
    """How much sense the events from a byte on make; more is better, in this order."""

    events: int
    most_have_status: bool


SOUND = Soundness(SOUND_RUN, True)


@dataclass
class Salvage:
    """A damaged file while it is read.

    Attributes
    ----------
    data : bytearray
        The file, with the bytes that were mended.
    events : Events
        Everything read so far.
    repairs : list of Repair
    num_tracks : int
        Tracks read so far.
    """

    data: bytearray
    limits: Limits
    events: Events
    header: Header = NO_HEADER
    repairs: list[Repair] = field(default_factory=list)
    num_tracks: int = 0
    _block: Block | None = None

    @classmethod
    def read(cls, data: bytes, limits: Limits) -> "Salvage":
        """Read a whole file.

        Raises
        ------
        MidiError
            If nothing can be made of it: no header, no ticks per quarter, no tracks.
        LimitError
            If it passes a limit; ``max_repairs`` is one.
        """
        salvage = cls(bytearray(data), limits, Events(limits))
        salvage._read_header(data)
        at = salvage.header.end
        while (at := salvage._find_track(at)) < len(data):
            if salvage.num_tracks == limits.max_tracks:
                limits.refuse("max_tracks", f"more than {limits.max_tracks:,} tracks", at)
            at = salvage._read_track(at)
            salvage.num_tracks += 1
        salvage._check_tracks()
        return salvage

    def mended(self, offset: int, message: str) -> None:
        """Note a repair."""
        if len(self.repairs) >= self.limits.max_repairs:
            most = self.limits.max_repairs
            self.limits.refuse("max_repairs", f"more than {most:,} damaged places", offset)
        self.repairs.append(Repair(offset, message))

    def leave_out_change(self, error: MidiError) -> None:
        """Note a tempo, meter or key that cannot be."""
        self.mended(error.offset or 0, f"left out: {str(error).partition(': ')[2]}")

    # The outer shape.

    def _read_header(self, data: bytes) -> None:
        start = data.find(b"MThd", 0, MAX_JUNK_BEFORE_HEADER)
        if start < 0:
            read_header(data)  # raises
        if start > 0:
            self.mended(0, f"left out {_bytes(start)} before the header")
        head = bytearray(data[start : start + CHUNK_HEAD + HEADER_LENGTH])
        length = int.from_bytes(head[4:8], "big")
        end = start + CHUNK_HEAD + length
        if length < HEADER_LENGTH or end > len(data):
            self.mended(start + 4, f"took the header's length as 6, not {length}")
            end = start + CHUNK_HEAD + HEADER_LENGTH
        head[4:8] = HEADER_LENGTH.to_bytes(4, "big")
        if len(head) > 9 and int.from_bytes(head[8:10], "big") > 2:
            self.mended(start + 8, f"took the format as 1, not {int.from_bytes(head[8:10], 'big')}")
            head[8:10] = b"\x00\x01"
        self.header = read_header(bytes(head))._replace(end=end)

    def _find_track(self, at: int) -> int:
        """Offset of the next track chunk; the size of the file if there is none."""
        while at < len(self.data):
            if self.data[at : at + 4] == b"MTrk":
                if at + CHUNK_HEAD <= len(self.data):
                    return at
                self.mended(at, "left out the head of a track at the end of the file")
                break
            if self._is_chunk(at):
                at += CHUNK_HEAD + self._chunk_length(at)
                continue
            track = self.data.find(b"MTrk", at)
            if track < 0:
                if self.num_tracks < self.header.num_tracks:
                    self.mended(at, f"left out {_bytes(len(self.data) - at)} that are no chunk")
                else:
                    self.events.notices["bytes behind the last track"] += len(self.data) - at
                break
            self.mended(at, f"left out {_bytes(track - at)} that are no chunk")
            at = track
        return len(self.data)

    def _check_tracks(self) -> None:
        declared, found = self.header.num_tracks, self.num_tracks
        if not found:
            raise MidiError("byte 10: the file holds no track: there is nothing to salvage", 10)
        if declared != found:
            self.mended(
                self.header.end, f"found {found} tracks where the header declares {declared}"
            )
        if self.header.format == 0 and found > 1:
            self.mended(self.header.end, f"took format 0 with {found} tracks as format 1")
            self.header = self.header._replace(format=1)

    def _chunk_length(self, at: int) -> int:
        return int.from_bytes(self.data[at + 4 : at + CHUNK_HEAD], "big")

    def _is_chunk(self, at: int) -> bool:
        """Whether a chunk, or the end of the file, may be here."""
        if at == len(self.data):
            return True
        name = self.data[at : at + 4]
        is_within = at + CHUNK_HEAD + self._chunk_length(at) <= len(self.data)
        return name == b"MTrk" or (is_name(name) and is_within)

    # A track.

    def _read_track(self, head: int) -> int:
        """Read a track; return where the next chunk may begin."""
        start, size = head + CHUNK_HEAD, len(self.data)
        declared = start + self._chunk_length(head)
        is_plausible = declared <= size and self._is_chunk(declared)
        place = Place(self.num_tracks, start)
        is_end = self._read_events(place, min(declared, size), may_leave=not is_plausible)
        if not is_end and declared < size and not is_plausible:
            # Too short a length: the track goes on until its end event or the next track.
            following = self.data.find(b"MTrk", place.at)
            is_end = self._read_events(place, size if following < 0 else following, may_leave=True)
        if place.at == declared and (is_end or is_plausible):
            return declared
        if is_plausible:  # what is left over is behind the end event
            behind = _bytes(declared - place.at)
            self.mended(place.at, f"left out {behind} behind the end of a track")
            return declared
        if is_end:
            found = place.at - start
            self.mended(head + 4, f"took the length of a track as {found}, not {declared - start}")
            return place.at
        following = self.data.find(b"MTrk", place.at)
        following = size if following < 0 else following
        where = "at the end of the file" if following == size else "before the next track"
        left = _bytes(following - place.at)
        self.mended(place.at, f"closed a track that is cut off {where}; left out {left}")
        return following

    def _read_events(self, place: "Place", end: int, *, may_leave: bool) -> bool:
        """Read events of a track; return whether it came to the end event.

        Parameters
        ----------
        place
            Where to begin; where it stopped, afterwards.
        may_leave
            Stop without a word at an event that leaves the track.
        """
        while place.at < end:
            block = self._block
            if block is None or not block.low <= place.at < block.high:
                block = self._block = Block(self.data, place.at, SMALL_BLOCK)
            start = place.at
            came = walk(self.data, block, start, end, place.running)
            fault = came.fault
            if came.at > start:
                fault = self._take_in(block, place) or fault
            if fault is None:
                place.at, place.running = came.at, came.running
                if came.is_end:
                    return True
                continue
            block.marks[fault.event - block.low :] = bytes(block.high - fault.event)
            place.at = fault.event
            place.running = data_bytes(place.status) if place.status else 2
            if fault.leaves_track and may_leave:
                return False
            if not self._mend(fault, block, place, end):
                left = _bytes(end - place.at)
                self.mended(fault.offset, f"{fault.message}: left out the last {left} of a track")
                place.at = end
        return False

    def _take_in(self, block: Block, place: "Place") -> Fault | None:
        """Take in the marked events; return what is wrong with the first that cannot be."""
        segments = [Segment(place.track, place.at, place.tick, place.status)]
        rows, fault = decode(block, segments, is_lenient=place.is_lenient)
        if fault and not place.is_lenient and fault.event > place.at and fault.lacks_status:
            lenient_rows, lenient_fault = decode(block, segments, is_lenient=True)
            if len(lenient_rows.tick) > len(rows.tick):
                self.mended(fault.offset, "took the status from before a meta event")
                place.is_lenient = True
                rows, fault = lenient_rows, lenient_fault
        self.events.add(rows)
        if len(rows.tick):
            place.tick = int(rows.tick[-1])
            channel = rows.status[rows.status < SYSEX]
            place.status = int(channel[-1]) if len(channel) else place.status
        return fault

    # A fault.

    def _mend(self, fault: Fault, block: Block, place: "Place", end: int) -> bool:
        """Find the repair after which the events make most sense; False if none does."""
        event = fault.event
        best, num_stray = Soundness(0, False), 0
        high_bytes = self._high_data_bytes(event, place.running, end)
        if high_bytes:
            step = look_closer(self.data, event, end, place.running)
            assert isinstance(step, Step)
            best = self._soundness(step.next, step.running, end)
        for start in self._fresh_starts(event, end):
            if best == SOUND:
                break
            soundness = self._soundness(start, place.running, end)
            if soundness > best:
                best, num_stray = soundness, start - event
        if best.events < LEAST_SOUND_RUN:
            return False
        if num_stray:
            self.mended(event, f"left out stray data: {_bytes(num_stray)}")
            place.at += num_stray
            return True
        for at in high_bytes:
            self.mended(at, f"took the data byte {self.data[at]} as {self.data[at] & 0x7F}")
            self.data[at] &= 0x7F
            if at - block.low < len(block.content):
                block.content[at - block.low] &= 0x7F
        return True

    def _fresh_starts(self, event: int, end: int) -> Iterator[int]:
        """Offsets behind an event where another with a status byte of its own may begin."""
        near = min(event + MAX_STRAY_BYTES, end)
        for found in islice(STATUS.finditer(self.data, event + 2, near), MAX_FRESH_STARTS):
            start = found.start() - 1
            while start - 1 > event and 0x80 <= self.data[start - 1] < LEAST_NOTE_ON:
                start -= 1  # a longer delta time; a greater byte is rather a lost status
            if number_end(self.data, start, end) == found.start():
                yield start

    def _high_data_bytes(self, event: int, running: int, end: int) -> list[int]:
        """Offsets of the data bytes above 127 of a channel message."""
        at = number_end(self.data, event, end)
        step = look_closer(self.data, event, end, running)
        if at is None or isinstance(step, Fault) or self.data[at] >= SYSEX:
            return []
        first = at + (self.data[at] >= 0x80)
        return [where for where in range(first, step.next) if self.data[where] >= 0x80]

    def _soundness(self, at: int, running: int, end: int) -> Soundness:
        """How much sense the next events make."""
        events = with_status = 0
        while events < SOUND_RUN and at < end:
            step = look_closer(self.data, at, end, running)
            if isinstance(step, Fault) or self._high_data_bytes(at, running, end):
                break
            events += 1
            with_status += has_status(self.data, at, end)
            if step.is_end:
                return SOUND
            at, running = step.next, step.running
        return Soundness(events, 2 * with_status >= events)


@dataclass
class Place:
    """Where reading of a track stands.

    Attributes
    ----------
    track : int
    at : int
        Offset of the next event.
    running : int
        Data bytes of a message without a status byte.
    tick, status : int
        Reached and in force; status 0 is none.
    is_lenient : bool
        Whether running status goes on behind meta events in this track.
    """

    track: int
    at: int
    running: int = 2
    tick: int = 0
    status: int = 0
    is_lenient: bool = False


def _bytes(number: int) -> str:
    return f"{number} byte{'' if number == 1 else 's'}"
