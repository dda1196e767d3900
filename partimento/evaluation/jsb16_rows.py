"""Our rows of the table jsb16: models measured one by one and together, with what made them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from partimento.data.chorales import CHORALES, VoicePiece
from partimento.data.sources import manifest_of
from partimento.evaluation.jsb16 import CellModel, CountModel, Ensemble, clean, measure
from partimento.models.load import load

Row = dict[str, Any]


def count_row(pieces: Sequence[VoicePiece], *, has_test: bool) -> Row:
    """Measure the model that counts in the training chorales."""
    model = CountModel([piece for piece in pieces if piece.split == "train"])
    row = {"model": "counts: pitch before, place in the beat", "seed": None, "sha256": None}
    return row | measured(model, pieces, has_test=has_test)


def model_row(
    checkpoints: Sequence[Path], pieces: Sequence[VoicePiece], *, name: str = "", has_test: bool
) -> Row:
    """Measure one model, or several as one: an ensemble.

    Parameters
    ----------
    name
        Of the row; by default the first model's.
    has_test
        Whether the test part is looked at: not while anything is still being chosen.
    """
    models = [load(path) for path in checkpoints]
    configs = [model.checkpoint.config for model in models]
    seeds = [config["training"]["settings"]["seed"] for config in configs]
    hashes = [model.hash for model in models]
    is_one = len(models) == 1
    row: Row = {
        "model": name or models[0].name + ("" if is_one else f", {len(models)} models"),
        "parameters": sum(config["figures"]["parameters"] for config in configs),
        "seed": seeds[0] if is_one else seeds,
        "sha256": hashes[0] if is_one else hashes,
    }
    orders = {str(config["network"].get("order")) for config in configs}
    model = models[0] if is_one else Ensemble(models, by_frame=len(orders) > 1)
    return row | measured(model, pieces, has_test=has_test)


def measured(
    model: CellModel, pieces: Sequence[VoicePiece], *, has_test: bool
) -> dict[str, float | str]:
    """Nats per note of the splits, and of the test chorales with tunes of their own."""
    parts = {"valid": [piece for piece in pieces if piece.split == "valid"]}
    if has_test:
        parts["test"] = [piece for piece in pieces if piece.split == "test"]
        parts["test_clean"] = clean(parts["test"])
    figures: dict[str, float | str] = {}
    for name, part in parts.items():
        found = measure(model, part)
        figures[name] = round(found.nats_per_cell, 4)
        figures[f"{name}_mean_of_pieces"] = round(found.mean_of_pieces, 4)
    return figures | {"data_sha256": str(manifest_of(CHORALES)[1]["archive_sha256"])}
