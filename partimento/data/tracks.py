"""Pieces for several instruments: read them from sources, and say what was left out and why.

Start at `load_tracks`. A file is used when its parts are the instruments asked for: as many as
there are tracks, found by their names, or by their order where there are just so many.
"""

import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from partimento.data.found import WalkLimits
from partimento.data.melodies import LeftOut
from partimento.data.report_base import counted
from partimento.data.whole_pieces import PiecesReport, load_whole
from partimento.errors import ParameterError
from partimento.music.grid import Grid
from partimento.music.score import Part, Score
from partimento.music.track_rolls import GridNotes, grid_notes

AUTO = "auto"
FEW_BARS = 5_000


class TrackPiece(NamedTuple):
    """A piece for several instruments, on the grid.

    Attributes
    ----------
    name, source, split : str
    tracks : tuple of GridNotes
    grid : Grid
    """

    name: str
    source: str
    split: str
    tracks: tuple[GridNotes, ...]
    grid: Grid


@dataclass(frozen=True)
class TrackRules:
    """Which files are used, and which of their parts.

    Attributes
    ----------
    names : tuple of str
        Of the tracks.
    tracks : str
        ``"auto"``, or the numbers of the parts that are the tracks: ``"1,2,4,5"``.
    steps_per_quarter : int
    min_bars : int
        Shorter pieces are left out.
    """

    names: tuple[str, ...] = ("Violin 1", "Violin 2", "Viola", "Violoncello")
    tracks: str = AUTO
    steps_per_quarter: int = 4
    min_bars: int = 4

    def __post_init__(self) -> None:
        self.numbers()

    def numbers(self) -> tuple[int, ...] | None:
        """Part numbers that were asked for, from 0; `None` is automatic."""
        if self.tracks == AUTO:
            return None
        numbers = [
            int(text) - 1 if text.strip().isdecimal() else -1 for text in self.tracks.split(",")
        ]
        if len(numbers) != len(self.names) or min(numbers) < 0 or len(set(numbers)) < len(numbers):
            raise ParameterError(
                f"tracks must be auto, or {len(self.names)} different part numbers from 1 between "
                f"commas, got {self.tracks!r}"
            )
        return tuple(numbers)


@dataclass
class TracksReport(PiecesReport):
    """Counts of some pieces, filled as files are read.

    Attributes
    ----------
    off_grid : int
        Notes that had to be moved to stand on the grid.
    """

    off_grid: int = 0

    def more_facts(self) -> dict[str, Any]:
        """Give what else was counted."""
        return {"notes_off_the_grid": self.off_grid}

    def more_words(self) -> list[str]:
        """Say what else was counted."""
        moved = f"{counted(self.off_grid, 'note')} moved to stand on the grid"
        return [moved] if self.off_grid else []

    @property
    def verdict(self) -> str:
        """Say in one honest sentence whether this is enough to learn from."""
        train, valid = self.splits["train"], self.splits["valid"]
        instruments = len(self.rules["names"])
        if not train["pieces"]:
            return f"Nothing here is for {instruments} instruments: see what was left out."
        if not valid["pieces"]:
            return "Nothing is held out: five different pieces are the fewest."
        size = f"{counted(train['pieces'], 'piece')}, {train['bars']:,} bars to learn from"
        if train["bars"] < FEW_BARS:
            return f"{size}: few for a GAN, which then repeats itself or copies."
        return f"{size}: enough."


@dataclass(frozen=True)
class TrackData:
    """Pieces, and the report of how they were found."""

    pieces: list[TrackPiece]
    report: TracksReport

    def split(self, name: str) -> list[TrackPiece]:
        """Pieces of one split."""
        return [piece for piece in self.pieces if piece.split == name]


def load_tracks(
    sources: Iterable[str | os.PathLike[str]],
    *,
    rules: TrackRules | None = None,
    seed: int = 0,
    salvage: bool = False,
    limits: WalkLimits | None = None,
    progress: Callable[[int], None] | None = None,
) -> TrackData:
    """Read the pieces of some sources.

    Parameters
    ----------
    sources
        Folders, archives, lists of paths, MIDI files, or sets by name (``openscore-quartets``).
    rules, seed, salvage, limits, progress
        As in `partimento.data.voices.load_voices`.

    Raises
    ------
    DataError
        If a source is not there. Files that cannot be used raise nothing: the report lists them.
    """
    rules = rules or TrackRules()
    report = TracksReport(rules=asdict(rules))

    def take(score: Score, name: str, source: str) -> TrackPiece | LeftOut:
        parts = tracks_of(score, rules)
        if isinstance(parts, str):
            keep = "--tracks" if parts == "too many parts" else ""
            return LeftOut(parts, "piece", "", score.num_notes, keep)
        grid = Grid.of(score, rules.steps_per_quarter)
        if not len(grid) or int(grid.bar[-1]) + 1 < rules.min_bars:
            return LeftOut("too short", "piece", "", score.num_notes, "")
        scale = score.ticks_per_quarter, rules.steps_per_quarter
        tracks = tuple(grid_notes(part.notes, *scale) for part in parts)
        report.off_grid += sum(int(track.is_off.sum()) for track in tracks)
        return TrackPiece(name, source, "", tracks, grid)

    pieces = load_whole(
        sources,
        report,
        take,
        line=lambda piece: (piece.tracks[0].onset, piece.tracks[0].pitch),
        size=lambda piece: (
            sum(len(track.onset) for track in piece.tracks),
            int(piece.grid.bar[-1]) + 1,
        ),
        seed=seed,
        salvage=salvage,
        limits=limits,
        progress=progress,
    )
    return TrackData(pieces, report)


def tracks_of(score: Score, rules: TrackRules) -> list[Part] | str:
    """Find the parts that are the tracks, or say why there are none."""
    wanted = len(rules.names)
    parts = [part for part in score.parts if len(part.notes) and not part.is_drum]
    numbers = rules.numbers()
    if numbers is not None:
        if max(numbers) >= len(score.parts):
            return "too few parts"
        return [score.parts[number] for number in numbers]
    named = [
        next((part for part in parts if part.name.strip().lower() == name.lower()), None)
        for name in rules.names
    ]
    found = [part for part in named if part is not None]
    if len(found) == wanted:
        return found
    if len(parts) == wanted:
        return parts
    return "too few parts" if len(parts) < wanted else "too many parts"
