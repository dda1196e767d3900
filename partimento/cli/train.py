"""`partimento train`: teach a model, from random weights, on a folder or a named set."""
# ruff: noqa: T201

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from partimento.training.loop import Progress


def run(
    model: Annotated[str, typer.Argument(help="What to train: melody-rnn.")],
    data: Annotated[
        list[str],
        typer.Option(help="A folder, zip or MIDI file, or a set by name; may be given repeatedly."),
    ],
    out: Annotated[Path, typer.Option(help="Folder of the run; the model ends in OUT/checkpoint.")],
    config: Annotated[str, typer.Option(help="Preset: basic, small or tunes.")] = "tunes",
    steps: Annotated[int | None, typer.Option(help="Steps to train for.")] = None,
    minutes: Annotated[
        float | None, typer.Option(help="Minutes to train for; 10 where nothing is said.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same run.")] = 0,
    threads: Annotated[int, typer.Option(help="Threads of PyTorch; 0 is all cores.")] = 0,
    batch_size: Annotated[int | None, typer.Option(help="Examples a step.")] = None,
    hidden_size: Annotated[int | None, typer.Option(help="Width of the network.")] = None,
    dropout: Annotated[float | None, typer.Option(help="Share of values dropped.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Highest learning rate.")] = None,
    evaluate_every: Annotated[
        int | None, typer.Option(help="Steps between looks at the held-out pieces.")
    ] = None,
    patience: Annotated[
        int | None, typer.Option(help="Looks without gain before it stops early.")
    ] = None,
    steps_per_quarter: Annotated[
        int | None, typer.Option(help="Grid: 4 is sixteenths, 12 holds triplets too.")
    ] = None,
    lowest: Annotated[int | None, typer.Option(help="Lowest pitch of the model, 0-127.")] = None,
    highest: Annotated[int | None, typer.Option(help="Highest pitch of the model, 0-127.")] = None,
    melody: Annotated[
        str, typer.Option(help="Polyphonic parts: `strict` drops them, `skyline` takes the top.")
    ] = "strict",
    min_bars: Annotated[int, typer.Option(help="Leave out shorter melodies.")] = 4,
    min_pitches: Annotated[
        int, typer.Option(help="Leave out melodies with fewer different pitches.")
    ] = 3,
    min_on_grid: Annotated[
        float, typer.Option(help="Share of notes that must start on the grid.")
    ] = 0.9,
    salvage: Annotated[bool, typer.Option(help="Mend damaged files as players do.")] = False,
    max_file_mb: Annotated[int, typer.Option(help="Leave out larger files.")] = 16,
    workers: Annotated[int, typer.Option(help="Processes that read; 0 is one a core.")] = 0,
    name: Annotated[str | None, typer.Option(help="Name of the finished model.")] = None,
    resume: Annotated[bool, typer.Option(help="Go on with the run in OUT, or begin it.")] = False,
) -> None:
    """Teach a model from random weights: on your folder, or on a set by name."""
    from partimento.models.lessons import lesson_for, load_pieces, train_melody_rnn

    lesson = lesson_for(
        model,
        config,
        tuple(data),
        name=name or out.resolve().name,
        hidden_size=hidden_size,
        dropout=dropout,
        steps=steps,
        minutes=10.0 if steps is None and minutes is None else minutes,
        seed=seed,
        threads=threads,
        batch_size=batch_size,
        learning_rate=learning_rate,
        evaluate_every=evaluate_every,
        patience=patience,
        steps_per_quarter=steps_per_quarter,
        lowest=lowest,
        highest=highest,
    )
    print(f"reading {', '.join(data)} …")
    found = load_pieces(
        lesson,
        salvage=salvage,
        max_file_mb=max_file_mb,
        workers=workers,
        melody=melody,
        min_bars=min_bars,
        min_pitches=min_pitches,
        min_on_grid=min_on_grid,
    )
    print(found.report.text())
    with _ProgressBar(lesson.settings.steps) as bar:
        taught = train_melody_rnn(
            lesson, found, out, resume=resume, on_start=bar.start, report=bar.update
        )
    figures, outcome = taught.figures, taught.outcome
    ended = {"done": "as long as asked", "early": "early: nothing better came any more"}
    print(
        f"trained {outcome.step:,} steps in {outcome.seconds / 60:.1f} min "
        f"({ended[outcome.reason]}); best at step {figures['best_step']:,}: held out "
        f"{figures['valid_nats_per_step']:.4f} nats a step, "
        f"{figures['valid_nats_per_note']:.3f} nats a note"
    )
    print(
        f"the exported graph agrees with PyTorch to {figures['largest_logit_difference']:.1g} on "
        "held-out music"
    )
    print(f"wrote {taught.folder.checkpoint}")
    print(f'next: partimento continue "c4:q d4:q e4:h" --model {out} --bars 8')


class _ProgressBar:
    """A bar with losses, rate and time left; plain lines where there is no terminal."""

    def __init__(self, steps: int | None) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        self._console = Console()
        self._bar = Bar(
            TextColumn("{task.fields[step]}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[words]}"),
            TimeElapsedColumn(),
            TextColumn("left {task.fields[left]}"),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("", total=1.0, step="step 0", words="", left="?")
        self._told: object = None

    def __enter__(self) -> "_ProgressBar":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def start(self, parameters: int, batches: int) -> None:
        self._console.print(f"{parameters:,} weights, {batches:,} batches an epoch")

    def update(self, progress: "Progress") -> None:
        left = progress.seconds / progress.done - progress.seconds if progress.done else 0.0
        words = f"loss {progress.loss:.3f}"
        if progress.held_out:
            words += (
                f"  held out {progress.held_out.nats_per_step:.4f} nats/step "
                f"{progress.held_out.nats_per_note:.3f} nats/note"
            )
        words += f"  {progress.steps_per_second:,.0f} events/s"
        self._bar.update(
            self._task,
            completed=progress.done,
            step=f"step {progress.step:,}",
            words=words,
            left=_clock(left),
        )
        is_news = progress.held_out is not self._told
        if is_news:
            self._told = progress.held_out
            if not self._console.is_terminal:
                print(f"step {progress.step:,}  {words}  left {_clock(left)}", flush=True)


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"
