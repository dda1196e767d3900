"""`SatbRepresentation`: four voices on a grid, one token a cell of step and voice.

Without holds, a cell says what sounds:

| token | means |
|---|---|
| 0 `REST` | the voice rests |
| 1 + (pitch - lowest) | this pitch sounds, whether it began here or before |

These are the cells of the JSB-Chorales benchmark (46 pitches and rest), whose grid does not tell a
held note from a repeated one. With ``holds=True`` a cell says what happens, and nothing is lost:

| token | means |
|---|---|
| 0 `REST` | the voice rests |
| 1 `HOLD` | the note before sounds on |
| 2 + (pitch - lowest) | a note of this pitch begins |

A cell may stand for nothing yet, for networks that fill in: `unknown`, the token after the last.
Besides the cells, networks may read where a step stands (`positions`) and how far the end is
(`countdown`); there is no meter in the benchmark, so places are counted from the first beat.

References
----------
Boulanger-Lewandowski, Bengio and Vincent, "Modeling Temporal Dependencies in High-Dimensional
Sequences", ICML 2012 (the split); Huang et al., "Counterpoint by Convolution", ISMIR 2017 (the
cells).
"""

from dataclasses import dataclass

import numpy as np

from partimento.errors import ParameterError, VocabularyError
from partimento.music.four_voices import SILENT, VOICES, FourVoices, struck_by_beat
from partimento.music.grid import check_steps_per_quarter
from partimento.music.pitches import pitch_name

REST, HOLD = 0, 1
QUARTERS_IN_CYCLE = 4  # places are counted in cycles of so many quarters


@dataclass(frozen=True)
class SatbRepresentation:
    """Four voices of a span of pitches on a grid.

    Attributes
    ----------
    steps_per_quarter : int
        4 is a sixteenth grid.
    lowest, highest : int
        Pitches that have a token, both included. The default 46 are those of Bach's chorales.
    holds : bool
        Whether a held note has a token of its own.
    """

    steps_per_quarter: int = 4
    lowest: int = 36
    highest: int = 81
    holds: bool = False

    def __post_init__(self) -> None:
        check_steps_per_quarter(self.steps_per_quarter)
        if not 0 <= self.lowest <= self.highest <= 127:
            raise ParameterError(
                f"lowest and highest must be 0-127 in this order, got {self.lowest}-{self.highest}"
            )

    @property
    def first_pitch(self) -> int:
        """Token of the lowest pitch."""
        return HOLD + 1 if self.holds else HOLD

    @property
    def vocab_size(self) -> int:
        """Tokens that music is written with."""
        return self.first_pitch + self.highest - self.lowest + 1

    @property
    def unknown(self) -> int:
        """Token of a cell that is not known; networks read it and never write it."""
        return self.vocab_size

    @property
    def cycle(self) -> int:
        """How many places `positions` tells apart."""
        return QUARTERS_IN_CYCLE * self.steps_per_quarter

    def encode(self, voices: FourVoices) -> np.ndarray:
        """Write voices as tokens; int64, shape (step, voice).

        Raises
        ------
        VocabularyError
            If a pitch has no token, or the grid is another.
        """
        if voices.steps_per_quarter != self.steps_per_quarter:
            raise VocabularyError(
                f"the voices stand on a grid of {voices.steps_per_quarter} steps a quarter, this "
                f"representation on one of {self.steps_per_quarter}: lay the notes on that"
            )
        pitch = voices.pitch
        outside = (pitch != SILENT) & ((pitch < self.lowest) | (pitch > self.highest))
        if outside.any():
            step, voice = np.argwhere(outside)[0].tolist()
            raise VocabularyError(
                f"{pitch_name(int(pitch[step, voice]))} of the {VOICES[voice]} at step {step} has "
                f"no token: this vocabulary spans {pitch_name(self.lowest)} to "
                f"{pitch_name(self.highest)}. Transpose the piece"
            )
        tokens = np.where(pitch == SILENT, REST, pitch - self.lowest + self.first_pitch)
        if self.holds:
            tokens = np.where((pitch != SILENT) & ~voices.is_struck, HOLD, tokens)
        return tokens

    def decode(
        self, tokens: np.ndarray, *, first: int = 0, lead: np.ndarray | None = None
    ) -> FourVoices:
        """Read tokens as voices; any tokens will do.

        A hold with nothing to hold is a rest. Without holds, notes begin where
        `partimento.music.four_voices.struck_by_beat` says.

        Parameters
        ----------
        tokens
            Below `vocab_size`, shape (step, voice).
        first, lead
            See `struck_by_beat`.
        """
        tokens = np.asarray(tokens, dtype=np.int64)
        if tokens.size and not 0 <= tokens.min() <= tokens.max() < self.vocab_size:
            raise VocabularyError(
                f"tokens must be 0 to {self.vocab_size - 1}, got {tokens.min()} to {tokens.max()}"
            )
        is_note = tokens >= self.first_pitch
        pitch = np.where(is_note, tokens - self.first_pitch + self.lowest, SILENT)
        if not self.holds:
            struck = struck_by_beat(pitch, self.steps_per_quarter, first, lead)
            return FourVoices(pitch, struck, self.steps_per_quarter, first)
        steps = np.arange(len(tokens))[:, None]
        said = np.maximum.accumulate(np.where(tokens != HOLD, steps, -1), axis=0)  # step voice
        held = np.take_along_axis(pitch, np.maximum(said, 0), axis=0)
        pitch = np.where(said >= 0, held, SILENT)
        return FourVoices(pitch, is_note, self.steps_per_quarter, first)

    def transposed(self, tokens: np.ndarray, semitones: int) -> np.ndarray:
        """Move tokens; the caller knows they have room (see `room`)."""
        is_note = (tokens >= self.first_pitch) & (tokens < self.vocab_size)
        return np.where(is_note, tokens + semitones, tokens)

    def room(self, tokens: np.ndarray) -> tuple[int, int]:
        """Semitones that tokens can move down (as a negative number) and up."""
        notes = tokens[(tokens >= self.first_pitch) & (tokens < self.vocab_size)]
        if not len(notes):
            return 0, 0
        return self.first_pitch - int(notes.min()), self.vocab_size - 1 - int(notes.max())

    def positions(self, steps: int, first: int = 0) -> np.ndarray:
        """Place of each step in a cycle of four quarters from the first beat, 0 to `cycle` - 1.

        Parameters
        ----------
        first
            Where the first step stands in its beat: an upbeat shorter than a beat stands at the
            end of the cycle, so that the first beat is place 0.
        """
        return np.asarray(self.position(np.arange(steps), first))

    def position(self, step: int | np.ndarray, first: int = 0) -> int | np.ndarray:
        """Place of one step: see `positions`."""
        before = -first % self.steps_per_quarter  # steps of the upbeat
        return (step - before) % self.cycle

    def countdown(self, steps: int, most: int) -> np.ndarray:
        """Quarters left after each step's own, `most` at most: 0 in the last quarter."""
        left = (steps - 1 - np.arange(steps)) // self.steps_per_quarter
        return np.minimum(left, most)
