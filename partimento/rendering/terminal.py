"""A small piano roll for the terminal, of half blocks or of plain letters.

`roll_text` makes it as rich text, `print_roll` shows it: as wide as the terminal, in colour where
there is colour, in ASCII where the terminal knows nothing else. Two pitches share a row of half
blocks. Notes of a primer are dim, what a model added is bright.
"""

import sys
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.text import Text

from partimento.music.pitches import pitch_name
from partimento.music.score import Score
from partimento.music.timing import BarMap
from partimento.rendering.piano_roll import primer_end_tick

COLORS = ("#3aa0e0", "#f0803c", "#2fc48d", "#e39ac5", "#f0b93a", "#8fd0f5", "#b48ac8", "#b0b0b0")
DIM_COLORS = (
    "#1d5070",
    "#78401e",
    "#186246",
    "#724d62",
    "#785d1d",
    "#476879",
    "#5a4564",
    "#585858",
)
NAME_WIDTH = 5
COLUMNS_PER_QUARTER = (4, 3, 2, 1)  # fine to coarse
MAX_LINES, MAX_ROWS = 3, 40  # of the roll; where they do not hold a piece, its columns are coarser
SHORTEST_WIDTH = 20


class Cells(NamedTuple):
    """What sounds in each cell of the roll, arrays of shape (pitch, column); the top pitch first.

    Attributes
    ----------
    part
        Number of the part from 1; 0 is silence.
    is_onset, is_primer
        Whether the note begins here, and whether it is the primer's.
    highest : int
        Pitch of the first row.
    """

    part: np.ndarray
    is_onset: np.ndarray
    is_primer: np.ndarray
    highest: int


def print_roll(
    score: Score,
    console: Console | None = None,
    *,
    first_bar: int = 1,
    primer_end: int | None = None,
) -> None:
    """Show a piano roll on standard output; the parameters are those of `roll_text`."""
    console = console or Console(highlight=False)
    is_unicode = _knows("▀▄█│…", console.encoding or sys.stdout.encoding)
    width = min(console.width, 120)
    text = roll_text(
        score, width=width, is_unicode=is_unicode, first_bar=first_bar, primer_end=primer_end
    )
    console.print(text, soft_wrap=True, end="")


