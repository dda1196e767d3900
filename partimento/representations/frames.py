"""What a network reads of four voices at each step: `FrameFeatures`, a row of integers a step.

| columns | hold |
|---|---|
| 0-3 `BEFORE` | the cells of the step before, soprano first; `unknown` at the beginning |
| 4-7 `AGE` | for how many steps each has sounded by then, `MOST_AGE` at most; 0 at the beginning |
| 8-11 `LAST` | the pitch each voice sang last, as its token |
| 12 `PLACE` | place in a cycle of four quarters |
| 13 `KEY` | tonic, 12 more in minor; `NO_KEY` if it is not told |
| 14 `LEFT` | quarters left, `MOST_LEFT` at most; `NO_LEFT` if it is not told |
| 15-18 `FRAME_THEN`, 19 `FRAME_RUN` | cells that followed when all voices last went as now |
| 20-23 `TUNE_THEN`, 24 `TUNE_RUN` | the same, when the soprano last went as now |

`THEN` and `RUN` are how a network that remembers seconds repeats a phrase of half a minute ago: for
each step we look for the earlier place whose past agrees with the present past for the most steps
in a row (of several the latest), and lay out what followed there, and how long the agreement is.
Compression programs call this a match model (Mahoney, "Adaptive Weighing of Context Models for
Lossless Data Compression", 2005).

Nothing here depends on the step itself or what comes after it, but `KEY` and `LEFT`, which are told
or not. `FrameReader` lays rows out as cells come in, for a batch; `frame_features` those of a whole
piece.
"""

from collections.abc import Sequence

import numpy as np

from partimento.music.four_voices import VOICES
from partimento.music.keys import estimate_key
from partimento.music.notes import Notes
from partimento.music.score import Key
from partimento.representations.satb import SatbRepresentation

NUM_VOICES = len(VOICES)
BEFORE, AGE, LAST = slice(0, 4), slice(4, 8), slice(8, 12)
PLACE, KEY, LEFT = 12, 13, 14
FRAME_THEN, FRAME_RUN = slice(15, 19), 19
TUNE_THEN, TUNE_RUN = slice(20, 24), 24
NUM_COLUMNS = 25

MOST_AGE = 31
NO_KEY = 24
MOST_LEFT = 32
NO_LEFT = MOST_LEFT + 1
LONGEST_RUN = 64
RUN_EDGES = np.array([1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64])  # a run is told by its bucket
NUM_RUNS = len(RUN_EDGES) + 1
WINDOW = 1024  # steps that are looked back over
TOGETHER = 32  # pieces that are laid out together, for speed
USUAL = (71, 66, 60, 52)  # pitch of each voice before it has sung


class RunFollower:
    """Finds the earlier step whose past agrees with the present for longest, for a batch.

    For each earlier step it keeps how many steps in a row, up to there, agree with the latest ones:
    where that step is equal to the newest, one more than for the step before it, else none.

    Parameters
    ----------
    rows : int
        Pieces in the batch.
    every : int
        Only steps a multiple of so many ago count.
    """

    def __init__(self, rows: int, every: int) -> None:
        self._every = every
        self._seen = 0  # steps
        self._cells = np.zeros((rows, 0, 1), dtype=np.int16)  # batch step cell
        self._runs = np.zeros((rows, 0), dtype=np.int16)  # batch step; the newest has none

    def best(self) -> tuple[np.ndarray, np.ndarray]:
        """Say which step followed the longest run, and how long that is; int64, shape (batch,).

        -1 and 0 where there is none. Runs are told up to `LONGEST_RUN`.
        """
        width = self._runs.shape[1]
        if not width:
            return np.full(len(self._runs), -1), np.zeros(len(self._runs), dtype=np.int64)
        ago = np.arange(width, 0, -1)  # of the steps that followed
        runs = np.where(ago % self._every == 0, self._runs, 0)
        at = width - 1 - runs[:, ::-1].argmax(axis=1)  # the latest of several
        length = runs[np.arange(len(runs)), at].astype(np.int64)
        return np.where(length > 0, self._seen - ago[at], -1), length

    def add(self, cells: np.ndarray) -> None:
        """Take note of one more step, shape (batch, cell)."""
        cells = cells[:, None].astype(np.int16)
        if not self._seen:
            self._cells = cells
        else:
            is_equal = (self._cells == cells).all(axis=2)  # batch step
            before = np.pad(self._runs, ((0, 0), (1, 0)))
            runs = np.where(is_equal, np.minimum(before + 1, LONGEST_RUN), 0)
            self._runs = runs[:, -(WINDOW - 1) :]
            self._cells = np.concatenate([self._cells, cells], axis=1)[:, -WINDOW:]
        self._seen += 1

    def take(self, rows: np.ndarray) -> "RunFollower":
        """Copy some rows, each as often as wanted."""
        taken = RunFollower(len(rows), self._every)
        taken._seen, taken._cells = self._seen, self._cells[rows]
        taken._runs = self._runs[rows]
        return taken


