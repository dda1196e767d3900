"""Pieces for four voices to learn from: sets, and anybody's folder of MIDI files.

`load_voices` is the one road from files to training pieces: it walks, reads, finds the four voices
as `partimento.music.voice_reading` does, lays them on the grid, splits, and counts everything on
the way in a `VoicesReport`. A piece is kept or left out as a whole; what is left out stands in the
report under a reason. The benchmark set ``jsb-chorales`` is read as it is.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from partimento.data.chorales import CHORALES, VoicePiece, load_chorales
from partimento.data.fingerprints import fingerprint, sketch
from partimento.data.found import Item, Skipped, WalkLimits, why
from partimento.data.melodies import LeftOut
from partimento.data.sources import Source, SourceFile, manifest_of, open_source, published_split
from partimento.data.splits import assign, clusters
from partimento.data.voices_report import VoicesReport
from partimento.errors import DataError, LimitError, ParameterError, PartimentoError
from partimento.formats import Limits, read_bytes
from partimento.music.four_voices import VOICES, FourVoices
from partimento.music.grid import check_steps_per_quarter
from partimento.music.score import Score
from partimento.music.time_transforms import with_whole_steps
from partimento.music.voice_grid import lay_voices
from partimento.music.voice_reading import AUTO, VoicesRead, parse_voices, voices_of

# General MIDI programs that are sung, or that files with voices are written for: pianos and organs.
SUNG = {*range(8), *range(16, 24), 52, 53, 54, 85, 91}


@dataclass(frozen=True)
class VoiceRules:
    """Which music counts as four voices, and how it is laid on the grid.

    Attributes
    ----------
    voices : str
        See `partimento.music.voice_reading.voices_of`.
    steps_per_quarter : int
        4 is a sixteenth grid.
    lowest, highest : int
        Pieces move by as few semitones as can be, as a whole, to fit in these pitches.
    fewest_voices : int
        Pieces with fewer are left out; voices that are not there rest.
    min_bars : int
        Shorter pieces are left out; a bar is four quarters of the grid.
    max_bars : int
        Longer pieces are left out.
    min_on_grid : float
        Share of notes that must begin on the grid; the others move to it.
    """

    voices: str = AUTO
    steps_per_quarter: int = 4
    lowest: int = 36
    highest: int = 81
    fewest_voices: int = 4
    min_bars: int = 4
    max_bars: int = 512
    min_on_grid: float = 0.9

    def __post_init__(self) -> None:
        check_steps_per_quarter(self.steps_per_quarter)
        if self.voices != AUTO:
            parse_voices(self.voices)
        if not 0 <= self.lowest <= self.highest <= 127:
            raise ParameterError(
                f"lowest and highest must be 0-127 in this order, got {self.lowest}-{self.highest}"
            )
        if not 1 <= self.fewest_voices <= len(VOICES):
            raise ParameterError(f"fewest_voices must be 1 to 4, got {self.fewest_voices}")
        if not 1 <= self.min_bars <= self.max_bars:
            raise ParameterError(
                f"min_bars must be 1 or more and not above max_bars ({self.max_bars}), got "
                f"{self.min_bars}"
            )
        if not 0 <= self.min_on_grid <= 1:
            raise ParameterError(f"min_on_grid must be in 0 to 1, got {self.min_on_grid}")


@dataclass(frozen=True)
class VoiceData:
    """Pieces for four voices, and the report of how they were found."""

    pieces: list[VoicePiece]
    report: VoicesReport

    @property
    def facts(self) -> dict[str, Any]:
        """What belongs on the card of a model."""
        return self.report.facts()

    def text(self) -> str:
        """Say in a line what there is."""
        return self.report.in_a_line()

    def split(self, name: str) -> list[VoicePiece]:
        """Pieces of one split."""
        return [piece for piece in self.pieces if piece.split == name]


class FoundVoices(NamedTuple):
    """One piece that passed: its voices, how far it moved, its beat and what was left aside."""

    voices: FourVoices
    semitones: int
    time_factor: float
    moved_to_grid: int
    taken_apart: bool


def load_voices(
    sources: Iterable[str | os.PathLike[str]],
    *,
    rules: VoiceRules | None = None,
    seed: int = 0,
    salvage: bool = False,
    limits: WalkLimits | None = None,
    root: Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> VoiceData:
    """Read the four-voice pieces of some sources.

    Parameters
    ----------
    sources
        Folders, archives, lists of paths, MIDI files, or sets of the corpora by name.
    rules
        What counts as four voices; `VoiceRules()` by default.
    seed
        Varies how pieces without a published split are split.
    salvage
        Mend damaged files where players would.
    root
        Folder of the corpora; by default where `data_root` finds it.
    progress
        Called with the number of files done so far.

    Raises
    ------
    DataError
        If a source is not there. Files that cannot be used raise nothing: the report lists them.
    """
    if isinstance(sources, str | os.PathLike):
        raise DataError(f"sources must be a list, got {str(sources)!r}: write [{str(sources)!r}]")
    rules = rules or VoiceRules()
    limits = limits or WalkLimits()
    report = VoicesReport(rules=asdict(rules))
    found: list[tuple[str | None, VoicePiece]] = []
    done = 0
    for name in sources:
        if os.fspath(name) == CHORALES:
            found += _chorales(rules, report, root)
            continue
        source = _without_tracks(open_source(name))
        report.sources.append({"name": source.name, **source.about})
        pieces: list[tuple[str | None, VoicePiece]] = []
        for item in source.items(limits):
            pieces += _take(item, source.name, rules, salvage, limits, report)
            done += 1
            if progress:
                progress(done)
        found += _with_published_split(pieces)
    return VoiceData(_split(found, seed, report), report)


def find_voices(score: Score, rules: VoiceRules) -> FoundVoices | LeftOut:
    """Take the four voices of a score, or say why it is left out."""

    def left_out(reason: str, keep: str = "") -> LeftOut:
        return LeftOut(reason, "piece", "", score.num_notes, keep)

    score = with_whole_steps(score, 4 * rules.steps_per_quarter)
    try:
        read = voices_of(score, rules.voices)
    except ParameterError as error:
        return left_out(_short(str(error)))
    count = int(read.is_there.sum())
    if rules.voices == AUTO and read.left_aside:
        return left_out("other parts beside the voices", "--voices")
    if count < rules.fewest_voices:
        return left_out("fewer voices", f"--fewest-voices {count}")
    if rules.voices == AUTO and not _is_sung(score, read):
        return left_out("instruments", "--voices soprano,alto,tenor,bass")
    per_bar = 4 * rules.steps_per_quarter
    laid = lay_voices(score, read.notes, rules.steps_per_quarter, rules.max_bars * per_bar)
    if isinstance(laid, int):
        return left_out("too long", f"--max-bars {-(-laid // per_bar)}")
    bars = len(laid.voices) // per_bar
    if bars < rules.min_bars:
        return left_out("too short", f"--min-bars {max(1, bars)}")
    if laid.off_grid > (1 - rules.min_on_grid) * laid.notes:
        return left_out(
            "off the grid", f"--min-on-grid {1 - laid.off_grid / laid.notes - 0.005:.2f}"
        )
    sounding = laid.voices.pitch[laid.voices.pitch >= 0]
    low, high = rules.lowest - int(sounding.min()), rules.highest - int(sounding.max())
    if low > high:
        return left_out("wider than the span of pitches", "--lowest and --highest")
    semitones = int(np.clip(0, low, high))
    return FoundVoices(
        laid.voices.transposed(semitones),
        semitones,
        float(laid.time_factor),
        laid.off_grid + laid.lost,
        len({part for part in read.parts if part is not None}) < count,
    )


def _short(message: str) -> str:
    """Reason that voices are unclear, without what to do about a single file."""
    if "no notes" in message:
        return "no notes"
    if "parts are lines" in message:
        return "more than four lines"
    return "voices unclear"


def _is_sung(score: Score, read: VoicesRead) -> bool:
    """Whether no voice is played by an instrument that has its own music."""
    return all(score.parts[part].program in SUNG for part in read.parts if part is not None)


def _chorales(
    rules: VoiceRules, report: VoicesReport, root: Path | None
) -> list[tuple[str | None, VoicePiece]]:
    """Read the benchmark set, as it is."""
    if rules.steps_per_quarter != 4:
        raise DataError(f"{CHORALES} stands on a grid of 4 steps a quarter: others cannot be asked")
    pieces = load_chorales(root)
    _, manifest = manifest_of(CHORALES, root)
    about = {name: str(manifest[name]) for name in ("title", "licence")}
    checksum = {"cite": manifest["origin"]["repo"], "sha256": manifest["archive_sha256"]}
    report.sources.append({"name": CHORALES, **about, **checksum})
    report.files_read += len(pieces)
    return [(piece.split, piece) for piece in pieces]


def _without_tracks(source: Source) -> Source:
    """Read all files of a set whole: its index names melodies, and four voices are more."""
    if source.tracks is None:
        return source
    return replace(source, tracks=dict.fromkeys(source.tracks, ()))


def _take(
    item: SourceFile | Item,
    source: str,
    rules: VoiceRules,
    salvage: bool,
    limits: WalkLimits,
    report: VoicesReport,
) -> list[tuple[str | None, VoicePiece]]:
    """Read a file, and count what became of it."""
    if isinstance(item, Skipped):
        report.add_skipped(item)
        return []
    if not isinstance(item, SourceFile):
        report.files_not_music += 1
        return []
    report.add_digest(hashlib.blake2b(item.data, digest_size=16).digest())
    try:
        score = read_bytes(
            item.data,
            item.name,
            limits=Limits(
                max_bytes=limits.max_file_bytes, max_text_bytes=4 * limits.max_file_bytes
            ),
            salvage=salvage,
        )
        found = find_voices(score, rules)
    except (PartimentoError, MemoryError) as error:
        reason = "beyond a limit" if isinstance(error, LimitError) else "unreadable"
        detail = why(error).removeprefix(f"{item.name}: ")
        report.add_skipped(Skipped(item.name, reason, detail))
        return []
    report.files_read += 1
    if isinstance(found, LeftOut):
        report.add_left_out(item.name, found)
        return []
    report.transposed += found.semitones != 0
    report.other_beats += found.time_factor != 1
    report.moved_to_grid += found.moved_to_grid
    report.taken_apart += found.taken_apart
    return [(item.split, VoicePiece(item.name, source, item.split or "", found.voices))]


def _with_published_split(
    pieces: list[tuple[str | None, VoicePiece]],
) -> list[tuple[str | None, VoicePiece]]:
    """Take the split from the folders of the files, where they are named so."""
    if any(split for split, _ in pieces):
        return pieces
    splits = published_split([piece.name for _, piece in pieces])
    return [(split, piece) for split, (_, piece) in zip(splits, pieces, strict=True)]


def _split(
    found: Sequence[tuple[str | None, VoicePiece]], seed: int, report: VoicesReport
) -> list[VoicePiece]:
    """Decide the side of every piece: settings of one tune, the soprano's, stay together."""
    published = [split for split, _ in found]
    tunes = [_tune(piece.voices) for _, piece in found]
    fingerprints = [fingerprint(onset, pitch) for onset, pitch in tunes]
    if all(published):
        sides = [split or "" for split in published]
    else:
        names = [(piece.source, piece.name) for _, piece in found]
        sketches = [sketch(pitch) for _, pitch in tunes]
        sides = assign(clusters(names, fingerprints, sketches), fingerprints, published, seed)
    if found:
        kinds = {split is not None for split in published}
        report.split_by = "both" if len(kinds) == 2 else "published" if True in kinds else "content"
    report.add_duplicates(fingerprints)
    pieces = [replace(piece, split=side) for side, (_, piece) in zip(sides, found, strict=True)]
    for piece in pieces:
        report.add_kept(piece)
    return pieces


def _tune(voices: FourVoices) -> tuple[np.ndarray, np.ndarray]:
    """Onset steps and pitches of the highest voice that has notes; repeated notes count once."""
    sounds = (voices.pitch >= 0).any(axis=0)
    pitch = voices.pitch[:, int(sounds.argmax())]
    onset = np.flatnonzero(np.append(True, np.diff(pitch) != 0) & (pitch >= 0))
    return onset, pitch[onset]
