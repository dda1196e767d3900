"""`BarsRepresentation`: a few whole bars as one table of tokens, a row a bar.

A window of so many bars of one meter is laid out on `positions` columns: as many steps as the bar
has, then `pad`. So a network sees bars of any meter on one table, and sees the meter from where the
bars end. What the tokens mean is said by the `kind`: ``"melody"`` are those of
`MelodyRepresentation`, ``"drums"`` the sets of nine drums of `DrumsRepresentation`, ``"quartet"``
those of four melodies at once, the bars of the highest part first, then those of the next.

`cut_windows` takes the windows out of the tokens of a whole piece; `line_tokens` writes one part of
several as tokens.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from partimento.errors import ParameterError, VocabularyError
from partimento.music.grid import Grid, check_steps_per_quarter
from partimento.music.notes import Notes
from partimento.music.score import Meter
from partimento.music.timing import steps_per_bar
from partimento.music.track_rolls import GridNotes
from partimento.music.voices import lowest_line, skyline
from partimento.representations.drums import DrumsRepresentation
from partimento.representations.melody import FIRST_PITCH, HOLD, REST, MelodyRepresentation

KINDS = ("melody", "drums", "quartet")
QUARTET = 4  # parts of one


@dataclass(frozen=True)
class BarsRepresentation:
    """Windows of whole bars of one meter.

    Attributes
    ----------
    kind : str
        ``"melody"``, ``"drums"`` or ``"quartet"``.
    bars : int
        Of a window.
    positions : int
        Steps of the longest bar that fits: 24 sixteenths hold 12/8 and 3/2.
    steps_per_quarter : int
    lowest, highest : int
        Pitches of melodies; the default are the 88 keys of a piano.
    """

    kind: str = "melody"
    bars: int = 2
    positions: int = 24
    steps_per_quarter: int = 4
    lowest: int = 21
    highest: int = 108

    def __post_init__(self) -> None:
        check_steps_per_quarter(self.steps_per_quarter)
        if self.kind not in KINDS:
            raise ParameterError(f"kind must be {', '.join(KINDS)}, got {self.kind!r}")
        for name, most in (("bars", 64), ("positions", 96)):
            if not 1 <= getattr(self, name) <= most:
                raise ParameterError(f"{name} must be 1-{most}, got {getattr(self, name)}")
        _ = self.tokens

    @cached_property
    def tokens(self) -> MelodyRepresentation | DrumsRepresentation:
        """What the tokens of a step mean."""
        if self.kind == "drums":
            return DrumsRepresentation(self.steps_per_quarter)
        return MelodyRepresentation(self.steps_per_quarter, self.lowest, self.highest)

    @property
    def parts(self) -> int:
        """Melodies, or drum parts, at once."""
        return QUARTET if self.kind == "quartet" else 1

    @property
    def rows(self) -> int:
        """Rows of a table: the bars of each part."""
        return self.parts * self.bars

    @property
    def vocab_size(self) -> int:
        """Tokens of a step."""
        return self.tokens.vocab_size

    @property
    def pad(self) -> int:
        """Fills a table up where a bar is over."""
        return self.vocab_size

    def bar_steps(self, meter: Meter) -> int:
        """Count the steps in a bar of a meter.

        Raises
        ------
        ParameterError
            If the bar is no whole number of steps, or longer than a table's row.
        """
        steps = steps_per_bar(meter, self.steps_per_quarter)
        if steps > self.positions:
            raise ParameterError(
                f"a bar of {meter} has {steps} steps, this model's bars have {self.positions} at "
                "most: choose a shorter meter, as in --meter 4/4"
            )
        return steps

    def is_onset(self, tokens: np.ndarray) -> np.ndarray:
        """Where a note starts, or a drum is struck."""
        if self.kind == "drums":
            return (tokens > 0) & (tokens < self.pad)
        return (tokens >= FIRST_PITCH) & (tokens < self.pad)

    def transposed(self, tokens: np.ndarray, semitones: np.ndarray | int) -> np.ndarray:
        """Move the notes of windows, as far as told; drums stay what they are."""
        if self.kind == "drums":
            return tokens
        return np.where(self.is_onset(tokens), tokens + semitones, tokens)

    def room(self, tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How far down and up each window can move; tokens (window, ...)."""
        flat = tokens.reshape(len(tokens), -1)
        is_onset = self.is_onset(flat)
        low = np.where(is_onset, flat, self.pad - 1).min(axis=1)
        high = np.where(is_onset, flat, FIRST_PITCH).max(axis=1)
        if self.kind == "drums":
            return np.zeros(len(flat), dtype=np.int64), np.zeros(len(flat), dtype=np.int64)
        return low - FIRST_PITCH, self.pad - 1 - high

    def laid_out(self, steps: np.ndarray) -> np.ndarray:
        """Lay tokens of equal bars, (window, part * step), on tables: (window, row, position)."""
        window, length = steps.shape
        size, rest = divmod(length, self.rows)
        if rest or size > self.positions:
            raise VocabularyError(
                f"a window of {self.rows} bars of at most {self.positions} steps was expected, "
                f"got {length} steps"
            )
        table = np.full((window, self.rows, self.positions), self.pad, dtype=np.int64)
        table[:, :, :size] = steps.reshape(window, self.rows, size)
        return table

    def read_off(self, table: np.ndarray, bar_steps: int) -> np.ndarray:
        """Undo `laid_out`: tokens (window, part * step)."""
        return table[:, :, :bar_steps].reshape(len(table), self.rows * bar_steps)

    def in_a_row(self, table: np.ndarray, bar_steps: int) -> np.ndarray:
        """Put windows one after another: tokens (part, step)."""
        steps = self.read_off(table, bar_steps).reshape(len(table), self.parts, -1)
        return np.asarray(steps.swapaxes(0, 1).reshape(self.parts, -1))

    def windows_of(self, steps: np.ndarray) -> np.ndarray:
        """Undo `in_a_row` where windows have whole bars of one length: (window, row, position).

        A note that sounds on into a window is struck again at its start.
        """
        parts, windows, length = steps.shape  # part window step
        if self.kind != "drums":
            struck = np.stack([_struck_again(rows) for rows in steps])
            steps = struck.reshape(parts, windows, length)
        return self.laid_out(steps.swapaxes(0, 1).reshape(windows, parts * length))


