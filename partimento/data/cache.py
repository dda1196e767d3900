"""The cache: what reading some files gave, kept so that the next run need not read them again.

An entry is found by a key made of the content of the files, the rules and our own code; so whatever
changes finds nothing, and nothing has to be thrown away by hand. An entry is one file::

    magic, 8 bytes | SHA-256 of the rest, 32 | length of the header, 8 | header, JSON | columns

The columns are mapped into memory, not copied; nothing in an entry is executed. A damaged entry is
as good as none: it is written again. Entries appear whole or not at all, so several processes may
share a folder; what was used longest ago goes first when there are too many or they grow too large.
"""

import contextlib
import hashlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import partimento
from partimento.data.found import Item, Other, Skipped
from partimento.data.melodies import FoundMelody, LeftOut
from partimento.data.reading import FileFacts, FileReading
from partimento.data.sources import SourceFile
from partimento.music.score import Key, Meter, Tempo

MAGIC = b"partmel2"  # a new number where the layout or the meaning of a column changes
HEADER_AT = len(MAGIC) + 32 + 8
ALIGNMENT = 64
MAX_ENTRIES = 64
MAX_BYTES = 2**30  # of all entries
STALE_SECONDS = 24 * 3600  # an unfinished entry this old was left by a process that was killed

# Packages whose code decides what a file gives.
READING_PACKAGES = ("music", "formats", "data")

Reading = FileReading | Item


class Remembered(NamedTuple):
    """What a cache held: the readings, and how long they took when they were made."""

    readings: list[Reading]
    seconds: float


def cache_folder() -> Path | None:
    """Where the system keeps caches of this user; `PARTIMENTO_CACHE` names another place.

    `None` where this user has no home.
    """
    if given := os.environ.get("PARTIMENTO_CACHE"):
        return Path(given)
    try:
        if sys.platform == "win32":
            base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
        elif sys.platform == "darwin":
            base = Path.home() / "Library" / "Caches"
        else:
            base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:
        return None
    return base / "partimento"


def key_of(items: Iterable[SourceFile | Item], *settings: object) -> str:
    """Hash the files of a source and the settings they would be read with."""
    hasher = hashlib.sha256(MAGIC + partimento.__version__.encode() + _code())
    hasher.update(repr(settings).encode())
    for item in items:
        if isinstance(item, SourceFile):
            digest = hashlib.blake2b(item.data, digest_size=16).hexdigest()
            hasher.update(repr((item.name, digest, item.split, item.tracks)).encode())
        else:
            hasher.update(repr(item).encode())
    return hasher.hexdigest()


@cache
def _code() -> bytes:
    """Hash the code that reads, so that a checkout of another day finds nothing of this one."""
    root = Path(partimento.__file__).parent
    hasher = hashlib.sha256()
    for package in READING_PACKAGES:
        for file in sorted((root / package).rglob("*")):
            if file.suffix in (".py", ".json"):
                hasher.update(file.name.encode() + file.read_bytes())
    return hasher.digest()


def load(folder: Path, key: str) -> Remembered | None:
    """Give back what was saved under a key; `None` if it is not there or damaged."""
    path = folder / f"{key}.melodies"
    try:
        content = np.memmap(path, dtype=np.uint8, mode="r").view(np.ndarray)
        if bytes(content[: len(MAGIC)]) != MAGIC:
            return None
        digest = hashlib.sha256(content[len(MAGIC) + 32 :].data).digest()
        if digest != bytes(content[len(MAGIC) : len(MAGIC) + 32]):
            return None
        size = int.from_bytes(bytes(content[HEADER_AT - 8 : HEADER_AT]), "little")
        header = json.loads(bytes(content[HEADER_AT : HEADER_AT + size]))
        columns = {
            name: content[at : at + length].view(dtype).reshape(shape)
            for name, (dtype, shape, at, length) in header["columns"].items()
        }
        remembered = Remembered(_unpack(header, columns), float(header["seconds"]))
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return None
    with contextlib.suppress(OSError):  # the age decides what is thrown away first
        os.utime(path)
    return remembered


def save(folder: Path, key: str, readings: list[Reading], seconds: float) -> str:
    """Keep readings under a key. Returns why they could not be kept, or nothing."""
    header, columns = _pack(readings)
    content = _as_bytes({"seconds": seconds, **header}, columns)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=folder, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(MAGIC + hashlib.sha256(content).digest() + content)
            Path(temporary).replace(folder / f"{key}.melodies")
        except BaseException:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
            raise
        _forget_oldest(folder)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _forget_oldest(folder: Path) -> None:
    """Remove the entries used longest ago until all are within the bounds."""
    ages = []
    for path in folder.iterdir():
        with contextlib.suppress(OSError):  # another process removed it just now
            status = path.stat()
            ages.append((status.st_mtime, status.st_size, path))
    total = kept = 0
    for used, size, path in sorted(ages, reverse=True):
        if path.suffix == ".melodies":
            kept, total = kept + 1, total + size
            is_beyond = kept > 1 and (kept > MAX_ENTRIES or total > MAX_BYTES)
        else:
            is_beyond = path.suffix == ".part" and used < time.time() - STALE_SECONDS
        if is_beyond:
            with contextlib.suppress(OSError):  # in use, on some systems
                path.unlink()


