"""Make our rows of the tables again: train, choose on validation, measure the test part.

`retrain` makes those of a whole table, `made_row` one of a piano-roll table. PyTorch is needed, and
the corpora.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from partimento.data.chorales import load_chorales
from partimento.data.rolls import Rolls, load_rolls
from partimento.evaluation.gan_rows import gan_rows
from partimento.evaluation.groove import groove_rows
from partimento.evaluation.infilling_rows import infilling_rows
from partimento.evaluation.jsb16_rows import count_row, model_row
from partimento.evaluation.rolls import roll_figures
from partimento.evaluation.tables import check_table, store_row
from partimento.evaluation.vae_rows import vae_rows
from partimento.models import bars_lessons, groove_lessons, phrase_lessons
from partimento.models.bars_lessons import RECIPES
from partimento.models.load import load
from partimento.models.voice_lessons import load_voice_pieces, recipe_lesson, train_voices
from partimento.training.run_folder import RunFolder

if TYPE_CHECKING:
    from partimento.training.loop import Progress
    from partimento.training.rolls import TaughtRolls

Row = dict[str, Any]
Tell = Callable[[str], None]
Maker = Callable[[Path, Tell], Iterator[tuple[str, Row]]]

ENSEMBLE = (1, 2, 3)  # seeds
ROWS = (("RollRNN", "joint"), ("RollRNN", "independent"), ("RollTCN", "independent"))


def retrain(table: str, out: Path, *, tell: Callable[[str], None] = lambda words: None) -> Path:
    """Make all rows of a table again; runs that were stopped go on.

    Returns
    -------
    Path
        A file like `results.json`, in `out`.
    """
    check_table(table)
    makers: dict[str, Maker] = {
        "jsb16": _chorale_rows,
        "infilling": _infilling_rows,
        "vae": _vae_rows,
        "gan": _gan_rows,
    }
    results = out / "results.json"
    for section, row in makers.get(table, partial(_roll_rows, table))(out, tell):
        row["command"] = f"partimento benchmark {table} --retrain"
        store_row(table, section, row, results)
    return results


def _roll_rows(table: str, out: Path, tell: Tell) -> Iterator[tuple[str, Row]]:
    rolls = load_rolls(table)
    for network, column in ROWS:
        tell(f"{table}, {column}: {network}")
        run = out / f"{table}-{column}-{network}"
        yield column, made_row(rolls, network, column, run, tell=tell)


def _chorale_rows(out: Path, tell: Tell) -> Iterator[tuple[str, Row]]:
    pieces = load_chorales()
    yield "joint", count_row(pieces, has_test=True)
    trained = [_voices("bach-rnn", "jsb16", out, tell, seed) for seed in ENSEMBLE]
    yield "joint", model_row(trained[:1], pieces, name="bach-rnn", has_test=True)
    name = f"bach-rnn, {len(trained)} models"
    yield "joint", model_row(trained, pieces, name=name, has_test=True)


def _infilling_rows(out: Path, tell: Tell) -> Iterator[tuple[str, Row]]:
    pieces = [piece for piece in load_chorales() if piece.split == "test"]
    filler, causal = (_voices(f"bach-{kind}", "chorales", out, tell) for kind in ("cnn", "rnn"))
    yield from infilling_rows(load(filler), load(causal), pieces)


def _vae_rows(out: Path, tell: Tell) -> Iterator[tuple[str, Row]]:
    for name in RECIPES:
        lesson = bars_lessons.recipe_lesson(name)
        run = out / name
        tell(f"{name}: {lesson.settings.steps:,} steps")
        report = _teller(tell, "nats a step")
        data = bars_lessons.load_windows(lesson)
        bars_lessons.train_bars(lesson, data, run, resume=True, report=report, tell=tell)
        yield from vae_rows(load(RunFolder(run).checkpoint), lesson.data)
    yield from _groove_rows(out, tell)


def _groove_rows(out: Path, tell: Tell) -> Iterator[tuple[str, Row]]:
    lesson = groove_lessons.recipe_groove_lesson()
    run = out / lesson.name
    tell(f"{lesson.name}: {lesson.settings.steps:,} steps")
    data = groove_lessons.read_grooves(lesson.data, lesson.bars)
    report = _teller(tell, "nats a cell")
    groove_lessons.train_groove(lesson, data, run, resume=True, report=report, tell=tell)
    yield from groove_rows(load(RunFolder(run).checkpoint), lesson.data)


def _gan_rows(out: Path, tell: Tell) -> Iterator[tuple[str, Row]]:
    lesson = phrase_lessons.recipe_lesson()
    run = out / lesson.name
    tell(f"{lesson.name}: {lesson.settings.steps:,} steps")
    data = phrase_lessons.read_phrases(lesson.data, lesson.representation)
    phrase_lessons.train_phrases(lesson, data, run, resume=True, tell=tell)
    yield from gan_rows(load(RunFolder(run).checkpoint), lesson.data)


def _teller(tell: Tell, unit: str) -> Callable[["Progress"], None]:
    def report(progress: "Progress") -> None:
        if progress.held_out is not None and progress.evaluated_at == progress.step:
            nats = progress.held_out.nats_per_step
            tell(f"step {progress.step:,}: {progress.done:.0%}, valid {nats:.4f} {unit}")

    return report


def _voices(family: str, config: str, out: Path, tell: Tell, seed: int = 1) -> Path:
    """Train a network of four voices as the recipes do; give its checkpoint."""
    lesson = recipe_lesson(family, config, seed=seed)
    run = out / lesson.name
    tell(f"{lesson.name}: up to {lesson.settings.steps:,} steps")
    report = _teller(tell, "nats a cell")
    train_voices(lesson, load_voice_pieces(lesson), run, resume=True, report=report, tell=tell)
    return RunFolder(run).checkpoint


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
    from partimento.training.roll_lessons import roll_lesson
    from partimento.training.rolls import teach_rolls

    def report(progress: "Progress") -> None:
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
