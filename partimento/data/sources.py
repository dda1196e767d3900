"""Sources: what a user may name as music, and which files each name stands for.

A source is a path (folder, archive, list of paths, music file) or a set of the corpora by name,
with kinds of melodies if wanted: ``irish-cre``, ``openscore-lieder:song``,
``open-hymnal:tune+line``. The corpora lie in the folder `data_root` finds; their index says which
tracks are melodies, and their archives which split each piece belongs to.
"""

import gzip
import hashlib
import io
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import partimento
from partimento.data.found import Found, Item, WalkLimits, shown
from partimento.data.walking import walk
from partimento.errors import DataError

ARCHIVE = "midi.zip"  # of a set
SPLITS = ("train", "valid", "test")
_SPLIT_FOLDERS = {
    "train": "train",
    "training": "train",
    "valid": "valid",
    "validation": "valid",
    "val": "valid",
    "dev": "valid",
    "test": "test",
    "testing": "test",
}
_SET = re.compile(r"(?P<name>[a-z0-9][a-z0-9-]+)(?::(?P<kinds>[a-z]+(?:\+[a-z]+)*))?")


class Track(NamedTuple):
    """A melody track of a file, as the index knows it: its number, and what it holds."""

    number: int  # among the parts that hold notes, from 0
    notes: int
    lowest: int
    highest: int


class SourceFile(NamedTuple):
    """A music file of a source.

    Attributes
    ----------
    split
        As published; `None` where we split.
    tracks
        Which parts are melodies; `None` for unknown.
    """

    name: str
    data: bytes
    split: str | None
    tracks: tuple[Track, ...] | None


@dataclass(frozen=True)
class Source:
    """Something to read music from.

    Attributes
    ----------
    name : str
        As the user gave it.
    path : Path
    tracks : dict
        For a named set: files by name with their melody tracks; only these are read.
    about : dict
        Title, licence, citation and checksum of a named set.
    """

    name: str
    path: Path
    tracks: dict[str, tuple[Track, ...]] | None = None
    about: dict[str, str] = field(default_factory=dict)

    def items(self, limits: WalkLimits | None = None) -> Iterator[SourceFile | Item]:
        """Yield every music file, and whatever was skipped, in a fixed order."""
        for item in walk(self.path, limits):
            if not isinstance(item, Found):
                yield item
            elif self.tracks is None:
                yield SourceFile(item.name, item.data, None, None)
            else:
                name = item.name.removeprefix(f"{self.path.name}/")
                if name in self.tracks:
                    split = _SPLIT_FOLDERS[name.partition("/")[0]]
                    yield SourceFile(name, item.data, split, self.tracks[name])


def open_source(text: str | os.PathLike[str]) -> Source:
    """Find what a name or path stands for.

    Raises
    ------
    DataError
        If it is neither.
    """
    name = os.fspath(text)
    found = _SET.fullmatch(name)
    root = data_root()
    if found and root and (root / found["name"] / "manifest.json").is_file():
        return _named_set(root, found["name"], found["kinds"])
    path = Path(name).expanduser()
    try:
        is_there = path.exists() or path.is_symlink()
    except (OSError, ValueError):
        is_there = False
    if not is_there:
        where = (
            f"sets in {root}: {', '.join(set_names(root))}"
            if root
            else ("PARTIMENTO_DATA can name a folder of sets")
        )
        raise DataError(f"{shown(name)}: no such file, folder or set ({where})")
    return Source(shown(name), path)


def data_root() -> Path | None:
    """Folder of the corpora: `PARTIMENTO_DATA`, or ``../shared/data`` beside the checkout."""
    given = os.environ.get("PARTIMENTO_DATA")
    checkout = Path(partimento.__file__).parent.parent
    here = Path.cwd()
    places = (
        [Path(given)] if given else [place.parent / "shared" / "data" for place in (checkout, here)]
    )
    return next((place for place in places if place.is_dir()), None)


def set_names(root: Path | None = None) -> list[str]:
    """Names of the sets that have melodies, in order."""
    root = root or data_root()
    return sorted(_index(root)) if root else []


