"""A model's certainty as a picture: what it expected while it read a piece, and what came.

Behind the notes stands, step by step, the probability that each pitch sounds, the darker the more
probable: so one sees what the model nearly wrote. The notes are coloured by how surprised it was,
in nats: 0.7 is one chance in two, 2.3 one in ten, 4.6 one in a hundred. Below the pitches a strip
says how probable silence was. Each voice has a lane of its own.

`certainty_svg` takes plain arrays, as `partimento.generation.expectations` gives them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from partimento.errors import MusicError
from partimento.music.notes import Notes
from partimento.music.pitches import pitch_name
from partimento.music.score import Score
from partimento.rendering.piano_roll import check_size, scale_legend, short_title
from partimento.rendering.roll_line import (
    RollLine,
    line_head,
    page_width,
    pitch_range,
    spans_of,
    tick_width,
)
from partimento.rendering.svg import page, rect, text, text_width
from partimento.rendering.theme import MARGIN, Scale, Theme, theme_of

MOST_NATS = 8.0  # at the end of the scale of colours: one chance in three thousand
LEAST = 0.01  # probability that is drawn
LEVELS = 12  # shades of the probabilities
SEEN = 0.1  # a pitch so probable somewhere has a row, also if it never sounds
HEADER, LINE_GAP, LANE_HEAD = 84, 22, 18
REST_GAP, REST_ROW = 3, 8  # of the strip below each lane
ROLL_HEIGHT, LANES_HEIGHT = 250, 460  # that the rows of one line share: of one lane, of several
LOWEST_ROW, HIGHEST_ROW = 4.5, 13.0
FEWEST_ROWS = 12
NOTE_HEIGHT = 0.7  # of its row: the probabilities show above and below


@dataclass(frozen=True, eq=False)
class Lane:
    """One voice, and what was expected of it.

    Attributes
    ----------
    voice : str
        Its name.
    notes : Notes
        In ticks of the score.
    note_nats : float64 array, shape (note,)
        Surprise at each.
    step_ticks : int64 array, shape (step + 1,)
        Where each step begins, and where the last one ends.
    lowest : int
        Pitch of the first column.
    probabilities : float64 array, shape (step, pitch)
        That this pitch sounds at this step.
    silence : float64 array, shape (step,)
        That none does.
    """

    voice: str
    notes: Notes
    note_nats: np.ndarray
    step_ticks: np.ndarray
    lowest: int
    probabilities: np.ndarray
    silence: np.ndarray

    def cut(self, start: int, end: int) -> "Lane":
        """Keep what sounds between two ticks, and count from the first."""
        is_here = (self.notes.onset < end) & (self.notes.offset > start)
        notes = self.notes.where(is_here)
        onset = np.clip(notes.onset, start, end)
        offset = np.clip(notes.offset, start, end)
        steps = np.flatnonzero((self.step_ticks[:-1] < end) & (self.step_ticks[1:] > start))
        first, last = (int(steps[0]), int(steps[-1]) + 1) if len(steps) else (0, 0)
        return replace(
            self,
            notes=Notes(onset - start, offset - onset, notes.pitch, notes.velocity),
            note_nats=self.note_nats[is_here],
            step_ticks=np.clip(self.step_ticks[first : last + 1], start, end) - start,
            probabilities=self.probabilities[first:last],
            silence=self.silence[first:last],
        )


def certainty_svg(
    score: Score,
    lanes: Sequence[Lane],
    *,
    model: str,
    given: str,
    title: str | None = None,
    first_bar: int = 1,
    theme: str = "light",
) -> str:
    """Draw what a model expected of a piece.

    Parameters
    ----------
    score
        For its bars and beats.
    lanes
        One for a melody, four for four voices, the highest first.
    model
        Its name, for the title.
    given
        What was known to the model when it said a probability, as in "given all before it".
    title
        Of the piece, instead of the score's own.
    first_bar
        Number written at the first bar.
    theme
        ``"light"`` or ``"dark"``.

    Returns
    -------
    str
        An SVG document; a note says its pitch and its nats where the mouse points at it.
    """
    if not any(len(lane.notes) for lane in lanes):
        raise MusicError("there are no notes that the model could have expected")
    check_size(score)
    colors = theme_of(theme)
    spans = spans_of(score, first_bar)
    ranges = [_pitches(lane) for lane in lanes]
    rows = sum(high - low + 1 for low, high in ranges)
    height = ROLL_HEIGHT if len(lanes) == 1 else LANES_HEIGHT
    row = float(np.clip(height / rows, LOWEST_ROW, HIGHEST_ROW))
    heights = [row * (high - low + 1) + REST_GAP + REST_ROW for low, high in ranges]
    each = line_head(score) + sum(heights) + LANE_HEAD * (len(lanes) - 1) + LINE_GAP
    width = page_width(spans, score.ticks_per_quarter, 820)
    title = short_title(score, title, most=int((width - 400) / 9))
    shapes = list(_header(title, model, given, lanes, width, colors))
    for number, span in enumerate(spans):
        top = HEADER + number * each + line_head(score)
        for place, (lane, (low, high)) in enumerate(zip(lanes, ranges, strict=True)):
            line = RollLine(
                span,
                top,
                tick_width(spans, score.ticks_per_quarter),
                low,
                high,
                row,
                heights[place] - REST_GAP - REST_ROW,
                theme=colors,
            )
            shapes += line.background(score, with_head=place == 0)
            shapes += _lane(lane, line, has_name=len(lanes) > 1)
            top += heights[place] + LANE_HEAD
    below = HEADER + len(spans) * each - LINE_GAP + MARGIN
    return page(width, below, f"{title}, as {model} expected it", shapes, paper=colors.paper)


def _pitches(lane: Lane) -> tuple[int, int]:
    """Lowest and highest row: what sounds, and what was probable somewhere."""
    probable = np.flatnonzero((lane.probabilities >= SEEN).any(axis=0)) + lane.lowest
    return pitch_range([lane.notes.pitch, probable], FEWEST_ROWS)


def _lane(lane: Lane, line: RollLine, *, has_name: bool) -> Iterator[str]:
    """Draw probabilities, then notes."""
    theme, span = line.theme, line.span
    if has_name:
        yield text(MARGIN, line.top - 5, lane.voice, theme.ink, "start", 11, weight=500)
    strip = line.top + line.height + REST_GAP
    yield rect(line.left, strip, line.right - line.left, REST_ROW, theme.black_row)
    yield text(line.left - 24, strip + 7, "rest", theme.faint_ink, "end", 9)
    shown = lane.probabilities[
        :, max(0, line.lowest - lane.lowest) : line.highest - lane.lowest + 1
    ]
    tops = [line.y(max(line.lowest, lane.lowest) + column) for column in range(shown.shape[1])]
    yield from _cloud(shown, lane.step_ticks, line, np.array(tops), line.row)
    yield from _cloud(lane.silence[:, None], lane.step_ticks, line, np.array([strip]), REST_ROW)
    is_here = (lane.notes.onset < span.end) & (lane.notes.offset > span.start)
    yield f'<g stroke="{theme.paper}">'
    here = zip(lane.notes.where(is_here), lane.note_nats[is_here].tolist(), strict=True)
    for (onset, duration, pitch, _), nats in here:
        yield _note(line, onset, onset + duration, pitch, nats)
    yield "</g>"


def _note(line: RollLine, onset: int, offset: int, pitch: int, nats: float) -> str:
    left = line.x(max(onset, line.span.start)) + 0.5
    width = max(line.x(min(offset, line.span.end)) - left - 1, 1.2)
    tall = line.row * NOTE_HEIGHT
    top = line.y(pitch) + (line.row - tall) / 2
    name = pitch_name(pitch, with_signs=True)
    return (
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{tall:.1f}" '
        f'rx="{min(2.0, tall / 3, width / 3):.1f}" '
        f'fill="{line.theme.surprise.at(nats / MOST_NATS)}" stroke-width="0.6">'
        f"<title>{name}: {nats:.2f} nats</title></rect>"
    )


def _cloud(
    probabilities: np.ndarray, step_ticks: np.ndarray, line: RollLine, tops: np.ndarray, tall: float
) -> Iterator[str]:
    """Draw probabilities of shape (step, row) as one path for each shade."""
    span = line.span
    is_here = (step_ticks[:-1] < span.end) & (step_ticks[1:] > span.start)
    steps = np.flatnonzero(is_here)
    if not len(steps) or not probabilities.shape[1]:
        return
    levels = np.where(probabilities < LEAST, 0, np.ceil(LEVELS * _shade(probabilities)))
    levels = levels[steps].astype(int).T  # row step
    edges = np.clip(step_ticks[steps[0] : steps[-1] + 2], span.start, span.end)
    x = line.left + (edges - span.start) * line.tick_width
    # Steps of one shade in a row are one rectangle.
    begins = np.ones(levels.shape, dtype=bool)
    begins[:, 1:] = levels[:, 1:] != levels[:, :-1]
    rows, first = np.nonzero(begins)
    shades = levels[rows, first]
    last = np.append(first[1:], levels.shape[1])
    last = np.where(last <= first, levels.shape[1], last)  # a row ends with its last step
    for level in range(1, LEVELS + 1):
        corners = [
            f"M{x[a]:.1f} {tops[row]:.1f}h{x[b] - x[a]:.1f}v{tall:.1f}H{x[a]:.1f}z"
            for row, a, b in zip(
                rows[shades == level].tolist(),
                first[shades == level].tolist(),
                last[shades == level].tolist(),
                strict=True,
            )
        ]
        if corners:
            opacity = 0.9 * level / LEVELS
            yield (
                f'<path d="{"".join(corners)}" fill="{line.theme.cloud}" '
                f'fill-opacity="{opacity:.2f}"/>'
            )


def _shade(probabilities: np.ndarray) -> np.ndarray:
    """How solid a probability is drawn: small ones more than their share, so that they show."""
    return np.asarray(np.sqrt(np.clip(probabilities, 0.0, 1.0)))


def _header(
    title: str, model: str, given: str, lanes: Sequence[Lane], width: float, theme: Theme
) -> Iterator[str]:
    nats = np.concatenate([lane.note_nats for lane in lanes])
    mean = f"{nats.mean():.2f} nats a note on average, {nats.max():.1f} at most"
    yield text(
        MARGIN, MARGIN + 8, f"{title}, as {model} expected it", theme.ink, "start", 17, weight=500
    )
    yield text(MARGIN, MARGIN + 27, f"probabilities {given}", theme.faint_ink, "start", 11)
    yield text(MARGIN, MARGIN + 44, f"surprise: {mean}", theme.faint_ink, "start", 11)
    right = width - MARGIN
    ends = "surprise at a note: 0 nats", f"{MOST_NATS:g} or more"
    yield from scale_legend(theme, theme.surprise, ends, right, MARGIN + 18)
    shades = Scale(
        tuple(
            Scale((theme.white_row, theme.cloud)).at(0.9 * float(_shade(np.array(share / 8))))
            for share in range(9)
        )
    )
    align = text_width(ends[1]) - text_width("100%")
    ends = "probability of each pitch: 0%", "100%"
    yield from scale_legend(theme, shades, ends, right - align, MARGIN + 35)
