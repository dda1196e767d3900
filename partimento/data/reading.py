"""Reading: many music files to melodies, on one core or on all of them.

`read_all` takes files as they come, reads them in batches, beside other processes if there are
many, and gives back one `FileReading` a file, in order, holding no more than a few batches at a
time. No file stops it: what cannot be read is a `Skipped` in the result.
"""

import hashlib
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from partimento.data.found import Item, Skipped, why
from partimento.data.melodies import (
    FoundMelody,
    LeftOut,
    MelodyRules,
    extract_all,
)
from partimento.data.sources import SourceFile, Track
from partimento.data.workers import in_order
from partimento.errors import LimitError, PartimentoError
from partimento.formats import Limits, read_bytes
from partimento.formats.midi import read_many
from partimento.music.notes import Notes
from partimento.music.score import Score

BATCH_FILES = 64
BATCH_BYTES = 2**17  # what larger ones need does not stay in the processor's cache


class FileFacts(NamedTuple):
    """What a file holds, whether or not it is used."""

    notes: int
    seconds: float
    one_voice_parts: int
    polyphonic_parts: int
    drum_parts: int
    meter: str
    key: str
    qpm: float


class FileReading(NamedTuple):
    """One file: its facts, its melodies and what was left out; or why it was skipped."""

    name: str
    split: str | None
    digest: bytes  # of the file
    facts: FileFacts | None
    melodies: list[FoundMelody]
    left_out: list[LeftOut]
    problem: Skipped | None


def read_all(
    items: Iterable[SourceFile | Item],
    rules: MelodyRules,
    *,
    salvage: bool = False,
    workers: int = 1,
    max_file_bytes: int = 2**24,
) -> Iterator[FileReading | Item]:
    """Read files and find their melodies; what is no `SourceFile` passes through unchanged.

    With more than one worker see `workers.in_order`: a script must guard what it does.
    """
    settings = (rules, salvage, max_file_bytes)
    for readings in in_order(read_batch, _batches(items), settings, workers=workers):
        yield from readings


def read_batch(
    batch: list[SourceFile | Item], rules: MelodyRules, salvage: bool, max_file_bytes: int
) -> list[FileReading | Item]:
    """Read some files, in this process; never raises for what is in them."""
    files = [item for item in batch if isinstance(item, SourceFile)]
    readings = iter(_read_files(files, rules, salvage, _limits(max_file_bytes)))
    return [next(readings) if isinstance(item, SourceFile) else item for item in batch]


def _read_files(
    files: list[SourceFile], rules: MelodyRules, salvage: bool, limits: Limits
) -> list[FileReading]:
    """Read files together, or each by itself where that is too much for them."""
    if not files:
        return []
    try:
        scores: list[Score | Skipped] = [
            _score(file, salvage, limits) if score is None else score
            for file, score in zip(files, read_many([f.data for f in files], limits), strict=True)
        ]
        asked = [
            (None, []) if isinstance(score, Skipped) else _known_tracks(score, file.tracks)
            for file, score in zip(files, scores, strict=True)
        ]
        sound = [score for score in scores if isinstance(score, Score)]
        tracks = [
            known
            for score, (known, _) in zip(scores, asked, strict=True)
            if isinstance(score, Score)
        ]
        extracted = iter(extract_all(sound, rules, tracks))
    except (PartimentoError, MemoryError) as error:
        if len(files) > 1:
            return [reading for f in files for reading in _read_files([f], rules, salvage, limits)]
        problem = _problem(files[0], error, salvage, limits)
        return [_reading(files[0], problem)]
    readings = []
    for file, score, (_, strange) in zip(files, scores, asked, strict=True):
        if isinstance(score, Skipped):
            readings.append(_reading(file, score))
            continue
        found = next(extracted)
        left_out = found.left_out + strange
        facts = _facts(score, found.is_one_voice)
        digest = _digest(file)
        readings.append(
            FileReading(file.name, file.split, digest, facts, found.melodies, left_out, None)
        )
    return readings


def _limits(max_file_bytes: int) -> Limits:
    return Limits(max_bytes=max_file_bytes, max_text_bytes=4 * max_file_bytes)


def _score(file: SourceFile, salvage: bool, limits: Limits) -> Score | Skipped:
    """Read one file alone; say why if it cannot be."""
    try:
        return read_bytes(file.data, file.name, limits=limits, salvage=salvage)
    except (PartimentoError, MemoryError) as error:
        return _problem(file, error, salvage, limits)


def _reading(file: SourceFile, problem: Skipped) -> FileReading:
    return FileReading(file.name, file.split, _digest(file), None, [], [], problem)


def _digest(file: SourceFile) -> bytes:
    return hashlib.blake2b(file.data, digest_size=16).digest()


def _known_tracks(
    score: Score, tracks: tuple[Track, ...] | None
) -> tuple[list[int] | None, list[LeftOut]]:
    """Check the tracks an index names against the file; those that differ are left out."""
    if tracks is None:
        return None, []
    parts = [part.notes for part in score.parts if len(part.notes)]
    known, strange = [], []
    for number, *held in tracks:
        notes = parts[number] if number < len(parts) else Notes()
        if held == [len(notes), notes.pitch.min(initial=128), notes.pitch.max(initial=-1)]:
            known.append(number)
        else:
            where = f"part {number + 1}"
            strange.append(LeftOut("not as the index says", "part", where, held[0], ""))
    return known, strange


def _facts(score: Score, one_voice: list[bool]) -> FileFacts:
    parts = [part for part in score.parts if len(part.notes)]
    drums = sum(part.is_drum for part in parts)
    pairs = zip(parts, one_voice, strict=True)
    lines = sum(is_line and not part.is_drum for part, is_line in pairs)
    return FileFacts(
        notes=score.num_notes,
        seconds=_seconds(score),
        one_voice_parts=lines,
        polyphonic_parts=len(parts) - drums - lines,
        drum_parts=drums,
        meter=str(score.meter),
        key=str(score.keys[0]) if score.keys else "",
        qpm=score.qpm,
    )


def _seconds(score: Score) -> float:
    """Length of a piece. `TempoMap` does the same for arrays of ticks, and takes longer."""
    tempos = [tempo for tempo in score.tempo_map if tempo.tick < score.end_tick]
    ticks = [*(tempo.tick for tempo in tempos), score.end_tick]
    seconds = 0.0
    for tempo, (start, stop) in zip(tempos, pairwise(ticks), strict=True):
        seconds += (stop - start) * (tempo.microseconds_per_quarter / 1e6 / score.ticks_per_quarter)
    return seconds


def _problem(file: SourceFile, error: BaseException, salvage: bool, limits: Limits) -> Skipped:
    """Say why a file was refused, and whether mending it would help."""
    if isinstance(error, LimitError):
        return Skipped(file.name, "beyond a limit", why(error))
    detail = why(error).removeprefix(f"{file.name}: ")
    if salvage or isinstance(error, MemoryError):
        return Skipped(file.name, "unreadable", detail)
    try:
        read_bytes(file.data, file.name, limits=limits, salvage=True)
    except (PartimentoError, MemoryError):
        return Skipped(file.name, "unreadable", detail)
    return Skipped(file.name, "unreadable", detail, "--salvage")


def _batches(items: Iterable[SourceFile | Item]) -> Iterator[list[SourceFile | Item]]:
    batch: list[SourceFile | Item] = []
    size = 0
    for item in items:
        batch.append(item)
        size += len(item.data) if isinstance(item, SourceFile) else 0
        if len(batch) >= BATCH_FILES or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
