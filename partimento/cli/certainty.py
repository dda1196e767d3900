"""`partimento render --model`: what a model expected of a piece, as a picture.

Not a verb.
"""
# ruff: noqa: T201

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from partimento.errors import ParameterError, VerbError

if TYPE_CHECKING:
    from partimento.music.score import Score

PICTURES = (".png", ".svg")


def draw_certainty(
    score: "Score",
    model: str,
    paths: Sequence[Path],
    *,
    title: str,
    from_bar: int = 1,
    to_bar: int | None = None,
    theme: str = "light",
) -> None:
    """Have a model read a piece, and draw what it expected of some bars.

    The model reads the piece from its beginning, whichever bars are drawn.
    """
    from partimento.cli.listening import shown
    from partimento.cli.voices import is_of_voices
    from partimento.models.load import FAMILIES, load
    from partimento.music.timing import BarMap
    from partimento.rendering.certainty import Lane, certainty_svg
    from partimento.rendering.files import write_picture

    for path in paths or [Path()]:
        if path.suffix.lower() not in PICTURES:
            raise ParameterError(
                "what a model expected is drawn as .png or .svg: name such a file with -o, as in "
                "-o certainty.png"
            )
    player = load(model)
    if not hasattr(type(player), "expectations"):
        able = ", ".join(name for name, family in FAMILIES.items() if "next" in family.verbs)
        raise VerbError(
            f"{shown(player.name)} does not go from note to note, so it expects none: {able} do"
        )
    found = player.expectations(score, **({"fit": True} if is_of_voices(player) else {}))
    lanes = [Lane(**vars(voice)) for voice in found.voices]
    drawn = found.score
    bar_map = BarMap.of(drawn)
    count = bar_map.count(drawn.end_tick)
    last = count if to_bar is None else min(to_bar, count)
    if not 1 <= from_bar <= last:
        raise ParameterError(f"bars {from_bar} to {last}: the music has bars 1 to {count}")
    if (from_bar, last) != (1, count):
        start, end = (int(bar_map.start(bar)) for bar in (from_bar - 1, last))
        lanes = [lane.cut(start, end) for lane in lanes]
        drawn = drawn.slice(from_bar - 1, last)
    svg = certainty_svg(
        drawn,
        lanes,
        model=player.name,
        given=found.given,
        title=title,
        first_bar=from_bar,
        theme=theme,
    )
    for remark in found.remarks:
        print(f"note: {remark}")
    for path in paths:
        write_picture(svg, path)
        notes = sum(len(lane.notes) for lane in lanes)
        print(
            f"wrote {shown(path)}: what {shown(player.name)} expected of {notes:,} "
            f"note{'s' * (notes != 1)}"
        )
