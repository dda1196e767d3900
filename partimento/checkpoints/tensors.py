"""Weights on disk: the safetensors format, read with every number checked before it is used.

A file is eight bytes (length of the header), the header (JSON: a tensor's type, shape and place),
and the tensors' bytes. The library of that name accepts NaN; `check_weights` refuses it. It also
reads no more than the header and one piece of a tensor at a time, so that what is large on disk is
not large in memory before it is known to be good.

A matrix may be kept as 8-bit whole numbers, beside it its scales under ``NAME.scale``: the matrix
is their product (`unpacked`).

References
----------
Hugging Face, "safetensors", README, section "Format".
"""

import io
import json
import math
from collections.abc import Mapping
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from partimento.checkpoints.limits import CheckpointLimits
from partimento.checkpoints.plain import kind_of, parse_json, shown
from partimento.errors import CheckpointError

DTYPES: dict[str, np.dtype] = {
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "I64": np.dtype("<i8"),
    "I32": np.dtype("<i4"),
    "I16": np.dtype("<i2"),
    "I8": np.dtype("i1"),
    "U8": np.dtype("u1"),
    "BOOL": np.dtype("?"),
}
CODES = {dtype: code for code, dtype in DTYPES.items()}
MOST_AXES = 8
PREFIX = 8  # bytes that hold the header's length
PIECE = 2**20  # bytes looked at together
SCALE = ".scale"  # ends the name of the scales of a tensor kept as 8-bit numbers

PICKLE_STARTS = tuple(bytes([0x80, protocol]) for protocol in range(2, 6))
ZIP_START = b"PK\x03\x04"


class _Place(NamedTuple):
    """A tensor in the file: bytes `start` to `end` behind the header."""

    dtype: np.dtype
    shape: tuple[int, ...]
    start: int
    end: int


def write_weights(weights: Mapping[str, np.ndarray]) -> bytes:
    """Return a safetensors file. The same weights give the same bytes.

    Raises
    ------
    CheckpointError
        If a tensor has a type the format does not know, or holds NaN or infinity.
    """
    header: dict[str, Any] = {}
    parts: list[bytes] = []
    reached = 0
    for name in sorted(weights):
        tensor = np.asarray(weights[name])
        code = CODES.get(tensor.dtype.newbyteorder("<"))  # equal to itself where order is nothing
        if code is None:
            raise CheckpointError(f"weights {name!r} are {tensor.dtype}: no type of safetensors")
        if (odd := _first_not_finite(tensor.ravel())) is not None:
            raise CheckpointError(
                f"weights {name!r} hold {tensor.ravel()[odd]} at element {odd}: the training "
                "diverged; lower the learning rate"
            )
        content = tensor.astype(DTYPES[code], copy=False).tobytes()
        header[name] = {
            "dtype": code,
            "shape": list(tensor.shape),
            "data_offsets": [reached, reached + len(content)],
        }
        parts.append(content)
        reached += len(content)
    words = json.dumps(header, separators=(",", ":")).encode()
    words += b" " * (-len(words) % 8)  # so that the tensors' bytes are aligned
    return b"".join([len(words).to_bytes(PREFIX, "little"), words, *parts])


def check_weights(handle: BinaryIO, size: int, source: str, limits: CheckpointLimits) -> None:
    """Refuse a safetensors file that is malformed or holds NaN or infinity.

    Parameters
    ----------
    handle
        Of the whole file, which is `size` bytes long.
    source
        Name for the error message.
    """
    handle.seek(0)
    places, begin = _read_header(handle, size, source, limits)
    for name, place in places.items():
        if place.dtype.kind != "f":
            continue
        handle.seek(begin + place.start)
        for at in range(place.start, place.end, PIECE):
            content = handle.read(min(PIECE, place.end - at))
            if len(content) < min(PIECE, place.end - at):
                raise CheckpointError(f"{source} became shorter while it was read")
            piece = np.frombuffer(content, dtype=place.dtype)
            if (odd := _first_not_finite(piece)) is not None:
                raise CheckpointError(
                    f"{source}: tensor '{shown(name)}' holds {piece[odd]} at element "
                    f"{(at - place.start) // place.dtype.itemsize + odd}: these weights are broken"
                )


def read_weights(content: bytes, source: str, limits: CheckpointLimits) -> dict[str, np.ndarray]:
    """Return the tensors of a safetensors file by name, each an array of its own."""
    places, begin = _read_header(io.BytesIO(content), len(content), source, limits)
    return {
        name: np.frombuffer(content[begin + place.start : begin + place.end], place.dtype)
        .reshape(place.shape)
        .copy()  # the bytes of a file cannot be written to, and PyTorch warns of such arrays
        for name, place in places.items()
    }


