"""Fingerprints: when two melodies are the same but for key and tempo.

`fingerprint` is equal for a tune, its transpositions and the same tune in doubled note values.
`sketch` is a small sample of a melody's runs of intervals: two melodies that share much of it share
much of their music, so near copies can be found among many thousands without comparing each pair.
"""

import hashlib

import numpy as np

RUN = 12  # intervals in a run
SKETCH_SIZE = 32

_MULTIPLIERS = np.array(  # odd, so that no run is lost to even ones
    [
        int.from_bytes(hashlib.sha256(f"run {place}".encode()).digest()[:8], "little") | 1
        for place in range(RUN)
    ],
    dtype=np.uint64,
)


def fingerprint(onset_step: np.ndarray, pitch: np.ndarray) -> bytes:
    """Hash the intervals and the ratios of the times between onsets, 16 bytes.

    Parameters
    ----------
    onset_step, pitch : int array, shape (note,)
        In order of onset.

    Examples
    --------
    >>> tune, moved = np.array([60, 62, 64]), np.array([67, 69, 71])
    >>> fingerprint(np.array([0, 2, 8]), tune) == fingerprint(np.array([4, 8, 20]), moved)
    True
    """
    waits = np.diff(onset_step)
    unit = max(1, int(np.gcd.reduce(waits))) if len(waits) else 1
    facts = np.stack([np.diff(pitch), waits // unit])
    return hashlib.blake2b(facts.astype("<i4").tobytes(), digest_size=16).digest()


def sketch(pitch: np.ndarray) -> np.ndarray:
    """Hash every run of 12 intervals and keep the 32 smallest, sorted; uint64.

    References
    ----------
    Broder, "On the resemblance and containment of documents", 1997 (the sample of the smallest
    hashes estimates how much two sets have in common).
    """
    intervals = np.diff(pitch)
    if len(intervals) < RUN:
        return np.zeros(0, dtype=np.uint64)
    # Each run as a number: its intervals times fixed multipliers, modulo 2**64.
    hashes = np.convolve(intervals.astype(np.uint64), _MULTIPLIERS, mode="valid")
    hashes ^= hashes >> np.uint64(29)
    hashes *= np.uint64(0xBF58476D1CE4E5B9)
    hashes ^= hashes >> np.uint64(32)
    hashes.sort()
    is_new = np.append(True, hashes[1:] != hashes[:-1])
    return hashes[is_new][:SKETCH_SIZE]
