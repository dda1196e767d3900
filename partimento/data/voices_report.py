"""`VoicesReport`: how much of some music is for four voices, what is left out, and why."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from partimento.data.chorales import VoicePiece
from partimento.data.report_base import FileReport, counted
from partimento.data.sources import SPLITS

FEW_BEATS = 5_000  # of training pieces; the chorales for training have 13,807


@dataclass
class VoicesReport(FileReport):
    """Counts of some music, filled as files are read.

    Attributes
    ----------
    files_not_music : int
    splits : dict of split to counts of pieces, notes and beats
    transposed, other_beats, taken_apart : int
        Pieces moved to fit the pitches; pieces whose beat is no quarter; pieces whose voices were
        taken out of chords.
    moved_to_grid : int
        Notes off the grid, moved to it or lost.
    """

    files_not_music: int = 0
    splits: dict[str, Counter[str]] = field(default_factory=lambda: {s: Counter() for s in SPLITS})
    transposed: int = 0
    other_beats: int = 0
    taken_apart: int = 0
    moved_to_grid: int = 0
    digests: set[bytes] = field(default_factory=set)

    def add_digest(self, digest: bytes) -> None:
        """Count a file that is another, byte by byte."""
        self.same_files += digest in self.digests
        self.digests.add(digest)

    def add_kept(self, piece: VoicePiece) -> None:
        """Count a piece that is used."""
        voices = piece.voices
        self.splits[piece.split].update(
            pieces=1,
            notes=int(voices.is_struck.sum()),
            beats=len(voices) // voices.steps_per_quarter,
        )

    @property
    def pieces(self) -> int:
        """Pieces kept."""
        return sum(share["pieces"] for share in self.splits.values())

    @property
    def verdict(self) -> str:
        """Say in one honest sentence whether this is enough to learn from."""
        train, valid = self.splits["train"], self.splits["valid"]
        if not self.pieces:
            return (
                "Nothing here can teach four voices: see what was left out, and the switches that "
                "would keep it."
            )
        if not valid["pieces"]:
            return (
                f"{counted(self.pieces, 'piece')} cannot be split: nothing is held out, so nothing "
                "can say whether a model learns or copies. Five different pieces are the fewest."
            )
        size = f"{counted(train['pieces'], 'piece')}, {train['beats']:,} beats to learn from"
        if train["beats"] < FEW_BEATS:
            return (
                f"{size}: too few to learn harmony from nothing. Add jsb-chorales, or fine-tune a "
                "model that knows it."
            )
        return f"{size}: enough for a small network; Bach's 229 chorales for training are 13,807."

    def facts(self) -> dict[str, Any]:
        """Give what belongs on the card of a model: sources, counts and splits, no file names."""
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
        return {
            "sources": self.sources,
            "rules": self.rules,
            "files": {
                "read": self.files_read,
                "skipped": self.files_skipped,
                "not_music": self.files_not_music,
                "same_as_another": self.same_files,
            },
            "kept": {
                "pieces": self.pieces,
                "transposed": self.transposed,
                "with_other_beats": self.other_beats,
                "taken_out_of_chords": self.taken_apart,
                "notes_moved_to_grid": self.moved_to_grid,
            },
            "left_out": self.left_out_as_plain(),
            "skipped": self.skipped_as_plain(),
            "duplicates": {"tunes": self.duplicate_groups, "pieces": self.duplicates},
            "split_by": self.split_by,
            "splits": {
                name: {unit: share[unit] for unit in ("pieces", "notes", "beats")}
                for name, share in self.splits.items()
            },
            "verdict": self.verdict,
        }

    def in_a_line(self) -> str:
        """Say in a line what there is."""
        return "; ".join(
            f"{name}: {counted(share['pieces'], 'piece')}, {counted(share['notes'], 'note')}"
            for name, share in self.splits.items()
            if share
        )

    def text(self) -> str:
        """Say it all in words, for a terminal."""
        no_music = f"{self.files_not_music:,} no music" if self.files_not_music else ""
        lines = self.files_in_words(no_music)
        lines.append(f"kept       {counted(self.pieces, 'piece')} for four voices")
        for name, share in self.splits.items():
            lines.append(
                f"  {name:<8} {counted(share['pieces'], 'piece')}, {share['notes']:,} notes, "
                f"{share['beats']:,} beats"
            )
        lines.append(self.split_in_words("settings of one tune on one side"))
        for count, words in (
            (self.transposed, "transposed to fit"),
            (self.other_beats, "whose beat is no quarter (6/8, 3/2): heard faster or slower"),
            (self.taken_apart, "with voices taken out of chords"),
        ):
            if count:
                lines.append(f"  {counted(count, 'piece')} {words}")
        if self.moved_to_grid:
            lines.append(f"  {counted(self.moved_to_grid, 'note')} off the grid, moved or lost")
        if self.duplicates:
            lines.append(
                f"  {counted(self.duplicate_groups, 'tune')} more than once up to key "
                f"({counted(self.duplicates, 'piece')})"
            )
        return "\n".join(
            [*lines, *self.left_out_in_words(), *self.skipped_in_words(), "", self.verdict]
        )
