"""Our rows of the table infilling: what `partimento.evaluation.infilling` measures, by section."""

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from partimento.data.chorales import VoicePiece
from partimento.errors import ParameterError
from partimento.evaluation.infilling import (
    WINDOW_AFTER,
    chain_nats,
    frame_figures,
    measure_task,
    voice_leading_of,
    written,
)
from partimento.evaluation.voice_leading import summary
from partimento.music.four_voices import FourVoices
from partimento.representations.masks import TASK_SEED, TASKS

Row = dict[str, Any]


def infilling_rows(
    filler: Any, causal: Any, pieces: list[VoicePiece], seed: int = 0, *, frames: bool = True
) -> Iterator[tuple[str, Row]]:
    """Measure one model that fills in, section by section.

    Parameters
    ----------
    filler, causal
        A `bach-cnn`, and a `bach-rnn` that hears the soprano first, to stand beside it.
    pieces
        Of the test part, in its order: the masks belong to their numbers.
    seed
        Of what is written.
    frames
        Measure by Coconet's own evaluator too: half an hour of a core.

    Yields
    ------
    section, row
    """
    common = {"seed": seed, "mask_seed": TASK_SEED, "data_sha256": digest(pieces)}

    def measured() -> Iterator[tuple[str, Row]]:
        yield from masked_rows(filler, pieces)
        yield from voice_leading_rows(filler, pieces, seed)
        yield from soprano_rows(filler, causal, pieces)
        if frames:
            yield frame_row(filler, pieces, seed)

    for section, row in measured():
        yield section, row | common


def masked_rows(filler: Any, pieces: list[VoicePiece]) -> list[tuple[str, Row]]:
    """Conditional nats per hidden cell, and percent of them whose likeliest token is right."""
    figures = {task: measure_task(filler, pieces, task) for task in TASKS}
    about = {"model": filler.name, "sha256": filler.hash}
    about["masks"] = {task: found.masks for task, found in figures.items()}
    nats = {task: round(found.nats_per_cell, 4) for task, found in figures.items()}
    means = {f"{t}, mean of pieces": round(f.mean_of_pieces, 4) for t, f in figures.items()}
    exact = {task: round(100 * found.exact, 2) for task, found in figures.items()}
    return [("masked", about | nats | means), ("exact match", about | exact)]


def voice_leading_rows(filler: Any, pieces: list[VoicePiece], seed: int) -> list[tuple[str, Row]]:
    """Parallel fifths and octaves for 100 beats of what is written, and of what Bach wrote."""
    bach = parallels_of([piece.voices for piece in pieces])
    ours = {task: parallels_of(written(filler, pieces, task, seed)) for task in TASKS}
    rows = []
    for name, sha256, counted in (
        ("Bach himself", None, dict.fromkeys(TASKS, bach)),
        (filler.name, filler.hash, ours),
    ):
        row: Row = {"model": name, "sha256": sha256}
        for task, means in counted.items():
            row[task] = round(sum(means), 3)
            row[f"{task}, fifths and octaves"] = [round(mean, 3) for mean in means]
        rows.append(("parallels", row))
    return rows


def parallels_of(pieces: list[FourVoices]) -> list[float]:
    """Parallel fifths, and octaves, for 100 beats: means of pieces."""
    measures = summary(voice_leading_of(pieces))["measures"]
    return [measures[f"parallel_{which}"]["mean"] for which in ("fifths", "octaves")]


def soprano_rows(filler: Any, causal: Any, pieces: list[VoicePiece]) -> list[tuple[str, Row]]:
    """Exact nats of alto, tenor and bass given the soprano: some way ahead, or up to now."""
    if causal.checkpoint.config["network"]["order"][0] != 0:
        raise ParameterError(f"{causal.name} does not hear the soprano first: name one that does")
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
            (filler, f"the soprano {WINDOW_AFTER} steps ahead", chained),
            (causal, "the soprano up to now", heard),
        )
    ]


def frame_row(filler: Any, pieces: list[VoicePiece], seed: int) -> tuple[str, Row]:
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
