"""What the steps of roads cost under a 5-gram, as a picture: of models, and of mixed notes."""

from collections.abc import Iterator, Mapping, Sequence

from partimento.errors import MusicError
from partimento.rendering.svg import line, page, rect, rule, text, text_width
from partimento.rendering.theme import BAR_LINE, BEAT_LINE, FAINT_INK, INK, MARGIN, PALETTE

WIDTH, LEFT, RIGHT, TOP, HEIGHT, FOOT = 760, 52, 24, 84, 300, 44
LOWEST, GRID = 0.8, 0.1  # of the axis, and between its lines


def road_costs_svg(title: str, curves: Mapping[str, Sequence[float]]) -> str:
    """Draw curves: the cost of each step, over that of the ends.

    Parameters
    ----------
    title
    curves
        By name: one value a step, from A to B; 1 is as music is.

    Returns
    -------
    str
        An SVG document.
    """
    if not any(len(curve) > 1 for curve in curves.values()):
        raise MusicError("no roads were measured: there is nothing to see")
    highest = max(max(curve) for curve in curves.values())
    top = LOWEST + GRID * (int((highest - LOWEST) / GRID) + 1)
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
        *_legend(list(curves)),
        *_axes(top, max(len(curve) for curve in curves.values())),
    ]
    for number, curve in enumerate(curves.values()):
        color = PALETTE[number % len(PALETTE)]
        places = [
            (_x(step / max(1, len(curve) - 1)), _y(value, top)) for step, value in enumerate(curve)
        ]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        shapes.append(f'<path d="M{path}" fill="none" stroke="{color}" stroke-width="2"/>')
        shapes += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>' for x, y in places]
    return page(WIDTH, TOP + HEIGHT + FOOT + MARGIN, title, shapes)


def _x(share: float) -> float:
    return MARGIN + LEFT + share * (WIDTH - 2 * MARGIN - LEFT - RIGHT)


def _y(value: float, top: float) -> float:
    return TOP + HEIGHT * (top - value) / (top - LOWEST)


def _axes(top: float, steps: int) -> Iterator[str]:
    for number in range(round((top - LOWEST) / GRID) + 1):
        value = LOWEST + GRID * number
        color = BAR_LINE if abs(value - 1) < GRID / 2 else BEAT_LINE
        yield rule(_x(0), _x(1), _y(value, top), color)
        yield text(_x(0) - 8, _y(value, top) + 4, f"{value:.1f}", FAINT_INK, "end", 11)
    for step in range(steps):
        share = step / max(1, steps - 1)
        yield line(_x(share), TOP, TOP + HEIGHT, BEAT_LINE, 1)
        name = "A" if step == 0 else "B" if step == steps - 1 else str(step)
        yield text(_x(share), TOP + HEIGHT + 16, name, FAINT_INK, "middle", 11)
    yield text(_x(0.5), TOP + HEIGHT + 36, "step of the road", INK, "middle", 11)


def _legend(names: Sequence[str]) -> Iterator[str]:
    x = float(MARGIN + LEFT)
    for number, name in enumerate(names):
        yield rect(x, TOP - 22, 16, 3, PALETTE[number % len(PALETTE)])
        yield text(x + 22, TOP - 16, name, INK, "start", 11)
        x += 22 + text_width(name) + 18
