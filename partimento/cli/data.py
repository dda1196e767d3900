"""`partimento data`: what is in a folder, what a model would learn from, what not and why."""
# ruff: noqa: T201

import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from partimento.cli import options
from partimento.errors import EXIT_PARTLY, ParameterError

FOUR_VOICES = ("satb", "bach-rnn", "bach-cnn")
OF_BARS = {
    "drums": "drums",
    "drums-vae": "drums",
    "drums-groove": "drums",
    "melody-vae": "2bar",
    "quartet-vae": "quartet",
    "melody-vae-16bar": "16bar",
    "melody-vae-16bar-sampler": "16bar-sampler",
}
OF_PHRASES = {"quartet-gan": "4-4", "quartet": "4-4"}
OF_MELODIES = ("melody", "min_pitches", "max_rest_bars", "pickups")
OF_VOICES = ("voices", "fewest_voices")


def run(
    context: typer.Context,
    paths: Annotated[
        list[str],
        typer.Argument(
            help="Folders, archives, MIDI files, lists of paths (.txt), or sets by name with kinds "
            "of melodies: irish-cre, openscore-lieder:song, open-hymnal:tune+line."
        ),
    ],
    family: Annotated[
        str,
        typer.Option(
            "--for",
            help="What would learn from it: melody (as `train` does where no preset is named), "
            "satb (four voices), drums, melody-vae, quartet, or a preset of `train` by name.",
        ),
    ] = "melody",
    steps_per_quarter: options.StepsPerQuarter = None,
    lowest: options.LowestKept = None,
    highest: options.HighestKept = None,
    melody: options.Melody = None,
    min_bars: options.MinBars = None,
    min_pitches: options.MinPitches = None,
    max_rest_bars: options.MaxRestBars = None,
    min_on_grid: options.MinOnGrid = None,
    pickups: options.Pickups = None,
    voices: Annotated[
        str,
        typer.Option(
            help="Four voices: which parts they are. `auto` goes by names and pitch, "
            "`soprano,alto,tenor,bass` by order, `soprano=1,bass=2` by number."
        ),
    ] = "auto",
    fewest_voices: Annotated[
        int, typer.Option(help="Four voices: leave out pieces with fewer.")
    ] = 4,
    salvage: options.Salvage = False,
    max_file_mb: options.MaxFileMb = 16,
    split_seed: options.SplitSeed = 0,
    workers: options.Workers = 0,
    no_cache: options.NoCache = False,
    json: options.AsJson = False,
    strict: options.Strict = False,
) -> None:
    """Say what is in some music, what a model would learn from, and what is left out and why."""
    is_for_voices = family in FOUR_VOICES
    for name in OF_MELODIES if is_for_voices else OF_VOICES:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise ParameterError(f"--{name.replace('_', '-')} means nothing with --for {family}")
    if is_for_voices:
        rules = {
            "steps_per_quarter": steps_per_quarter,
            "lowest": lowest,
            "highest": highest,
            "min_bars": min_bars,
            "min_on_grid": min_on_grid,
            "voices": voices,
            "fewest_voices": fewest_voices,
        }
        _four_voices(paths, rules, salvage, max_file_mb, split_seed, json, strict)
        return
    if family in OF_PHRASES:
        _phrases(paths, OF_PHRASES[family], salvage, max_file_mb, split_seed, json, strict)
        return
    if family in OF_BARS:
        _windows(paths, OF_BARS[family], salvage, max_file_mb, split_seed, workers, json, strict)
        return
    from partimento.data.cache import cache_folder
    from partimento.models.lessons import preset_for, read_pieces, representation_for

    found = read_pieces(
        paths,
        representation_for(
            family, steps_per_quarter=steps_per_quarter, lowest=lowest, highest=highest
        ),
        preset_for(family),
        salvage=salvage,
        max_file_mb=max_file_mb,
        split_seed=split_seed,
        workers=workers,
        cache=None if no_cache else cache_folder(),
        progress=_counter() if sys.stderr.isatty() else None,
        find_pickups=pickups,
        melody=melody,
        min_bars=min_bars,
        min_pitches=min_pitches,
        max_rest_bars=max_rest_bars,
        min_on_grid=min_on_grid,
    )
    report = found.report
    if json:
        from json import dumps

        print(dumps({**report.as_dict(), "preparing": found.preparing.as_dict()}, indent=2))
    else:
        print(report.text())
        print(found.preparing.text())
    if strict and report.files_skipped:
        raise typer.Exit(EXIT_PARTLY)


