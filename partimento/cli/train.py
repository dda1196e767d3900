"""`partimento train`: teach a model, from random weights, on a folder or a named set."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from partimento.cli import options, training_options
from partimento.cli.teaching import (
    ProgressBar,
    hold,
    print_ending,
    print_trained,
    print_verdict,
    read_music,
)
from partimento.cli.train_bars import run_bars
from partimento.cli.train_groove import run_groove
from partimento.cli.train_phrases import run_phrases
from partimento.cli.train_voices import run_voices
from partimento.errors import ParameterError

if TYPE_CHECKING:
    from partimento.music.score import Score
    from partimento.training.melody import Lesson


def run(
    context: typer.Context,
    model: training_options.Family,
    data: training_options.Data,
    out: training_options.Out,
    config: Annotated[
        str | None,
        typer.Option(
            help="Preset: tunes, small, basic, mono, lookback, attention; for four voices "
            "chorales, jsb16; for melody-vae 2bar, 16bar, 2bar-flat; for drums-vae "
            "drums, drums-flat; for quartet-gan 4-4, 3-4, 2-4, 6-8."
        ),
    ] = None,
    steps: training_options.Steps = None,
    minutes: training_options.Minutes = None,
    seed: training_options.Seed = 0,
    threads: training_options.Threads = 1,
    precision: training_options.Precision = None,
    batch_size: training_options.BatchSize = None,
    hidden_size: Annotated[int | None, typer.Option(help="Width of the network.")] = None,
    dropout: training_options.Dropout = None,
    beta: Annotated[
        float | None,
        typer.Option(help="VAEs: price of what z says; low reconstructs, high samples better."),
    ] = None,
    learning_rate: training_options.LearningRate = None,
    evaluate_every: training_options.EvaluateEvery = None,
    patience: training_options.Patience = None,
    steps_per_quarter: options.StepsPerQuarter = None,
    lowest: options.LowestKept = None,
    highest: options.HighestKept = None,
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
    strict: options.Strict = False,
    name: training_options.Name = None,
    listen_primer: Annotated[
        str | None,
        typer.Option(
            help="What it goes on from as it learns (`partimento listen`): MIDI file or notation; "
            "without it the opening of a held-out melody."
        ),
    ] = None,
    resume: training_options.Resume = False,
) -> None:
    """Teach a model from random weights: on your folder, or on a set by name."""
    from partimento.models.bars_lessons import CONFIGS
    from partimento.models.lessons import USUAL_CONFIG, check_run, lesson_for, train_melody_rnn
    from partimento.models.phrase_lessons import OF_PHRASES
    from partimento.models.voice_lessons import USUAL_VOICE_CONFIG, VOICE_PRESETS

    folder = hold(context, out)
    settings: dict[str, Any] = {
        "name": out.resolve().name if name is None else name,
        "hidden_size": hidden_size,
        "dropout": dropout,
        "steps": steps,
        "minutes": 10.0 if steps is None and minutes is None else minutes,
        "seed": seed,
        "threads": threads,
        "precision": precision,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "evaluate_every": evaluate_every,
        "patience": patience,
        "lowest": lowest,
        "highest": highest,
    }
    if model in VOICE_PRESETS:
        run_voices(
            context,
            model,
            config or USUAL_VOICE_CONFIG,
            tuple(data),
            folder,
            out,
            resume=resume,
            strict=strict,
            reading={
                "salvage": salvage,
                "max_file_mb": max_file_mb,
                "split_seed": split_seed,
                "min_bars": min_bars,
                "min_on_grid": min_on_grid,
            },
            **settings,
        )
        return
    if model in CONFIGS:
        del settings["hidden_size"], settings["dropout"]
        run_bars(
            context,
            model,
            config,
            tuple(data),
            folder,
            out,
            resume=resume,
            strict=strict,
            no_cache=no_cache,
            reading={
                "salvage": salvage,
                "max_file_mb": max_file_mb,
                "split_seed": split_seed,
                "workers": workers,
                "find_pickups": pickups,
                "melody": melody,
                "min_pitches": min_pitches,
                "max_rest_bars": max_rest_bars,
                "min_on_grid": min_on_grid,
            },
            steps_per_quarter=steps_per_quarter,
            beta=beta,
            **settings,
        )
        return
    if model in OF_PHRASES:
        run_phrases(
            context,
            config,
            tuple(data),
            folder,
            out,
            name=settings["name"],
            resume=resume,
            strict=strict,
            reading={"salvage": salvage, "max_file_mb": max_file_mb, "split_seed": split_seed},
            steps=steps,
            minutes=settings["minutes"],
            seed=seed,
            threads=threads,
            precision=precision,
            batch_size=batch_size,
            wide=hidden_size,
            evaluate_every=evaluate_every,
        )
        return
    if beta is not None:
        raise ParameterError(f"--beta is for VAEs: {model} is none")
    if model == "drums-groove":
        del settings["hidden_size"], settings["lowest"], settings["highest"]
        run_groove(
            context,
            config,
            tuple(data),
            folder,
            out,
            resume=resume,
            strict=strict,
            reading={"salvage": salvage, "max_file_mb": max_file_mb, "split_seed": split_seed},
            steps_per_quarter=steps_per_quarter,
            **settings,
        )
        return
    lesson = lesson_for(
        model,
        config or USUAL_CONFIG,
        tuple(data),
        steps_per_quarter=steps_per_quarter,
        **settings,
    )
    check_run(lesson, folder, resume=resume)
    primer = None if listen_primer is None else _primer(listen_primer, lesson)
    found = read_music(
        lesson,
        salvage=salvage,
        max_file_mb=max_file_mb,
        split_seed=split_seed,
        workers=workers,
        no_cache=no_cache,
        strict=strict,
        find_pickups=pickups,
        melody=melody,
        min_bars=min_bars,
        min_pitches=min_pitches,
        max_rest_bars=max_rest_bars,
        min_on_grid=min_on_grid,
    )
    with ProgressBar() as bar:
        taught = train_melody_rnn(
            lesson,
            found,
            folder,
            resume=resume,
            on_start=bar.start,
            report=bar.update,
            tell=bar.tell,
            on_estimate=bar.estimate,
            listen_primer=primer,
        )
    if taught is None:  # another process writes the model, and says so
        return
    figures = taught.figures
    print_trained(
        taught,
        f"; best at step {figures['best_step']:,}: held out "
        f"{figures['valid_nats_per_step']:.4f} nats a step, "
        f"{figures['valid_nats_per_note']:.3f} nats a note",
    )
    print_verdict(taught.verdict.words, taught.verdict.advice)
    print_ending(lesson, taught, found, out, "held-out music")


def _primer(text: str, lesson: "Lesson") -> "Score":
    """Read what the network shall go on from, and have its ears try it."""
    from partimento.cli.listening import read_given
    from partimento.generation.hearing import hear

    score = read_given(text).score
    hear(score, lesson.representation)
    return score
