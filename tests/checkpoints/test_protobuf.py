import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import AttributeProto, TensorProto

from partimento.checkpoints.protobuf import BYTES, FIXED32, VARINT, Field, Span, Wire, signed
from partimento.errors import CheckpointError

KNOWN = {
    1: Field("name", BYTES),
    2: Field("f", FIXED32),
    3: Field("i", VARINT),
    8: Field("ints", VARINT, True),
    9: Field("strings", BYTES, True),
}

int64 = st.integers(-(2**63), 2**63 - 1)


def wire_of(content):
    return Wire(content, "x", 1000)


def whole(wire):
    return Span(0, len(wire.content))


@given(
    int64,
    st.text(st.characters(codec="utf-8")),
    st.lists(st.binary(max_size=9)),
    st.floats(width=32),
)
def test_fields_are_those_that_googles_library_wrote(number, name, strings, real):
    message = AttributeProto(name=name, i=number, strings=strings, f=real)
    wire = wire_of(message.SerializeToString())
    found = wire.message(whole(wire), KNOWN)
    assert signed(found["i"]) == number
    assert wire.text(found["name"], 10_000) == name
    assert [wire.content[s.start : s.end] for s in found.get("strings", [])] == strings
    written = wire.content[found["f"].start : found["f"].end]
    np.testing.assert_array_equal(np.frombuffer(written, "<f4")[0], np.float32(real))


@given(st.lists(int64, min_size=1))
def test_repeated_numbers_come_packed_or_one_by_one(numbers):
    one_by_one = wire_of(AttributeProto(ints=numbers).SerializeToString())
    found = one_by_one.message(whole(one_by_one), KNOWN)["ints"]
    assert [signed(value) for value in found] == numbers
    packed = wire_of(TensorProto(int64_data=numbers).SerializeToString())
    [span] = packed.message(whole(packed), {7: Field("data", VARINT, True)})["data"]
    at, read = span.start, []
    while at < span.end:
        value, at = packed.varint(at, span.end)
        read.append(signed(value))
    assert read == numbers


@given(st.binary(max_size=40))
def test_any_bytes_give_fields_or_one_error(content):
    wire = wire_of(content)
    try:
        wire.message(whole(wire), KNOWN)
    except CheckpointError as error:
        assert str(error).isprintable()


@pytest.mark.parametrize(
    "content, words",
    [
        (b"\x80", "runs out of its message"),
        (b"\x18\xff", "runs out of its message"),
        (b"\x18" + b"\xff" * 10, "has no end"),
        (b"\x0a\x05abc", "a field of 5 bytes leaves its message"),
        (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "bytes leaves its message"),
        (b"\x15\x00", "a field of 4 bytes leaves"),
        (b"\x00\x00", "has the number 0"),
        (b"\x0b", "wire type 3"),
        (b"\x0e", "wire type 6"),
        (b"\x08\x00", "'name' has wire type 0, not 2"),
        (b"\x18\x00\x18\x00", "'i' is there twice"),
    ],
)
def test_what_is_no_message_is_refused(content, words):
    wire = wire_of(content)
    with pytest.raises(CheckpointError, match=words):
        wire.message(whole(wire), KNOWN)
