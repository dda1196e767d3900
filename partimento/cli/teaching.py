"""What `train` and `finetune` say and do alike: hold the run, read the music, tell how it goes."""
# ruff: noqa: T201

import io
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import typer

from partimento.errors import EXIT_PARTLY

if TYPE_CHECKING:
    from partimento.data import MelodyData
    from partimento.training.course import Taught
    from partimento.training.estimate import Estimate
    from partimento.training.loop import Progress
    from partimento.training.melody import Lesson
    from partimento.training.run_folder import RunFolder

ENDED = {
    "done": "as long as asked",
    "early": "early: nothing better came any more",
    "folds": "folds said how long",
}


def hold(context: typer.Context, out: Path) -> "RunFolder":
    """Hold the run's folder until the command ends.

    First of all, so that a second run need not wait for anything to learn that it is one.
    """
    from partimento.models.lessons import is_helper, open_run

    if is_helper():  # of several processes that train together, the first speaks
        context.with_resource(redirect_stdout(io.StringIO()))
    return context.with_resource(open_run(out).locked())


def read_music(
    lesson: "Lesson",
    *,
    no_cache: bool,
    strict: bool,
    remark: Callable[["MelodyData"], str] = lambda found: "",
    **options: Any,
) -> "MelodyData":
    """Read the sources of a lesson, and print the report; with `strict`, go on only if all is used.

    Parameters
    ----------
    remark
        What else is to be said of what was found.
    **options
        See `partimento.models.lessons.read_pieces`.
    """
    from partimento.data.cache import cache_folder
    from partimento.models.lessons import load_pieces

    print(f"reading {', '.join(lesson.data)} …", flush=True)
    found = load_pieces(lesson, cache=None if no_cache else cache_folder(), **options)
    print(found.report.text(), flush=True)
    print(found.preparing.text(), flush=True)
    if words := remark(found):
        print(words)
    if strict and found.report.files_skipped:
        raise typer.Exit(EXIT_PARTLY)
    return found


def print_trained(taught: "Taught", what: str) -> None:
    """Say how long it trained, why it ended, and what came of it."""
    outcome = taught.outcome
    print(
        f"trained {outcome.step:,} step{'s' * (outcome.step != 1)} in {clock(outcome.seconds)} "
        f"({ENDED[outcome.reason]}){what}"
    )


def print_verdict(words: Sequence[str], advice: Sequence[str] = ()) -> None:
    """Say what it learned, and what may help."""
    for line in words:
        print(f"  {line}")
    for number, line in enumerate(advice):
        print(f"{'what may help: ' if number == 0 else ' ' * 15}{line}")


def print_ending(
    lesson: "Lesson", taught: "Taught", found: "MelodyData", out: Path, checked_on: str
) -> None:
    """Say how far the export and the copying go, and what to do next."""
    from partimento.evaluation.comparison import copying_words
    from partimento.models.load import load

    print(
        f"the exported graph agrees with PyTorch to "
        f"{taught.figures['largest_logit_difference']:.1g} on {checked_on}"
    )
    print(copying_words(load(taught.folder.checkpoint), found))
    print(f"wrote {taught.folder.checkpoint}")
    print(f"hear it learn: partimento listen {quote(str(out))} -o learning.wav")
    print(f"next: partimento {example_verb(lesson)} --model {quote(str(out))} --bars 8")


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