class Windows(NamedTuple):
    """Windows of a piece.

    Attributes
    ----------
    tables : int64 array, shape (window, row, position)
    first_bar : int64 array, shape (window,)
    """

    tables: np.ndarray
    first_bar: np.ndarray


def cut_windows(
    tokens: np.ndarray, grid: Grid, representation: BarsRepresentation, hop: int = 1
) -> Windows:
    """Take every window of whole bars of one length out of a piece, one beginning every `hop` bars.

    Tokens are those of a part, shape (step,), or of all, (part, step). A note that sounds on into a
    window is struck again at its start. Bars longer than a table's row, and windows in which the
    bars change their length, are passed over.
    """
    if tokens.ndim == 2:
        cut = [cut_windows(part, grid, representation, hop) for part in tokens]
        return Windows(np.concatenate([found.tables for found in cut], axis=1), cut[0].first_bar)
    bars, positions = representation.bars, representation.positions
    starts = np.flatnonzero(grid.position == 0)
    starts = starts[grid.bar_steps[starts] <= positions]
    lengths = grid.bar_steps[starts]
    is_first = grid.bar[starts] % hop == 0
    # A window is `bars` bars in a row, each as long as the first.
    ends = starts + bars * lengths
    index = np.minimum(starts[:, None] + np.arange(bars) * lengths[:, None], len(tokens) - 1)
    is_whole = (
        (ends <= len(tokens))
        & (grid.position[index] == 0).all(axis=1)
        & (grid.bar_steps[index] == lengths[:, None]).all(axis=1)
    )
    kept = is_whole & is_first
    starts, lengths = starts[kept], lengths[kept]
    place = np.arange(positions)
    where = starts[:, None, None] + np.arange(bars)[:, None] * lengths[:, None, None] + place
    is_real = place < lengths[:, None, None]
    tables = np.where(
        is_real, tokens[np.minimum(where, len(tokens) - 1)], representation.pad
    ).astype(np.int64)
    if representation.kind != "drums" and len(starts):
        tables[:, 0, 0] = np.where(
            tables[:, 0, 0] == HOLD, _sounding(tokens)[starts], tables[:, 0, 0]
        )
    return Windows(tables, grid.bar[starts])


def _sounding(tokens: np.ndarray) -> np.ndarray:
    """Token that would say anew what each step holds on to: a pitch, or `REST`."""
    steps = np.arange(len(tokens))
    last = np.maximum.accumulate(np.where(tokens != HOLD, steps, -1))
    return np.where(last < 0, REST, tokens[np.maximum(last, 0)])


def _struck_again(rows: np.ndarray) -> np.ndarray:
    """Write the first step of each window as if nothing had been before it; (window, step)."""
    flat = rows.reshape(-1)
    first = np.arange(len(rows)) * rows.shape[1]
    rows = rows.copy()
    rows[:, 0] = np.where(rows[:, 0] == HOLD, _sounding(flat)[first], rows[:, 0])
    return rows


def line_tokens(
    notes: GridNotes, representation: BarsRepresentation, steps: int, *, is_bass: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Write one part of several as tokens: of notes together the highest, of a bass the lowest.

    Returns
    -------
    tokens : int64 array, shape (step,)
    is_unfit : bool array, shape (step,)
        Where a note begins whose pitch has no token: it stands there at the nearest that has.
    """
    tokens = representation.tokens
    assert isinstance(tokens, MelodyRepresentation)
    inside = notes.onset < steps
    onset, pitch = notes.onset[inside], notes.pitch[inside]
    end = np.minimum(notes.end[inside], steps)
    line = (lowest_line if is_bass else skyline)(Notes(onset, end - onset, pitch))
    fit = np.clip(line.pitch, tokens.lowest, tokens.highest)
    is_unfit = np.zeros(steps, dtype=bool)
    is_unfit[line.onset] = fit != line.pitch
    fitted = Notes(line.onset, line.duration, fit)
    return tokens.encode(fitted, representation.steps_per_quarter, steps), is_unfit
