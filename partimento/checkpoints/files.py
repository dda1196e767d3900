"""Files of a checkpoint folder: what may be there, how it is read, and the list that seals it.

`files.json` lists every file with its size and SHA-256; SHA-256 of that list is the checkpoint's
hash (``sha256sum files.json`` prints it). `look_at` says what a folder holds without opening
anything in it; `read_whole` reads one file that is proven to be regular and no larger than allowed.

| name | holds |
|---|---|
| `config.json` | family, representation, network, as plain values |
| `files.json` | this list |
| `README.md` | the model card |
| `model.safetensors` | weights |
| `*.onnx` | graphs |
| `training.npz` | fingerprints of the training pieces (may be missing) |
| `*.json .jsonl .txt .md .svg .png .mid .npz`, `LICENSE` | more about the model (may be missing) |

Any other visible file is refused, because a file that nobody checks may come to be trusted.
Entries whose name begins with a dot (`.git`, `.DS_Store`) are left alone and never opened, but no
entry at all may be a link, a device or a pickle.
"""

import errno
import hashlib
import json
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from partimento.checkpoints.limits import CheckpointLimits
from partimento.checkpoints.plain import kind_of, parse_json, shown
from partimento.errors import CheckpointError, EnvironmentFault

CONFIG, LIST, CARD, WEIGHTS = "config.json", "files.json", "README.md", "model.safetensors"
REQUIRED = (CONFIG, CARD, WEIGHTS)
LIST_FORMAT = 1

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
SUFFIXES = (".onnx", ".npz", ".json", ".jsonl", ".txt", ".md", ".svg", ".png", ".mid")
PICKLES = (".pkl", ".pickle", ".pt", ".pth", ".bin", ".ckpt", ".dill", ".joblib", ".model", ".npy")
LFS_POINTER = b"version https://git-lfs.github.com/spec/"
JUNCTION = 0xA0000003  # what Windows tags its links between folders with


@dataclass(frozen=True)
class FileEntry:
    """A line of `files.json`: size in bytes and SHA-256 in hex."""

    size: int
    sha256: str


def is_file_name(name: str) -> bool:
    """Whether a checkpoint may hold a file of this name."""
    if not NAME.fullmatch(name):
        return False
    return name in (*REQUIRED, "LICENSE") or name.endswith(SUFFIXES)


def look_at(folder: Path, limits: CheckpointLimits) -> dict[str, int]:
    """Sizes of the visible files of a folder, by name, from its directory alone.

    Raises
    ------
    CheckpointError
        If any entry is a link, a device, a pickle by its name, or there are too many.
    """
    sizes: dict[str, int] = {}
    with _machine_faults(folder), os.scandir(folder) as entries:
        for count, entry in enumerate(entries):
            if count >= limits.files:
                raise CheckpointError(
                    f"{shown_path(folder)} holds more than {limits.files} files (limit files): "
                    "this is no checkpoint"
                )
            found = entry.stat(follow_symlinks=False)
            where = shown_path(folder / entry.name)
            if _is_link(found):
                raise CheckpointError(
                    f"{where} is a link: a checkpoint holds its files itself (copy it with links "
                    "resolved, for example with `cp -rL`)"
                )
            if entry.name.lower().endswith(PICKLES):
                raise CheckpointError(
                    f"{where} is named as a pickle is, and loading one can run anything: no part "
                    "of a checkpoint is one"
                )
            if not stat.S_ISREG(found.st_mode) and not stat.S_ISDIR(found.st_mode):
                raise CheckpointError(f"{where} is a device, pipe or socket, not a file")
            if entry.name.startswith("."):
                continue
            if stat.S_ISDIR(found.st_mode):
                raise CheckpointError(f"{where} is a folder: a checkpoint has none inside")
            sizes[entry.name] = found.st_size
    return sizes


@contextmanager
def opened(folder: Path, name: str) -> Iterator[tuple[BufferedReader, int]]:
    """Open one file of a folder for reading; give the handle and its size.

    A link or a device that took the place of the file since `look_at` is refused here again.
    """
    where = shown_path(folder / name)
    flags = os.O_RDONLY
    for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):  # a pipe must not block us
        flags |= getattr(os, flag, 0)
    with _machine_faults(folder / name):
        try:
            descriptor = os.open(folder / name, flags)
        except FileNotFoundError:
            raise CheckpointError(f"{where} is missing: the checkpoint is not whole") from None
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise CheckpointError(f"{where} is a link") from None
            raise
        with os.fdopen(descriptor, "rb") as handle:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise CheckpointError(f"{where} is not a regular file")
            yield handle, found.st_size


def read_whole(folder: Path, name: str, most: int, limit: str) -> bytes:
    """Return the content of a file of at most so many bytes."""
    with opened(folder, name) as (handle, size):
        check_size(f"{shown_path(folder / name)}", size, most, limit)
        content = handle.read(size + 1)
    if len(content) != size:
        raise CheckpointError(f"{shown_path(folder / name)} changed while it was read")
    return content


def read_listed(folder: Path, name: str, entry: FileEntry) -> bytes:
    """Return the content of a file, if it is exactly what the list says."""
    with opened(folder, name) as (handle, size):
        content = handle.read(entry.size + 1) if size == entry.size else b""
    if len(content) == entry.size and hashlib.sha256(content).hexdigest() == entry.sha256:
        return content
    raise _not_as_listed(folder, name)


