import numpy as np
import pytest

from partimento.rendering.loudness import (
    Meter,
    integrated_loudness,
    level,
    limit,
    true_peak_db,
)


def sine(hertz, rate, seconds=4, height=1.0, phase=0.0):
    wave = height * np.sin(2 * np.pi * hertz * np.arange(seconds * rate) / rate + phase)
    return np.stack([wave, np.zeros_like(wave)], axis=1).astype(np.float32)


@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000])
def test_the_sine_of_the_standard_has_the_loudness_that_the_standard_says(rate):
    assert integrated_loudness(sine(997, rate), rate) == pytest.approx(-3.01, abs=0.03)


def test_silence_is_gated_out():
    sound = sine(997, 44_100)
    longer = np.concatenate([sound, np.zeros_like(sound)])
    assert integrated_loudness(longer, 44_100) == pytest.approx(-3.01, abs=0.3)
    assert integrated_loudness(np.zeros((44_100, 2), np.float32), 44_100) == -np.inf


def test_a_peak_between_the_samples_is_found():
    sound = sine(11_025, 44_100, phase=np.pi / 4)  # no sample is above -3 dB
    assert np.abs(sound).max() < 0.71
    assert true_peak_db(sound[2000:-2000], 44_100) == pytest.approx(0, abs=0.3)


def test_blocks_of_any_length_measure_the_same():
    sound = sine(300, 44_100)
    whole, parts = Meter(44_100), Meter(44_100)
    whole.add(sound.T)
    for start in range(0, len(sound), 9_999):
        parts.add(sound[start : start + 9_999].T)
    assert parts.loudness() == pytest.approx(whole.loudness(), abs=1e-3)
    np.testing.assert_allclose(parts.peaks, whole.peaks, atol=1e-5)


def test_loud_strokes_in_soft_sound_are_limited_and_the_level_is_reached():
    sound = 0.05 * sine(440, 44_100, seconds=8)
    sound[::44_100] = 0.35
    levelled = level(sound, 44_100)
    assert true_peak_db(levelled, 44_100) <= -1
    assert -22 < integrated_loudness(levelled, 44_100) < -15.5


def test_a_limiter_keeps_its_ceiling_and_leaves_soft_sound_alone():
    loud = sine(440, 44_100).T
    assert true_peak_db(limit(loud, 44_100, -6).T, 44_100) <= -5.9
    np.testing.assert_array_equal(limit(0.1 * loud, 44_100, -6), 0.1 * loud)
