"""How far `next` can be believed: its certainties on held-out chorales, and what really came.

After every beat of each piece a model is asked which frame comes next. For each voice the likeliest
pitch is taken with its probability, and so are the likeliest frame of all four voices and the
likeliest chord; `evaluation.calibration` says how often they are right when that much was said.
Where nothing comes any more, what was said counts as wrong.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from partimento.evaluation.calibration import Reliability, reliability
from partimento.generation.next_voices import NextVoices
from partimento.music.chords import chord_of
from partimento.music.four_voices import SILENT, VOICES, FourVoices, changes


class Foretelling(Protocol):
    """A model that says what comes next along pieces."""

    def next_along(
        self, pieces: Sequence[FourVoices], every: int = 4
    ) -> Iterator[tuple[int, int, NextVoices]]:
        """Say which frame comes next after so many steps of a piece."""


def certainty(
    model: Foretelling, pieces: Sequence[FourVoices], every: int = 4
) -> dict[str, Reliability]:
    """Make reliability tables of what a model says comes next.

    Returns
    -------
    tables
        ``"voices"`` over all four, one by the name of each voice, ``"together"`` for whole frames
        and ``"chord"``.
    """
    said: dict[str, list[tuple[float, bool]]] = {}
    follows = [_next_frames(voices) for voices in pieces]
    for piece, step, following in model.next_along(pieces, every):
        frame = follows[piece][step - 1]
        for number, voice in enumerate(VOICES):
            choice = following.voice(voice, 1)[0]
            pitch = SILENT if choice.pitch is None else choice.pitch
            is_right = frame is not None and pitch == frame[number]
            said.setdefault(voice, []).append((choice.probability, is_right))
        whole = following.frames[0].tolist()
        together = (float(following.probabilities[0]), frame is not None and whole == list(frame))
        said.setdefault("together", []).append(together)
        name, share = following.chords(1)[0]
        said.setdefault("chord", []).append((share, frame is not None and name == _chord(frame)))
    said["voices"] = [pair for voice in VOICES for pair in said[voice]]
    tables = {}
    for name in ("voices", *VOICES, "together", "chord"):
        pairs = np.array(said[name], dtype=np.float64)
        tables[name] = reliability(np.minimum(pairs[:, 0], 1.0), pairs[:, 1] > 0)
    return tables


def _next_frames(voices: FourVoices) -> list[tuple[int, ...] | None]:
    """Find the frame that follows each step's; `None` where that lasts to the end."""
    moves: np.ndarray = np.any(changes(voices.pitch), axis=1)
    found: list[tuple[int, ...] | None] = [None] * len(voices)
    following = None
    for step in range(len(voices) - 1, -1, -1):
        found[step] = following
        if moves[step]:
            following = tuple(voices.pitch[step].tolist())
    return found


def _chord(frame: tuple[int, ...]) -> str:
    chord = chord_of([pitch for pitch in frame if pitch != SILENT])
    return "rest" if chord is None else chord.name()