def check_listed(folder: Path, name: str, entry: FileEntry) -> None:
    """Refuse a file that is not what the list says, reading it in small pieces."""
    with opened(folder, name) as (handle, size):
        if size == entry.size and hashlib.file_digest(handle, "sha256").hexdigest() == entry.sha256:
            return
    raise _not_as_listed(folder, name)


def check_size(where: str, size: int, most: int, limit: str) -> None:
    """Refuse a size in bytes above a limit, naming both."""
    if size > most:
        raise CheckpointError(f"{where} has {size:,} bytes, {most:,} is the most (limit {limit})")


# The list.


def write_list(contents: Mapping[str, FileEntry]) -> bytes:
    """Write `files.json`."""
    files = {
        name: {"bytes": entry.size, "sha256": entry.sha256}
        for name, entry in sorted(contents.items())
    }
    return (json.dumps({"format": LIST_FORMAT, "files": files}, indent=2) + "\n").encode()


def read_list(content: bytes, source: str, limits: CheckpointLimits) -> dict[str, FileEntry]:
    """Read `files.json`, and refuse a list that could not be of a checkpoint."""
    value = parse_json(content, source, limits.json_depth)
    if not isinstance(value, dict) or not isinstance(value.get("files"), dict):
        raise CheckpointError(f"{source} has no object 'files': it does not list the files")
    check_format(value.get("format"), LIST_FORMAT, source)
    listed = {name: _entry(name, line, source) for name, line in value["files"].items()}
    if len({name.lower() for name in listed}) < len(listed):
        raise CheckpointError(f"{source} lists two files whose names differ in case only")
    total = sum(entry.size for entry in listed.values())
    check_size(f"the checkpoint of {source}", total, limits.total_bytes, "total_bytes")
    return listed


def check_format(found: object, known: int, source: str) -> None:
    """Refuse a format version that is not ours, and say so if it is a newer one."""
    if type(found) is not int or found < 1:
        raise CheckpointError(
            f"{source} has no format version: 'format' should be {known}, and is "
            f"{shown(repr(found))}"
        )
    if found > known:
        raise CheckpointError(
            f"{source} has format {found}, made by a newer partimento; this one reads up to "
            f"{known}: upgrade with `pip install -U partimento`"
        )


def check_folder(folder: Path, sizes: Mapping[str, int], listed: Mapping[str, FileEntry]) -> None:
    """Refuse a folder whose files differ from the list in name or size."""
    for name in listed:
        if name not in sizes:
            raise CheckpointError(
                f"{shown_path(folder / name)} is missing: the checkpoint is not whole"
            )
    for name in sizes:
        if name not in listed and name != LIST:
            raise CheckpointError(
                f"{shown_path(folder / name)} is not in {LIST}: nothing vouches for it; take it "
                "out of the folder"
            )
    for name, entry in listed.items():
        if sizes[name] != entry.size:
            with opened(folder, name) as (handle, _):
                is_pointer = handle.read(len(LFS_POINTER)) == LFS_POINTER
            hint = "it is a Git LFS pointer, run `git lfs pull`" if is_pointer else "get it again"
            raise CheckpointError(
                f"{shown_path(folder / name)} has {sizes[name]:,} bytes where {LIST} says "
                f"{entry.size:,}: {hint}"
            )


def shown_path(path: Path) -> str:
    """Return a path as it may be printed."""
    return shown(str(path), longest=300)


def missing(listed: Iterable[str]) -> str | None:
    """Name of a file that every checkpoint has and this one does not list."""
    names = set(listed)
    if lacking := [name for name in REQUIRED if name not in names]:
        return lacking[0]
    return None if any(name.endswith(".onnx") for name in names) else "a graph (*.onnx)"


def _entry(name: str, line: object, source: str) -> FileEntry:
    if name == LIST or not is_file_name(name):
        raise CheckpointError(
            f"{source} lists '{shown(name)}', which is no file name that a checkpoint may hold"
        )
    size = line.get("bytes") if isinstance(line, dict) else None
    digest = line.get("sha256") if isinstance(line, dict) else None
    if type(size) is not int or size < 0:
        raise CheckpointError(f"{source} gives {name} no size in bytes, but {kind_of(size)}")
    if not isinstance(digest, str) or not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise CheckpointError(f"{source} gives {name} no SHA-256 (64 hex digits)")
    return FileEntry(size, digest)


def _is_link(found: os.stat_result) -> bool:
    return stat.S_ISLNK(found.st_mode) or getattr(found, "st_reparse_tag", 0) == JUNCTION


def _not_as_listed(folder: Path, name: str) -> CheckpointError:
    return CheckpointError(
        f"{shown_path(folder / name)} is not the file that {LIST} lists (SHA-256 differs): it was "
        "damaged or changed; get the checkpoint again"
    )


@contextmanager
def _machine_faults(path: Path) -> Iterator[None]:
    """Turn what the machine refuses (permission, a bad disk) into `EnvironmentFault`."""
    try:
        yield
    except NotADirectoryError:
        raise CheckpointError(
            f"{shown_path(path)} is a file: give the checkpoint's folder"
        ) from None
    except OSError as error:
        raise EnvironmentFault(f"{shown_path(path)} cannot be read: {error.strerror}") from error
