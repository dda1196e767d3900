"""How bach-rnn was made: train one, measure it, put it in its place.

    python recipes/bach_rnn.py                          # the model that ships
    python recipes/bach_rnn.py --config jsb16 --seed 1  # of the benchmark
    python recipes/bach_rnn.py --steps 20 --out runs/try --ship runs/try/shipped

The settings stand in `partimento.models.voice_lessons`; `--set dropout=0.6` and the like try
others. The corpora lie in `../shared/data` beside the checkout, or where PARTIMENTO_DATA says. A
run that was stopped goes on where it was: the same command again.
"""

import argparse
from pathlib import Path
from typing import Any

from partimento.checkpoints import open_checkpoint, save_checkpoint
from partimento.data.chorales import load_chorales
from partimento.evaluation.certainty import certainty
from partimento.models.load import load
from partimento.models.voice_lessons import load_voice_pieces, recipe_lesson, train_voices
from partimento.music.four_voices import FourVoices
from partimento.training.chorales import teacher_of
from partimento.training.loop import Progress
from partimento.training.run_folder import RunFolder
from partimento.training.voices_card import write_voices_card

ROOT = Path(__file__).parent.parent
SHIPPED = "bach-rnn"
TEMPERATURES = (0.95, 1.0, 1.05, 1.1, 1.15)
ASKED_EVERY = 8  # steps, while a temperature is looked for


def main() -> None:
    """Train, measure, ship."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", choices=["chorales", "jsb16"], default="chorales")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--ship", type=Path)
    asked = parser.parse_args()
    ships = asked.config == "chorales"
    changes = dict(setting(text) for text in asked.set)
    if asked.steps:
        changes["steps"] = asked.steps
    lesson = recipe_lesson(SHIPPED, asked.config, seed=asked.seed, **changes)
    out = asked.out or ROOT / "runs" / lesson.name
    data = load_voice_pieces(lesson)
    print(data.text())
    train_voices(lesson, data, out, resume=True, report=report, tell=print)
    if asked.ship or ships:
        ship(out, asked.ship or ROOT / "partimento" / "checkpoints" / "shipped" / SHIPPED)


def setting(text: str) -> tuple[str, Any]:
    """Read ``name=value``: true, false, a number, or several with commas between them."""
    name, _, value = text.partition("=")
    if value in ("true", "false"):
        return name, value == "true"
    numbers = [float(part) if "." in part else int(part) for part in value.split(",")]
    return name, numbers[0] if len(numbers) == 1 else tuple(numbers)


def report(progress: Progress) -> None:
    """Print a line whenever the held-out pieces were looked at."""
    if progress.held_out is not None and progress.evaluated_at == progress.step:
        print(
            f"step {progress.step:,}: {progress.done:.0%}, loss {progress.loss:.4f}, held out "
            f"{progress.held_out.nats_per_step:.4f} nats a cell, {progress.seconds:.0f} s",
            flush=True,
        )


def believable_temperature(model: Any, valid: list[FourVoices]) -> float:
    """Find the temperature at which `next` is as often right on valid pieces as it says.

    That of the single cells, which training finds, is not quite that of notes, which come after
    waiting for many cells.
    """

    def error(temperature: float) -> float:
        model.temperature = temperature
        return certainty(model, valid, ASKED_EVERY)["voices"].expected_error

    return min(TEMPERATURES, key=error)


def ship(run: Path, place: Path) -> None:
    """Measure the finished model on valid, and on test this once, and write it with its card."""
    made = open_checkpoint(run / "checkpoint")
    model = load(run / "checkpoint")
    chorales = load_chorales()
    valid = [piece.voices for piece in chorales if piece.split == "valid"]
    model.temperature = believable_temperature(model, valid)
    figures: dict[str, Any] = dict(made.config["figures"])
    blocks = []
    for split in ("valid", "test"):
        pieces = [piece.voices for piece in chorales if piece.split == split]
        nats = model.nll_of(pieces)
        figures[f"{split}_nats_per_cell"] = float(
            sum(found.sum() for found in nats) / sum(found.size for found in nats)
        )
        tables = certainty(model, pieces)
        for name in ("voices", "together", "chord"):
            error = tables[name].expected_error
            figures[f"{split}_expected_calibration_error_of_{name}"] = error
        blocks.append(f"### {split}\n\n```\n{tables['voices'].text()}\n```")
    calibration = {"temperature": model.temperature}
    config = {**made.config, "figures": figures, "calibration": calibration}
    about = teacher_of("bach-rnn").about(config)
    card = write_voices_card(config, RunFolder(run).read_log(), about)
    believed = (
        "\n## How far `next` can be believed\n\nAfter every beat, each voice's likeliest.\n\n"
    )
    save_checkpoint(
        place,
        config=config,
        weights=made.weights(),
        graphs={f"{name}.onnx": made.graph(name) for name in ("frame", "voice")},
        card=card + believed + "\n\n".join(blocks) + "\n",
    )
    print(f"wrote {place}")


if __name__ == "__main__":
    main()
