import io
import wave

import numpy as np
import pytest

from partimento.errors import ParameterError
from partimento.rendering.wav import wav_bytes, write_wav


def read(data):
    with wave.open(io.BytesIO(data)) as file:
        frames = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return frames.reshape(-1, file.getnchannels()), file.getframerate(), file.getsampwidth()


def test_samples_come_back_to_the_nearest_step_of_16_bits():
    audio = np.random.default_rng(0).uniform(-1, 1, (300_000, 2)).astype(np.float32)
    frames, rate, width = read(wav_bytes(audio, sample_rate=22_050))
    assert (rate, width, frames.shape) == (22_050, 2, audio.shape)
    assert np.abs(frames / 32767 - audio).max() <= 0.5 / 32767 + 1e-6


def test_what_is_too_loud_is_cut_off_and_does_not_wrap():
    frames, _, _ = read(wav_bytes(np.array([[2.0], [-2.0]]), sample_rate=8_000))
    assert frames[:, 0].tolist() == [32767, -32767]


def test_a_file_appears_whole_and_leaves_nothing_beside_it(tmp_path):
    path = tmp_path / "x.wav"
    path.write_bytes(b"old")
    write_wav(np.zeros((10, 2)), path, sample_rate=44_100)
    assert path.read_bytes() == wav_bytes(np.zeros((10, 2)), sample_rate=44_100)
    assert [file.name for file in tmp_path.iterdir()] == ["x.wav"]


def test_a_refused_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "x.wav"
    path.write_bytes(b"old")
    with pytest.raises(ParameterError, match="shape"):
        write_wav(np.zeros((10, 3)), path, sample_rate=44_100)
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["x.wav"]
