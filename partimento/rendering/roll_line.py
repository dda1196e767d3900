"""One line of a piano roll: bars, beats, a keyboard at the side, and where ticks and pitches lie.

A long piece is broken into lines of whole bars, like a page of music: `spans_of` says where.
`RollLine` draws what stands behind the notes; `piano_roll`, `certainty` and `side_by_side` draw the
notes.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from partimento.music.grid import beat_length
from partimento.music.pitches import pitch_name
from partimento.music.score import Score
from partimento.music.timing import BarMap
from partimento.rendering.drums import drum_name
from partimento.rendering.svg import line, rect, rule, text, text_width
from partimento.rendering.theme import BLACK_KEYS, LIGHT, MARGIN, Theme

KEYBOARD = 78  # room for note names and keys, left of the notes
LINE_WIDTH = 1104  # of the notes
PAGE_WIDTH = 2 * MARGIN + KEYBOARD + LINE_WIDTH
LINE_HEAD, MARKER_HEAD = 20, 15  # above each line: for bar numbers, and for markers if there are
QUARTER_WIDTH, WIDEST_QUARTER = 24.0, 110.0  # least, before a piece is broken into lines; and most
MAX_LINES = 24  # then the notes move closer together
MOST_NUMBERED = 40  # bars of a line
DRUM_ROW = 12.0
SOFTEST, LOUDEST = 2.0, 5.5  # half the height of a stroke
FEWEST_ROWS = 17  # an octave and a half, also for a tune of three notes
EMPTY_RANGE = 55, 71  # where there are no notes


@dataclass(frozen=True)
class Span:
    """Ticks of one line of the roll, and where its bars and beats fall.

    Attributes
    ----------
    start, end : int
        Ticks.
    bars : tuple of (int, int)
        Number (from 1) and tick of each bar that begins here.
    beats : tuple of int
        Ticks of the other beats.
    """

    start: int
    end: int
    bars: tuple[tuple[int, int], ...]
    beats: tuple[int, ...]


@dataclass(frozen=True)
class RollLine:
    """Where ticks and pitches lie on the page, and what is drawn behind the notes.

    Attributes
    ----------
    span : Span
    top : float
        Upper edge of the rows.
    tick_width : float
        Pixels.
    lowest, highest : int
        Pitches of the rows; none where `highest` is below `lowest`.
    row : float
        Height of a pitch.
    drums : tuple of int
        Drums with a row of their own, below the others, from low to high numbers.
    drum_top, height : float
        Where drums begin, and all of it, counted from `top`.
    theme : Theme
    """

    span: Span
    top: float
    tick_width: float
    lowest: int
    highest: int
    row: float
    height: float
    drums: tuple[int, ...] = ()
    drum_top: float = 0.0
    theme: Theme = LIGHT

    @property
    def left(self) -> float:
        """Left edge of the notes."""
        return self.x(self.span.start)

    @property
    def right(self) -> float:
        """Right edge of the notes."""
        return self.x(self.span.end)

    def x(self, tick: int) -> float:
        """Place of a tick from the left."""
        return MARGIN + KEYBOARD + (tick - self.span.start) * self.tick_width

    def y(self, pitch: int) -> float:
        """Upper edge of a pitch's row."""
        return self.top + (self.highest - pitch) * self.row

    def drum_y(self, pitch: int) -> float:
        """Upper edge of a drum's row; the highest number stands on top."""
        place = len(self.drums) - 1 - self.drums.index(pitch)
        return self.top + self.drum_top + place * DRUM_ROW

    def background(self, score: Score, *, with_head: bool = True) -> Iterator[str]:
        """Draw rows, keyboard, names, bars and beats; with the head also bar numbers and markers.

        Markers stand above the bar numbers; one that would lie on the one before is left out.
        """
        theme = self.theme
        yield from self._rows()
        bottom, top = self.top + self.height, self.top - (5 if with_head else 0)
        for tick in self.span.beats:
            yield line(self.x(tick), self.top, bottom, theme.beat_line, 1)
        for number, tick in self.span.bars:
            yield line(self.x(tick), top, bottom, theme.bar_line, 1)
            if with_head:
                yield text(
                    self.x(tick) + 3, self.top - 5, str(number), theme.faint_ink, "start", 10
                )
        yield line(self.right, top, bottom, theme.bar_line, 1)
        free = 0.0
        for tick, words in score.markers if with_head else ():
            x = self.x(tick)
            if self.span.start <= tick < self.span.end and x >= free and words.strip():
                shown = words.strip()[:24]
                x = min(x, MARGIN + KEYBOARD + LINE_WIDTH - text_width(shown))
                free = x + text_width(shown) + 10
                yield text(x, self.top - LINE_HEAD, shown, theme.ink, "start", 10, weight=500)

    def note(
        self,
        onset: int,
        offset: int,
        pitch: int,
        *,
        opacity: float,
        color: str | None = None,
        stripe: int = 0,
        stripes: int = 1,
    ) -> str:
        """Draw a note, cut at the edges of the line.

        A hair of background is left between repeated notes, and a very short note is still seen.

        Parameters
        ----------
        color
            By default that of the group around it.
        stripe, stripes
            Where several notes share a place, each is a stripe of the row, counted from the top.
        """
        left = self.x(max(onset, self.span.start))
        right = self.x(min(offset, self.span.end))
        width = max(right - left - min(1.2, 0.15 * (right - left)), 1.2)
        edge = min(0.8, self.row / 8)
        height = (self.row - 2 * edge) / stripes
        top = self.y(pitch) + edge + stripe * height
        colors = "" if color is None else f'fill="{color}" stroke="{color}" '
        return (
            f'<rect x="{left + edge / 2:.1f}" y="{top:.1f}" '
            f'width="{max(width - edge, 0.8):.1f}" height="{height:.1f}" '
            f'rx="{min(2.0, height / 4, width / 3):.1f}" {colors}fill-opacity="{opacity:.2f}" '
            f'stroke-width="{edge:.1f}"/>'
        )

    def stroke(
        self, onset: int, pitch: int, *, loud: float, opacity: float, color: str | None = None
    ) -> str:
        """Draw a stroke of a drum: a diamond, the larger the louder it is (0 to 1)."""
        x, y = self.x(max(onset, self.span.start)), self.drum_y(pitch) + 5.5
        r = f"{SOFTEST + (LOUDEST - SOFTEST) * loud:.1f}"
        corners = f"M{x:.1f} {y - float(r):.1f}l{r} {r}l-{r} {r}l-{r} -{r}z"
        fill = "" if color is None else f'fill="{color}" '
        return f'<path d="{corners}" {fill}fill-opacity="{opacity:.2f}" stroke="none"/>'

    def _rows(self) -> Iterator[str]:
        left, right, theme = self.left, self.right, self.theme
        for pitch in range(self.lowest, self.highest + 1):
            is_black = pitch % 12 in BLACK_KEYS
            y = self.y(pitch)
            row_color = theme.black_row if is_black else theme.white_row
            yield rect(left, y, right - left, self.row, row_color)
            yield rect(left - 20, y, 20, self.row, theme.white_key, stroke=theme.beat_line)
            if is_black:
                yield rect(left - 20, y, 13, self.row, theme.black_key)
            if pitch % 12 in (0, 5) and pitch > self.lowest:  # where two white keys touch
                yield rule(left, right, y + self.row, theme.beat_line)
            if self._is_named(pitch):
                name = pitch_name(pitch, with_signs=True)
                yield text(left - 24, y + self.row / 2 + 3.5, name, theme.faint_ink, "end", 10)
        for pitch in self.drums:
            y = self.drum_y(pitch)
            yield rect(left, y, right - left, DRUM_ROW - 1, theme.black_row)
            yield text(left - 7, y + DRUM_ROW / 2 + 3, drum_name(pitch), theme.faint_ink, "end", 9)

    def _is_named(self, pitch: int) -> bool:
        """Every white key where there is room, else every C."""
        if self.row >= 9:
            return pitch % 12 not in BLACK_KEYS
        return pitch % 12 == 0 or (self.row >= 5 and pitch % 12 == 7)


