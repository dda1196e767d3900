"""How our rows of the table infilling were made: have models find hidden cells of chorales.

    python recipes/infilling.py --split valid                 # while anything is chosen
    python recipes/infilling.py --frames                      # all rows, of the test part: stores

Measures `bach-cnn` on the frozen masks (conditional nats, exact match, voice leading of what it
writes beside Bach's own); on alto, tenor and bass given the soprano, exactly, beside the causal
figure of `bach-rnn` for the same cells; and with ``--frames`` by Coconet's own evaluator (half an
hour of a core). What each measure is, and what it is not, says `partimento.evaluation.infilling`.
Needs the corpora; `--filler` and `--causal` take other models.
"""

import argparse
import hashlib
import json
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
from partimento.evaluation.tables import store_row
from partimento.evaluation.voice_leading import summary
from partimento.models.load import load
from partimento.representations.masks import TASK_SEED, TASKS

Row = dict[str, Any]


def main() -> None:
    """Measure, print, store."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--filler", default="bach-cnn", help="name, run or checkpoint folder")
    parser.add_argument("--causal", default="bach-rnn", help="one whose soprano comes first")
    parser.add_argument("--split", choices=["valid", "test"], default="test")
    parser.add_argument("--pieces", type=int, help="only the first so many; nothing is stored")
    parser.add_argument("--frames", action="store_true", help="Coconet's evaluator too")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    filler, causal = load(asked.filler), load(asked.causal)
    pieces = [piece for piece in load_chorales() if piece.split == asked.split][: asked.pieces]
    common = {
        "command": f"python recipes/infilling.py{' --frames' * asked.frames}",
        "seed": asked.seed,
        "mask_seed": TASK_SEED,
        "data_sha256": digest(pieces),
    }
    measured = [*masked(filler, pieces), *led(filler, pieces, asked.seed)]
    measured += under_sopranos(filler, causal, pieces)
    if asked.frames:
        measured.append(by_frames(filler, pieces, asked.seed))
    for section, row in measured:
        whole = row | common
        print(json.dumps({section: whole}, indent=2), flush=True)
        if asked.split == "test" and asked.pieces is None:
            store_row("infilling", section, whole)


def masked(filler: Any, pieces: list[VoicePiece]) -> list[tuple[str, Row]]:
    """Conditional nats per hidden cell, and percent of them whose likeliest token is right."""
    figures = {task: measure_task(filler, pieces, task) for task in TASKS}
    about = {"model": filler.name, "sha256": filler.hash}
    about["masks"] = {task: found.masks for task, found in figures.items()}
    nats = {task: round(found.nats_per_cell, 4) for task, found in figures.items()}
    means = {f"{t}, mean of pieces": round(f.mean_of_pieces, 4) for t, f in figures.items()}
    exact = {task: round(100 * found.exact, 2) for task, found in figures.items()}
    return [("masked", about | nats | means), ("exact match", about | exact)]


def led(filler: Any, pieces: list[VoicePiece], seed: int) -> list[tuple[str, Row]]:
    """Parallel fifths and octaves for 100 beats of what is written, and of what Bach wrote."""
    makers = {task: written(filler, pieces, task, seed) for task in TASKS}
    rows = []
    for name, music in (
        ("Bach himself", {task: [piece.voices for piece in pieces] for task in TASKS}),
        (filler.name, makers),
    ):
        row: Row = {"model": name, "sha256": filler.hash if name == filler.name else None}
        for task, voices in music.items():
            measures = summary(voice_leading_of(voices))["measures"]
            means = [measures[f"parallel_{which}"]["mean"] for which in ("fifths", "octaves")]
            row[task] = round(sum(means), 3)
            row[f"{task}, fifths and octaves"] = [round(mean, 3) for mean in means]
        rows.append(("parallels", row))
    return rows


def under_sopranos(filler: Any, causal: Any, pieces: list[VoicePiece]) -> list[tuple[str, Row]]:
    """Exact nats of alto, tenor and bass given the soprano: all of it, or no more than was."""
    assert causal.checkpoint.config["network"]["order"][0] == 0, "the soprano comes first"
    chained = [chain_nats(filler, piece.voices)[:, 1:] for piece in pieces]
    heard = [nats[:, 1:] for nats in causal.nll_of([piece.voices for piece in pieces])]
    return [
        (
            "under a soprano",
            {
                "model": f"{model.name}, {knows}",
                "sha256": model.hash,
                "cell": round(sum(n.sum() for n in nats) / sum(n.size for n in nats), 4),
                "piece": round(float(np.mean([n.mean() for n in nats])), 4),
            },
        )
        for model, knows, nats in (
            (filler, "which hears all of the soprano", chained),
            (causal, "which hears it up to now", heard),
        )
    ]


def by_frames(filler: Any, pieces: list[VoicePiece], seed: int) -> tuple[str, Row]:
    """Coconet's own evaluator, with one order of the voices and the mean of five."""
    row: Row = {"model": f"{filler.name}, five orders together", "sha256": filler.hash}
    for name in ("chronological", "random"):
        found = frame_figures(filler, pieces, seed, chronological=name == "chronological")
        row[name] = round(found["ensemble_nats_per_frame"], 4)
        row[f"{name}, one order"] = round(found["nats_per_frame"], 4)
    return "frame-wise", row


def digest(pieces: list[VoicePiece]) -> str:
    """SHA-256 over the pitches."""
    hasher = hashlib.sha256()
    for piece in pieces:
        hasher.update(piece.voices.pitch.tobytes())
    return hasher.hexdigest()


if __name__ == "__main__":
    main()
