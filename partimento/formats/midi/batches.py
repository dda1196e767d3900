"""Reading many small files at once: their bytes side by side, decoded in one go.

Most of the time of a small file goes into calling NumPy, which costs the same for ten notes as for
ten thousand. `read_many` lays files end to end, reads all their tracks as `reader` reads those of
one file, and makes a score of each. It reads sound files only: where anything is odd, `read_midi`
reads the file again and alone, and says what and where.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

from partimento.errors import MidiError, PartimentoError
from partimento.formats.midi.assembly import INDEPENDENT_TRACKS, assemble_all
from partimento.formats.midi.boundaries import BLOCK, Block, walk
from partimento.formats.midi.chunks import Chunk, Header, read_chunks, read_header
from partimento.formats.midi.events import Events, Segment, decode
from partimento.formats.midi.limits import USUAL_LIMITS, Limits
from partimento.music.score import Score

BATCH_BYTES = BLOCK
MAX_TRACKS = 4096  # of a batch
MAX_BAD_FILES = 4  # in a batch, found late; each makes us decode the rest once more


def read_many(files: Sequence[bytes], limits: Limits = USUAL_LIMITS) -> list[Score | None]:
    """Read files, each as `read_midi` would; `None` for those that it must look at itself.

    These are files it would refuse, large ones, and rare kinds. A limit counts for each file alone.
    """
    scores: list[Score | None] = [None] * len(files)
    most = min(BATCH_BYTES, limits.max_bytes)
    small = [number for number, data in enumerate(files) if len(data) <= most]
    for batch in _batches(small, files):
        found = _read_batch([files[number] for number in batch], limits)
        for number, score in zip(batch, found, strict=True):
            scores[number] = score
    return scores


def _batches(numbers: Sequence[int], files: Sequence[bytes]) -> Iterator[list[int]]:
    """Group files so that each group is small enough."""
    batch: list[int] = []
    size = 0
    for number in numbers:
        if batch and size + len(files[number]) > BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(number)
        size += len(files[number])
    if batch:
        yield batch


def _read_batch(files: Sequence[bytes], limits: Limits) -> list[Score | None]:
    """Read files that are small together."""
    nothing: list[Score | None] = [None] * len(files)
    starts = [0, *accumulate(map(len, files))]
    data = b"".join(files)
    block = Block(data, 0, len(data))
    segments: list[Segment] = []
    headers: list[Header] = []
    read: list[int] = []  # which file each header belongs to
    file_of_track: list[int] = []
    for number, file in enumerate(files):
        try:
            header = read_header(file)
            chunks, num_behind = read_chunks(file, header, limits)
        except PartimentoError:
            continue
        if header.format == INDEPENDENT_TRACKS or num_behind:
            continue
        marked = _mark(data, block, chunks, starts[number], len(file_of_track))
        if marked is None:
            block.marks[starts[number] : starts[number + 1]] = bytes(len(file))
            continue
        segments += marked
        file_of_track += [len(headers)] * len(chunks)
        headers.append(header)
        read.append(number)
    if not segments or len(file_of_track) > MAX_TRACKS:
        return nothing
    bad: set[int] = set()  # files

    def drop(error: MidiError) -> None:
        bad.add(bisect_right(starts, error.offset or 0) - 1)

    rows, fault = decode(block, segments)
    while fault:
        if len(bad) == MAX_BAD_FILES:
            return nothing
        number = bisect_right(starts, fault.event) - 1
        bad.add(number)
        block.marks[starts[number] : starts[number + 1]] = bytes(len(files[number]))
        segments = [s for s in segments if read[file_of_track[s.track]] != number]
        if not segments:
            return nothing
        rows, fault = decode(block, segments)
    events = Events(limits)
    try:
        events.add(rows)
        scores = assemble_all(data, headers, file_of_track, events, drop)
    except PartimentoError:  # a limit, of one file or of all together
        return nothing
    found = nothing
    for number, score in zip(read, scores, strict=True):
        found[number] = None if number in bad else score
    return found


def _mark(
    data: bytes, block: Block, chunks: Sequence[Chunk], start: int, first_track: int
) -> list[Segment] | None:
    """Mark the events of all tracks of a file; `None` if one is not sound."""
    segments = []
    for track, chunk in enumerate(chunks, start=first_track):
        first, end = start + chunk.start, start + chunk.end
        if first == end:
            continue
        at, _, is_end, fault = walk(data, block, first, end, 2)
        if fault or (is_end and at != end):
            return None
        segments.append(Segment(track, first))
    return segments
