"""Effects on sound: gain, filter, delay, reverb, compressor and limiter.

Each is a frozen value with settings in plain units; `process` takes samples of shape (2, frame) and
gives new ones of the same length. `tail_seconds` is how long an effect goes on after its input.

References
----------
Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter coefficients", 1998 (`Filter`).
Giannoulis, Massberg and Reiss, "Digital dynamic range compressor design", JAES 60, 2012: the
feed-forward design with a smoothed level (`Compressor`); computed once every 64 frames.
"""

from dataclasses import dataclass

import numpy as np

from partimento.errors import ParameterError
from partimento.rendering.audio import hall_answer
from partimento.rendering.loudness import GROUP, limit

RINGING_DB = 60  # an effect's tail is as long as a fall by so much


@dataclass(frozen=True)
class Effect:
    """What every effect has."""

    @property
    def tail_seconds(self) -> float:
        """Seconds it sounds after its input has ended."""
        return 0.0

    def process(self, audio: np.ndarray, sample_rate: int) -> np.ndarray:
        """Give the sound with the effect on it, shape (2, frame)."""
        raise NotImplementedError


@dataclass(frozen=True)
class Gain(Effect):
    """Louder or softer by so many decibels, -60 to 40."""

    db: float = 0.0

    def __post_init__(self) -> None:
        _check("gain db", self.db, -60, 40)

    def process(self, audio: np.ndarray, sample_rate: int) -> np.ndarray:
        """Multiply."""
        return np.asarray(audio * np.float32(10 ** (self.db / 20)))


@dataclass(frozen=True)
class Filter(Effect):
    """A biquad: `kind` is lowpass, highpass, bandpass, notch or peak; `gain_db` is for peak."""

    kind: str = "lowpass"
    hertz: float = 1000.0
    q: float = 0.7071
    gain_db: float = 0.0

    def __post_init__(self) -> None:
        kinds = ("lowpass", "highpass", "bandpass", "notch", "peak")
        if self.kind not in kinds:
            raise ParameterError(f"filter kind {self.kind!r}: there are {', '.join(kinds)}")
        _check("filter hertz", self.hertz, 20, 20_000)
        _check("filter q", self.q, 0.1, 30)
        _check("filter gain_db", self.gain_db, -40, 40)

    def process(self, audio: np.ndarray, sample_rate: int) -> np.ndarray:
        """Multiply the spectrum by the biquad's response."""
        angle = 2 * np.pi * min(self.hertz, 0.45 * sample_rate) / sample_rate
        alpha, cosine = np.sin(angle) / (2 * self.q), np.cos(angle)
        high = 10 ** (self.gain_db / 40)
        above, below = {
            "lowpass": ([(1 - cosine) / 2, 1 - cosine, (1 - cosine) / 2], None),
            "highpass": ([(1 + cosine) / 2, -1 - cosine, (1 + cosine) / 2], None),
            "bandpass": ([alpha, 0, -alpha], None),
            "notch": ([1, -2 * cosine, 1], None),
            "peak": (
                [1 + alpha * high, -2 * cosine, 1 - alpha * high],
                [1 + alpha / high, -2 * cosine, 1 - alpha / high],
            ),
        }[self.kind]
        below = below or [1 + alpha, -2 * cosine, 1 - alpha]
        size = 1 << (audio.shape[1] + sample_rate - 1).bit_length()
        z = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size)
        response = np.polyval(above[::-1], z) / np.polyval(below[::-1], z)
        spectrum = np.fft.rfft(audio, size) * response
        return np.fft.irfft(spectrum, size)[:, : audio.shape[1]].astype(np.float32)


@dataclass(frozen=True)
class Delay(Effect):
    """Echoes: one every `seconds`, each `feedback` (0 to 0.95) times the one before."""

    seconds: float = 0.375
    feedback: float = 0.35
    mix: float = 0.3

    def __post_init__(self) -> None:
        _check("delay seconds", self.seconds, 0.001, 5)
        _check("delay feedback", self.feedback, 0, 0.95)
        _check("delay mix", self.mix, 0, 1)

    @property
    def _echoes(self) -> int:
        if not self.feedback:
            return 1
        return 1 + int(RINGING_DB / (-20 * np.log10(self.feedback)))

    @property
    def tail_seconds(self) -> float:
        """Until the echoes have fallen by 60 decibels, 20 s at most."""
        return min(20.0, self.seconds * self._echoes)

    def process(self, audio: np.ndarray, sample_rate: int) -> np.ndarray:
        """Add the echoes."""
        step = max(1, round(self.seconds * sample_rate))
        out = audio.copy()
        for number in range(1, self._echoes + 1):
            if (at := number * step) >= audio.shape[1]:
                break
            level = self.mix * self.feedback ** (number - 1)
            out[:, at:] += audio[:, :-at] * np.float32(level)
        return out


