"""Bars as notation files have them, and the score they make: MusicXML and ABC meet here.

A reader fills `PartRead`s (what each part plays, bar by bar) and one `BarRead` a bar (how long it
is, meter, key, tempo, repeats, jumps). `assemble` unfolds repeats, follows jumps, joins tied notes
and chooses ticks.
Times are exact fractions of a quarter until then.
"""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import groupby
from typing import NamedTuple

from partimento.formats.midi.limits import Limits
from partimento.music.notes import DEFAULT_VELOCITY, MAX_TICK, Notes
from partimento.music.score import (
    DEFAULT_TICKS_PER_QUARTER,
    MAX_TICKS_PER_QUARTER,
    Key,
    Meter,
    Part,
    Score,
    Tempo,
    Text,
)

SIGNS = ("dacapo", "dalsegno", "tocoda", "fine", "segno", "coda")  # of `BarRead.signs`
MAX_PASSES = 64  # of one repeat
MAX_BARS_PLAYED = 100_000
FINE_TICKS = 10_080  # divisible by 2 to 10: for lengths that no division holds exactly
ROUNDED = "times rounded to the nearest tick"
LOST_JUMPS = "jumps to a segno or coda that is not there"


class NoteRead(NamedTuple):
    """A note in a bar, in quarters from the bar's start."""

    onset: Fraction
    duration: Fraction
    pitch: int
    velocity: int = DEFAULT_VELOCITY
    is_continued: bool = False  # a tie ends here
    goes_on: bool = False  # a tie starts here
    lyric: str = ""


@dataclass
class PartRead:
    """What one part plays in each bar."""

    name: str = ""
    program: int = 0
    is_drum: bool = False
    bars: list[list[NoteRead]] = field(default_factory=list)


@dataclass
class BarRead:
    """What a bar says to all parts; `None` where nothing changes.

    Attributes
    ----------
    length : Fraction
        As long as its longest voice, in quarters.
    may_be_short : bool
        A pickup, the end of a piece, a bar that a repeat divides: short bars stay short here, and
        are filled elsewhere.
    passes : int
        How often what a repeat ends here is played; 0 where none ends.
    endings : frozenset of int
        Passes on which the bar is played; empty: on all.
    signs : dict
        Of `SIGNS`, and the name of the place that each marks or leads to, or "". A segno and a coda
        stand at the beginning of the bar, all others at its end.
    """

    length: Fraction = Fraction(0)
    meter: tuple[int, int] | None = None
    key: tuple[int, bool] | None = None
    tempos: list[tuple[Fraction, float]] = field(default_factory=list)
    markers: list[tuple[Fraction, str]] = field(default_factory=list)
    may_be_short: bool = False
    starts_repeat: bool = False
    passes: int = 0
    endings: frozenset[int] = frozenset()
    signs: dict[str, str] = field(default_factory=dict)


def assemble(
    parts: Sequence[PartRead],
    bars: Sequence[BarRead],
    limits: Limits,
    notices: Counter[str],
    *,
    title: str = "",
    remarks: Sequence[str] = (),
) -> Score:
    """Make a score of what was read."""
    order = list(unfolded(bars, limits, notices))
    _check_count(parts, order, limits)
    meters = _meters_in_force(bars)
    lengths = [_length_played(bars, at, meters[at], n, order) for n, at in enumerate(order)]
    starts = [Fraction(0)]
    for length in lengths:
        starts.append(starts[-1] + length)
    division = _division(parts, lengths, bars, notices)

    def tick(quarters: Fraction) -> int:
        at = round(quarters * division)
        if at > MAX_TICK:
            limits.refuse("max_ticks", f"the piece ends after {float(starts[-1]):,.0f} quarters")
        return at

    tempos, keys, markers = [], [], []
    for at, start in zip(order, starts, strict=False):
        bar = bars[at]
        tempos += [Tempo.from_qpm(qpm, tick(start + offset)) for offset, qpm in bar.tempos]
        markers += [Text(tick(start + offset), words) for offset, words in bar.markers]
        if bar.key:
            keys.append(Key(tick(start), *bar.key))
    return Score(
        parts=tuple(_part(part, order, starts, tick) for part in parts),
        ticks_per_quarter=division,
        tempos=tuple(tempos),
        meters=tuple(_meters(order, lengths, starts, meters, tick)),
        keys=tuple(_changes(keys)),
        markers=tuple(markers),
        end_tick=tick(starts[-1]),
        title=title,
        remarks=tuple(Text(0, words) for words in remarks),
    )


