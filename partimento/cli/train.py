"""`partimento train`: teach a model, from random weights, on a folder or a named set."""
# ruff: noqa: T201

import io
from contextlib import redirect_stdout
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from partimento.cli import options, training_options
from partimento.errors import EXIT_PARTLY

if TYPE_CHECKING:
    from partimento.music.score import Score
    from partimento.training.estimate import Estimate
    from partimento.training.loop import Progress
    from partimento.training.melody import Lesson


def run(
    context: typer.Context,
    model: training_options.Family,
    data: training_options.Data,
    out: training_options.Out,
    config: Annotated[
        str, typer.Option(help="Preset: tunes, small, basic, mono, lookback, attention.")
    ] = "tunes",
    steps: training_options.Steps = None,
    minutes: training_options.Minutes = None,
    seed: training_options.Seed = 0,
    threads: training_options.Threads = 1,
    precision: training_options.Precision = None,
    batch_size: training_options.BatchSize = None,
    hidden_size: Annotated[int | None, typer.Option(help="Width of the network.")] = None,
    dropout: training_options.Dropout = None,
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
    from partimento.data.cache import cache_folder
    from partimento.evaluation.comparison import copying_words
    from partimento.models.lessons import (
        check_run,
        is_helper,
        lesson_for,
        load_pieces,
        open_run,
        train_melody_rnn,
    )
    from partimento.models.load import load

    if is_helper():  # of several processes that train together, the first speaks
        context.with_resource(redirect_stdout(io.StringIO()))
    # First of all, so that a second run need not wait for anything to learn that it is one.
    folder = context.with_resource(open_run(out).locked())
    lesson = lesson_for(
        model,
        config,
        tuple(data),
        name=out.resolve().name if name is None else name,
        hidden_size=hidden_size,
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
        steps_per_quarter=steps_per_quarter,
        lowest=lowest,
        highest=highest,
    )
    check_run(lesson, folder, resume=resume)
    primer = None if listen_primer is None else _primer(listen_primer, lesson)
    print(f"reading {', '.join(data)} …", flush=True)
    found = load_pieces(
        lesson,
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
    print(found.report.text(), flush=True)
    print(found.preparing.text(), flush=True)
    if strict and found.report.files_skipped:
        raise typer.Exit(EXIT_PARTLY)
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
    figures, outcome = taught.figures, taught.outcome
    ended = {"done": "as long as asked", "early": "early: nothing better came any more"}
    print(
        f"trained {outcome.step:,} step{'s' * (outcome.step != 1)} in {clock(outcome.seconds)} "
        f"({ended[outcome.reason]}); best at step {figures['best_step']:,}: held out "
        f"{figures['valid_nats_per_step']:.4f} nats a step, "
        f"{figures['valid_nats_per_note']:.3f} nats a note"
    )
    for words in taught.verdict.words:
        print(f"  {words}")
    for number, words in enumerate(taught.verdict.advice):
        print(f"{'what may help: ' if number == 0 else ' ' * 15}{words}")
    print(
        f"the exported graph agrees with PyTorch to {figures['largest_logit_difference']:.1g} on "
        "held-out music"
    )
    print(copying_words(load(taught.folder.checkpoint), found))
    print(f"wrote {taught.folder.checkpoint}")
    print(f"hear it learn: partimento listen {quote(str(out))} -o learning.wav")
    print(f"next: partimento {example_verb(lesson)} --model {quote(str(out))} --bars 8")


def _primer(text: str, lesson: "Lesson") -> "Score":
    """Read what the network shall go on from, and have its ears try it."""
    from partimento.cli.listening import read_given
    from partimento.generation.hearing import hear

    score = read_given(text).score
    hear(score, lesson.representation)
    return score


def example_verb(lesson: "Lesson") -> str:
    """Write a verb that this model can do, with notes that it knows."""
    lowest, highest = lesson.representation.lowest, lesson.representation.highest
    for octave in (4, 5, 3, 6, 2, 1, 7, 0, 8):
        if lowest <= 12 * (octave + 1) and 12 * (octave + 1) + 4 <= highest:
            return f'continue "c{octave}:q d{octave}:q e{octave}:h"'
    return "sample"


class ProgressBar:
    """A line for every look at the held-out pieces; below it, on a terminal, a bar."""

    def __init__(self, before: str = "random weights") -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bar

        self._console = Console(highlight=False, soft_wrap=True)
        self._bar = Bar(
            TextColumn("{task.fields[words]}"),
            BarColumn(20),
            TextColumn("{task.percentage:.0f}% {task.fields[left]}"),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._before = f"{before}, before the first step"
        self._task = self._bar.add_task("", total=1.0, words="step 0", left="")

    def __enter__(self) -> "ProgressBar":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def tell(self, words: str) -> None:
        """Print a line above the bar."""
        self._console.print(words, markup=False)
        self._console.file.flush()

    def start(self, parameters: int, batches: int) -> None:
        """Say how large network and data are."""
        self.tell(f"{parameters:,} weights, {batches:,} batches an epoch")

    def estimate(self, found: "Estimate") -> None:
        """Say how long it may take."""
        self.tell(
            f"about {clock(found.seconds)} to step {found.steps:,}, {found.epochs:.2g} times "
            "through the music, if it does not stop early"
        )

    def update(self, progress: "Progress") -> None:
        """Move the bar, and print a line if the held-out pieces were just looked at."""
        left = ""
        if progress.done > 0 and progress.seconds >= 1:  # else nothing can be said yet
            left = f"{clock(progress.seconds / progress.done - progress.seconds)} left"
        pace = f"loss {progress.loss:.3f}  {progress.steps_per_second:,.0f} events/s"
        words = f"step {progress.step:,}"
        self._bar.update(
            self._task,
            completed=progress.done,
            words=f"{words}  {pace}" if progress.step else words,
            left=left,
        )
        if progress.held_out is None or progress.evaluated_at != progress.step:
            return
        found = (
            f"held out {progress.held_out.nats_per_step:.4f} nats/step "
            f"{progress.held_out.nats_per_note:.3f} nats/note"
        )
        details = f"{pace}  {left}" if progress.step else self._before
        self.tell(f"{words}  {found}  {details}")


def clock(seconds: float) -> str:
    """Write seconds as hours, minutes and seconds."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"
