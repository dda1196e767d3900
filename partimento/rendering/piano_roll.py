"""The piano roll: a score as a picture, time to the right and pitch upwards, as SVG.

`piano_roll_svg` draws it: bars with their numbers, beats, note names on a keyboard at the left, a
colour for each part, drums in a lane of their own. What a model added to a primer is solid, the
primer is pale. A long piece is broken into lines like a page of music. `picture.svg_to_png` turns
the SVG into a PNG.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from partimento.errors import LimitError, MusicError
from partimento.music.grid import beat_length
from partimento.music.pitches import pitch_name
from partimento.music.provenance import read_stamps
from partimento.music.score import Part, Score
from partimento.music.timing import BarMap
from partimento.rendering.drums import drum_name
from partimento.rendering.svg import escape, line, rect, rule, text, text_width

# Okabe and Ito, "Color Universal Design", 2008: told apart by colour-blind eyes too. Their yellow
# is too pale on white, and their black is for words.
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a5195", "#6b6b6b")
INK, FAINT_INK, BAR_LINE, BEAT_LINE = "#222222", "#707070", "#9a9a9a", "#e4e4e4"
WHITE_ROW, BLACK_ROW, PRIMER_WASH = "#ffffff", "#f4f4f6", "#8a8a8a"
BLACK_KEYS = {1, 3, 6, 8, 10}  # pitch classes

MARGIN = 24
KEYBOARD = 62  # room for note names and keys, left of the notes
LINE_WIDTH = 1120  # of the notes
HEADER = 66
LINE_HEAD, LINE_GAP = 20, 22  # bar numbers above each line of the roll, space between lines
ROLL_HEIGHT = 250  # that the rows of one line share
LOWEST_ROW, HIGHEST_ROW = 3.0, 13.0  # height of a pitch
DRUM_ROW = 12.0
QUARTER_WIDTH = 24.0  # least, before a piece is broken into lines
MAX_LINES = 24  # then the notes move closer together
FEWEST_ROWS = 17  # an octave and a half, also for a tune of three notes
MAX_NOTES, MAX_BARS = 100_000, 10_000
MAX_LEGEND = 8  # parts
MAX_TITLE = 80  # characters


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


def piano_roll_svg(
    score: Score, *, title: str | None = None, first_bar: int = 1, primer_end: int | None = None
) -> str:
    """Draw a score.

    Parameters
    ----------
    score
    title
        Instead of the score's own.
    first_bar
        Number written at the first bar, where the score is cut out of a longer one.
    primer_end
        Tick before which notes are a primer's, drawn pale. `None` asks `primer_end_tick`; 0 where
        there is no primer.

    Returns
    -------
    str
        An SVG document. Its size is in pixels; as vectors it scales to any.

    Raises
    ------
    MusicError
        If the score has no notes.
    LimitError
        If it has more than 100,000, or more than 10,000 bars.
    """
    if not score.num_notes:
        raise MusicError("the score has no notes: there is nothing to see")
    bars = BarMap.of(score).count(score.end_tick)
    for count, what, limit in ((score.num_notes, "notes", MAX_NOTES), (bars, "bars", MAX_BARS)):
        if count > limit:
            raise LimitError(
                f"a piano roll of {count:,} {what} is beyond the limit of {limit:,}: draw fewer "
                "bars (--from-bar, --to-bar)",
                limit=f"MAX_{what.upper()}",
            )
    spans = _spans(score, first_bar)
    lowest, highest = _pitch_range(score)
    rows = max(highest - lowest + 1, 0)
    row = float(np.clip(ROLL_HEIGHT / max(rows, 1), LOWEST_ROW, HIGHEST_ROW))
    drums = sorted(
        {int(pitch) for part in score.parts if part.is_drum for pitch in part.notes.pitch}
    )
    roll_height = row * rows
    drum_gap = 8 if drums and roll_height else 0
    line_height = roll_height + drum_gap + DRUM_ROW * len(drums)
    width = 2 * MARGIN + KEYBOARD + LINE_WIDTH
    height = HEADER + len(spans) * (LINE_HEAD + line_height + LINE_GAP) + MARGIN - LINE_GAP
    primer_end = primer_end_tick(score) if primer_end is None else primer_end
    shapes = [*_header(score, title, width, has_primer=primer_end > 0)]
    longest = max(span.end - span.start for span in spans)
    for number, span in enumerate(spans):
        page = Line(
            span=span,
            top=HEADER + number * (LINE_HEAD + line_height + LINE_GAP) + LINE_HEAD,
            tick_width=LINE_WIDTH / longest,
            lowest=lowest,
            highest=highest,
            row=row,
            drums=tuple(drums),
            drum_top=roll_height + drum_gap,
            height=line_height,
        )
        shapes += page.background(score)
        shapes += page.notes(score, primer_end)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height:.0f}" '
        f'viewBox="0 0 {width} {height:.0f}" font-family="Roboto, Helvetica, Arial, sans-serif" '
        f'font-size="11" role="img">\n<title>{escape(_title(score, title))}</title>\n'
        f'<rect width="100%" height="100%" fill="#ffffff"/>\n' + "\n".join(shapes) + "\n</svg>\n"
    )


@dataclass(frozen=True)
class Line:
    """One line of the roll: where ticks and pitches lie on the page, and what is drawn there."""

    span: Span
    top: float
    tick_width: float
    lowest: int
    highest: int
    row: float
    drums: tuple[int, ...]
    drum_top: float
    height: float

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

    def background(self, score: Score) -> Iterator[str]:
        """Draw rows, keyboard, names, bars and beats."""
        left, right = self.x(self.span.start), self.x(self.span.end)
        key = score.keys[0] if score.keys else None
        for pitch in range(self.lowest, self.highest + 1):
            yield from self._row(pitch, left, right)
            if self._is_named(pitch):
                name = pitch_name(pitch, key, with_signs=True)
                yield text(
                    left - 24, self.y(pitch) + self.row / 2 + 3.5, name, FAINT_INK, "end", 10
                )
        for pitch in self.drums:
            y = self.drum_y(pitch)
            yield rect(left, y, right - left, DRUM_ROW - 1, BLACK_ROW)
            yield text(left - 9, y + DRUM_ROW / 2 + 3, drum_name(pitch), FAINT_INK, "end", 9)
        bottom = self.top + self.height
        for tick in self.span.beats:
            yield line(self.x(tick), self.top, bottom, BEAT_LINE, 1)
        for number, tick in self.span.bars:
            yield line(self.x(tick), self.top - 5, bottom, BAR_LINE, 1)
            yield text(self.x(tick) + 3, self.top - 5, str(number), FAINT_INK, "start", 10)
        yield line(right, self.top - 5, bottom, BAR_LINE, 1)
        for tick, words in score.markers:
            if self.span.start <= tick < self.span.end:
                yield text(
                    self.x(tick) + 18, self.top - 5, words[:24], INK, "start", 10, weight=500
                )

    def _row(self, pitch: int, left: float, right: float) -> Iterator[str]:
        is_black = pitch % 12 in BLACK_KEYS
        y = self.y(pitch)
        yield rect(left, y, right - left, self.row, BLACK_ROW if is_black else WHITE_ROW)
        yield rect(left - 20, y, 20, self.row, WHITE_ROW, stroke=BEAT_LINE)
        if is_black:
            yield rect(left - 20, y, 13, self.row, "#3a3a3a")
        if pitch % 12 in (0, 5) and pitch > self.lowest:  # where two white keys touch
            yield rule(left, right, y + self.row, BEAT_LINE)

    def _is_named(self, pitch: int) -> bool:
        """Every white key where there is room, else every C."""
        if self.row >= 9:
            return pitch % 12 not in BLACK_KEYS
        return pitch % 12 == 0 or (self.row >= 5 and pitch % 12 == 7)

    def notes(self, score: Score, primer_end: int) -> Iterator[str]:
        """Draw what sounds in this line; a note that goes on in the next is cut at the edge."""
        if self.span.start < primer_end < min(self.span.end, score.end_tick):
            x = self.x(primer_end)
            yield line(x, self.top - 5, self.top + self.height, PRIMER_WASH, 1.5, dash="4 3")
        in_order = list(zip(score.parts, part_colors(score), strict=True))
        for part, color in reversed(in_order):  # the first, often the melody, lies on top
            notes = part.notes
            is_here = (notes.onset < self.span.end) & (notes.offset > self.span.start)
            yield f'<g fill="{color}" stroke="{color}">'
            for onset, duration, pitch, velocity in notes.where(is_here):
                yield self._note(
                    part, onset, onset + duration, pitch, velocity, is_primer=onset < primer_end
                )
            yield "</g>"

    def _note(
        self, part: Part, onset: int, offset: int, pitch: int, velocity: int, *, is_primer: bool
    ) -> str:
        if part.is_drum:
            x, y, r = self.x(max(onset, self.span.start)), self.drum_y(pitch) + 5.5, 4
            opacity = 0.35 + 0.65 * velocity / 127
            corners = f"M{x:.1f} {y - r:.1f}l{r} {r}l-{r} {r}l-{r} -{r}z"
            return f'<path d="{corners}" fill-opacity="{opacity:.2f}" stroke="none"/>'
        left = self.x(max(onset, self.span.start))
        right = self.x(min(offset, self.span.end))
        # A hair of white between repeated notes; a very short note is still seen.
        width = max(right - left - min(1.2, 0.15 * (right - left)), 1.2)
        opacity = 0.28 if is_primer else 0.45 + 0.55 * velocity / 127
        edge = min(0.8, self.row / 8)
        return (
            f'<rect x="{left + edge / 2:.1f}" y="{self.y(pitch) + edge:.1f}" '
            f'width="{max(width - edge, 0.8):.1f}" height="{self.row - 2 * edge:.1f}" '
            f'rx="{min(2.0, self.row / 4, width / 3):.1f}" fill-opacity="{opacity:.2f}" '
            f'stroke-width="{edge:.1f}"/>'
        )


def part_colors(score: Score) -> list[str]:
    """Give each part its colour; after eight they come again."""
    return [PALETTE[number % len(PALETTE)] for number in range(len(score.parts))]


def part_names(score: Score) -> list[str]:
    """Name each part as its file does, else by its number."""
    return [
        part.name.strip()[:32] or ("drums" if part.is_drum else f"part {number}")
        for number, part in enumerate(score.parts, start=1)
    ]


def primer_end_tick(score: Score) -> int:
    """Tick at which a primer ends and a model's own music begins; 0 where no stamp says so.

    A stamp that names only the new bars counts them from the end.
    """
    for stamp in reversed(read_stamps(score)):
        settings = stamp.get("settings")
        if stamp.get("verb") != "continue" or not isinstance(settings, dict):
            continue
        facts = settings | stamp
        tick, bars = facts.get("primer_end_tick"), facts.get("bars")
        if type(tick) is int and 0 < tick < score.end_tick:
            return tick
        bar_map = BarMap.of(score)
        count = bar_map.count(score.end_tick)
        if type(bars) is int and 0 < bars < count:
            return int(bar_map.start(count - bars))
    return 0


def _spans(score: Score, first_bar: int) -> list[Span]:
    """Break a score into lines of whole bars."""
    bar_map = BarMap.of(score)
    count = bar_map.count(score.end_tick)
    starts = bar_map.start(np.arange(count + 1))
    quarters = starts[-1] / score.ticks_per_quarter
    lines = int(np.clip(np.ceil(quarters * QUARTER_WIDTH / LINE_WIDTH), 1, min(MAX_LINES, count)))
    bars_a_line = -(-count // lines)
    beats = _beats(score, starts)
    spans = []
    for first in range(0, count, bars_a_line):
        edges = starts[first : first + bars_a_line + 1]
        start, end = int(edges[0]), int(edges[-1])
        numbers = tuple(enumerate(edges[:-1].tolist(), start=first + first_bar))
        if len(numbers) > 40:  # bar lines would be all one saw
            numbers = numbers[:: -(-len(numbers) // 40)]
            here: tuple[int, ...] = ()
        else:
            here = tuple(beats[(beats > start) & (beats < end)].tolist())
        spans.append(Span(start, end, numbers, here))
    return spans


def _beats(score: Score, starts: np.ndarray) -> np.ndarray:
    """Ticks of the beats that begin no bar."""
    meters = np.array([meter.tick for meter in score.meter_map])
    lengths = np.array([beat_length(meter, score.ticks_per_quarter) for meter in score.meter_map])
    length = lengths[np.searchsorted(meters, starts[:-1], side="right") - 1]
    counts = np.maximum(-(-np.diff(starts) // length), 1)
    place = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    ticks = np.repeat(starts[:-1], counts) + place * np.repeat(length, counts)
    return np.asarray(ticks[place > 0])


def _pitch_range(score: Score) -> tuple[int, int]:
    """Lowest and highest row: all pitched notes and a little air; empty for drums alone."""
    pitches = [part.notes.pitch for part in score.parts if not part.is_drum and len(part.notes)]
    if not pitches:
        return 0, -1
    lowest = min(int(pitch.min()) for pitch in pitches) - 1
    highest = max(int(pitch.max()) for pitch in pitches) + 1
    missing = max(0, FEWEST_ROWS - (highest - lowest + 1))
    lowest, highest = lowest - missing // 2, highest + (missing + 1) // 2
    return max(lowest, 0), min(highest, 127)


def _title(score: Score, title: str | None) -> str:
    title = (title if title is not None else score.title).strip() or "piano roll"
    return title if len(title) <= MAX_TITLE else title[: MAX_TITLE - 1] + "…"


def _header(score: Score, title: str | None, width: float, *, has_primer: bool) -> Iterator[str]:
    """Title, meter and tempo on the left, the parts with their colours on the right."""
    bars = BarMap.of(score).count(score.end_tick)
    facts = [str(score.meter), f"{score.qpm:.4g} quarters a minute"]
    facts += [str(score.keys[0])] if score.keys else []
    facts += [f"{bars} bar{'' if bars == 1 else 's'}", f"{score.num_notes:,} notes"]
    yield text(MARGIN, MARGIN + 8, _title(score, title), INK, "start", 17, weight=500)
    yield text(MARGIN, MARGIN + 26, "  ·  ".join(facts), FAINT_INK, "start", 11)
    entries = list(zip(part_names(score), part_colors(score), strict=True))[:MAX_LEGEND]
    entries = [] if len(entries) == 1 and not score.parts[0].name.strip() else entries
    is_more = len(score.parts) > MAX_LEGEND
    entries += [(f"and {len(score.parts) - MAX_LEGEND} more", "none")] if is_more else []
    x = width - MARGIN
    for name, color in reversed(entries):
        yield text(x, MARGIN + 26, name, INK, "end", 11)
        x -= text_width(name) + 6
        yield rect(x - 10, MARGIN + 17, 10, 10, color)
        x -= 24
    if has_primer:
        x = width - MARGIN
        for name, opacity in (("what the model made of it", 0.9), ("primer", 0.28)):
            yield text(x, MARGIN + 8, name, INK, "end", 11)
            x -= text_width(name) + 6
            yield (
                f'<rect x="{x - 18:.1f}" y="{MARGIN - 1}" width="18" height="10" rx="2" '
                f'fill="{PALETTE[0]}" stroke="{PALETTE[0]}" fill-opacity="{opacity}"/>'
            )
            x -= 32
