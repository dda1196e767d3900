"""`partimento train drums-groove`: what it says and refuses."""
# ruff: noqa: T201

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import typer

from partimento.cli.teaching import ProgressBar, print_trained, print_verdict
from partimento.errors import EXIT_PARTLY, ParameterError

if TYPE_CHECKING:
    from partimento.training.run_folder import RunFolder

MEANINGLESS = (
    "hidden_size", "lowest", "highest", "melody", "min_bars", "min_pitches", "max_rest_bars",
    "min_on_grid", "pickups", "workers", "no_cache", "listen_primer",
)  # fmt: skip


def run_groove(
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
    """Train a groove model.

    Parameters
    ----------
    reading
        See `partimento.models.groove_lessons.read_grooves`.
    """
    from partimento.models.groove_lessons import groove_lesson_for, read_grooves, train_groove
    from partimento.models.lessons import check_run

    for parameter in MEANINGLESS:
        source = context.get_parameter_source(parameter)
        if source is not None and source.name == "COMMANDLINE":
            raise ParameterError(f"--{parameter.replace('_', '-')} means nothing to drums-groove")
    lesson = groove_lesson_for(config, data, name=name, **changes)
    check_run(lesson, folder, resume=resume)
    print(f"reading {', '.join(data)} …", flush=True)
    found = read_grooves(lesson.data, lesson.bars, **reading)
    print(found.report.text(), flush=True)
    print(found.text(), flush=True)
    if strict and found.report.files_skipped:
        raise typer.Exit(EXIT_PARTLY)
    with ProgressBar() as bar:
        taught = train_groove(
            lesson,
            found,
            folder,
            resume=resume,
            on_start=bar.start,
            report=bar.update,
            tell=bar.tell,
            on_estimate=bar.estimate,
        )
    if taught is None:  # another process writes the model, and says so
        return
    figures = taught.figures
    print_trained(
        taught,
        f"; best at step {figures['best_step']:,}: held out "
        f"{figures['valid_velocity_nats_per_stroke']:.3f} nats a stroke for its velocity and "
        f"{figures['valid_offset_nats_per_stroke']:.3f} for its time "
        f"({figures['uniform_nats_per_velocity_or_offset']:.3f} is knowing nothing)",
    )
    print_verdict(taught.verdict.words, taught.verdict.advice)
    print(
        "the exported graphs agree with PyTorch to "
        f"{figures['largest_logit_difference']:.1g} on held-out music"
    )
    print(f"wrote {taught.folder.checkpoint}")
    print(f"next: partimento humanize beat.mid --model {quote(str(out))}")
