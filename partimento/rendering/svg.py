"""Shapes of an SVG, each as one line of text; sizes are in pixels."""

from collections.abc import Iterable
from typing import Any


def page(
    width: float, height: float, title: str, shapes: Iterable[str], *, paper: str = "#ffffff"
) -> str:
    """Put shapes on a page; an SVG document, whose size is in pixels."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" '
        'font-family="Roboto, Helvetica, Arial, sans-serif" font-size="11" role="img">\n'
        f"<title>{escape(title)}</title>\n"
        f'<rect width="100%" height="100%" fill="{paper}"/>\n' + "\n".join(shapes) + "\n</svg>\n"
    )


def escape(text: Any) -> str:
    """Make any text safe inside SVG and HTML; what XML cannot hold is left out."""
    kept = "".join(c for c in str(text) if c.isprintable() and not 0xD800 <= ord(c) <= 0xDFFF)
    for sign, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        kept = kept.replace(sign, name)
    return kept


def text_width(words: str) -> float:
    """About how wide words of size 11 are."""
    narrow, wide = "iljtfrI.,:;'|! ", "mwMW@%"
    return sum(
        3.0 if c in narrow else 9.0 if c in wide else 7.2 if c.isupper() else 6.2 for c in words
    )


def rect(
    x: float, y: float, width: float, height: float, fill: str, *, stroke: str = "none"
) -> str:
    """Draw a rectangle from its upper left corner."""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{fill}" '
        f'stroke="{stroke}" stroke-width="0.5"/>'
    )


def line(
    x: float, top: float, bottom: float, color: str, width: float, *, dash: str = "none"
) -> str:
    """Draw an upright line."""
    return (
        f'<path d="M{x:.1f} {top:.1f}V{bottom:.1f}" stroke="{color}" stroke-width="{width}" '
        f'stroke-dasharray="{dash}"/>'
    )


def rule(left: float, right: float, y: float, color: str) -> str:
    """Draw a level line."""
    return f'<path d="M{left:.1f} {y:.1f}H{right:.1f}" stroke="{color}" stroke-width="1"/>'


def text(
    x: float, y: float, words: str, color: str, anchor: str, size: int, *, weight: int = 400
) -> str:
    """Write words; `anchor` says whether x is their start, middle or end."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{color}" text-anchor="{anchor}" '
        f'font-size="{size}" font-weight="{weight}">{escape(words)}</text>'
    )
