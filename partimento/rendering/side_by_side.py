"""Two pieces side by side as a picture: line by line A above B, and in colour what differs."""

from collections.abc import Iterator, Sequence

import numpy as np

from partimento.music.score import Score
from partimento.rendering.piano_roll import check_size, facts_of, short_title
from partimento.rendering.roll_line import (
    DRUM_ROW,
    RollLine,
    line_head,
    page_width,
    pitch_range,
    spans_of,
    tick_width,
)
from partimento.rendering.svg import page, rect, text, text_width
from partimento.rendering.theme import MARGIN, Theme, theme_of

HEADER, LINE_GAP, LANE_GAP = 84, 26, 20
LANES_HEIGHT, LOWEST_ROW, HIGHEST_ROW = 420, 3.5, 10.0


def side_by_side_svg(
    a: Score,
    b: Score,
    in_both: tuple[Sequence[np.ndarray], Sequence[np.ndarray]],
    *,
    names: tuple[str, str],
    theme: str = "light",
) -> str:
    """Draw two pieces that have ticks of one length.

    Parameters
    ----------
    in_both
        For each part of A and of B, which of its notes the other has too: see
        `partimento.evaluation.side_by_side.notes_in_both`.
    names
        Of A and B.
    theme
        ``"light"`` or ``"dark"``.
    """
    colors = theme_of(theme)
    scores = (a, b)
    for score in scores:
        check_size(score)
    longer = max(scores, key=lambda score: score.end_tick)
    spans = spans_of(longer, max_lines=12)
    pitches = [p.notes.pitch for score in scores for p in score.parts if not p.is_drum]
    lowest, highest = pitch_range(pitches) if any(map(len, pitches)) else (0, -1)
    drums = tuple(
        sorted(
            {int(x) for score in scores for p in score.parts if p.is_drum for x in p.notes.pitch}
        )
    )
    rows = max(highest - lowest + 1, 0)
    row = float(np.clip(LANES_HEIGHT / 2 / max(rows, 1), LOWEST_ROW, HIGHEST_ROW))
    drum_top = row * rows + (8 if drums and rows else 0)
    tall = drum_top + DRUM_ROW * len(drums)
    head = line_head(longer)
    each = head + 2 * tall + LANE_GAP + LINE_GAP
    width = page_width(spans, longer.ticks_per_quarter, 820)
    shapes = list(_header(scores, names, width, colors))
    for number, span in enumerate(spans):
        for place, score in enumerate(scores):
            line = RollLine(
                span,
                HEADER + number * each + head + place * (tall + LANE_GAP),
                tick_width(spans, longer.ticks_per_quarter),
                lowest,
                highest,
                row,
                tall,
                drums,
                drum_top,
                colors,
            )
            shapes += line.background(longer, with_head=place == 0)
            shapes.append(
                text(MARGIN, line.top + 9, "AB"[place], colors.ink, "start", 12, weight=500)
            )
            only = (colors.only_a, colors.only_b)[place]
            shapes += _notes(line, score, in_both[place], only)
    below = HEADER + len(spans) * each - LINE_GAP + MARGIN
    return page(width, below, f"{names[0]} and {names[1]}", shapes, paper=colors.paper)


def _notes(line: RollLine, score: Score, in_both: Sequence[np.ndarray], only: str) -> Iterator[str]:
    span = line.span
    for part, is_shared in zip(score.parts, in_both, strict=True):
        notes = part.notes
        is_here = (notes.onset < span.end) & (notes.offset > span.start)
        here = zip(notes.where(is_here), is_shared[is_here].tolist(), strict=True)
        for (onset, duration, pitch, velocity), shared in here:
            color = line.theme.same if shared else only
            if part.is_drum:
                yield line.stroke(onset, pitch, loud=velocity / 127, opacity=1.0, color=color)
            else:
                yield line.note(onset, onset + duration, pitch, opacity=0.9, color=color)


def _header(
    scores: tuple[Score, Score], names: tuple[str, str], width: float, theme: Theme
) -> Iterator[str]:
    most = int(width / 2 / 9)
    titles = [short_title(score, name, most) for score, name in zip(scores, names, strict=True)]
    yield text(MARGIN, MARGIN + 8, " and ".join(titles), theme.ink, "start", 17, weight=500)
    for place, score in enumerate(scores):
        words = f"{'AB'[place]}: {facts_of(score)}"
        yield text(MARGIN, MARGIN + 27 + 17 * place, words, theme.faint_ink, "start", 11)
    x = width - MARGIN
    for name, color in (
        ("in B alone", theme.only_b),
        ("in A alone", theme.only_a),
        ("in both", theme.same),
    ):
        x -= text_width(name)
        yield text(x, MARGIN + 44, name, theme.ink, "start", 11)
        yield rect(x - 15, MARGIN + 35, 10, 10, color)
        x -= 34
