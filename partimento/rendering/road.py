"""A road from one piece to another as one picture: a small piano roll for every step of it.

All steps share one axis of pitch, so the road can be followed by eye; a note that stood in the step
before, at the same place with the same pitch, is dark, and a new one is in colour.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from partimento.errors import MusicError
from partimento.music.pitches import pitch_name
from partimento.music.score import Score
from partimento.music.timing import BarMap
from partimento.rendering.svg import line, page, rect, rule, text
from partimento.rendering.theme import BAR_LINE, BEAT_LINE, FAINT_INK, INK, MARGIN, PALETTE

WIDTH, ROLL, CAPTION, BETWEEN, LEFT, TOP = 260, 110, 20, 22, 34, 64
KEPT = "#4b5563"
HIGHEST_ROW = 9.0  # a note is no taller


def road_svg(
    scores: Sequence[Score], captions: Sequence[str], *, title: str = "", columns: int = 4
) -> str:
    """Draw the steps of a road, row after row.

    Parameters
    ----------
    scores
        Pieces of one length.
    captions
        What stands below each.
    columns
        Rolls in a row.

    Returns
    -------
    str
        An SVG document.
    """
    notes = [
        (place, note) for place, score in enumerate(scores) for p in score.parts for note in p.notes
    ]
    if not notes:
        raise MusicError("the road has no notes: there is nothing to see")
    low = min(note.pitch for _, note in notes) - 1
    high = max(note.pitch for _, note in notes) + 1
    rows = -(-len(scores) // columns)
    columns = min(columns, len(scores))
    width = 2 * MARGIN + columns * (LEFT + WIDTH) + (columns - 1) * BETWEEN
    height = TOP + rows * (ROLL + CAPTION + BETWEEN) + MARGIN
    shapes = [text(MARGIN, MARGIN + 8, title, INK, "start", 17, weight=500)]
    legend = "in colour: not in the step before"
    shapes.append(text(MARGIN, MARGIN + 26, legend, FAINT_INK, "start", 11))
    before: set[tuple[float, int]] = set()
    for number, (score, caption) in enumerate(zip(scores, captions, strict=True)):
        row, column = divmod(number, columns)
        x = MARGIN + LEFT + column * (WIDTH + LEFT + BETWEEN)
        y = TOP + row * (ROLL + CAPTION + BETWEEN)
        shapes += _roll(score, x, y, (low, high), before if number else None)
        shapes.append(text(x, y + ROLL + 15, f"{number + 1}. {caption}", INK, "start", 11))
        before = set(_places(score))
    return page(width, height, title, shapes)


def _places(score: Score) -> Iterator[tuple[float, int]]:
    """Onset in quarters and pitch of every note."""
    for part in score.parts:
        yield from zip(
            (part.notes.onset / score.ticks_per_quarter).tolist(),
            part.notes.pitch.tolist(),
            strict=True,
        )


def _roll(
    score: Score,
    x: float,
    y: float,
    pitches: tuple[int, int],
    before: set[tuple[float, int]] | None,
) -> Iterator[str]:
    low, high = pitches
    row = ROLL / (high - low + 1)
    end = max(1, score.end_tick)
    yield rect(x, y, WIDTH, ROLL, "#fafafa")
    bars = BarMap.of(score)
    for quarter in np.arange(0, end + 1, score.ticks_per_quarter).tolist():
        yield line(x + WIDTH * quarter / end, y, y + ROLL, BEAT_LINE, 0.5)
    for bar in range(bars.count(end) + 1):
        at = min(end, int(bars.start(bar)))
        yield line(x + WIDTH * at / end, y, y + ROLL, BAR_LINE, 1.0)
    for pitch in range(low, high + 1):
        if pitch % 12 == 0:  # every c
            level = y + (high - pitch + 0.5) * row
            yield rule(x, x + WIDTH, level, BEAT_LINE)
            yield text(x - 5, level + 4, pitch_name(pitch), FAINT_INK, "end", 10)
    tall = min(row, HIGHEST_ROW)
    for part in score.parts:
        for note in part.notes:
            place = (note.onset / score.ticks_per_quarter, note.pitch)
            color = KEPT if before is None or place in before else PALETTE[0]
            left = x + WIDTH * note.onset / end
            wide = max(1.5, WIDTH * note.duration / end - 1)
            top = y + (high - note.pitch + 0.5) * row - tall / 2
            yield rect(left, top, wide, tall, color)
