"""Baselines: how surprised a model that has learned little would be by the same held-out pieces.

A network that does not beat `uniform` has learned nothing; one that does not beat `by_counts`, less
than which tokens are common; one that does not beat `by_five_gram`, only the commonest turns.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np

from partimento.training.batches import EncodedPiece
from partimento.training.loop import HeldOut
from partimento.training.ngram import NGram


def baseline_figures(
    training: Sequence[EncodedPiece],
    held_out: Sequence[EncodedPiece],
    vocab_size: int,
    transpose: int = 0,
) -> dict[str, float]:
    """Nats a step and a note of all baselines, for the figures of a checkpoint."""
    found = {
        "uniform": uniform(held_out, vocab_size),
        "counts": by_counts(training, held_out, vocab_size),
        "five_gram": by_five_gram(training, held_out, vocab_size, transpose),
    }
    return {
        f"{name}_nats_per_{what}": getattr(held, f"nats_per_{what}")
        for name, held in found.items()
        for what in ("step", "note")
    }


def uniform(held_out: Sequence[EncodedPiece], vocab_size: int) -> HeldOut:
    """Every token equally likely: log(vocab_size) nats a step."""
    return _held_out(held_out, np.full(vocab_size, 1 / vocab_size))


def by_counts(
    training: Sequence[EncodedPiece], held_out: Sequence[EncodedPiece], vocab_size: int
) -> HeldOut:
    """Every token as likely as it is frequent in the training pieces, whatever stands before it.

    Each is counted once more than it was seen, so that nothing is impossible (Laplace).
    """
    tokens = np.concatenate([piece.tokens for piece in training])
    counts = np.bincount(tokens, minlength=vocab_size) + 1
    return _held_out(held_out, counts / counts.sum())


def by_five_gram(
    training: Sequence[EncodedPiece],
    held_out: Sequence[EncodedPiece],
    vocab_size: int,
    transpose: int = 0,
) -> HeldOut:
    """Every token as likely as it was after the same four tokens in the training pieces.

    Where `transpose` is not 0 the pieces are counted once as they are and once in every key, as
    networks see them, and the better of the two speaks: sets that keep to a few keys are told best
    by the first, small ones by the second.
    """
    return min(
        (
            _summed(held_out, NGram.fit(training, vocab_size, transpose=semitones).surprise)
            for semitones in sorted({0, transpose})
        ),
        key=lambda found: found.nats,
    )


def _held_out(pieces: Sequence[EncodedPiece], probabilities: np.ndarray) -> HeldOut:
    return _summed(pieces, lambda tokens: -np.log(probabilities[tokens]))


def _summed(
    pieces: Sequence[EncodedPiece], surprise: Callable[[np.ndarray], np.ndarray]
) -> HeldOut:
    nats = math.fsum(math.fsum(surprise(piece.tokens)) for piece in pieces)
    steps = sum(len(piece.tokens) for piece in pieces)
    return HeldOut(nats, steps, sum(piece.num_notes for piece in pieces))
