"""`DrumsRepresentation`: a step of nine drums as one token, the set of those that are struck.

Which instruments are which drum, and how velocity and micro-timing are kept beside the tokens, is
said in `partimento.music.drums`.

References
----------
Roberts et al., "MusicVAE", ICML 2018 (sets of nine drums as 512 tokens).
"""

from dataclasses import dataclass

import numpy as np

from partimento.errors import VocabularyError
from partimento.music.drums import (
    DRUMS,
    PLAYED,
    Hits,
    hits_of,
    lay_strokes,
    without_overlap,
)
from partimento.music.grid import check_steps_per_quarter
from partimento.music.notes import Notes
from partimento.music.timing import steps_to_ticks

USUAL_VELOCITY = 0.75


@dataclass(frozen=True)
class DrumsRepresentation:
    """Nine drums on a grid.

    Attributes
    ----------
    steps_per_quarter : int
    """

    steps_per_quarter: int = 4

    def __post_init__(self) -> None:
        check_steps_per_quarter(self.steps_per_quarter)

    @property
    def vocab_size(self) -> int:
        """Sets of nine drums."""
        return 1 << len(DRUMS)

    def encode(self, notes: Notes, ticks_per_quarter: int = 480, steps: int | None = None) -> Hits:
        """Lay strokes on the grid: see `partimento.music.drums.lay_strokes`."""
        return lay_strokes(notes, ticks_per_quarter, self.steps_per_quarter, steps)

    def decode(
        self,
        tokens: np.ndarray,
        ticks_per_quarter: int = 480,
        *,
        velocity: np.ndarray | None = None,
        offset: np.ndarray | None = None,
    ) -> Notes:
        """Read tokens as strokes, each as long as a step, or until the next of its drum.

        Parameters
        ----------
        velocity, offset
            Of each step and drum, as in `Hits`; by default even and on the grid.
        """
        tokens = np.asarray(tokens, dtype=np.int64)
        if ((tokens < 0) | (tokens >= self.vocab_size)).any():
            raise VocabularyError(f"tokens must be 0 to {self.vocab_size - 1}")
        step, drum = np.nonzero(hits_of(tokens))
        onset = steps_to_ticks(step, ticks_per_quarter, self.steps_per_quarter)
        length = max(1, ticks_per_quarter // self.steps_per_quarter)
        if offset is not None:
            moved = np.rint(offset[step, drum].astype(np.float64) * length).astype(np.int64)
            onset = np.maximum(onset + moved, 0)
        loud = np.full(len(step), USUAL_VELOCITY) if velocity is None else velocity[step, drum]
        order = np.lexsort((PLAYED[drum], onset))
        return without_overlap(
            Notes(
                onset[order],
                np.full(len(step), length),
                PLAYED[drum][order],
                np.clip(np.rint(loud[order] * 127), 1, 127).astype(np.int64),
            )
        )