def _four_voices(
    paths: list[str],
    rules: dict[str, Any],
    salvage: bool,
    max_file_mb: int,
    split_seed: int,
    json: bool,
    strict: bool,
) -> None:
    """Say what four voices would learn from."""
    from partimento.data.found import MEBIBYTE, WalkLimits
    from partimento.data.voices import VoiceRules, load_voices

    if max_file_mb < 1:
        raise ParameterError(f"max_file_mb must be at least 1, got {max_file_mb}")
    found = load_voices(
        paths,
        rules=VoiceRules(**{name: value for name, value in rules.items() if value is not None}),
        seed=split_seed,
        salvage=salvage,
        limits=WalkLimits(max_file_bytes=max_file_mb * MEBIBYTE),
        progress=_counter() if sys.stderr.isatty() else None,
    )
    if json:
        from json import dumps

        print(dumps(found.report.as_dict(), indent=2))
    else:
        print(found.report.text())
    if strict and found.report.files_skipped:
        raise typer.Exit(EXIT_PARTLY)


def _windows(
    paths: list[str],
    preset: str,
    salvage: bool,
    max_file_mb: int,
    split_seed: int,
    workers: int,
    json: bool,
    strict: bool,
) -> None:
    """Say what a VAE of bars would learn from."""
    from partimento.models.bars_lessons import PRESETS, read_windows
    from partimento.representations.bars import BarsRepresentation

    found = read_windows(
        tuple(paths),
        BarsRepresentation(**PRESETS[preset]["representation"]),
        splits=("train", "valid", "test"),
        salvage=salvage,
        max_file_mb=max_file_mb,
        split_seed=split_seed,
        workers=workers,
    )
    if json:
        from json import dumps

        windows = found.facts()["windows"]
        print(dumps({**found.report.as_dict(), "windows": windows}, indent=2))
    else:
        print(found.report.text())
        print(found.text())
    if strict and found.report.files_skipped:
        raise typer.Exit(EXIT_PARTLY)


def _phrases(
    paths: list[str],
    preset: str,
    salvage: bool,
    max_file_mb: int,
    split_seed: int,
    json: bool,
    strict: bool,
) -> None:
    """Say what a GAN of phrases would learn from."""
    from partimento.models.phrase_lessons import PRESETS, read_phrases
    from partimento.representations.phrases import PhraseRepresentation

    found = read_phrases(
        tuple(paths),
        PhraseRepresentation(**PRESETS[preset]["representation"]),
        splits=("train", "valid", "test"),
        salvage=salvage,
        max_file_mb=max_file_mb,
        split_seed=split_seed,
        progress=_counter() if sys.stderr.isatty() else None,
    )
    if json:
        from json import dumps

        phrases = found.facts()["phrases"]
        print(dumps({**found.report.as_dict(), "phrases": phrases}, indent=2))
    else:
        print(found.report.text())
        print(found.text())
    if strict and found.report.files_skipped:
        raise typer.Exit(EXIT_PARTLY)


def _counter() -> Callable[[int], None]:
    """Count files on one line of the terminal, wiped when something is printed after it."""

    def count(done: int) -> None:
        if done % 100 == 0:
            print(f"\r{done:,} files \r", end="", file=sys.stderr, flush=True)

    return count
