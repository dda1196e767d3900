"""`partimento evaluate`: a model's melodies beside held-out tunes, in figures."""
# ruff: noqa: T201

from typing import Annotated

import typer

from partimento.cli import options
from partimento.errors import ParameterError


def run(
    model: Annotated[str, typer.Argument(help="A model by name, or a checkpoint folder.")],
    data: Annotated[
        list[str] | None,
        typer.Option(
            help="A folder, zip or MIDI file, or a set by name; may be given repeatedly. Without "
            "it, only how far the model copies its training tunes is said."
        ),
    ] = None,
    split: Annotated[
        str, typer.Option(help="Tunes to compare with: valid, or test (for the last word).")
    ] = "valid",
    count: Annotated[int, typer.Option(help="Melodies to sample.")] = 100,
    bars: Annotated[int, typer.Option(help="Bars of each, and of the tunes beside them.")] = 16,
    seed: Annotated[int, typer.Option(help="The same seed gives the same figures.")] = 0,
    temperature: Annotated[float, typer.Option(help="Of the sampling.")] = 1.0,
    top_p: Annotated[float, typer.Option(help="Of the sampling.")] = 1.0,
    top_k: Annotated[int, typer.Option(help="Of the sampling.")] = 0,
    melody: options.Melody = None,
    min_bars: options.MinBars = None,
    min_pitches: options.MinPitches = None,
    max_rest_bars: options.MaxRestBars = None,
    min_on_grid: options.MinOnGrid = None,
    pickups: options.Pickups = None,
    salvage: options.Salvage = False,
    max_file_mb: options.MaxFileMb = 16,
    split_seed: options.SplitSeed = 0,
    workers: options.Workers = 0,
    no_cache: options.NoCache = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Compare what a model makes with tunes it has not seen: statistics, surprise, copying."""
    from partimento.cli.listening import shown
    from partimento.data.cache import cache_folder
    from partimento.evaluation.comparison import compare, compare_with_training
    from partimento.models.lessons import read_pieces
    from partimento.models.load import load
    from partimento.representations.melody import MelodyRepresentation

    loaded = load(model, verb="sample")
    if not isinstance(loaded.representation, MelodyRepresentation):
        table = "vae" if loaded.family.endswith("-vae") else "jsb16"
        raise ParameterError(
            f"evaluate sets models of melodies beside tunes, and {shown(loaded.name)} is a "
            f"{loaded.family}: its figures are on its card and in `partimento benchmark {table}`"
        )
    sampling = {"temperature": temperature, "top_p": top_p, "top_k": top_k}
    if not data:
        copied = compare_with_training(loaded, count=count, bars=bars, seed=seed, **sampling)
        if json:
            from json import dumps

            print(dumps(copied.as_dict(), indent=2))
        else:
            print(f"{loaded!r}\n")
            print(copied.text())
        return
    found = read_pieces(
        data,
        loaded.representation,
        salvage=salvage,
        max_file_mb=max_file_mb,
        split_seed=split_seed,
        workers=workers,
        cache=None if no_cache else cache_folder(),
        find_pickups=pickups,
        melody=melody,
        min_bars=min_bars,
        min_pitches=min_pitches,
        max_rest_bars=max_rest_bars,
        min_on_grid=min_on_grid,
    )
    comparison = compare(
        loaded,
        found,
        split=split,
        count=count,
        bars=bars,
        seed=seed,
        **sampling,
    )
    if json:
        from json import dumps

        print(dumps({**comparison.as_dict(), "data": data}, indent=2))
    else:
        print(f"{loaded!r}\n")
        print(comparison.text())
