"""`partimento models`: what is here, and what each checkpoint says of itself."""
# ruff: noqa: T201

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from partimento.checkpoints import Checkpoint

LABEL = 10  # columns before what is said


def run(
    models: Annotated[
        list[str] | None,
        typer.Argument(help="Names, or checkpoint folders; all that ship where nothing is said."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """List the models: what they can do, what they were trained on, and their figures."""
    from partimento.checkpoints import open_checkpoint, shipped
    from partimento.errors import EXIT_PARTLY, PartimentoError

    names = models or shipped()
    opened: list[Checkpoint] = []
    refused: list[PartimentoError] = []
    for name in names:
        try:
            opened.append(open_checkpoint(name))
        except PartimentoError as error:
            refused.append(error)
    if refused and not opened:
        _say(refused[:-1])
        raise refused[-1]
    if json:
        from json import dumps

        print(dumps({"models": [facts(checkpoint) for checkpoint in opened]}, indent=2))
    elif opened:
        print("\n\n".join(described(checkpoint) for checkpoint in opened))
    else:
        print("no model ships with this installation; `partimento train` teaches one")
    if refused:
        _say(refused)
        raise typer.Exit(EXIT_PARTLY)


def facts(checkpoint: "Checkpoint") -> dict[str, Any]:
    """Say what a checkpoint is in plain values: its own words, and what its family can do."""
    from partimento.checkpoints.checkpoint import SHIPPED

    config = checkpoint.config
    return {
        "name": checkpoint.name,
        "family": checkpoint.family,
        "verbs": _verbs(checkpoint.family),
        "hash": checkpoint.hash,
        "bytes": checkpoint.size,
        "path": str(checkpoint.path),
        "is_shipped": checkpoint.path.parent == SHIPPED,
        **{
            field: config.get(field)
            for field in ("made_with", "representation", "network", "training", "figures")
        },
    }


def described(checkpoint: "Checkpoint") -> str:
    """Describe a checkpoint in a few lines."""
    from partimento.checkpoints.plain import shown

    verbs = _verbs(checkpoint.family)
    figures = {
        name: value
        for name, value in checkpoint.config.get("figures", {}).items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    parameters = figures.pop("parameters", None)
    size = f"{checkpoint.size / 1e6:.1f} MB"
    size = size if parameters is None else f"{parameters:,} parameters, {size}"
    head = f"{checkpoint.name}  ({checkpoint.family}, {size}, hash {checkpoint.short_hash})"
    said = [f"{shown(name.replace('_', ' '))} {_number(value)}" for name, value in figures.items()]
    lines = {
        "verbs": ", ".join(verbs) if verbs else "none known: its family is of another version",
        "data": "; ".join(_data(checkpoint.config.get("training", {}))) or "the card does not say",
        "figures": ", ".join(said) or "the card does not say",
        "card": shown(str(checkpoint.path / "README.md"), 300),
    }
    return "\n".join([head, *(_line(label, text) for label, text in lines.items())])


def _verbs(family: str) -> list[str] | None:
    from partimento.models.load import FAMILIES

    return list(FAMILIES[family].verbs) if family in FAMILIES else None


def _data(training: dict[str, Any]) -> list[str]:
    """Name the sets a model was trained on, with their licences where the config has them."""
    from partimento.checkpoints.plain import shown

    report = training.get("data_report")
    sources = report.get("sources") if isinstance(report, dict) else None
    named = [
        found
        for found in (sources if isinstance(sources, list) else [])
        if isinstance(found, dict) and "name" in found
    ]
    if not named:
        data = training.get("data")
        return [shown(str(name)) for name in data] if isinstance(data, list) else []
    return [
        shown(str(found["name"]))
        + (f" ({shown(str(found['licence']), 120)})" if found.get("licence") else "")
        for found in named
    ]


def _line(label: str, text: str) -> str:
    from shutil import get_terminal_size
    from textwrap import fill

    return fill(
        text,
        width=max(40, min(100, get_terminal_size().columns)),
        initial_indent=f"  {label:{LABEL}}",
        subsequent_indent=" " * (LABEL + 2),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def _say(errors: Sequence[Exception]) -> None:
    for error in errors:
        print(f"partimento: {error}", file=sys.stderr)
