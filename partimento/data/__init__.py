"""Data: melodies out of folders, archives and named sets, split and counted.

Start with `load_melodies`; `MelodyRules` says what counts as a melody, `DataReport` what was kept
and what was left out and why.
"""

from partimento.data.loading import MelodyData, Piece, load_melodies
from partimento.data.melodies import MelodyRules
from partimento.data.report import DataReport

__all__ = ["DataReport", "MelodyData", "MelodyRules", "Piece", "load_melodies"]
