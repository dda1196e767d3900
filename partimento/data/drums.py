"""Drum parts: read them from sources, and say what was left out and why. Start at `load_drums`."""

import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from partimento.data.found import WalkLimits
from partimento.data.melodies import LeftOut
from partimento.data.report_base import counted
from partimento.data.whole_pieces import PiecesReport, load_whole
from partimento.music.drums import BITS, Hits, hear_drums
from partimento.music.grid import Grid
from partimento.music.score import Score

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
class DrumsReport(PiecesReport):
    """Counts of some drum parts, filled as files are read.

    Attributes
    ----------
    unknown : int
        Strokes of instruments that are none of the nine drums.
    merged : int
        Strokes on the step of a louder one of the same drum.
    """

    piece: ClassVar[str] = "drum part"
    note: ClassVar[str] = "stroke"
    equal: ClassVar[str] = "patterns"
    unknown: int = 0
    merged: int = 0

    def more_facts(self) -> dict[str, Any]:
        """Give what else was counted."""
        return {"strokes_of_other_instruments": self.unknown, "strokes_merged": self.merged}

    def more_words(self) -> list[str]:
        """Say what else was counted."""
        other = f"{self.unknown:,} strokes of instruments that are none of nine drums"
        merged = f"{self.merged:,} strokes on the step of a louder one of the same drum"
        return [other] * (self.unknown > 0) + [merged] * (self.merged > 0)

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
    rules = rules or DrumRules()
    report = DrumsReport(rules=asdict(rules))

    def take(score: Score, name: str, source: str) -> DrumPiece | LeftOut:
        if not any(part.is_drum and len(part.notes) for part in score.parts):
            return LeftOut("no drums", "piece", "", score.num_notes, "")
        hits, grid, unknown, merged = hear_drums(score, rules.steps_per_quarter)
        strokes = int(hits.is_hit.sum())
        bars = int(grid.bar[-1]) + 1 if len(grid) else 0
        if strokes < rules.min_known * (strokes + unknown):
            return LeftOut("other percussion", "part", "", strokes, "")
        if bars < rules.min_bars or not strokes:
            return LeftOut("too short", "part", "", strokes, "")
        report.unknown += unknown
        report.merged += merged
        return DrumPiece(name, source, "", hits, grid, score.tempo_map[0].qpm)

    pieces = load_whole(
        sources,
        report,
        take,
        line=_pattern,
        size=lambda piece: (int(piece.hits.is_hit.sum()), int(piece.grid.bar[-1]) + 1),
        seed=seed,
        salvage=salvage,
        limits=limits,
        progress=progress,
    )
    return DrumData(pieces, report)


def _pattern(piece: DrumPiece) -> tuple[np.ndarray, np.ndarray]:
    """List the steps that are struck, and what is: one number a set of drums."""
    tokens = (piece.hits.is_hit * BITS).sum(axis=1)
    step = np.flatnonzero(tokens)
    return step, tokens[step]
