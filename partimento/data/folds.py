"""Folds: a small set of melodies dealt out so that each can be held out once.

Where a tenth of a folder would be two tunes, one number about them says little. Cross-validation
(Stone, 1974) trains several times, each time without one fold, and sums over all.
"""

from collections.abc import Sequence

from partimento.data.fingerprints import fingerprint, sketch
from partimento.data.loading import Piece
from partimento.data.splits import clusters
from partimento.music.timing import ticks_to_steps

FOLDS = 4  # where nobody says otherwise
STEPS_PER_QUARTER = 24


def deal(pieces: Sequence[Piece], count: int = FOLDS) -> list[list[Piece]]:
    """Deal pieces to folds of about as many notes; melodies that are alike stay together.

    Parameters
    ----------
    pieces
        Melodies of one part, in any order; the folds depend on it only where sizes are equal.
    count
        Folds wanted. Fewer come back where the pieces are not different enough.
    """
    files = [(piece.source, piece.name.partition("#")[0]) for piece in pieces]
    fingerprints, sketches = [], []
    for piece in pieces:
        notes = piece.score.parts[0].notes
        onset_step = ticks_to_steps(notes.onset, piece.score.ticks_per_quarter, STEPS_PER_QUARTER)
        fingerprints.append(fingerprint(onset_step, notes.pitch))
        sketches.append(sketch(notes.pitch))
    members: dict[int, list[Piece]] = {}
    for piece, number in zip(pieces, clusters(files, fingerprints, sketches), strict=True):
        members.setdefault(number, []).append(piece)
    folds: list[list[Piece]] = [[] for _ in range(count)]
    for group in sorted(members.values(), key=_notes, reverse=True):
        min(folds, key=_notes).extend(group)
    return [fold for fold in folds if fold]


def _notes(pieces: Sequence[Piece]) -> int:
    return sum(piece.score.num_notes for piece in pieces)
