"""Pieces that are used as a whole or not at all: what drum parts and ensembles have in common.

`load_whole` is the road from sources to pieces: it walks, reads, has each score taken or left out,
finds equal pieces, splits, and counts everything on the way in a `PiecesReport`.
"""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, TypeVar, cast

import numpy as np

from partimento.data.fingerprints import fingerprint, sketch
from partimento.data.found import Item, Skipped, WalkLimits, why
from partimento.data.melodies import LeftOut
from partimento.data.report_base import FileReport, counted
from partimento.data.sources import SPLITS, SourceFile, open_whole, published_split
from partimento.data.splits import assign, clusters
from partimento.errors import DataError, LimitError, ParameterError, PartimentoError
from partimento.formats import Limits, read_bytes
from partimento.music.score import Score


class WholePiece(Protocol):
    """A named tuple that says where it comes from, and on which side it lies."""

    @property
    def name(self) -> str:
        """Of the file."""

    @property
    def source(self) -> str:
        """As it was asked for."""

    @property
    def split(self) -> str:
        """``"train"``, ``"valid"`` or ``"test"``."""


Piece = TypeVar("Piece", bound=WholePiece)


@dataclass
class PiecesReport(FileReport):
    """Counts of some pieces, filled as files are read.

    Attributes
    ----------
    splits : dict of split to counts of pieces, notes and bars
    """

    files_not_music: int = 0
    splits: dict[str, Counter[str]] = field(default_factory=lambda: {s: Counter() for s in SPLITS})
    digests: set[bytes] = field(default_factory=set)

    # What a piece and its notes are called, and which of them are equal.
    piece: ClassVar[str] = "piece"
    note: ClassVar[str] = "note"
    equal: ClassVar[str] = "pieces"

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
            **self.more_facts(),
            "verdict": self.verdict,
        }

    def more_facts(self) -> dict[str, Any]:
        """Give what else was counted."""
        return {}

    def more_words(self) -> list[str]:
        """Say what else was counted."""
        return []

    @property
    def verdict(self) -> str:
        """Say in one honest sentence whether this is enough to learn from."""
        raise NotImplementedError

    def text(self) -> str:
        """Say it all in words, for a terminal."""
        no_music = f"{self.files_not_music:,} no music" if self.files_not_music else ""
        lines = [*self.files_in_words(no_music), "kept"]
        for name, share in self.splits.items():
            lines.append(
                f"  {name:<8} {counted(share['pieces'], self.piece)}, {share['notes']:,} "
                f"{self.note}s, {share['bars']:,} bars"
            )
        lines.append(self.split_in_words(f"equal {self.equal} on one side"))
        lines += [f"  {words}" for words in self.more_words()]
        return "\n".join(
            [*lines, *self.left_out_in_words(), *self.skipped_in_words(), "", self.verdict]
        )


def load_whole(
    sources: Iterable[str | os.PathLike[str]],
    report: PiecesReport,
    take: Callable[[Score, str, str], Piece | LeftOut],
    line: Callable[[Piece], tuple[np.ndarray, np.ndarray]],
    size: Callable[[Piece], tuple[int, int]],
    *,
    seed: int = 0,
    salvage: bool = False,
    limits: WalkLimits | None = None,
    progress: Callable[[int], None] | None = None,
) -> list[Piece]:
    """Read the pieces of some sources.

    Parameters
    ----------
    report
        Is filled.
    take
        Makes a piece of a score, the name of its file and that of its source, or says why not.
    line
        Onset steps and pitches that a piece is known by.
    size
        Notes and bars of a piece.
    seed, salvage, limits, progress
        As in `partimento.data.voices.load_voices`.

    Raises
    ------
    DataError
        If a source is not there. Files that cannot be used raise nothing: the report lists them.
    """
    if isinstance(sources, str | os.PathLike):
        raise DataError(f"sources must be a list, got {str(sources)!r}: write [{str(sources)!r}]")
    limits = limits or WalkLimits()
    found: list[tuple[str | None, Piece]] = []
    done = 0
    for name in sources:
        source = open_whole(name)
        report.sources.append({"name": source.name, **source.about})
        pieces: list[Piece] = []
        for item in source.items(limits):
            piece = _taken(item, source.name, take, salvage, limits, report)
            pieces += [] if piece is None else [piece]
            done += 1
            if progress:
                progress(done)
        found += zip(published_split([piece.name for piece in pieces]), pieces, strict=True)
    return _split(found, line, size, seed, report)


def _taken(
    item: SourceFile | Item,
    source: str,
    take: Callable[[Score, str, str], Piece | LeftOut],
    salvage: bool,
    limits: WalkLimits,
    report: PiecesReport,
) -> Piece | None:
    """Read a file, and count what became of it."""
    if isinstance(item, Skipped):
        report.add_skipped(item)
        return None
    if not isinstance(item, SourceFile):
        report.files_not_music += 1
        return None
    digest = hashlib.blake2b(item.data, digest_size=16).digest()
    report.same_files += digest in report.digests
    report.digests.add(digest)
    try:
        most = limits.max_file_bytes
        within = Limits(max_bytes=most, max_text_bytes=4 * most)
        score = read_bytes(item.data, item.name, limits=within, salvage=salvage)
        found = take(score, item.name, source)
    except (PartimentoError, MemoryError) as error:
        reason = "beyond a limit" if isinstance(error, LimitError) else "unreadable"
        if isinstance(error, ParameterError):
            reason = "bars off the grid"
        report.add_skipped(Skipped(item.name, reason, why(error).removeprefix(f"{item.name}: ")))
        return None
    report.files_read += 1
    if isinstance(found, LeftOut):
        report.add_left_out(item.name, found)
        return None
    return found


def _split(
    found: list[tuple[str | None, Piece]],
    line: Callable[[Piece], tuple[np.ndarray, np.ndarray]],
    size: Callable[[Piece], tuple[int, int]],
    seed: int,
    report: PiecesReport,
) -> list[Piece]:
    """Decide the side of every piece: equal ones stay together."""
    published = [split for split, _ in found]
    lines = [line(piece) for _, piece in found]
    fingerprints = [fingerprint(*one) for one in lines]
    if all(published):
        sides = [split or "" for split in published]
    else:
        names = [(piece.source, piece.name) for _, piece in found]
        sketches = [sketch(pitch) for _, pitch in lines]
        sides = assign(clusters(names, fingerprints, sketches), fingerprints, published, seed)
    if found:
        kinds = {split is not None for split in published}
        report.split_by = "both" if len(kinds) == 2 else "published" if True in kinds else "content"
    report.add_duplicates(fingerprints)
    found_sides = zip(sides, found, strict=True)
    pieces: list[Piece] = [
        cast("Any", piece)._replace(split=side) for side, (_, piece) in found_sides
    ]
    for piece in pieces:
        notes, bars = size(piece)
        report.splits[piece.split].update(pieces=1, notes=notes, bars=bars)
    return pieces
