"""`Checkpoint`: a model on disk, opened with `open_checkpoint` and written with `save_checkpoint`.

A checkpoint is a folder that is safe to take from a stranger. Opening it reads every file through
a door of its own and runs nothing: the list with its hashes (`files`), the plain values
(`plain`), the weights (`tensors`), the graphs (`onnx_scan`), other arrays (`arrays`). What
it finds wrong is one `CheckpointError` that names the file. What families and representations mean
is not its business: that is for `partimento.models`.
"""

import hashlib
import re
from contextlib import suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from partimento.checkpoints.arrays import check_arrays, read_arrays
from partimento.checkpoints.files import (
    CARD,
    CONFIG,
    LIST,
    WEIGHTS,
    FileEntry,
    check_folder,
    check_format,
    check_listed,
    look_at,
    missing,
    opened,
    read_list,
    read_listed,
    read_whole,
    shown_path,
)
from partimento.checkpoints.limits import CheckpointLimits
from partimento.checkpoints.onnx_scan import scan
from partimento.checkpoints.plain import kind_of, parse_json, shown
from partimento.checkpoints.tensors import check_weights, read_weights, unpacked
from partimento.errors import CheckpointError

FORMAT = 1
SHIPPED = Path(__file__).parent / "shipped"
RUN_FOLDER = "checkpoint"  # where `partimento train` puts the finished model in its run's folder
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
SHORT_HASH = 12  # hex digits of the hash that are shown

