"""The piano roll: a score as a picture, time to the right and pitch upwards, as SVG.

`piano_roll_svg` draws it: bars with their numbers, beats, note names on a keyboard at the left, a
colour for each part or for each velocity, drums in a lane of their own. What a model added to a
primer is solid, the primer is pale. A long piece is broken into lines like a page of music.
`picture.svg_to_png` turns the SVG into a PNG.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from partimento.errors import LimitError, ParameterError
from partimento.music.provenance import read_stamps
from partimento.music.score import Score
from partimento.music.timing import BarMap
from partimento.rendering.roll_line import (
    DRUM_ROW,
    LINE_WIDTH,
    RollLine,
    line_head,
    page_width,
    pitch_range,
    spans_of,
    tick_width,
)
from partimento.rendering.svg import line, page, rect, text, text_width
from partimento.rendering.theme import MARGIN, PALETTE, Scale, Theme, theme_of

__all__ = ["LINE_WIDTH", "PALETTE", "piano_roll_svg", "primer_end_tick"]

COLOURINGS = ("part", "velocity")
HEADER, LEGEND_ROW = 66, 18
LINE_GAP = 22  # space between lines
ROLL_HEIGHT = 250  # that the rows of one line share
LOWEST_ROW, HIGHEST_ROW = 4.5, 13.0  # height of a pitch
MAX_NOTES, MAX_BARS = 100_000, 10_000
MAX_LEGEND = 8  # parts
MAX_TITLE = 80  # characters
PRIMER_OPACITY = 0.28


def piano_roll_svg(
    score: Score,
    *,
    title: str | None = None,
    first_bar: int = 1,
    primer_end: int | None = None,
    colour: str = "part",
    theme: str = "light",
) -> str:
    """Draw a score.

    Parameters
    ----------
    score
        One without notes is an empty roll that says so.
    title
        Instead of the score's own.
    first_bar
        Number written at the first bar, where the score is cut out of a longer one.
    primer_end
        Tick before which notes are a primer's, drawn pale. `None` asks `primer_end_tick`; 0 where
        there is no primer.
    colour
        ``"part"``: each part has its own, and soft notes are paler. ``"velocity"``: a scale from
        soft to loud.
    theme
        ``"light"`` or ``"dark"``.

    Returns
    -------
    str
        An SVG document. Its size is in pixels; as vectors it scales to any.

    Raises
    ------
    LimitError
        If it has more than 100,000 notes, or more than 10,000 bars.
    """
    colors = theme_of(theme)
    check_colour(colour)
    check_size(score)
    spans = spans_of(score, first_bar)
    lowest, highest = _rows(score)
    rows = max(highest - lowest + 1, 0)
    row = float(np.clip(ROLL_HEIGHT / max(rows, 1), LOWEST_ROW, HIGHEST_ROW))
    drums = sorted(
        {int(pitch) for part in score.parts if part.is_drum for pitch in part.notes.pitch}
    )
    roll_height = row * rows
    drum_gap = 8 if drums and roll_height else 0
    line_height = roll_height + drum_gap + DRUM_ROW * len(drums)
    primer_end = primer_end_tick(score) if primer_end is None else primer_end
    width = page_width(spans, score.ticks_per_quarter)
    title = short_title(score, title, most=int(width / 9) - (36 if primer_end else 0))
    below_title, shapes = _header(score, title, width, colors, colour, has_primer=primer_end > 0)
    stripes = _stripes(score)
    each = line_head(score) + line_height + LINE_GAP
    for number, span in enumerate(spans):
        roll = RollLine(
            span=span,
            top=below_title + number * each + line_head(score),
            tick_width=tick_width(spans, score.ticks_per_quarter),
            lowest=lowest,
            highest=highest,
            row=row,
            height=line_height,
            drums=tuple(drums),
            drum_top=roll_height + drum_gap,
            theme=colors,
        )
        shapes += roll.background(score)
        shapes += _notes(roll, score, primer_end, colour, stripes)
    height = below_title + len(spans) * each + MARGIN - LINE_GAP
    return page(width, height, title, shapes, paper=colors.paper)


def check_size(score: Score) -> None:
    """Refuse what no page holds."""
    bars = BarMap.of(score).count(score.end_tick)
    for count, what, limit in ((score.num_notes, "notes", MAX_NOTES), (bars, "bars", MAX_BARS)):
        if count > limit:
            raise LimitError(
                f"a piano roll of {count:,} {what} is beyond the limit of {limit:,}: draw fewer "
                "bars (--from-bar, --to-bar)",
                limit=f"MAX_{what.upper()}",
            )


def check_colour(colour: str) -> str:
    """Give back what colours mean, or say what they can."""
    if colour not in COLOURINGS:
        raise ParameterError(f"colour must be {' or '.join(COLOURINGS)}, got {str(colour)[:20]!r}")
    return colour


def _stripes(score: Score) -> dict[tuple[int, int], tuple[int, ...]]:
    """Where parts begin the same pitch together (onset, pitch): which parts, so that all show."""
    pitched = [(n, p.notes) for n, p in enumerate(score.parts) if not p.is_drum and len(p.notes)]
    if len(pitched) < 2:
        return {}
    rows = np.unique(
        np.concatenate(
            [
                np.stack([notes.onset, notes.pitch, np.full(len(notes), number)], axis=1)
                for number, notes in pitched
            ]
        ),
        axis=0,
    )
    new = np.any(np.diff(rows[:, :2], axis=0), axis=1)
    groups = np.split(rows, np.flatnonzero(new) + 1)
    return {
        (int(group[0, 0]), int(group[0, 1])): tuple(group[:, 2].tolist())
        for group in groups
        if len(group) > 1
    }


def _notes(
    roll: RollLine,
    score: Score,
    primer_end: int,
    colour: str,
    stripes: dict[tuple[int, int], tuple[int, ...]],
) -> Iterator[str]:
    """Draw what sounds in a line; a note that goes on in the next is cut at the edge."""
    if not score.num_notes:
        middle = roll.top + roll.height / 2 + 5
        yield text(
            (roll.left + roll.right) / 2, middle, "no notes", roll.theme.faint_ink, "middle", 14
        )
    if roll.span.start < primer_end < min(roll.span.end, score.end_tick):
        x = roll.x(primer_end)
        yield line(x, roll.top - 5, roll.top + roll.height, roll.theme.primer_line, 1.5, dash="4 3")
    in_order = list(enumerate(zip(score.parts, part_colors(score, roll.theme), strict=True)))
    for number, (part, color) in reversed(in_order):  # the first, often the melody, lies on top
        notes = part.notes
        is_here = (notes.onset < roll.span.end) & (notes.offset > roll.span.start)
        yield f'<g fill="{color}" stroke="{color}">'
        for onset, duration, pitch, velocity in notes.where(is_here):
            look = _look(roll.theme, velocity, onset < primer_end, colour)
            if part.is_drum:
                yield roll.stroke(onset, pitch, loud=velocity / 127, **look)
                continue
            shared = stripes.get((onset, pitch), (number,))
            yield roll.note(
                onset,
                onset + duration,
                pitch,
                **look,
                stripe=shared.index(number),
                stripes=len(shared),
            )
        yield "</g>"


def _look(theme: Theme, velocity: int, is_primer: bool, colour: str) -> dict[str, Any]:
    """Colour and opacity of a note; no colour is that of its part."""
    if colour == "velocity":
        color, solid = theme.velocity.at(velocity / 127), 1.0
    else:
        color, solid = None, 0.45 + 0.55 * velocity / 127
    return {"color": color, "opacity": PRIMER_OPACITY if is_primer else solid}


def part_colors(score: Score, theme: Theme) -> list[str]:
    """Give each part its colour; after eight they come again."""
    palette = theme.palette
    return [palette[number % len(palette)] for number in range(len(score.parts))]


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


def _rows(score: Score) -> tuple[int, int]:
    """Lowest and highest row of the pitched parts; none for drums alone."""
    pitched = [part.notes.pitch for part in score.parts if not part.is_drum]
    if score.num_notes and not any(len(pitch) for pitch in pitched):
        return 0, -1
    return pitch_range(pitched)


def short_title(score: Score, title: str | None, most: int = MAX_TITLE) -> str:
    """Title of a picture: as given, or the score's own; a long one is cut."""
    title = (title if title is not None else score.title).strip() or "piano roll"
    most = min(most, MAX_TITLE)
    return title if len(title) <= most else title[: most - 1] + "…"


