"""Measure a model that fills in on the chorales: the rows of the table ``infilling``.

    python benchmarks/infilling.py runs/bach-cnn --split valid         # while anything is chosen
    python benchmarks/infilling.py bach-cnn --causal bach-rnn --frames --out infilling.json

Prints one JSON document: each task's conditional nats per hidden cell, exact match and voice
leading beside Bach's; alto, tenor and bass given the soprano, exactly, beside a causal model's
figure for the same cells; with ``--frames`` Coconet's own evaluator (half an hour). What each is,
and what it is not, says `partimento.evaluation.infilling`.
"""

import argparse
import hashlib
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from partimento.data.chorales import VoicePiece, load_chorales
from partimento.evaluation.infilling import (
    chain_nats,
    frame_figures,
    measure_task,
    voice_leading_of,
    written,
)
from partimento.evaluation.voice_leading import summary
from partimento.models.load import load
from partimento.representations.masks import TASK_SEED, TASKS


def main() -> None:
    """Measure, print, store."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="name, run or checkpoint folder")
    parser.add_argument("--causal", help="a model whose causal figures stand beside")
    parser.add_argument("--split", choices=["valid", "test"], default="test")
    parser.add_argument("--pieces", type=int, help="only the first so many")
    parser.add_argument("--frames", action="store_true", help="Coconet's evaluator too")
    parser.add_argument("--no-chain", action="store_true", help="leave the exact chain out")
    parser.add_argument("--no-writing", action="store_true", help="leave voice leading out")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    model = load(asked.model)
    pieces = [piece for piece in load_chorales() if piece.split == asked.split][: asked.pieces]
    began = time.process_time()
    found: dict[str, Any] = {
        "model": model.name,
        "hash": model.hash,
        "split": asked.split,
        "pieces": len(pieces),
        "mask_seed": TASK_SEED,
        "seed": asked.seed,
        "music_sha256": digest(pieces),
        "tasks": {task: asdict(measure_task(model, pieces, task)) for task in TASKS},
    }
    if not asked.no_writing:
        found["voice_leading"] = {"Bach": summary(voice_leading_of([p.voices for p in pieces]))}
        for task in TASKS:
            made = written(model, pieces, task, asked.seed)
            found["voice_leading"][task] = summary(voice_leading_of(made))
    if not asked.no_chain:
        found["lower_voices_given_soprano"] = chain(model, pieces)
    if asked.causal:
        found["causal"] = causal(load(asked.causal), pieces)
    if asked.frames:
        found["frames"] = {
            name: frame_figures(model, pieces, asked.seed, chronological=name == "chronological")
            for name in ("chronological", "random")
        }
    found["cpu_seconds"] = round(time.process_time() - began)
    text = json.dumps(found, indent=2)
    print(text)
    if asked.out:
        asked.out.write_text(text + "\n", encoding="utf-8")


def chain(model: Any, pieces: list[VoicePiece]) -> dict[str, float]:
    """Exact nats of alto, tenor and bass given the soprano."""
    return figures([chain_nats(model, piece.voices)[:, 1:] for piece in pieces])


def causal(model: Any, pieces: list[VoicePiece]) -> dict[str, Any]:
    """Nats of the same cells by a causal model that hears the soprano's cell first."""
    order = tuple(model.checkpoint.config["network"]["order"])
    assert order[0] == 0, "the soprano comes first, else the figure is another"
    nats = model.nll_of([piece.voices for piece in pieces])
    lower = figures([each[:, 1:] for each in nats])
    return {"model": model.name, "hash": model.hash, **lower}


def figures(nats: list[np.ndarray]) -> dict[str, float]:
    """Both averages."""
    return {
        "nats_per_cell": float(sum(each.sum() for each in nats) / sum(each.size for each in nats)),
        "mean_of_pieces": float(np.mean([each.mean() for each in nats])),
    }


def digest(pieces: list[VoicePiece]) -> str:
    """SHA-256 over the pitches."""
    hasher = hashlib.sha256()
    for piece in pieces:
        hasher.update(piece.voices.pitch.tobytes())
    return hasher.hexdigest()


if __name__ == "__main__":
    main()
