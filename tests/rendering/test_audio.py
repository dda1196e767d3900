import numpy as np
import pytest
from hypothesis import given, settings
from rendering.listening import (
    SAMPLE_RATE,
    cents_off,
    flatness,
    hertz,
    line,
    loudness,
    onsets,
    stretch,
)
from strategies import scores

from partimento.errors import LimitError, MusicError, ParameterError
from partimento.music.examples import row_your_boat
from partimento.music.notes import Notes
from partimento.music.score import PITCH_BEND, Control, Part, Score, Tempo
from partimento.music.timing import TempoMap
from partimento.rendering.audio import PEAK_DB, TAIL_SECONDS, render_audio

SCALE = (60, 62, 64, 65, 67, 69, 71, 72)
PEAK = 10 ** (PEAK_DB / 20)


def test_a_tune_is_heard_and_does_not_clip():
    audio = render_audio(row_your_boat())
    assert audio.dtype == np.float32
    assert audio.shape == ((8 + TAIL_SECONDS) * SAMPLE_RATE, 2)
    assert 0.25 < np.abs(audio).max() <= PEAK + 1e-6
    assert loudness(audio, 0, 8) > -24
    assert abs(audio.mean()) < 1e-3  # no constant push on the loudspeaker


def test_the_sound_starts_at_once_and_ends_in_silence():
    audio = render_audio(row_your_boat())
    assert onsets(audio)[0] < 0.03
    assert np.abs(audio[-50:]).max() < 1e-4
    assert loudness(audio, 9.5, 10.4) < loudness(audio, 6, 8) - 25


@pytest.mark.parametrize(
    ("program", "cents"), [(0, 12), (19, 16), (40, 16), (48, 25), (52, 30), (56, 12), (73, 16)]
)
def test_each_note_of_a_scale_sounds_at_its_pitch(program, cents):
    audio = render_audio(line(SCALE, program=program))  # a section of players wavers more
    for number, pitch in enumerate(SCALE):
        assert abs(cents_off(audio, number / 2 + 0.1, number / 2 + 0.48, pitch)) <= cents


def test_the_strongest_frequency_of_pan_pipes_is_the_note():
    audio = render_audio(line(SCALE, program=75))
    for number, pitch in enumerate(SCALE):
        sound = stretch(audio, number / 2 + 0.1, number / 2 + 0.48)
        spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 1 << 17))
        found = spectrum.argmax() * SAMPLE_RATE / (1 << 17)
        assert found == pytest.approx(hertz(pitch), rel=0.004)


def test_notes_start_when_they_should():
    times = onsets(render_audio(line([60] * 6, length=120, gap=360)))
    np.testing.assert_allclose(times, [0, 0.5, 1, 1.5, 2, 2.5], atol=0.03)


def test_a_change_of_tempo_moves_what_follows():
    tempos = (Tempo(0, 500_000), Tempo(960, 1_000_000), Tempo(1920, 250_000))
    audio = render_audio(line([60] * 6, length=120, gap=360, tempos=tempos))
    np.testing.assert_allclose(onsets(audio), [0, 0.5, 1, 2, 3, 3.25], atol=0.03)
    assert len(audio) == pytest.approx((3.25 + 0.0625 + TAIL_SECONDS) * SAMPLE_RATE, abs=2)


def test_velocity_is_loudness():
    audio = render_audio(line([60, 60, 60], length=240, gap=720, velocity=[30, 70, 120]))
    levels = [loudness(audio, start, start + 0.2) for start in (0, 1, 2)]
    assert levels[0] + 8 < levels[1] < levels[2] - 6


def test_velocity_is_brightness_too():
    audio = render_audio(line([60, 60], length=480, gap=960, velocity=[25, 127]))

    def share_above(start):
        power = np.abs(np.fft.rfft(stretch(audio, start, start + 0.4))) ** 2
        return power[int(3000 * 0.4) :].sum() / power.sum()

    assert share_above(0) < share_above(1.5) / 2


def test_a_held_pedal_lets_notes_ring():
    pedal = (Control(0, 64, 127), Control(1800, 64, 0))
    dry = render_audio(line([60], length=240, end_tick=1920))
    wet = render_audio(line([60], length=240, end_tick=1920, controls=pedal))
    assert loudness(wet, 1.0, 1.5) > loudness(dry, 1.0, 1.5) + 15


def test_volume_and_expression_are_heard():
    for number in (7, 11):
        moves = (Control(0, number, 100), Control(960, number, 40))
        audio = render_audio(line([60, 60], length=960, program=19, controls=moves))
        assert loudness(audio, 0.2, 0.9) > loudness(audio, 1.2, 1.9) + 10


def test_pan_moves_a_part_to_a_side():
    left, _, right = (
        render_audio(line([60], program=19, controls=(Control(0, 10, value),)))
        for value in (0, 64, 127)
    )
    assert np.square(left[:, 0]).sum() > 20 * np.square(left[:, 1]).sum()
    assert np.square(right[:, 1]).sum() > 20 * np.square(right[:, 0]).sum()


def test_pitch_bend_bends_by_its_range():
    up = (Control(0, PITCH_BEND, 16383),)
    audio = render_audio(line([60], length=960, program=73, controls=up))
    assert abs(cents_off(audio, 0.2, 0.9, 62)) <= 16
    wide = (Control(0, 101, 0), Control(0, 100, 0), Control(0, 6, 12), *up)
    audio = render_audio(line([60], length=960, program=73, controls=wide))
    assert abs(cents_off(audio, 0.2, 0.9, 72)) <= 16


