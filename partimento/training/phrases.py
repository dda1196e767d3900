"""Phrases: a few whole bars of several instruments, cut out of pieces, as a GAN is shown them.

`cut_phrases` cuts pieces up; pieces keep their split, so phrases of one never lie on both sides.
Each phrase is moved to C major or A minor (`representations.phrases`).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from partimento.data.tracks import TrackPiece
from partimento.errors import DataError
from partimento.music.track_rolls import PITCHES, lay_tracks
from partimento.representations.phrases import SUSTAIN, PhraseRepresentation, in_c

FEWEST_NOTES = 2  # a bar, all tracks together
MOST_OFF_GRID = 0.05  # share of a phrase's notes: triplets and trills
FEWEST_PHRASES = 64


@dataclass(frozen=True, eq=False)
class Phrases:
    """Phrases of some pieces.

    Attributes
    ----------
    packed : uint8 array, shape (phrase, 2, track, step, pitch / 8)
        Rolls, eight pitches a byte.
    piece : int64 array, shape (phrase,)
        Number of the piece that each was cut from.
    pitches : int
    silent, off_grid, out_of_range : int
        Phrases that were left out: with a bar of silence, or hardly a note; with too many notes
        off the grid; with notes beyond the rolls.
    """

    packed: np.ndarray
    piece: np.ndarray
    pitches: int
    silent: int = 0
    off_grid: int = 0
    out_of_range: int = 0

    def __len__(self) -> int:
        return len(self.packed)

    def rolls(self, rows: np.ndarray | slice) -> np.ndarray:
        """Unpack some: bool, (phrase, 2, track, step, pitch)."""
        found = np.unpackbits(self.packed[rows], axis=-1, count=self.pitches)
        return np.asarray(found.astype(bool))

    @property
    def digest(self) -> str:
        """SHA-256 of all phrases in order."""
        return hashlib.sha256(np.ascontiguousarray(self.packed).tobytes()).hexdigest()

    @property
    def left_out(self) -> dict[str, int]:
        """Why phrases were left out, and how many."""
        return {
            "silent": self.silent,
            "off the grid": self.off_grid,
            "out of range": self.out_of_range,
        }


def cut_phrases(
    pieces: Sequence[TrackPiece], representation: PhraseRepresentation, *, hop: int = 1
) -> Phrases:
    """Cut pieces up.

    Parameters
    ----------
    hop
        Bars from the beginning of one phrase to that of the next.
    """
    made, numbers = [], []
    counts = np.zeros(3, dtype=np.int64)
    for number, piece in enumerate(pieces):
        phrases, left_out = _of_piece(piece, representation, hop)
        made.append(np.packbits(phrases, axis=-1))
        numbers.append(np.full(len(phrases), number))
        counts += left_out
    width = -(-representation.pitches // 8)
    empty = np.zeros((0, *representation.shape[:3], width), dtype=np.uint8)
    return Phrases(
        np.concatenate([empty, *made]),
        np.concatenate([np.zeros(0, dtype=np.int64), *numbers]),
        representation.pitches,
        *counts.tolist(),
    )


def _of_piece(
    piece: TrackPiece, representation: PhraseRepresentation, hop: int
) -> tuple[np.ndarray, list[int]]:
    grid, size = piece.grid, representation.bar_steps
    starts = np.flatnonzero(grid.position == 0)
    beats = grid.beat_steps[starts] % representation.beat_steps == 0
    is_usual = (grid.bar_steps[starts] == size) & beats
    bars = representation.bars
    if len(starts) < bars:
        return np.zeros((0, *representation.shape), dtype=bool), [0, 0, 0]
    windows = np.lib.stride_tricks.sliding_window_view(is_usual, bars)
    whole = np.flatnonzero(windows.sum(axis=1) == bars)
    first = starts[whole[whole % hop == 0]]
    rolls = lay_tracks(list(piece.tracks), len(grid))
    notes, off = np.zeros((2, len(grid) + 1), dtype=np.int64)
    for track in piece.tracks:
        inside = track.onset < len(grid)
        notes += np.bincount(track.onset[inside], minlength=len(notes))
        off += np.bincount(track.onset[inside & track.is_off], minlength=len(off))
    where = first[:, None] + np.arange(representation.steps)
    sounds = np.asarray(rolls.sustain.any(axis=(0, 2)))[where].reshape(len(first), bars, size)
    count = notes[where].sum(axis=1)
    is_silent = (count < FEWEST_NOTES * bars) | ~sounds.any(axis=2).all(axis=1)
    is_off = ~is_silent & (off[where].sum(axis=1) > MOST_OFF_GRID * count)
    where = where[~is_silent & ~is_off]
    both = np.stack([rolls.onset, rolls.sustain])  # 2 track step pitch
    cut = np.moveaxis(both[:, :, where], 2, 0)  # phrase 2 track step pitch
    cut[:, 0, :, 0] |= cut[:, 1, :, 0]  # what sounds on into a phrase is struck at its start
    shifts, _ = in_c(cut[:, SUSTAIN].sum(axis=(1, 2)).reshape(len(cut), PITCHES))
    phrases, fits = representation.cut(cut, shifts)
    return phrases[fits], [int(is_silent.sum()), int(is_off.sum()), int((~fits).sum())]


def check_enough(train: Phrases, valid: Phrases, representation: PhraseRepresentation) -> None:
    """Raise `DataError` where there is nothing to learn from, or nothing held out."""
    if len(train) >= FEWEST_PHRASES and len(valid):
        return
    raise DataError(
        f"there are {len(train):,} phrases of {representation.bars} bars of "
        f"{representation.meter} to train on and {len(valid):,} to judge by: {FEWEST_PHRASES} and "
        "one are the fewest. `partimento data --for quartet-gan` says what was left out, and why"
    )
