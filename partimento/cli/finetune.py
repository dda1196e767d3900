"""`partimento finetune`: teach a model that knows music your music, from a few files on."""
# ruff: noqa: T201

from typing import TYPE_CHECKING, Annotated

import typer

from partimento.cli import options as reading
from partimento.cli import training_options as options
from partimento.cli.teaching import (
    ProgressBar,
    hold,
    print_ending,
    print_trained,
    print_verdict,
    read_music,
)
from partimento.cli.train_bars import personalise_bars

if TYPE_CHECKING:
    from partimento.data import MelodyData
    from partimento.training.course import Taught
    from partimento.training.melody import Lesson

FIXED = ("--lowest", "--highest", "--steps-per-quarter")  # of the model, not to be had here


def run(
    context: typer.Context,
    model: options.Family,
    data: options.Data,
    out: options.Out,
    start: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="Checkpoint or run to go on from, whose pitches, grid and size stay; the shipped "
            "model of that name where nothing is said.",
        ),
    ] = None,
    steps: options.Steps = None,
    minutes: options.Minutes = None,
    seed: options.Seed = 0,
    threads: options.Threads = 1,
    precision: options.Precision = None,
    batch_size: options.BatchSize = None,
    dropout: options.Dropout = None,
    learning_rate: options.LearningRate = None,
    evaluate_every: options.EvaluateEvery = None,
    patience: options.Patience = None,
    melody: reading.Melody = None,
    min_bars: reading.MinBars = None,
    min_pitches: reading.MinPitches = None,
    max_rest_bars: reading.MaxRestBars = None,
    min_on_grid: reading.MinOnGrid = None,
    pickups: reading.Pickups = None,
    salvage: reading.Salvage = False,
    max_file_mb: reading.MaxFileMb = 16,
    split_seed: reading.SplitSeed = 0,
    workers: reading.Workers = 0,
    no_cache: reading.NoCache = False,
    strict: reading.Strict = False,
    name: options.Name = None,
    resume: options.Resume = False,
) -> None:
    """Teach a trained model your music, on top of what it knows: twenty files are enough."""
    from partimento.models.bars_lessons import CONFIGS
    from partimento.models.finetuning import finetune_melody_rnn, finetuning_lesson
    from partimento.models.lessons import check_run

    folder = hold(context, out)
    named = out.resolve().name if name is None else name
    if model in CONFIGS:
        personalise_bars(
            context,
            model,
            start,
            tuple(data),
            out,
            name=named,
            strict=strict,
            reading={
                "salvage": salvage,
                "max_file_mb": max_file_mb,
                "split_seed": split_seed,
                "find_pickups": pickups,
                "melody": melody,
                "min_pitches": min_pitches,
                "max_rest_bars": max_rest_bars,
                "min_on_grid": min_on_grid,
            },
        )
        return
    lesson = finetuning_lesson(
        model,
        tuple(data),
        name=named,
        start=start,
        dropout=dropout,
        steps=steps,
        minutes=10.0 if steps is None and minutes is None else minutes,
        seed=seed,
        threads=threads,
        precision=precision,
        batch_size=batch_size,
        learning_rate=learning_rate,
        evaluate_every=evaluate_every,
        patience=patience,
    )
    check_run(lesson, folder, resume=resume)
    print(f"going on from {_told(lesson)}")
    found = read_music(
        lesson,
        salvage=salvage,
        max_file_mb=max_file_mb,
        split_seed=split_seed,
        workers=workers,
        no_cache=no_cache,
        strict=strict,
        remark=_out_of_reach,
        find_pickups=pickups,
        melody=melody,
        min_bars=min_bars,
        min_pitches=min_pitches,
        max_rest_bars=max_rest_bars,
        min_on_grid=min_on_grid,
    )
    with ProgressBar("the model as it was") as bar:
        taught = finetune_melody_rnn(
            lesson,
            found,
            folder,
            resume=resume,
            on_start=bar.start,
            report=bar.update,
            tell=bar.tell,
        )
    if taught is None:  # another process writes the model, and says so
        return
    kept = taught.figures["best_step"]
    print_trained(taught, f", of which the model keeps the first {kept:,}")
    print(_gain(taught))
    print_verdict(taught.verdict.words)
    print_ending(lesson, taught, found, out, "music of yours")


def _told(lesson: "Lesson") -> str:
    """Name the parent, and what of it stays."""
    kept, parent = lesson.representation, lesson.parent
    assert parent is not None
    return (
        f"{parent.name} ({parent.hash[:12]}): pitches {kept.lowest}-{kept.highest}, "
        f"{kept.steps_per_quarter} steps a quarter, {lesson.num_layers} layers of "
        f"{lesson.hidden_size}"
    )


def _out_of_reach(found: "MelodyData") -> str:
    """Say which of the report's switches are of no use here."""
    switches = [switch for reason in found.report.left_out.values() for switch in reason.switches]
    if not any(switch.startswith(FIXED) for switch in switches):
        return ""
    return (
        f"{', '.join(FIXED)} are fixed by the model that is fine-tuned: `partimento train` takes "
        "them, for a model of your own"
    )


def _gain(taught: "Taught") -> str:
    """Say what the model was before, and is now, on the same held-out melodies."""
    figures = taught.figures
    before, now = figures["parent_nats_per_note"], figures["valid_nats_per_note"]
    how = f"{figures['valid_pieces']} held-out melodies"
    if "folds" in figures:
        how = f"{figures['valid_pieces']} melodies, each by a run that had not learned from it"
    verdict = f"{1 - now / before:.0%} less surprised" if now < before else "no better"
    return f"{how}: {before:.3f} nats a note before, {now:.3f} after fine-tuning ({verdict})"
