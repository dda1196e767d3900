"""Archives: the music files inside a zip or tar, read in memory and never unpacked to disk.

A stranger's archive may claim any size and hold archives in archives. What is unpacked is counted
as it comes, so memory and time follow the limits and never what a header says; names inside are
words to show, never places to write.
"""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from partimento.data.found import (
    ARCHIVE_SUFFIXES,
    MAYBE_SUFFIXES,
    MEBIBYTE,
    MIDI_MAGIC,
    MUSIC_SUFFIXES,
    Item,
    Other,
    Skipped,
    WalkLimits,
    music_in,
    shown,
    too_large,
    why,
)
from partimento.formats import is_musicxml

MAX_READ = 64 * MEBIBYTE  # at once: the header of a tar, an inner archive
MAX_ENTRY = 128  # bytes of the directory of a zip for each entry that is allowed
FREE_BYTES = 64 * MEBIBYTE  # unpacked before the ratio counts

_DAMAGE = (
    OSError,
    EOFError,
    ValueError,
    RuntimeError,  # encrypted; NotImplementedError (unknown compression) is one too
    KeyError,
    IndexError,
    OverflowError,
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
)


class TooMuchError(Exception):
    """An archive unpacks to more than the limits allow."""


class _Budget:
    """Bytes an outermost archive may still unpack."""

    def __init__(self, packed_bytes: int, limits: WalkLimits) -> None:
        by_ratio = max(packed_bytes * limits.max_archive_ratio, FREE_BYTES)
        self.allowed = min(limits.max_archive_bytes, by_ratio)
        self.used = 0

    def take(self, size: int) -> None:
        self.used += size
        if self.used > self.allowed:
            raise TooMuchError(f"unpacks to more than {self.allowed // MEBIBYTE:,} MiB")


class _Capped(io.RawIOBase):
    """A file of which nobody reads more than `max_read` bytes at once, nor more than a budget."""

    def __init__(self, file: IO[bytes] | io.BufferedIOBase, budget: _Budget | None = None) -> None:
        self.file = file
        self.budget = budget
        self.max_read = MAX_READ
        self.last = b""  # what was read last

    def read(self, size: int | None = -1) -> bytes:
        bound = self.max_read + 1 if size is None or size < 0 else size
        if bound > self.max_read + 1:
            raise TooMuchError(f"asks for {bound // MEBIBYTE:,} MiB at once")
        data = self.file.read(bound)
        if len(data) > self.max_read:
            raise TooMuchError(f"holds more than {self.max_read // MEBIBYTE} MiB in one place")
        if self.budget is not None:
            self.budget.take(len(data))
        self.last = data
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        if self.budget is None or whence:
            return self.file.seek(offset, whence)
        while (missing := offset - self.file.tell()) > 0:  # skipping unpacks too: count it
            if not self.read(min(missing, MEBIBYTE)):
                break
        return self.file.seek(offset) if missing < 0 else self.file.tell()

    def tell(self) -> int:
        return self.file.tell()

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True


def walk_archive(path: Path, name: str, limits: WalkLimits) -> Iterator[Item]:
    """Yield the music files of an archive on disk, named ``archive/member``."""
    try:
        if not path.is_file():
            yield Skipped(name, "not a file", "not a regular file")
            return
        with path.open("rb") as file:
            budget = _Budget(path.stat().st_size, limits)
            yield from _walk(file, name, limits, budget, depth=1)
    except OSError as error:
        yield Skipped(name, "cannot be opened", why(error))


def _walk(
    file: IO[bytes], name: str, limits: WalkLimits, budget: _Budget, depth: int
) -> Iterator[Item]:
    """Yield what is in an open archive, and what stopped it if something did."""
    is_zip = name.lower().endswith(".zip")
    try:
        yield from (_walk_zip if is_zip else _walk_tar)(file, name, limits, budget, depth)
    except TooMuchError as error:
        yield Skipped(name, "archive too large", f"{error}; the rest of it is left out")
    except MemoryError:
        yield Skipped(name, "archive too large", "out of memory")
    except _DAMAGE as error:
        yield Skipped(name, "archive damaged", why(error))


