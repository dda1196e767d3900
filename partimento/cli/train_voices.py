"""`partimento train bach-rnn` and the like: what training four voices says and refuses."""
# ruff: noqa: T201

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import typer

from partimento.cli.teaching import ProgressBar, print_trained, print_verdict
from partimento.errors import EXIT_PARTLY, ParameterError

if TYPE_CHECKING:
    from partimento.training.run_folder import RunFolder

MEANINGLESS = {  # parameters of `train` that are about melodies and files
    "steps_per_quarter", "melody", "min_pitches", "max_rest_bars", "pickups", "workers",
    "no_cache", "listen_primer",
}  # fmt: skip


def run_voices(
    context: typer.Context,
    family: str,
    config: str,
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
    """Train a network of four voices.

    Parameters
    ----------
    reading
        See `partimento.models.voice_lessons.load_voice_pieces`.
    """
    from partimento.models.lessons import check_run
    from partimento.models.voice_lessons import load_voice_pieces, train_voices, voice_lesson_for

    for parameter in sorted(MEANINGLESS):
        source = context.get_parameter_source(parameter)
        if source is not None and source.name == "COMMANDLINE":
            raise ParameterError(f"--{parameter.replace('_', '-')} means nothing to {family}")
    lesson = voice_lesson_for(family, config, data, name=name, **changes)
    check_run(lesson, folder, resume=resume)
    print(f"reading {', '.join(data)} …", flush=True)
    found = load_voice_pieces(lesson, **reading)
    print(found.report.text(), flush=True)
    if strict and found.report.files_skipped:
        raise typer.Exit(EXIT_PARTLY)
    with ProgressBar() as bar:
        taught = train_voices(
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
        f"{figures['valid_nats_per_cell']:.4f} nats a cell",
    )
    print_verdict(taught.verdict.words, taught.verdict.advice)
    print(
        "the exported graphs agree with PyTorch to "
        f"{figures['largest_logit_difference']:.1g} on held-out music"
    )
    print(f"wrote {taught.folder.checkpoint}")
    print(f"next: partimento sample --model {quote(str(out))} --bars 8")