def roll_text(
    score: Score,
    *,
    width: int = 80,
    is_unicode: bool = True,
    first_bar: int = 1,
    primer_end: int | None = None,
) -> Text:
    """Draw a score with characters.

    Parameters
    ----------
    score
    width
        Columns of the terminal.
    is_unicode
        Half blocks; else letters: ``#`` begins a note, ``=`` holds it.
    first_bar, primer_end
        As of `piano_roll_svg`.

    Returns
    -------
    Text
        Its ``plain`` has no colours in it.
    """
    text = Text()
    primer_end = primer_end_tick(score) if primer_end is None else primer_end
    parts = [part for part in score.parts if len(part.notes) and not part.is_drum]
    parts = parts or [part for part in score.parts if len(part.notes)]
    if not parts:
        return Text("(no notes)\n")
    room = max(width, SHORTEST_WIDTH) - NAME_WIDTH - 1
    bar_map = BarMap.of(score)
    count = bar_map.count(score.end_tick)
    pitches = np.concatenate([part.notes.pitch for part in parts])
    rows = (int(np.ptp(pitches)) + 1) // (2 if is_unicode else 1) + 1
    max_lines = int(np.clip(MAX_ROWS // rows, 1, MAX_LINES))
    per_quarter, bars_a_line = _fit(score, bar_map, count, room, max_lines)
    for first in range(0, min(count, bars_a_line * max_lines), bars_a_line):
        bars = range(first, min(first + bars_a_line, count))
        edges = bar_map.start(np.array([*bars, bars[-1] + 1]))
        columns = (edges - edges[0]) * per_quarter // score.ticks_per_quarter
        columns = np.minimum(columns, room)
        cells = _cells(score, edges, int(columns[-1]), per_quarter, primer_end)
        _add_bar_numbers(text, range(first + first_bar, bars.stop + first_bar), columns)
        if is_unicode:
            _add_half_blocks(text, score, cells, columns[:-1])
        else:
            _add_letters(text, score, cells, columns[:-1])
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


def _cells(score: Score, edges: np.ndarray, width: int, per_quarter: int, primer_end: int) -> Cells:
    """Lay the notes of one line on the grid of the terminal."""
    parts = [(n, p) for n, p in enumerate(score.parts, start=1) if len(p.notes)]
    shown = [(n, p) for n, p in parts if not p.is_drum] or parts
    lowest = min(int(part.notes.pitch.min()) for _, part in shown)
    highest = max(int(part.notes.pitch.max()) for _, part in shown)
    shape = (highest - lowest + 1, width)
    part_of = np.zeros(shape, dtype=np.int64)
    is_onset, is_primer = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    for number, part in reversed(shown):  # the first part lies on top
        notes = part.notes
        is_here = (notes.onset < edges[-1]) & (notes.offset > edges[0])
        for onset, duration, pitch, _ in notes.where(is_here):
            start, stop = (
                int((tick - edges[0]) * per_quarter / score.ticks_per_quarter + 0.01)
                for tick in (onset, onset + duration)
            )
            row = highest - pitch
            is_repeated = 1 < start < width and part_of[row, start - 1] == number
            if is_repeated and not is_onset[row, start - 1]:
                part_of[row, start - 1] = 0  # a gap, where one fits
            stop = max(stop, start + 1)
            part_of[row, max(start, 0) : stop] = number
            is_primer[row, max(start, 0) : stop] = onset < primer_end
            is_onset[row, max(start, 0) : stop] = False
            if 0 <= start < width:
                is_onset[row, start] = True
    return Cells(part_of, is_onset, is_primer, highest)


def _add_bar_numbers(text: Text, bars: range, columns: np.ndarray) -> None:
    line = [" "] * (NAME_WIDTH + int(columns[-1]))
    free = 0
    for bar, column in zip(bars, columns[:-1].tolist(), strict=True):
        words = f"{bar}"
        at = NAME_WIDTH + column
        if at >= free and (at + len(words) <= len(line) or not column):
            line[at : at + len(words)] = words
            free = at + len(words) + 1
    text.append("".join(line).rstrip() + "\n", style="bright_black")


def _add_half_blocks(text: Text, score: Score, cells: Cells, bar_columns: np.ndarray) -> None:
    is_bar = np.isin(np.arange(cells.part.shape[1]), bar_columns)
    height = len(cells.part)
    for row in range(0, height, 2):
        text.append(_name(score, cells.highest, row, 2, height), style="bright_black")
        for column, begins_bar in enumerate(is_bar.tolist()):
            upper = _color(cells, row, column)
            lower = _color(cells, row + 1, column) if row + 1 < height else None
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


def _add_letters(text: Text, score: Score, cells: Cells, bar_columns: np.ndarray) -> None:
    is_bar = np.isin(np.arange(cells.part.shape[1]), bar_columns)
    height = len(cells.part)
    for row in range(height):
        text.append(_name(score, cells.highest, row, 1, height), style="bright_black")
        signs = np.where(is_bar, "|", " ")
        signs = np.where(cells.part[row] > 0, np.where(cells.is_onset[row], "#", "="), signs)
        text.append("".join(signs.tolist()).rstrip() + "\n")


def _color(cells: Cells, row: int, column: int) -> str | None:
    """Style of a cell; None where nothing sounds."""
    number = int(cells.part[row, column])
    if not number:
        return None
    colors = DIM_COLORS if cells.is_primer[row, column] else COLORS
    return colors[(number - 1) % len(colors)]


def _name(score: Score, highest: int, row: int, pitches: int, height: int) -> str:
    """Name of a row: its C, or its pitch at the top and bottom; else nothing."""
    here = [highest - row - place for place in range(pitches) if row + place < height]
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
