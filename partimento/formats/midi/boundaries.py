"""Where events begin: the one step of reading that cannot be done for all bytes at once.

An event is a delta time of 1-4 bytes and a message whose length its first bytes tell. So NumPy
works out, for every byte of a block, how long an event would be that began there; then a short
loop (`walk`) follows the lengths from event to event. Only three things need a closer look on the
way: messages without a status byte ("running status") where the status before them changes their
length, long messages, and faults.
"""

from typing import NamedTuple

import numpy as np

BLOCK = 1 << 18
LOOKAHEAD = 16  # bytes behind a block that the head of its last event may reach into
SYSEX, SYSEX_MORE, META = 0xF0, 0xF7, 0xFF
END_OF_TRACK = 0x2F
MAX_NUMBER_BYTES = 4  # of a variable-length number
MAX_TABLE_LENGTH = 250  # of an event; a longer one gets a closer look
FEW_SWITCHES = 4  # between messages of one and two data bytes, before a second table pays off


class Fault(NamedTuple):
    """What is wrong at the byte `offset`, in the event that begins at `event`."""

    offset: int
    message: str
    event: int
    leaves_track: bool = False
    lacks_status: bool = False


class Step(NamedTuple):
    """One event passed: where the next begins, and what running status now stands for."""

    next: int
    running: int
    is_end: bool


class Walk(NamedTuple):
    """How far a walk came: `is_end` at the end-of-track event, or stopped by a fault."""

    at: int
    running: int
    is_end: bool = False
    fault: Fault | None = None


class Block:
    """A stretch of the file, with the length of an event at every byte of it.

    Attributes
    ----------
    low, high : int
        Offsets of its first byte and of the first behind it.
    content : bytearray
        Its bytes and at least `LOOKAHEAD` more (zeros behind the end of the file).
    marks : bytearray
        1 where an event was found to begin.
    """

    def __init__(self, data: bytes | bytearray, low: int, size: int = BLOCK) -> None:
        self.low, self.high = low, min(low + size, len(data))
        self.content = bytearray(data[low : self.high + LOOKAHEAD]) + bytes(LOOKAHEAD)
        self.marks = bytearray(self.high - low)
        self._tables: dict[int, bytes] = {}

    def lengths(self, running: int) -> bytes:
        """Length of an event at every byte, if running status stands for so many data bytes.

        0 where a closer look is needed.
        """
        table = self._tables.get(running)
        if table is None:
            table = _event_lengths(self.content, self.high - self.low, running)
            self._tables[running] = table
        return table


def walk(data: bytes | bytearray, block: Block, at: int, end: int, running: int) -> Walk:
    """Mark the events of a track from `at` on, up to its end, the end of the block or a fault."""
    low, marks = block.low, block.marks
    stop = min(end, block.high) - low
    lengths, others = block.lengths(running), b""
    here = at - low
    num_switches = 0
    while here < stop:
        length = lengths[here]
        if length:
            marks[here] = 1
            here += length
            continue
        if others and others[here]:  # a status whose messages have the other length
            lengths, others, running = others, lengths, 3 - running
            continue
        step = look_closer(data, low + here, end, running)
        if isinstance(step, Fault):
            return Walk(low + here, running, fault=step)
        marks[here] = 1
        here = step.next - low
        if step.is_end:
            return Walk(step.next, running, is_end=True)
        if step.running != running:
            num_switches += 1
            if running == 1 or not has_status(data, step.next, end):
                running = step.running
                lengths = block.lengths(running)
            if num_switches > FEW_SWITCHES:
                others = block.lengths(3 - running)
    if low + here > end:
        last = marks.rfind(1, 0, stop)
        marks[last] = 0
        event = low + last
        return Walk(event, running, fault=_leaves(event, end))
    return Walk(low + here, running)


def look_closer(data: bytes | bytearray, event: int, end: int, running: int) -> Step | Fault:
    """Pass one event of a track, whatever it is."""
    after_delta = number_end(data, event, end)
    if after_delta is None:
        return _endless(data, event, event, end)
    if after_delta >= end:
        return _leaves(event, end)
    status = data[after_delta]
    at = after_delta + 1
    is_end = False
    if status < 0x80:
        at = after_delta + running
    elif status < SYSEX:
        running = data_bytes(status)
        at += running
    elif status in (SYSEX, SYSEX_MORE, META):
        if status == META:
            is_end = at < end and data[at] == END_OF_TRACK
            at += 1
        length_end = number_end(data, at, end)
        if length_end is None:
            return _endless(data, at, event, end)
        length = number(data, at, length_end)
        if is_end and length:
            return Fault(at, f"the end of track has {length} bytes: it must have none", event)
        at = length_end + length
    else:
        return Fault(after_delta, f"status byte {status:02X} does not belong in a file", event)
    if at > end:
        return _leaves(event, end)
    return Step(at, running, is_end)


