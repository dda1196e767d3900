import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest

from partimento.errors import LimitError
from partimento.music.examples import row_your_boat, row_your_boat_canon
from partimento.rendering.piano_roll import PALETTE, piano_roll_svg
from partimento.rendering.picture import FONTS, svg_to_png


def pixels(png):
    """Decode an RGBA picture: shape (row, column, 4)."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at, data, size = 8, b"", None
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        body = png[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            size = struct.unpack(">IIBB", body[:10])
        data += body if kind == b"IDAT" else b""
        at += 12 + length
    width, height, depth, colour = size
    assert (depth, colour) == (8, 6)
    rows = np.frombuffer(zlib.decompress(data), np.uint8).reshape(height, 1 + 4 * width)
    picture = np.zeros((height, width, 4), np.uint8)
    above = np.zeros((width, 4), np.int64)
    for number, (kind, *_), line in zip(
        range(height), rows[:, :1], rows[:, 1:].reshape(height, width, 4), strict=True
    ):
        above = unfiltered(int(kind), line.astype(np.int64), above)
        picture[number] = above
    return picture


def unfiltered(kind, line, above):
    if kind == 0:
        return line
    if kind == 2:
        return (line + above) % 256
    if kind == 1:
        return np.cumsum(line, axis=0) % 256
    made = np.zeros_like(line)
    left, corner = np.zeros(4, np.int64), np.zeros(4, np.int64)
    for x in range(len(line)):
        up = above[x]
        guess = (left + up) // 2
        if kind == 4:
            p = left + up - corner
            far = np.stack([abs(p - left), abs(p - up), abs(p - corner)])
            guess = np.choose(far.argmin(axis=0), [left, up, corner])
        left, corner = (line[x] + guess) % 256, up
        made[x] = left
    return made


def test_a_picture_is_as_large_as_its_svg_says():
    svg = piano_roll_svg(row_your_boat())
    width, height = (int(svg.split(f' {name}="')[1].split('"')[0]) for name in ("width", "height"))
    for scale in (1, 2):
        size = struct.unpack(">II", svg_to_png(svg, scale=scale)[16:24])
        assert size == (width * scale, height * scale)


def test_notes_are_there_in_their_colours():
    picture = pixels(svg_to_png(piano_roll_svg(row_your_boat_canon()), scale=1))
    assert (picture[..., 3] == 255).all()
    for colour in PALETTE[:3]:
        red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        distance = np.abs(picture[..., :3].astype(int) - (red, green, blue)).max(axis=-1)
        assert (distance < 70).sum() > 1000


def test_words_are_drawn_without_any_fonts_of_the_machine():
    svg = '<svg width="200" height="40" xmlns="http://www.w3.org/2000/svg" font-family="Roboto">'
    svg += '<rect width="200" height="40" fill="#fff"/><text x="5" y="25">{}</text></svg>'
    blank = pixels(svg_to_png(svg.format("")))
    for words in ("Row, row", "Łódź", "Жук", "f#4 bb3 ·"):
        drawn = pixels(svg_to_png(svg.format(words)))
        assert (drawn != blank).sum() > 200, words


def test_the_fonts_come_with_their_licence():
    assert {path.name for path in FONTS.glob("*.ttf")} == {
        "Roboto-Medium.ttf",
        "Roboto-Regular.ttf",
    }
    assert "Apache License" in (FONTS / "NOTICE.txt").read_text()


def test_the_same_score_gives_the_same_picture():
    svg = piano_roll_svg(row_your_boat())
    assert svg_to_png(svg) == svg_to_png(svg)


def test_a_picture_beyond_all_measure_is_refused():
    svg = '<svg width="60000" height="60000" xmlns="http://www.w3.org/2000/svg"></svg>'
    with pytest.raises(LimitError, match="fewer bars"):
        svg_to_png(svg)


def test_drawing_an_svg_does_not_need_the_rasteriser():
    code = (
        "import sys\n"
        "from partimento.rendering.piano_roll import piano_roll_svg\n"
        "from partimento.music.examples import row_your_boat\n"
        "piano_roll_svg(row_your_boat())\n"
        "assert 'resvg_py' not in sys.modules and 'rich' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
