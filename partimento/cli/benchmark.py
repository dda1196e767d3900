"""`partimento benchmark`: published figures beside ours."""
# ruff: noqa: T201

from pathlib import Path
from typing import Annotated

import typer

from partimento.cli import options


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
    json: options.AsJson = False,
) -> None:
    """Print a table: what papers report, with source and protocol, and what our models reach."""
    from partimento.evaluation.tables import check_table, load_table

    check_table(table)
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