def unfolded(
    bars: Sequence[BarRead], limits: Limits, notices: Counter[str] | None = None
) -> Iterator[int]:
    """Give the numbers of the bars in the order in which they are played.

    After a jump back (D.C., D.S.) repeats are not played again and of endings the last is taken, as
    is usual; a fine ends the piece, and where it says "to coda" it goes on there.
    """
    signs, last_endings = _Signs(bars), _last_endings(bars)
    start, passed, place, count = 0, 1, 0, 0
    was_ending = has_jumped = False
    while place < len(bars):
        bar = bars[place]
        if (bar.starts_repeat and place != start) or (was_ending and not bar.endings):
            start, passed = place, 1
        was_ending = False
        due = last_endings[place] if has_jumped else passed
        if bar.endings and due not in bar.endings:
            was_ending = due > min(bar.endings)
            place += 1
            continue
        yield place
        count += 1
        if count > MAX_BARS_PLAYED:
            limits.refuse("max_notes", f"repeats make more than {MAX_BARS_PLAYED:,} bars")
        was_ending = bool(bar.endings)
        if has_jumped and "fine" in bar.signs:
            return
        if bar.passes and not has_jumped:
            last = last_endings[place] if bar.endings else bar.passes
            if passed < min(last, MAX_PASSES):
                passed += 1
                place, was_ending = start, False
                continue
            if not bar.endings:
                start, passed = place + 1, 1
        there = signs.after(place, has_jumped)
        if there is None and notices is not None:
            notices[LOST_JUMPS] += 1
        there = place + 1 if there is None else there
        has_jumped |= there <= place
        place = there


class _Signs:
    """Where the signs of bars lead."""

    def __init__(self, bars: Sequence[BarRead]) -> None:
        self.bars = bars
        self.places: dict[tuple[str, str | None], list[int]] = {}  # of a sign, or one of a name
        for number, bar in enumerate(bars):
            for sign, name in bar.signs.items():
                for key in ((sign, name), (sign, None)):
                    self.places.setdefault(key, []).append(number)

    def after(self, place: int, has_jumped: bool) -> int | None:
        """Give the bar that follows one; `None` where it leads to one that is not there."""
        signs = self.bars[place].signs
        if not has_jumped and "dacapo" in signs:
            return 0
        sign, goal = ("tocoda", "coda") if has_jumped else ("dalsegno", "segno")
        if sign not in signs:
            return place + 1
        for name in (signs[sign], None):
            places = self.places.get((goal, name), [])
            behind = bisect_right(places, place)
            if has_jumped and behind < len(places):
                return places[behind]  # the next coda
            if not has_jumped and behind:
                return places[behind - 1]  # the last segno
        return None


def _last_endings(bars: Sequence[BarRead]) -> list[int]:
    """Give for each bar the number of the last of the endings that stand together there, or 0."""
    found = [0] * len(bars)
    for has_endings, run in groupby(range(len(bars)), lambda place: bool(bars[place].endings)):
        if has_endings:
            together = list(run)
            last = max(max(bars[place].endings) for place in together)
            for place in together:
                found[place] = last
    return found


def _check_count(parts: Sequence[PartRead], order: Sequence[int], limits: Limits) -> None:
    count = sum(len(part.bars[at]) for part in parts for at in order if at < len(part.bars))
    if count > limits.max_notes:
        limits.refuse("max_notes", f"it has {count:,} notes with all repeats")


def _meters_in_force(bars: Sequence[BarRead]) -> list[tuple[int, int]]:
    held = next((bar.meter for bar in bars if bar.meter), (4, 4))
    meters = []
    for bar in bars:
        held = bar.meter or held
        meters.append(held)
    return meters


