"""A score as sound: `render_audio` plays it; `wav.write_wav` makes a file of what it gives.

Every part is played by the sampler with the bundled SoundFont (or another), a little hall is added,
and the whole is brought to an even loudness below clipping. The same score gives the same samples.
"""

import functools
from pathlib import Path

import numpy as np

from partimento.errors import LimitError, MusicError, ParameterError
from partimento.music.score import Score
from partimento.music.timing import TempoMap
from partimento.rendering.sampler import play_part
from partimento.rendering.soundfont import open_font

SAMPLE_RATE = 44_100
TAIL_SECONDS = 2.5  # sound after the last bar: releases and hall, faded out at the end
FADE_SECONDS = 1.0
MAX_SECONDS = 1800.0
PEAK_DB = -1.0  # the loudest sample; room for players that resample
LOUDNESS_DB = -18.0  # RMS of the loud passages, where the peak allows
HALL_DB = -15.0  # hall beside the dry sound
HALL_SECONDS = 1.5  # until it has fallen by 60 decibels
# Corners of bands [Hz], and the share of that time each takes: air swallows the treble first.
HALL_BANDS = ((120, 500, 0.9), (500, 2000, 1.0), (2000, 6000, 0.65), (6000, 11000, 0.4))
HALL_BLOCK = 1 << 17  # frames


def render_audio(
    score: Score,
    *,
    sample_rate: int = SAMPLE_RATE,
    sound_font: Path | None = None,
    max_seconds: float = MAX_SECONDS,
) -> np.ndarray:
    """Play a score.

    Parameters
    ----------
    score
    sample_rate
        8,000 to 96,000 Hz.
    sound_font
        An SF2 file; without one the bundled font plays.
    max_seconds
        A longer piece is refused: a minute takes 21 MB of memory at 44,100 Hz.

    Returns
    -------
    float32 array, shape (frame, 2)
        Left and right, the loudest sample at -1 dBFS or below. It lasts as long as the score and
        `TAIL_SECONDS` more.

    Raises
    ------
    MusicError
        If the score has no notes.
    LimitError
        If it lasts longer than `max_seconds`.
    """
    if not 8_000 <= sample_rate <= 96_000:
        raise ParameterError(f"sample_rate must be in 8,000 to 96,000 Hz, got {sample_rate}")
    if not score.num_notes:
        raise MusicError("the score has no notes: there is nothing to hear")
    time = TempoMap.of(score)
    seconds = float(time.seconds(score.end_tick))
    if seconds > max_seconds:
        raise LimitError(
            f"the music lasts {seconds:,.0f} seconds, the limit max_seconds is {max_seconds:,.0f}: "
            "render fewer bars, or raise the limit",
            limit="max_seconds",
        )
    font = open_font(sound_font)
    mix = np.zeros((2, int(np.ceil((seconds + TAIL_SECONDS) * sample_rate))), dtype=np.float32)
    for part in score.apply_sustain().parts:
        play_part(mix, part, time, font, sample_rate)
    _add_hall(mix, sample_rate)
    fade = int(FADE_SECONDS * sample_rate)
    mix[:, -fade:] *= np.linspace(1, 0, fade, dtype=np.float32) ** 2
    mix *= np.float32(_level(mix, sample_rate))
    return mix.T


def _add_hall(mix: np.ndarray, sample_rate: int) -> None:
    """Add the hall's answer to a mix, block by block (convolution by overlap and add)."""
    answer = _hall(sample_rate)  # side frame
    size = 2 * HALL_BLOCK
    while size < HALL_BLOCK + answer.shape[1]:
        size *= 2
    spectra = np.fft.rfft(answer, size)
    ringing = np.zeros((2, size), dtype=np.float32)
    for start in range(0, mix.shape[1], HALL_BLOCK):
        dry = mix[:, start : start + HALL_BLOCK]
        length = dry.shape[1]
        both = np.fft.rfft(dry.mean(axis=0), size)  # the hall hears both sides as one
        wet = np.fft.irfft(both * spectra, size).astype(np.float32)
        wet += ringing
        dry += wet[:, :length]
        ringing[:, : size - length] = wet[:, length:]
        ringing[:, size - length :] = 0


@functools.lru_cache(maxsize=2)
def _hall(sample_rate: int) -> np.ndarray:
    """Answer of a small hall, left and right: noise that fades, its treble sooner.

    The noise comes from a fixed seed: the hall is always the same.
    """
    frames = int(HALL_SECONDS * sample_rate)
    seconds = np.arange(frames) / sample_rate
    noise = np.random.default_rng(1786).standard_normal((2, frames))
    spectrum = np.fft.rfft(noise)
    hertz = np.fft.rfftfreq(frames, 1 / sample_rate)
    answer = np.zeros((2, frames))
    for low, high, share in HALL_BANDS:
        octaves = np.log2(np.maximum(hertz, 1) / np.sqrt(low * high)) / np.log2(high / low)
        fall = 10 ** (-3 * seconds / (share * HALL_SECONDS))
        answer += np.fft.irfft(spectrum * np.exp(-3 * octaves**2), frames) * fall
    rise = 1 - np.exp(-np.maximum(seconds - 0.012, 0) / 0.01)  # walls are some metres away
    answer *= rise * np.linspace(1, 0, frames) ** 0.5
    answer *= 10 ** (HALL_DB / 20) / np.sqrt((answer**2).sum(axis=1, keepdims=True))
    return answer


def _level(mix: np.ndarray, sample_rate: int) -> float:
    """Gain that makes the loud passages equally loud in every piece, and clips nothing."""
    block = int(0.4 * sample_rate)
    power = np.array(
        [
            np.mean(mix[:, start : start + block].astype(np.float64) ** 2)
            for start in range(0, mix.shape[1], block)
        ]
    )
    peak = float(max(mix.max(), -mix.min()))
    if not peak:
        return 1.0
    loud = np.sqrt(power[power > power.max() / 100].mean())  # within 20 decibels of the loudest
    return float(min(10 ** (LOUDNESS_DB / 20) / loud, 10 ** (PEAK_DB / 20) / peak))
