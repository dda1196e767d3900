"""Formats: bytes to `Score` and back. `read` and `write` choose the format by a file's name.

MIDI, MusicXML and ABC are read, MIDI and MusicXML written.
"""

import io
import os
import zipfile
from pathlib import Path

from partimento.errors import FormatError
from partimento.formats.abc import read_abc_report
from partimento.formats.midi import Limits, MidiReading, read_midi_report, write_midi
from partimento.formats.midi.texts import printable
from partimento.formats.musicxml import read_musicxml_report, write_musicxml
from partimento.formats.whole import whole_file
from partimento.music.score import Score

MIDI_SUFFIXES = (".mid", ".midi", ".kar", ".smf")
MUSICXML_SUFFIXES = (".musicxml", ".mxl", ".xml")
ABC_SUFFIXES = (".abc",)
READ_SUFFIXES = (*MIDI_SUFFIXES, *MUSICXML_SUFFIXES, *ABC_SUFFIXES)
WRITTEN_SUFFIXES = (*MIDI_SUFFIXES, *MUSICXML_SUFFIXES)
MIDI_MAGIC, RIFF_MAGIC = b"MThd", b"RIFF"
BEGINNING = 4096  # bytes in which an XML document says what it is
EPOCH = (1980, 1, 1, 0, 0, 0)  # the time in a zip, so that equal scores give equal bytes


def read(
    path: str | os.PathLike[str], *, salvage: bool = False, limits: Limits | None = None
) -> Score:
    """Read a music file.

    Parameters
    ----------
    path
        MIDI or MusicXML, whatever its name, or ABC (``.abc``). Of an ABC file with several tunes
        the first is read, or the one that is named: ``tunes.abc#12`` is the one with ``X:12``.
    salvage
        Mend a damaged MIDI file where players would.
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
    file, tune = tune_named(Path(path))
    data = load_bytes(file, limits)
    return read_bytes_report(data, str(path), salvage=salvage, limits=limits, tune=tune)


def read_bytes(
    data: bytes, name: str, *, salvage: bool = False, limits: Limits | None = None
) -> Score:
    """Read music that is in memory; what it is, its content says, or the end of its name."""
    return read_bytes_report(data, name, salvage=salvage, limits=limits or Limits()).score


def read_bytes_report(
    data: bytes, name: str, *, salvage: bool, limits: Limits, tune: int | None = None
) -> MidiReading:
    """Read music as `read_bytes` does, and say what was found on the way."""
    suffix = tune_named(Path(name))[0].suffix.lower()
    if not data.startswith((MIDI_MAGIC, RIFF_MAGIC)):
        if suffix in MUSICXML_SUFFIXES or is_musicxml(data):
            found = read_musicxml_report(data, limits=limits, source=name)
            return MidiReading(found.score, 0, 0, (), found.notices, "MusicXML")
        if suffix in ABC_SUFFIXES:
            tune_read = read_abc_report(data, tune, limits=limits, source=name)
            return MidiReading(tune_read.score, 0, 0, (), tune_read.notices, "ABC")
    return read_midi_report(data, limits=limits, salvage=salvage, source=name)


def is_musicxml(data: bytes) -> bool:
    """Whether a document says early on that it is a MusicXML score."""
    head = data[:BEGINNING].replace(b"\0", b"")  # UTF-16 has a zero beside each letter
    return b"<score-partwise" in head or b"<score-timewise" in head


def tune_named(path: Path) -> tuple[Path, int | None]:
    """Divide ``tunes.abc#12`` into the file and the number of the tune."""
    name, sign, number = path.name.rpartition("#")
    if sign and number.isdecimal() and len(number) < 10 and name.lower().endswith(ABC_SUFFIXES):
        return path.with_name(name), int(number)
    return path, None


def write(score: Score, path: str | os.PathLike[str]) -> None:
    """Write a music file, whole or not at all; its extension chooses the format.

    Raises
    ------
    FormatError
        If no format has that extension, or the folder is not there.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in WRITTEN_SUFFIXES:
        raise FormatError(
            f"{printable(path)}: music is written as {', '.join(WRITTEN_SUFFIXES)}, not as "
            f"{path.suffix!r}"
        )
    if not path.parent.is_dir():
        raise FormatError(
            f"{printable(path)}: there is no folder {printable(path.parent)}: create it first"
        )
    if suffix in MIDI_SUFFIXES:
        data = write_midi(score)
    else:
        data = write_musicxml(score).encode()
        data = _packed(data) if suffix == ".mxl" else data
    with whole_file(path) as beside:
        beside.write_bytes(data)


def _packed(text: bytes) -> bytes:
    """Pack MusicXML as .mxl."""
    container = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<container><rootfiles><rootfile '
        'full-path="score.musicxml" media-type="application/vnd.recordare.musicxml+xml"/>'
        "</rootfiles></container>\n"
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (
            ("META-INF/container.xml", container.encode()),
            ("score.musicxml", text),
        ):
            info = zipfile.ZipInfo(name, EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return packed.getvalue()


def load_bytes(path: Path, limits: Limits) -> bytes:
    """Read a file, but no more of it than a limit allows."""
    is_text = path.suffix.lower() in (*MUSICXML_SUFFIXES, *ABC_SUFFIXES)
    bound = limits.max_text_bytes if is_text else limits.max_bytes
    try:
        with path.open("rb") as file:
            return file.read(bound + 1)
    except FileNotFoundError:
        raise FormatError(f"{printable(path)}: there is no such file") from None
    except (IsADirectoryError, PermissionError):
        if not path.is_dir():  # Windows calls opening a folder a lack of permission
            raise
        raise FormatError(f"{printable(path)}: a folder, not a file") from None
