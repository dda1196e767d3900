"""Make our rows of the piano-roll tables again: train, choose on validation, measure the test part.

`made_row` makes one; `retrain` those of a whole table. PyTorch is needed, and the corpora.
"""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from partimento.data.rolls import ROLL_SETS, Rolls, load_rolls
from partimento.errors import ParameterError
from partimento.evaluation.rolls import roll_figures
from partimento.evaluation.tables import check_table, store_row

if TYPE_CHECKING:
    from partimento.training.rolls import TaughtRolls

ROWS = (("RollRNN", "joint"), ("RollRNN", "independent"), ("RollTCN", "independent"))


def retrain(table: str, out: Path, *, tell: Callable[[str], None] = lambda words: None) -> Path:
    """Make all rows of a piano-roll table again; runs that were stopped go on.

    Returns
    -------
    Path
        A file like `results.json`, in `out`.
    """
    check_table(table)
    if table not in ROLL_SETS:
        raise ParameterError(
            f"the rows of {table} are made by recipes/{table}.py of the repository; --retrain "
            f"makes those of {', '.join(ROLL_SETS)}"
        )
    rolls = load_rolls(table)
    results = out / "results.json"
    for network, column in ROWS:
        tell(f"{table}, {column}: {network}")
        row = made_row(rolls, network, column, out / f"{table}-{column}-{network}", tell=tell)
        store_row(table, column, row, results)
    return results


def made_row(
    rolls: Rolls,
    network: str,
    column: str,
    run: Path,
    *,
    seed: int = 0,
    has_test: bool = True,
    tell: Callable[[str], None] = lambda words: None,
    **changes: Any,
) -> dict[str, Any]:
    """Train one row, or go on with it, and measure it.

    Parameters
    ----------
    network
        ``"RollRNN"`` or ``"RollTCN"``.
    column
        ``"joint"`` or ``"independent"``.
    run
        Folder of the run.
    has_test
        Whether the test part is looked at: not while anything is still being chosen.
    changes
        Fields of network or settings in place of the lesson's.
    """
    from partimento.training.loop import Progress
    from partimento.training.roll_lessons import roll_lesson
    from partimento.training.rolls import teach_rolls
    from partimento.training.run_folder import RunFolder

    def report(progress: Progress) -> None:
        if progress.held_out is not None and progress.evaluated_at == progress.step:
            tell(
                f"step {progress.step:,}: {progress.done:.0%}, {progress.seconds / 60:.1f} min, "
                f"loss {progress.loss:.3f}, valid {progress.held_out.nats_per_step:.3f}, "
                f"best {progress.best:.3f} nats per frame"
            )

    lesson = roll_lesson(rolls.name, column, network, seed=seed, **changes)
    taught = teach_rolls(lesson, rolls, RunFolder(run), resume=True, report=report, tell=tell)
    return {
        "model": network,
        **figures_of(taught, rolls, column, ("valid", "test") if has_test else ("valid",)),
        "command": f"python recipes/rolls.py --set {rolls.name} --column {column}"
        + (f" --network {network}" if network != "RollRNN" else "")
        + (f" --seed {seed}" if seed else "")
        + (" --with" if changes else "")
        + "".join(f" {name}={value}" for name, value in changes.items())
        + " --test",
        "seed": seed,
        "steps": taught.best["step"],
        "minutes": round(taught.outcome.seconds / 60, 1),
        "parameters": sum(weights.numel() for weights in taught.network.parameters()),
        "sha256": taught.sha256,
        "data_sha256": rolls.sha256,
        "lesson": lesson.facts(),
    }


def figures_of(
    taught: "TaughtRolls", rolls: Rolls, column: str, splits: tuple[str, ...]
) -> dict[str, float]:
    """Measure a network on splits, as the column does; both averages."""
    from partimento.training.rolls import frame_nats

    found: dict[str, float] = {}
    for split in splits:
        nats = frame_nats(taught.network, rolls.split(split), taught.network.config.form)
        figures = asdict(roll_figures(nats, column))
        found[split] = round(figures["nats_per_frame"], 4)
        found[f"{split}_mean_of_pieces"] = round(figures["mean_of_pieces"], 4)
    return found
