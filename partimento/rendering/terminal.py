"""A piano roll for the terminal, of half blocks or of plain letters.

`roll_text` makes it as rich text, `print_roll` shows it: as wide as the terminal, in colour where
there is colour, in ASCII where the terminal knows nothing else. Two pitches share a row of half
blocks; drums have a row each, with their names. Notes of a primer are dim, what a model added is
bright.
"""

import sys
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.text import Text

from partimento.music.pitches import pitch_name
from partimento.music.score import Score
from partimento.music.timing import BarMap
from partimento.rendering.drums import drum_name
from partimento.rendering.piano_roll import check_colour, primer_end_tick
from partimento.rendering.theme import DARK, Scale, Theme, theme_of

COLORS = DARK.palette
NAME_WIDTH, DRUM_NAME_WIDTH = 5, 14
DIMMED = 0.5  # share of its colour that a note of the primer keeps; the rest is the background
COLUMNS_PER_QUARTER = (4, 3, 2, 1)  # fine to coarse
MAX_LINES, MAX_ROWS = 3, 40  # of the roll; where they do not hold a piece, its columns are coarser
SHORTEST_WIDTH, WIDEST = 24, 240


class Cells(NamedTuple):
    """What sounds in each cell of the roll, arrays of shape (pitch, column); the top pitch first.

    Attributes
    ----------
    part
        Number of the part from 1; 0 is silence.
    velocity
        Of the note; 0 in silence.
    is_onset, is_primer
        Whether the note begins here, and whether it is the primer's.
    pitches : tuple of int
        Of the rows.
    """

    part: np.ndarray
    velocity: np.ndarray
    is_onset: np.ndarray
    is_primer: np.ndarray
    pitches: tuple[int, ...]


class Coloured(NamedTuple):
    """What colours mean: see `piano_roll_svg`."""

    theme: Theme
    colour: str

    def of(self, cells: Cells, row: int, column: int) -> str | None:
        """Style of a cell; None where nothing sounds."""
        number = int(cells.part[row, column])
        if not number:
            return None
        if self.colour == "velocity":
            color = self.theme.velocity.at(int(cells.velocity[row, column]) / 127)
        else:
            color = self.theme.palette[(number - 1) % len(self.theme.palette)]
        return self.dim(color) if cells.is_primer[row, column] else color

    def dim(self, color: str) -> str:
        """Colour of the primer: mixed with the background."""
        return Scale((self.theme.paper, color)).at(DIMMED)


def print_roll(
    score: Score,
    console: Console | None = None,
    *,
    first_bar: int = 1,
    primer_end: int | None = None,
    colour: str = "part",
    theme: str = "dark",
) -> None:
    """Show a piano roll on standard output; the parameters are those of `roll_text`."""
    console = console or Console(highlight=False)
    is_unicode = _knows("▀▄█│…", console.encoding or sys.stdout.encoding)
    text = roll_text(
        score,
        width=min(console.width, WIDEST),
        is_unicode=is_unicode,
        first_bar=first_bar,
        primer_end=primer_end,
        colour=colour,
        theme=theme,
    )
    console.print(text, soft_wrap=True, end="")


