"""What MusicVAE's own sizes bring: train the preset 2bar-flat for as long as melody-vae took.

    python recipes/vae_flat.py --time      # how many of its steps take the time of melody-vae's
    python recipes/vae_flat.py             # trains so many, measures both, and stores their rows

Nothing of it ships. Both are measured on the same windows of the validation part: the test part is
not looked at. A run that was stopped goes on where it was: the same command again.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from bars_vae import report

from partimento.data.cache import cache_folder
from partimento.evaluation.latent import reconstruction
from partimento.evaluation.tables import store_row
from partimento.models.bars_lessons import (
    RECIPES,
    BarsData,
    bars_lesson_for,
    load_windows,
    recipe_lesson,
    train_bars,
)
from partimento.models.load import load
from partimento.training.bars import BarsLesson, WindowBatches, some_of
from partimento.training.distributed import Group
from partimento.training.loop import steps_on_a_copy

ROOT = Path(__file__).parent.parent
SHIPPED, CONFIG = "melody-vae", "2bar-flat"
STEPS = 2000  # --time said 1,780 and 1,964
ROUNDS, WARM = 40, 3  # in which a step of each is timed, and those that do not count
MEASURED = 4000  # windows


def main() -> None:
    """Time, or train and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--time", action="store_true")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / CONFIG)
    parser.add_argument("--no-store", action="store_true", help="print the rows only")
    asked = parser.parse_args()
    like = recipe_lesson(SHIPPED)
    settings = like.settings
    lesson = bars_lesson_for(
        SHIPPED,
        CONFIG,
        like.data,
        name=CONFIG,
        steps=asked.steps,
        seed=settings.seed,
        threads=settings.threads,
        precision=settings.precision,
        patience=settings.patience,
        learning_rate=asked.learning_rate,
        evaluate_every=max(1, asked.steps // 10),
    )
    data = load_windows(lesson, cache=cache_folder())
    print(data.text(), flush=True)
    if asked.time:
        ours, theirs = seconds_of_steps(data, [like, lesson])
        same = round(RECIPES[SHIPPED]["steps"] * ours / theirs)
        print(f"a step of {SHIPPED} {ours:.4f} s of CPU, of {CONFIG} {theirs:.4f}: {same:,} steps")
        return
    began = time.process_time()
    taught = train_bars(lesson, data, asked.out, resume=True, report=report, tell=print)
    print(f"{time.process_time() - began:.0f} s of CPU in this process")
    windows = some_of(data.windows["valid"], MEASURED)
    for name, model in ((SHIPPED, load(SHIPPED)), (CONFIG, load(taught.folder.checkpoint))):
        row = {
            "model": name,
            **reconstruction(model, windows).as_dict(),
            "kl": round(model.checkpoint.config["figures"]["valid_kl_nats_per_sequence"], 2),
            "windows": len(windows),
            "parameters": model.checkpoint.config["figures"]["parameters"],
            "steps": model.checkpoint.config["training"]["steps"],
            "seed": settings.seed,
            "sha256": model.hash,
            "data_sha256": windows.digest,
            "command": "python recipes/vae_flat.py",
        }
        print(json.dumps(row), flush=True)
        if not asked.no_store:
            store_row("vae", "flat", row)


def seconds_of_steps(data: BarsData, lessons: list[BarsLesson]) -> list[float]:
    """Mean CPU time of a training step of each lesson, taken in turns."""
    torch.set_num_threads(1)
    roads = []
    for lesson in lessons:
        settings = lesson.settings
        batches = WindowBatches(
            data.windows["train"],
            lesson.representation,
            settings.batch_size,
            settings.seed,
            settings.transpose,
        )
        roads.append(steps_on_a_copy(lesson.new_network(), batches, settings, Group()))
    spent = np.zeros((ROUNDS, len(roads)))
    for number in range(ROUNDS):
        for which, road in enumerate(roads):
            began = time.process_time()
            next(road)
            spent[number, which] = time.process_time() - began
    return [float(mean) for mean in spent[WARM:].mean(axis=0)]


if __name__ == "__main__":
    main()
