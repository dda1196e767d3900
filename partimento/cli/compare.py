"""`partimento compare`: two pieces side by side, in numbers and as a picture."""
# ruff: noqa: T201

from pathlib import Path
from typing import Annotated

import typer

from partimento.cli import options
from partimento.cli.certainty import PICTURES
from partimento.cli.listening import read_given, shown
from partimento.cli.picture_options import Theme
from partimento.errors import ParameterError

WIDTH = 24


def run(
    a: Annotated[str, typer.Argument(help="A file, notation, or the name of an example.")],
    b: Annotated[str, typer.Argument(help="Another.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Draw both, line by line, as .png or .svg."),
    ] = None,
    theme: Theme = None,
    json: options.AsJson = False,
) -> None:
    """Set two pieces side by side: what they are like, and where they differ."""
    from partimento.evaluation.side_by_side import in_common_ticks, notes_in_both, side_by_side

    if out is not None and out.suffix.lower() not in PICTURES:
        raise ParameterError(f"-o {shown(out)}: two pieces are drawn as .png or .svg")
    given = [read_given(text) for text in (a, b)]
    found = side_by_side(given[0].score, given[1].score)
    if json:
        from json import dumps

        print(dumps({"a": given[0].name, "b": given[1].name, **found.as_dict()}, indent=2))
    else:
        names = [shown(one.name)[:WIDTH] for one in given]
        print(f"{'':<24}  {names[0]:>{WIDTH}}  {names[1]:>{WIDTH}}")
        for name, pair in found.facts.items():
            print(f"{name:<24}  {pair[0]:>{WIDTH}}  {pair[1]:>{WIDTH}}")
        if found.figures and any(int(count) > 1 for count in found.facts["parts"]):
            print("what follows takes all pitched parts together:")
        for name, (one, other) in found.figures.items():
            print(f"{name.replace('_', ' '):<24}  {one:>{WIDTH}.3f}  {other:>{WIDTH}.3f}")
        print(
            f"notes in common (onset and pitch): {found.common:,}, {found.of_a:.0%} of the first "
            f"and {found.of_b:.0%} of the second"
        )
    if out is not None:
        from partimento.rendering.files import write_picture
        from partimento.rendering.side_by_side import side_by_side_svg

        scores = in_common_ticks(given[0].score, given[1].score)
        svg = side_by_side_svg(
            *scores,
            notes_in_both(*scores),
            names=(given[0].name, given[1].name),
            theme=theme or "light",
        )
        write_picture(svg, out)
        if not json:
            print(f"wrote {shown(out)}: both, line by line")
