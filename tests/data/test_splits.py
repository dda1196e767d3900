"""Splits: by content, copies together, published ones kept, small folders served."""

import hashlib
from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from partimento.data.splits import assign, clusters

NOTHING = np.zeros(0, dtype=np.uint64)


def prints(count, salt=""):
    return [hashlib.sha256(f"{salt}{number}".encode()).digest()[:16] for number in range(count)]


def split(fingerprints, seed=0, published=None):
    count = len(fingerprints)
    joined = clusters(range(count), fingerprints, [NOTHING] * count)
    return assign(joined, fingerprints, published or [None] * count, seed)


def test_about_eighty_ten_and_ten():
    sides = Counter(split(prints(5000)))
    assert 3900 < sides["train"] < 4100
    assert 420 < sides["valid"] < 580
    assert 420 < sides["test"] < 580


def test_a_piece_keeps_its_side_when_others_come():
    few, many = prints(100), prints(200)
    assert split(few) == split(many)[:100]
    assert split(few[::-1]) == split(few)[::-1]


def test_another_seed_gives_another_split():
    assert split(prints(100), 1) != split(prints(100), 2)


@given(st.integers(0, 40), st.integers(0, 10))
def test_small_folders_have_something_to_choose_by(count, seed):
    sides = Counter(split(prints(count, "x"), seed))
    assert sum(sides.values()) == count
    assert max(sides["valid"], sides["test"]) <= max(1, count / 5)
    assert sides["train"] >= count / 3
    if count >= 5:
        assert sides["valid"]
    if count >= 10:
        assert sides["test"]


@given(st.lists(st.integers(0, 8), min_size=1, max_size=60), st.integers(0, 5))
def test_equal_tunes_are_on_one_side(tunes, seed):
    known = prints(9)
    sides = split([known[tune] for tune in tunes], seed)
    for tune in set(tunes):
        assert len({side for side, other in zip(sides, tunes, strict=True) if other == tune}) == 1


def test_all_of_a_file_is_on_one_side():
    files = [number // 7 for number in range(700)]
    cluster = clusters(files, prints(700), [NOTHING] * 700)
    assert cluster == [7 * file for file in files]
    sides = assign(cluster, prints(700), [None] * 700)
    assert len(set(zip(files, sides, strict=True))) == 100


def test_melodies_that_share_much_are_joined_and_others_not():
    generator = np.random.default_rng(0)
    base = generator.integers(0, 2**63, 32, dtype=np.uint64)
    other = generator.integers(0, 2**63, 32, dtype=np.uint64)
    like = np.sort(np.append(base[:20], other[:12]))
    little = np.sort(np.append(base[20:23], generator.integers(0, 2**63, 29, dtype=np.uint64)))
    sketches = [np.sort(base), like, little, NOTHING]
    assert clusters(range(4), prints(4), sketches) == [0, 0, 2, 3]


def test_a_crowd_of_copies_is_one_cluster():
    base = np.arange(32, dtype=np.uint64)
    assert set(clusters(range(500), prints(500), [base] * 500)) == {0}


def test_a_large_cluster_trains():
    fingerprints = prints(100)
    groups = [0] * 40 + list(range(1, 61))
    for seed in range(30):
        sides = assign(
            clusters(groups, fingerprints, [NOTHING] * 100), fingerprints, [None] * 100, seed
        )
        assert set(sides[:40]) == {"train"}


def test_published_splits_stand_and_copies_follow_the_most_guarded():
    known = prints(4)
    fingerprints = [known[0], known[0], known[1], known[1], known[1], known[2]]
    published = ["test", None, "train", "valid", None, "train"]
    sides = split(fingerprints, 0, published)
    assert sides == ["test", "test", "train", "valid", "valid", "train"]
