"""Drum parts: read them from sources, and say what was left out and why. Start at `load_drums`."""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import numpy as np

from partimento.data.fingerprints import fingerprint, sketch
from partimento.data.found import Item, Skipped, WalkLimits, why
from partimento.data.melodies import LeftOut
from partimento.data.report_base import FileReport, counted
from partimento.data.sources import SPLITS, SourceFile, open_whole, published_split
from partimento.data.splits import assign, clusters
from partimento.errors import DataError, LimitError, ParameterError, PartimentoError
from partimento.formats import Limits, read_bytes
from partimento.music.drums import BITS, Hits, hear_drums
from partimento.music.grid import Grid

FEW_BARS = 2_000


class DrumPiece(NamedTuple):
    """A drum part on the grid: `hits` of every step, and its bars.

    Attributes
    ----------
    name, source, split : str
    hits : Hits
    grid : Grid
        Of the same length.
    qpm : float
    """

    name: str
    source: str
    split: str
    hits: Hits
    grid: Grid
    qpm: float


@dataclass(frozen=True)
class DrumRules:
    """Which drum parts are used.

    Attributes
    ----------
    steps_per_quarter : int
    min_bars : int
        Shorter parts are left out.
    min_known : float
        Share of the strokes that must be of the nine drums; the others are lost.
    """

    steps_per_quarter: int = 4
    min_bars: int = 1
    min_known: float = 0.5


@dataclass
class DrumsReport(FileReport):
    """Counts of some drum parts, filled as files are read.

    Attributes
    ----------
    splits : dict of split to counts of pieces, notes (strokes) and bars
    unknown : int
        Strokes of instruments that are none of the nine drums.
    merged : int
        Strokes on the step of a louder one of the same drum.
    """

    files_not_music: int = 0
    splits: dict[str, Counter[str]] = field(default_factory=lambda: {s: Counter() for s in SPLITS})
    unknown: int = 0
    merged: int = 0
    digests: set[bytes] = field(default_factory=set)

    def facts(self) -> dict[str, Any]:
        """Give what belongs on the card of a model."""
        return {
            "sources": self.sources,
            "splits": {name: dict(share) for name, share in self.splits.items() if share},
            "split_by": self.split_by,
            "left_out": self.counts_of_left_out(),
            "files_skipped": self.files_skipped,
            "rules": self.rules,
        }

    def as_dict(self) -> dict[str, Any]:
        """Give all numbers as plain values for JSON."""
        return self.facts() | {
            "files": {
                "read": self.files_read,
                "skipped": self.files_skipped,
                "not_music": self.files_not_music,
                "same_as_another": self.same_files,
            },
            "left_out": self.left_out_as_plain(),
            "skipped": self.skipped_as_plain(),
            "strokes_of_other_instruments": self.unknown,
            "strokes_merged": self.merged,
            "verdict": self.verdict,
        }

    @property
    def verdict(self) -> str:
        """Say in one honest sentence whether this is enough to learn from."""
        train, valid = self.splits["train"], self.splits["valid"]
        if not train["pieces"]:
            return "Nothing here can teach drums: see what was left out."
        if not valid["pieces"]:
            return "Nothing is held out: five different parts are the fewest."
        size = f"{counted(train['pieces'], 'part')}, {train['bars']:,} bars to learn from"
        if train["bars"] < FEW_BARS:
            return f"{size}: few; expect it to repeat them. Fine-tuning drums-vae will do better."
        return f"{size}: enough."

    def text(self) -> str:
        """Say it all in words, for a terminal."""
        no_music = f"{self.files_not_music:,} no music" if self.files_not_music else ""
        lines = self.files_in_words(no_music)
        lines.append("kept")
        for name, share in self.splits.items():
            lines.append(
                f"  {name:<8} {counted(share['pieces'], 'drum part')}, {share['notes']:,} "
                f"strokes, {share['bars']:,} bars"
            )
        lines.append(self.split_in_words("equal patterns on one side"))
        if self.unknown:
            lines.append(f"  {self.unknown:,} strokes of instruments that are none of nine drums")
        if self.merged:
            lines.append(f"  {self.merged:,} strokes on the step of a louder one of the same drum")
        return "\n".join(
            [*lines, *self.left_out_in_words(), *self.skipped_in_words(), "", self.verdict]
        )


@dataclass(frozen=True)
class DrumData:
    """Drum parts, and the report of how they were found."""

    pieces: list[DrumPiece]
    report: DrumsReport

    def split(self, name: str) -> list[DrumPiece]:
        """Parts of one split."""
        return [piece for piece in self.pieces if piece.split == name]


