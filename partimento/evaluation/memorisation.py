"""Memorisation: how long the runs are that melodies share, note for note, with others.

A model that copies its training tunes has long runs in common with them. Some are shared by all
music of a style, so `longest_shared_runs` is asked about tunes by people that were held out too,
and the two answers are set side by side.

A run is known by its intervals and by the ratios of its notes' lengths (from onset to onset), so a
copy in another key or tempo is a copy. The search is exact: all suffixes of all melodies are ranked
by doubling (Manber and Myers, "Suffix arrays", 1993), and the longest match of a place is with one
of its neighbours in that order.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from partimento.evaluation.statistics import notes_of
from partimento.music.score import Score

RATIO_LIMIT = 4095  # of both sides of a ratio of lengths, in lowest terms
STEPS_PER_QUARTER = 24


class SharedRun(NamedTuple):
    """The longest run of a melody that another one has too.

    Attributes
    ----------
    notes : int
        Its length; 0 where nothing is shared, else at least 2.
    start : int
        Index of its first note in the melody.
    other : int
        Which of the others has it; -1 where nothing is shared.
    """

    notes: int
    start: int
    other: int


def longest_shared_runs(melodies: Sequence[Score], others: Sequence[Score]) -> list[SharedRun]:
    """Find the longest run that each melody shares with any of the others.

    Parameters
    ----------
    melodies
        To be examined.
    others
        The training set, say. A melody that stands there too shares all of its notes.

    Examples
    --------
    >>> from partimento.music.notation import seq
    >>> tune = seq("c4:q d4:q e4:h d4:q c4:q")
    >>> other = seq("a3:w g4:e a4:e b4:q c5:e")
    >>> longest_shared_runs([tune], [other])
    [SharedRun(notes=3, start=0, other=0)]
    """
    codes = [_codes(score) for score in (*melodies, *others)]
    sizes = np.array([len(code) + 1 for code in codes], dtype=np.int64)
    owner = np.repeat(np.arange(len(codes)), sizes)
    levels = _ranks(_joined(codes))
    place = levels[-1]  # of each suffix in the order of all
    order = np.argsort(place)
    asked = np.flatnonzero(owner < len(melodies))
    length = np.zeros(len(asked), dtype=np.int64)  # steps in common, from each place
    partner = np.zeros(len(asked), dtype=np.int64)
    for neighbour in _nearest_others(owner[order] >= len(melodies)):
        found = neighbour[place[asked]]
        some = np.flatnonzero(found >= 0)
        candidate = order[found[some]]
        common = _common_length(levels, asked[some], candidate)
        is_longer = common > length[some]
        length[some[is_longer]] = common[is_longer]
        partner[some[is_longer]] = candidate[is_longer]
    runs = []
    for index in range(len(melodies)):
        mine = slice(*np.searchsorted(owner[asked], [index, index + 1]))
        start = int(length[mine].argmax())
        shared = int(length[mine][start])
        other = int(owner[partner[mine][start]]) - len(melodies)
        runs.append(SharedRun(shared + 1, start, other) if shared else SharedRun(0, 0, -1))
    return runs


def _codes(score: Score) -> np.ndarray:
    """One integer for each step from a note to the next: the interval and the ratio of lengths."""
    notes = notes_of(score)
    if len(notes) < 2:
        return np.zeros(0, dtype=np.int64)
    ticks = np.append(np.diff(notes.onset), notes.duration[-1])
    length = np.maximum(np.rint(ticks * STEPS_PER_QUARTER / score.ticks_per_quarter), 1).astype(int)
    common = np.gcd(length[1:], length[:-1])
    above = np.minimum(length[1:] // common, RATIO_LIMIT)
    below = np.minimum(length[:-1] // common, RATIO_LIMIT)
    interval = np.diff(notes.pitch) + 128
    return (interval * (RATIO_LIMIT + 1) + above) * (RATIO_LIMIT + 1) + below


def _joined(codes: Sequence[np.ndarray]) -> np.ndarray:
    """All melodies in a row, each closed by a mark of its own, so that no run goes beyond it."""
    marks = -1 - np.arange(len(codes))
    parts = [part for code, mark in zip(codes, marks, strict=True) for part in (code, [mark])]
    return np.concatenate([*parts, np.zeros(0, dtype=np.int64)]).astype(np.int64)


def _ranks(symbols: np.ndarray) -> list[np.ndarray]:
    """Rank the runs of 1, 2, 4, ... symbols that start at each place, until all ranks differ.

    Places with equal ranks on level k begin with the same ``2**k`` symbols.
    """
    rank = np.unique(symbols, return_inverse=True)[1].astype(np.int64)
    levels = [rank]
    size = 1
    while len(rank) and rank.max() < len(rank) - 1:
        after = np.append(rank[size:] + 1, np.zeros(min(size, len(rank)), dtype=np.int64))
        rank = np.unique(rank * (len(rank) + 1) + after, return_inverse=True)[1].astype(np.int64)
        levels.append(rank)
        size *= 2
    return levels


def _nearest_others(is_other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each place in the order: the next place before, and after, that holds another; or -1."""
    places = np.arange(len(is_other))
    before = np.maximum.accumulate(np.where(is_other, places, -1))
    last = len(is_other)
    after = np.minimum.accumulate(np.where(is_other, places, last)[::-1])[::-1]
    return before, np.where(after == last, -1, after)


def _common_length(levels: Sequence[np.ndarray], one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """How many symbols the suffixes at two places have in common."""
    length = np.zeros(len(one), dtype=np.int64)
    for level in range(len(levels) - 1, -1, -1):
        rank = levels[level]
        # Marks differ, so a common run ends before either melody does: no index is out of range.
        length += np.where(rank[one + length] == rank[other + length], 1 << level, 0)
    return length
