"""What written voices may do: keep to ranges, not cross, no parallels. Start at `VoiceRules`.

Rules are about cells that a model writes; what was given stays as it is.
"""

from dataclasses import dataclass

import numpy as np

from partimento.errors import GenerationError
from partimento.music.four_voices import RANGES, VOICES
from partimento.music.pitches import pitch_name
from partimento.representations.satb import REST, SatbRepresentation

UNISON, FIFTH = 0, 7  # in semitones, octaves apart or not


@dataclass(frozen=True)
class VoiceRules:
    """Rules for written cells.

    Attributes
    ----------
    keep_ranges : bool
        Each voice keeps to the range that Bach gives it.
    no_crossing : bool
        No voice goes above the one over it; unisons are allowed.
    no_parallels : bool
        No two voices move in one direction from a perfect fifth, octave or unison to another, as
        long as a voice has any other way to go.
    """

    keep_ranges: bool = True
    no_crossing: bool = False
    no_parallels: bool = True


class VoiceWatch:
    """Says which tokens a voice may take in a frame.

    Parameters
    ----------
    rules : VoiceRules
    representation : SatbRepresentation
        Without holds.
    """

    def __init__(self, rules: VoiceRules, representation: SatbRepresentation) -> None:
        self.rules, self.representation = rules, representation
        tokens = np.arange(representation.vocab_size)
        pitches = tokens - representation.first_pitch + representation.lowest
        self._in_range = np.ones((len(VOICES), len(tokens)), dtype=bool)  # voice vocab
        if rules.keep_ranges:
            for voice, (low, high) in enumerate(RANGES):
                self._in_range[voice] = (pitches >= low) & (pitches <= high)
            self._in_range[:, REST] = True

    def masked(
        self,
        logits: np.ndarray,
        voice: int,
        cells: np.ndarray,
        before: np.ndarray | None,
        *,
        may_rest: bool,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Put tokens that a voice may not take to ``-inf``.

        Parameters
        ----------
        cells
            What is known of the frame, `unknown` elsewhere; shape (batch, voice).
        before
            The frame before, `None` at the beginning; shape (batch, voice).

        Returns
        -------
        logits : float64 array, shape (batch, vocab)
        is_stuck : bool array, shape (batch,)
            Where nothing is left to take; logits are as they were there.
        """
        allowed = np.broadcast_to(self._in_range[voice], logits.shape).copy()
        allowed[:, REST] = may_rest
        if self.rules.no_crossing:
            low, high = self._room(voice, cells)
            tokens = np.arange(logits.shape[1])
            is_between = (tokens >= low[:, None]) & (tokens <= high[:, None])
            allowed &= is_between | (tokens == REST)
        if self.rules.no_parallels and before is not None:
            parallel = parallels(voice, cells, before, self.representation)
            allowed = unless_stuck(allowed, parallel)
        is_stuck: np.ndarray = np.logical_not(allowed.any(axis=1))
        allowed |= is_stuck[:, None]
        return np.where(allowed, logits.astype(np.float64), -np.inf), is_stuck

    def _room(self, voice: int, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest token between the voices below and above; shape (batch,)."""
        is_pitch = (cells > REST) & (cells != self.representation.unknown)
        top = self.representation.vocab_size - 1
        below = np.where(is_pitch, cells, 0)[:, voice + 1 :].max(axis=1, initial=0)
        above = np.where(is_pitch, cells, top)[:, :voice].min(axis=1, initial=top)
        return below, above

    def nothing_left(self, voice: int, cells: np.ndarray, step: int) -> GenerationError:
        """Say that a voice cannot go on in a frame, shape (voice,)."""
        low, high = (int(edge[0]) for edge in self._room(voice, cells[None]))
        base = self.representation.lowest - self.representation.first_pitch
        room = f"{pitch_name(max(low, 1) + base)}-{pitch_name(high + base)}"
        low, high = RANGES[voice]
        return GenerationError(
            f"the {VOICES[voice]} has no pitch left at step {step}: its neighbours leave "
            f"{room}, its range is {pitch_name(low)}-{pitch_name(high)}. Allow crossing, or move "
            "the given voices"
        )


def parallels(
    voice: int, cells: np.ndarray, beside: np.ndarray, representation: SatbRepresentation
) -> np.ndarray:
    """Tokens with which a voice would move in parallel with another that is known.

    Parameters
    ----------
    cells
        What is known of the frame, `unknown` elsewhere; shape (batch, voice).
    beside
        The same of the frame before, or of the one after: parallels are the same backwards.

    Returns
    -------
    is_parallel : bool array, shape (batch, vocab)
    """
    tokens = np.arange(representation.vocab_size)
    cells, beside = (np.where(c == representation.unknown, REST, c) for c in (cells, beside))
    mine = beside[:, voice, None]
    moves = np.sign(tokens - mine)  # batch vocab
    found = np.zeros(moves.shape, dtype=bool)
    for other in range(len(VOICES)):
        if other == voice:
            continue
        there, here = beside[:, other, None], cells[:, other, None]
        sounds = (mine > REST) & (there > REST) & (here > REST)
        interval = (mine - there) * np.sign(other - voice) % 12  # of upper over lower voice
        is_same = (tokens - here) * np.sign(other - voice) % 12 == interval
        together = (np.sign(here - there) == moves) & (moves != 0)
        found |= sounds & np.isin(interval, (UNISON, FIFTH)) & is_same & together
    found[:, REST] = False
    return found


def unless_stuck(allowed: np.ndarray, forbidden: np.ndarray) -> np.ndarray:
    """Take what is forbidden from what is allowed, in rows where something else is left."""
    free = allowed & ~forbidden
    left: np.ndarray = np.where(free.any(axis=1, keepdims=True), free, allowed)
    return left
