"""Windows of whole bars, cut out of melodies, drum parts or quartets: what a VAE learns from.

`melody_windows`, `drum_windows` and `quartet_windows` cut pieces up. Pieces keep their split, so
the windows of one song never lie on both sides. For training, a window that comes several times in
a piece counts once: tunes repeat themselves, and a model that is shown every repeat learns little
else.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from partimento.data.drums import DrumPiece
from partimento.data.loading import Piece
from partimento.data.tracks import TrackPiece
from partimento.errors import DataError
from partimento.music.grid import Grid
from partimento.representations.bars import (
    QUARTET,
    BarsRepresentation,
    cut_windows,
    line_tokens,
)
from partimento.representations.melody import MelodyRepresentation

MOST_OFF_GRID = 0.05  # share of a window's notes: triplets and trills


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of some pieces.

    Attributes
    ----------
    tables : int16 array, shape (window, row, position)
        See `BarsRepresentation`.
    piece : int64 array, shape (window,)
        Number of the piece that each was cut from.
    nearly_silent, repeated, unfit : int
        Windows that were left out: with fewer notes than bars; equal to another of their piece;
        with notes off the grid or beyond the pitches that there are tokens for.
    velocity, offset : float32 arrays, shape (window, bar, position, 9), or None
        Of drums: see `Hits`.
    qpm : float64 array, shape (window,), or None
        Of drums: quarter notes a minute.
    """

    tables: np.ndarray
    piece: np.ndarray
    nearly_silent: int = 0
    repeated: int = 0
    velocity: np.ndarray | None = None
    offset: np.ndarray | None = None
    qpm: np.ndarray | None = None
    unfit: int = 0

    def __len__(self) -> int:
        return len(self.tables)

    def take(self, rows: np.ndarray) -> "Windows":
        """Keep some windows."""
        played = (self.velocity, self.offset, self.qpm)
        velocity, offset, qpm = (None if table is None else table[rows] for table in played)
        return Windows(self.tables[rows], self.piece[rows], 0, 0, velocity, offset, qpm)

    @property
    def digest(self) -> str:
        """SHA-256 of all windows in order: of drums, with how they are played."""
        hasher = hashlib.sha256()
        for table in (self.tables, self.velocity, self.offset, self.qpm):
            if table is not None:
                hasher.update(np.ascontiguousarray(table).tobytes())
        return hasher.hexdigest()


def melody_windows(
    pieces: Sequence[Piece], representation: BarsRepresentation, *, hop: int = 1, all_: bool = False
) -> Windows:
    """Cut melodies up.

    Parameters
    ----------
    hop
        Bars from the beginning of one window to that of the next.
    all_
        Keep windows that repeat another of their piece.
    """
    tokens = representation.tokens
    assert isinstance(tokens, MelodyRepresentation)
    cut = []
    for piece in pieces:
        grid = Grid.of(piece.score, representation.steps_per_quarter)
        notes = piece.score.parts[0].notes
        steps = tokens.encode(notes, piece.score.ticks_per_quarter, steps=len(grid))
        cut.append((cut_windows(steps, grid, representation, hop).tables, None))
    return _joined(cut, representation, keeps_all=all_)


def drum_windows(
    pieces: Sequence[DrumPiece],
    representation: BarsRepresentation,
    *,
    hop: int = 1,
    all_: bool = False,
) -> Windows:
    """Cut drum parts up, with how their strokes were played; see `melody_windows`."""
    cut = []
    for piece in pieces:
        found = cut_windows(piece.hits.tokens, piece.grid, representation, hop)
        # Bars are found by their steps: one that a meter change cuts short may have none at all.
        start = np.searchsorted(piece.grid.bar, found.first_bar)[:, None, None]
        length = piece.grid.bar_steps[start]
        bar = np.arange(representation.bars)[:, None]
        place = np.minimum(np.arange(representation.positions), length - 1)
        where = start + bar * length + place  # window bar position
        played = np.stack([piece.hits.velocity, piece.hits.offset])[:, where]
        is_real = found.tables != representation.pad
        cut.append((found.tables, played * is_real[..., None]))
    windows = _joined(cut, representation, keeps_all=all_)
    qpm = np.array([piece.qpm for piece in pieces], dtype=np.float64)
    return replace(windows, qpm=qpm[windows.piece])


