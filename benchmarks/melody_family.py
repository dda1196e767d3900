"""The MelodyRNN family on one split with one evaluator, each as well as it predicts.

    python benchmarks/melody_family.py train [--only basic mono] [--minutes 12]
    python benchmarks/melody_family.py table

`train` teaches Magenta's four configurations (`models.lessons.PUBLISHED`), each on what its own
rules keep of the same training pieces, and chooses the best weights on validation pieces; ours
is trained by `recipes/melody_rnn.py`. `table` measures all of them on the same held-out
melodies (those that a vocabulary of 48-83 holds, of at least 7 bars and 5 pitches), as ONNX Runtime
plays them: nats a grid step and a note. Steps a second are those of training, all models in one
run, taken in turn, on one thread. Needs the corpora and `partimento[train]`.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import torch

from partimento.models.lessons import (
    PUBLISHED,
    lesson_for,
    load_pieces,
    settled,
    train_melody_rnn,
)
from partimento.models.load import load
from partimento.networks.melody_rnn import MelodyRNN
from partimento.training.batches import MelodyBatches
from partimento.training.distributed import Group
from partimento.training.loop import Progress, gradients
from partimento.training.melody import Lesson, by_split

ROOT = Path(__file__).parent.parent
RUNS = ROOT / "runs" / "family"
OURS = ROOT / "runs" / "melody-rnn"
DATA = ("irish-cre:tune", "open-hymnal:tune+line", "openscore-lieder:song", "mutopia:line")
ROUNDS = 8  # of the timing


def main() -> None:
    """Train the published configurations, or make the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["train", "table"])
    parser.add_argument("--only", nargs="*", choices=list(PUBLISHED), default=list(PUBLISHED))
    parser.add_argument("--minutes", type=float, default=12.0)
    parser.add_argument("--ours", type=Path, default=OURS / "checkpoint")
    asked = parser.parse_args()
    if asked.what == "train":
        for config in asked.only:
            train(config, asked.minutes)
    else:
        table(asked.ours)


def lesson_of(config: str, minutes: float) -> Lesson:
    """Magenta's configuration as published, by the clock."""
    return lesson_for(
        "melody-rnn",
        config,
        DATA,
        name=f"melody-rnn-{config}",
        minutes=minutes,
        threads=1,
        precision="bfloat16",
        evaluate_every=100,
        patience=15,
    )


def train(config: str, minutes: float) -> None:
    """Teach one configuration; goes on where it was stopped."""

    def report(progress: Progress) -> None:
        if progress.held_out is not None and progress.evaluated_at == progress.step:
            print(
                f"{config} step {progress.step:,}: {progress.done:.0%}, loss {progress.loss:.4f}, "
                f"held out {progress.held_out.nats_per_step:.4f} nats a step",
                flush=True,
            )

    lesson = lesson_of(config, minutes)
    data = load_pieces(lesson)
    train_melody_rnn(lesson, data, RUNS / config, resume=True, report=report, tell=print)


def table(ours: Path) -> None:
    """Print one line a model."""
    data = load_pieces(lesson_of("basic", 1.0))
    places = {name: RUNS / name / "checkpoint" for name in PUBLISHED} | {"ours": ours}
    rates = steps_per_second(places)
    print("| model | classes | weights | trained | valid | test | a note, test | steps/s |")
    print("|---|---|---|---|---|---|---|---|")
    for name, place in places.items():
        model = load(place)
        config = model.checkpoint.config
        cells: list[Any] = [name, config["figures"].get("classes", model.representation.vocab_size)]
        cells += [f"{config['figures']['parameters']:,}"]
        cells += [f"{config['training']['seconds'] / 60:.0f} min"]
        for split in ("valid", "test"):
            pieces = [piece.score for piece in data.split(split)]
            found = model.likelihood_of(pieces)
            nats = sum(one.nats for one in found)
            cells.append(f"{nats / sum(len(one.step_nats) for one in found):.4f}")
            per_note = nats / sum(len(one.note_nats) for one in found)
        print("|", " | ".join([*map(str, cells), f"{per_note:.3f}", f"{rates[name]:,.0f}"]), "|")
    for split in ("valid", "test"):
        pieces = data.split(split)
        print(f"{split}: {len(pieces)} melodies")


def steps_per_second(places: dict[str, Path]) -> dict[str, float]:
    """Measure grid steps a second of training, all models in turn; the best round counts."""
    torch.set_num_threads(1)
    rates = dict.fromkeys(places, 0.0)
    trials = {name: trial_of(place) for name, place in places.items()}
    for _ in range(ROUNDS):
        for name, trial in trials.items():
            began = time.perf_counter()
            steps = trial()
            rates[name] = max(rates[name], steps / (time.perf_counter() - began))
    return rates


def trial_of(place: Path) -> Any:
    """One step of training as the checkpoint's lesson had it, on its own data."""
    config = json.loads((place / "config.json").read_text(encoding="utf-8"))
    lesson = lesson_for(
        "melody-rnn",
        config["training"]["config"],
        DATA,
        name="trial",
        steps=1,
        threads=1,
        precision="bfloat16",
    )
    data = load_pieces(lesson)
    lesson = settled(lesson, data)
    training, _ = by_split(data.pieces, lesson.representation)
    settings = lesson.settings
    batches = MelodyBatches(
        training, lesson.representation, settings.batch_size, settings.chunk_steps, seed=0
    )
    network = MelodyRNN(lesson.network_config())
    optimizer = torch.optim.AdamW(network.parameters())
    steps = iter(range(1_000_000))

    def trial() -> int:
        _, _, grid_steps = gradients(network, batches, next(steps), 0.0, settings, Group())
        optimizer.step()
        return grid_steps

    return trial


if __name__ == "__main__":
    main()
