"""The MelodyRNN family on one split with one evaluator, each as well as it predicts.

    for config in tunes basic mono lookback attention; do
        python recipes/melody_rnn.py --config $config; done
    python benchmarks/melody_family.py

Measures all five, as the recipe left them in `runs`, on the same held-out melodies (those that a
vocabulary of 48-83 holds, of at least 7 bars and 5 pitches), as ONNX Runtime plays them: nats a
grid step and a note. Steps a second are those of training, all models in one run, taken in turn, on
one thread. Needs the corpora and `partimento[train]`.
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
)
from partimento.models.load import load
from partimento.networks.melody_rnn import MelodyRNN, MelodyRNNConfig
from partimento.training.batches import MelodyBatches
from partimento.training.distributed import Group
from partimento.training.loop import gradients
from partimento.training.melody import by_split

ROOT = Path(__file__).parent.parent
RUNS = ROOT / "runs"
DATA = ("irish-cre:tune", "open-hymnal:tune+line", "openscore-lieder:song", "mutopia:line")
ROUNDS = 8  # of the timing


def main() -> None:
    """Print one line a model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", choices=[*PUBLISHED, "ours"])
    asked = parser.parse_args().only or [*PUBLISHED, "ours"]
    data = load_pieces(lesson_for("melody-rnn", "basic", DATA, name="held-out", steps=1))
    folders = {name: f"melody-rnn-{name}" for name in PUBLISHED} | {"ours": "melody-rnn"}
    places = {name: RUNS / folders[name] / "checkpoint" for name in asked}
    rates = steps_per_second(places)
    print("| model | classes | weights | trained | valid | test | a note, test | steps/s |")
    print("|---|---|---|---|---|---|---|---|")
    for name, place in places.items():
        model = load(place)
        config = model.checkpoint.config
        classes = MelodyRNNConfig(**config["network"]).num_classes
        cells: list[Any] = [name, classes]
        cells += [f"{config['figures']['parameters']:,}"]
        cells += [f"{config['training']['seconds'] / 60:.0f} min"]
        for split in ("valid", "test"):
            scores = [piece.score for piece in data.split(split)]
            found = model.likelihood_of(scores)
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
