"""Ears for the tests: when something sounds, how loud, and at which pitch."""

import numpy as np

from partimento.music.notes import Notes
from partimento.music.score import Part, Score
from partimento.rendering.audio import SAMPLE_RATE


def line(
    pitches, *, length=480, gap=0, velocity=90, program=0, is_drum=False, controls=(), **score
):
    """One note after another, each so many ticks long (480 is half a second)."""
    step = length + gap
    notes = Notes(
        onset=[step * number for number in range(len(pitches))],
        duration=[length] * len(pitches),
        pitch=list(pitches),
        velocity=velocity if isinstance(velocity, list) else [velocity] * len(pitches),
    )
    part = Part(notes, program=program, is_drum=is_drum, controls=controls)
    return Score(parts=(part,), **score)


def stretch(audio, start, stop):
    """Mono sound between two seconds."""
    return audio[int(start * SAMPLE_RATE) : int(stop * SAMPLE_RATE)].mean(axis=1)


def loudness(audio, start, stop):
    """RMS between two seconds, in decibels."""
    return 10 * np.log10(np.mean(stretch(audio, start, stop) ** 2) + 1e-12)


def hertz(pitch):
    return 440 * 2 ** ((pitch - 69) / 12)


def cents_off(audio, start, stop, pitch):
    """How far the harmonics heard lie from those of a pitch, within half a semitone and more."""
    sound = stretch(audio, start, stop)
    size = 1 << 18
    spectrum = np.log(np.abs(np.fft.rfft(sound * np.hanning(len(sound)), size)) + 1e-4)
    cents = np.arange(-70, 71)
    harmonics = hertz(pitch) * 2 ** (cents[:, None] / 1200) * np.arange(1, 5)
    place = np.rint(harmonics / SAMPLE_RATE * size).astype(int)
    return int(cents[np.argmax(spectrum[place].sum(axis=1))])


def flatness(audio, start, stop):
    """Geometric by arithmetic mean of the spectrum: near 0 for a tone, larger for noise."""
    sound = stretch(audio, start, stop)
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))[20:4000] ** 2 + 1e-12
    return float(np.exp(np.log(power).mean()) / power.mean())


def onsets(audio):
    """Seconds at which the sound grows suddenly: 10 decibels within a hundredth of a second."""
    hop = SAMPLE_RATE // 100
    mono = audio.mean(axis=1)
    power = (mono[: len(mono) // hop * hop].reshape(-1, hop) ** 2).mean(axis=1)
    level = 10 * np.log10(power + 1e-7)
    before = np.concatenate([[-70.0, -70.0], level[:-2]])
    is_start = (level - before > 10) & (level > level.max() - 30)
    found = np.flatnonzero(is_start & ~np.concatenate([[False], is_start[:-1]]))
    return found / 100
