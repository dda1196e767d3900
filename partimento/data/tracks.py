"""Pieces for several instruments: read them from sources, and say what was left out and why.

Start at `load_tracks`. A file is used when its parts are the instruments asked for: as many as
there are tracks, found by their names, or by their order where there are just so many.
"""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from partimento.data.fingerprints import fingerprint, sketch
from partimento.data.found import Item, Skipped, WalkLimits, why
from partimento.data.melodies import LeftOut
from partimento.data.report_base import FileReport, counted
from partimento.data.sources import SPLITS, SourceFile, open_whole, published_split
from partimento.data.splits import assign, clusters
from partimento.errors import DataError, LimitError, ParameterError, PartimentoError
from partimento.formats.midi import Limits, read_midi
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
class TracksReport(FileReport):
    """Counts of some pieces, filled as files are read.

    Attributes
    ----------
    splits : dict of split to counts of pieces, notes and bars
    off_grid : int
        Notes that had to be moved to stand on the grid.
    """

    files_not_music: int = 0
    splits: dict[str, Counter[str]] = field(default_factory=lambda: {s: Counter() for s in SPLITS})
    off_grid: int = 0
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
            "notes_off_the_grid": self.off_grid,
            "verdict": self.verdict,
        }

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

    def text(self) -> str:
        """Say it all in words, for a terminal."""
        no_music = f"{self.files_not_music:,} no music" if self.files_not_music else ""
        lines = [*self.files_in_words(no_music), "kept"]
        for name, share in self.splits.items():
            lines.append(
                f"  {name:<8} {counted(share['pieces'], 'piece')}, {share['notes']:,} notes, "
                f"{share['bars']:,} bars"
            )
        lines.append(self.split_in_words("equal pieces on one side"))
        if self.off_grid:
            lines.append(f"  {counted(self.off_grid, 'note')} moved to stand on the grid")
        return "\n".join(
            [*lines, *self.left_out_in_words(), *self.skipped_in_words(), "", self.verdict]
        )


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
    if isinstance(sources, str | os.PathLike):
        raise DataError(f"sources must be a list, got {str(sources)!r}: write [{str(sources)!r}]")
    rules, limits = rules or TrackRules(), limits or WalkLimits()
    report = TracksReport(rules=asdict(rules))
    found: list[tuple[str | None, TrackPiece]] = []
    done = 0
    for name in sources:
        source = open_whole(name)
        report.sources.append({"name": source.name, **source.about})
        pieces: list[tuple[str | None, TrackPiece]] = []
        for item in source.items(limits):
            pieces += _take(item, source.name, rules, salvage, limits, report)
            done += 1
            if progress:
                progress(done)
        splits = published_split([piece.name for _, piece in pieces])
        found += [(split, piece) for split, (_, piece) in zip(splits, pieces, strict=True)]
    return TrackData(_split(found, seed, report), report)


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


def _take(
    item: SourceFile | Item,
    source: str,
    rules: TrackRules,
    salvage: bool,
    limits: WalkLimits,
    report: TracksReport,
) -> list[tuple[str | None, TrackPiece]]:
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
        score = read_midi(
            item.data,
            limits=Limits(max_bytes=limits.max_file_bytes),
            salvage=salvage,
            source=item.name,
        )
        parts = tracks_of(score, rules)
        grid = None if isinstance(parts, str) else Grid.of(score, rules.steps_per_quarter)
    except (PartimentoError, MemoryError) as error:
        reason = "beyond a limit" if isinstance(error, LimitError) else "unreadable"
        report.add_skipped(Skipped(item.name, reason, why(error).removeprefix(f"{item.name}: ")))
        return []
    report.files_read += 1
    reason, keep = "", ""
    if isinstance(parts, str) or grid is None:
        reason = str(parts)
        keep = "--tracks" if reason == "too many parts" else ""
    elif not len(grid) or int(grid.bar[-1]) + 1 < rules.min_bars:
        reason = "too short"
    if isinstance(parts, str) or grid is None or reason:
        report.add_left_out(item.name, LeftOut(reason, "piece", "", score.num_notes, keep))
        return []
    scale = score.ticks_per_quarter, rules.steps_per_quarter
    tracks = tuple(grid_notes(part.notes, *scale) for part in parts)
    report.off_grid += sum(int(track.is_off.sum()) for track in tracks)
    return [(item.split, TrackPiece(item.name, source, item.split or "", tracks, grid))]


def _split(
    found: Sequence[tuple[str | None, TrackPiece]], seed: int, report: TracksReport
) -> list[TrackPiece]:
    """Decide the side of every piece: equal ones stay together."""
    published = [split for split, _ in found]
    lines = [piece.tracks[0] for _, piece in found]
    fingerprints = [fingerprint(line.onset, line.pitch) for line in lines]
    if all(published):
        sides = [split or "" for split in published]
    else:
        names = [(piece.source, piece.name) for _, piece in found]
        sketches = [sketch(line.pitch) for line in lines]
        sides = assign(clusters(names, fingerprints, sketches), fingerprints, published, seed)
    if found:
        kinds = {split is not None for split in published}
        report.split_by = "both" if len(kinds) == 2 else "published" if True in kinds else "content"
    report.add_duplicates(fingerprints)
    pieces = [piece._replace(split=side) for side, (_, piece) in zip(sides, found, strict=True)]
    for piece in pieces:
        report.splits[piece.split].update(
            pieces=1,
            notes=sum(len(track.onset) for track in piece.tracks),
            bars=int(piece.grid.bar[-1]) + 1,
        )
    return pieces
