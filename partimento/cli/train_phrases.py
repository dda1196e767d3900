"""`partimento train quartet-gan`: what it says and refuses."""
# ruff: noqa: T201

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import typer

from partimento.cli.latent import was_given
from partimento.cli.teaching import clock, print_trained, print_verdict
from partimento.errors import EXIT_PARTLY, ParameterError, PartimentoError

if TYPE_CHECKING:
    from partimento.training.adversarial import ContestProgress
    from partimento.training.run_folder import RunFolder

MEANINGLESS = (
    *("dropout", "beta", "learning_rate", "patience", "steps_per_quarter", "lowest", "highest"),
    *("melody", "min_bars", "min_pitches", "max_rest_bars", "min_on_grid", "pickups", "workers"),
    *("listen_primer", "no_cache"),
)
SHOWN = ("empty_bars", "pitch_classes", "longer_notes", "tonal_distance", "intervals", "harmony")


def run_phrases(
    context: typer.Context,
    config: str | None,
    data: tuple[str, ...],
    folder: "RunFolder",
    out: Path,
    *,
    name: str,
    resume: bool,
    strict: bool,
    reading: dict[str, Any],
    **changes: Any,
) -> None:
    """Train a GAN of phrases.

    Parameters
    ----------
    reading
        See `partimento.models.phrase_lessons.read_phrases`.
    """
    from partimento.models.lessons import check_run
    from partimento.models.phrase_lessons import phrase_lesson_for, read_phrases, train_phrases

    for parameter in MEANINGLESS:
        if was_given(context, parameter):
            raise ParameterError(f"--{parameter.replace('_', '-')} means nothing to quartet-gan")
    lesson = phrase_lesson_for(config, data, name=name, **changes)
    check_run(lesson, folder, resume=resume)
    print(f"reading {', '.join(data)} …", flush=True)
    found = read_phrases(lesson.data, lesson.representation, **reading)
    print(found.report.text(), flush=True)
    print(found.text(), flush=True)
    if strict and found.report.files_skipped:
        raise typer.Exit(EXIT_PARTLY)
    with ContestBar() as bar:
        taught = train_phrases(
            lesson,
            found,
            folder,
            resume=resume,
            on_start=bar.start,
            report=bar.update,
            tell=bar.tell,
            draw=draw,
        )
    figures = taught.figures
    print_trained(
        taught,
        f"; best at step {figures['best_step']:,}: {figures['score']:.2f} times as far from the "
        "training phrases as held-out ones are",
    )
    print_verdict(taught.verdict.words, taught.verdict.advice)
    print(f"the exported graph decides as PyTorch does in {figures['same_decisions']:.2%}")
    print(f"wrote {taught.folder.checkpoint}")
    print(f"next: partimento sample --model {quote(str(out))}")


def draw(midi: Path) -> None:
    """Draw the piano roll of a sample beside it; training goes on without a picture if it fails."""
    from partimento.formats import read
    from partimento.rendering.files import render

    try:
        render(read(midi), midi.with_suffix(".svg"))
    except (PartimentoError, OSError) as error:
        print(f"no picture of {midi.name}: {error}")


class ContestBar:
    """A line for every look at what is written; below it, on a terminal, a bar."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self._console = Console(highlight=False, soft_wrap=True)
        self._bar = Progress(
            TextColumn("{task.fields[words]}"),
            BarColumn(20),
            TextColumn("{task.percentage:.0f}% {task.fields[left]}"),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("", total=1.0, words="step 0", left="")

    def __enter__(self) -> "ContestBar":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def tell(self, words: str) -> None:
        """Print a line above the bar."""
        self._console.print(words, markup=False)
        self._console.file.flush()

    def start(self, parameters: int, batches: int) -> None:
        """Say how large networks and data are."""
        self.tell(f"{parameters:,} weights in both networks, {batches:,} batches an epoch")

    def update(self, progress: "ContestProgress") -> None:
        """Move the bar, and print a line if what is written was just looked at."""
        left = ""
        if progress.done > 0 and progress.seconds >= 1:
            left = f"{clock(progress.seconds / progress.done - progress.seconds)} left"
        pace = (
            f"critic {progress.critic_loss:.3f}  generator {progress.generator_loss:.3f}  "
            f"gap {progress.gap:.3f}  {progress.phrases_per_second:,.0f} phrases/s"
        )
        words = f"step {progress.step:,}"
        self._bar.update(self._task, completed=progress.done, words=f"{words}  {pace}", left=left)
        look = progress.look
        if look is None or progress.looked_at != progress.step:
            return
        ratios = "  ".join(
            f"{name.replace('_', ' ')} {look.figures[f'ratio_{name}']:.1f}" for name in SHOWN
        )
        if progress.step:
            self.tell(f"{words}  {pace}  {left}")
        self.tell(f"{words}  score {look.score:.2f} (1 is as held-out music)  {ratios}")
        for word in look.words:
            self.tell(f"  {word}")
