"""Formats: bytes to `Score` and back. `read` and `write` choose the format by a file's name."""

import os
import secrets
from pathlib import Path

from partimento.errors import FormatError
from partimento.formats.midi import Limits, MidiReading, read_midi_report, write_midi
from partimento.formats.midi.texts import printable
from partimento.music.score import Score

MIDI_SUFFIXES = (".mid", ".midi", ".kar", ".smf")


def read(
    path: str | os.PathLike[str], *, salvage: bool = False, limits: Limits | None = None
) -> Score:
    """Read a music file.

    Parameters
    ----------
    path
        A Standard MIDI File, whatever its name.
    salvage
        Mend a damaged file where players would.
    limits
        How large it may be; the usual `Limits()` by default.

    Raises
    ------
    FormatError
        If there is no such file, it is not music, it is damaged or it passes a limit.
    """
    return read_report(path, salvage=salvage, limits=limits).score


def read_report(
    path: str | os.PathLike[str], *, salvage: bool = False, limits: Limits | None = None
) -> MidiReading:
    """Read a music file as `read` does, and say what was found on the way."""
    limits = limits or Limits()
    path = Path(path)
    data = load_bytes(path, limits)
    return read_midi_report(data, limits=limits, salvage=salvage, source=str(path))


def write(score: Score, path: str | os.PathLike[str]) -> None:
    """Write a music file, whole or not at all; its extension chooses the format.

    Raises
    ------
    FormatError
        If no format has that extension, or the folder is not there.
    """
    path = Path(path)
    if path.suffix.lower() not in MIDI_SUFFIXES:
        raise FormatError(
            f"{printable(path)}: music is written as {', '.join(MIDI_SUFFIXES)}, not as "
            f"{path.suffix!r}"
        )
    if not path.parent.is_dir():
        raise FormatError(
            f"{printable(path)}: there is no folder {printable(path.parent)}: create it first"
        )
    data = write_midi(score)
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def load_bytes(path: Path, limits: Limits) -> bytes:
    """Read a file, but no more of it than a limit allows."""
    try:
        with path.open("rb") as file:
            return file.read(limits.max_bytes + 1)
    except FileNotFoundError:
        raise FormatError(f"{printable(path)}: there is no such file") from None
    except (IsADirectoryError, PermissionError):
        if not path.is_dir():  # Windows calls opening a folder a lack of permission
            raise
        raise FormatError(f"{printable(path)}: a folder, not a file") from None
