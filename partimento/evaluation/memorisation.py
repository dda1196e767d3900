"""Memorisation: how long the runs are that melodies share, note for note, with others.

A model that copies its training tunes has long runs in common with them. Some are shared by all
music of a style, so `longest_shared_runs` is asked about tunes by people that were held out too,
and the two answers are set side by side.

A run is known by its intervals and by the ratios of its notes' lengths (from onset to onset), so a
copy in another key or tempo is a copy. The search is exact: all suffixes of all melodies are ranked
by doubling (Manber and Myers, "Suffix arrays", 1993), and the longest match of a place is with one
of its neighbours in that order.

The training tunes need not be there: checkpoints carry hashes of their runs (`training_runs`), and
`longest_shared_runs` takes those as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from partimento.data.note_runs import WINDOW, HashedRuns, run_hashes, shortened, step_codes
from partimento.errors import CheckpointError, DataError
from partimento.evaluation.statistics import notes_of
from partimento.music.score import Score

LONG_RUN = 16  # notes: a phrase of a tune, hardly ever shared by chance


class SharedRun(NamedTuple):
    """The longest run of a melody that another one has too.

    Attributes
    ----------
    notes : int
        Its length; 0 where nothing is shared, else at least 2, or `HashedRuns.shortest`.
    start : int
        Index of its first note in the melody.
    other : int
        Which of the others has it; -1 where nothing is shared.
    """

    notes: int
    start: int
    other: int


@dataclass(frozen=True)
class SharedRuns:
    """Longest runs shared with the training tunes, in notes.

    Attributes
    ----------
    mean, longest : float, int
        Over melodies; one that shares nothing that could be found counts as one note less than
        the shortest run that could.
    share_from_16 : float
        Share of melodies with a run of 16 notes or more.
    """

    mean: float
    longest: int
    share_from_16: float

    @classmethod
    def of(cls, runs: Sequence[SharedRun], others: "Others") -> "SharedRuns":
        """Sum up what `longest_shared_runs` found, of one melody at least."""
        shortest = others.shortest if isinstance(others, HashedRuns) else 1
        notes = np.maximum([run.notes for run in runs], shortest - 1)
        return cls(
            mean=float(notes.mean()),
            longest=int(notes.max()),
            share_from_16=float((notes >= LONG_RUN).mean()),
        )


Others = Sequence[Score] | HashedRuns


def longest_shared_runs(melodies: Sequence[Score], others: Others) -> list[SharedRun]:
    """Find the longest run that each melody shares with any of the others.

    Parameters
    ----------
    melodies
        To be examined.
    others
        The training set, say, or hashes of its runs. A melody that stands there too shares all of
        its notes.

    Examples
    --------
    >>> from partimento.music.notation import seq
    >>> tune = seq("c4:q d4:q e4:h d4:q c4:q")
    >>> other = seq("a3:w g4:e a4:e b4:q c5:e")
    >>> longest_shared_runs([tune], [other])
    [SharedRun(notes=3, start=0, other=0)]
    """
    codes = [_codes(score) for score in melodies]
    if isinstance(others, HashedRuns):
        hashed = [shortened(run_hashes(code), others.hashes.dtype) for code in codes]
        found = _longest_common(hashed, others.melodies())
        shared = [common + WINDOW if common else 0 for common, _, _ in found]
        is_sure = [notes >= others.shortest for notes in shared]
    else:
        found = _longest_common(codes, [_codes(score) for score in others])
        shared = [common + 1 for common, _, _ in found]
        is_sure = [common > 0 for common, _, _ in found]
    return [
        SharedRun(notes, start, other) if sure else SharedRun(0, 0, -1)
        for notes, sure, (_, start, other) in zip(shared, is_sure, found, strict=True)
    ]


def training_runs(model: Any) -> HashedRuns | None:
    """Hashes of the training tunes that a model's checkpoint carries; `None` if it has none."""
    checkpoint = getattr(model, "checkpoint", None)
    if checkpoint is None:
        return None
    arrays = checkpoint.arrays()
    if arrays is None:
        return None
    try:
        return HashedRuns.read(arrays)
    except DataError as error:
        raise CheckpointError(f"{checkpoint.path}: {error}") from None


def copying(melodies: Mapping[str, Sequence[Score]], others: Others) -> dict[str, SharedRuns]:
    """Sum up, by name, the runs that some sets of melodies share with the same others."""
    runs = longest_shared_runs([score for scores in melodies.values() for score in scores], others)
    summed, start = {}, 0
    for name, scores in melodies.items():
        if scores:
            summed[name] = SharedRuns.of(runs[start : start + len(scores)], others)
        start += len(scores)
    return summed


def copying_text(found: dict[str, SharedRuns]) -> list[str]:
    """Lay out what `copying` found as the lines of a table."""
    lines = [f"{'runs shared with train':24}{'mean notes':>16}{'longest':>9}{'≥ 16':>9}"]
    for name, runs in found.items():
        share = f"{runs.share_from_16:.0%}"
        lines.append(f"{name.replace('_', '-'):24}{runs.mean:16.1f}{runs.longest:9}{share:>9}")
    return lines


def _longest_common(
    mine: Sequence[np.ndarray], others: Sequence[np.ndarray]
) -> list[tuple[int, int, int]]:
    """For each of mine: symbols of the longest run in common with any other, start, which other."""
    codes = [*mine, *others]
    sizes = np.array([len(code) + 1 for code in codes], dtype=np.int64)
    owner = np.repeat(np.arange(len(codes)), sizes)
    levels = _ranks(_joined(codes))
    place = levels[-1]  # of each suffix in the order of all
    order = np.argsort(place)
    asked = np.flatnonzero(owner < len(mine))
    length = np.zeros(len(asked), dtype=np.int64)  # symbols in common, from each place
    partner = np.zeros(len(asked), dtype=np.int64)
    for neighbour in _nearest_others(owner[order] >= len(mine)):
        found = neighbour[place[asked]]
        some = np.flatnonzero(found >= 0)
        candidate = order[found[some]]
        common = _common_length(levels, asked[some], candidate)
        is_longer = common > length[some]
        length[some[is_longer]] = common[is_longer]
        partner[some[is_longer]] = candidate[is_longer]
    longest = []
    for index in range(len(mine)):
        ours = slice(*np.searchsorted(owner[asked], [index, index + 1]))
        start = int(length[ours].argmax())
        other = int(owner[partner[ours][start]]) - len(mine)
        longest.append((int(length[ours][start]), start, other))
    return longest


def _codes(score: Score) -> np.ndarray:
    return step_codes(notes_of(score), score.ticks_per_quarter)


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
