"""Loudness as people hear it, true peaks, and the gain that brings sound to an even level.

A `Meter` is fed block after block and keeps only a few numbers a second, so that hours of sound are
measured in little memory. `Levelling` turns what it found into a gain and a limiter, and applies
them to block after block.

References
----------
ITU-R BS.1770-4, "Algorithms to measure audio programme loudness and true-peak audio level", 2015:
annex 1 (K-weighting, gating) and annex 2 (true peak, four times oversampled).
"""

import functools

import numpy as np

TARGET_LUFS = -16.0
CEILING_DB = -1.2  # of the limiter; the promise is -1 dBTP, and its gain moves between the groups
MOST_LIMITING_DB = 6.0  # more would be heard: a piece of few loud strokes stays softer instead
LEAD_SECONDS = 0.5  # of the sound before a block, which the weighting still hears
HOPS_PER_SECOND, HOPS_PER_BLOCK = 10, 4  # blocks of 400 ms, one every 100 ms
ABSOLUTE_GATE_LUFS, RELATIVE_GATE_LU = -70.0, -10.0
OFFSET_DB = -0.691  # so that a sine of 997 Hz at full scale in one channel is -3.01 LUFS
GROUP = 64  # frames of one peak
MARGIN = 16  # frames on each side of a group that its oversampling sees
OVERSAMPLING = 4
LIMITER_SECONDS = 0.05  # in which the gain moves, before a peak and after it