def _as_bytes(header: dict[str, Any], columns: dict[str, np.ndarray]) -> bytes:
    """Lay header and columns out; the header says where each column stands."""
    layout: dict[str, list[Any]] = {
        name: [column.dtype.str, list(column.shape), 0, column.nbytes]
        for name, column in columns.items()
    }
    header = {**header, "columns": layout}
    # Places have a fixed width in the header, so that writing them does not move them.
    size = len(json.dumps(header)) + 20 * len(layout)
    at = HEADER_AT + size
    for entry in layout.values():
        at += -at % ALIGNMENT
        entry[2] = at
        at += entry[3]
    content = bytearray(at - len(MAGIC) - 32)
    text = json.dumps(header).encode().ljust(size)
    content[: 8 + size] = size.to_bytes(8, "little") + text
    for name, column in columns.items():
        start = layout[name][2] - len(MAGIC) - 32
        content[start : start + column.nbytes] = column.tobytes()
    return bytes(content)


def _pack(readings: list[Reading]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Take readings apart: words and small numbers for JSON, the rest as columns."""
    rows: list[Any] = []
    melodies: list[FoundMelody] = []
    for reading in readings:
        if isinstance(reading, Skipped):
            rows.append(["skipped", list(reading)])
        elif isinstance(reading, Other):
            rows.append(["other", list(reading)])
        elif isinstance(reading, FileReading):
            own = []
            for melody in reading.melodies:
                melodies.append(melody)
                maps = (melody.tempos, melody.meters, melody.keys)
                events = [[list(event) for event in events] for events in maps]
                own.append([*_plain(melody), *events, len(melody.columns[0]), len(melody.sketch)])
            rows.append(
                [
                    "file",
                    [reading.name, reading.split, reading.digest.hex()],
                    list(reading.facts) if reading.facts else None,
                    own,
                    [list(left_out) for left_out in reading.left_out],
                    list(reading.problem) if reading.problem else None,
                ]
            )
    columns = {
        "notes": np.concatenate(
            [np.zeros((4, 0), np.int32), *(m.columns for m in melodies)], axis=1
        ),
        "fingerprints": np.frombuffer(b"".join(m.fingerprint for m in melodies), np.uint8),
        "sketches": np.concatenate([np.zeros(0, np.uint64), *(m.sketch for m in melodies)]),
    }
    return {"rows": rows}, {name: np.ascontiguousarray(column) for name, column in columns.items()}


def _plain(melody: FoundMelody) -> list[int]:
    return [
        melody.track,
        melody.ticks_per_quarter,
        melody.end_tick,
        melody.bars,
        melody.semitones,
        melody.merged,
        melody.pickup,
    ]


def _unpack(header: dict[str, Any], columns: dict[str, np.ndarray]) -> list[Reading]:
    """Put readings together again."""
    readings: list[Reading] = []
    note = sketch = number = 0
    for kind, first, *rest in header["rows"]:
        if kind == "skipped":
            readings.append(Skipped(*first))
        elif kind == "other":
            readings.append(Other(*first))
        else:
            facts, own, left_out, problem = rest
            melodies = []
            for *plain, tempos, meters, keys, notes, runs in own:
                track, division, end_tick, bars, semitones, merged, pickup = plain
                melodies.append(
                    FoundMelody(
                        track=track,
                        columns=columns["notes"][:, note : note + notes],
                        ticks_per_quarter=division,
                        end_tick=end_tick,
                        bars=bars,
                        tempos=tuple(Tempo(*event) for event in tempos),
                        meters=tuple(Meter(*event) for event in meters),
                        keys=tuple(Key(*event) for event in keys),
                        semitones=semitones,
                        merged=merged,
                        pickup=pickup,
                        fingerprint=columns["fingerprints"][
                            16 * number : 16 * number + 16
                        ].tobytes(),
                        sketch=columns["sketches"][sketch : sketch + runs],
                    )
                )
                note, sketch, number = note + notes, sketch + runs, number + 1
            name, split, digest = first
            readings.append(
                FileReading(
                    name,
                    split,
                    bytes.fromhex(digest),
                    FileFacts(*facts) if facts else None,
                    melodies,
                    [LeftOut(*row) for row in left_out],
                    Skipped(*problem) if problem else None,
                )
            )
    return readings