@dataclass(frozen=True)
class Reverb(Effect):
    """A hall: `seconds` until it has fallen by 60 decibels; `mix` 0 is dry, 1 hall alone."""

    seconds: float = 1.8
    mix: float = 0.25

    def __post_init__(self) -> None:
        _check("reverb seconds", self.seconds, 0.1, 10)
        _check("reverb mix", self.mix, 0, 1)

    @property
    def tail_seconds(self) -> float:
        """As long as the hall rings."""
        return self.seconds

    def process(self, audio: np.ndarray, sample_rate: int) -> np.ndarray:
        """Convolve with noise that fades, its treble sooner."""
        answer = hall_answer(sample_rate, self.seconds)
        size = 1 << (audio.shape[1] + answer.shape[1] - 1).bit_length()
        wet = np.fft.irfft(np.fft.rfft(audio.mean(axis=0), size) * np.fft.rfft(answer, size), size)
        wet = wet[:, : audio.shape[1]]
        return ((1 - self.mix) * audio + self.mix * wet).astype(np.float32)


@dataclass(frozen=True)
class Compressor(Effect):
    """Softens what is louder than `threshold_db` (dBFS): `ratio` dB more in is 1 dB more out."""

    threshold_db: float = -18.0
    ratio: float = 2.0
    attack_ms: float = 10.0
    release_ms: float = 120.0
    makeup_db: float = 0.0

    def __post_init__(self) -> None:
        _check("compressor threshold_db", self.threshold_db, -80, 0)
        _check("compressor ratio", self.ratio, 1, 100)
        _check("compressor attack_ms", self.attack_ms, 0.1, 500)
        _check("compressor release_ms", self.release_ms, 1, 5000)
        _check("compressor makeup_db", self.makeup_db, -40, 40)

    def process(self, audio: np.ndarray, sample_rate: int) -> np.ndarray:
        """Turn down, both sides alike."""
        frames = audio.shape[1]
        padded = np.pad(np.abs(audio).max(axis=0), (0, -frames % GROUP))
        peaks = padded.reshape(-1, GROUP).max(axis=1)
        over = np.maximum(20 * np.log10(np.maximum(peaks, 1e-6)) - self.threshold_db, 0)
        wanted = (over * (1 - 1 / self.ratio)).tolist()
        rise = float(np.exp(-GROUP / (sample_rate * self.attack_ms / 1000)))
        fall = float(np.exp(-GROUP / (sample_rate * self.release_ms / 1000)))
        reached, reduction = 0.0, []
        for decibels in wanted:  # a recursion: each depends on the one before
            keep = rise if decibels > reached else fall
            reached = keep * reached + (1 - keep) * decibels
            reduction.append(reached)
        middles = (np.arange(len(reduction)) + 0.5) * GROUP
        decibels = self.makeup_db - np.interp(np.arange(frames), middles, reduction)
        return (audio * 10 ** (decibels / 20)).astype(np.float32)


@dataclass(frozen=True)
class Limiter(Effect):
    """Keeps true peaks under `ceiling_db` (dBTP), looking ahead by 50 ms."""

    ceiling_db: float = -1.0

    def __post_init__(self) -> None:
        _check("limiter ceiling_db", self.ceiling_db, -40, 0)

    def process(self, audio: np.ndarray, sample_rate: int) -> np.ndarray:
        """Turn down around the peaks."""
        return limit(audio, sample_rate, self.ceiling_db)


def _check(name: str, value: float, lowest: float, highest: float) -> None:
    if not lowest <= value <= highest:
        raise ParameterError(f"{name} must be {lowest:g} to {highest:g}, got {value}")
