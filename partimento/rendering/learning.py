"""A network's learning as a picture: its losses, and below them what it played on the way.

Steps are drawn by their logarithm, since each doubling teaches about as much as the one before; the
look before the first step stands one doubling left of step 1.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from partimento.errors import MusicError
from partimento.music.score import Score
from partimento.music.timing import BarMap
from partimento.rendering.svg import line, page, rect, rule, text, text_width
from partimento.rendering.theme import (
    BAR_LINE,
    BEAT_LINE,
    BLACK_KEYS,
    BLACK_ROW,
    FAINT_INK,
    INK,
    MARGIN,
    PALETTE,
)

WIDTH, LEFT, RIGHT = 1168, 66, 150  # room for numbers and for the names of baselines
TOP, CURVE_HEIGHT, AXIS = 84, 300, 46
COLUMNS, GAP = 3, 26
ROLL_HEIGHT, CAPTION = 104, 20
HELD_OUT, TRAINING, BEST = PALETTE[0], PALETTE[1], PALETTE[2]
FEWEST_ROWS = 12
MOST_TICKS = 14  # step numbers on the axis


class Curve(NamedTuple):
    """One line: (step, nats a step) in order of step."""

    name: str
    color: str
    points: Sequence[tuple[int, float]]


class Roll(NamedTuple):
    """What was played at a step; notes before `primer_end` are pale."""

    step: int
    caption: str
    score: Score
    primer_end: int
    is_best: bool = False


def learning_svg(
    title: str,
    held_out: Sequence[tuple[int, float]],
    training: Sequence[tuple[int, float]],
    baselines: Sequence[tuple[str, float]],
    rolls: Sequence[Roll],
) -> str:
    """Draw losses against the step, and piano rolls in order.

    Parameters
    ----------
    title
    held_out, training
        (step, nats a step), in order of step.
    baselines
        (name, nats a step), drawn as level lines.
    rolls
        At least one, with a note in it.

    Returns
    -------
    str
        An SVG document.

    Raises
    ------
    MusicError
        If there is nothing to draw.
    """
    if not any(roll.score.num_notes for roll in rolls):
        raise MusicError("the samples have no notes: there is nothing to see")
    lines = -(-len(rolls) // COLUMNS)
    first = TOP + CURVE_HEIGHT + AXIS + 8
    height = first + lines * (CAPTION + ROLL_HEIGHT + 14) + MARGIN - 14
    curves = (
        Curve("held-out pieces", HELD_OUT, held_out),
        Curve("training pieces", TRAINING, training),
    )
    shapes = [*_header(title, curves), *_curves(curves, baselines, rolls)]
    lowest, highest = _pitch_range([roll.score for roll in rolls])
    width = (WIDTH - 2 * MARGIN - (COLUMNS - 1) * GAP) / COLUMNS
    for number, roll in enumerate(rolls):
        row, column = divmod(number, COLUMNS)
        left = MARGIN + column * (width + GAP)
        top = first + row * (CAPTION + ROLL_HEIGHT + 14) + CAPTION
        shapes += _roll(roll, left, top, width, lowest, highest)
    return page(WIDTH, height, title, shapes)


def _header(title: str, curves: Sequence[Curve]) -> Iterator[str]:
    yield text(MARGIN, MARGIN + 8, title, INK, "start", 17, weight=500)
    words = "surprise in nats a step, against steps of training (each mark doubles them)"
    yield text(MARGIN, MARGIN + 26, words, FAINT_INK, "start", 11)
    x = float(WIDTH - MARGIN)
    for curve in reversed(curves):
        yield text(x, MARGIN + 8, curve.name, INK, "end", 11)
        x -= text_width(curve.name) + 8
        yield rect(x - 16, MARGIN + 3, 16, 3, curve.color)
        x -= 34


def _curves(
    curves: Sequence[Curve], baselines: Sequence[tuple[str, float]], rolls: Sequence[Roll]
) -> Iterator[str]:
    values = [value for curve in curves for _, value in curve.points]
    values += [value for _, value in baselines]
    steps = [step for curve in curves for step, _ in curve.points] + [r.step for r in rolls]
    ceiling = max(values, default=1.0) * 1.04
    last = max(_octave(max(steps)), 1.0)

    def x(step: int) -> float:
        return (
            MARGIN + LEFT + (_octave(step) + 1) / (last + 1) * (WIDTH - 2 * MARGIN - LEFT - RIGHT)
        )

    def y(value: float) -> float:
        return TOP + CURVE_HEIGHT * (1 - value / ceiling)

    left, right, bottom = x(0), x(0) + WIDTH - 2 * MARGIN - LEFT - RIGHT, TOP + CURVE_HEIGHT
    unit = 0.5 if ceiling < 5 else 10 ** math.floor(math.log10(ceiling)) / 2
    for number in range(math.floor(ceiling / unit) + 1):
        yield rule(left - 6, right, y(number * unit), BEAT_LINE if number else BAR_LINE)
        yield text(left - 12, y(number * unit) + 4, f"{number * unit:g}", FAINT_INK, "end", 11)
    ticks = [0, *(2**power for power in range(math.floor(last) + 1))]
    for number, step in enumerate(ticks):
        yield line(x(step), TOP, bottom + 5, BEAT_LINE, 1)
        if (len(ticks) - 1 - number) % -(-len(ticks) // MOST_TICKS) == 0 or step == 0:
            yield text(x(step), bottom + 20, f"{step:,}", FAINT_INK, "middle", 11)
    yield text(x(0), bottom + 34, "random weights", FAINT_INK, "middle", 10)
    places = _apart([y(value) for _, value in baselines], 13)
    for (name, value), place in zip(baselines, places, strict=True):
        yield (
            f'<path d="M{left:.1f} {y(value):.1f}H{right:.1f}" stroke="{FAINT_INK}" '
            f'stroke-width="1" stroke-dasharray="5 4"/>'
        )
        yield text(right + 8, place + 4, f"{name}: {value:.2f}", FAINT_INK, "start", 11)
    for curve in reversed(curves):
        if curve.points:
            path = "L".join(f"{x(step):.1f} {y(value):.1f}" for step, value in curve.points)
            yield (
                f'<path d="M{path}" fill="none" stroke="{curve.color}" stroke-width="2.2" '
                'stroke-linejoin="round"/>'
            )
    for roll in rolls:
        color = BEST if roll.is_best else HELD_OUT
        if curves[0].points:
            value = _at(roll.step, curves[0].points)
            yield f'<circle cx="{x(roll.step):.1f}" cy="{y(value):.1f}" r="4" fill="{color}"/>'
        if roll.is_best:
            yield text(x(roll.step), y(value) + 20, "best", BEST, "middle", 11, weight=500)


def _roll(
    roll: Roll, left: float, top: float, width: float, lowest: int, highest: int
) -> Iterator[str]:
    """Draw one score in a frame of its own."""
    score, row = roll.score, ROLL_HEIGHT / (highest - lowest + 1)
    color = BEST if roll.is_best else HELD_OUT
    scale = width / max(score.end_tick, 1)
    yield text(left, top - 7, roll.caption, INK, "start", 11, weight=500)
    yield rect(left, top, width, ROLL_HEIGHT, "#ffffff", stroke=BAR_LINE)
    for pitch in range(lowest, highest + 1):
        if pitch % 12 in BLACK_KEYS:
            yield rect(left, top + (highest - pitch) * row, width, row, BLACK_ROW)
    bars = BarMap.of(score)
    for tick in bars.start(np.arange(1, bars.count(score.end_tick))).tolist():
        yield line(left + tick * scale, top, top + ROLL_HEIGHT, BEAT_LINE, 1)
    if roll.primer_end:
        x = left + roll.primer_end * scale
        yield line(x, top, top + ROLL_HEIGHT, FAINT_INK, 1, dash="4 3")
    yield f'<g fill="{color}">'
    for part in score.parts:
        for onset, duration, pitch, _ in part.notes:
            x, length = left + onset * scale, duration * scale
            opacity = 0.35 if onset < roll.primer_end else 1
            yield (
                f'<rect x="{x:.1f}" y="{top + (highest - pitch) * row:.1f}" '
                f'width="{max(length - 0.8, 0.8):.1f}" height="{max(row, 2.4):.1f}" '
                f'fill-opacity="{opacity}"/>'
            )
    yield "</g>"


def _octave(step: int) -> float:
    """Place on the axis: -1 before the first step, 0 at step 1, 1 at step 2, 2 at step 4."""
    return math.log2(step) if step > 0 else -1.0


def _at(step: int, points: Sequence[tuple[int, float]]) -> float:
    """Height of a curve over a step, as it is drawn."""
    places = [_octave(at) for at, _ in points]
    return float(np.interp(_octave(step), places, [value for _, value in points]))


def _apart(places: Sequence[float], distance: float) -> list[float]:
    """Move labels down, from the highest, until none lies on another."""
    moved = list(places)
    below = -math.inf
    for index in sorted(range(len(places)), key=lambda index: places[index]):
        moved[index] = below = max(places[index], below + distance)
    return moved


def _pitch_range(scores: Sequence[Score]) -> tuple[int, int]:
    pitches = np.concatenate([part.notes.pitch for score in scores for part in score.parts])
    lowest, highest = int(pitches.min()) - 1, int(pitches.max()) + 1
    missing = max(0, FEWEST_ROWS - (highest - lowest + 1))
    return lowest - missing // 2, highest + (missing + 1) // 2