def tick_width(spans: list[Span], ticks_per_quarter: int) -> float:
    """Pixels of a tick, alike in all lines: the longest line is full, but no quarter huge."""
    longest = max(span.end - span.start for span in spans)
    return min(LINE_WIDTH / longest, WIDEST_QUARTER / ticks_per_quarter)


def spans_of(score: Score, first_bar: int = 1, max_lines: int = MAX_LINES) -> list[Span]:
    """Break a score into lines of whole bars; one without any has one bar."""
    bar_map = BarMap.of(score)
    count = max(1, bar_map.count(score.end_tick))
    starts = bar_map.start(np.arange(count + 1))
    quarters = starts[-1] / score.ticks_per_quarter
    lines = int(np.clip(np.ceil(quarters * QUARTER_WIDTH / LINE_WIDTH), 1, min(max_lines, count)))
    bars_a_line = -(-count // lines)
    beats = _beats(score, starts)
    spans = []
    for first in range(0, count, bars_a_line):
        edges = starts[first : first + bars_a_line + 1]
        start, end = int(edges[0]), int(edges[-1])
        numbers = tuple(enumerate(edges[:-1].tolist(), start=first + first_bar))
        if len(numbers) > MOST_NUMBERED:  # bar lines would be all one saw
            numbers = numbers[:: -(-len(numbers) // MOST_NUMBERED)]
            here: tuple[int, ...] = ()
        else:
            here = tuple(beats[(beats > start) & (beats < end)].tolist())
        spans.append(Span(start, end, numbers, here))
    return spans


def page_width(spans: list[Span], ticks_per_quarter: int, least: float = 680.0) -> float:
    """Width of a page that holds the longest line, and words above it."""
    longest = max(span.end - span.start for span in spans)
    notes = longest * tick_width(spans, ticks_per_quarter)
    return max(2 * MARGIN + KEYBOARD + notes, least)


def line_head(score: Score) -> int:
    """Room above each line: for bar numbers, and for markers where the score has some."""
    return LINE_HEAD + (MARKER_HEAD if score.markers else 0)


def pitch_range(pitches: list[np.ndarray], fewest: int = FEWEST_ROWS) -> tuple[int, int]:
    """Lowest and highest row: all pitches and a little air."""
    some = [pitch for pitch in pitches if len(pitch)]
    if not some:
        return EMPTY_RANGE
    lowest = min(int(pitch.min()) for pitch in some) - 1
    highest = max(int(pitch.max()) for pitch in some) + 1
    missing = max(0, fewest - (highest - lowest + 1))
    lowest, highest = lowest - missing // 2, highest + (missing + 1) // 2
    return max(lowest, 0), min(highest, 127)


def _beats(score: Score, starts: np.ndarray) -> np.ndarray:
    """Ticks of the beats that begin no bar."""
    meters = np.array([meter.tick for meter in score.meter_map])
    lengths = np.array([beat_length(meter, score.ticks_per_quarter) for meter in score.meter_map])
    length = lengths[np.searchsorted(meters, starts[:-1], side="right") - 1]
    counts = np.maximum(-(-np.diff(starts) // length), 1)
    place = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    ticks = np.repeat(starts[:-1], counts) + place * np.repeat(length, counts)
    return np.asarray(ticks[place > 0])
