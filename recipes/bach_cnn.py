"""How the shipped bach-cnn was made: train it on the chorales, measure it, put it in its place.

    python recipes/bach_cnn.py
    python recipes/bach_cnn.py --steps 200 --out runs/try --ship runs/try/shipped

The settings stand in `partimento.models.voice_lessons`. The corpora lie in `../shared/data` beside
the checkout, or where PARTIMENTO_DATA says. A run that was stopped goes on where it was: the same
command again. The test chorales are looked at once, when it is done.
"""

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from partimento.checkpoints import open_checkpoint, save_checkpoint
from partimento.data.chorales import load_chorales
from partimento.evaluation.infilling import measure_task, voice_leading_of, written
from partimento.evaluation.voice_leading import summary
from partimento.models.load import load
from partimento.models.voice_lessons import load_voice_pieces, recipe_lesson, train_voices
from partimento.representations.masks import TASKS
from partimento.training.infilling import about
from partimento.training.loop import Progress
from partimento.training.run_folder import RunFolder
from partimento.training.voices_card import write_voices_card

ROOT = Path(__file__).parent.parent
NAME = "bach-cnn"


def main() -> None:
    """Train, measure, ship."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", choices=["chorales", "jsb16"], default="chorales")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--ship", type=Path)
    asked = parser.parse_args()
    changes = {"steps": asked.steps} if asked.steps else {}
    lesson = recipe_lesson(NAME, asked.config, seed=asked.seed, threads=asked.threads, **changes)
    out = asked.out or ROOT / "runs" / lesson.name
    place = asked.ship or ROOT / "partimento" / "checkpoints" / "shipped" / NAME
    data = load_voice_pieces(lesson)
    print(data.text())
    train_voices(lesson, data, out, resume=True, report=report, tell=print)
    if asked.ship or asked.config == "chorales":
        ship(out, place)


def report(progress: Progress) -> None:
    """Print a line whenever the held-out pieces were looked at."""
    if progress.held_out is not None and progress.evaluated_at == progress.step:
        print(
            f"step {progress.step:,}: {progress.done:.0%}, {progress.seconds / 60:.0f} min, loss "
            f"{progress.loss:.4f}, held out {progress.held_out.nats_per_step:.4f}, best "
            f"{progress.best:.4f} nats a hidden cell",
            flush=True,
        )


def ship(run: Path, place: Path) -> None:
    """Measure the finished model on valid, and on test this once, and write it with its card."""
    made = open_checkpoint(run / "checkpoint")
    model = load(run / "checkpoint")
    pieces = load_chorales()
    figures: dict[str, Any] = dict(made.config["figures"])
    for split in ("valid", "test"):
        mine = [piece for piece in pieces if piece.split == split]
        for task in TASKS:
            found = asdict(measure_task(model, mine, task))
            label = f"{split}_{task.replace(' ', '_')}"
            figures[f"{label}_nats_per_cell"] = found["nats_per_cell"]
            figures[f"{label}_exact"] = found["exact"]
    for measure, mean in voice_leading(model, mine).items():
        figures[f"test_harmonize_{measure}"] = mean
    config = {**made.config, "figures": figures}
    save_checkpoint(
        place,
        config=config,
        weights=made.weights(),
        graphs={"fill.onnx": made.graph("fill")},
        card=write_voices_card(config, RunFolder(run).read_log(), about(config)),
    )
    print(f"wrote {place}")


def voice_leading(model: Any, pieces: list[Any]) -> dict[str, float]:
    """Means of what the model writes under the sopranos of pieces, for 100 beats."""
    measured = summary(voice_leading_of(written(model, pieces, "harmonize")))["measures"]
    return {
        name: measured[name]["mean"]
        for name in ("parallel_fifths", "parallel_octaves", "ends_on_cadence", "share_in_key")
    }


if __name__ == "__main__":
    main()
