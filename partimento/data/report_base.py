"""`FileReport`: what all data reports count and say: sources, files, what was left out, and why."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from partimento.data.found import Skipped
from partimento.data.melodies import LeftOut

EXAMPLES = 3
LISTED_SKIPS = 20  # in words; as_dict lists all
MAX_SKIPS = 10_000


@dataclass
class Reason:
    """Everything that was left out by one rule."""

    unit: str
    count: int = 0
    notes: int = 0
    examples: list[str] = field(default_factory=list)
    switches: Counter[str] = field(default_factory=Counter)


@dataclass
class FileReport:
    """Counts of some files, filled as they are read.

    Attributes
    ----------
    sources : list of dict
        Name, and for a published set title, licence, citation and checksum.
    rules : dict
        Rules that were asked for.
    files_read, files_skipped : int
    same_files : int
        Files equal to an earlier one, byte by byte.
    skipped : list of Skipped
        The first 10,000; `files_skipped` counts all.
    left_out : dict of reason to Reason
    split_by : str
        "published", "content" or "both".
    duplicate_groups, duplicates : int
        Tunes that occur more than once, and their pieces altogether.
    """

    sources: list[dict[str, str]] = field(default_factory=list)
    rules: dict[str, Any] = field(default_factory=dict)
    files_read: int = 0
    files_skipped: int = 0
    same_files: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    left_out: dict[str, Reason] = field(default_factory=dict)
    split_by: str = "content"
    duplicate_groups: int = 0
    duplicates: int = 0

    def add_skipped(self, item: Skipped) -> None:
        """Count something that could not be used."""
        self.files_skipped += 1
        if len(self.skipped) < MAX_SKIPS:
            self.skipped.append(item)

    def add_left_out(self, example: str, left_out: LeftOut) -> None:
        """Count a piece, or a part of one, that a rule is against."""
        reason = self.left_out.setdefault(left_out.reason, Reason(left_out.unit))
        reason.count += 1
        reason.notes += left_out.notes
        if left_out.keep:
            reason.switches[left_out.keep] += 1
        if len(reason.examples) < EXAMPLES:
            reason.examples.append(example)

    def add_duplicates(self, fingerprints: Sequence[bytes]) -> None:
        """Count the tunes that occur more than once."""
        counts = [count for count in Counter(fingerprints).values() if count > 1]
        self.duplicate_groups, self.duplicates = len(counts), sum(counts)

    def left_out_as_plain(self) -> list[dict[str, Any]]:
        """Give what was left out as plain values, by reason."""
        return [
            {
                "reason": name,
                "unit": reason.unit,
                "count": reason.count,
                "notes": reason.notes,
                "examples": reason.examples,
                "switches": dict(reason.switches.most_common()),
            }
            for name, reason in self._reasons()
        ]

    def skipped_as_plain(self) -> list[dict[str, Any]]:
        """Give what was skipped as plain values."""
        return [
            {"file": item.name, "reason": item.reason, "detail": item.detail, "switch": item.keep}
            for item in self.skipped
        ]

    def counts_of_left_out(self) -> dict[str, int]:
        """Give how much each rule left out."""
        return {name: reason.count for name, reason in self._reasons()}

    def files_in_words(self, no_music: str) -> list[str]:
        """Name sources and count files; `no_music` is said of those that are none."""
        lines = []
        for source in self.sources:
            about = ", ".join(source[key] for key in ("title", "licence") if key in source)
            lines.append(f"{source['name']}{': ' if about else ''}{about}")
        rest = [f"{self.files_skipped:,} skipped"] if self.files_skipped else []
        rest += [no_music] if no_music else []
        rest += [f"{self.same_files:,} the same as another"] if self.same_files else []
        files = ", ".join([f"{self.files_read:,} read", *rest])
        return [*lines, f"files      {files}"]

    def split_in_words(self, by_content: str) -> str:
        """Say how splits were made."""
        by = {
            "published": "as published",
            "content": f"by content, {by_content}",
            "both": "as published where it is, else by content",
        }
        return f"  split {by[self.split_by]}"

    def left_out_in_words(self) -> list[str]:
        """Say what was left out, an example of it, and what would keep it."""
        lines = ["", "left out"] if self.left_out else []
        for name, reason in self._reasons():
            lines.append(
                f"  {name}: {counted(reason.count, reason.unit)}, {counted(reason.notes, 'note')}"
            )
            lines.append(f"    as {reason.examples[0]}")
            if reason.switches:
                common = reason.switches.most_common(EXAMPLES)
                kept_by = ", ".join(f"{switch} ({count:,})" for switch, count in common)
                more = len(reason.switches) - len(common)
                lines.append(f"    kept by {kept_by}{f', and {more} more' if more else ''}")
        return lines

    def skipped_in_words(self) -> list[str]:
        """Say what was skipped, and what would keep it."""
        lines = ["", "skipped"] if self.files_skipped else []
        for item in self.skipped[:LISTED_SKIPS]:
            switch = f" ({item.keep} would keep it)" if item.keep else ""
            lines.append(f"  {item.name}: {item.reason}: {item.detail}{switch}")
        if (more := self.files_skipped - LISTED_SKIPS) > 0:
            lines.append(f"  and {more:,} more: --json lists them")
        return lines

    def _reasons(self) -> list[tuple[str, Reason]]:
        return sorted(self.left_out.items(), key=lambda item: -item[1].notes)


def counted(number: int, one: str) -> str:
    """Write a number of things: "1 melody", "2,000 melodies"."""
    if number == 1:
        return f"{number:,} {one}"
    return f"{number:,} {one[:-1]}ies" if one.endswith("y") else f"{number:,} {one}s"
