import runpy
from pathlib import Path

import numpy as np
import pytest
from rendering.listening import cents_off

from partimento.errors import FormatError, MusicError, ParameterError
from partimento.rendering.audio import TAIL_SECONDS
from partimento.rendering.listening import create_env, fx, inst, seq
from partimento.rendering.loudness import integrated_loudness, true_peak_db

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def env():
    return create_env(sample_rate=22_050)


@pytest.mark.parametrize("name", ["row_your_boat_canon", "groove"])
def test_an_example_sounds(name, tmp_path, monkeypatch):
    made = runpy.run_path(str(EXAMPLES / f"{name}.py"))["env"]
    audio = made.audio()
    assert integrated_loudness(audio, 44_100) == pytest.approx(-16, abs=0.6)
    assert true_peak_db(audio, 44_100) < -1
    assert np.abs(audio[-50:]).max() < 1e-4


def test_the_ostinato_goes_on_with_a_model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(EXAMPLES / "ostinato.py"), run_name="__main__")
    assert (tmp_path / "ostinato.wav").stat().st_size > 1_000_000


def test_a_phrase_is_written_repeated_and_given_a_tempo():
    phrase = seq.concat(seq("c4:q"), seq("d4:q")).repeat(2).quantize(90)
    assert phrase.score.qpm == pytest.approx(90)
    assert phrase.score.parts[0].notes.pitch.tolist() == [60, 62, 60, 62]


def test_a_loop_lasts_as_long_as_what_is_played_once(env):
    piano, harp = inst.sampler(env, "piano"), inst.sampler(env, "harp")
    seq.play(seq("c4:w").repeat(2), piano)
    seq.loop(seq("c3:q"), harp)
    assert env.score().duration_qn == 8
    assert [len(part.notes) for part in env.score().parts] == [2, 8]
    assert len(env.audio()) == pytest.approx((4 + TAIL_SECONDS) * 22_050, abs=1)


def test_what_is_played_sounds_at_its_pitch():
    env = create_env()
    env.connect(fx.compressor(env), fx.reverb(env), env.master)
    seq.play(seq("a4:w"), inst.sampler(env, "flute"))
    assert abs(cents_off(env.audio(), 0.2, 1.5, 69)) < 20


def test_effects_do_what_their_names_say(env):
    noise = np.random.default_rng(0).standard_normal((2, 44_100)).astype(np.float32) * 0.1
    click = np.zeros((2, 44_100), np.float32)
    click[:, 0] = 1

    def share_above(sound, hertz):
        power = np.abs(np.fft.rfft(sound[0])) ** 2
        return power[hertz:].sum() / power.sum()

    dark = fx.filter(env, kind="lowpass", hertz=500).process(noise, 44_100)
    assert share_above(dark, 2000) < 0.05 < share_above(noise, 2000)
    np.testing.assert_allclose(fx.gain(env, db=20).process(noise, 44_100), noise * 10, rtol=1e-5)
    echoes = fx.delay(env, seconds=0.25, feedback=0.5, mix=0.4).process(click, 44_100)
    assert echoes[0, [0, 11_025, 22_050]] == pytest.approx([1, 0.4, 0.2])
    ringing = fx.reverb(env, seconds=1, mix=0.5).process(click, 44_100)
    assert np.abs(ringing[:, 10_000:20_000]).max() > 1e-4
    softer = fx.compressor(env, threshold_db=-40, ratio=4).process(noise, 44_100)
    assert softer.std() < noise.std() / 2
    assert np.abs(fx.limiter(env, ceiling_db=-20).process(noise, 44_100)).max() < 0.1001


def test_wrong_names_are_answered_with_near_ones(env, tmp_path):
    with pytest.raises(ParameterError, match="did you mean piano"):
        inst.sampler(env, "pianno")
    with pytest.raises(ParameterError, match="did you mean reverb"):
        fx.revrb(env)
    with pytest.raises(ParameterError, match="has the settings"):
        fx.reverb(env, size=3)
    with pytest.raises(ParameterError, match="threshold_db must be"):
        fx.compressor(env, threshold_db=5)
    with pytest.raises(ParameterError, match=r"ends in env\.master"):
        env.connect(fx.reverb(env))
    with pytest.raises(MusicError, match="nothing is played"):
        env.audio()
    with pytest.raises(ParameterError, match="sound is written as"):
        env.render(tmp_path / "x.aiff")
    font = tmp_path / "no.sf2"
    font.write_bytes(b"x" * 100)
    with pytest.raises(FormatError, match="not a SoundFont"):
        create_env(sound_font=font)