def published_split(names: list[str]) -> list[str | None]:
    """Read the splits that the folders of some files name, as a published set does.

    The first folder in which the names differ must be ``train``, ``valid`` (or ``validation``,
    ``val``, ``dev``) or ``test`` for all of them, and at least two of these must occur.
    """
    paths = [name.lower().split("/")[:-1] for name in names]
    depth = min((len(path) for path in paths), default=0)
    for level in range(depth):
        here = {path[level] for path in paths}
        if len(here) > 1:
            if here <= _SPLIT_FOLDERS.keys():
                return [_SPLIT_FOLDERS[path[level]] for path in paths]
            break
    return [None] * len(names)


def _named_set(root: Path, name: str, kinds: str | None) -> Source:
    tracks = _index(root).get(name)
    if not tracks:
        raise DataError(
            f"the set {name} has no melodies in the index: sets with melodies are "
            f"{', '.join(set_names(root))}"
        )
    wanted = set(kinds.split("+")) if kinds else set(tracks)
    if unknown := wanted - set(tracks):
        raise DataError(
            f"the set {name} has no melodies of kind {' or '.join(sorted(unknown))}: it has "
            f"{', '.join(sorted(tracks))}"
        )
    by_file: dict[str, list[Track]] = {}
    for kind in sorted(wanted):
        for file, track in tracks[kind]:
            by_file.setdefault(file, []).append(track)
    return Source(
        name=f"{name}:{kinds}" if kinds else name,
        path=root / name / ARCHIVE,
        tracks={file: tuple(sorted(found)) for file, found in by_file.items()},
        about=_about(_read_json(root / name / "manifest.json")),
    )


def open_whole(text: str | os.PathLike[str]) -> Source:
    """Find what a name or path stands for, all files and parts of it, not the melodies alone.

    Raises
    ------
    DataError
        If it is neither a set with an archive, nor there.
    """
    name, root = os.fspath(text), data_root()
    folder = root / name if root and _SET.fullmatch(name) else None
    if folder is None or not (folder / "manifest.json").is_file():
        return open_source(text)
    if not (folder / ARCHIVE).is_file():
        raise DataError(f"the set {name} holds no MIDI files")
    return Source(name, folder / ARCHIVE, None, _about(_read_json(folder / "manifest.json")))


def _about(manifest: dict[str, Any]) -> dict[str, str]:
    names = {"title": "title", "licence": "licence", "cite": "cite", "sha256": "archive_sha256"}
    return {ours: str(manifest[theirs]) for ours, theirs in names.items() if theirs in manifest}


def manifest_of(name: str, root: Path | None = None) -> tuple[Path, dict[str, Any]]:
    """Find a set of the corpora that is no folder of music, and what it says of itself.

    Parameters
    ----------
    name
        Of the set.
    root
        Folder of the corpora; by default where `data_root` finds it.

    Returns
    -------
    folder, manifest

    Raises
    ------
    DataError
        If the set is not there.
    """
    root = root or data_root()
    if root is None or not (root / name / "manifest.json").is_file():
        raise DataError(
            f"the set {name} is not there: PARTIMENTO_DATA can name a folder of sets that holds it"
        )
    return root / name, _read_json(root / name / "manifest.json")


def arrays_of(file: Path, sha256: str) -> Mapping[str, np.ndarray]:
    """Read the arrays of a set's file, if it is the one that the manifest means."""
    content = file.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise DataError(f"{file.name} is not the file its manifest names: get it again")
    arrays: Mapping[str, np.ndarray] = np.load(io.BytesIO(content), allow_pickle=False)
    return arrays


@cache
def _index(root: Path) -> dict[str, dict[str, list[tuple[str, Track]]]]:
    """Melody tracks by set and kind, as (file, track), from the index of the corpora."""
    path = root / "index" / "melodies.json.gz"
    if not path.is_file():
        return {}
    try:
        index = json.loads(gzip.decompress(path.read_bytes()))
        at = {column: place for place, column in enumerate(index["columns"])}
        found: dict[str, dict[str, list[tuple[str, Track]]]] = {}
        for row in index["rows"]:
            kinds = found.setdefault(row[at["set"]], {})
            file = f"{row[at['split']]}/{row[at['id']]}.mid"
            track = Track(*(int(row[at[name]]) for name in ("track", "notes", "lowest", "highest")))
            kinds.setdefault(row[at["kind"]], []).append((file, track))
    except (OSError, EOFError, ValueError, KeyError, TypeError, IndexError) as error:
        raise DataError(f"{shown(path)} is no index of melodies: {shown(error)}") from None
    return found


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_bytes()))
    except (ValueError, TypeError) as error:
        raise DataError(f"{shown(path)} is no JSON: {shown(error)}") from None
