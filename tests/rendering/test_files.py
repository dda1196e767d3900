import pytest

from partimento.errors import ParameterError
from partimento.music.examples import row_your_boat
from partimento.rendering.files import FORMATS, render

BEGINNINGS = {
    ".flac": b"fLaC",
    ".mp3": b"\xff",
    ".ogg": b"OggS",
    ".wav": b"RIFF",
    ".png": b"\x89PNG",
    ".svg": b"<svg",
    ".html": b"<!doctype html>",
    ".pdf": b"%PDF",
    ".musicxml": b"<?xml",
    ".mxl": b"PK",
    ".mid": b"MThd",
}


@pytest.mark.parametrize("kind", FORMATS)
def test_the_extension_chooses_the_form(tmp_path, kind):
    path = tmp_path / f"tune{kind.upper()}"
    if kind in (".flac", ".mp3", ".ogg"):
        pytest.importorskip("soundfile")
    if kind == ".pdf":
        pytest.importorskip("verovio", exc_type=ImportError)
        pytest.importorskip("typst", exc_type=ImportError)
    words = render(row_your_boat(), path)
    assert path.read_bytes().startswith(BEGINNINGS[kind])
    assert words and "\n" not in words
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("name", ["tune.aiff", "tune", "tune.txt"])
def test_an_unknown_extension_lists_the_known_ones(tmp_path, name):
    with pytest.raises(ParameterError, match=r"\.wav, \.flac, \.mp3, \.ogg, \.png, \.svg, \.html"):
        render(row_your_boat(), tmp_path / name)
    assert not list(tmp_path.iterdir())
