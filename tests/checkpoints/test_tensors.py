import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from safetensors.numpy import load, save

from partimento.checkpoints import CheckpointLimits
from partimento.checkpoints.tensors import check_weights, read_weights, write_weights
from partimento.errors import CheckpointError

LIMITS = CheckpointLimits()
KINDS = ["<f8", "<f4", "<f2", "<i8", "<i4", "<i2", "i1", "u1", "?"]

arrays = st.sampled_from(KINDS).flatmap(
    lambda kind: npst.arrays(
        np.dtype(kind),
        npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
        elements={"allow_nan": False, "allow_infinity": False} if "f" in kind else None,
    )
)
named = st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=8), arrays, max_size=5)


def file_of(header, data=b""):
    words = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(words).to_bytes(8, "little") + words + data


def tensor(start=0, end=4, shape=(1,), dtype="F32"):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [start, end]}


def check(content):
    check_weights(io.BytesIO(content), len(content), "w", LIMITS)


def refusal(content):
    """The line with which a file is refused, both on checking and on reading."""
    with pytest.raises(CheckpointError) as checking:
        check(content)
    with pytest.raises(CheckpointError) as reading:
        read_weights(content, "w", LIMITS)
    assert str(checking.value) == str(reading.value)
    return str(checking.value)


@given(named)
def test_what_is_written_reads_back_equal(weights):
    content = write_weights(weights)
    check(content)
    found = read_weights(content, "w", LIMITS)
    assert found.keys() == weights.keys()
    for name, expected in weights.items():
        assert found[name].dtype == expected.dtype
        assert found[name].shape == expected.shape
        assert found[name].tobytes() == expected.tobytes()


@given(named)
def test_the_library_of_that_name_reads_what_we_write_and_we_what_it_writes(weights):
    weights.pop("__metadata__", None)
    theirs = load(write_weights(weights))
    ours = read_weights(save(weights, metadata={"format": "np"}), "w", LIMITS)
    for name, expected in weights.items():
        np.testing.assert_array_equal(theirs[name], expected)
        np.testing.assert_array_equal(ours[name], expected)


MALFORMED = {
    "an empty file": (b"", "leaves the file"),
    "a length alone": (b"\x05" + bytes(7), "leaves the file"),
    "a header without end": ((2**63).to_bytes(8, "little") + b"{}", "leaves the file"),
    "no JSON": (file_of(b"{"), "is no JSON"),
    "a list": (file_of([]), "is a list, not an object"),
    "a name twice": (file_of(b'{"a":1,"a":2}'), "twice"),
    "deep nesting": (file_of(b"[" * 5000 + b"]" * 5000), "nests"),
    "a tensor that is none": (file_of({"a": 3}), "is not described by"),
    "a field too many": (file_of({"a": tensor() | {"x": 1}}, bytes(4)), "is not described by"),
    "an unknown type": (file_of({"a": tensor(dtype="F8_E4M3")}, bytes(4)), "the type 'F8_E4M3'"),
    "a type that is none": (file_of({"a": tensor(dtype=[1])}, bytes(4)), "has the type"),
    "a shape that is none": (file_of({"a": tensor() | {"shape": "x"}}, bytes(4)), "no shape"),
    "a negative size": (file_of({"a": tensor(shape=[-1, -1])}, bytes(4)), "no shape"),
    "a size that is no integer": (file_of({"a": tensor(shape=[1.0])}, bytes(4)), "no shape"),
    "a size that is a boolean": (file_of({"a": tensor(shape=[True])}, bytes(4)), "no shape"),
    "many axes": (file_of({"a": tensor(shape=[1] * 9)}, bytes(4)), "no shape"),
    "a huge shape": (file_of({"a": tensor(shape=[2**40, 2**40])}, bytes(4)), "needs"),
    "a huge place": (file_of({"a": tensor(0, 2**60, [2**58])}, bytes(4)), "4 bytes of tensors"),
    "a place backwards": (file_of({"a": tensor(4, 0)}, bytes(4)), "is given -4"),
    "one place": (file_of({"a": tensor() | {"data_offsets": [0]}}, bytes(4)), "no data_offsets"),
    "a negative place": (file_of({"a": tensor(-4, 0)}, bytes(4)), "no data_offsets"),
    "an overlap": (file_of({"a": tensor(), "b": tensor()}, bytes(8)), "without gap or overlap"),
    "a gap": (file_of({"a": tensor(), "b": tensor(8, 12)}, bytes(12)), "without gap or overlap"),
    "bytes at the end": (file_of({"a": tensor()}, bytes(5)), "has 5 bytes of tensors"),
    "too few bytes": (file_of({"a": tensor()}, bytes(3)), "has 3 bytes of tensors"),
    "control characters": (file_of({"\x1b[2J\n": tensor(dtype="x")}, bytes(4)), r"\x1b[2J\n"),
    "a pickle": (b"\x80\x04\x95" + bytes(20), "a pickle or an archive of PyTorch"),
    "an archive": (b"PK\x03\x04" + bytes(20), "a pickle or an archive of PyTorch"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_file_is_refused(name):
    content, words = MALFORMED[name]
    message = refusal(content)
    assert words in message
    assert message.isprintable()


def test_a_large_header_is_refused_before_it_is_read():
    content = file_of(b" " * 2**21)
    assert "limit header_bytes" in refusal(content)


def test_very_many_tensors_are_refused():
    header = {f"t{n}": tensor(0, 0, [0]) for n in range(10_001)}
    assert "limit tensors" in refusal(file_of(header))


@pytest.mark.parametrize("kind", ["f2", "f4", "f8"])
@pytest.mark.parametrize("at", [0, 3, 299_999])
def test_one_nan_anywhere_is_found(kind, at):
    values = np.zeros(300_000, kind)
    content = bytearray(write_weights({"a": np.ones(7, np.int8), "w": values}))
    begin = len(content) - values.nbytes
    nan = np.array(np.nan, kind).tobytes()
    content[begin + at * len(nan) : begin + (at + 1) * len(nan)] = nan
    with pytest.raises(CheckpointError, match=f"tensor 'w' holds nan at element {at}:"):
        check(bytes(content))


def test_a_file_that_shrinks_while_it_is_read_is_refused():
    content = write_weights({"w": np.zeros(100, np.float32)})
    with pytest.raises(CheckpointError, match="became shorter"):
        check_weights(io.BytesIO(content[:-3]), len(content), "w", LIMITS)
