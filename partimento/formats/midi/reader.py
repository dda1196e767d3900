"""Reading a MIDI file: from bytes to a `Score`, strictly and in one pass.

`read_midi` gives the score, `read_midi_report` also what the file says about itself. The steps are
a file each: `chunks` (where the tracks lie), `boundaries` (where events begin), `events` (what they
say), `pairing` (notes), `assembly` (the score), and `salvage` for damaged files.
"""

from dataclasses import dataclass, field

from partimento.errors import LimitError, MidiError
from partimento.formats.midi.assembly import assemble
from partimento.formats.midi.boundaries import Block, Fault, walk
from partimento.formats.midi.chunks import Chunk, read_chunks, read_header
from partimento.formats.midi.events import Events, Segment, decode
from partimento.formats.midi.limits import USUAL_LIMITS, Limits
from partimento.formats.midi.salvage import Repair, Salvage
from partimento.formats.midi.texts import printable
from partimento.music.score import Score


@dataclass(frozen=True)
class MidiReading:
    """A score, and what else a music file told.

    Attributes
    ----------
    score : Score
    format : int
        0, 1 or 2.
    num_tracks : int
        Track chunks read.
    repairs : tuple of Repair
        What `salvage` mended, in order; empty for a sound file.
    notices : dict of str to int
        How many events of which kind a score has no place for, and oddities that need no repair:
        notes that nothing ends, ends of no note, tracks without an end event.
    kind : str
        MIDI; or MusicXML or ABC, whose readers give the same: they have no tracks.
    """

    score: Score
    format: int
    num_tracks: int
    repairs: tuple[Repair, ...] = ()
    notices: dict[str, int] = field(default_factory=dict)
    kind: str = "MIDI"


def read_midi(
    data: bytes,
    *,
    limits: Limits = USUAL_LIMITS,
    salvage: bool = False,
    source: str = "MIDI data",
) -> Score:
    """Read a Standard MIDI File.

    Parameters
    ----------
    data
        The whole file.
    limits
        How large it may be.
    salvage
        Mend what players mend: cut-off tracks, wrong lengths, stray bytes. `read_midi_report`
        lists the repairs.
    source
        Name of the file, for error messages.

    Raises
    ------
    MidiError
        If the file is not what the standard says; the message and ``offset`` name the byte.
    LimitError
        If it passes a limit; the message names it.

    Notes
    -----
    - A part is what one channel of one track plays with one program; parts stand in the order of
      track, channel and program. A track that changes its program in the middle becomes several
      parts, each with the channel's controls. Channel 10 is drums. A track that plays without ever
      choosing a program takes the one that other tracks chose on its channel.
    - A track without notes is a part when it sets up one channel or has lyrics. If it sets up
      several, their controls go to the parts of other tracks that play on them.
    - Tempos, meters, keys and markers count wherever they stand; where several of one kind stand
      at one tick, the last in the file counts. In format 2, where tracks are pieces of their own,
      those of the first track that has any.
    - Of two equal pitches that overlap on a channel, the first to start is the first to end. A
      hanging note ends with its track. A note of no length lasts one tick.
    - The sustain pedal is kept as data: `Score.apply_sustain` turns it into lengths.
    - Texts are decoded as UTF-8, else as Windows-1252 with replacement, and cut at 200 characters.
    - Release velocities, key and channel pressure, system exclusive messages and rarer meta events
      have no place in a score; `read_midi_report` counts them.
    """
    return read_midi_report(data, limits=limits, salvage=salvage, source=source).score


def read_midi_report(
    data: bytes,
    *,
    limits: Limits = USUAL_LIMITS,
    salvage: bool = False,
    source: str = "MIDI data",
) -> MidiReading:
    """Read a Standard MIDI File as `read_midi` does, and say what was found on the way."""
    data = bytes(data)
    try:
        if len(data) > limits.max_bytes:
            limits.refuse("max_bytes", f"the file has {len(data):,} bytes")
        try:
            return _read(data, limits)
        except MidiError:
            if not salvage:
                raise
        return _read_damaged(data, limits)
    except MidiError as error:
        raise MidiError(f"{printable(source)}: {error}", error.offset) from None
    except LimitError as error:
        raise LimitError(f"{printable(source)}: {error}", error.limit, error.offset) from None


def _read(data: bytes, limits: Limits) -> MidiReading:
    header = read_header(data)
    chunks, num_behind = read_chunks(data, header, limits)
    events = Events(limits)
    is_closed = read_tracks(data, chunks, events)
    if num_behind:
        if not is_closed:
            at = chunks[-1].end
            raise MidiError(
                f"byte {at}: the track stops without an end event, but {num_behind} bytes follow: "
                "its length may be wrong; salvage mends that",
                at,
            )
        events.notices["bytes behind the last track"] += num_behind
    score = assemble(data, header, events)
    return MidiReading(score, header.format, len(chunks), (), dict(events.notices))


def _read_damaged(data: bytes, limits: Limits) -> MidiReading:
    salvage = Salvage.read(data, limits)
    score = assemble(salvage.data, salvage.header, salvage.events, salvage.leave_out_change)
    return MidiReading(
        score,
        salvage.header.format,
        salvage.num_tracks,
        tuple(sorted(salvage.repairs)),
        dict(salvage.events.notices),
    )


def read_tracks(data: bytes, chunks: list[Chunk], events: Events) -> bool:
    """Read the events of all tracks, a block at a time; a block may hold many tracks.

    Returns whether the last track has an end event, as it should.
    """
    block: Block | None = None
    segments: list[Segment] = []

    def flush() -> tuple[int, int]:
        """Take in what the walk has marked in this block; say where it came to."""
        if block is None or not segments:
            return 0, 0
        rows, fault = decode(block, segments)
        events.add(rows)
        if fault:
            raise MidiError(f"byte {fault.offset}: {fault.message}", fault.offset)
        return int(rows.tick[-1]), int(rows.status[-1])

    is_end = False
    for track, chunk in enumerate(chunks):
        at, running, is_end, carried = chunk.start, 2, False, (0, 0)
        while at < chunk.end and not is_end:
            if block is None or not block.low <= at < block.high:
                tick, status = flush()
                if segments and segments[-1].track == track:
                    carried = tick, status
                block, segments = Block(data, at), []
            start = at
            at, running, is_end, fault = walk(data, block, at, chunk.end, running)
            fault = fault or _after_end(at, chunk, is_end)
            if at > start:
                segments.append(Segment(track, start, *carried))
            if fault:
                flush()  # a fault before this one is told first
                raise MidiError(f"byte {fault.offset}: {fault.message}", fault.offset)
        if not is_end:
            events.notices["missing ends of track"] += 1
    flush()
    return is_end


def _after_end(at: int, chunk: Chunk, is_end: bool) -> Fault | None:
    """Find fault with a track that is longer than its events."""
    if not is_end or at == chunk.end:
        return None
    behind = chunk.end - at
    return Fault(at, f"{behind} bytes stand in the track behind its end: salvage skips them", at)
