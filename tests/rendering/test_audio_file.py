import sys
import tracemalloc

import numpy as np
import pytest

from partimento.errors import EnvironmentFault, ParameterError
from partimento.music.examples import row_your_boat
from partimento.rendering.audio import TAIL_SECONDS, render_audio
from partimento.rendering.audio_file import render_to_file
from partimento.rendering.playing import play_samples


@pytest.mark.parametrize("kind", ["wav", "flac", "mp3", "ogg"])
def test_every_format_holds_the_sound(kind, tmp_path):
    soundfile = pytest.importorskip("soundfile")
    path = tmp_path / f"x.{kind}"
    made = render_to_file(row_your_boat(), path, sample_rate=22_050)
    audio, rate = soundfile.read(path)
    assert rate == 22_050
    assert len(audio) / rate == pytest.approx(8 + TAIL_SECONDS, abs=0.1)
    assert made.lufs == pytest.approx(-16, abs=0.2)
    assert made.peak_db < -1
    direct = render_audio(row_your_boat(), sample_rate=22_050)
    assert np.sqrt(np.mean(audio**2)) == pytest.approx(np.sqrt(np.mean(direct**2)), rel=0.05)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_long_piece_takes_no_more_memory_than_a_short_one(tmp_path):
    taken = []
    for times in (10, 40):
        score = row_your_boat().repeat(times)
        tracemalloc.start()
        render_to_file(score, tmp_path / "x.wav", sample_rate=11_025)
        taken.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert taken[1] < 1.25 * taken[0]


def test_a_missing_encoder_names_the_extra_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(EnvironmentFault, match=r"partimento\[sound\]"):
        render_to_file(row_your_boat(), tmp_path / "x.mp3")
    with pytest.raises(ParameterError, match="sample rate"):
        monkeypatch.undo()
        render_to_file(row_your_boat(), tmp_path / "x.mp3", sample_rate=30_000)
    assert not list(tmp_path.iterdir())


def test_samples_are_played_to_their_end_on_the_null_device():
    miniaudio = pytest.importorskip("miniaudio")
    heard = []
    sound = np.zeros((11_025, 2), np.float32)
    play_samples(sound, at_second=heard.append, backends=[miniaudio.Backend.NULL])
    assert heard


def test_without_the_library_one_line_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "miniaudio", None)
    with pytest.raises(EnvironmentFault, match=r"partimento\[play\]"):
        row_your_boat().play()
