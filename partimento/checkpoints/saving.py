"""`save_checkpoint`: write a checkpoint so that at every moment a whole one is on disk.

The new folder is written beside its place, synced, opened and checked as a stranger's would be, and
only then renamed into its place. A folder cannot be renamed over another, so the old one is set
aside under a hidden name first; where a crash comes between the two renames, `open_checkpoint`
finds it there.
"""

import errno
import json
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from partimento.checkpoints.checkpoint import Checkpoint, open_folder, set_aside
from partimento.checkpoints.files import (
    CARD,
    CONFIG,
    LIST,
    WEIGHTS,
    FileEntry,
    is_file_name,
    shown_path,
    write_list,
)
from partimento.checkpoints.limits import CheckpointLimits
from partimento.checkpoints.plain import shown
from partimento.checkpoints.tensors import write_weights
from partimento.errors import CheckpointError, EnvironmentFault

ABANDONED = 3600  # seconds after which an unfinished folder is nobody's any more
NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def save_checkpoint(
    folder: str | PathLike[str],
    *,
    config: dict[str, Any],
    weights: Mapping[str, np.ndarray],
    graphs: Mapping[str, bytes],
    card: str,
    extras: Mapping[str, bytes] | None = None,
    limits: CheckpointLimits | None = None,
) -> Checkpoint:
    """Write a checkpoint, replacing the one that is there.

    Parameters
    ----------
    folder
        Its place. Folders above are made. One that holds anything but a checkpoint is left alone.
    config
        Plain values; see `checkpoint.NEEDED`.
    graphs
        ONNX files by name, as the config's "graphs" names them.
    card
        Markdown.
    extras
        More files by name: `training.npz`, pictures of the card.
    limits
        What it must stay within, or it could not be opened again.

    Returns
    -------
    Checkpoint
        As it was read back.

    Raises
    ------
    CheckpointError
        If it could not be opened again: NaN among the weights, an operator that is not run here.
    EnvironmentFault
        If the disk is full, or does not let us write. What was there before is whole.
    """
    place = Path(folder).resolve()  # so that a link goes on pointing to it
    contents = {
        CONFIG: _json(config),
        CARD: card.encode(errors="replace"),
        WEIGHTS: write_weights(weights),
        **graphs,
        **(extras or {}),
    }
    for name in contents:
        if name == LIST or not is_file_name(name):
            raise CheckpointError(f"a checkpoint may hold no file named '{shown(name)}'")
    entries = {name: FileEntry(len(c), sha256(c).hexdigest()) for name, c in contents.items()}
    contents[LIST] = write_list(entries)
    hidden = place.parent / f".{place.name}.{os.urandom(4).hex()}"
    new, old = Path(f"{hidden}.new"), Path(f"{hidden}.old")
    try:
        _check_place(place)
        new.mkdir(parents=True)
        for name, content in contents.items():
            _write(new / name, content)
        sync_folder(new)
        written = open_folder(new, limits or CheckpointLimits())
        _put(new, place, old)
    except OSError as error:
        hint = "free some space" if error.errno in NO_SPACE else "see to that"
        raise EnvironmentFault(
            f"could not write {shown_path(place)} ({error.strerror}): {hint} and save again; what "
            "was there before is whole"
        ) from error
    finally:
        shutil.rmtree(new, ignore_errors=True)  # it is in its place by now, or of no use
    _clean_up(place)
    return replace(written, path=Path(folder))


def _put(new: Path, place: Path, old: Path) -> None:
    """Rename the new folder into its place; on failure the old one goes back."""
    is_replacing = place.exists()
    if is_replacing:
        place.rename(old)
    try:
        new.rename(place)
    except BaseException:  # Ctrl-C too
        if is_replacing:
            old.rename(place)
        raise
    sync_folder(place.parent)


def _check_place(place: Path) -> None:
    """Refuse to replace what is no checkpoint: it would be lost."""
    if not place.exists():
        return
    if not place.is_dir():
        raise CheckpointError(f"{shown_path(place)} is not a folder: choose another place")
    strange = [entry.name for entry in place.iterdir() if not _is_ours(entry)]
    if strange:
        raise CheckpointError(
            f"{shown_path(place)} holds '{shown(strange[0])}', which is no part of a checkpoint "
            "and would be lost: choose another place"
        )


def _is_ours(entry: Path) -> bool:
    return entry.is_file() and not entry.is_symlink() and is_file_name(entry.name)


def _clean_up(place: Path) -> None:
    """Remove what this and earlier saves, cut off, have left beside the checkpoint."""
    for old in set_aside(place):
        shutil.rmtree(old, ignore_errors=True)
    for other in place.parent.glob(".*.new"):
        if other.name.startswith(f".{place.name}.") and _age(other) > ABANDONED:
            shutil.rmtree(other, ignore_errors=True)


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:  # another save has removed it
        return 0.0


def _write(file: Path, content: bytes) -> None:
    with file.open("xb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())


def sync_folder(folder: Path) -> None:
    """Have the disk keep what was renamed in a folder."""
    if os.name == "nt":  # Windows cannot open folders, and journals renames itself
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _json(config: dict[str, Any]) -> bytes:
    try:
        return (json.dumps(config, indent=2, allow_nan=False) + "\n").encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise CheckpointError(
            f"the config is not made of plain values: {shown(str(error))}"
        ) from None
