"""Beams: which eighths and shorter notes hang together.

Notes of one beat are joined; in simple meters, four even eighths of half a bar, and the six of a
bar of 3/4. A rest ends a beam.
"""

from collections.abc import Iterator, Sequence

from partimento.formats.musicxml.grid import QUARTER, WHOLE, Bar
from partimento.formats.musicxml.staves import beat_of
from partimento.formats.musicxml.values import Written

FLAGS = {"eighth": 1, "16th": 2, "32nd": 3, "64th": 4, "128th": 5}


def beams(written: Sequence[Written], bar: Bar) -> list[list[str]]:
    """Say of each sign what each of its beams does: ``begin``, ``continue``, ``end`` or hooks."""
    found: list[list[str]] = [[] for _ in written]
    tuplets = {sign.tuplet for sign in written if sign.tuplet}
    edges = [
        edge
        for edge in _edges(written, bar)
        if not any(tuplet.start < edge < tuplet.stop for tuplet in tuplets)
    ]
    group: list[int] = []
    number = -1
    for place, sign in enumerate(written):
        count = FLAGS.get(sign.value, 0) if sign.chord else 0
        now = sum(edge <= sign.start for edge in edges)
        if group and (not count or now != number):
            _join(group, written, found)
            group = []
        if count:
            group.append(place)
        number = now
    _join(group, written, found)
    return found


def _edges(written: Sequence[Written], bar: Bar) -> Iterator[int]:
    """Where beams end, in units from the bar's start."""
    meter = bar.meter
    beat = min(beat_of(bar), WHOLE)
    if meter.denominator == 8 and meter.numerator % 3 and meter.numerator > 4:
        # 5/8 is 3+2, 7/8 is 2+2+3: twos, and one three at the side where most expect it.
        parts = [2] * (meter.numerator // 2)
        if meter.numerator % 2:
            parts[0 if meter.numerator == 5 else -1] += 1
        at = 0
        for part in parts:
            at += part * WHOLE // 8
            yield at
        return
    if meter.denominator >= 8:
        yield from range(beat, bar.length, beat)
        return
    beat = QUARTER if beat > QUARTER else beat
    joined = 0
    if meter.numerator == 3 and meter.denominator == 4 and not bar.is_pickup:
        joined = bar.length
    elif meter.numerator % 2 == 0 or meter.denominator < 4:
        joined = 2 * QUARTER
    for edge in range(beat, bar.length, beat):
        if joined and edge % joined:
            start = edge // joined * joined
            inside = [s for s in written if s.start < start + joined and s.stop > start]
            if all(s.value == "eighth" and s.chord and not s.tuplet and not s.dots for s in inside):
                continue
        yield edge


def _join(group: Sequence[int], written: Sequence[Written], found: list[list[str]]) -> None:
    """Beam some neighbours together."""
    if len(group) < 2:
        return
    counts = [FLAGS[written[place].value] for place in group]
    for at, (place, count) in enumerate(zip(group, counts, strict=True)):
        before = counts[at - 1] if at else 0
        after = counts[at + 1] if at + 1 < len(counts) else 0
        for level in range(1, count + 1):
            if before >= level and after >= level:
                found[place].append("continue")
            elif after >= level:
                found[place].append("begin")
            elif before >= level:
                found[place].append("end")
            else:
                found[place].append("backward hook" if at else "forward hook")
