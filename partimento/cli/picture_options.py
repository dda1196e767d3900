"""Options of pictures, each said once; and `--roll` of the verbs that make music.

Not a verb.
"""
# ruff: noqa: T201

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from partimento.music.score import Score

Theme = Annotated[
    str | None,
    typer.Option(help="`light` (usual of pictures) or `dark` (of the terminal)."),
]
Colour = Annotated[
    str,
    typer.Option(
        "--colour", "--color", help="Of notes: by `part`, or by `velocity` from soft to loud."
    ),
]
Roll = Annotated[
    bool, typer.Option("--roll", help="Draw a piano roll (.png) beside each MIDI file.")
]

As = Annotated[
    str,
    typer.Option("--as", help="What a .png or .svg shows: `roll` (piano roll) or `score` (notes)."),
]


def is_score(shown_as: str) -> bool:
    """Read `--as`."""
    from partimento.errors import ParameterError

    if shown_as not in ("roll", "score"):
        raise ParameterError(f"--as {shown_as[:20]!r} is unknown: roll or score")
    return shown_as == "score"


def draw_rolls(
    scores: Sequence["Score"], paths: Sequence[Path], *, roll: bool, is_quiet: bool = False
) -> None:
    """Write a piano roll beside each file that was written, if that is asked for.

    Parameters
    ----------
    is_quiet
        Print nothing: standard output holds one JSON document.
    """
    if not roll:
        return
    from dataclasses import replace

    from partimento.cli.listening import shown
    from partimento.rendering.files import render

    for score, path in zip(scores, paths, strict=True):
        beside = path.with_suffix(".png")
        facts = render(score if score.title else replace(score, title=path.stem), beside)
        if not is_quiet:
            print(f"wrote {shown(beside)}: {facts}")
