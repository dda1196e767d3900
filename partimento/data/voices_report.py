"""`VoicesReport`: how much of some music is for four voices, what is left out, and why."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from partimento.data.chorales import VoicePiece
from partimento.data.found import Skipped
from partimento.data.melodies import LeftOut
from partimento.data.report import EXAMPLES, LISTED_SKIPS, MAX_SKIPS, Reason
from partimento.data.sources import SPLITS

FEW_BEATS = 5_000  # of training pieces; the chorales for training have 13,807


@dataclass
class VoicesReport:
    """Counts of some music, filled as files are read.

    Attributes
    ----------
    sources : list of dict
        Name, and for a published set title, licence and checksum.
    rules : dict
        Fields of the `VoiceRules` that were asked for.
    files_read, files_not_music, files_skipped, same_files : int
    left_out : dict of reason to Reason
    splits : dict of split to counts of pieces, notes and beats
    transposed, other_beats, taken_apart : int
        Pieces moved to fit the pitches; pieces whose beat is no quarter; pieces whose voices were
        taken out of chords.
    moved_to_grid : int
        Notes off the grid, moved to it or lost.
    duplicate_groups, duplicates : int
        Tunes that occur more than once (up to key), and their pieces altogether.
    """

    sources: list[dict[str, str]] = field(default_factory=list)
    rules: dict[str, Any] = field(default_factory=dict)
    files_read: int = 0
    files_not_music: int = 0
    files_skipped: int = 0
    same_files: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    left_out: dict[str, Reason] = field(default_factory=dict)
    splits: dict[str, Counter[str]] = field(default_factory=lambda: {s: Counter() for s in SPLITS})
    split_by: str = "content"
    transposed: int = 0
    other_beats: int = 0
    taken_apart: int = 0
    moved_to_grid: int = 0
    duplicate_groups: int = 0
    duplicates: int = 0
    digests: set[bytes] = field(default_factory=set)

    def add_skipped(self, item: Skipped) -> None:
        """Count something that could not be used."""
        self.files_skipped += 1
        if len(self.skipped) < MAX_SKIPS:
            self.skipped.append(item)

    def add_digest(self, digest: bytes) -> None:
        """Count a file that is another, byte by byte."""
        self.same_files += digest in self.digests
        self.digests.add(digest)

    def add_left_out(self, name: str, left_out: LeftOut) -> None:
        """Count a piece that a rule is against."""
        reason = self.left_out.setdefault(left_out.reason, Reason(left_out.unit))
        reason.count += 1
        reason.notes += left_out.notes
        if left_out.keep:
            reason.switches[left_out.keep] += 1
        if len(reason.examples) < EXAMPLES:
            reason.examples.append(name)

    def add_kept(self, piece: VoicePiece) -> None:
        """Count a piece that is used."""
        voices = piece.voices
        self.splits[piece.split].update(
            pieces=1,
            notes=int(voices.is_struck.sum()),
            beats=len(voices) // voices.steps_per_quarter,
        )

    def add_duplicates(self, fingerprints: Sequence[bytes]) -> None:
        """Count the tunes that occur more than once."""
        counts = [count for count in Counter(fingerprints).values() if count > 1]
        self.duplicate_groups, self.duplicates = len(counts), sum(counts)

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
                f"{_count(self.pieces, 'piece')} cannot be split: nothing is held out, so nothing "
                "can say whether a model learns or copies. Five different pieces are the fewest."
            )
        size = f"{_count(train['pieces'], 'piece')}, {train['beats']:,} beats to learn from"
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
            "left_out": {name: reason.count for name, reason in self._reasons()},
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
            "left_out": [
                {
                    "reason": name,
                    "count": reason.count,
                    "notes": reason.notes,
                    "examples": reason.examples,
                    "switches": dict(reason.switches.most_common()),
                }
                for name, reason in self._reasons()
            ],
            "skipped": [
                {"file": item.name, "reason": item.reason, "detail": item.detail}
                for item in self.skipped
            ],
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
            f"{name}: {_count(share['pieces'], 'piece')}, {_count(share['notes'], 'note')}"
            for name, share in self.splits.items()
            if share
        )

    def text(self) -> str:
        """Say it all in words, for a terminal."""
        lines = []
        for source in self.sources:
            about = ", ".join(source[key] for key in ("title", "licence") if key in source)
            lines.append(f"{source['name']}{': ' if about else ''}{about}")
        rest = [
            f"{count:,} {words}"
            for count, words in (
                (self.files_skipped, "skipped"),
                (self.files_not_music, "no music"),
                (self.same_files, "the same as another"),
            )
            if count
        ]
        lines.append("files      " + ", ".join([f"{self.files_read:,} read", *rest]))
        lines.append(f"kept       {_count(self.pieces, 'piece')} for four voices")
        for name, share in self.splits.items():
            lines.append(
                f"  {name:<8} {_count(share['pieces'], 'piece')}, {share['notes']:,} notes, "
                f"{share['beats']:,} beats"
            )
        by = {
            "published": "as published",
            "content": "by content, settings of one tune on one side",
            "both": "as published where it is, else by content",
        }
        lines.append(f"  split {by[self.split_by]}")
        for count, words in (
            (self.transposed, "transposed to fit"),
            (self.other_beats, "whose beat is no quarter (6/8, 3/2): heard faster or slower"),
            (self.taken_apart, "with voices taken out of chords"),
        ):
            if count:
                lines.append(f"  {_count(count, 'piece')} {words}")
        if self.moved_to_grid:
            lines.append(f"  {_count(self.moved_to_grid, 'note')} off the grid, moved or lost")
        if self.duplicates:
            lines.append(
                f"  {_count(self.duplicate_groups, 'tune')} more than once up to key "
                f"({_count(self.duplicates, 'piece')})"
            )
        return "\n".join([*lines, *self._left_out(), *self._skipped(), "", self.verdict])

    def _left_out(self) -> list[str]:
        lines = ["", "left out"] if self.left_out else []
        for name, reason in self._reasons():
            lines.append(
                f"  {name}: {_count(reason.count, 'piece')}, {_count(reason.notes, 'note')}"
            )
            lines.append(f"    as {reason.examples[0]}")
            if reason.switches:
                kept_by = (f"{s} ({n:,})" for s, n in reason.switches.most_common(EXAMPLES))
                lines.append(f"    kept by {', '.join(kept_by)}")
        return lines

    def _skipped(self) -> list[str]:
        lines = ["", "skipped"] if self.files_skipped else []
        lines += [f"  {i.name}: {i.reason}: {i.detail}" for i in self.skipped[:LISTED_SKIPS]]
        if (more := self.files_skipped - LISTED_SKIPS) > 0:
            lines.append(f"  and {more:,} more: --json lists them")
        return lines

    def _reasons(self) -> list[tuple[str, Reason]]:
        return sorted(self.left_out.items(), key=lambda item: -item[1].count)


def _count(number: int, one: str) -> str:
    return f"{number:,} {one}{'' if number == 1 else 's'}"
