"""How good a bach-rnn is: surprise, certainty and voice leading on held-out chorales.

    python benchmarks/bach_rnn.py runs/bach-rnn/checkpoint
    python benchmarks/bach_rnn.py bach-rnn --split test --json figures.json --plot x.png

Prints exact nats per cell, reliability tables of what `next` says after every beat (and writes the
picture of the first), and the voice leading of harmonised sopranos beside Bach's own.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

from partimento import load
from partimento.data.chorales import load_chorales
from partimento.evaluation.certainty import certainty
from partimento.evaluation.voice_leading import bach, check_voices, summary
from partimento.music.four_voices import FourVoices
from partimento.rendering.files import write_picture
from partimento.rendering.reliability import reliability_svg

SOPRANO = 0


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--split", choices=["valid", "test"], default="valid")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--temperature", type=float, default=1.0, help="of harmonising")
    parser.add_argument("--pieces", type=int, help="only so many")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plot", type=Path)
    asked = parser.parse_args()
    place = Path(asked.model)
    model = load(place if place.exists() else asked.model)
    pieces = [p.voices for p in load_chorales(asked.data) if p.split == asked.split]
    pieces = pieces[: asked.pieces]
    print(f"{model!r}: {len(pieces)} {asked.split} chorales")

    nats = model.nll_of(pieces)
    per_cell = sum(found.sum() for found in nats) / sum(found.size for found in nats)
    each = [float(np.concatenate(nats)[:, voice].mean()) for voice in range(4)]
    print(f"nats per cell {per_cell:.4f} (S A T B: {' '.join(f'{x:.4f}' for x in each)})")

    tables = certainty(model, pieces)
    for name, table in tables.items():
        if name in ("voices", "together", "chord"):
            print(f"\nnext, {name}, after every beat:\n{table.text()}")
        else:
            print(f"{name}: expected calibration error {table.expected_error:.4f}")
    if asked.plot:
        table = tables["voices"]
        svg = reliability_svg("Next note of each voice", table.bins, table.expected_error)
        write_picture(svg, asked.plot)

    began, checked = time.perf_counter(), []
    for number, voices in enumerate(pieces):
        checked.append(check_voices(harmonised(model, voices, asked.seed + number, asked)))
    seconds = time.perf_counter() - began
    made = summary(checked, asked.seed)
    print(f"\nsopranos harmonised at temperature {asked.temperature:g} in {seconds:.0f} s:")
    for name, found in made["measures"].items():
        of_bach = bach()["measures"].get(name, {})
        low, high = of_bach.get("of_mean_95", (float("nan"),) * 2)
        print(
            f"{name.replace('_', ' '):24} {found['mean']:7.2f}   "
            f"Bach {of_bach.get('mean', 0):7.2f} ({low:.2f} to {high:.2f})"
        )
    if asked.json:
        figures = {
            "model": model.name,
            "hash": model.hash,
            "split": asked.split,
            "pieces": len(pieces),
            "nats_per_cell": float(per_cell),
            "next": {name: table.as_dict() for name, table in tables.items()},
            "harmonised": made,
        }
        asked.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def harmonised(model, voices: FourVoices, seed: int, asked: argparse.Namespace) -> FourVoices:
    """Write alto, tenor and bass to the soprano of a chorale."""
    cells = model.representation.encode(voices)
    cells = np.where(np.arange(4) == SOPRANO, cells, model.representation.unknown)
    made = model.fill(cells, seed=seed, temperature=asked.temperature, first=voices.first)
    return model.representation.decode(made, first=voices.first)


if __name__ == "__main__":
    main()
