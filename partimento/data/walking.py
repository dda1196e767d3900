"""Walking: every music file below a path, whatever else lies there.

`walk` yields a `Found` (name and bytes) for each music file and a `Skipped` (name and reason) for
each thing it could not use. It never stops at a bad one, never waits on a pipe, goes through each
folder once however links loop, and opens archives in memory.
"""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from partimento.data.archives import walk_archive
from partimento.data.found import (
    ARCHIVE_SUFFIXES,
    MAYBE_SUFFIXES,
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
from partimento.errors import DataError
from partimento.formats import is_musicxml

_KINDS = {
    stat.S_IFIFO: "pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}


def walk(path: Path, limits: WalkLimits | None = None) -> Iterator[Item]:
    """Yield what is below a path, in an order that depends on names alone.

    Parameters
    ----------
    path
        A folder, an archive, a list of paths (``.txt``, one a line, relative to the list) or one
        music file.

    Raises
    ------
    DataError
        If the path itself is not there or is none of these.
    """
    limits = limits or WalkLimits()
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        raise DataError(f"{shown(path)}: {why(error)}") from None
    if stat.S_ISDIR(mode):
        yield from _walk_folder(path, limits)
    elif not stat.S_ISREG(mode):
        raise DataError(
            f"{shown(path)} is a {_KINDS.get(stat.S_IFMT(mode), 'special file')}: give a folder, "
            "an archive, a list of paths or a music file"
        )
    elif path.name.lower().endswith(".txt"):
        yield from _walk_list(path, limits)
    else:
        yield from _open(path, path.name, limits, is_asked_for=True)


def _walk_folder(root: Path, limits: WalkLimits) -> Iterator[Item]:
    """Go through a folder and all folders in it, each once; links are followed."""
    seen = {_identity(root.stat())}
    waiting = [(os.fspath(root), "")]  # a stack: no recursion, however deep the folders are
    while waiting:
        folder, prefix = waiting.pop()
        try:
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: os.fsencode(entry.name))
        except OSError as error:
            yield Skipped(shown(prefix) or ".", "folder cannot be read", why(error))
            continue
        below = []
        for entry in entries:
            name = prefix + entry.name
            try:
                status = entry.stat()
            except OSError as error:
                yield _skipped_link(name, error)
                continue
            is_folder = stat.S_ISDIR(status.st_mode)
            if is_folder or entry.is_symlink():
                if (identity := _identity(status)) in seen:
                    yield Skipped(shown(name), "met before", "a link to what was already read")
                    continue
                seen.add(identity)
            if is_folder:
                below.append((entry.path, name + "/"))
            else:
                yield from _open(Path(entry.path), name, limits)
        waiting += reversed(below)


def _walk_list(path: Path, limits: WalkLimits) -> Iterator[Item]:
    """Go through the paths a text names; empty lines and lines after ``#`` say nothing."""
    data = read_file(path, path.name, limits)
    if isinstance(data, Skipped):
        raise DataError(f"{shown(path)}: {data.detail}")
    for line in os.fsdecode(data).splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        target = path.parent / line.strip()
        try:
            is_folder = target.is_dir()
            is_there = target.exists()
        except (OSError, ValueError):
            is_folder = is_there = False
        if not is_there:
            yield Skipped(shown(line), "not there", "no such file or folder")
        elif is_folder:
            for item in _walk_folder(target, limits):
                yield item._replace(name=f"{shown(line).rstrip('/')}/{item.name}")
        else:
            yield from _open(target, line.strip(), limits, is_asked_for=True)


def _open(
    path: Path, name: str, limits: WalkLimits, *, is_asked_for: bool = False
) -> Iterator[Item]:
    """Yield one file, or what is in it when it is an archive."""
    low = name.lower()
    if low.endswith(ARCHIVE_SUFFIXES):
        yield from walk_archive(path, shown(name), limits)
        return
    is_music = low.endswith(MUSIC_SUFFIXES)
    is_maybe = low.endswith(MAYBE_SUFFIXES)
    if not (is_music or is_maybe or is_asked_for) and "." in name.rpartition("/")[2]:
        yield Other(shown(name))
        return
    data = read_file(path, name, limits)
    if isinstance(data, Skipped):
        yield data
    elif is_music or data.startswith(MIDI_MAGIC) or is_musicxml(data):
        yield from music_in(shown(name), data)
    elif is_asked_for:
        raise DataError(
            f"{shown(path)} is no music file: give a folder, an archive, a list of paths (.txt) "
            "or a music file"
        )
    else:
        yield Other(shown(name))


def read_file(path: Path, name: str, limits: WalkLimits) -> bytes | Skipped:
    """Read a regular file within the limits; anything else is said, never waited for."""
    try:
        kind = stat.S_IFMT(path.stat().st_mode)
        if kind != stat.S_IFREG:
            return Skipped(shown(name), "not a file", _KINDS.get(kind, "special file"))
        # Without O_NONBLOCK, a pipe that took the file's place just now would hang us.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(path, flags), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                return Skipped(shown(name), "not a file", "changed while it was opened")
            if status.st_size > limits.max_file_bytes:
                return too_large(name, status.st_size, limits)
            data = file.read(status.st_size + 1)
            if len(data) > status.st_size:  # it grows, or does not say its size
                data += file.read(limits.max_file_bytes + 1 - len(data))
    except (OSError, ValueError) as error:
        return Skipped(shown(name), "cannot be opened", why(error))
    return data if len(data) <= limits.max_file_bytes else too_large(name, len(data), limits)


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _skipped_link(name: str, error: OSError) -> Skipped:
    if error.errno == errno.ELOOP:
        return Skipped(shown(name), "loop of links", why(error))
    if error.errno == errno.ENOENT:
        return Skipped(shown(name), "broken link", why(error))
    return Skipped(shown(name), "cannot be opened", why(error))