def data_bytes(status: int) -> int:
    """Count the data bytes of a channel message: 1 for program and channel pressure, else 2."""
    return 1 if 0xC0 <= status < 0xE0 else 2


def number_end(data: bytes | bytearray, at: int, end: int) -> int | None:
    """Offset behind a variable-length number, or None if it is endless or cut off."""
    for after in range(at, min(at + MAX_NUMBER_BYTES, end)):
        if data[after] < 0x80:
            return after + 1
    return None


def number(data: bytes | bytearray, at: int, after: int) -> int:
    """Value of the variable-length number in the bytes from `at` to before `after`."""
    value = 0
    for byte in data[at:after]:
        value = value << 7 | byte & 0x7F
    return value


def has_status(data: bytes | bytearray, event: int, end: int) -> bool:
    """Whether the message of an event begins with the status of a channel message."""
    after = number_end(data, event, end)
    return after is not None and after < end and 0x80 <= data[after] < SYSEX


def _endless(data: bytes | bytearray, at: int, event: int, end: int) -> Fault:
    if at + MAX_NUMBER_BYTES > end:
        return _leaves(event, end)
    number = data[at : at + MAX_NUMBER_BYTES].hex(" ")
    return Fault(at, f"a variable-length number goes on beyond 4 bytes ({number})", event)


def _leaves(event: int, end: int) -> Fault:
    return Fault(event, f"an event leaves its track, which ends at byte {end}", event, True)


def _message_lengths(running: int) -> bytes:
    """Length of a message by its first byte; 0 asks for a closer look.

    A channel message that changes what running status stands for gets 0, so that the walk sees it.
    """
    table = bytearray(256)
    table[:0x80] = bytes([running]) * 0x80
    for status in range(0x80, SYSEX):
        if data_bytes(status) == running:
            table[status] = 1 + running
    return bytes(table)


_MESSAGE_LENGTHS = {running: _message_lengths(running) for running in (1, 2)}


def _event_lengths(content: bytearray, size: int, running: int) -> bytes:
    byte = np.frombuffer(content, np.uint8)
    message = np.frombuffer(content.translate(_MESSAGE_LENGTHS[running]), np.uint8)
    if len(at := true_rows(byte[: size + MAX_NUMBER_BYTES] >= SYSEX)):
        message[at] = _system_lengths(byte, at)
    is_more = byte >= 0x80  # in a delta time: another byte follows
    event = message[1:] + (message[1:] > 0)
    event[is_more[:-1]] = 0
    at = true_rows(is_more[:size])
    for more in range(1, MAX_NUMBER_BYTES):
        longer = event[at + 1]
        event[at] = longer + (longer > 0)
        at = at[is_more[at + more]]
    return event[:size].tobytes()


def true_rows(is_true: np.ndarray) -> np.ndarray:
    """Positions of True: `np.flatnonzero` without its overhead, which small files would notice."""
    return is_true.nonzero()[0]


def _system_lengths(byte: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Lengths of meta and system messages; 0 for the end of a track, long ones and faults."""
    kind = byte[at]
    is_meta = kind == META
    is_known = is_meta | (kind == SYSEX) | (kind == SYSEX_MORE)
    is_known &= ~(is_meta & (byte[at + 1] == END_OF_TRACK))
    length, after = numbers(byte, at + 1 + is_meta)
    length += after - at
    return np.where(is_known & (length <= MAX_TABLE_LENGTH), length, 0).astype(np.uint8)


def numbers(byte: np.ndarray, position: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values of variable-length numbers, and the positions behind them.

    What goes on beyond 4 bytes is 2**28 or more.
    """
    digit = byte[position]
    value = (digit & 0x7F).astype(np.int64)
    after = position + 1
    more = true_rows(digit >= 0x80)
    for _ in range(MAX_NUMBER_BYTES - 1):
        if not len(more):
            return value, after
        digit = byte[after[more]]
        value[more] = value[more] << 7 | (digit & 0x7F)
        after[more] += 1
        more = more[digit >= 0x80]
    value[more] += 1 << 28
    return value, after