def _length_played(
    bars: Sequence[BarRead], at: int, meter: tuple[int, int], number: int, order: Sequence[int]
) -> Fraction:
    """How long a bar is: as its meter says, unless it may be short, or is too full."""
    bar, full = bars[at], Fraction(4 * meter[0], meter[1])
    is_edge = number in (0, len(order) - 1)
    is_turn = number + 1 < len(order) and order[number + 1] != at + 1
    follows_turn = number > 0 and order[number - 1] != at - 1
    may_be_short = bar.may_be_short or is_edge or is_turn or follows_turn
    if not bar.length or (bar.length < full and not may_be_short):
        return full
    steps = bar.length * 32
    return bar.length if steps.denominator == 1 else Fraction(math.ceil(steps), 32)


def _meters(
    order: Sequence[int],
    lengths: Sequence[Fraction],
    starts: Sequence[Fraction],
    meters: Sequence[tuple[int, int]],
    tick: Callable[[Fraction], int],
) -> Iterator[Meter]:
    """Meters as a score counts bars: short ones get a meter, unless two of them make one bar."""
    held: tuple[int, int] | None = None
    number = 0
    while number < len(order):
        meter = meters[order[number]]
        full = Fraction(4 * meter[0], meter[1])
        length, step = lengths[number], 1
        if length < full and 0 < number < len(order) - 1 and length + lengths[number + 1] == full:
            length, step = full, 2
        is_last = number + step >= len(order)
        shown = meter if length == full or (is_last and length < full) else _meter_of(length, meter)
        if shown != held:
            yield Meter(tick(starts[number]), *shown)
            held = shown
        number += step


def _meter_of(length: Fraction, usual: tuple[int, int]) -> tuple[int, int]:
    """Give the meter of a bar of some quarters, in the notes that the usual meter counts."""
    for denominator in (usual[1], 2, 4, 8, 16, 32, 64, 128):
        count = length * denominator / 4
        if count.denominator == 1 and count <= 255:
            return int(count), denominator
    return usual


def _division(
    parts: Sequence[PartRead],
    lengths: Sequence[Fraction],
    bars: Sequence[BarRead],
    notices: Counter[str],
) -> int:
    """Ticks a quarter in which all times are whole."""
    denominators = {length.denominator for length in lengths}
    for part in parts:
        for notes in part.bars:
            for note in notes:
                denominators.add(note.onset.denominator)
                denominators.add(note.duration.denominator)
    for bar in bars:
        denominators |= {at.denominator for at, _ in [*bar.tempos, *bar.markers]}
    needed = 1
    for denominator in denominators:
        needed = math.lcm(needed, denominator)
        if needed > MAX_TICKS_PER_QUARTER:
            notices[ROUNDED] += 1
            return FINE_TICKS
    usual = math.lcm(needed, DEFAULT_TICKS_PER_QUARTER)
    return usual if usual <= MAX_TICKS_PER_QUARTER else needed


def _part(
    part: PartRead,
    order: Sequence[int],
    starts: Sequence[Fraction],
    tick: Callable[[Fraction], int],
) -> Part:
    """Join tied notes, over bar lines too."""
    rows: list[list[int]] = []  # onset, offset, pitch, velocity
    lyrics: list[Text] = []
    open_notes: dict[int, list[list[int]]] = {}
    for at, start in zip(order, starts, strict=False):
        for note in sorted(part.bars[at] if at < len(part.bars) else (), key=lambda n: n[:3]):
            onset, offset = tick(start + note.onset), tick(start + note.onset + note.duration)
            waiting = open_notes.get(note.pitch, [])
            held = next((row for row in waiting if row[1] == onset), None)
            if note.is_continued and held is not None:
                held[1] = offset
                if not note.goes_on:
                    waiting.remove(held)
                continue
            row = [onset, max(offset, onset + 1), note.pitch, note.velocity]
            rows.append(row)
            if note.goes_on:
                # What was never ended (at a repeat, say) must not wait for ever.
                open_notes[note.pitch] = [r for r in waiting if r[1] >= onset] + [row]
            if note.lyric:
                lyrics.append(Text(onset, note.lyric))
    columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], [], []]
    durations = [stop - start for start, stop in zip(columns[0], columns[1], strict=True)]
    return Part(
        Notes(columns[0], durations, columns[2], columns[3]),
        name=part.name,
        program=part.program,
        is_drum=part.is_drum,
        lyrics=tuple(lyrics),
    )


def _changes(keys: Sequence[Key]) -> Iterator[Key]:
    """Leave out what is said again."""
    held = None
    for key in keys:
        if key[1:] != held:
            yield key
        held = key[1:]
