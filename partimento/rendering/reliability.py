"""A model's calibration as a picture: how often it was right, against how sure it was.

On the diagonal a model keeps its word. Each dot is a bin of ten predictions or more, as large as
there are many, with its 95 % interval; below it stands how many predictions fell into each bin.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from partimento.errors import MusicError
from partimento.rendering.svg import line, page, rect, rule, text
from partimento.rendering.theme import BAR_LINE, BEAT_LINE, FAINT_INK, INK, MARGIN, PALETTE

SIDE, LEFT, TOP, BARS, BETWEEN, FOOT = 420, 52, 84, 84, 44, 44
SMALLEST_DOT, LARGEST_DOT = 2.5, 9.0
FEWEST = 10  # predictions that make a dot: fewer tell nothing


class Dot(NamedTuple):
    """A bin of predictions; `partimento.evaluation.calibration.Bin` has the same columns."""

    low: float
    high: float
    predictions: int
    confidence: float
    right: float
    right_low: float
    right_high: float


def reliability_svg(title: str, bins: Sequence[tuple[Any, ...]], expected_error: float) -> str:
    """Draw a reliability table.

    Parameters
    ----------
    title
    bins
        What `Dot` has of each, in order of confidence; some of them with predictions.
    expected_error
        Said below the title.

    Returns
    -------
    str
        An SVG document.
    """
    dots = [Dot(*row) for row in bins]
    if not any(dot.predictions for dot in dots):
        raise MusicError("no predictions: there is nothing to see")
    width = 2 * MARGIN + LEFT + SIDE
    height = TOP + SIDE + BETWEEN + BARS + FOOT + MARGIN
    shapes = [*_header(title, dots, expected_error), *_diagram(dots), *_counts(dots)]
    return page(width, height, title, shapes)


def _header(title: str, bins: Sequence[Dot], expected_error: float) -> Iterator[str]:
    count = sum(row.predictions for row in bins)
    yield text(MARGIN, MARGIN + 8, title, INK, "start", 17, weight=500)
    words = f"expected calibration error {expected_error:.4f} over {count:,} predictions"
    yield text(MARGIN, MARGIN + 26, words, FAINT_INK, "start", 11)


def _x(share: float) -> float:
    return MARGIN + LEFT + share * SIDE


def _y(share: float) -> float:
    return TOP + (1 - share) * SIDE


def _diagram(bins: Sequence[Dot]) -> Iterator[str]:
    """Draw the square: the diagonal, and a dot a bin."""
    for tenth in range(0, 11, 2):
        share = tenth / 10
        yield rule(_x(0), _x(1), _y(share), BEAT_LINE if tenth else BAR_LINE)
        yield line(_x(share), _y(1), _y(0), BEAT_LINE if tenth else BAR_LINE, 1)
        yield text(_x(0) - 8, _y(share) + 4, f"{share:.0%}", FAINT_INK, "end", 11)
    yield text(_x(0), TOP - 10, "was right", INK, "start", 11, weight=500)
    yield (
        f'<path d="M{_x(0):.1f} {_y(0):.1f}L{_x(1):.1f} {_y(1):.1f}" stroke="{FAINT_INK}" '
        'stroke-width="1" stroke-dasharray="5 4"/>'
    )
    filled = [row for row in bins if row.predictions]
    filled = [row for row in filled if row.predictions >= FEWEST] or filled
    most = max(row.predictions for row in filled)
    path = "L".join(f"{_x(row.confidence):.1f} {_y(row.right):.1f}" for row in filled)
    yield (
        f'<path d="M{path}" fill="none" stroke="{PALETTE[0]}" stroke-width="2" '
        'stroke-linejoin="round"/>'
    )
    for row in filled:
        x, size = (
            _x(row.confidence),
            max(SMALLEST_DOT, LARGEST_DOT * math.sqrt(row.predictions / most)),
        )
        yield line(x, _y(row.right_high), _y(row.right_low), PALETTE[0], 1.5)
        yield f'<circle cx="{x:.1f}" cy="{_y(row.right):.1f}" r="{size:.1f}" fill="{PALETTE[0]}"/>'


def _counts(bins: Sequence[Dot]) -> Iterator[str]:
    """Draw how many predictions each bin has."""
    most, bottom = max(row.predictions for row in bins), TOP + SIDE + BETWEEN + BARS
    yield text(_x(0), TOP + SIDE + BETWEEN - 22, "predictions", INK, "start", 11, weight=500)
    for row in bins:
        tall = BARS * row.predictions / most
        width = _x(row.high) - _x(row.low) - 3
        yield rect(_x(row.low) + 1.5, bottom - tall, width, tall, PALETTE[1])
        middle = _x((row.low + row.high) / 2)
        yield text(middle, bottom - tall - 4, f"{row.predictions:,}", FAINT_INK, "middle", 9)
    yield rule(_x(0), _x(1), bottom, BAR_LINE)
    for tenth in range(0, 11, 2):
        yield text(_x(tenth / 10), bottom + 16, f"{tenth / 10:.0%}", FAINT_INK, "middle", 11)
    yield text(_x(1), bottom + 34, "what the model said", INK, "end", 11, weight=500)
