"""SVG to PNG, with fonts that come along: pictures look alike on every machine."""

from pathlib import Path

from partimento.errors import LimitError

FONTS = Path(__file__).parent / "fonts"
MAX_PIXELS = 64_000_000
# Letters the fonts hold; others ask the machine's own fonts for help.
COVERED = ((0x20, 0x17F), (0x370, 0x52F), (0x2010, 0x203F), (0xA, 0xA))


def svg_to_png(svg: str, *, scale: float = 2.0) -> bytes:
    """Draw an SVG of ours as pixels.

    Parameters
    ----------
    svg
        As `piano_roll_svg` makes it.
    scale
        Pixels to a unit: 2 is sharp on today's screens. Lowered for a page so large that it would
        pass 64 million pixels.
    """
    import resvg_py  # late: three megabytes that only pictures need

    width, height = (float(svg.split(f' {name}="', 1)[1].split('"')[0]) for name in SIZES)
    scale = min(scale, (MAX_PIXELS / (width * height)) ** 0.5)
    if scale < 0.5:
        raise LimitError(
            f"a picture of {width:,.0f} by {height:,.0f} is too large for a PNG: draw fewer bars, "
            "or write an SVG",
            limit="MAX_PIXELS",
        )
    is_covered = all(any(low <= ord(c) <= high for low, high in COVERED) for c in set(svg))
    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=svg,
            zoom=scale,
            skip_system_fonts=is_covered,
            font_files=[str(path) for path in sorted(FONTS.glob("*.ttf"))],
            font_family="Roboto",
            sans_serif_family="Roboto",
        )
    )


SIZES = ("width", "height")
