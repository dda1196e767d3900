"""`partimento train` of VAEs of bars, and fine-tuning them: what they say and refuse."""
# ruff: noqa: T201

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import typer

from partimento.cli.teaching import ProgressBar, print_trained, print_verdict
from partimento.errors import EXIT_PARTLY, ParameterError

if TYPE_CHECKING:
    from partimento.training.run_folder import RunFolder

MEANINGLESS = ("listen_primer", "hidden_size", "min_bars")
OF_MELODIES = ("melody", "min_pitches", "max_rest_bars", "pickups")
OF_PITCHES = ("lowest", "highest")


def run_bars(
    context: typer.Context,
    model: str,
    config: str | None,
    data: tuple[str, ...],
    folder: "RunFolder",
    out: Path,
    *,
    name: str,
    resume: bool,
    strict: bool,
    no_cache: bool,
    reading: dict[str, Any],
    **changes: Any,
) -> None:
    """Train a VAE of bars.

    Parameters
    ----------
    reading
        See `partimento.models.bars_lessons.load_windows`.
    """
    from partimento.data.cache import cache_folder
    from partimento.models.bars_lessons import bars_lesson_for, load_windows, train_bars
    from partimento.models.lessons import check_run

    _refuse(context, model, *MEANINGLESS)
    if model != "melody-vae":
        _refuse(context, model, *OF_MELODIES)
    if model == "drums-vae":
        _refuse(context, model, *OF_PITCHES)
    lesson = bars_lesson_for(model, config, data, name=name, **changes)
    check_run(lesson, folder, resume=resume)
    print(f"reading {', '.join(data)} …", flush=True)
    found = load_windows(lesson, cache=None if no_cache else cache_folder(), **reading)
    print(found.report.text(), flush=True)
    print(found.text(), flush=True)
    if strict and found.report.files_skipped:
        raise typer.Exit(EXIT_PARTLY)
    with ProgressBar() as bar:
        taught = train_bars(
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
        f"; best at step {figures['best_step']:,}: of held-out windows "
        f"{figures['valid_teacher_forced_accuracy']:.1%} of the steps are reconstructed "
        f"(teacher-forced), {figures['valid_negative_elbo_nats_per_sequence']:.1f} nats a window "
        "at most",
    )
    print_verdict(taught.verdict.words, taught.verdict.advice)
    print(
        "the exported graphs agree with PyTorch to "
        f"{figures['largest_logit_difference']:.1g} on held-out music"
    )
    print(f"wrote {taught.folder.checkpoint}")
    print(f"next: partimento sample --model {quote(str(out))}")


def personalise_bars(
    context: typer.Context,
    model: str,
    start: str | None,
    data: tuple[str, ...],
    out: Path,
    *,
    name: str,
    strict: bool,
    reading: dict[str, Any],
) -> None:
    """Move the prior of a trained VAE to where somebody's music lies."""
    from partimento.models.bars_lessons import read_windows
    from partimento.models.bars_space import personalise, prior_gain
    from partimento.models.bars_vae import BarsVAEModel
    from partimento.models.load import load

    _refuse(
        context,
        f"fine-tuning {model}, which takes no steps: it",
        *("steps", "minutes", "threads", "precision", "batch_size", "dropout", "learning_rate"),
        *("evaluate_every", "patience", "resume", "min_bars"),
    )
    player = load(start or model)
    if not isinstance(player, BarsVAEModel) or player.family != model:
        raise ParameterError(f"--from {start}: that is a {player.family}, not a {model}")
    print(f"going on from {player.name} ({player.hash[:12]}), reading {', '.join(data)} …")
    found = read_windows(data, player.representation, **reading)
    print(found.report.text(), flush=True)
    print(found.text(), flush=True)
    if strict and found.report.files_skipped:
        raise typer.Exit(EXIT_PARTLY)
    train, valid = found.windows["train"], found.windows["valid"]
    made = personalise(player, train, out / "checkpoint", name)
    mine = load(made.path)
    if len(valid):
        before, after = prior_gain(player, mine, valid)
        verdict = f"{before - after:.1f} nats less" if after < before else "no better"
        print(
            f"{len(valid)} held-out windows: {before:.1f} nats a window before, {after:.1f} after "
            f"({verdict})"
        )
    print(f"wrote {made.path}")
    print(f"next: partimento sample --model {quote(str(out))} --count 4")


def _refuse(context: typer.Context, model: str, *names: str) -> None:
    for parameter in names:
        source = context.get_parameter_source(parameter)
        if source is not None and source.name == "COMMANDLINE":
            raise ParameterError(f"--{parameter.replace('_', '-')} means nothing to {model}")
