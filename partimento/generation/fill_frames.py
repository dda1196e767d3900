"""A network that fills in, asked as a causal one would be: frame after frame, voice after voice.

`FillFrames` looks like `partimento.generation.frame_engine.Frames`, so that what comes next is
found in the same way for both. It reads the last `WINDOW` steps and one frame more, of which some
voices are known, and is not told whether the piece ends there.
"""

import numpy as np

from partimento.generation.fill_engine import FillEngine
from partimento.generation.gibbs import FillTask, fill
from partimento.generation.sampling import Sampling
from partimento.generation.voice_rules import VoiceRules
from partimento.music.four_voices import VOICES
from partimento.representations.satb import SatbRepresentation

WINDOW = 96  # steps that are read
ORDER = (0, 3, 1, 2)  # in which the voices of a frame are chosen


class FillFrames:
    """Pieces under way. Made by `start_filling`.

    Attributes
    ----------
    engine : FillFrames
        Itself.
    representation : SatbRepresentation
    order : tuple of int
    """

    def __init__(
        self, engine: FillEngine, cells: np.ndarray, first: int, key: int | None, before: int = 0
    ) -> None:
        self._engine, self._cells = engine, cells  # batch step voice
        self._first, self._key, self._before = first, key, before
        self.representation: SatbRepresentation = engine.representation
        self.order = ORDER
        self.engine = self

    @property
    def last(self) -> np.ndarray:
        """Cells of the last frame of each piece, shape (batch, voice)."""
        return self._cells[:, -1]

    def begin(self, key: int | None = None) -> None:
        """Begin the next frame: nothing has to be prepared."""

    def logits(self, voice: int, seen: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
        """Logits of one voice's cell in this frame; float32, shape (batch, vocab).

        Parameters
        ----------
        seen
            Cells that are chosen, `unknown` where none is yet; shape (batch, voice).
        rows
            Pieces that the rows of `seen` belong to; by default each to its own.
        """
        past = self._cells if rows is None else self._cells[rows]
        cells = np.concatenate([past, seen[:, None]], axis=1)
        found = self._engine.logits(
            cells, first=self._first, key=self._key, before=self._before, after=None
        )
        logits: np.ndarray = found[:, -1, voice]
        return logits

    def add(self, tokens: np.ndarray) -> None:
        """Say what this frame has become, shape (batch, voice)."""
        self._cells = np.concatenate([self._cells, tokens[:, None]], axis=1)
        self._cut()

    def take(self, rows: np.ndarray) -> "FillFrames":
        """Begin new pieces where some of these stand now, each as often as wanted."""
        return FillFrames(self._engine, self._cells[rows], self._first, self._key, self._before)

    def _cut(self) -> None:
        """Forget what is too long ago."""
        over = max(0, self._cells.shape[1] - WINDOW)
        self._cells, self._before = self._cells[:, over:], self._before + over


def start_filling(engine: FillEngine, task: FillTask, seed: int) -> FillFrames:
    """Begin where a piece stops; what is hidden of it is written first, by the seed."""
    cells = np.asarray(task.cells)
    if task.is_hidden.any():
        (cells,) = fill(engine, task, [seed], Sampling(), VoiceRules())
    assert cells.shape[1] == len(VOICES)
    frames = FillFrames(engine, cells[None], task.first, task.key)
    frames._cut()
    return frames
