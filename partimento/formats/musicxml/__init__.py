"""MusicXML: a writer for any score, and a reader of our own.

`write_musicxml` turns a score into the text of a file, `read_musicxml` bytes into a score.
"""

from partimento.formats.musicxml.reader import (
    MusicXmlReading,
    read_musicxml,
    read_musicxml_report,
)
from partimento.formats.musicxml.writer import Page, musicxml_page, write_musicxml

__all__ = [
    "MusicXmlReading",
    "Page",
    "musicxml_page",
    "read_musicxml",
    "read_musicxml_report",
    "write_musicxml",
]
