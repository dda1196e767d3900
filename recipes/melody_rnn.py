"""How the shipped `melody-rnn` was made: train it, measure it, put it in its place.

    python recipes/melody_rnn.py            # an hour on one thread; needs the corpora
    python recipes/melody_rnn.py --steps 200 --out runs/try --ship runs/try/shipped

The settings below are all there is to it. The corpora lie in `../shared/data` beside the checkout,
or where PARTIMENTO_DATA says. A run that was stopped goes on where it was.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from partimento.checkpoints import open_checkpoint, save_checkpoint
from partimento.checkpoints.arrays import write_arrays
from partimento.data import MelodyData
from partimento.data.sources import data_root
from partimento.evaluation.comparison import Comparison, compare
from partimento.models.lessons import lesson_for, load_pieces, train_melody_rnn
from partimento.models.load import load
from partimento.training.card import write_card
from partimento.training.loop import Progress
from partimento.training.melody import TRAINING_RUNS
from partimento.training.run_folder import RunFolder

ROOT = Path(__file__).parent.parent
DATA = ("irish-cre:tune", "open-hymnal:tune+line", "openscore-lieder:song", "mutopia:line")
SAMPLES, BARS = 200, 16  # of the statistics


def main() -> None:
    """Train, measure, ship."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=15_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "melody-rnn")
    shipped = ROOT / "partimento" / "checkpoints" / "shipped" / "melody-rnn"
    parser.add_argument("--ship", type=Path, default=shipped)
    asked = parser.parse_args()

    lesson = lesson_for(
        "melody-rnn",
        "tunes",
        DATA,
        name="melody-rnn",
        steps=asked.steps,
        seed=asked.seed,
        threads=1,
        precision="bfloat16",
        evaluate_every=1000,
        patience=100,
    )
    data = load_pieces(lesson)
    print(data.report.text())
    train_melody_rnn(lesson, data, asked.out, resume=True, report=report, tell=print)
    ship(asked.out, data, asked.ship)


def report(progress: Progress) -> None:
    """Print a line whenever the held-out pieces were looked at."""
    if progress.held_out is not None and progress.evaluated_at == progress.step:
        print(
            f"step {progress.step:,}: {progress.done:.0%}, loss {progress.loss:.4f}, held out "
            f"{progress.held_out.nats_per_step:.4f} nats a step",
            flush=True,
        )


def ship(run: Path, data: MelodyData, place: Path) -> None:
    """Measure the finished model on valid, and on test this once, and write it with its card."""
    made = open_checkpoint(run / "checkpoint")
    model = load(run / "checkpoint")
    figures: dict[str, Any] = dict(made.config["figures"])
    tables = []
    for split in ("valid", "test"):
        found = compare(model, data, split=split, count=SAMPLES, bars=BARS)
        figures |= figures_of(found, split)
        tables.append(found.text())
    config = {**made.config, "figures": figures}
    card = write_card(config, RunFolder(run).read_log())
    save_checkpoint(
        place,
        config=config,
        weights=made.weights(),
        graphs={"step.onnx": made.graph("step")},
        card=card + beside_people(tables) + credits_of(data),
        extras={TRAINING_RUNS: write_arrays(made.arrays(TRAINING_RUNS) or {})},
    )
    print(f"wrote {place}")


def figures_of(found: Comparison, split: str) -> dict[str, Any]:
    """Take the likelihoods, as ONNX Runtime measures them."""
    surprise = found.likelihood["held_out"]
    return {
        f"{split}_nats_per_step": surprise.nats_per_step,
        f"{split}_nats_per_note": surprise.nats_per_note,
        f"{split}_pieces": surprise.melodies,
    }


def beside_people(tables: list[str]) -> str:
    """Show the statistics of what it writes beside those of held-out tunes."""
    blocks = "\n\n".join(f"```\n{table}\n```" for table in tables)
    return f"\n## Beside tunes by people\n\n{blocks}\n"


def credits_of(data: MelodyData) -> str:
    """Name the typesetters of the CC BY pieces of the Mutopia Project, as their licence asks."""
    root = data_root()
    assert root is not None, "the data were read from there"
    manifest = json.loads((root / "mutopia" / "manifest.json").read_text(encoding="utf-8"))
    used = {Path(p.name.split("#")[0]).stem for p in data.pieces if p.source.startswith("mutopia")}
    names = {
        piece["maintainer"]
        for piece in manifest["pieces"]
        if piece["id"] in used and "Public Domain" not in piece["licence"]
    }
    people = ", ".join(sorted(names))
    return f"\n## Credits\n\nMutopia pieces under CC BY were typeset by {people}.\n"


if __name__ == "__main__":
    main()