def _walk_zip(
    file: IO[bytes], name: str, limits: WalkLimits, budget: _Budget, depth: int
) -> Iterator[Item]:
    capped = _Capped(file)
    # Opening reads the whole directory, and up to 64 KiB of comment.
    capped.max_read = max(2**17, MAX_ENTRY * limits.max_archive_members)
    with zipfile.ZipFile(capped) as archive:
        capped.max_read = MAX_READ
        members = archive.infolist()
        _check_count(len(members), limits)
        for member in sorted(members, key=lambda info: info.filename):
            if member.is_dir():
                continue
            inner = f"{name}/{shown(member.filename)}"

            def read(bound: int, member: zipfile.ZipInfo = member) -> bytes:
                with archive.open(member) as opened:
                    data = opened.read(bound)
                budget.take(len(data))
                return data

            yield from _member(inner, member.file_size, read, limits, budget, depth)


def _walk_tar(
    file: IO[bytes], name: str, limits: WalkLimits, budget: _Budget, depth: int
) -> Iterator[Item]:
    low = name.lower()
    unpacked: Any = file
    if low.endswith((".gz", ".tgz")):
        unpacked = gzip.GzipFile(fileobj=file)
    elif low.endswith((".bz2", ".tbz2")):
        unpacked = bz2.BZ2File(file)
    elif low.endswith((".xz", ".txz")):
        unpacked = lzma.LZMAFile(file)  # noqa: SIM115 (walk_archive closes the file below it)
    stream = _Capped(unpacked, budget)
    with tarfile.open(fileobj=stream, mode="r:") as archive:
        count = 0
        while (member := archive.next()) is not None:
            archive.members = []  # type: ignore[attr-defined]  # else every header stays in memory
            count += 1
            _check_count(count, limits)
            if not member.isreg() or member.issparse():
                continue
            inner = f"{name}/{shown(member.name)}"

            def read(bound: int, member: tarfile.TarInfo = member) -> bytes:
                opened = archive.extractfile(member)
                return opened.read(min(bound, member.size)) if opened else b""

            yield from _member(inner, member.size, read, limits, budget, depth)
        if stream.last.strip(b"\0"):  # tarfile takes a damaged header for the end
            raise tarfile.ReadError("a header is damaged; the rest of it is left out")


def _member(
    name: str, size: int, read: Any, limits: WalkLimits, budget: _Budget, depth: int
) -> Iterator[Item]:
    """Yield one member: music, an inner archive, or something else."""
    low = name.lower()
    is_archive = low.endswith(ARCHIVE_SUFFIXES)
    is_music = low.endswith(MUSIC_SUFFIXES)
    is_maybe = low.endswith(MAYBE_SUFFIXES) and "meta-inf/" not in low
    if not (is_archive or is_music or is_maybe or "." not in low.rpartition("/")[2]):
        yield Other(name)
        return
    if is_archive and depth >= limits.max_archive_depth:
        yield Skipped(name, "archive too deep", f"inside {depth} archives")
        return
    bound = MAX_READ if is_archive else limits.max_file_bytes
    try:
        data = read(bound + 1)
    except _DAMAGE as error:
        yield Skipped(name, "cannot be unpacked", why(error))
        return
    if len(data) > bound:
        if is_archive:
            detail = f"more than {MAX_READ // MEBIBYTE} MiB inside an archive"
            yield Skipped(name, "archive too large", detail)
        else:
            yield too_large(name, max(size, len(data)), limits)
    elif is_archive:
        yield from _walk(io.BytesIO(data), name, limits, budget, depth + 1)
    elif is_music or data.startswith(MIDI_MAGIC) or is_musicxml(data):
        yield from music_in(name, data)
    else:
        yield Other(name)


def _check_count(count: int, limits: WalkLimits) -> None:
    if count > limits.max_archive_members:
        raise TooMuchError(f"holds more than {limits.max_archive_members:,} entries")