def unpacked(weights: Mapping[str, np.ndarray], source: str) -> dict[str, np.ndarray]:
    """Multiply tensors that are kept as 8-bit numbers by their scales; float32."""
    found = {}
    for name, tensor in weights.items():
        base = name.removesuffix(SCALE)
        if base != name and base in weights:
            continue
        scales = weights.get(name + SCALE)
        if scales is None:
            found[name] = tensor
            continue
        if tensor.dtype != np.int8 or scales.ndim != tensor.ndim or scales.dtype != np.float32:
            raise CheckpointError(f"{source}: tensor '{shown(name)}' and its scales do not fit")
        try:
            product = tensor.astype(np.float32) * scales
        except ValueError:
            product = scales
        if product.shape != tensor.shape:
            raise CheckpointError(f"{source}: tensor '{shown(name)}' and its scales do not fit")
        found[name] = product
    return found


def _read_header(
    handle: BinaryIO, size: int, source: str, limits: CheckpointLimits
) -> tuple[dict[str, _Place], int]:
    """Places of all tensors, in the order of their bytes, and where these begin in the file."""
    prefix = handle.read(PREFIX)
    if prefix.startswith((*PICKLE_STARTS, ZIP_START)):
        raise CheckpointError(
            f"{source} holds a pickle or an archive of PyTorch under another name: loading one can "
            "run anything, so it was not loaded"
        )
    length = int.from_bytes(prefix, "little")
    if len(prefix) < PREFIX or length > size - PREFIX:
        raise CheckpointError(f"{source} is no safetensors file: its header leaves the file")
    if length > limits.header_bytes:
        raise CheckpointError(
            f"{source} has a header of {length:,} bytes, {limits.header_bytes:,} is the most "
            "(limit header_bytes)"
        )
    header = parse_json(handle.read(length), f"the header of {source}", limits.json_depth)
    if not isinstance(header, dict):
        raise CheckpointError(f"the header of {source} is {kind_of(header)}, not an object")
    header.pop("__metadata__", None)
    if len(header) > limits.tensors:
        raise CheckpointError(
            f"{source} holds {len(header):,} tensors, {limits.tensors:,} is the most (limit "
            "tensors)"
        )
    places = {name: _place(name, line, source) for name, line in header.items()}
    places = dict(sorted(places.items(), key=lambda item: (item[1].start, item[1].end)))
    reached = 0
    for name, place in places.items():
        if place.start != reached:
            raise CheckpointError(
                f"{source}: tensor '{shown(name)}' begins at byte {place.start} where the one "
                f"before ends at {reached}: they must follow each other without gap or overlap"
            )
        reached = place.end
    if reached != size - PREFIX - length:
        raise CheckpointError(
            f"{source} has {size - PREFIX - length:,} bytes of tensors where its header speaks of "
            f"{reached:,}"
        )
    return places, PREFIX + length


def _place(name: str, line: object, source: str) -> _Place:
    where = f"{source}: tensor '{shown(name)}'"
    if not isinstance(line, dict) or set(line) != {"dtype", "shape", "data_offsets"}:
        raise CheckpointError(f"{where} is not described by dtype, shape and data_offsets")
    code, shape, offsets = line["dtype"], line["shape"], line["data_offsets"]
    if not isinstance(code, str) or code not in DTYPES:
        raise CheckpointError(
            f"{where} has the type '{shown(str(code))}', known are {', '.join(DTYPES)}"
        )
    if not _are_sizes(shape) or len(shape) > MOST_AXES:
        raise CheckpointError(f"{where} has no shape of at most {MOST_AXES} sizes")
    if not _are_sizes(offsets) or len(offsets) != 2:
        raise CheckpointError(f"{where} has no data_offsets of two places")
    dtype = DTYPES[code]
    start, end = offsets
    if end - start != math.prod(shape) * dtype.itemsize:
        raise CheckpointError(
            f"{where} of shape {shape} needs {math.prod(shape) * dtype.itemsize:,} bytes and is "
            f"given {end - start:,}"
        )
    return _Place(dtype, tuple(shape), start, end)


def _are_sizes(values: object) -> bool:
    return isinstance(values, list) and all(type(value) is int and value >= 0 for value in values)


def _first_not_finite(values: np.ndarray) -> int | None:
    if values.dtype.kind != "f":
        return None
    is_finite = np.isfinite(values)
    return None if is_finite.all() else int(is_finite.argmin())
