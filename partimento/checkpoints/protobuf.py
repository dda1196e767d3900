"""Protocol buffers, read off the wire: enough to look into an ONNX file before anything else does.

`Message` splits the bytes of one message into its fields by a table of the ones we know. It copies
nothing, follows nothing by itself (so nesting costs no stack), and counts what it reads: a small
file made of a million empty fields is refused after a bounded time.

References
----------
Google, "Protocol Buffers: Encoding".
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from partimento.errors import CheckpointError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # wire types
LONGEST_VARINT = 10  # bytes


class Field(NamedTuple):
    """A field we know: its name, its wire type, and whether it may stand there repeatedly.

    Repeated numbers may come packed, as one run of bytes.
    """

    name: str
    wire: int
    is_repeated: bool = False


class Span(NamedTuple):
    """Bytes `start` to `end` of the file."""

    start: int
    end: int


class Wire:
    """The bytes of a file, and how many more fields may be read from it.

    Parameters
    ----------
    content
        The whole file.
    source
        Name for the error message.
    most_fields
        What reading may cost.
    """

    def __init__(self, content: bytes, source: str, most_fields: int) -> None:
        self.content = content
        self.source = source
        self.most_fields = most_fields
        self.fields_left = most_fields

    def message(self, span: Span, known: Mapping[int, Field]) -> dict[str, Any]:
        """Split a message into its fields.

        Returns
        -------
        dict
            By name, the fields that are there: an int for `VARINT` (unsigned 64 bits), else a
            `Span`; a list of these if the field may be repeated (packed numbers as one `Span`).
            Unknown fields are passed over.
        """
        found: dict[str, Any] = {}
        at = span.start
        while at < span.end:
            self.fields_left -= 1
            if self.fields_left < 0:
                raise CheckpointError(
                    f"{self.source} has more than {self.most_fields:,} fields (limit graph_fields)"
                )
            tag, at = self.varint(at, span.end)
            if tag >= 2**32:  # others keep the low 32 bits, and would see another field
                raise self.bad(at, "a field has a number that is too large")
            number, wire = tag >> 3, tag & 7
            value, at = self._value(at, span.end, number, wire)
            if (field := known.get(number)) is None:
                continue
            is_packed = field.is_repeated and wire == BYTES
            if wire != field.wire and not is_packed:
                raise self.bad(at, f"field {field.name!r} has wire type {wire}, not {field.wire}")
            if field.is_repeated:
                found.setdefault(field.name, []).append(value)
            elif field.name in found:
                raise self.bad(at, f"field {field.name!r} is there twice")
            else:
                found[field.name] = value
        return found

    def varint(self, at: int, end: int) -> tuple[int, int]:
        """Read a number of variable length; return it and the place behind it."""
        value = 0
        for index in range(LONGEST_VARINT):
            if at + index >= end:
                raise self.bad(at, "a number runs out of its message")
            byte = self.content[at + index]
            value |= (byte & 0x7F) << (7 * index)
            if byte < 0x80:
                return value & (2**64 - 1), at + index + 1
        raise self.bad(at, "a number has no end")

    def text(self, span: Span, longest: int = 1000) -> str:
        """Return the text of a span."""
        content = self.content[span.start : min(span.end, span.start + longest + 1)]
        try:
            text = content.decode()
        except UnicodeDecodeError:
            raise self.bad(span.start, "a name is no UTF-8") from None
        if span.end - span.start > longest:
            raise self.bad(span.start, f"a name is longer than {longest}")
        return text

    def bad(self, at: int, what: str) -> CheckpointError:
        """Make the error that says what is wrong at a byte."""
        return CheckpointError(f"{self.source} is no sound ONNX graph: at byte {at:,} {what}")

    def _value(self, at: int, end: int, number: int, wire: int) -> tuple[Any, int]:
        if number == 0:
            raise self.bad(at, "a field has the number 0")
        if wire == VARINT:
            return self.varint(at, end)
        if wire == BYTES:
            length, at = self.varint(at, end)
        elif wire in (FIXED32, FIXED64):
            length = 4 if wire == FIXED32 else 8
        else:
            raise self.bad(at, f"a field has wire type {wire}")
        if length > end - at:
            raise self.bad(at, f"a field of {length:,} bytes leaves its message")
        return Span(at, at + length), at + length


def signed(value: int) -> int:
    """Return the int64 whose bits these are."""
    return value - 2**64 if value >= 2**63 else value