# What config.json must and may hold, and of what type.
NEEDED: dict[str, type] = {
    "family": str,
    "name": str,
    "representation": dict,
    "network": dict,
    "graphs": dict,
}
OPTIONAL: dict[str, type] = {"made_with": str, "training": dict, "figures": dict}


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint whose every file was found whole and harmless when it was opened.

    Attributes
    ----------
    path : Path
        Its folder.
    config : dict
        Content of `config.json`.
    card : str
        Content of `README.md`: strange text, to be escaped where it is shown.
    hash : str
        SHA-256 of `files.json`, in hex; it stands for all files.
    files : dict
        Size and SHA-256 of each file, by name.
    """

    path: Path
    config: dict[str, Any]
    card: str
    hash: str
    files: dict[str, FileEntry]
    limits: CheckpointLimits = field(default_factory=CheckpointLimits, repr=False)

    @property
    def name(self) -> str:
        """What the model calls itself."""
        return self.config["name"]

    @property
    def family(self) -> str:
        """The kind of model, as `partimento.models` knows it."""
        return self.config["family"]

    @property
    def short_hash(self) -> str:
        """First digits of the hash, as it is printed."""
        return self.hash[:SHORT_HASH]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(entry.size for entry in self.files.values())

    def graph(self, name: str) -> bytes:
        """Return a graph by its part ("step") or by its file name ("step.onnx").

        The file is read, held against its hash and scanned again: it may have changed since the
        checkpoint was opened.
        """
        file = self.config["graphs"].get(name, name)
        if file not in self.files or not file.endswith(".onnx"):
            there = ", ".join(self.config["graphs"])
            raise CheckpointError(
                f"{self.name} has no graph '{shown(name)}': it has {shown(there)}"
            )
        content = read_listed(self.path, file, self.files[file])
        scan(content, shown_path(self.path / file), self.limits)
        return content

    def weights(self) -> dict[str, np.ndarray]:
        """Return the weights by name, for fine-tuning."""
        return unpacked(self.stored_weights(), shown_path(self.path / WEIGHTS))

    def stored_weights(self) -> dict[str, np.ndarray]:
        """Return the weights as they stand in the file, some perhaps as 8-bit numbers."""
        content = read_listed(self.path, WEIGHTS, self.files[WEIGHTS])
        return read_weights(content, shown_path(self.path / WEIGHTS), self.limits)

    def arrays(self, file: str = "training.npz") -> dict[str, np.ndarray] | None:
        """Return the arrays of an `.npz` file by name; `None` if there is no such file."""
        if file not in self.files or not file.endswith(".npz"):
            return None
        content = read_listed(self.path, file, self.files[file])
        return read_arrays(content, shown_path(self.path / file), self.limits)


def open_checkpoint(
    name_or_path: str | PathLike[str], *, limits: CheckpointLimits | None = None
) -> Checkpoint:
    """Open a checkpoint, and refuse one that is damaged, unsafe or of a newer version.

    Parameters
    ----------
    name_or_path
        Name of a shipped model, or a folder: a checkpoint, or a run that holds one. A name wins
        over a folder of the same name; ``./name`` is the folder.
    limits
        `CheckpointLimits` as they stand, where nothing is said.

    Raises
    ------
    CheckpointError
        In one line: which file, what is wrong, what to do.
    EnvironmentFault
        If the machine does not let us read.
    """
    return open_folder(find_checkpoint(name_or_path), limits or CheckpointLimits())


def shipped() -> list[str]:
    """Names of the models that came with the package, in alphabetical order."""
    if not SHIPPED.is_dir():
        return []
    return sorted(path.name for path in SHIPPED.iterdir() if (path / CONFIG).is_file())


def find_checkpoint(name_or_path: str | PathLike[str]) -> Path:
    """Return the folder that a name or a path stands for; nothing in it is looked at."""
    if isinstance(name_or_path, str) and name_or_path in (names := shipped()):
        return SHIPPED / name_or_path
    if name_or_path == "":
        raise CheckpointError("the name of the model is empty: give a name or a folder")
    path = Path(name_or_path)
    with suppress(RuntimeError):  # no such user
        path = path.expanduser()
    if _is_there(path):
        is_run = not _is_there(path / CONFIG) and _is_there(path / RUN_FOLDER / CONFIG)
        return path / RUN_FOLDER if is_run else path
    if kept := set_aside(path) or set_aside(path / RUN_FOLDER):
        return kept[0]
    text = str(name_or_path)
    where = shown(text, 300)
    if HUB_ID.fullmatch(text) and not text.startswith("."):
        raise CheckpointError(
            f"{where} is no folder here. If it is a model on a hub: downloading is not built in "
            "yet; clone it (`git clone`, with Git LFS) and give the folder"
        )
    if isinstance(name_or_path, str) and not re.search(r"[/\\]|^[.~]", text):
        close = get_close_matches(text.lower()[:80], names, n=3, cutoff=0.5)
        meant = f" (did you mean {' or '.join(close)}?)" if close else ""
        there = f"there is {', '.join(names)}" if names else "none ships with this installation"
        raise CheckpointError(f"no model '{where}'{meant}: {there}; or give a checkpoint's folder")
    raise CheckpointError(f"{where} does not exist: give a checkpoint's folder or a model's name")


def set_aside(path: Path) -> list[Path]:
    """Find the copies of a checkpoint that a save, cut off, had set aside; the newest first."""
    try:
        around = [other for other in path.parent.iterdir() if other.suffix == ".old"]
        found = [other for other in around if other.name.startswith(f".{path.name}.")]
        return sorted(found, key=lambda other: other.stat().st_mtime, reverse=True)
    except (OSError, ValueError):  # no such folder, or one that came and went
        return []


def open_folder(folder: Path, limits: CheckpointLimits) -> Checkpoint:
    """Open the checkpoint in a folder."""
    if folder.is_dir() and not _is_there(folder / CONFIG):
        raise CheckpointError(f"{shown_path(folder)} has no {CONFIG}: it is no checkpoint's folder")
    sizes = look_at(folder, limits)
    where = {name: shown_path(folder / name) for name in (*sizes, LIST, CONFIG)}
    # The version first: of a newer format we know nothing, and all other words would mislead.
    config_content = read_whole(folder, CONFIG, limits.config_bytes, "config_bytes")
    config = parse_json(config_content, where[CONFIG], limits.json_depth)
    if not isinstance(config, dict):
        raise CheckpointError(f"{where[CONFIG]} holds {kind_of(config)}, not an object")
    check_format(config.get("format"), FORMAT, where[CONFIG])
    list_content = read_whole(folder, LIST, limits.config_bytes, "config_bytes")
    listed = read_list(list_content, where[LIST], limits)
    if lacking := missing(listed):
        raise CheckpointError(f"{where[LIST]} does not list {lacking}: every checkpoint has one")
    check_folder(folder, sizes, listed)
    for name, entry in listed.items():
        check_listed(folder, name, entry)
    check_config(config, listed, where[CONFIG])
    for name, entry in listed.items():
        if name.endswith(".onnx"):
            scan(read_listed(folder, name, entry), where[name], limits)
        elif name.endswith(".npz"):
            check_arrays(read_listed(folder, name, entry), where[name], limits)
    with opened(folder, WEIGHTS) as (handle, size):
        check_weights(handle, size, where[WEIGHTS], limits)
    card = read_whole(folder, CARD, limits.config_bytes, "config_bytes")
    try:
        text = card.decode()
    except UnicodeDecodeError as error:
        raise CheckpointError(f"{where[CARD]} is no UTF-8 text (byte {error.start})") from None
    digest = hashlib.sha256(list_content).hexdigest()
    return Checkpoint(folder, config, text, digest, listed, limits)


def check_config(config: dict[str, Any], listed: dict[str, FileEntry], source: str) -> None:
    """Refuse a config that lacks what every family needs, or has it in another type."""
    for name, kind in (NEEDED | OPTIONAL).items():
        if name in NEEDED and name not in config:
            raise CheckpointError(f"{source} has no {name!r}")
        if name in config and not isinstance(config[name], kind):
            wanted = "a text" if kind is str else "an object"
            raise CheckpointError(
                f"{source}: {name!r} should be {wanted}, and is {kind_of(config[name])}"
            )
    for name in ("family", "name"):
        if not config[name].isprintable() or not 1 <= len(config[name]) <= 80:
            raise CheckpointError(f"{source}: {name!r} should be 1 to 80 printable characters")
    if not config["graphs"]:
        raise CheckpointError(f"{source} names no graphs: there is nothing to run")
    for part, file in config["graphs"].items():
        if not isinstance(file, str) or not file.endswith(".onnx") or file not in listed:
            raise CheckpointError(
                f"{source}: graph '{shown(part)}' is {shown(repr(file))}, which is no graph among "
                "the files"
            )


def _is_there(path: Path) -> bool:
    try:
        path.lstat()
    except (OSError, ValueError):  # a name too long for this system, or with a null in it
        return False
    return True
