"""Sound files: WAV by ourselves; FLAC, MP3 and Ogg Vorbis by libsndfile.

`write_audio` writes samples. `render_to_file` plays a score into a file stretch by stretch, so that
hours of music take no more memory than minutes: what was played waits beside the file, on the disk,
until its loudness is known.
"""

import tempfile
import wave
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from partimento.errors import EnvironmentFault, ParameterError
from partimento.formats.whole import naming, whole_file
from partimento.music.score import Score
from partimento.rendering.audio import SAMPLE_RATE, count_frames, played_blocks
from partimento.rendering.loudness import Levelling, Meter

FORMATS = {".wav": "WAV", ".flac": "FLAC", ".mp3": "MP3", ".ogg": "OGG"}
MP3_RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
LONGEST_FILE = 6 * 3600.0  # [s] of music
BLOCK = 1 << 18  # frames encoded at once


class Rendered(NamedTuple):
    """What is in a sound file: seconds, loudness in LUFS and true peak in dBTP before encoding."""

    seconds: float
    lufs: float
    peak_db: float


def render_to_file(
    score: Score,
    path: Path | str,
    *,
    sample_rate: int = SAMPLE_RATE,
    sound_font: Path | None = None,
    max_seconds: float = LONGEST_FILE,
) -> Rendered:
    """Play a score into a sound file; it appears whole, or not at all.

    Parameters
    ----------
    score
    path
        ``.wav``, ``.flac``, ``.mp3`` or ``.ogg``.
    sample_rate, sound_font, max_seconds
        See `render_audio`.
    """
    path = Path(path)
    check_audio_format(path, sample_rate)
    frames = count_frames(score, sample_rate, max_seconds=max_seconds)
    with naming(path), tempfile.TemporaryFile(dir=path.parent) as waiting:
        meter = Meter(sample_rate)
        for block in played_blocks(score, frames, sample_rate, sound_font):
            meter.add(block)
            waiting.write(block.T.astype("<f4").tobytes())
        levelling, check = Levelling(meter), Meter(sample_rate)
        waiting.seek(0)

        def blocks() -> Iterator[np.ndarray]:
            for start in range(0, frames, BLOCK):
                data = waiting.read(min(BLOCK, frames - start) * 8)
                block = levelling.apply(np.frombuffer(data, "<f4").reshape(-1, 2).T, start)
                check.add(block)
                yield block.T

        _write_blocks(blocks(), path, sample_rate)
    peak = 20 * np.log10(max(check.peaks.max(initial=0), 1e-5))
    return Rendered(frames / sample_rate, check.loudness(), float(peak))


def write_audio(audio: np.ndarray, path: Path | str, *, sample_rate: int) -> None:
    """Write samples, shape (frame, 2), to a sound file; it appears whole, or not at all."""
    path = Path(path)
    check_audio_format(path, sample_rate)
    blocks = (audio[start : start + BLOCK] for start in range(0, len(audio), BLOCK))
    _write_blocks(blocks, path, sample_rate)


def check_audio_format(path: Path, sample_rate: int = SAMPLE_RATE) -> None:
    """Refuse an extension or a rate that cannot be written, before anything is played."""
    kind = path.suffix.lower()
    if kind not in FORMATS:
        raise ParameterError(f"{str(path)!r}: sound is written as {', '.join(FORMATS)}")
    if kind != ".wav":
        _soundfile()
    if kind == ".mp3" and sample_rate not in MP3_RATES:
        raise ParameterError(
            f"MP3 has no sample rate of {sample_rate} Hz: {', '.join(map(str, MP3_RATES))}"
        )


def _write_blocks(blocks: Iterable[np.ndarray], path: Path, sample_rate: int) -> None:
    with whole_file(path) as beside, beside.open("wb+") as file:
        if path.suffix.lower() == ".wav":
            with wave.open(file, "wb") as out:
                out.setnchannels(2)
                out.setsampwidth(2)
                out.setframerate(sample_rate)
                for block in blocks:
                    whole = np.rint(np.clip(block, -1, 1) * 32767)
                    out.writeframes(whole.astype("<i2").tobytes())
        else:
            _encode(blocks, file, FORMATS[path.suffix.lower()], sample_rate)


def _encode(blocks: Iterable[np.ndarray], file: Any, kind: str, sample_rate: int) -> None:
    soundfile = _soundfile()
    try:
        with soundfile.SoundFile(
            file, "w", samplerate=sample_rate, channels=2, format=kind
        ) as encoder:
            for block in blocks:
                for start in range(0, len(block), 1 << 14):  # Vorbis keeps a block on the stack
                    encoder.write(np.ascontiguousarray(block[start : start + (1 << 14)]))
    except soundfile.SoundFileError as error:
        raise EnvironmentFault(
            f"the {kind} encoder stopped ({error}): write .wav instead"
        ) from None


def _soundfile() -> Any:
    try:
        import soundfile
    except (ImportError, OSError):
        raise EnvironmentFault(
            "FLAC, MP3 and Ogg need the extra `sound`: pip install 'partimento[sound]'; "
            ".wav is written without it"
        ) from None
    return soundfile
