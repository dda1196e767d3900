"""Colours of all pictures: two themes, a palette for parts, and scales for numbers.

`LIGHT` is for paper and white pages, `DARK` for dark screens. `Scale.at` turns a number from 0 to 1
into a colour.
"""

from dataclasses import dataclass

from partimento.errors import ParameterError

# Okabe and Ito, "Color Universal Design", 2008: told apart by colour-blind eyes too. Their yellow
# is too pale on white, and their black is for words.
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a5195", "#6b6b6b")
BRIGHT = ("#3aa0e0", "#f0803c", "#2fc48d", "#e39ac5", "#f0b93a", "#8fd0f5", "#b48ac8", "#b0b0b0")
BLACK_KEYS = {1, 3, 6, 8, 10}  # pitch classes


@dataclass(frozen=True)
class Scale:
    """A scale of colours, from those of small numbers to those of large ones."""

    stops: tuple[str, ...]

    def at(self, share: float) -> str:
        """Colour of a number from 0 to 1; what is beyond has that of the end."""
        place = min(max(share, 0.0), 1.0) * (len(self.stops) - 1)
        first = min(int(place), len(self.stops) - 2)
        low, high = self.stops[first], self.stops[first + 1]
        mixed = (
            round(a + (b - a) * (place - first))
            for a, b in ((int(low[i : i + 2], 16), int(high[i : i + 2], 16)) for i in (1, 3, 5))
        )
        return "#" + "".join(f"{part:02x}" for part in mixed)


@dataclass(frozen=True)
class Theme:
    """Colours of one look.

    Attributes
    ----------
    paper : str
        Behind everything.
    ink, faint_ink : str
        Of words, and of words that matter less.
    bar_line, beat_line : str
    white_row, black_row : str
        Rows of the roll.
    white_key, black_key : str
    primer_line : str
        Where a primer ends.
    palette : tuple of str
        Of parts, one after another.
    velocity, surprise : Scale
        From soft to loud, and from expected to surprising.
    cloud : str
        Of probabilities, drawn the more solid the more probable.
    same, only_a, only_b : str
        Of notes of two pieces side by side.
    """

    paper: str
    ink: str
    faint_ink: str
    bar_line: str
    beat_line: str
    white_row: str
    black_row: str
    white_key: str
    black_key: str
    primer_line: str
    palette: tuple[str, ...]
    velocity: Scale
    surprise: Scale
    cloud: str
    same: str
    only_a: str
    only_b: str


LIGHT = Theme(
    paper="#ffffff",
    ink="#222222",
    faint_ink="#707070",
    bar_line="#9a9a9a",
    beat_line="#e4e4e4",
    white_row="#ffffff",
    black_row="#f4f4f6",
    white_key="#ffffff",
    black_key="#3a3a3a",
    primer_line="#8a8a8a",
    palette=PALETTE,
    velocity=Scale(("#8fc7e8", "#3d7fc0", "#6a3d9a", "#a3195b", "#5e0b25")),
    surprise=Scale(("#2c7fb8", "#3fae9a", "#e3b72f", "#e2641e", "#b5121b")),
    cloud="#50607a",
    same="#8b93a1",
    only_a=PALETTE[0],
    only_b=PALETTE[1],
)
DARK = Theme(
    paper="#14171c",
    ink="#eceff4",
    faint_ink="#9aa3b0",
    bar_line="#5b6472",
    beat_line="#2b313a",
    white_row="#1b1f26",
    black_row="#161a20",
    white_key="#c9ced6",
    black_key="#22262d",
    primer_line="#9aa3b0",
    palette=BRIGHT,
    velocity=Scale(("#2f5f8a", "#3aa0e0", "#8d7fe8", "#f06aa8", "#ffd0c0")),
    surprise=Scale(("#3aa0e0", "#3fc3a8", "#f0d048", "#f58a3c", "#ff4d4d")),
    cloud="#aebbd0",
    same="#7d8795",
    only_a=BRIGHT[0],
    only_b=BRIGHT[1],
)
THEMES = {"light": LIGHT, "dark": DARK}

# What pictures of one theme are drawn with.
INK, FAINT_INK, BAR_LINE, BEAT_LINE = LIGHT.ink, LIGHT.faint_ink, LIGHT.bar_line, LIGHT.beat_line
BLACK_ROW, MARGIN = LIGHT.black_row, 24


def theme_of(name: str) -> Theme:
    """Theme of a name, or say which there are."""
    if name not in THEMES:
        raise ParameterError(f"theme must be {' or '.join(THEMES)}, got {str(name)[:20]!r}")
    return THEMES[name]
