"""The piano-roll benchmarks: three corpora as frames of 88 keys, in their published splits.

`load_rolls` reads one of them from the set `roll-benchmarks` of the corpora, and checks that it is
the file its manifest names. The rolls of `jsb` (a frame a quarter) and `nottingham` stand in a
common key, those of `piano-midi` in their own.

References
----------
Boulanger-Lewandowski, Bengio and Vincent, "Modeling Temporal Dependencies in High-Dimensional
Sequences", ICML 2012.
"""

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from partimento.data.sources import SPLITS, arrays_of, manifest_of
from partimento.errors import ParameterError

BENCHMARKS = "roll-benchmarks"
ROLL_SETS = {"jsb": "jsb-quarter", "nottingham": "nottingham", "piano-midi": "piano-midi"}
KEYS = 88


@dataclass(frozen=True)
class Rolls:
    """One benchmark.

    Attributes
    ----------
    name : str
    sha256 : str
        Of its file.
    train, valid, test : tuple of uint8 array, each of shape (step, 88)
        Zeros and ones, the lowest key (MIDI 21) first.
    """

    name: str
    sha256: str
    train: tuple[np.ndarray, ...]
    valid: tuple[np.ndarray, ...]
    test: tuple[np.ndarray, ...]

    def split(self, name: str) -> tuple[np.ndarray, ...]:
        """Give the pieces of one split."""
        if name not in SPLITS:
            raise ParameterError(f"split must be {', '.join(SPLITS)}, got {name!r}")
        pieces: tuple[np.ndarray, ...] = getattr(self, name)
        return pieces


def load_rolls(name: str, root: Path | None = None) -> Rolls:
    """Read one benchmark: ``"jsb"``, ``"nottingham"`` or ``"piano-midi"``.

    Parameters
    ----------
    root
        Folder of the corpora; by default where `partimento.data.sources.data_root` finds it.

    Raises
    ------
    DataError
        If the set is not there, or its file is not the one its manifest names.
    """
    if name not in ROLL_SETS:
        raise ParameterError(f"the piano-roll sets are {', '.join(ROLL_SETS)}, got {name!r}")
    folder, manifest = manifest_of(BENCHMARKS, root)
    about = manifest["sets"][ROLL_SETS[name]]
    arrays = arrays_of(folder / about["file"], about["sha256"])
    train, valid, test = (
        _pieces(arrays[f"{split}_bits"], arrays[f"{split}_offsets"]) for split in SPLITS
    )
    return Rolls(name, about["sha256"], train, valid, test)


def _pieces(bits: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, ...]:
    frames = np.unpackbits(bits, axis=1)[:, :KEYS]
    frames.flags.writeable = False
    return tuple(frames[start:stop] for start, stop in itertools.pairwise(offsets.tolist()))
