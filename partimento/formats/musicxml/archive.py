"""Compressed MusicXML (.mxl): a zip whose container names the score; read in memory, bounded."""

import io
import zipfile
import zlib

from partimento.errors import FormatError, LimitError
from partimento.formats.midi.limits import Limits
from partimento.formats.xml import Element, parse_xml

CONTAINER = "META-INF/container.xml"
MAX_MEMBERS = 1000
MAX_DIRECTORY = 2**20  # bytes that list the members
MAX_RATIO = 300  # unpacked to packed; scores pack to a twentieth
FREE_BYTES = 2**20  # unpacked before the ratio counts
_DAMAGE = (zipfile.BadZipFile, zlib.error, ValueError, RuntimeError, OSError, EOFError, KeyError)


def unpack(data: bytes, limits: Limits) -> bytes:
    """Give the score in a compressed file.

    Raises
    ------
    FormatError, LimitError
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            if len(names) > MAX_MEMBERS or archive.start_dir + MAX_DIRECTORY < len(data):
                raise LimitError(
                    f"the archive holds {len(names):,} files: a score has no more than "
                    f"{MAX_MEMBERS:,}",
                    limit="MAX_MEMBERS",
                )
            name = _root(_read(archive, CONTAINER, limits)) if CONTAINER in names else None
            usual = [n for n in names if n.lower().endswith((".xml", ".musicxml")) and "/" not in n]
            name = name or (usual[0] if usual else None)
            if name is None or name not in names:
                raise FormatError("the archive holds no score: it is no compressed MusicXML")
            return _read(archive, name, limits)
    except (FormatError, LimitError):
        raise
    except _DAMAGE as error:
        raise FormatError(f"no sound zip archive, which .mxl is ({error})") from None


def _read(archive: zipfile.ZipFile, name: str, limits: Limits) -> bytes:
    """Unpack a member, but no more than is allowed, whatever its header says."""
    info = archive.getinfo(name)
    bound = min(limits.max_text_bytes, max(FREE_BYTES, MAX_RATIO * info.compress_size))
    with archive.open(info) as file:
        data = file.read(bound + 1)
    if len(data) > bound:
        if bound == limits.max_text_bytes:
            limits.refuse("max_text_bytes", "the score in the archive is longer")
        raise LimitError(
            f"the archive unpacks to more than {MAX_RATIO} times its size: no score does",
            limit="MAX_RATIO",
        )
    return data


def _root(container: bytes) -> str | None:
    """Read the path of the score from the container."""
    found: list[str] = []

    def take(element: Element, parents: list[Element]) -> bool:
        if element.tag == "rootfile":
            kind = element.attributes.get("media-type", "application/vnd.recordare.musicxml+xml")
            if "musicxml" in kind:
                found.append(element.attributes.get("full-path", ""))
        return True

    parse_xml(container, take)
    return found[0] if found else None
