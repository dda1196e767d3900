"""Samples as a 16-bit WAV file, the form every player knows."""

import io
import wave
from pathlib import Path
from typing import BinaryIO

import numpy as np

from partimento.errors import ParameterError
from partimento.formats.whole import whole_file

BLOCK = 1 << 18  # frames converted at once


def write_wav(audio: np.ndarray, path: Path | str, *, sample_rate: int) -> None:
    """Write samples to a file; it appears whole, or not at all.

    Parameters
    ----------
    audio : float array, shape (frame, channel)
        -1 to 1; what lies outside is cut off. One or two channels.
    path
        A file of that name is replaced.
    sample_rate
        That of `audio`, in Hz.
    """
    with whole_file(Path(path)) as beside, beside.open("wb") as file:
        _write(audio, file, sample_rate)


def wav_bytes(audio: np.ndarray, *, sample_rate: int) -> bytes:
    """Give the bytes of such a file."""
    file = io.BytesIO()
    _write(audio, file, sample_rate)
    return file.getvalue()


def _write(audio: np.ndarray, file: BinaryIO, sample_rate: int) -> None:
    if audio.ndim != 2 or audio.shape[1] not in (1, 2):
        raise ParameterError(f"audio must have shape (frame, 1 or 2), got {audio.shape}")
    with wave.open(file, "wb") as out:
        out.setnchannels(audio.shape[1])
        out.setsampwidth(2)
        out.setframerate(sample_rate)
        out.setnframes(len(audio))
        for start in range(0, len(audio), BLOCK):
            block = np.clip(audio[start : start + BLOCK], -1, 1) * 32767
            out.writeframes(np.rint(block).astype("<i2").tobytes())
