"""Bach's chorales as the benchmark holds them: four voices on a sixteenth grid, split.

`load_chorales` reads the set `jsb-chorales` of the corpora. Its grid tells neither held notes from
repeated ones nor meters, keys or fermatas: `struck_by_beat` guesses the first, and every chorale
begins on a beat, which is all that is known of its bars.
"""

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from partimento.data.sources import SPLITS, arrays_of, manifest_of
from partimento.music.four_voices import FourVoices, struck_by_beat

CHORALES = "jsb-chorales"


@dataclass(frozen=True)
class VoicePiece:
    """One piece for four voices to learn from.

    Attributes
    ----------
    name : str
    source : str
        As it was asked for.
    split : str
        ``"train"``, ``"valid"`` or ``"test"``.
    voices : FourVoices
    """

    name: str
    source: str
    split: str
    voices: FourVoices


def load_chorales(root: Path | None = None) -> list[VoicePiece]:
    """Read the 382 chorales, in the order of the benchmark: training, validation, test.

    Parameters
    ----------
    root
        Folder of the corpora; by default where `partimento.data.sources.data_root` finds it.

    Raises
    ------
    DataError
        If the set is not there, or its file is not the one its manifest names.
    """
    folder, manifest = manifest_of(CHORALES, root)
    arrays = arrays_of(folder / manifest["archive"], manifest["archive_sha256"])
    pieces = []
    for split in SPLITS:
        pitch = arrays[f"{split}_satb"].astype(np.int64)  # step voice
        edges = arrays[f"{split}_offsets"].tolist()
        for number, (start, stop) in enumerate(itertools.pairwise(edges)):
            table = pitch[start:stop]
            voices = FourVoices(table, struck_by_beat(table))
            pieces.append(VoicePiece(f"{split}/{number:03d}", CHORALES, split, voices))
    return pieces
