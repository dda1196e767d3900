"""What walking finds: music, things to skip, and how much of a stranger's folder is read.

Names are printable: control characters and bytes that are no text are escaped by `shown`.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from partimento.formats import ABC_SUFFIXES
from partimento.formats.abc.tunes import decoded, split_tunes

MUSIC_SUFFIXES = (".mid", ".midi", ".kar", ".smf", ".musicxml", ".mxl", ".abc")
MAYBE_SUFFIXES = (".xml",)  # music where the content says so
ARCHIVE_SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
MIDI_MAGIC = b"MThd"
MEBIBYTE = 2**20


class Found(NamedTuple):
    """A music file: its printable name below the path that was walked, and its bytes."""

    name: str
    data: bytes


def music_in(name: str, data: bytes) -> Iterator[Found]:
    """Give the music of a file: itself, or every tune of an ABC collection, ``tunes.abc#12``."""
    if not name.lower().endswith(ABC_SUFFIXES):
        yield Found(name, data)
        return
    tunes = list(split_tunes(decoded(data)))
    if len(tunes) < 2:
        yield Found(name, data)
        return
    for place, tune in enumerate(tunes, start=1):
        number = tune.number if tune.number.isdecimal() and len(tune.number) < 10 else place
        yield Found(f"{name}#{number}", "\n".join(line for _, line in tune.lines).encode())


class Skipped(NamedTuple):
    """Something that could not be used, why, and the switch that would keep it (or ``""``)."""

    name: str
    reason: str
    detail: str
    keep: str = ""


class Other(NamedTuple):
    """A file that is no music: named, so that it can be counted."""

    name: str


Item = Found | Skipped | Other


@dataclass(frozen=True)
class WalkLimits:
    """How much of a stranger's folder is read.

    Attributes
    ----------
    max_file_bytes
        Of one music file.
    max_archive_bytes
        Unpacked, of one archive with all archives inside it.
    max_archive_ratio
        Unpacked to packed, of an archive that unpacks to more than 64 MiB.
    max_archive_members
        Entries of one archive.
    max_archive_depth
        Archives inside archives: 1 reads none of them.
    """

    max_file_bytes: int = 16 * MEBIBYTE
    max_archive_bytes: int = 4096 * MEBIBYTE
    max_archive_ratio: int = 200
    max_archive_members: int = 200_000
    max_archive_depth: int = 2


def shown(name: object) -> str:
    """Write a name or path so that any terminal and any file can hold it, on one line."""
    text = os.fspath(name) if isinstance(name, os.PathLike) else str(name)
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def why(error: BaseException) -> str:
    """Say what an operating system or library said, on one line, without its paths."""
    if isinstance(error, OSError) and error.errno is not None:
        return os.strerror(error.errno).lower()
    return shown(" ".join(str(error).split())[:200]) or type(error).__name__


def too_large(name: str, size: int, limits: WalkLimits) -> Skipped:
    """Say that a file is beyond the limit."""
    allowed = limits.max_file_bytes // MEBIBYTE
    detail = f"{size / MEBIBYTE:,.1f} MiB, more than {allowed} MiB"
    return Skipped(shown(name), "too large", detail, f"--max-file-mb {-(-size // MEBIBYTE)}")
