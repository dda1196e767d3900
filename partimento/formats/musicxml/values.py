"""Note values: what fills a bar of one voice, as notes and rests that paper has signs for.

`fill_bar` cuts a voice at the bar's lines, finds tuplets, and writes everything else so that the
beats stay visible: a note crosses a beat only where readers expect it to (dotted notes that start
or end on a stronger beat, and syncopations around one), a rest hardly ever.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from partimento.formats.musicxml.grid import FINEST, WHOLE, Bar, cell_length
from partimento.formats.musicxml.staves import Chord
from partimento.music.score import Meter

# From the 128th to the breve.
TYPES = {
    FINEST << place: name
    for place, name in enumerate(
        ("128th", "64th", "32nd", "16th", "eighth", "quarter", "half", "whole", "breve")
    )
}
TUPLETS = ((3, 2), (6, 4), (5, 4), (12, 8))  # notes, in the time of


class Tuplet(NamedTuple):
    """So many notes in the time of `normal` ones, from `start`, `length` units in all."""

    start: int
    length: int
    actual: int
    normal: int

    @property
    def unit(self) -> int:
        """How long one of its notes sounds."""
        return self.length // self.actual

    @property
    def stop(self) -> int:
        """Where it ends."""
        return self.start + self.length


class Written(NamedTuple):
    """One sign on paper: a note, a chord or a rest, at a time in units from the bar's start."""

    start: int
    length: int
    value: str  # "" for the rest of a whole bar
    dots: int
    chord: Chord | None
    tuplet: Tuplet | None = None

    @property
    def stop(self) -> int:
        """Where it ends."""
        return self.start + self.length


class Span(NamedTuple):
    """A stretch of a bar in which a chord sounds, or nothing."""

    start: int
    stop: int
    chord: Chord | None


def fill_bar(chords: Sequence[Chord], bar: Bar) -> list[Written]:
    """Write what a voice plays in a bar; chords may reach beyond it."""
    spans = list(_spans(chords, bar))
    if len(spans) == 1 and spans[0].chord is None:
        return [Written(0, bar.length, "", 0, None)]
    edges = sorted({span.start for span in spans} | {bar.length})
    tuplets = list(_tuplets(edges, bar))
    spans = list(_cut_at(spans, sorted({e for t in tuplets for e in (t.start, t.stop)}), bar))
    steps = ladder(bar.meter)
    written: list[Written] = []
    for span in spans:
        inside = next((t for t in tuplets if t.start <= span.start < t.stop), None)
        pieces = _tuplet_pieces(span, inside) if inside else _plain_pieces(span, bar, steps)
        written += _with_ties(span, list(pieces))
    return written


