"""Splits: which pieces train, which choose the best model, which are kept for the test.

About 80, 10 and 10 of a hundred, as a function of the music itself: a piece keeps its side when
others come or go, whatever its name and place. Everything of one file, and all copies of a tune up
to key and tempo, are joined in a cluster that goes to one side.
"""

import hashlib
from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np

TRAIN_SHARE, VALID_SHARE = 0.8, 0.1
LARGEST_HELD_OUT = 0.2  # clusters of a larger share of the pieces always train
FEWEST_HELD_OUT = 4  # melodies on a side, where that is no more than a tenth of them
MIN_SHARED = 0.4  # of a sketch: closer melodies are one tune
MIN_SHARED_RUNS = 4  # and at least so many runs: any two short melodies may share a scale
CROWD = 32  # a run of intervals that more melodies share tells less


def clusters(
    groups: Sequence[Hashable], fingerprints: Sequence[bytes], sketches: Sequence[np.ndarray]
) -> list[int]:
    """Join melodies that must stay on one side.

    Parameters
    ----------
    groups
        What must stay together anyway: the file of each melody.
    fingerprints, sketches
        See `partimento.data.fingerprints`; equal fingerprints, and sketches alike in 40 of a
        hundred, are one tune.

    Returns
    -------
    cluster : list of int
        For each melody the index of the first melody of its cluster.
    """
    parents = list(range(len(groups)))

    def root(index: int) -> int:
        while parents[index] != index:
            parents[index] = parents[parents[index]]
            index = parents[index]
        return index

    def join(one: int, other: int) -> None:
        low, high = sorted((root(one), root(other)))
        parents[high] = low

    for keys in (groups, fingerprints):
        first: dict[Hashable, int] = {}
        for index, key in enumerate(keys):
            join(index, first.setdefault(key, index))
    for one, other in _alike(sketches):
        join(one, other)
    return [root(index) for index in range(len(groups))]


def assign(
    cluster: Sequence[int],
    fingerprints: Sequence[bytes],
    published: Sequence[str | None],
    seed: int = 0,
) -> list[str]:
    """Give every melody a split.

    A published split stands. A cluster that holds some published melodies takes the rest of it to
    the most guarded of their sides: test, then valid, then train.
    """
    members: dict[int, list[int]] = {}
    for index, number in enumerate(cluster):
        members.setdefault(number, []).append(index)
    largest = max(1.0, LARGEST_HELD_OUT * len(cluster))
    side: dict[int, str] = {}
    place: dict[int, float] = {}
    for number, indices in members.items():
        named = {published[index] for index in indices} - {None}
        if named:
            side[number] = next(split for split in ("test", "valid", "train") if split in named)
            continue
        place[number] = _place(min(fingerprints[index] for index in indices), seed)
        is_large = len(indices) > largest
        side[number] = "train" if is_large else _side(place[number])
    sizes = {number: len(indices) for number, indices in members.items()}
    _empty_full_sides(side, place, sizes, largest)
    _fill_empty_sides(side, place, sizes, largest)
    return [published[index] or side[number] for index, number in enumerate(cluster)]


def _side(place: float) -> str:
    if place < TRAIN_SHARE:
        return "train"
    return "valid" if place < TRAIN_SHARE + VALID_SHARE else "test"


def _place(fingerprint: bytes, seed: int) -> float:
    """Spread fingerprints evenly over 0 to 1."""
    salted = hashlib.blake2b(fingerprint, digest_size=8, salt=str(seed)[:16].encode()).digest()
    return int.from_bytes(salted, "big") / 2**64


def _empty_full_sides(
    side: dict[int, str], place: dict[int, float], sizes: dict[int, int], largest: float
) -> None:
    """See that chance holds no more than a fifth of a small folder out on one side."""
    for split in ("valid", "test"):
        held = sorted((n for n in place if side[n] == split), key=lambda number: place[number])
        size = sum(sizes[number] for number in held)
        for number in held:
            if size <= largest:
                break
            side[number] = "train"
            size -= sizes[number]


def _fill_empty_sides(
    side: dict[int, str], place: dict[int, float], sizes: dict[int, int], largest: float
) -> None:
    """See that a small folder has something to choose by, and from ten pieces on to test by."""
    count = sum(sizes.values())
    wanted = max(1, min(FEWEST_HELD_OUT, count // 10))
    for split, least, fewest in (("valid", 5, wanted), ("test", 10, wanted), ("train", 1, 1)):
        while count >= least:
            held = sum(sizes[number] for number in side if side[number] == split)
            donor, _ = Counter(side.values()).most_common(1)[0]
            movable = [number for number in place if side[number] == donor]
            if held >= fewest or donor == split or len(movable) < 1 + (split != "train"):
                break
            small = [number for number in movable if held + sizes[number] <= largest]
            if held and not small:
                break
            side[max(small or movable, key=lambda number: place[number])] = split


def _alike(sketches: Sequence[np.ndarray]) -> list[tuple[int, int]]:
    """Pairs of melodies whose sketches have much in common."""
    sizes = np.array([len(sketch) for sketch in sketches], dtype=np.int64)
    if not sizes.sum():
        return []
    hashes = np.concatenate([np.asarray(sketch, dtype=np.uint64) for sketch in sketches])
    owner = np.repeat(np.arange(len(sketches)), sizes)
    order = np.lexsort((owner, hashes))
    hashes, owner = hashes[order], owner[order]
    pairs = []
    for apart in range(1, CROWD):
        # Neighbours at every distance within a run of equal hashes: all pairs of a small crowd,
        # chains of a large one.
        is_pair = hashes[apart:] == hashes[:-apart]
        if not is_pair.any():
            break
        pairs.append(np.stack([owner[:-apart][is_pair], owner[apart:][is_pair]]))
    if not pairs:
        return []
    both, shared = np.unique(np.concatenate(pairs, axis=1), axis=1, return_counts=True)
    smaller = np.minimum(sizes[both[0]], sizes[both[1]])
    enough = shared >= np.maximum(MIN_SHARED * smaller, MIN_SHARED_RUNS)
    return [(int(one), int(other)) for one, other in both[:, enough].T]
