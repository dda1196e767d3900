"""Engraved scores: a `Score` as pages of notation, drawn by Verovio.

`engrave` gives the pages as SVG, `pages_to_pdf` binds them. Both libraries come with the extra
``partimento[score]``: Verovio (LGPL-3.0) engraves, Typst (Apache-2.0) makes the PDF. Words are set
in the letters that come along, so pages look alike on every machine.
"""

import re
import tempfile
from collections.abc import Sequence
from html import unescape
from pathlib import Path
from typing import Any, NamedTuple

from partimento.errors import EnvironmentFault, LimitError
from partimento.formats.musicxml import musicxml_page
from partimento.music.score import Score
from partimento.rendering.picture import FONTS
from partimento.rendering.svg import escape

MOST_NOTES = 50_000
PAGE_WIDTH, PAGE_HEIGHT = 2100, 2970  # tenths of a millimetre: A4
SCALE = 40  # per cent; an octavo's size of notes on A4
WIDTH, HEIGHT = PAGE_WIDTH * SCALE / 100, PAGE_HEIGHT * SCALE / 100  # of a page, in pixels
OPTIONS = {
    "pageWidth": PAGE_WIDTH,
    "pageHeight": PAGE_HEIGHT,
    "scale": SCALE,
    "breaks": "auto",
    "condense": "none",
    "footer": "none",
    "header": "auto",
    "justifyVertically": False,
    "mnumInterval": 0,
    "smuflTextFont": "none",
    "xmlIdSeed": 1,
}
TEXT = re.compile(r"<text\b[^>]*(?<!/)>.*?</text>", re.DOTALL)
HIDDEN = re.compile(r'<g [^>]*class="[^"]*placeholder[^>]*>\s*<ellipse[^>]*/>\s*</g>')
TOKEN = re.compile(r"<(/?)(\w+)([^>]*?)(/?)>|([^<]+)")
ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')
STYLE = re.compile(r"<style.*?</style>", re.DOTALL)
ROOT = re.compile(r"<svg\b[^>]*>")
VIEW = re.compile(r'<svg class="definition-scale"[^>]*viewBox="0 0 (\d+) (\d+)"')
ADVANCE = re.compile(r'c="([0-9A-F]{4})"[^>]*?h-a-x="(\d+)"')
RULES = (
    "<style>g path,g rect,polygon,polyline,ellipse{stroke:currentColor}"
    "g.tempo,g.reh{font-weight:bold}g.mNum{font-style:normal}</style>"
)


class Engraving(NamedTuple):
    """Pages as SVG, and how many notes they show elsewhere than they sound."""

    pages: list[str]
    moved: int


def engrave(score: Score, *, first_bar: int = 1) -> Engraving:
    """Engrave a score.

    Parameters
    ----------
    score
        Up to 50,000 notes. What fits on one page makes one that is as high as it must be, more
        makes pages of A4.
    first_bar
        Number of its first bar.

    Raises
    ------
    EnvironmentFault
        If Verovio is not installed.
    LimitError
        If it is too long.
    """
    toolkit = _toolkit()
    if score.num_notes > MOST_NOTES:
        raise LimitError(
            f"{score.num_notes:,} notes are too many to engrave: up to {MOST_NOTES:,} are, "
            "--from-bar and --to-bar cut a piece",
            limit="MOST_NOTES",
        )
    page = musicxml_page(score, first_bar=first_bar)
    toolkit.setOptions(OPTIONS)
    if not toolkit.loadData(page.text):
        raise EnvironmentFault("Verovio cannot read the score: it may be too old for MusicXML 4.0")
    count = toolkit.getPageCount()
    if count == 1:
        toolkit.setOptions({"adjustPageHeight": True})
        toolkit.redoLayout()
    glyphs = _Glyphs(Path(toolkit.getResourcePath()))
    pages = [_clean(toolkit.renderToSVG(number), glyphs) for number in range(1, count + 1)]
    return Engraving(pages, page.moved)


def check_engraver(*, with_pdf: bool = False) -> None:
    """Refuse early, if what engraves is not installed."""
    _verovio()
    if with_pdf:
        _typst()


def pages_to_pdf(pages: Sequence[str]) -> bytes:
    """Bind pages into a PDF; a page that is not as high as A4 stays so."""
    typst = _typst()
    with tempfile.TemporaryDirectory() as folder:
        lines = ["#set document(date: none)"]
        for number, svg in enumerate(pages, start=1):
            (Path(folder) / f"{number}.svg").write_text(svg, encoding="utf-8")
            height = PAGE_HEIGHT if len(pages) > 1 else PAGE_WIDTH * _size(svg)[1] / _size(svg)[0]
            lines.append(f"#page(width: 210mm, height: {height / 10:.2f}mm, margin: 0mm)")
            lines[-1] += f'[#image("{number}.svg", width: 210mm)]'
        source = Path(folder) / "score.typ"
        source.write_text("\n".join(lines), encoding="utf-8")
        return bytes(
            typst.compile(
                str(source), font_paths=[str(FONTS)], ignore_system_fonts=_is_covered(pages)
            )
        )


