"""`PianoRollRepresentation`: which keys of a piano sound at each step of a grid.

A frame is 88 values, the lowest key first:

| value | means |
|---|---|
| 0 | the key rests |
| 1 | the key sounds, whether its note began here or before |

What does not survive the round trip: a note repeated without a gap reads as one that is held, notes
shorter than a step last a whole one, and velocities, parts and pitches that a piano lacks are gone.

References
----------
Boulanger-Lewandowski, Bengio and Vincent, "Modeling Temporal Dependencies in High-Dimensional
Sequences", ICML 2012: the frames of its benchmarks.
"""

from dataclasses import dataclass

import numpy as np

from partimento.errors import VocabularyError
from partimento.music.grid import check_steps_per_quarter
from partimento.music.notes import Notes
from partimento.music.pitches import pitch_name
from partimento.music.timing import steps_to_ticks, ticks_to_steps

KEYS = 88
LOWEST_KEY = 21  # A0


@dataclass(frozen=True)
class PianoRollRepresentation:
    """The 88 keys of a piano on a grid.

    Attributes
    ----------
    steps_per_quarter : int
        1 is a grid of quarters.
    """

    steps_per_quarter: int = 4

    def __post_init__(self) -> None:
        check_steps_per_quarter(self.steps_per_quarter)

    @property
    def vocab_size(self) -> int:
        """Values of a cell: rests, sounds."""
        return 2

    def encode(
        self, notes: Notes, ticks_per_quarter: int, *, steps: int | None = None
    ) -> np.ndarray:
        """Write notes as frames; uint8, shape (step, 88).

        Parameters
        ----------
        steps
            Length; by default up to the last note's end.

        Raises
        ------
        VocabularyError
            If a piano has no key for a pitch.
        """
        scale = ticks_per_quarter, self.steps_per_quarter
        outside = (notes.pitch < LOWEST_KEY) | (notes.pitch >= LOWEST_KEY + KEYS)
        if outside.any():
            pitch = int(notes.pitch[outside.argmax()])
            raise VocabularyError(
                f"{pitch_name(pitch)} is no key of a piano, which spans "
                f"{pitch_name(LOWEST_KEY)} to {pitch_name(LOWEST_KEY + KEYS - 1)}. Transpose the "
                "piece"
            )
        onset = ticks_to_steps(notes.onset, *scale)
        offset = np.maximum(ticks_to_steps(notes.offset, *scale), onset + 1)
        steps = int(offset.max(initial=0)) if steps is None else steps
        # Count what begins and what ends at each step: where more began than ended, a key sounds.
        turns = np.zeros((steps + 1, KEYS), dtype=np.int64)
        key = notes.pitch - LOWEST_KEY
        np.add.at(turns, (np.minimum(onset, steps), key), 1)
        np.add.at(turns, (np.minimum(offset, steps), key), -1)
        return (turns.cumsum(axis=0)[:steps] > 0).astype(np.uint8)

    def decode(self, roll: np.ndarray, ticks_per_quarter: int = 480) -> Notes:
        """Read frames as notes: a key that sounds on sounds as one note."""
        roll = np.asarray(roll)
        if roll.ndim != 2 or roll.shape[1] != KEYS or not np.isin(roll, (0, 1)).all():
            raise VocabularyError(
                f"a piano roll is a table of steps by {KEYS} of zeros and ones, got {roll.shape}"
            )
        silence = np.zeros((1, KEYS), dtype=np.int64)
        turns = np.diff(np.concatenate([silence, roll, silence]).astype(np.int64), axis=0).T
        key, onset = np.nonzero(turns > 0)  # sorted by key, as the ends are
        _, offset = np.nonzero(turns < 0)
        scale = ticks_per_quarter, self.steps_per_quarter
        start, stop = steps_to_ticks(onset, *scale), steps_to_ticks(offset, *scale)
        return Notes(start, stop - start, key + LOWEST_KEY)

    def transposed(self, roll: np.ndarray, semitones: int) -> np.ndarray:
        """Move frames; the caller knows they have room (see `room`)."""
        return np.roll(roll, semitones, axis=1)

    def room(self, roll: np.ndarray) -> tuple[int, int]:
        """Semitones that frames can move down (as a negative number) and up."""
        keys = np.flatnonzero(np.asarray(roll).any(axis=0))
        return (-int(keys[0]), KEYS - 1 - int(keys[-1])) if len(keys) else (0, 0)
