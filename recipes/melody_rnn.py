"""How the shipped models of the family were made: train one, measure it, put it in its place.

    python recipes/melody_rnn.py                   # melody-rnn: an hour on one thread
    python recipes/melody_rnn.py --config basic    # melody-rnn-basic: Magenta's, on the same music
    python recipes/melody_rnn.py --steps 200 --out runs/try --ship runs/try/shipped

Configurations that do not ship (`mono`, `lookback`, `attention`) end in their run folder, for
`benchmarks/melody_family.py`. The settings below are all there is to it. The corpora lie in
`../shared/data` beside the checkout, or where PARTIMENTO_DATA says. A run that was stopped goes on
where it was.
"""

import argparse
from pathlib import Path
from typing import Any

from partimento.checkpoints import open_checkpoint, save_checkpoint
from partimento.checkpoints.arrays import write_arrays
from partimento.data import MelodyData
from partimento.data.sources import manifest_of
from partimento.evaluation.comparison import Comparison, compare
from partimento.models.lessons import PUBLISHED, lesson_for, load_pieces, train_melody_rnn
from partimento.models.load import load
from partimento.training.card import write_card
from partimento.training.loop import Progress
from partimento.training.melody import TRAINING_RUNS
from partimento.training.run_folder import RunFolder

ROOT = Path(__file__).parent.parent
DATA = ("irish-cre:tune", "open-hymnal:tune+line", "openscore-lieder:song", "mutopia:line")
SHIPPED = {"tunes": "melody-rnn", "basic": "melody-rnn-basic"}  # configurations and models
OURS, THEIRS = (15_000, 1000), (6_000, 100)  # steps, and steps between looks
SAMPLES, BARS = 200, 16  # of the statistics


def main() -> None:
    """Train, measure, ship."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", choices=["tunes", *PUBLISHED], default="tunes")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--ship", type=Path)
    asked = parser.parse_args()
    name = SHIPPED.get(asked.config, f"melody-rnn-{asked.config}")
    steps, evaluate_every = THEIRS if asked.config in PUBLISHED else OURS
    out = asked.out or ROOT / "runs" / name
    place = asked.ship or ROOT / "partimento" / "checkpoints" / "shipped" / name

    lesson = lesson_for(
        "melody-rnn",
        asked.config,
        DATA,
        name=name,
        steps=asked.steps or steps,
        seed=asked.seed,
        threads=1,
        precision="bfloat16",
        evaluate_every=evaluate_every,
        patience=100,
    )
    data = load_pieces(lesson)
    print(data.report.text())
    train_melody_rnn(lesson, data, out, resume=True, report=report, tell=print)
    if asked.ship or asked.config in SHIPPED:
        ship(out, data, place)


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
    _, manifest = manifest_of("mutopia")
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
