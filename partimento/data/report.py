"""`DataReport`: what is in some music, what of it is used, what is not, why, and is it enough.

The report adds up: every file that was met is read, skipped or no music; every melody that was
found is kept or left out under a reason. `as_dict` gives the numbers, `text` says them, `facts` is
the short form for a model card.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from partimento.data.found import Other
from partimento.data.melodies import FoundMelody
from partimento.data.reading import FileFacts
from partimento.data.report_base import FileReport, counted
from partimento.data.sources import SPLITS

MOST_KEYS = 12

FEW_NOTES, MANY_NOTES = 20_000, 200_000  # of training melodies


@dataclass
class Share:
    """What falls to one split."""

    melodies: int = 0
    notes: int = 0
    bars: int = 0
    hours: float = 0.0


@dataclass
class DataReport(FileReport):
    """Counts of some music, filled as files are read.

    Attributes
    ----------
    files_used : int
    not_music : counter of suffixes
    notes, hours, one_voice_parts, polyphonic_parts, drum_parts, meters, keys, tempos
        Of what all readable files hold.
    splits : dict of split to Share
    octave_moves : int
        Melodies moved to fit.
    upbeats : int
        Files that begin with an upbeat and did not say so: their bar lines were moved.
    merged_notes : int
        Notes that fell on the step of another.
    """

    files_used: int = 0
    not_music: Counter[str] = field(default_factory=Counter)
    notes: int = 0
    hours: float = 0.0
    one_voice_parts: int = 0
    polyphonic_parts: int = 0
    drum_parts: int = 0
    meters: Counter[str] = field(default_factory=Counter)
    keys: Counter[str] = field(default_factory=Counter)
    tempos: list[float] = field(default_factory=list)
    splits: dict[str, Share] = field(default_factory=lambda: {s: Share() for s in SPLITS})
    octave_moves: int = 0
    upbeats: int = 0
    merged_notes: int = 0

    # Filling it.

    def add_other(self, item: Other) -> None:
        """Count a file that is no music, under its suffix."""
        _, dot, suffix = item.name.rpartition("/")[2].rpartition(".")
        self.not_music[f".{suffix.lower()}" if dot else "none"] += 1

    def add_facts(self, facts: FileFacts) -> None:
        """Count a file that could be read."""
        self.files_read += 1
        self.notes += facts.notes
        self.hours += facts.seconds / 3600
        self.one_voice_parts += facts.one_voice_parts
        self.polyphonic_parts += facts.polyphonic_parts
        self.drum_parts += facts.drum_parts
        self.meters[facts.meter] += 1
        self.keys[facts.key or "none given"] += 1
        self.tempos.append(facts.qpm)

    def add_kept(self, melody: FoundMelody, split: str) -> None:
        """Count a melody that is used."""
        share = self.splits[split]
        share.melodies += 1
        share.notes += melody.columns.shape[1]
        share.bars += melody.bars
        share.hours += _hours(melody)
        self.octave_moves += melody.semitones != 0
        self.merged_notes += melody.merged

    # Reading it.

    @property
    def melodies(self) -> int:
        """Melodies kept."""
        return sum(share.melodies for share in self.splits.values())

    @property
    def kept_notes(self) -> int:
        """Notes of the melodies kept."""
        return sum(share.notes for share in self.splits.values())

    @property
    def verdict(self) -> str:
        """Say in one honest sentence whether this is enough to learn from."""
        train, valid = self.splits["train"], self.splits["valid"]
        if not self.melodies:
            return (
                "Nothing here can teach a melody model: see what was left out, and the switches "
                "that would keep it."
            )
        if not valid.melodies:
            return (
                f"{counted(self.melodies, 'melody')} cannot be split: nothing is held "
                "out, so nothing can say whether a model learns or copies. Five different tunes "
                "are the fewest; add more files."
            )
        size = f"{counted(train.melodies, 'melody')}, {train.notes:,} notes to learn from"
        if train.notes < FEW_NOTES:
            return (
                f"{size}: too few to learn a style from nothing. Expect copies of these tunes and "
                "aimless turns between them; some hundreds of tunes make the difference."
            )
        if train.notes < MANY_NOTES:
            return (
                f"{size}: enough for a small model with transposition and dropout to learn the "
                "style; a large one will copy."
            )
        return f"{size}: enough to train a model of any size here from random weights."

    def as_dict(self) -> dict[str, Any]:
        """Give all numbers as plain values for JSON."""
        return {
            "sources": self.sources,
            "files": {
                "read": self.files_read,
                "used": self.files_used,
                "skipped": self.files_skipped,
                "not_music": sum(self.not_music.values()),
                "same_as_another": self.same_files,
            },
            "not_music": dict(self.not_music.most_common()),
            "notes": self.notes,
            "hours": round(self.hours, 4),
            "parts": {
                "one_voice": self.one_voice_parts,
                "polyphonic": self.polyphonic_parts,
                "drums": self.drum_parts,
            },
            "meters": dict(self.meters.most_common()),
            "keys": dict(self.keys.most_common()),
            "qpm": self._tempo_range(),
            "kept": {
                "melodies": self.melodies,
                "notes": self.kept_notes,
                "moved_by_octaves": self.octave_moves,
                "files_with_upbeat_found": self.upbeats,
                "notes_merged": self.merged_notes,
            },
            "left_out": self.left_out_as_plain(),
            "skipped": self.skipped_as_plain(),
            "duplicates": {"tunes": self.duplicate_groups, "melodies": self.duplicates},
            "split_by": self.split_by,
            "splits": {
                split: {
                    "melodies": share.melodies,
                    "notes": share.notes,
                    "bars": share.bars,
                    "hours": round(share.hours, 4),
                }
                for split, share in self.splits.items()
            },
            "verdict": self.verdict,
        }

    def facts(self) -> dict[str, Any]:
        """Give what belongs on the card of a model: sources, counts and splits, no file names."""
        every = self.as_dict()
        kept = {name: every[name] for name in ("sources", "notes", "kept", "split_by", "splits")}
        return {
            **kept,
            "left_out": self.counts_of_left_out(),
            "files_skipped": self.files_skipped,
            "rules": self.rules,
        }

    def text(self) -> str:
        """Say it all in words, for a terminal."""
        return "\n".join(
            [
                *self.files_in_words(self._no_music_in_words()),
                *self._music_in_words(),
                *self._kept_in_words(),
                *self.left_out_in_words(),
                *self.skipped_in_words(),
                "",
                self.verdict,
            ]
        )

    def _tempo_range(self) -> dict[str, float] | None:
        if not self.tempos:
            return None
        low, middle, high = np.quantile(self.tempos, [0, 0.5, 1])
        return {
            "slowest": round(float(low), 2),
            "median": round(float(middle), 2),
            "fastest": round(float(high), 2),
        }

    def _no_music_in_words(self) -> str:
        others = sum(self.not_music.values())
        return f"{others:,} no music ({_common(self.not_music)})" if others else ""

    def _music_in_words(self) -> list[str]:
        if not self.files_read:
            return []
        parts = f"{self.one_voice_parts:,} of one voice, {self.polyphonic_parts:,} polyphonic"
        parts += f", {self.drum_parts:,} drums" if self.drum_parts else ""
        tempo = self._tempo_range()
        assert tempo is not None
        return [
            f"music      {self.notes:,} notes, {self.hours:.2f} hours",
            f"parts      {parts}",
            f"meters     {_common(self.meters)}",
            f"keys       {_common(self.keys)}",
            f"tempo      {tempo['slowest']:g} to {tempo['fastest']:g} quarters a minute, "
            f"median {tempo['median']:g}",
        ]

    def _kept_in_words(self) -> list[str]:
        melodies = counted(self.melodies, "melody")
        lines = [
            "",
            f"kept       {melodies}, {counted(self.kept_notes, 'note')}, of "
            f"{counted(self.files_used, 'file')}",
        ]
        for split, share in self.splits.items():
            lines.append(
                f"  {split:<8} {counted(share.melodies, 'melody')}, "
                f"{share.notes:,} notes, {share.bars:,} bars, {share.hours:.2f} hours"
            )
        lines.append(self.split_in_words("copies on one side"))
        if self.octave_moves:
            lines.append(f"  {counted(self.octave_moves, 'melody')} moved by octaves to fit")
        if self.upbeats:
            lines.append(
                f"  {counted(self.upbeats, 'file')} with an upbeat where a bar should begin: bar "
                "lines moved (--no-pickups leaves them)"
            )
        if self.merged_notes:
            lines.append(
                f"  {counted(self.merged_notes, 'note')} left out that fell on the step of another"
            )
        if self.duplicates:
            lines.append(
                f"  {counted(self.duplicate_groups, 'tune')} more than once up to key and tempo "
                f"({counted(self.duplicates, 'melody')})"
            )
        return lines


def _hours(melody: FoundMelody) -> float:
    """Playing time of a melody at its own tempos."""
    ticks = [tempo.tick for tempo in melody.tempos] + [melody.end_tick]
    microseconds = sum(
        (after - before) * tempo.microseconds_per_quarter
        for tempo, before, after in zip(melody.tempos, ticks[:-1], ticks[1:], strict=True)
    )
    return microseconds / melody.ticks_per_quarter / 3.6e9


def _common(counter: Counter[str]) -> str:
    """Write the most frequent entries, and how many the others are."""
    common = counter.most_common(MOST_KEYS)
    rest = sum(counter.values()) - sum(count for _, count in common)
    words = [f"{name} {count:,}" for name, count in common]
    return ", ".join([*words, f"others {rest:,}"] if rest else words)
