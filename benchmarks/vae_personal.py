"""What moving a VAE's prior to twenty tunes brings, on other tunes of the same kind.

    python benchmarks/vae_personal.py [--draws 3] [--files 20]

Nottingham's tunes, which no shipped model has met; nats a window by importance sampling, before and
after, on windows of its test part. CPU time of one thread.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from partimento.models.bars_lessons import read_windows
from partimento.models.bars_space import personalise, prior_gain
from partimento.models.load import load


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="melody-vae")
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--files", type=int, default=20)
    asked = parser.parse_args()
    model = load(asked.model)
    found = read_windows(("nottingham",), model.representation, splits=("train", "test")).windows
    train, test = found["train"], found["test"]
    pieces = np.unique(train.piece)
    print("draw  windows  CPU s  nats a window before  after")
    for draw in range(asked.draws):
        chosen = np.random.default_rng(draw).choice(pieces, asked.files, replace=False)
        mine = train.take(np.flatnonzero(np.isin(train.piece, chosen)))
        with tempfile.TemporaryDirectory() as folder:
            started = time.process_time()
            made = personalise(model, mine, Path(folder) / "own", "own")
            seconds = time.process_time() - started
            before, after = prior_gain(model, load(made.path), test)
        print(f"{draw:4}  {len(mine):7}  {seconds:5.1f}  {before:20.2f}  {after:5.2f}")


if __name__ == "__main__":
    main()
