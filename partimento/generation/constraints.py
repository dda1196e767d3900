"""What a melody must not do: notes out of range or key, notes or rests without end.

`Constraints` says what was asked. `Watch` follows the melodies of a batch and forbids tokens before
they are drawn, so a constraint holds always, not often. One voice is not among them: a melody's
tokens cannot sound together. Something is always allowed: where a note sounds it may end, and where
nothing sounds a note may start.
"""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from partimento.errors import NotationError, ParameterError
from partimento.generation.sampling import real, whole
from partimento.music.grid import Grid
from partimento.music.keys import parse_key, scale_pitch_classes
from partimento.music.notes import HIGHEST_PITCH, LOWEST_PITCH
from partimento.music.pitches import pitch_name, pitch_number
from partimento.music.score import Key
from partimento.representations.melody import FIRST_PITCH, HOLD, REST, MelodyRepresentation

NUMBER = re.compile(r"[+-]?[0-9]{1,9}")


@dataclass(frozen=True)
class Constraints:
    """What every note that is made must keep to.

    Attributes
    ----------
    lowest, highest : int, str or None
        Pitches that may sound, both included: numbers 0-127 or names as ``"g3"``. `None` leaves it
        to the model's vocabulary.
    key : Key, str or None
        Only notes of its scale, as ``"g:major"``; minor has its raised sixth and seventh too.
    hold_bars : float or None
        Longest a note may last, in bars.
    rest_bars : float or None
        Longest silence, in bars; 0 forbids rests.
    """

    lowest: Any = None
    highest: Any = None
    key: Any = None
    hold_bars: float | None = None
    rest_bars: float | None = 2.0

    def __post_init__(self) -> None:
        for name in ("lowest", "highest"):
            object.__setattr__(self, name, _pitch(name, getattr(self, name)))
        if self.lowest is not None and self.highest is not None and self.lowest > self.highest:
            raise ParameterError(
                f"lowest must not be above highest, got {self.lowest} and {self.highest}"
            )
        if self.key is not None:
            object.__setattr__(self, "key", parse_key(self.key))
        for name, least in (("hold_bars", "more than 0"), ("rest_bars", "0 or more")):
            if getattr(self, name) is None:
                continue
            bars = real(name, getattr(self, name))
            if bars < 0 or (name == "hold_bars" and bars == 0):
                raise ParameterError(f"{name} must be {least}, got {bars:g}")
            object.__setattr__(self, name, bars)

    def allows(self, pitches: np.ndarray) -> np.ndarray:
        """Whether each pitch may sound (bool, same shape)."""
        allowed = (pitches >= LOWEST_PITCH) & (pitches <= HIGHEST_PITCH)
        if self.lowest is not None:
            allowed &= pitches >= self.lowest
        if self.highest is not None:
            allowed &= pitches <= self.highest
        if self.key is not None:
            allowed &= np.isin(pitches % 12, scale_pitch_classes(self.key, with_raised=True))
        return allowed


class Watch:
    """Follows the melodies of a batch and says what each may do next.

    Parameters
    ----------
    constraints : Constraints
    representation : MelodyRepresentation
    grid : Grid
        Of the whole piece: a bar's length in steps decides how long holds and rests may be.
    rows : int
        Melodies in the batch.
    shift : int
        Semitones between what the network writes and what will sound (network minus sound).
    is_over : bool
        Whether the note that sounded before the first step is over: it then ends or gives way.
    silent_for : int
        Steps of silence before the first step.

    Raises
    ------
    ParameterError
        If no pitch is left.
    """

    def __init__(
        self,
        constraints: Constraints,
        representation: MelodyRepresentation,
        grid: Grid,
        rows: int,
        *,
        shift: int = 0,
        is_over: bool = False,
        silent_for: int = 0,
    ) -> None:
        pitches = np.arange(representation.lowest, representation.highest + 1) - shift
        may_sound = constraints.allows(pitches)
        if not may_sound.any():
            raise ParameterError(_nothing_left(constraints, pitches))
        self._barred = np.zeros(representation.vocab_size)  # added to logits
        self._barred[FIRST_PITCH:][~may_sound] = -np.inf
        self._longest_note = _steps(constraints.hold_bars, grid)  # step
        self._longest_rest = np.maximum(_steps(constraints.rest_bars, grid, least=0), 0)  # step
        self._sounds = np.full(rows, is_over)  # batch
        # Steps the note, or the silence, has lasted. A note that is over has lasted too long.
        self._age = np.full(rows, np.iinfo(np.int64).max if is_over else silent_for)  # batch

    def masked(self, logits: np.ndarray, step: int) -> np.ndarray:
        """Put forbidden tokens of one step to ``-inf``.

        Parameters
        ----------
        logits
            Shape (batch, vocab).
        step
            Step of the grid that is about to be drawn.

        Returns
        -------
        logits : float64 array
            Fresh.
        """
        masked = logits + self._barred  # batch vocab
        rest_limit = self._longest_rest[step]
        limit = np.where(self._sounds, self._longest_note[step], rest_limit)
        masked[self._age >= limit, HOLD] = -np.inf
        # A rest where nothing sounds would say what HOLD says.
        masked[~self._sounds | (rest_limit == 0), REST] = -np.inf
        return masked

    def follow(self, tokens: np.ndarray) -> None:
        """Take note of what was drawn, shape (batch,)."""
        is_hold = tokens == HOLD
        self._sounds = np.where(is_hold, self._sounds, tokens >= FIRST_PITCH)
        self._age = np.where(is_hold, self._age + 1, 1)


def _steps(bars: float | None, grid: Grid, least: int = 1) -> np.ndarray:
    """Turn a length in bars into steps, for each step of the grid by the bar it is in."""
    if bars is None:
        return np.full(len(grid), np.iinfo(np.int64).max)
    return np.maximum((min(bars, 1e6) * grid.bar_steps).astype(np.int64), least)


def _pitch(name: str, value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, str):
        if not NUMBER.fullmatch(value.strip()):
            try:
                return pitch_number(value.strip())
            except NotationError as error:
                raise ParameterError(f"{name}: {error}") from None
        value = int(value)
    pitch = whole(name, value)
    if not LOWEST_PITCH <= pitch <= HIGHEST_PITCH:
        raise ParameterError(
            f"{name} must be a pitch, {LOWEST_PITCH} to {HIGHEST_PITCH} or a name as g3, "
            f"got {pitch}"
        )
    return pitch


def _nothing_left(constraints: Constraints, pitches: np.ndarray) -> str:
    span = (
        f"{pitches[0]}-{pitches[-1]} ({pitch_name_of(pitches[0])} to {pitch_name_of(pitches[-1])})"
    )
    asked = [
        f"{name} {getattr(constraints, name)}"
        for name in ("lowest", "highest", "key")
        if getattr(constraints, name) is not None
    ]
    return f"no pitch is left with {' and '.join(asked)}: this model writes {span} here"


def pitch_name_of(pitch: int, key: Key | None = None) -> str:
    """Name of a pitch, or its number where it has none."""
    return pitch_name(int(pitch), key) if LOWEST_PITCH <= pitch <= HIGHEST_PITCH else str(pitch)
