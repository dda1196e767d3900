"""Reading: many music files to melodies, on one core or on all of them.

`read_all` takes files as they come, hands them in batches to worker processes and gives back one
`FileReading` a file, in order, holding no more than a few batches at a time. No file stops it: what
cannot be read is a `Skipped` in the result.
"""

import hashlib
import multiprocessing
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice
from typing import NamedTuple

import numpy as np

from partimento.data.found import Item, Skipped, why
from partimento.data.melodies import (
    FoundMelody,
    LeftOut,
    MelodyRules,
    extract_melodies,
    is_one_voice,
)
from partimento.data.sources import SourceFile, Track
from partimento.errors import LimitError, PartimentoError
from partimento.formats.midi import Limits, read_midi
from partimento.music.notes import Notes
from partimento.music.score import Score
from partimento.music.timing import TempoMap

BATCH_FILES = 64
BATCH_BYTES = 2**20
FEW_FILES = 1000  # starting processes takes longer than reading these


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

    With more than one worker processes are spawned, which import the main module again: a script
    that asks for them must guard what it does with ``if __name__ == "__main__":``.
    """
    stream = iter(items)
    head = list(islice(stream, FEW_FILES)) if workers > 1 else []
    work = (rules, salvage, max_file_bytes)
    if workers <= 1 or len(head) < FEW_FILES:
        for item in (*head, *stream):
            yield read_one(item, *work) if isinstance(item, SourceFile) else item
        return
    waiting: deque[tuple[list[SourceFile | Item], Future[list[FileReading | Item]] | None]]
    waiting = deque()
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_ignore_interrupts)
    is_broken = False

    def finish() -> list[FileReading | Item]:
        nonlocal is_broken
        batch, future = waiting.popleft()
        try:
            if future is not None:
                return future.result()
        except BrokenProcessPool:  # a worker was killed, or could not start: go on by ourselves
            is_broken = True
        return read_batch(batch, *work)

    try:
        for batch in _batches(chain(head, stream)):
            try:
                future = None if is_broken else pool.submit(read_batch, batch, *work)
            except BrokenProcessPool:
                future, is_broken = None, True
            waiting.append((batch, future))
            if len(waiting) > 3 * workers:
                yield from finish()
        while waiting:
            yield from finish()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def read_batch(
    batch: list[SourceFile | Item], rules: MelodyRules, salvage: bool, max_file_bytes: int
) -> list[FileReading | Item]:
    """Read some files, in this process."""
    return [
        read_one(item, rules, salvage, max_file_bytes) if isinstance(item, SourceFile) else item
        for item in batch
    ]


def read_one(
    file: SourceFile, rules: MelodyRules, salvage: bool, max_file_bytes: int
) -> FileReading:
    """Read one file and find its melodies; never raises for what is in it."""
    digest = hashlib.blake2b(file.data, digest_size=16).digest()
    limits = Limits(max_bytes=max_file_bytes)
    try:
        score = read_midi(file.data, limits=limits, salvage=salvage, source=file.name)
        tracks, strange = _known_tracks(score, file.tracks)
        melodies, left_out = extract_melodies(score, rules, tracks)
        facts = _facts(score)
    except (PartimentoError, MemoryError) as error:
        problem = _problem(file, error, salvage, limits)
        return FileReading(file.name, file.split, digest, None, [], [], problem)
    return FileReading(file.name, file.split, digest, facts, melodies, left_out + strange, None)


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


def _facts(score: Score) -> FileFacts:
    parts = [part for part in score.parts if len(part.notes)]
    drums = sum(part.is_drum for part in parts)
    one_voice = sum(not part.is_drum and is_one_voice(part.notes, score) for part in parts)
    return FileFacts(
        notes=score.num_notes,
        seconds=float(TempoMap.of(score).seconds(np.array(score.end_tick))),
        one_voice_parts=one_voice,
        polyphonic_parts=len(parts) - drums - one_voice,
        drum_parts=drums,
        meter=str(score.meter),
        key=str(score.keys[0]) if score.keys else "",
        qpm=score.qpm,
    )


def _problem(file: SourceFile, error: BaseException, salvage: bool, limits: Limits) -> Skipped:
    """Say why a file was refused, and whether mending it would help."""
    if isinstance(error, LimitError):
        return Skipped(file.name, "beyond a limit", why(error))
    detail = why(error).removeprefix(f"{file.name}: ")
    if salvage or isinstance(error, MemoryError):
        return Skipped(file.name, "unreadable", detail)
    try:
        read_midi(file.data, limits=limits, salvage=True, source=file.name)
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


def _ignore_interrupts() -> None:
    """Leave Ctrl-C to the process that started us."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