def facts_of(score: Score) -> str:
    """Meter, tempo, key, bars and notes of a score in a line."""
    bars = BarMap.of(score).count(score.end_tick)
    facts = [str(score.meter), f"{score.qpm:.4g} quarters a minute"]
    facts += [str(score.keys[0])] if score.keys else []
    facts.append(f"{bars} bar{'' if bars == 1 else 's'}")
    facts.append(f"{score.num_notes:,} note{'' if score.num_notes == 1 else 's'}")
    return "  ·  ".join(facts)


def _header(
    score: Score, title: str, width: float, theme: Theme, colour: str, *, has_primer: bool
) -> tuple[float, list[str]]:
    """Title and facts on the left, what colours mean on the right; and where it ends."""
    facts = facts_of(score)
    shapes = [
        text(MARGIN, MARGIN + 8, title, theme.ink, "start", 17, weight=500),
        text(MARGIN, MARGIN + 26, facts, theme.faint_ink, "start", 11),
    ]
    if has_primer:
        shapes += _primer_legend(theme, width - MARGIN)
    if colour == "velocity":
        words, at = ("velocity 1", "127"), (width - MARGIN, MARGIN + 17)
        return HEADER, [*shapes, *scale_legend(theme, theme.velocity, words, *at)]
    entries = list(zip(part_names(score), part_colors(score, theme), strict=True))[:MAX_LEGEND]
    entries = [] if len(entries) == 1 and not score.parts[0].name.strip() else entries
    more = len(score.parts) - MAX_LEGEND
    entries += [(f"and {more} more", "none")] if more > 0 else []
    length, room = _legend_width(entries), width - 2 * MARGIN
    is_beside = length <= room - text_width(facts) - 40  # the facts; else below them
    rows = [entries] if is_beside else _legend_rows(entries, room)
    for number, row in enumerate(rows):
        x = width - MARGIN - length if is_beside else float(MARGIN)
        y = MARGIN + 26 + (0 if is_beside else (number + 1) * LEGEND_ROW)
        for name, color in row:
            shapes.append(rect(x, y - 9, 10, 10, color))
            shapes.append(text(x + 16, y, name, theme.ink, "start", 11))
            x += _legend_width([(name, color)])
    return HEADER + (0 if is_beside else len(rows) * LEGEND_ROW), shapes


