"""Live sound: `play` a score, or samples, through the loudspeakers, with a roll in the terminal."""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from partimento.errors import EnvironmentFault
from partimento.music.score import Score
from partimento.rendering.audio import SAMPLE_RATE, TAIL_SECONDS, render_audio

ROLL_SECONDS = 0.05  # between two pictures of the moving roll


def play(score: Score, *, sound_font: Path | None = None, show: bool = False) -> None:
    """Play a score and wait until it ends; Ctrl-C stops.

    Parameters
    ----------
    score
    sound_font
        An SF2 file; without one the bundled font plays.
    show
        Let a piano roll move past in the terminal.
    """
    _miniaudio()  # before the sound is made
    audio = render_audio(score, sound_font=sound_font)
    if not show:
        play_samples(audio)
        return
    from partimento.rendering.moving_roll import MovingRoll

    with MovingRoll(score) as roll:
        play_samples(audio, at_second=roll.show)


def play_samples(
    audio: np.ndarray,
    *,
    sample_rate: int = SAMPLE_RATE,
    at_second: Callable[[float], None] | None = None,
    backends: list[Any] | None = None,
) -> None:
    """Play samples, shape (frame, 2), and wait until they end.

    Parameters
    ----------
    audio
    sample_rate
        In Hz.
    at_second
        Called again and again with the seconds played so far.
    backends
        Of miniaudio; without them the system's own. Its null backend plays to nobody, for tests.
    """
    miniaudio = _miniaudio()
    samples = np.rint(np.clip(audio, -1, 1) * 32767).astype("<i2")
    given = 0

    def frames() -> Generator[bytes, int, None]:
        nonlocal given
        wanted = yield b""
        while given < len(samples):
            block = samples[given : given + wanted]
            given += len(block)
            wanted = yield block.tobytes()

    try:
        with _quiet():
            device = miniaudio.PlaybackDevice(
                output_format=miniaudio.SampleFormat.SIGNED16,
                nchannels=2,
                sample_rate=sample_rate,
                backends=backends,
            )
    except miniaudio.MiniaudioError:
        raise EnvironmentFault(
            "no sound device could be opened: connect one, or write a file to hear "
            "elsewhere, as in `partimento render tune.mid -o tune.wav`"
        ) from None
    with device:
        source = frames()
        next(source)
        device.start(source)
        while given < len(samples):
            if at_second is not None:
                at_second(given / sample_rate)
            time.sleep(ROLL_SECONDS)
        time.sleep(device.buffersize_msec / 1000 if len(samples) > sample_rate else 0)
    if at_second is not None:
        at_second(max(0.0, len(samples) / sample_rate - TAIL_SECONDS))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep what the system's sound libraries print, at length, off standard error."""
    try:
        sys.stderr.flush()
        kept = os.dup(2)
    except (AttributeError, OSError, ValueError):  # there is no standard error
        yield
        return
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def _miniaudio() -> Any:
    try:
        import miniaudio
    except (ImportError, OSError):
        raise EnvironmentFault(
            "live sound needs the extra `play`: pip install 'partimento[play]'; "
            "`partimento render tune.mid -o tune.wav` writes a file without it"
        ) from None
    return miniaudio