class Meter:
    """Measures stereo sound given in blocks.

    Parameters
    ----------
    sample_rate
        In Hz.
    """

    def __init__(self, sample_rate: int) -> None:
        self.hop = sample_rate // HOPS_PER_SECOND
        self.sample_rate = sample_rate
        self._lead = np.zeros((2, int(LEAD_SECONDS * sample_rate)), dtype=np.float32)
        self._rest = np.zeros(0)
        self._powers: list[np.ndarray] = []
        self._waiting = np.zeros((2, MARGIN), dtype=np.float32)
        self._peaks: list[np.ndarray] = []

    def add(self, block: np.ndarray) -> None:
        """Hear the next block, shape (2, frame)."""
        heard = np.concatenate([self._lead, block], axis=1)
        size = 1 << (heard.shape[1] - 1).bit_length()
        spectrum = np.fft.rfft(heard, size) * _k_weighting(size, self.sample_rate)
        weighted = np.fft.irfft(spectrum, size)[:, self._lead.shape[1] : heard.shape[1]]
        self._lead = heard[:, heard.shape[1] - self._lead.shape[1] :]
        power = np.concatenate([self._rest, (weighted**2).sum(axis=0)])
        whole = len(power) // self.hop * self.hop
        self._powers.append(power[:whole].reshape(-1, self.hop).mean(axis=1))
        self._rest = power[whole:]
        self._hear_peaks(block)

    def _hear_peaks(self, block: np.ndarray) -> None:
        """Keep the true peak of each whole group that has its margin."""
        sound = np.concatenate([self._waiting, block], axis=1)
        count = max(0, (sound.shape[1] - 2 * MARGIN) // GROUP)
        if count:
            width = GROUP + 2 * MARGIN
            rows = np.lib.stride_tricks.sliding_window_view(sound, width, axis=1)
            rows = rows[:, : count * GROUP : GROUP].reshape(-1, width)
            peaks = np.abs(rows @ _oversampler()).max(axis=1).reshape(2, -1)
            self._peaks.append(peaks.max(axis=0))
        self._waiting = sound[:, count * GROUP :]

    @property
    def peaks(self) -> np.ndarray:
        """True peak of each group of frames, 1 at full scale; the end is filled up with silence."""
        left = self._waiting.shape[1] - MARGIN
        if left > 0:
            missing = -(-left // GROUP) * GROUP + 2 * MARGIN - self._waiting.shape[1]
            self._hear_peaks(np.zeros((2, missing), dtype=np.float32))
        return np.concatenate(self._peaks) if self._peaks else np.zeros(0, dtype=np.float32)

    def loudness(self, gain: np.ndarray | float = 1.0) -> float:
        """Integrated loudness in LUFS; minus infinity for silence.

        Parameters
        ----------
        gain
            As if the sound had been played so: one gain, or one for each 100 ms.
        """
        powers = np.concatenate([*self._powers, np.zeros(0)])
        if not len(powers):  # shorter than a hop: what there is
            powers = np.array([self._rest.mean() if len(self._rest) else 0.0])
        powers = powers * gain**2
        size = min(HOPS_PER_BLOCK, len(powers))
        blocks = np.lib.stride_tricks.sliding_window_view(powers, size).mean(axis=1)
        heard = blocks[blocks > 10 ** ((ABSOLUTE_GATE_LUFS - OFFSET_DB) / 10)]
        if not len(heard):
            return -np.inf
        heard = heard[heard > heard.mean() * 10 ** (RELATIVE_GATE_LU / 10)]
        return float(OFFSET_DB + 10 * np.log10(heard.mean()))

    @property
    def num_hops(self) -> int:
        """Number of 100 ms measured."""
        return sum(len(powers) for powers in self._powers)


class Levelling:
    """Gain and look-ahead limiter for sound that a `Meter` has heard to its end.

    The gain falls before a peak and rises after it along a Hann window, so that it makes no sound
    of its own.
    """

    def __init__(self, meter: Meter, *, target: float = TARGET_LUFS) -> None:
        peaks = meter.peaks
        ceiling = 10 ** (CEILING_DB / 20)
        highest = float(peaks.max(initial=0))
        loudness = meter.loudness()
        self.gain = 1.0
        self.curve = np.ones(len(peaks))
        if not highest or not np.isfinite(loudness):
            return
        most = ceiling / highest * 10 ** (MOST_LIMITING_DB / 20)
        for _ in range(3):  # what the limiter takes away is given back
            self.gain = min(self.gain * 10 ** ((target - loudness) / 20), most)
            self.curve = _limiter_curve(peaks * self.gain, ceiling, meter.sample_rate)
            at_hop = (np.arange(meter.num_hops) + 0.5) * meter.hop / GROUP
            middles = np.arange(len(self.curve)) + 0.5
            reached = np.interp(at_hop, middles, self.curve) if meter.num_hops else 1.0
            loudness = meter.loudness(self.gain * reached)

    def apply(self, block: np.ndarray, start: int) -> np.ndarray:
        """Level a block, shape (2, frame), that starts at a frame of the whole."""
        at = (np.arange(start, start + block.shape[1]) + 0.5) / GROUP
        first = max(0, start // GROUP - 1)
        last = (start + block.shape[1]) // GROUP + 2
        near = self.curve[first:last]
        if not len(near) or near.min() == 1:
            return np.asarray(block * np.float32(self.gain))
        gain = np.interp(at, np.arange(first, first + len(near)) + 0.5, near) * self.gain
        return np.asarray(block * gain.astype(np.float32))


def integrated_loudness(audio: np.ndarray, sample_rate: int) -> float:
    """Loudness of samples, shape (frame, 2), in LUFS."""
    return _measured(audio, sample_rate).loudness()


def true_peak_db(audio: np.ndarray, sample_rate: int) -> float:
    """Highest point of the wave between the samples too, in dBTP."""
    return float(20 * np.log10(max(_measured(audio, sample_rate).peaks.max(initial=0), 1e-10)))


def level(audio: np.ndarray, sample_rate: int) -> np.ndarray:
    """Bring samples, shape (frame, 2), to -16 LUFS with peaks below -1 dBTP."""
    return Levelling(_measured(audio, sample_rate)).apply(audio.T, 0).T


def limit(audio: np.ndarray, sample_rate: int, ceiling_db: float) -> np.ndarray:
    """Keep the true peaks of samples, shape (2, frame), under a ceiling in dBTP."""
    levelling = Levelling(Meter(sample_rate))
    peaks = _measured(audio.T, sample_rate).peaks
    levelling.curve = _limiter_curve(peaks, 10 ** (ceiling_db / 20), sample_rate)
    return levelling.apply(audio, 0)


def _measured(audio: np.ndarray, sample_rate: int) -> Meter:
    meter = Meter(sample_rate)
    for start in range(0, len(audio), 1 << 19):
        meter.add(audio[start : start + (1 << 19)].T)
    return meter


@functools.lru_cache(maxsize=4)
def _k_weighting(size: int, sample_rate: int) -> np.ndarray:
    """Response of the head's shelf and of the high-pass, at the frequencies of a transform.

    The standard prints coefficients for 48 kHz; these corners, gain and qualities are what they
    were made from, so that other rates weigh alike.
    """
    z = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size)  # z^-1
    k = np.tan(np.pi * 1681.974450955533 / sample_rate)
    high, quality = 10 ** (3.999843853973347 / 20), 0.7071752369554196
    middle = high**0.4996667741545416
    shelf = (high + middle * k / quality + k * k) + 2 * (k * k - high) * z
    shelf = shelf + (high - middle * k / quality + k * k) * z * z
    below = (1 + k / quality + k * k) + 2 * (k * k - 1) * z + (1 - k / quality + k * k) * z * z
    k = np.tan(np.pi * 38.13547087602444 / sample_rate)
    quality = 0.5003270373238773
    # The standard leaves the numerator 1, -2, 1 as it is and scales the denominator to 1.
    scale = 1 + k / quality + k * k
    cut = (1 - z) ** 2 * scale
    under = scale + 2 * (k * k - 1) * z + (1 - k / quality + k * k) * z * z
    return np.asarray(shelf / below * cut / under)


@functools.lru_cache(maxsize=1)
def _oversampler() -> np.ndarray:
    """Matrix from a group with its margins to four times as many points: a windowed sinc."""
    place = np.arange(GROUP * OVERSAMPLING) / OVERSAMPLING + MARGIN
    distance = place[None, :] - np.arange(GROUP + 2 * MARGIN)[:, None]
    window = np.cos(np.pi / 2 * np.clip(distance / MARGIN, -1, 1)) ** 2
    return np.asarray((np.sinc(distance) * window).astype(np.float32))


def _limiter_curve(peaks: np.ndarray, ceiling: float, sample_rate: int) -> np.ndarray:
    """Gain at the middle of each group that keeps its peak, and those near it, under a ceiling."""
    needed = np.minimum(1, ceiling / np.maximum(peaks, 1e-9))
    reach = max(1, int(LIMITER_SECONDS * sample_rate / GROUP))
    if needed.min(initial=1) == 1:
        return np.ones(len(peaks))
    padded = np.pad(needed, 2 * reach + 1, constant_values=1)
    lowest = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 3).min(axis=1)
    window = np.hanning(2 * reach + 3)[1:-1]
    return np.convolve(lowest, window / window.sum(), mode="valid")