def roll_text(
    score: Score,
    *,
    width: int = 80,
    is_unicode: bool = True,
    first_bar: int = 1,
    primer_end: int | None = None,
    colour: str = "part",
    theme: str = "dark",
) -> Text:
    """Draw a score with characters.

    Parameters
    ----------
    score
    width
        Columns of the terminal.
    is_unicode
        Half blocks; else letters: ``#`` begins a note, ``=`` holds it.
    first_bar, primer_end, colour, theme
        As of `piano_roll_svg`; the theme is that of the terminal.

    Returns
    -------
    Text
        Its ``plain`` has no colours in it.
    """
    text = Text()
    colors = Coloured(theme_of(theme), check_colour(colour))
    primer_end = primer_end_tick(score) if primer_end is None else primer_end
    parts = [part for part in score.parts if len(part.notes) and not part.is_drum]
    parts = parts or [part for part in score.parts if len(part.notes)]
    if not parts:
        return Text("(no notes)\n")
    is_drums = parts[0].is_drum  # nothing else: each has a row with its name
    names = DRUM_NAME_WIDTH if is_drums else NAME_WIDTH
    room = max(width, SHORTEST_WIDTH) - names - 1
    bar_map = BarMap.of(score)
    count = bar_map.count(score.end_tick)
    found = np.unique(np.concatenate([part.notes.pitch for part in parts]))[::-1]
    pitches = tuple(found.tolist() if is_drums else range(int(found[0]), int(found[-1]) - 1, -1))
    is_halved = is_unicode and not is_drums
    rows = len(pitches) // (2 if is_halved else 1) + 2
    max_lines = int(np.clip(MAX_ROWS // rows, 1, MAX_LINES))
    per_quarter, bars_a_line = _fit(score, bar_map, count, room, max_lines)
    for first in range(0, min(count, bars_a_line * max_lines), bars_a_line):
        bars = range(first, min(first + bars_a_line, count))
        edges = bar_map.start(np.array([*bars, bars[-1] + 1]))
        columns = (edges - edges[0]) * per_quarter // score.ticks_per_quarter
        columns = np.minimum(columns, room)
        cells = _cells(score, edges, int(columns[-1]), per_quarter, primer_end, pitches)
        _add_bar_numbers(text, range(first + first_bar, bars.stop + first_bar), columns, names)
        if is_halved:
            _add_half_blocks(text, score, cells, columns[:-1], colors)
        else:
            labels = [
                f"{drum_name(pitch)[: names - 1] if is_drums else '':<{names}}" for pitch in pitches
            ]
            signs = ("█", "▌", "│") if is_unicode else ("#", "=", "|")
            if not is_drums:
                labels = [_name(score, cells, row, 1) for row in range(len(pitches))]
            _add_rows(text, cells, columns[:-1], labels, signs, colors if is_unicode else None)
    hidden = count - bars_a_line * max_lines
    if hidden > 0:
        dots = "…" if is_unicode else "..."
        text.append(
            f"{'':{NAME_WIDTH}}{dots} and {hidden:,} more bar{'' if hidden == 1 else 's'}\n"
        )
    return text


def _fit(score: Score, bar_map: BarMap, count: int, room: int, max_lines: int) -> tuple[int, int]:
    """Columns a quarter, and bars a line: the finest that needs no more lines than allowed."""
    first = min(count, 64)
    length = int(bar_map.start(first)) / first / score.ticks_per_quarter  # [QN] of a bar, about
    for per_quarter in COLUMNS_PER_QUARTER:
        bars_a_line = int(room // (length * per_quarter))
        if bars_a_line >= 1 and -(-count // bars_a_line) <= max_lines:
            return per_quarter, -(-count // -(-count // bars_a_line))
    return 1, max(1, int(room // length))


def _cells(
    score: Score,
    edges: np.ndarray,
    width: int,
    per_quarter: int,
    primer_end: int,
    pitches: tuple[int, ...],
) -> Cells:
    """Lay the notes of one line on the grid of the terminal."""
    parts = [(n, p) for n, p in enumerate(score.parts, start=1) if len(p.notes)]
    shown = [(n, p) for n, p in parts if not p.is_drum] or parts
    row_of = {pitch: row for row, pitch in enumerate(pitches)}
    shape = (len(pitches), width)
    part_of, velocity_of = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    is_onset, is_primer = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    for number, part in reversed(shown):  # the first part lies on top
        notes = part.notes
        is_here = (notes.onset < edges[-1]) & (notes.offset > edges[0])
        for onset, duration, pitch, velocity in notes.where(is_here):
            start, stop = (
                int((tick - edges[0]) * per_quarter / score.ticks_per_quarter + 0.01)
                for tick in (onset, onset + duration)
            )
            stop = start + 1 if part.is_drum else stop
            row = row_of[pitch]
            is_repeated = 1 < start < width and part_of[row, start - 1] == number
            if is_repeated and not is_onset[row, start - 1]:
                part_of[row, start - 1] = 0  # a gap, where one fits
            stop = max(stop, start + 1)
            part_of[row, max(start, 0) : stop] = number
            velocity_of[row, max(start, 0) : stop] = velocity
            is_primer[row, max(start, 0) : stop] = onset < primer_end
            is_onset[row, max(start, 0) : stop] = False
            if 0 <= start < width:
                is_onset[row, start] = True
    return Cells(part_of, velocity_of, is_onset, is_primer, pitches)


def _add_bar_numbers(text: Text, bars: range, columns: np.ndarray, names: int) -> None:
    line = [" "] * (names + int(columns[-1]))
    free = 0
    for bar, column in zip(bars, columns[:-1].tolist(), strict=True):
        words = f"{bar}"
        at = names + column
        if at >= free and (at + len(words) <= len(line) or not column):
            line[at : at + len(words)] = words
            free = at + len(words) + 1
    text.append("".join(line).rstrip() + "\n", style="bright_black")


def _add_half_blocks(
    text: Text, score: Score, cells: Cells, bar_columns: np.ndarray, colors: Coloured
) -> None:
    is_bar = np.isin(np.arange(cells.part.shape[1]), bar_columns)
    height = len(cells.part)
    for row in range(0, height, 2):
        text.append(_name(score, cells, row, 2), style="bright_black")
        for column, begins_bar in enumerate(is_bar.tolist()):
            upper = colors.of(cells, row, column)
            lower = colors.of(cells, row + 1, column) if row + 1 < height else None
            if upper is None and lower is None:
                text.append("│" if begins_bar else " ", style="bright_black")
            elif upper == lower:
                text.append("█", style=upper)
            elif lower is None:
                text.append("▀", style=upper)
            elif upper is None:
                text.append("▄", style=lower)
            else:
                text.append("▀", style=f"{upper} on {lower}")
        text.append("\n")


def _add_rows(
    text: Text,
    cells: Cells,
    bar_columns: np.ndarray,
    labels: list[str],
    signs: tuple[str, str, str],
    colors: Coloured | None,
) -> None:
    """One row a pitch, or a drum: signs for the beginning of a note, its length, and a bar."""
    is_bar = np.isin(np.arange(cells.part.shape[1]), bar_columns)
    onset, length, bar = signs
    for row, label in enumerate(labels):
        text.append(label, style="bright_black")
        empty = np.where(is_bar, bar, " ")
        shown = np.where(cells.is_onset[row], onset, length)
        line = np.where(cells.part[row] > 0, shown, empty).tolist()
        if colors is None:
            text.append("".join(line).rstrip() + "\n")
            continue
        for column, sign in enumerate(line):
            text.append(sign, style=colors.of(cells, row, column) or "bright_black")
        text.append("\n")


def _name(score: Score, cells: Cells, row: int, pitches: int) -> str:
    """Name of a row: its C, or its pitch at the top and bottom; else nothing."""
    height = len(cells.pitches)
    here = cells.pitches[row : row + pitches]
    named = [pitch for pitch in here if pitch % 12 == 0]
    if not named and row in (0, (height - 1) // pitches * pitches):
        named = [here[0] if row == 0 else here[-1]]
    key = score.keys[0] if score.keys else None
    return f"{pitch_name(named[0], key, with_signs=True) if named else '':<{NAME_WIDTH}}"


def _knows(signs: str, encoding: str | None) -> bool:
    try:
        signs.encode(encoding or "ascii")
    except (UnicodeError, LookupError):
        return False
    return True
