"""`partimento data`: what is in a folder, what a model would learn from, what not and why."""
# ruff: noqa: T201

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer


def run(
    paths: Annotated[
        list[str],
        typer.Argument(
            help="Folders, archives, MIDI files, lists of paths (.txt), or sets by name with kinds "
            "of melodies: irish-cre, openscore-lieder:song, open-hymnal:tune+line."
        ),
    ],
    family: Annotated[
        str, typer.Option("--for", help="What would learn from it: melody.")
    ] = "melody",
    melody: Annotated[
        str, typer.Option(help="Polyphonic parts: `strict` drops them, `skyline` takes the top.")
    ] = "strict",
    steps_per_quarter: Annotated[
        int, typer.Option(help="Grid: 4 is sixteenths, 12 holds triplets too.")
    ] = 4,
    lowest: Annotated[int, typer.Option(help="Lowest pitch, 0-127.")] = 48,
    highest: Annotated[int, typer.Option(help="Highest pitch, 0-127.")] = 83,
    min_bars: Annotated[int, typer.Option(help="Leave out shorter melodies.")] = 4,
    min_pitches: Annotated[
        int, typer.Option(help="Leave out melodies of fewer different pitches.")
    ] = 3,
    max_rest_bars: Annotated[
        int, typer.Option(help="A longer rest ends a melody and starts the next.")
    ] = 2,
    min_on_grid: Annotated[
        float, typer.Option(help="Share of notes that must start on the grid, 0 to 1.")
    ] = 0.9,
    salvage: Annotated[bool, typer.Option(help="Mend damaged files as players do.")] = False,
    max_file_mb: Annotated[int, typer.Option(help="Leave out larger files.")] = 16,
    seed: Annotated[int, typer.Option(help="Another seed, another split.")] = 0,
    workers: Annotated[int, typer.Option(help="Processes; 0 is one a core.")] = 0,
    cache: Annotated[
        Path | None, typer.Option(help="Keep what was read here, and use it the next time.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 3 if any file was skipped.")
    ] = False,
) -> None:
    """Say what is in some music, what a model would learn from, and what is left out and why."""
    from dataclasses import replace

    from partimento.data import MelodyRules, load_melodies
    from partimento.data.found import WalkLimits
    from partimento.errors import EXIT_PARTLY, ParameterError

    if family != "melody":
        raise ParameterError(f"--for must be melody, got {family!r}")
    for name, value, least in (("--max-file-mb", max_file_mb, 1), ("--workers", workers, 0)):
        if value < least:
            raise ParameterError(f"{name} must be at least {least}, got {value}")
    rules = MelodyRules(
        steps_per_quarter=steps_per_quarter,
        lowest=lowest,
        highest=highest,
        melody=melody,
        min_bars=min_bars,
        min_pitches=min_pitches,
        max_rest_bars=max_rest_bars,
        min_on_grid=min_on_grid,
    )
    report = load_melodies(
        paths,
        rules=rules,
        seed=seed,
        workers=workers or os.cpu_count() or 1,
        salvage=salvage,
        limits=replace(WalkLimits(), max_file_bytes=max_file_mb * 2**20),
        cache=cache,
        progress=_counter() if sys.stderr.isatty() else None,
    ).report
    if json:
        from json import dumps

        print(dumps(report.as_dict(), indent=2))
    else:
        print(report.text())
    if strict and report.files_skipped:
        raise typer.Exit(EXIT_PARTLY)


def _counter() -> Callable[[int], None]:
    """Count files on one line of the terminal, wiped when something is printed after it."""

    def count(done: int) -> None:
        if done % 100 == 0:
            print(f"\r{done:,} files \r", end="", file=sys.stderr, flush=True)

    return count
