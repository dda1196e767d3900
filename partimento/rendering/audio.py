"""A score as sound: `render_audio` plays it; `audio_file.write_audio` makes a file of that.

Every part is played by the sampler with the bundled SoundFont (or another), a little hall is added,
and the whole is brought to an even loudness below clipping. The same score gives the same samples.
`dry_blocks` plays stretch by stretch, so that a piece of any length takes little memory.
"""

import functools
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from partimento.errors import LimitError, MusicError, ParameterError
from partimento.music.score import Score
from partimento.music.timing import TempoMap
from partimento.rendering.loudness import Levelling, Meter
from partimento.rendering.sampler import LONGEST_RELEASE, play_part
from partimento.rendering.soundfont import open_font

SAMPLE_RATE = 44_100
TAIL_SECONDS = 2.5  # sound after the last bar: releases and hall, faded out at the end
FADE_SECONDS = 1.0
MAX_SECONDS = 1800.0
PEAK_DB = -1.0  # no peak is higher, between the samples neither
HALL_DB = -15.0  # hall beside the dry sound
HALL_SECONDS = 1.5  # until it has fallen by 60 decibels
# Corners of bands [Hz], and the share of that time each takes: air swallows the treble first.
HALL_BANDS = ((120, 500, 0.9), (500, 2000, 1.0), (2000, 6000, 0.65), (6000, 11000, 0.4))
HALL_BLOCK = 1 << 17  # frames
PLAYED_BLOCK = 6 * HALL_BLOCK  # frames played at once: 18 s


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
        Left and right, at -16 LUFS where peaks allow, and below -1 dBTP. It lasts as long as the
        score and `TAIL_SECONDS` more.

    Raises
    ------
    MusicError
        If the score has no notes.
    LimitError
        If it lasts longer than `max_seconds`.
    """
    frames = count_frames(score, sample_rate, max_seconds=max_seconds)
    mix = np.empty((2, frames), dtype=np.float32)
    meter = Meter(sample_rate)
    start = 0
    for block in played_blocks(score, frames, sample_rate, sound_font):
        mix[:, start : start + block.shape[1]] = block
        meter.add(block)
        start += block.shape[1]
    levelling = Levelling(meter)
    for start in range(0, frames, HALL_BLOCK):
        stretch = mix[:, start : start + HALL_BLOCK]
        stretch[:] = levelling.apply(stretch, start)
    return mix.T


def count_frames(score: Score, sample_rate: int, *, max_seconds: float = MAX_SECONDS) -> int:
    """Length of the sound of a score, tail and all; refuses what cannot be played."""
    if not 8_000 <= sample_rate <= 96_000:
        raise ParameterError(f"sample_rate must be in 8,000 to 96,000 Hz, got {sample_rate}")
    if not score.num_notes:
        raise MusicError("the score has no notes: there is nothing to hear")
    seconds = float(TempoMap.of(score).seconds(score.end_tick))
    if seconds > max_seconds:
        raise LimitError(
            f"the music lasts {seconds:,.0f} seconds, the limit max_seconds is {max_seconds:,.0f}: "
            "render fewer bars, or raise the limit",
            limit="max_seconds",
        )
    return int(np.ceil((seconds + TAIL_SECONDS) * sample_rate))


def played_blocks(
    score: Score, frames: int, sample_rate: int, sound_font: Path | None = None
) -> Iterator[np.ndarray]:
    """Play a score in its hall, not levelled: blocks of shape (2, frame), `frames` in all."""
    hall = Hall(sample_rate)
    fade = int(FADE_SECONDS * sample_rate)
    for start, block in dry_blocks(score, frames, sample_rate, sound_font):
        for at in range(0, block.shape[1], HALL_BLOCK):
            hall.add(block[:, at : at + HALL_BLOCK])
        left = frames - np.arange(start, start + block.shape[1]) - 1
        if left[-1] < fade:
            block *= (np.clip(left / fade, 0, 1) ** 2).astype(np.float32)
        yield block


def dry_blocks(
    score: Score, frames: int, sample_rate: int, sound_font: Path | None = None
) -> Iterator[tuple[int, np.ndarray]]:
    """Play a score as it comes from the sampler: the first frame of a block, and the block."""
    font = open_font(sound_font)
    time = TempoMap.of(score)
    parts = score.apply_sustain().parts
    spans = [
        (np.rint(time.seconds(part.notes.onset) * sample_rate), time.seconds(part.notes.offset))
        for part in parts
    ]
    ringing = np.zeros((2, 0), dtype=np.float32)
    for start in range(0, frames, PLAYED_BLOCK):
        stop = min(start + PLAYED_BLOCK, frames)
        last = stop
        for onset, release in spans:
            begins = (onset >= start) & (onset < stop)
            end = float(release[begins].max(initial=0)) + LONGEST_RELEASE
            last = max(last, min(frames, int(end * sample_rate)))
        mix = np.zeros((2, max(last - start, ringing.shape[1])), dtype=np.float32)
        mix[:, : ringing.shape[1]] = ringing
        for part in parts:
            play_part(mix, part, time, font, sample_rate, first_frame=start, stop_frame=stop)
        ringing = mix[:, stop - start :]
        yield start, mix[:, : stop - start]


class Hall:
    """A small hall that is given blocks, and adds its answer (convolution by overlap and add)."""

    def __init__(self, sample_rate: int) -> None:
        answer = hall_answer(sample_rate, HALL_SECONDS) * 10 ** (HALL_DB / 20)  # side frame
        self.size = 2 * HALL_BLOCK
        while self.size < HALL_BLOCK + answer.shape[1]:
            self.size *= 2
        self.spectra = np.fft.rfft(answer, self.size)
        self.ringing = np.zeros((2, self.size), dtype=np.float32)

    def add(self, dry: np.ndarray) -> None:
        """Add the answer to a block of at most `HALL_BLOCK` frames, shape (2, frame)."""
        length = dry.shape[1]
        both = np.fft.rfft(dry.mean(axis=0), self.size)  # the hall hears both sides as one
        wet = np.fft.irfft(both * self.spectra, self.size).astype(np.float32)
        wet += self.ringing
        dry += wet[:, :length]
        self.ringing[:, : self.size - length] = wet[:, length:]
        self.ringing[:, self.size - length :] = 0


@functools.lru_cache(maxsize=4)
def hall_answer(sample_rate: int, fall_seconds: float) -> np.ndarray:
    """Answer of a hall, left and right, of energy 1: noise that fades, its treble sooner.

    The noise comes from a fixed seed: the hall is always the same. `fall_seconds` is until it has
    fallen by 60 decibels.
    """
    frames = int(fall_seconds * sample_rate)
    seconds = np.arange(frames) / sample_rate
    noise = np.random.default_rng(1786).standard_normal((2, frames))
    spectrum = np.fft.rfft(noise)
    hertz = np.fft.rfftfreq(frames, 1 / sample_rate)
    answer = np.zeros((2, frames))
    for low, high, share in HALL_BANDS:
        octaves = np.log2(np.maximum(hertz, 1) / np.sqrt(low * high)) / np.log2(high / low)
        fall = 10 ** (-3 * seconds / (share * fall_seconds))
        answer += np.fft.irfft(spectrum * np.exp(-3 * octaves**2), frames) * fall
    rise = 1 - np.exp(-np.maximum(seconds - 0.012, 0) / 0.01)  # walls are some metres away
    answer *= rise * np.linspace(1, 0, frames) ** 0.5
    return np.asarray(answer / np.sqrt((answer**2).sum(axis=1, keepdims=True)))