def ladder(meter: Meter) -> list[int]:
    """Distances between ever weaker places of a bar: 4/4 has halves, quarters, eighths ..."""
    unit = max(FINEST, WHOLE // meter.denominator)
    steps = [unit]
    if _is_compound(meter):
        steps.insert(0, 3 * unit)
        if meter.numerator % 4 == 0:
            steps.insert(0, 6 * unit)
    elif meter.numerator % 4 == 0:
        steps.insert(0, 2 * unit)
    while steps[-1] % 2 == 0 and steps[-1] // 2 >= FINEST:
        steps.append(steps[-1] // 2)
    return steps


def _is_compound(meter: Meter) -> bool:
    return meter.numerator % 3 == 0 and meter.numerator > 3 and meter.denominator >= 4


def _spans(chords: Sequence[Chord], bar: Bar) -> Iterator[Span]:
    """Fill a bar without holes, in units from its start."""
    at = bar.start
    for chord in chords:
        start, stop = max(chord.onset, bar.start), min(chord.offset, bar.end)
        if stop <= start:
            continue
        if start > at:
            yield Span(at - bar.start, start - bar.start, None)
        yield Span(start - bar.start, stop - bar.start, chord.cut(bar.start, bar.end))
        at = stop
    if at < bar.end:
        yield Span(at - bar.start, bar.length, None)


def _cut_at(spans: Sequence[Span], places: Sequence[int], bar: Bar) -> Iterator[Span]:
    for span in spans:
        edges = [span.start, *(p for p in places if span.start < p < span.stop), span.stop]
        for start, stop in pairwise(edges):
            chord = span.chord and span.chord.cut(bar.start + start, bar.start + stop)
            yield Span(start, stop, chord)


def _tuplets(edges: Sequence[int], bar: Bar) -> Iterator[Tuplet]:
    """Find the tuplets of a bar, given where its notes start and end."""
    if all(edge % FINEST == 0 for edge in edges):
        return
    beat = cell_length(bar.meter)
    length = beat
    if not _is_compound(bar.meter):  # triplets of quarters and halves
        while length < WHOLE and bar.length % (2 * length) == 0:
            length *= 2
    across = list(_triplets_across(edges, bar, beat))
    yield from across
    rest = [edge for edge in edges if not any(t.start < edge < t.stop for t in across)]
    for start in range(0, bar.length, length):
        yield from _tuplets_within(start, length, beat, rest)


def _triplets_across(edges: Sequence[int], bar: Bar, beat: int) -> Iterator[Tuplet]:
    """Find triplets that begin in the middle of a beat, as reels and jazz have them."""
    at = set(edges)
    for middle in range(beat, bar.length, beat):
        tuplet = Tuplet(middle - beat // 2, beat, 3, 2)
        inner = {edge for edge in at if tuplet.start < edge < tuplet.stop}
        thirds = {tuplet.start + tuplet.unit, tuplet.stop - tuplet.unit}
        if {tuplet.start, tuplet.stop} <= at and inner and inner <= thirds:
            yield tuplet


def _tuplets_within(start: int, length: int, beat: int, edges: Sequence[int]) -> Iterator[Tuplet]:
    inner = [edge - start for edge in edges if start < edge < start + length]
    if all(edge % FINEST == 0 for edge in inner):
        return
    half = length // 2
    for actual, normal in TUPLETS if length <= beat else TUPLETS[:1]:
        is_even = actual % 2 == 0
        if is_even and half in inner and half > FINEST:
            break
        if all(edge * actual % length == 0 for edge in inner):
            yield Tuplet(start, length, actual, normal)
            return
    assert half >= FINEST, "on_grid leaves nothing that is no tuplet"
    yield from _tuplets_within(start, half, beat, edges)
    yield from _tuplets_within(start + half, half, beat, edges)


def _plain_pieces(span: Span, bar: Bar, steps: Sequence[int]) -> Iterator[Written]:
    """Write a span as the fewest values that show the beats."""
    start, stop = span.start, span.stop
    value = _value(stop - start)
    strongest = next(
        (depth for depth, step in enumerate(steps) if (start // step + 1) * step < stop), None
    )
    if value and (strongest is None or _may_cross(span, strongest, bar, steps)):
        yield Written(start, stop - start, *value, span.chord)
        return
    assert strongest is not None, "every length of one step has a sign"
    step = steps[strongest]
    middle = (start // step + 1) * step  # the first such place, or the last for what starts on one
    if start % step == 0:
        middle = (stop - 1) // step * step
    yield from _plain_pieces(Span(start, middle, span.chord), bar, steps)
    yield from _plain_pieces(Span(middle, stop, span.chord), bar, steps)


def _may_cross(span: Span, strongest: int, bar: Bar, steps: Sequence[int]) -> bool:
    """Whether one sign may hide the strongest place that lies within it."""
    before, after = _depth(span.start, bar, steps), _depth(span.stop, bar, steps)
    is_group = _is_compound(bar.meter) and steps[strongest] >= 3 * WHOLE // bar.meter.denominator
    if span.chord is None:
        return before < strongest and (
            after < strongest or (_is_compound(bar.meter) and not is_group)
        )
    if is_group:
        return before <= strongest and after <= strongest
    if before <= strongest or after <= strongest:
        return True
    step = steps[strongest]
    middle = (span.start // step + 1) * step
    is_centred = middle - span.start == span.stop - middle
    return is_centred and before == after == strongest + 1


def _depth(place: int, bar: Bar, steps: Sequence[int]) -> int:
    """How weak a place is: -1 for the bar's ends."""
    if place in (0, bar.length):
        return -1
    return next((depth for depth, step in enumerate(steps) if place % step == 0), len(steps))


def _value(length: int) -> tuple[str, int] | None:
    """Name and dots of a length that one sign can have."""
    if length in TYPES:
        return TYPES[length], 0
    undotted, rest = divmod(2 * length, 3)
    return (TYPES[undotted], 1) if not rest and undotted in TYPES and undotted > FINEST else None


def _tuplet_pieces(span: Span, tuplet: Tuplet) -> Iterator[Written]:
    """Write a span inside a tuplet in whole notes of it."""
    unit_value = tuplet.length // tuplet.normal  # as it looks
    at = span.start
    while at < span.stop:
        count = (span.stop - at) // tuplet.unit
        while (value := _value(count * unit_value)) is None:
            count -= 1
        yield Written(at, count * tuplet.unit, *value, span.chord, tuplet)
        at += count * tuplet.unit


def _with_ties(span: Span, pieces: list[Written]) -> Iterator[Written]:
    """Tie the pieces of one chord together."""
    for number, piece in enumerate(pieces):
        if span.chord is None:
            yield piece
            continue
        heads = tuple(
            head._replace(
                is_continued=head.is_continued or number > 0,
                goes_on=head.goes_on or number < len(pieces) - 1,
            )
            for head in span.chord.heads
        )
        yield piece._replace(chord=span.chord._replace(heads=heads))