class FrameReader:
    """Lays out the rows of a batch of pieces, step by step.

    Parameters
    ----------
    representation : SatbRepresentation
        Without holds.
    rows : int
    first : int
        Where the first step stands in its beat.
    """

    def __init__(self, representation: SatbRepresentation, rows: int, first: int = 0) -> None:
        self.representation = representation
        self._first = first
        self._steps = 0
        self._tokens = np.zeros((rows, 0, NUM_VOICES), dtype=np.int64)  # the window
        self._age = np.zeros((rows, NUM_VOICES), dtype=np.int64)
        usual = representation.first_pitch + np.array(USUAL) - representation.lowest
        usual = np.clip(usual, representation.first_pitch, representation.vocab_size - 1)
        self._last = np.tile(usual, (rows, 1))
        every = representation.steps_per_quarter
        self._frames, self._tunes = RunFollower(rows, every), RunFollower(rows, every)

    def features(
        self, key: np.ndarray | int = NO_KEY, left: np.ndarray | int = NO_LEFT
    ) -> np.ndarray:
        """Lay out the row of the step that comes now; int64, shape (batch, `NUM_COLUMNS`)."""
        rows = len(self._age)
        row = np.empty((rows, NUM_COLUMNS), dtype=np.int64)
        unknown = self.representation.unknown
        row[:, BEFORE] = self._tokens[:, -1] if self._steps else unknown
        row[:, AGE], row[:, LAST] = self._age, self._last
        row[:, PLACE] = self.representation.position(self._steps, self._first)
        row[:, KEY], row[:, LEFT] = key, left
        for follower, then, run in (
            (self._frames, FRAME_THEN, FRAME_RUN),
            (self._tunes, TUNE_THEN, TUNE_RUN),
        ):
            step, length = follower.best()
            at = step - (self._steps - self._tokens.shape[1])
            found = self._tokens[np.arange(rows), np.maximum(at, 0)] if self._steps else unknown
            row[:, then] = np.where((step >= 0)[:, None], found, unknown)
            row[:, run] = np.searchsorted(RUN_EDGES, length, side="right")
        return row

    def add(self, tokens: np.ndarray) -> None:
        """Take note of a step, shape (batch, voice)."""
        is_pitch = tokens >= self.representation.first_pitch
        goes_on = tokens == self._tokens[:, -1] if self._steps else np.zeros_like(is_pitch)
        self._age = np.where(goes_on, np.minimum(self._age + 1, MOST_AGE), 1)
        self._last = np.where(is_pitch, tokens, self._last)
        self._tokens = np.concatenate([self._tokens, tokens[:, None]], axis=1)[:, -WINDOW:]
        self._frames.add(tokens)
        self._tunes.add(tokens[:, :1])
        self._steps += 1

    def take(self, rows: np.ndarray) -> "FrameReader":
        """Copy some rows, each as often as wanted."""
        taken = FrameReader(self.representation, 0, self._first)
        taken._steps, taken._tokens = self._steps, self._tokens[rows]
        taken._age, taken._last = self._age[rows], self._last[rows]
        taken._frames, taken._tunes = self._frames.take(rows), self._tunes.take(rows)
        return taken


def frame_features(
    pieces: Sequence[np.ndarray], representation: SatbRepresentation, firsts: Sequence[int] = ()
) -> list[np.ndarray]:
    """Lay out all rows of some pieces, with no key and no countdown told.

    Parameters
    ----------
    pieces
        Cells of each, shape (step, voice).
    firsts
        Where the first step of each stands in its beat; by default on it.

    Returns
    -------
    features : list of int64 arrays, shape (step, `NUM_COLUMNS`)
    """
    features = [np.empty((len(tokens), NUM_COLUMNS), dtype=np.int64) for tokens in pieces]
    order = sorted(range(len(pieces)), key=lambda number: len(pieces[number]))
    for start in range(0, len(order), TOGETHER):
        group = order[start : start + TOGETHER]
        reader = FrameReader(representation, len(group))
        for step in range(len(pieces[group[-1]])):
            rows = reader.features()
            cells = np.zeros((len(group), NUM_VOICES), dtype=np.int64)
            for row, number in enumerate(group):
                if step < len(pieces[number]):  # what is read past an end is not laid out
                    features[number][step] = rows[row]
                    cells[row] = pieces[number][step]
            reader.add(cells)
    for rows, tokens, first in zip(features, pieces, firsts or [0] * len(pieces), strict=True):
        rows[:, PLACE] = representation.positions(len(tokens), first)
    return features


def key_number(key: Key) -> int:
    """Write a key for the column `KEY`."""
    return key.tonic + 12 * key.is_minor


def key_of(tokens: np.ndarray, representation: SatbRepresentation) -> int:
    """Estimate the key of cells, for the column `KEY`; `NO_KEY` where all is silence."""
    pitch = tokens[(tokens >= representation.first_pitch) & (tokens < representation.vocab_size)]
    if not len(pitch):
        return NO_KEY
    pitch = pitch - representation.first_pitch + representation.lowest
    return key_number(estimate_key(Notes(np.arange(len(pitch)), np.ones_like(pitch), pitch)))


def move_features(
    features: np.ndarray, semitones: int, representation: SatbRepresentation
) -> np.ndarray:
    """Transpose rows, as `SatbRepresentation.transposed` does cells."""
    moved = features.copy()
    for columns in (BEFORE, LAST, FRAME_THEN, TUNE_THEN):
        moved[..., columns] = representation.transposed(features[..., columns], semitones)
    pitches = representation.first_pitch, representation.vocab_size - 1
    moved[..., LAST] = moved[..., LAST].clip(*pitches)  # of voices that have not sung yet
    key = features[..., KEY]
    moved[..., KEY] = np.where(key < NO_KEY, (key + semitones) % 12 + key // 12 * 12, key)
    return moved
