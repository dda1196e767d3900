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
    if not len(pitch):
        return _digest(b"")
    return fingerprints(onset_step, pitch, np.zeros(1, dtype=np.int64))[0]


def fingerprints(onset_step: np.ndarray, pitch: np.ndarray, first: np.ndarray) -> list[bytes]:
    """Fingerprints of melodies that stand one after the other.

    Parameters
    ----------
    onset_step, pitch : int array, shape (note,)
    first : int array, shape (melody,)
        Index of the first note of each melody; none is empty.
    """
    ends = np.append(first[1:], len(pitch))
    wait, interval = np.zeros((2, len(pitch)), dtype=np.int64)
    np.subtract(onset_step[1:], onset_step[:-1], out=wait[:-1])
    np.subtract(pitch[1:], pitch[:-1], out=interval[:-1])
    wait[ends - 1] = 0  # what the greatest common divisor passes over
    unit = np.maximum(np.gcd.reduceat(wait, first), 1)
    facts = np.stack((interval, wait // np.repeat(unit, ends - first))).astype("<i4")
    edges = zip(first.tolist(), (ends - 1).tolist(), strict=True)
    return [_digest(facts[:, low:high].tobytes()) for low, high in edges]


def _digest(facts: bytes) -> bytes:
    return hashlib.blake2b(facts, digest_size=16).digest()


def sketch(pitch: np.ndarray) -> np.ndarray:
    """Hash every run of 12 intervals and keep the 32 smallest, sorted; uint64.

    References
    ----------
    Broder, "On the resemblance and containment of documents", 1997 (the sample of the smallest
    hashes estimates how much two sets have in common).
    """
    return sketches(pitch, np.zeros(1, dtype=np.int64))[0]


def sketches(pitch: np.ndarray, first: np.ndarray) -> list[np.ndarray]:
    """Sketches of melodies that stand one after the other; `first` is where each begins."""
    edges = list(zip(first.tolist(), [*(first[1:] - RUN).tolist(), len(pitch) - RUN], strict=True))
    if len(pitch) <= RUN:
        return [np.zeros(0, dtype=np.uint64) for _ in edges]
    # Each run as a number: its intervals times fixed multipliers, modulo 2**64. Runs from one
    # melody into the next are hashed too, and passed over below.
    hashes = np.convolve(np.diff(pitch).astype(np.uint64), _MULTIPLIERS, mode="valid")
    hashes ^= hashes >> np.uint64(29)
    hashes *= np.uint64(0xBF58476D1CE4E5B9)
    hashes ^= hashes >> np.uint64(32)
    for low, high in edges:
        hashes[low : max(low, high)].sort()
    is_new = np.append(True, hashes[1:] != hashes[:-1])
    is_new[first[first < len(hashes)]] = True
    return [
        hashes[low : max(low, high)][is_new[low : max(low, high)]][:SKETCH_SIZE]
        for low, high in edges
    ]
