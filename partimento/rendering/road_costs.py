"""What the steps of roads cost under a 5-gram, as a picture: of models, and of mixed notes."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from partimento.errors import MusicError
from partimento.rendering.svg import line, page, rule, text
from partimento.rendering.theme import BAR_LINE, BEAT_LINE, FAINT_INK, INK, MARGIN, PALETTE

WIDTH, LEFT, RIGHT, TOP, HEIGHT, FOOT = 760, 52, 24, 64, 320, 44
GRID = 0.1  # between the lines of the axis
ROW, MIXED_AT = 18, 240  # of the legend: between its rows, and where mixed notes stand
DASHES = "5 4"  # of mixed notes


def road_costs_svg(
    title: str, curves: Mapping[str, Sequence[float]], mixed: Mapping[str, Sequence[float]]
) -> str:
    """Draw curves: the cost of each step, over that of the ends.

    Parameters
    ----------
    title
    curves
        By model: one value a step, from A to B; 1 is as music is.
    mixed
        By model: the same roads, of notes taken from either end. Dashed, in the model's colour.

    Returns
    -------
    str
        An SVG document.
    """
    values = list(chain.from_iterable([*curves.values(), *mixed.values()]))
    if not any(len(curve) > 1 for curve in curves.values()):
        raise MusicError("no roads were measured: there is nothing to see")
    low = GRID * math.floor(min(*values, 1) / GRID)
    high = GRID * math.ceil(max(*values, 1) / GRID + 1e-9)
    legend = TOP + HEIGHT + FOOT + 16
    shapes = [
        text(MARGIN, MARGIN + 8, title, INK, "start", 17, weight=500),
        text(
            MARGIN,
            MARGIN + 26,
            "nats of each step under a 5-gram, over the mean of both ends; 1 is as likely as they",
            FAINT_INK,
            "start",
            11,
        ),
        *_axes(low, high, max(len(curve) for curve in curves.values())),
    ]
    for number, (name, curve) in enumerate(curves.items()):
        color = PALETTE[number % len(PALETTE)]
        shapes += _curve(curve, low, high, color)
        beside = mixed.get(name, ())
        shapes += _curve(beside, low, high, color, DASHES)
        shapes += _legend(legend + ROW * number, color, name, has_mixed=bool(beside))
    return page(WIDTH, legend + ROW * len(curves) + MARGIN - 8, title, shapes)


def _x(share: float) -> float:
    return MARGIN + LEFT + share * (WIDTH - 2 * MARGIN - LEFT - RIGHT)


def _y(value: float, low: float, high: float) -> float:
    return TOP + HEIGHT * (high - value) / (high - low)


def _curve(
    values: Sequence[float], low: float, high: float, color: str, dashes: str = ""
) -> Iterator[str]:
    if not values:
        return
    places = [
        (_x(step / max(1, len(values) - 1)), _y(value, low, high))
        for step, value in enumerate(values)
    ]
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    style = f' stroke-dasharray="{dashes}"' if dashes else ""
    yield f'<path d="M{path}" fill="none" stroke="{color}" stroke-width="2"{style}/>'
    if not dashes:
        for x, y in places:
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>'


def _axes(low: float, high: float, steps: int) -> Iterator[str]:
    for number in range(round((high - low) / GRID) + 1):
        value = low + GRID * number
        color = BAR_LINE if abs(value - 1) < GRID / 2 else BEAT_LINE
        y = _y(value, low, high)
        yield rule(_x(0), _x(1), y, color)
        yield text(_x(0) - 8, y + 4, f"{value:.1f}", FAINT_INK, "end", 11)
    for step in range(steps):
        share = step / max(1, steps - 1)
        yield line(_x(share), TOP, TOP + HEIGHT, BEAT_LINE, 1)
        name = "A" if step == 0 else "B" if step == steps - 1 else str(step)
        yield text(_x(share), TOP + HEIGHT + 16, name, FAINT_INK, "middle", 11)
    yield text(_x(0.5), TOP + HEIGHT + 36, "step of the road", INK, "middle", 11)


def _legend(y: float, color: str, name: str, *, has_mixed: bool) -> Iterator[str]:
    x = float(MARGIN + LEFT)
    yield f'<path d="M{x:.1f} {y:.1f}h28" stroke="{color}" stroke-width="2"/>'
    yield text(x + 36, y + 4, name, INK, "start", 11)
    if has_mixed:
        x += MIXED_AT
        yield (
            f'<path d="M{x:.1f} {y:.1f}h28" stroke="{color}" stroke-width="2" '
            f'stroke-dasharray="{DASHES}"/>'
        )
        yield text(x + 36, y + 4, "the same pairs, notes mixed", FAINT_INK, "start", 11)
