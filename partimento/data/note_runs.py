"""Runs of notes as hashes: what a model carries of its training pieces, so that copies are found.

A checkpoint's `training.npz` holds, for every place of every training piece, a hash of the five
notes that start there: their intervals and the ratios of their lengths, so that a copy in another
key or tempo has the same hashes. `hashed_runs` makes them, `HashedRuns` reads them, and
`partimento.evaluation.memorisation` looks for runs of them in other music. They are no secret: who
tries every five notes can work out what was hashed.

A large training set gets hashes of 16 bits. One of them alone proves nothing (65,536 values are
soon all taken), two in a row do: six notes are the fewest that are found there, five in a small
set, which gets 32 bits.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from partimento.errors import DataError
from partimento.music.notes import Notes
from partimento.music.score import Score

RATIO_LIMIT = 4095  # of both sides of a ratio of lengths, in lowest terms
STEPS_PER_QUARTER = 24
WINDOW = 4  # steps from note to note in a hash
LARGE = 100_000  # hashes from which on 16 bits must do

_MULTIPLIERS = (  # odd, any
    np.uint64(0x9E3779B97F4A7C15),
    np.uint64(0xC2B2AE3D27D4EB4F),
    np.uint64(0x165667B19E3779F9),
    np.uint64(0xD6E8FEB86659FD93),
)


@dataclass(frozen=True)
class HashedRuns:
    """Hashes of the runs of some melodies.

    Attributes
    ----------
    hashes : uint16 or uint32 array, shape (place,)
        Melody after melody.
    ends : int64 array, shape (melody,)
        Index after the last hash of each melody.
    """

    hashes: np.ndarray
    ends: np.ndarray

    @property
    def shortest(self) -> int:
        """Fewest notes of a shared run that these hashes can prove."""
        return WINDOW + (2 if self.hashes.dtype == np.uint16 else 1)

    @classmethod
    def read(cls, arrays: Mapping[str, np.ndarray], source: str = "training.npz") -> "HashedRuns":
        """Take the arrays of a checkpoint, trusting nothing."""
        hashes, ends = arrays.get("hashes"), arrays.get("ends")
        if (
            hashes is None
            or ends is None
            or hashes.dtype not in (np.uint16, np.uint32)
            or ends.dtype.kind not in "iu"
            or (hashes.ndim, ends.ndim) != (1, 1)
            or not np.array_equal(np.sort(ends), ends)
            or (ends[-1:] != len(hashes)).any()
            or (ends[:1] < 0).any()
        ):
            raise DataError(
                f"{source} holds no hashes of training pieces: it needs `hashes` (uint16 or "
                "uint32) and `ends`, which rise to their number"
            )
        return cls(hashes, ends.astype(np.int64))

    def arrays(self) -> dict[str, np.ndarray]:
        """Give what goes into `training.npz`."""
        return {"hashes": self.hashes, "ends": self.ends.astype(np.uint32)}

    def melodies(self) -> list[np.ndarray]:
        """Hashes of each melody."""
        return np.split(self.hashes, self.ends[:-1]) if len(self.ends) else []


def hashed_runs(scores: Iterable[Score]) -> HashedRuns:
    """Hash the runs of melodies of one part each; a melody that occurs twice is kept once."""
    hashed = [run_hashes(step_codes(s.parts[0].notes, s.ticks_per_quarter)) for s in scores]
    once = list({run.tobytes(): run for run in hashed if len(run)}.values())
    ends = np.cumsum([len(run) for run in once], dtype=np.int64)
    hashes = np.concatenate([*once, np.zeros(0, dtype=np.uint32)])
    return HashedRuns(shortened(hashes, np.uint16) if len(hashes) > LARGE else hashes, ends)


def step_codes(notes: Notes, ticks_per_quarter: int) -> np.ndarray:
    """One integer for each step from a note to the next: the interval and the ratio of lengths.

    A length is the time to the next note; the last note has its own.
    """
    if len(notes) < 2:
        return np.zeros(0, dtype=np.int64)
    ticks = np.append(np.diff(notes.onset), notes.duration[-1])
    length = np.maximum(np.rint(ticks * STEPS_PER_QUARTER / ticks_per_quarter), 1).astype(int)
    common = np.gcd(length[1:], length[:-1])
    above = np.minimum(length[1:] // common, RATIO_LIMIT)
    below = np.minimum(length[:-1] // common, RATIO_LIMIT)
    interval = np.diff(notes.pitch) + 128
    return (interval * (RATIO_LIMIT + 1) + above) * (RATIO_LIMIT + 1) + below


def run_hashes(codes: np.ndarray) -> np.ndarray:
    """Hash every `WINDOW` steps in a row to 32 bits; uint32, one a place."""
    places = len(codes) - WINDOW + 1
    if places < 1:
        return np.zeros(0, dtype=np.uint32)
    mixed = np.zeros(places, dtype=np.uint64)
    for place, multiplier in enumerate(_MULTIPLIERS):
        mixed = (mixed ^ codes[place : place + places].astype(np.uint64)) * multiplier
        mixed ^= mixed >> np.uint64(29)
    return (mixed >> np.uint64(32)).astype(np.uint32)


def shortened(hashes: np.ndarray, dtype: np.dtype | type) -> np.ndarray:
    """Cut hashes of 32 bits to the type of others."""
    return (hashes >> np.uint32(32 - 8 * np.dtype(dtype).itemsize)).astype(dtype)
