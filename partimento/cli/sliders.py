"""`partimento sliders`: the sliders of a model, and how to learn others from folders."""
# ruff: noqa: T201

from pathlib import Path
from typing import Annotated, Any

import typer

from partimento.errors import ParameterError


def run(
    model: Annotated[str, typer.Argument(help="Name or checkpoint folder.")] = "melody-vae",
    data: Annotated[
        list[str] | None,
        typer.Option(
            help="A slider to learn, as NAME=LESS:MORE: two folders (or zips, files) of music that "
            "has less of it, and more. May be given repeatedly."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the model with the new sliders.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Show what a model's sliders do, or learn new ones from sorted folders."""
    from partimento.models.load import load

    player = load(model, verb="vary")
    if not data:
        _show(player, json)
        return
    if out is None:
        raise ParameterError("--out names the folder for the model with the new sliders")
    from partimento.models.bars_lessons import read_windows
    from partimento.models.bars_space import learn_sliders

    folders = {}
    for text in data:
        name, _, places = text.partition("=")
        less, _, more = places.partition(":")
        if not (name and less and more):
            raise ParameterError(f"--data {text[:60]!r}: a slider is learned as NAME=LESS:MORE")
        windows = [
            read_windows((place,), player.representation, splits=("train", "valid", "test"))
            for place in (less, more)
        ]
        folders[name] = tuple(_all(found.windows) for found in windows)
    made = learn_sliders(player, folders, out, out.resolve().name)
    print(f"wrote {out}: sliders {', '.join(made.config['sliders']['names'])}")
    print(f"next: partimento vary row-your-boat --model {out} --more {next(iter(folders))}")


def _all(windows: dict[str, Any]) -> Any:
    """Put the windows of all splits together: nothing is judged by them."""
    import numpy as np

    from partimento.training.windows import Windows

    found = list(windows.values())
    return Windows(
        np.concatenate([one.tables for one in found]), np.concatenate([one.piece for one in found])
    )


def _show(player: Any, as_json: bool) -> None:
    about = player.checkpoint.config.get("sliders") or {}
    table = about.get("table") or []
    if as_json:
        from json import dumps

        print(dumps({"model": player.name, **about}, indent=2))
        return
    print(f"sliders of {player.name}: {', '.join(player.sliders.names)}")
    if not table:
        return
    print("asked, and what changed on held-out music, in standard deviations:")
    names = list(table[0]["change"])
    print(f"{'':12} {'asked':>6}  " + " ".join(f"{name[:11]:>11}" for name in names))
    for row in table:
        found = " ".join(f"{row['change'][name]:+11.2f}" for name in names)
        print(f"{row['slider'][:12]:12} {row['asked']:+6g}  {found}")