def test_drums_do_not_sound_like_pitches():
    drums = render_audio(line([38, 42, 49], gap=480, is_drum=True))
    piano = render_audio(line([38, 42, 49], gap=480))
    for start in (0, 1, 2):
        assert flatness(drums, start, start + 0.2) > 20 * flatness(piano, start, start + 0.2)


def test_every_key_of_the_drum_kit_is_heard():
    audio = render_audio(line(range(35, 82), length=120, gap=360, velocity=110, is_drum=True))
    levels = [loudness(audio, n / 2, n / 2 + 0.25) for n in range(47)]
    assert min(levels) > -60
    assert np.median(levels) > -40


def test_the_edge_of_a_hat_sounds_like_the_hat():
    edge, hat = (render_audio(line([key], is_drum=True)) for key in (22, 42))
    np.testing.assert_array_equal(edge, hat)


def test_a_closed_hat_ends_an_open_one():
    alone = render_audio(line([46], is_drum=True, end_tick=1440))
    notes = Notes([0, 240], [240, 240], [46, 42], [100, 1])
    ended = render_audio(Score(parts=(Part(notes, is_drum=True),), end_tick=1440))
    fall = [loudness(a, 0.05, 0.2) - loudness(a, 0.45, 0.6) for a in (alone, ended)]
    assert fall[1] > fall[0] + 10


@pytest.mark.parametrize("lowest", range(0, 128, 16))
def test_every_program_is_heard_at_every_height(lowest):
    for program in range(lowest, lowest + 16):
        audio = render_audio(line([36, 60, 84], length=240, program=program), sample_rate=22_050)
        for start in (0, 0.25, 0.5):
            part = audio[int((start + 0.02) * 22_050) : int((start + 0.24) * 22_050)]
            assert np.sqrt(np.mean(part**2)) > 0.002, (program, start)


def test_programs_sound_different():
    sounds = [render_audio(line([60], program=program)) for program in (0, 24, 40, 56, 73)]
    spectra = [np.abs(np.fft.rfft(stretch(sound, 0.05, 0.45)))[:2000] for sound in sounds]
    spectra = [spectrum / np.linalg.norm(spectrum) for spectrum in spectra]
    for first in range(5):
        for second in range(first):
            assert spectra[first] @ spectra[second] < 0.97


def test_a_note_of_half_a_minute_goes_on_evenly():
    audio = render_audio(line([60], length=480 * 60, program=19))
    steady = [loudness(audio, second, second + 1) for second in range(2, 29)]
    assert max(steady) - min(steady) < 3
    steps = np.abs(np.diff(stretch(audio, 2, 29)))  # the stretches meet without a click
    assert steps.max() < 4 * np.quantile(steps, 0.999)


def test_a_sustained_loop_does_not_click():
    for program in (16, 40, 48, 52, 61, 73):
        audio = render_audio(line([64], length=480 * 10, program=program))
        steps = np.abs(np.diff(stretch(audio, 0.5, 4.9), n=2))
        assert steps.max() < 5 * np.quantile(steps, 0.995), program


def test_the_same_score_gives_the_same_samples():
    tune = row_your_boat()
    assert render_audio(tune).tobytes() == render_audio(tune).tobytes()


def test_parts_sound_together():
    both = Score(parts=(line([60]).parts[0], line([67], program=73).parts[0]))
    audio = render_audio(both)
    assert abs(cents_off(audio, 0.1, 0.45, 60)) <= 16
    sound = stretch(audio, 0.1, 0.45)
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 1 << 17))
    place = round(hertz(67) / SAMPLE_RATE * (1 << 17))
    assert spectrum[place - 6 : place + 7].max() > 5 * np.median(spectrum[: 1 << 13])


def test_other_sample_rates_keep_the_pitch():
    audio = render_audio(line([69], length=960, program=73), sample_rate=22_050)
    sound = audio[4000:20_000].mean(axis=1)
    found = np.abs(np.fft.rfft(sound * np.hanning(16_000))).argmax() * 22_050 / 16_000
    assert min(abs(found - 440), abs(found - 880)) < 4


@settings(max_examples=25)
@given(scores())
def test_any_score_gives_finite_sound_of_the_right_length(score):
    if not score.num_notes:
        with pytest.raises(MusicError, match="no notes"):
            render_audio(score)
        return
    seconds = float(TempoMap.of(score).seconds(score.end_tick))
    if seconds > 20:
        with pytest.raises(LimitError, match="max_seconds"):
            render_audio(score, max_seconds=20)
        return
    audio = render_audio(score, sample_rate=8_000)
    assert len(audio) == np.ceil((seconds + TAIL_SECONDS) * 8_000)
    assert np.isfinite(audio).all()
    assert np.abs(audio).max() <= PEAK + 1e-6


def test_music_that_lasts_for_days_is_refused_before_any_memory_is_taken():
    score = line([60], tempos=(Tempo(0, 2**24 - 1),), end_tick=2**31 - 1)
    with pytest.raises(LimitError, match=r"max_seconds is 1,800"):
        render_audio(score)


@pytest.mark.parametrize("rate", [0, 7_999, 96_001])
def test_impossible_sample_rates_are_refused(rate):
    with pytest.raises(ParameterError, match="sample_rate"):
        render_audio(row_your_boat(), sample_rate=rate)
