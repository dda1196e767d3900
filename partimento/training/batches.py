"""Batches of melodies: which music the network sees at each step of training.

`MelodyCorpus` holds every piece once, as tokens. `MelodyBatches` cuts the pieces into chunks, moves
each by a random interval (the augmentation) and hands out batches. What batch a step gets is a
function of the seed and the step's number alone, so a run that stops can go on as if it had not.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np

from partimento.data import Piece
from partimento.errors import TrainingError
from partimento.music.grid import Grid
from partimento.representations.melody import FIRST_PITCH, MelodyRepresentation

BATCHES_PER_POOL = 16  # sorted by length together, so that little of a batch is padding


@dataclass(frozen=True)
class EncodedPiece:
    """One piece as tokens, with its bars."""

    tokens: np.ndarray  # int64, shape (time,)
    grid: Grid  # of the same length

    @property
    def bars(self) -> int:
        """Bars of the piece."""
        return int(self.grid.bar[-1]) + 1

    @property
    def num_notes(self) -> int:
        """Notes that start in the piece."""
        return int((self.tokens >= FIRST_PITCH).sum())


@dataclass(frozen=True)
class Batch:
    """Examples of one training step.

    Attributes
    ----------
    features : int64 array, shape (batch, time, feature)
    targets : int64 array, shape (batch, time), or (batch, time, voice)
        What is to be predicted: a token a step, or a cell of each voice a step.
    is_real : bool array, of the shape of `targets`
        False where a shorter example was filled up, and where nothing is asked.
    weights : float32 array, of the shape of `targets`, or None
        How much each target counts in the training loss; `None` is 1 each. The loss is their
        weighted sum divided by the number of real targets.
    """

    features: np.ndarray
    targets: np.ndarray
    is_real: np.ndarray
    weights: np.ndarray | None = None

    def rows(self, which: slice) -> "Batch":
        """Take some of the examples."""
        weights = None if self.weights is None else self.weights[which]
        return Batch(self.features[which], self.targets[which], self.is_real[which], weights)


def encode_pieces(
    pieces: Sequence[Piece], representation: MelodyRepresentation
) -> list[EncodedPiece]:
    """Write pieces as tokens; each fills its last bar with silence."""
    encoded = []
    for piece in pieces:
        score = piece.score
        grid = Grid.of(score, representation.steps_per_quarter)
        notes = score.parts[0].notes
        tokens = representation.encode(notes, score.ticks_per_quarter, steps=len(grid))
        encoded.append(EncodedPiece(tokens, grid))
    return encoded


@runtime_checkable
class Batches(Protocol):
    """Batch of each step of training, counted from 0, as a function of the step alone."""

    @property
    def batches_per_epoch(self) -> int:
        """How many show each piece once."""

    def __call__(self, step: int) -> Batch:
        """Give the batch of a step."""


@dataclass
class MelodyBatches:
    """Batches of chunks of pieces, as a function of the step.

    Attributes
    ----------
    pieces : sequence of EncodedPiece
    representation : MelodyRepresentation
    batch_size : int
    chunk_steps : int
        Longest example, in grid steps; pieces are cut at bar lines.
    seed : int
    transpose : int
        Each chunk moves by a random interval of at most so many semitones, down or up, as far as
        the vocabulary reaches.
    hide_countdown : float
        Share of chunks that are not told how many bars are left.
    crop : float
        Share of chunks that begin at a bar line of their own first half, as if nothing had been
        before: another first note, and no bars to look back to.
    """

    pieces: Sequence[EncodedPiece]
    representation: MelodyRepresentation
    batch_size: int
    chunk_steps: int
    seed: int
    transpose: int = 6
    hide_countdown: float = 0.5
    crop: float = 0.0
    _shuffled: tuple[int, list[tuple[int, int, int]]] = field(
        default=(-1, []), init=False, repr=False
    )

    def __post_init__(self) -> None:
        if not self.pieces:
            raise TrainingError("there is no piece to train on: see `partimento data`")

    def __call__(self, step: int) -> Batch:
        """Give the batch of one step of training, counted from 0."""
        epoch, index = divmod(step, self.batches_per_epoch)
        chunks = self._epoch(epoch)
        generator = np.random.default_rng((self.seed, 1, step))
        rows = chunks[index * self.batch_size : (index + 1) * self.batch_size]
        return pad([self._example(*row, generator) for row in rows])

    @property
    def batches_per_epoch(self) -> int:
        """Steps that show every piece about once."""
        steps = sum(len(piece.tokens) for piece in self.pieces)
        return max(1, round(steps / (self.chunk_steps * 0.75) / self.batch_size))

    def _epoch(self, epoch: int) -> list[tuple[int, int, int]]:
        """(piece, first step, last step) of every chunk of an epoch, shuffled by batch."""
        if self._shuffled[0] != epoch:  # every step of an epoch asks again
            self._shuffled = (epoch, self._cut(np.random.default_rng((self.seed, 0, epoch))))
        return self._shuffled[1]

    def _cut(self, generator: np.random.Generator) -> list[tuple[int, int, int]]:
        needed = self.batches_per_epoch * self.batch_size
        chunks: list[tuple[int, int, int]] = []
        while len(chunks) < needed:
            for index in generator.permutation(len(self.pieces)):
                chunks += self._chunks(int(index), generator)
        return of_like_length(chunks[:needed], self.batch_size, BATCHES_PER_POOL, generator)

    def _chunks(self, index: int, generator: np.random.Generator) -> Iterator[tuple[int, int, int]]:
        """Cut one piece at bar lines: the first cut falls anywhere, the rest follow."""
        grid = self.pieces[index].grid
        lines = np.append(np.flatnonzero(grid.position == 0), len(grid))
        start = 0
        if len(grid) > self.chunk_steps:
            first = lines[(lines > self.chunk_steps // 4) & (lines <= self.chunk_steps)]
            if len(first):
                end = int(generator.choice(first))
                yield index, 0, end
                start = end
        while start < len(grid):
            inside = lines[(lines > start) & (lines <= start + self.chunk_steps)]
            end = int(inside[-1]) if len(inside) else min(start + self.chunk_steps, len(grid))
            yield index, start, end
            start = end

    def _example(
        self, index: int, start: int, stop: int, generator: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Features and targets of one chunk, moved and maybe without a countdown."""
        piece = self.pieces[index]
        interval = self._interval(piece.tokens, generator)
        tokens = np.where(piece.tokens >= FIRST_PITCH, piece.tokens + interval, piece.tokens)
        bars = None if generator.random() < self.hide_countdown else piece.bars
        begin = 0
        if generator.random() < self.crop:
            lines = np.flatnonzero(piece.grid.position[start : (start + stop) // 2] == 0)
            begin = start = start + int(generator.choice(lines)) if len(lines) else start
        features = self.representation.features(
            tokens[begin:], piece.grid[begin:], bars, start - begin, stop - begin
        )
        return features, tokens[start:stop]

    def _interval(self, tokens: np.ndarray, generator: np.random.Generator) -> int:
        pitches = tokens[tokens >= FIRST_PITCH]
        room_down = int(pitches.min()) - FIRST_PITCH if len(pitches) else 0
        room_up = self.representation.vocab_size - 1 - int(pitches.max()) if len(pitches) else 0
        down, up = min(self.transpose, room_down), min(self.transpose, room_up)
        return int(generator.integers(-down, up + 1))


def of_like_length(
    chunks: list[tuple[int, int, int]],
    batch_size: int,
    batches_per_pool: int,
    generator: np.random.Generator,
) -> list[tuple[int, int, int]]:
    """Put chunks (piece, start, stop) of like length next to each other, a batch of them at a time.

    The chunks of so many batches at a time are sorted, and then the batches are shuffled.
    """
    pool = batches_per_pool * batch_size
    batches = []
    for first in range(0, len(chunks), pool):
        group = sorted(chunks[first : first + pool], key=lambda chunk: chunk[2] - chunk[1])
        batches += [group[start : start + batch_size] for start in range(0, len(group), batch_size)]
    return [chunk for batch in generator.permutation(len(batches)) for chunk in batches[batch]]


def pad(examples: Sequence[tuple[np.ndarray, np.ndarray]]) -> Batch:
    """Stack examples, filling shorter ones up."""
    longest = max(len(targets) for _, targets in examples)
    width = examples[0][0].shape[-1]
    features = np.zeros((len(examples), longest, width), dtype=np.int64)
    targets = np.zeros((len(examples), longest), dtype=np.int64)
    is_real = np.zeros((len(examples), longest), dtype=bool)
    for row, (example_features, example_targets) in enumerate(examples):
        length = len(example_targets)
        features[row, :length] = example_features
        targets[row, :length] = example_targets
        is_real[row, :length] = True
    return Batch(features, targets, is_real)


def whole_pieces(
    pieces: Sequence[EncodedPiece], representation: MelodyRepresentation, batch_size: int
) -> Iterator[Batch]:
    """Held-out pieces, each whole and as it was written, with no countdown told."""
    ordered = sorted(pieces, key=lambda piece: len(piece.tokens))
    for first in range(0, len(ordered), batch_size):
        group = ordered[first : first + batch_size]
        yield pad([(representation.features(p.tokens, p.grid, None), p.tokens) for p in group])
