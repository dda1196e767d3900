"""`partimento benchmark`: published figures beside ours."""
# ruff: noqa: T201

from pathlib import Path
from typing import Annotated

import typer

from partimento.cli import options
from partimento.cli.certainty import PICTURES
from partimento.cli.listening import shown
from partimento.errors import ParameterError


def run(
    table: Annotated[
        str, typer.Argument(help="jsb16, jsb, nottingham, piano-midi, infilling, vae or gan.")
    ],
    retrain: Annotated[
        bool,
        typer.Option(
            "--retrain", help="Make our rows again from nothing: hours, and needs the corpora."
        ),
    ] = False,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for the runs of --retrain, which go on.")
    ] = Path("runs/benchmarks"),
    picture: Annotated[
        Path | None, typer.Option(help="vae: draw what roads cost, .svg or .png.")
    ] = None,
    json: options.AsJson = False,
) -> None:
    """Print a table: what papers report, with source and protocol, and what our models reach."""
    from partimento.evaluation.tables import check_table, load_table

    check_table(table)
    if picture is not None and (table != "vae" or picture.suffix.lower() not in PICTURES):
        raise ParameterError("--picture draws the roads of `benchmark vae`, as .svg or .png")
    results = None
    if retrain:
        from partimento.evaluation.retraining import retrain as made_again

        results = made_again(table, out, tell=lambda words: None if json else print(words))
    found = load_table(table, results) if results else load_table(table)
    if json:
        from json import dumps

        print(dumps(found.as_dict(), indent=2))
    else:
        print(found.text())
    if picture is not None:
        from partimento.rendering.files import write_picture
        from partimento.rendering.road_costs import road_costs_svg

        rows = next(section.ours for section in found.sections if section.name == "roads")
        curves = {row["model"]: row["curves"]["ours"] for row in rows}
        mixed = {row["model"]: row["curves"]["mixed"] for row in rows}
        write_picture(road_costs_svg("What roads cost", curves, mixed), picture)
        if not json:
            print(f"wrote {shown(picture)}: what roads cost")
