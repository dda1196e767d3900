"""Baselines: how surprised a model that has learned little would be by the same held-out pieces.

A network that does not beat `by_counts` has only learned which tokens are common; one that does not
beat `uniform` has learned nothing.
"""

import math
from collections.abc import Sequence

import numpy as np

from partimento.representations.melody import FIRST_PITCH
from partimento.training.batches import EncodedPiece
from partimento.training.loop import HeldOut


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


def _held_out(pieces: Sequence[EncodedPiece], probabilities: np.ndarray) -> HeldOut:
    tokens = np.concatenate([piece.tokens for piece in pieces])
    nats = math.fsum(-np.log(probabilities[tokens]))
    return HeldOut(nats, len(tokens), int((tokens >= FIRST_PITCH).sum()))
