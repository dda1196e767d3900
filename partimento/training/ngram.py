"""`NGram`: what follows the last few tokens, by counting alone. The baseline to beat.

A network that is not clearly better than counts of what followed the same four tokens has not
learned music, only its commonest turns. Probabilities are those of interpolated modified Kneser-Ney
smoothing: each order takes a little from what it has seen and gives it to the order below, in
proportion; the lowest order falls back on all tokens alike. So nothing is impossible, and the
probabilities of all tokens sum to 1 after any context.

References
----------
Chen and Goodman, "An Empirical Study of Smoothing Techniques for Language Modeling", 1998,
equations 20, 21 and 26.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from partimento.errors import ParameterError
from partimento.representations.melody import FIRST_PITCH
from partimento.training.batches import EncodedPiece

ORDER = 5
LEAST_DISCOUNT = 0.05  # so that something is left for what was never seen, however few the data


class Counts(NamedTuple):
    """Grams of one length and what is known of them; a gram is a number in base vocab_size + 1.

    Attributes
    ----------
    grams, kept : int64 and float64 arrays, shape (gram,)
        In order, and how often each was seen less its discount.
    contexts, totals, freed : int64, int64 and float64 arrays, shape (context,)
        All but the last token of a gram; how often it was seen, and what the discounts freed.
    """

    grams: np.ndarray
    kept: np.ndarray
    contexts: np.ndarray
    totals: np.ndarray
    freed: np.ndarray


@dataclass(frozen=True, eq=False)
class NGram:
    """Probability of a token after the ``order - 1`` before it; see `fit`.

    Attributes
    ----------
    order, vocab_size : int
    counts : tuple of Counts
        For grams of 1 token, of 2, and so on to `order`.
    """

    order: int
    vocab_size: int
    counts: tuple[Counts, ...]

    @classmethod
    def fit(
        cls,
        pieces: Sequence[EncodedPiece],
        vocab_size: int,
        order: int = ORDER,
        transpose: int = 0,
    ) -> "NGram":
        """Count the grams of some pieces.

        Parameters
        ----------
        pieces
        vocab_size
            Tokens there are.
        order
            Tokens of the longest gram.
        transpose
            Count each piece in every key, up to so many semitones down and up, as far as the
            vocabulary reaches: what a network sees in training by and by.
        """
        base = vocab_size + 1  # one more stands for what was before the beginning
        if order < 1 or base**order >= 2**63:
            raise ParameterError(
                f"order must be at least 1 and {base} tokens to its power fit 63 bits, got {order}"
            )
        parts = [_windows(piece.tokens, order, vocab_size) for piece in pieces]
        rooms = np.array([_room(piece.tokens, vocab_size, transpose) for piece in pieces])
        rows = np.concatenate(parts)  # gram token
        room = np.repeat(rooms, [len(part) for part in parts], axis=0)  # gram 2
        found = []
        for interval in range(-transpose, transpose + 1):
            fits = (room[:, 0] >= -interval) & (room[:, 1] >= interval)
            is_pitch = (rows[fits] >= FIRST_PITCH) & (rows[fits] < vocab_size)
            found.append(
                np.unique(_codes(rows[fits] + interval * is_pitch, base), return_counts=True)
            )
        grams, inverse = np.unique(np.concatenate([g for g, _ in found]), return_inverse=True)
        times = np.bincount(inverse, np.concatenate([t for _, t in found])).astype(np.int64)
        counts = [_counted(grams, times, base)]
        for length in range(order - 1, 0, -1):
            # A shorter gram counts once for each token seen before it (Kneser and Ney, 1995).
            grams, times = np.unique(grams % base**length, return_counts=True)
            counts.append(_counted(grams, times, base))
        return cls(order, vocab_size, tuple(reversed(counts)))

    def probability(self, rows: np.ndarray) -> np.ndarray:
        """Probability of the last token of each row after those before it.

        Parameters
        ----------
        rows
            Integers, shape (row, order): tokens, and `vocab_size` for what was before the
            beginning (never as the last).
        """
        base = self.vocab_size + 1
        probability = np.full(len(rows), 1 / self.vocab_size)
        for length, counts in enumerate(self.counts, start=1):
            codes = _codes(rows[:, self.order - length :], base)
            gram, is_seen = _find(counts.grams, codes)
            context, is_known = _find(counts.contexts, codes // base)
            kept = np.where(is_seen, counts.kept[gram], 0.0)
            mixed = (kept + counts.freed[context] * probability) / counts.totals[context]
            probability = np.where(is_known, mixed, probability)
        return probability

    def surprise(self, tokens: np.ndarray) -> np.ndarray:
        """Nats of each token of a piece, shape (time,)."""
        return -np.log(self.probability(_windows(tokens, self.order, self.vocab_size)))


def _windows(tokens: np.ndarray, order: int, before: int) -> np.ndarray:
    """Each token of a piece with those before it, shape (time, order)."""
    padded = np.concatenate([np.full(order - 1, before, dtype=np.int64), tokens])
    return np.lib.stride_tricks.sliding_window_view(padded, order)


def _room(tokens: np.ndarray, vocab_size: int, transpose: int) -> tuple[int, int]:
    """Semitones a piece can move down, and up."""
    pitches = tokens[tokens >= FIRST_PITCH]
    if not len(pitches):
        return 0, 0
    down, up = int(pitches.min()) - FIRST_PITCH, vocab_size - 1 - int(pitches.max())
    return min(down, transpose), min(up, transpose)


def _codes(rows: np.ndarray, base: int) -> np.ndarray:
    """Write each row of tokens as one number, the last token in the last place."""
    codes = np.zeros(len(rows), dtype=np.int64)
    for column in rows.T:
        codes = codes * base + column
    return codes


def _counted(grams: np.ndarray, times: np.ndarray, base: int) -> Counts:
    discounts = _discounts(times)[np.minimum(times, 3)]  # gram
    contexts, first = np.unique(grams // base, return_index=True)
    totals, freed = np.add.reduceat(times, first), np.add.reduceat(discounts, first)
    return Counts(grams, times - discounts, contexts, totals, freed)


def _discounts(times: np.ndarray) -> np.ndarray:
    """Say what is taken from grams seen once, twice, and more often: at 1, 2, 3 of the result."""
    seen = np.bincount(np.minimum(times, 5), minlength=6)  # how many grams were seen so often
    share = seen[1] / max(1, seen[1] + 2 * seen[2])
    number = np.arange(1, 4)
    discounts = number - (number + 1) * share * seen[2:5] / np.maximum(seen[1:4], 1)
    return np.append(0.0, np.clip(discounts, LEAST_DISCOUNT, number))


def _find(values: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where in ordered values each wanted one stands, and whether it does."""
    places = np.minimum(np.searchsorted(values, wanted), len(values) - 1)
    return places, values[places] == wanted