def _legend_rows(entries: list[tuple[str, str]], room: float) -> list[list[tuple[str, str]]]:
    """Break a legend into rows."""
    rows: list[list[tuple[str, str]]] = [[]]
    for entry in entries:
        if rows[-1] and _legend_width([*rows[-1], entry]) > room:
            rows.append([])
        rows[-1].append(entry)
    return rows


def _legend_width(entries: list[tuple[str, str]]) -> float:
    return sum(text_width(name) + 34 for name, _ in entries)


def scale_legend(
    theme: Theme, scale: Scale, ends: tuple[str, str], right: float, y: float
) -> Iterator[str]:
    """Draw a scale of colours with words at both ends, up to `right`."""
    yield text(right, y + 9, ends[1], theme.ink, "end", 11)
    right -= text_width(ends[1]) + 6
    for step in range(24):
        yield rect(right - 120 + step * 5, y, 5.4, 10, scale.at(step / 23))
    yield text(right - 126, y + 9, ends[0], theme.ink, "end", 11)


def _primer_legend(theme: Theme, x: float) -> Iterator[str]:
    for name, opacity in (("what the model made of it", 0.9), ("primer", PRIMER_OPACITY)):
        yield text(x, MARGIN + 8, name, theme.ink, "end", 11)
        x -= text_width(name) + 6
        yield (
            f'<rect x="{x - 18:.1f}" y="{MARGIN - 1}" width="18" height="10" rx="2" '
            f'fill="{theme.palette[0]}" stroke="{theme.palette[0]}" fill-opacity="{opacity}"/>'
        )
        x -= 32
