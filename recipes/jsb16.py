"""How our rows of the table jsb16 were made: measure chorale models, one by one and together.

    python recipes/jsb16.py --counts                       # the row without a network
    python recipes/jsb16.py runs/a/checkpoint              # one model, on the validation part
    python recipes/jsb16.py runs/a/checkpoint --test       # and the test part: stores the row
    python recipes/jsb16.py runs/*/checkpoint --name "bach-rnn, 5 models" --test

Several checkpoints are one row, their ensemble. They are to be trained on the training part alone:
`partimento train bach-rnn --config jsb16 --data jsb-chorales --seed 1 --out runs/a`. The validation
part chooses; the test part is looked at when nothing is left to choose.
"""

import argparse
import json
from pathlib import Path
from shlex import quote
from typing import Any

from partimento.data.chorales import CHORALES, VoicePiece, load_chorales
from partimento.data.sources import manifest_of
from partimento.evaluation.jsb16 import CellModel, CountModel, Ensemble, clean, measure
from partimento.evaluation.tables import store_row
from partimento.models.load import load


def main() -> None:
    """Measure one row."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoints", type=Path, nargs="*")
    parser.add_argument("--counts", action="store_true", help="count in the training chorales")
    parser.add_argument("--name", help="of the row")
    parser.add_argument("--test", action="store_true", help="measure the test part, and store")
    asked = parser.parse_args()
    if asked.counts == bool(asked.checkpoints):
        parser.error("give checkpoints, or --counts")
    pieces = load_chorales()
    model, row = counted(pieces) if asked.counts else loaded(asked.checkpoints)
    row["model"] = asked.name or row["model"]
    row |= figures_of(model, pieces, has_test=asked.test) | {"data_sha256": data_hash()}
    words = [*map(str, asked.checkpoints), *(["--counts"] if asked.counts else [])]
    words += ["--name", quote(asked.name)] if asked.name else []
    row["command"] = " ".join(["python recipes/jsb16.py", *words, "--test"])
    print(json.dumps(row, indent=2))
    if asked.test:
        store_row("jsb16", "joint", row)


def counted(pieces: list[VoicePiece]) -> tuple[CellModel, dict[str, Any]]:
    """Make the model that counts."""
    model = CountModel([piece for piece in pieces if piece.split == "train"])
    about = "counts: pitch before, place in the beat"
    return model, {"model": about, "seed": None, "sha256": None}


def loaded(checkpoints: list[Path]) -> tuple[CellModel, dict[str, Any]]:
    """Load one model, or several as one."""
    models = [load(path) for path in checkpoints]
    trainings = [model.checkpoint.config["training"] for model in models]
    seeds = [training["settings"]["seed"] for training in trainings]
    hashes = [model.hash for model in models]
    weights = sum(model.checkpoint.config["figures"]["parameters"] for model in models)
    row = {
        "model": models[0].name if len(models) == 1 else f"{models[0].name}, {len(models)} models",
        "parameters": weights,
        "seed": seeds[0] if len(models) == 1 else seeds,
        "sha256": hashes[0] if len(models) == 1 else hashes,
    }
    if len(models) == 1:
        return models[0], row
    orders = {str(model.checkpoint.config["network"].get("order")) for model in models}
    return Ensemble(models, by_frame=len(orders) > 1), row


def figures_of(model: CellModel, pieces: list[VoicePiece], *, has_test: bool) -> dict[str, float]:
    """Nats per note of the splits, and of the test chorales with tunes of their own."""
    parts = {"valid": [piece for piece in pieces if piece.split == "valid"]}
    if has_test:
        parts["test"] = [piece for piece in pieces if piece.split == "test"]
        parts["test_clean"] = clean(parts["test"])
    figures: dict[str, float] = {}
    for name, part in parts.items():
        found = measure(model, part)
        figures[name] = round(found.nats_per_cell, 4)
        figures[f"{name}_mean_of_pieces"] = round(found.mean_of_pieces, 4)
    return figures


def data_hash() -> str:
    """SHA-256 of the set, as its manifest has it."""
    _, manifest = manifest_of(CHORALES)
    return str(manifest["archive_sha256"])


if __name__ == "__main__":
    main()
