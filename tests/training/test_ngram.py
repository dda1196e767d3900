import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from training.music import REPRESENTATION, small_pieces

from partimento.errors import ParameterError
from partimento.music.grid import Grid
from partimento.music.score import Meter
from partimento.training.baselines import by_counts, by_five_gram, uniform
from partimento.training.batches import EncodedPiece
from partimento.training.ngram import NGram

GRID = Grid.regular(Meter(0, 2, 4), 4, 1)  # 8 steps


def piece_of(tokens):
    return EncodedPiece(np.array(tokens), GRID)


def kneser_ney(pieces, vocab_size, order, context, token):
    """The same by its textbook formula, with dictionaries; `context` is a tuple of order - 1."""
    times = {}
    for tokens in pieces:
        padded = [vocab_size] * (order - 1) + list(tokens)
        for at in range(len(tokens)):
            gram = tuple(padded[at : at + order])
            times[gram] = times.get(gram, 0) + 1
    levels = [times]
    for _ in range(order - 1):
        shorter = {}
        for gram in levels[0]:
            shorter[gram[1:]] = shorter.get(gram[1:], 0) + 1
        levels.insert(0, shorter)
    probability = 1 / vocab_size
    for length, level in enumerate(levels, start=1):
        seen = [0] + [sum(n == number for n in level.values()) for number in (1, 2, 3, 4)]
        share = seen[1] / max(1, seen[1] + 2 * seen[2])
        discount = [0] + [
            min(max(n - (n + 1) * share * seen[n + 1] / max(1, seen[n]), 0.05), n)
            for n in (1, 2, 3)
        ]
        before = tuple(context)[order - length :]
        follow = {gram[-1]: n for gram, n in level.items() if gram[:-1] == before}
        if not follow:
            continue
        total = sum(follow.values())
        left = sum(discount[min(n, 3)] for n in follow.values())
        seen_here = follow.get(token, 0)
        kept = seen_here - discount[min(seen_here, 3)]
        probability = (kept + left * probability) / total
    return probability


melodies = st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=12), min_size=1, max_size=6)
contexts = st.lists(st.integers(0, 6), min_size=4, max_size=4)


@given(melodies, contexts, st.integers(1, 5), st.integers(0, 2))
def test_the_probabilities_of_all_tokens_sum_to_one_after_any_context(
    tunes, context, order, transpose
):
    model = NGram.fit([piece_of(tokens) for tokens in tunes], 6, order, transpose)
    rows = np.array([[*context[5 - order :], token] for token in range(6)])
    probabilities = model.probability(rows)
    assert probabilities.sum() == pytest.approx(1)
    assert (probabilities > 0).all()


@given(melodies, contexts, st.integers(0, 5))
def test_it_is_the_formula_of_the_textbook(tunes, context, token):
    model = NGram.fit([piece_of(tokens) for tokens in tunes], 6, order=5)
    found = model.probability(np.array([[*context, token]]))
    assert found[0] == pytest.approx(kneser_ney(tunes, 6, 5, context, token))


def test_a_tune_it_has_counted_hardly_surprises_it():
    tune = piece_of([2, 0, 3, 0, 4, 0, 5, 0])
    counted = NGram.fit([tune] * 50, 6)
    assert counted.surprise(tune.tokens).mean() < 0.1
    assert counted.surprise(tune.tokens[::-1].copy()).mean() > np.log(6)


def test_counted_in_every_key_it_knows_a_tune_in_another():
    tune = piece_of([10, 0, 12, 0, 14, 0, 10, 0])
    moved = np.where(tune.tokens >= 2, tune.tokens + 3, tune.tokens)
    in_one_key, in_every_key = NGram.fit([tune], 30), NGram.fit([tune], 30, transpose=6)
    # What it has not heard is the first pitch; what follows it is the tune again.
    assert in_every_key.surprise(moved)[1:].sum() < 0.5 * in_one_key.surprise(moved)[1:].sum()


def test_a_piece_moves_only_as_far_as_the_vocabulary_reaches():
    highest = piece_of([5, 0, 5, 0])
    model = NGram.fit([highest], 6, order=1, transpose=6)
    seen = model.counts[0].grams
    assert seen.tolist() == [0, 2, 3, 4, 5]  # hold, and all pitches from 2 up, none beyond


@pytest.mark.parametrize("order", [0, 64])
def test_an_order_that_makes_no_sense_is_refused(order):
    with pytest.raises(ParameterError, match="order must be at least 1"):
        NGram.fit([piece_of([1])], 6, order)


def test_it_stands_between_counts_and_certainty_on_held_out_music():
    training, held_out = small_pieces(40), small_pieces(8, seed=1)
    size = REPRESENTATION.vocab_size
    found = by_five_gram(training, held_out, size, transpose=2)
    assert 0 < found.nats < by_counts(training, held_out, size).nats
    assert (found.steps, found.notes) == (
        uniform(held_out, size).steps,
        uniform(held_out, size).notes,
    )
    assert found.nats <= by_five_gram(training, held_out, size).nats