def quartet_windows(
    pieces: Sequence[TrackPiece],
    representation: BarsRepresentation,
    *,
    hop: int = 1,
    all_: bool = False,
) -> Windows:
    """Cut pieces for four parts up; see `melody_windows`."""
    cut, unfit = [], 0
    for piece in pieces:
        steps = len(piece.grid)
        lines = [
            line_tokens(track, representation, steps, is_bass=number == QUARTET - 1)
            for number, track in enumerate(piece.tracks)
        ]
        tokens = np.stack([line for line, _ in lines])
        found = cut_windows(tokens, piece.grid, representation, hop)
        notes = np.zeros(steps + 1, dtype=np.int64)
        faults = np.zeros_like(notes)  # up to each step
        for track, (_, is_unfit) in zip(piece.tracks, lines, strict=True):
            inside = track.onset < steps
            notes[1:] += np.bincount(track.onset[inside], minlength=steps)
            faults[1:] += np.bincount(track.onset[inside & track.is_off], minlength=steps)
            faults[1:] += steps * is_unfit  # one is enough
        start = np.searchsorted(piece.grid.bar, found.first_bar)
        end = start + representation.bars * piece.grid.bar_steps[start]
        notes, faults = notes.cumsum(), faults.cumsum()
        is_fit = faults[end] - faults[start] <= MOST_OFF_GRID * (notes[end] - notes[start])
        unfit += int((~is_fit).sum())
        cut.append((found.tables[is_fit], None))
    return replace(_joined(cut, representation, keeps_all=all_), unfit=unfit)


def _joined(
    cut: Iterable[tuple[np.ndarray, np.ndarray | None]],
    representation: BarsRepresentation,
    *,
    keeps_all: bool,
) -> Windows:
    tables, played, pieces = [], [], []
    silent = repeated = 0
    for number, (found, how) in enumerate(cut):
        is_heard = representation.is_onset(found).sum(axis=(1, 2)) >= representation.bars
        kept = np.flatnonzero(is_heard)
        silent += len(found) - len(kept)
        if not keeps_all and len(kept):
            flat = found[kept].reshape(len(kept), -1)
            first = np.sort(np.unique(flat, axis=0, return_index=True)[1])
            repeated += len(kept) - len(first)
            kept = kept[first]
        tables.append(found[kept].astype(np.int16))
        pieces.append(np.full(len(kept), number))
        if how is not None:
            played.append(how[:, kept].astype(np.float32))
    if not tables:
        shape = (0, representation.rows, representation.positions)
        return Windows(np.zeros(shape, dtype=np.int16), np.zeros(0, dtype=np.int64))
    if not played:
        return Windows(np.concatenate(tables), np.concatenate(pieces), silent, repeated)
    velocity, offset = np.concatenate(played, axis=1)
    return Windows(
        np.concatenate(tables), np.concatenate(pieces), silent, repeated, velocity, offset
    )


def check_enough(train: Windows, valid: Windows, representation: BarsRepresentation) -> None:
    """Raise `DataError` where there is nothing to learn from, or nothing held out."""
    if len(train) and len(valid):
        return
    what = {"drums": "drum parts", "quartet": "quartets"}.get(representation.kind, "melodies")
    bars = representation.bars
    raise DataError(
        f"the {what} have {len(train)} windows of {bars} bars to train on and {len(valid)} to "
        f"judge by: both are needed, so five different pieces of {bars} bars or more. `partimento "
        "data` says what was left out, and why"
    )