def _is_covered(pages: Sequence[str]) -> bool:
    """Whether the letters that come along hold all words."""
    from partimento.rendering.picture import COVERED

    signs = set("".join(pages))
    return all(any(low <= ord(sign) <= high for low, high in COVERED) for sign in signs)


def _size(svg: str) -> tuple[float, float]:
    width, height = (
        float(svg.split(f' {name}="', 1)[1].split('"')[0]) for name in ("width", "height")
    )
    return width, height


def _verovio() -> Any:
    try:
        import verovio
    except (ImportError, OSError):
        raise EnvironmentFault(
            "engraved scores need the extra `score`: pip install 'partimento[score]'; "
            ".musicxml is written without it"
        ) from None
    return verovio


def _typst() -> Any:
    try:
        import typst
    except (ImportError, OSError):
        raise EnvironmentFault(
            "PDF needs the extra `score`: pip install 'partimento[score]'; .musicxml is written "
            "without it"
        ) from None
    return typst


def _toolkit() -> Any:
    verovio = _verovio()
    verovio.enableLog(verovio.LOG_OFF)
    return verovio.toolkit()


class _Glyphs:
    """Outlines of the signs that Verovio puts among words, as the note of a metronome mark."""

    def __init__(self, resources: Path) -> None:
        self.folder = resources / "Leipzig"
        table = resources / "Leipzig.xml"
        words = table.read_text(encoding="utf-8") if table.is_file() else ""
        self.advances = {code: int(units) for code, units in ADVANCE.findall(words)}

    def draw(self, sign: str, x: float, y: float, size: float) -> tuple[str, float]:
        """Draw a sign as a path; also give where the next one stands."""
        code = f"{ord(sign):04X}"
        file = self.folder / f"{code}.xml"
        found = re.search(r' d="([^"]*)"', file.read_text()) if file.is_file() else None
        advance = self.advances.get(code, 300) * size / 1000
        if found is None:
            return "", x + advance
        scale = size / 1000
        path = f'<path transform="translate({x:.0f} {y:.0f}) scale({scale:.4f} {-scale:.4f})" '
        return f'{path}stroke="none" d="{found[1]}"/>', x + advance


def _clean(svg: str, glyphs: _Glyphs) -> str:
    """Make a page stand alone: plain texts, our letters, white paper, a size in pixels."""
    view = VIEW.search(svg)
    assert view is not None, "Verovio draws in a view of its own"
    height = WIDTH * int(view[2]) / int(view[1])
    root = (
        f'<svg width="{WIDTH:.0f}" height="{height:.0f}" viewBox="0 0 {WIDTH:.0f} {height:.0f}" '
        'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
        f'<rect width="{WIDTH:.0f}" height="{height:.0f}" fill="#fff" stroke="none"/>{RULES}'
    )
    svg = ROOT.sub(root, STYLE.sub("", svg), count=1)
    svg = HIDDEN.sub("", svg)
    svg = svg.replace('font-family="Times, serif"', 'font-family="Roboto, Helvetica, sans-serif"')
    return TEXT.sub(lambda found: _plain_text(found[0], glyphs), svg)


def _plain_text(block: str, glyphs: _Glyphs) -> str:
    """Write nested spans as texts that every program draws alike."""
    stack: list[dict[str, str]] = [{}]
    drawn: list[str] = []
    place: tuple[str, str] | None = None
    runs: list[str] = []
    anchor, x, y = "start", 0.0, 0.0

    def flush() -> None:
        if "".join(runs).strip():
            spans = "".join(runs)
            drawn.append(f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{spans}</text>')
        runs.clear()

    for found in TOKEN.finditer(block):
        closes, tag, attributes, is_empty, words = found.groups()
        if tag:
            if closes:
                stack.pop()
            elif not is_empty:
                held = dict(ATTRIBUTE.findall(attributes))
                held["title"] = "yes" if tag == "title" else ""
                stack.append({**stack[-1], **held})
            continue
        style = stack[-1]
        if style.get("title") or (not words.strip() and not runs):
            continue
        size = float(style.get("font-size", "0").removesuffix("px"))
        if not size:
            continue
        if (style.get("x", "0"), style.get("y", "0")) != place:
            flush()
            place = (style.get("x", "0"), style.get("y", "0"))
            x, y, anchor = float(place[0]), float(place[1]), style.get("text-anchor", "start")
        words = re.sub(r"\s+", " ", unescape(words))
        if style.get("font-family") == "Leipzig":
            for sign in words:
                # Smaller than Verovio thinks, and higher: its stem would stand in the clef.
                path, x = glyphs.draw(sign, x, y - size / 8, 0.75 * size)
                drawn.append(path)
            x += size / 6
            continue
        words = words if runs else words.lstrip()
        look = "".join(
            f' {name}="{style[name]}"' for name in ("font-style", "font-weight") if name in style
        )
        runs.append(f'<tspan font-size="{size:.0f}"{look}>{escape(words)}</tspan>')
    flush()
    return "".join(drawn)