def load_drums(
    sources: Iterable[str | os.PathLike[str]],
    *,
    rules: DrumRules | None = None,
    seed: int = 0,
    salvage: bool = False,
    limits: WalkLimits | None = None,
    progress: Callable[[int], None] | None = None,
) -> DrumData:
    """Read the drum parts of some sources.

    Parameters
    ----------
    sources
        Folders, archives, lists of paths, MIDI files, or sets of the corpora by name (``groove``).
    rules, seed, salvage, limits, progress
        As in `partimento.data.voices.load_voices`.

    Raises
    ------
    DataError
        If a source is not there. Files that cannot be used raise nothing: the report lists them.
    """
    if isinstance(sources, str | os.PathLike):
        raise DataError(f"sources must be a list, got {str(sources)!r}: write [{str(sources)!r}]")
    rules, limits = rules or DrumRules(), limits or WalkLimits()
    report = DrumsReport(rules=asdict(rules))
    found: list[tuple[str | None, DrumPiece]] = []
    done = 0
    for name in sources:
        source = open_whole(name)
        report.sources.append({"name": source.name, **source.about})
        pieces: list[tuple[str | None, DrumPiece]] = []
        for item in source.items(limits):
            pieces += _take(item, source.name, rules, salvage, limits, report)
            done += 1
            if progress:
                progress(done)
        splits = published_split([piece.name for _, piece in pieces])
        found += [(split, piece) for split, (_, piece) in zip(splits, pieces, strict=True)]
    return DrumData(_split(found, seed, report), report)


def _take(
    item: SourceFile | Item,
    source: str,
    rules: DrumRules,
    salvage: bool,
    limits: WalkLimits,
    report: DrumsReport,
) -> list[tuple[str | None, DrumPiece]]:
    """Read a file, and count what became of it."""
    if isinstance(item, Skipped):
        report.add_skipped(item)
        return []
    if not isinstance(item, SourceFile):
        report.files_not_music += 1
        return []
    digest = hashlib.blake2b(item.data, digest_size=16).digest()
    report.same_files += digest in report.digests
    report.digests.add(digest)
    try:
        score = read_bytes(
            item.data,
            item.name,
            limits=Limits(
                max_bytes=limits.max_file_bytes, max_text_bytes=4 * limits.max_file_bytes
            ),
            salvage=salvage,
        )
        if not any(part.is_drum and len(part.notes) for part in score.parts):
            report.files_read += 1
            report.add_left_out(item.name, LeftOut("no drums", "piece", "", score.num_notes, ""))
            return []
        heard = hear_drums(score, rules.steps_per_quarter)
    except (PartimentoError, MemoryError) as error:
        reason = "beyond a limit" if isinstance(error, LimitError) else "unreadable"
        if isinstance(error, ParameterError):
            reason = "bars off the grid"
        report.add_skipped(Skipped(item.name, reason, why(error).removeprefix(f"{item.name}: ")))
        return []
    report.files_read += 1
    hits, grid, unknown, merged = heard
    strokes = int(hits.is_hit.sum())
    bars = int(grid.bar[-1]) + 1 if len(grid) else 0
    reason = ""
    if strokes < rules.min_known * (strokes + unknown):
        reason = "other percussion"
    elif bars < rules.min_bars or not strokes:
        reason = "too short"
    if reason:
        report.add_left_out(item.name, LeftOut(reason, "part", "", strokes, ""))
        return []
    report.unknown += unknown
    report.merged += merged
    qpm = score.tempo_map[0].qpm
    return [(item.split, DrumPiece(item.name, source, item.split or "", hits, grid, qpm))]


def _split(
    found: Sequence[tuple[str | None, DrumPiece]], seed: int, report: DrumsReport
) -> list[DrumPiece]:
    """Decide the side of every part: equal patterns stay together."""
    published = [split for split, _ in found]
    patterns = [_pattern(piece) for _, piece in found]
    fingerprints = [fingerprint(*pattern) for pattern in patterns]
    if all(published):
        sides = [split or "" for split in published]
    else:
        names = [(piece.source, piece.name) for _, piece in found]
        sketches = [sketch(pitch) for _, pitch in patterns]
        sides = assign(clusters(names, fingerprints, sketches), fingerprints, published, seed)
    if found:
        kinds = {split is not None for split in published}
        report.split_by = "both" if len(kinds) == 2 else "published" if True in kinds else "content"
    report.add_duplicates(fingerprints)
    pieces = [piece._replace(split=side) for side, (_, piece) in zip(sides, found, strict=True)]
    for piece in pieces:
        report.splits[piece.split].update(
            pieces=1, notes=int(piece.hits.is_hit.sum()), bars=int(piece.grid.bar[-1]) + 1
        )
    return pieces


def _pattern(piece: DrumPiece) -> tuple[np.ndarray, np.ndarray]:
    """List the steps that are struck, and what is: one number a set of drums."""
    tokens = (piece.hits.is_hit * BITS).sum(axis=1)
    step = np.flatnonzero(tokens)
    return step, tokens[step]
