"""Arrays of an `.npz` file (a zip of `.npy` members), unpacked no further than they say and may.

NumPy's own reader trusts the sizes that members declare and would unpickle objects if asked to;
`read_arrays` does neither. Members are plain numbers, stored or deflated.
"""

import io
import math
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping

import numpy as np

from partimento.checkpoints.limits import CheckpointLimits
from partimento.checkpoints.plain import shown
from partimento.errors import CheckpointError

MAGIC = b"\x93NUMPY"
LONGEST_HEADER = 4096  # NumPy writes 118 bytes for an array of plain numbers
MOST_AXES = 8
HEADER = re.compile(
    r"\{'descr': '(?P<descr>[^']{1,8})', 'fortran_order': False, "
    r"'shape': \((?P<shape>[0-9, ]{0,200})\), \} *\n?"
)
PLAIN_TYPE = re.compile(r"[<|](f[248]|[iu][1248]|b1)")
EPOCH = (1980, 1, 1, 0, 0, 0)  # the zip's earliest date: the same arrays give the same bytes


def write_arrays(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Return an `.npz` file, deflated. The same arrays give the same bytes."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(arrays):
            member = io.BytesIO()
            array = np.asarray(arrays[name], order="C")
            np.lib.format.write_array(member, array, allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", date_time=EPOCH)
            archive.writestr(info, member.getvalue(), zipfile.ZIP_DEFLATED)
    return written.getvalue()


def check_arrays(content: bytes, source: str, limits: CheckpointLimits) -> None:
    """Refuse an `.npz` file that holds anything but plain arrays of bearable size.

    Sizes and headers are read, not the arrays.
    """
    _read(content, source, limits, with_data=False)


def read_arrays(content: bytes, source: str, limits: CheckpointLimits) -> dict[str, np.ndarray]:
    """Return the arrays of an `.npz` file by name."""
    return _read(content, source, limits, with_data=True)


def _read(
    content: bytes, source: str, limits: CheckpointLimits, *, with_data: bool
) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            total = sum(member.file_size for member in members)
            if total > limits.arrays_bytes or len(members) > limits.tensors:
                raise CheckpointError(
                    f"{source} unpacks to {total:,} bytes in {len(members):,} arrays, "
                    f"{limits.arrays_bytes:,} in {limits.tensors:,} is the most (limits "
                    "arrays_bytes, tensors)"
                )
            for member in members:
                name = member.filename.removesuffix(".npy")
                where = f"{source}: array '{shown(name)}'"
                if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise CheckpointError(f"{where} is packed in a way that is not read here")
                if name in found:
                    raise CheckpointError(f"{where} is there twice")
                with archive.open(member) as handle:
                    dtype, shape, begin = _header(handle.read, where)
                    size = math.prod(shape) * dtype.itemsize
                    if begin + size != member.file_size:
                        raise CheckpointError(
                            f"{where} of shape {shape} needs {size:,} bytes and has "
                            f"{member.file_size - begin:,}"
                        )
                    data = handle.read(size) if with_data else b""
                if with_data:
                    found[name] = np.frombuffer(data, dtype).reshape(shape).copy()
                else:
                    found[name] = np.empty(0)
    except (
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        NotImplementedError,  # a zip of a newer kind
        RuntimeError,  # encrypted
        ValueError,
        EOFError,
        OSError,
        OverflowError,
    ) as error:
        raise CheckpointError(f"{source} is no readable .npz file: {shown(str(error))}") from None
    return found


def _header(read: Callable[[int], bytes], where: str) -> tuple[np.dtype, tuple[int, ...], int]:
    """Type and shape of an `.npy` member, and where its numbers begin."""
    head = read(len(MAGIC) + 2)
    lengths = {1: "<H", 2: "<I"}  # by version
    if len(head) < len(MAGIC) + 2 or not head.startswith(MAGIC) or head[-2] not in lengths:
        raise CheckpointError(f"{where} is no .npy array of version 1 or 2")
    form = lengths[head[-2]]
    (length,) = struct.unpack(form, read(struct.calcsize(form)))
    if length > LONGEST_HEADER:
        raise CheckpointError(f"{where} has a header of {length:,} bytes")
    fields = HEADER.fullmatch(read(length).decode("latin-1"))
    if not fields or not PLAIN_TYPE.fullmatch(fields["descr"]):
        raise CheckpointError(f"{where} is no plain array of numbers in C order")
    shape = tuple(int(size) for size in fields["shape"].split(",") if size.strip())
    if len(shape) > MOST_AXES:
        raise CheckpointError(f"{where} has {len(shape)} axes, {MOST_AXES} is the most")
    return np.dtype(fields["descr"]), shape, len(head) + struct.calcsize(form) + length
