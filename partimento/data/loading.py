"""Loading: the melodies of folders, archives and sets, split and ready to learn from.

`load_melodies` is the one road from files to training music: it walks, reads, extracts, finds
duplicates, splits, and counts everything on the way in a `DataReport`.
"""

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from partimento.data.cache import key_of, load, save
from partimento.data.found import Item, Other, Skipped, WalkLimits
from partimento.data.melodies import FoundMelody, MelodyRules
from partimento.data.reading import FileReading, read_all
from partimento.data.report import DataReport
from partimento.data.sources import Source, open_source, published_split
from partimento.data.splits import assign, clusters
from partimento.errors import DataError
from partimento.music.score import Score


@dataclass(frozen=True)
class Piece:
    """One melody to learn from.

    Attributes
    ----------
    name : str
        The file, and which melody of it where there are several (``#part.number``).
    source : str
        As it was asked for.
    split : str
        ``"train"``, ``"valid"`` or ``"test"``.
    score : Score
        One part, one note at a time, on the grid, from a bar line at tick 0 to a bar line.
    """

    name: str
    source: str
    split: str
    score: Score


@dataclass
class Preparing:
    """How long it took to read the files, and what was remembered.

    Attributes
    ----------
    seconds : float
        To read and extract, or to remember.
    remembered : int
        Sources whose melodies the cache still held.
    seconds_saved : float
        What reading those took at first, less what remembering took now.
    trouble : str
        Why the cache could not be written; empty if it could, or nobody asked.
    """

    seconds: float = 0.0
    remembered: int = 0
    seconds_saved: float = 0.0
    trouble: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Give the numbers as plain values for JSON."""
        return {
            "seconds": round(self.seconds, 3),
            "sources_remembered": self.remembered,
            "seconds_saved": round(self.seconds_saved, 3),
            "trouble": self.trouble,
        }

    def text(self) -> str:
        """Say it in a line."""
        words = f"prepared in {self.seconds:.1f} s"
        if self.remembered:
            words += f": remembered from an earlier run, {self.seconds_saved:.1f} s saved"
        if self.trouble:
            words += f" (not kept for the next time: {self.trouble})"
        return words


@dataclass(frozen=True)
class MelodyData:
    """Melodies, the report of how they were found, and how long that took."""

    pieces: list[Piece]
    report: DataReport
    preparing: Preparing = field(default_factory=Preparing, compare=False)

    def split(self, name: str) -> list[Piece]:
        """Pieces of one split."""
        return [piece for piece in self.pieces if piece.split == name]


class NamedMelody(NamedTuple):
    """A melody with its file and its published split, if it has one."""

    name: str
    file: str
    source: str
    split: str | None
    melody: FoundMelody


def load_melodies(
    sources: Iterable[str | os.PathLike[str]],
    *,
    rules: MelodyRules | None = None,
    seed: int = 0,
    workers: int = 1,
    salvage: bool = False,
    limits: WalkLimits | None = None,
    cache: Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> MelodyData:
    """Read the melodies of some sources.

    Parameters
    ----------
    sources
        Folders, archives, lists of paths (``.txt``), music files, or sets of the corpora with
        kinds of melodies, as in ``openscore-lieder:song``.
    rules
        What counts as a melody; `MelodyRules()` by default.
    seed
        Varies how pieces without a published split are split.
    workers
        Processes; see `read_all`. The result does not depend on it.
    salvage
        Mend damaged files where players would.
    cache
        Folder that keeps what was read, so that the same files and rules are read once:
        `partimento.data.cache.cache_folder()` is the usual one. `None` keeps nothing.
    progress
        Called with the number of files done so far.

    Raises
    ------
    DataError
        If a source is not there. Files that cannot be used raise nothing: the report lists them.
    """
    if isinstance(sources, str | os.PathLike):
        raise DataError(f"sources must be a list, got {str(sources)!r}: write [{str(sources)!r}]")
    rules = rules or MelodyRules()
    report = DataReport(rules=asdict(rules))
    preparing = Preparing()
    found: list[NamedMelody] = []
    digests: set[bytes] = set()
    done = 0
    start = time.perf_counter()
    limits = limits or WalkLimits()
    for source in [open_source(source) for source in sources]:
        report.sources.append({"name": source.name, **source.about})
        melodies: list[NamedMelody] = []
        for item in _readings(source, rules, limits, salvage, workers, cache, preparing):
            if isinstance(item, FileReading):
                melodies += _take(item, source, report, digests)
            elif isinstance(item, Skipped):
                report.add_skipped(item)
            elif isinstance(item, Other):
                report.add_other(item)
            done += 1
            if progress:
                progress(done)
        found += _with_published_split(melodies)
    pieces = _split(found, seed, report)
    preparing.seconds = time.perf_counter() - start
    return MelodyData(pieces, report, preparing)


def _readings(
    source: Source,
    rules: MelodyRules,
    limits: WalkLimits,
    salvage: bool,
    workers: int,
    cache: Path | None,
    preparing: Preparing,
) -> Iterable[FileReading | Item]:
    """Read the files of a source, or remember what they held."""
    start = time.perf_counter()

    def read() -> Iterable[FileReading | Item]:
        return read_all(
            source.items(limits),
            rules,
            salvage=salvage,
            workers=workers,
            max_file_bytes=limits.max_file_bytes,
        )

    if cache is None:
        return read()
    key = key_of(source.items(limits), rules, salvage, limits)
    if remembered := load(cache, key):
        preparing.remembered += 1
        preparing.seconds_saved += remembered.seconds - (time.perf_counter() - start)
        return remembered.readings
    readings = list(read())
    # What cannot be kept costs only the time to read it again.
    preparing.trouble = save(cache, key, readings, time.perf_counter() - start) or preparing.trouble
    return readings


def _take(
    reading: FileReading, source: Source, report: DataReport, digests: set[bytes]
) -> list[NamedMelody]:
    """Count what a file held, and name its melodies."""
    if reading.problem is not None:
        report.add_skipped(reading.problem)
        return []
    assert reading.facts is not None
    report.add_facts(reading.facts)
    report.same_files += reading.digest in digests
    digests.add(reading.digest)
    for left_out in reading.left_out:
        report.add_left_out(f"{reading.name}: {left_out.where}", left_out)
    report.files_used += bool(reading.melodies)
    report.upbeats += any(melody.pickup for melody in reading.melodies)
    numbers: dict[int, int] = {}
    named = []
    for melody in reading.melodies:
        numbers[melody.track] = number = numbers.get(melody.track, 0) + 1
        is_only = len(reading.melodies) == 1
        name = reading.name if is_only else f"{reading.name}#{melody.track + 1}.{number}"
        named.append(NamedMelody(name, reading.name, source.name, reading.split, melody))
    return named


def _with_published_split(melodies: list[NamedMelody]) -> list[NamedMelody]:
    """Take the split from the folders of the files, where they are named so."""
    if any(melody.split for melody in melodies):
        return melodies
    splits = published_split([melody.file for melody in melodies])
    return [melody._replace(split=split) for melody, split in zip(melodies, splits, strict=True)]


def _split(found: list[NamedMelody], seed: int, report: DataReport) -> list[Piece]:
    """Decide the side of every melody, and build the pieces."""
    published = [melody.split for melody in found]
    fingerprints = [melody.melody.fingerprint for melody in found]
    if all(published):
        sides = [split or "" for split in published]
    else:
        files = [(melody.source, melody.file) for melody in found]
        sketches = [melody.melody.sketch for melody in found]
        sides = assign(clusters(files, fingerprints, sketches), fingerprints, published, seed)
    report.add_duplicates(fingerprints)
    if found:
        kinds = {split is not None for split in published}
        report.split_by = "both" if len(kinds) == 2 else "published" if True in kinds else "content"
    pieces = []
    for (name, _, source, _, melody), side in zip(found, sides, strict=True):
        report.add_kept(melody, side)
        pieces.append(Piece(name, source, side, melody.score()))
    return pieces
