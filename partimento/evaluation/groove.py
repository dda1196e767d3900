"""How well a groove model plays drums, beside simpler ways: its rows of the table `vae`.

`groove_rows` measures held-out windows, each stroke once. Surprise is exact, in nats of the 32
classes of velocity and of offset; errors are those of a whole performance that the model plays by
itself from the strokes alone; the distance of the histograms says whether it plays as differently
as people do, which a mean never does.

References
----------
Gillick, Roberts, Engel, Eck and Bamman, "Learning to Groove with Inverse Sequence Transformations",
ICML 2019 (humanization: errors of timing in milliseconds, and the straight pattern as baseline).
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from partimento.evaluation.distances import jensen_shannon
from partimento.generation.groove_engine import places
from partimento.generation.sampling import generator_of
from partimento.models.groove import GrooveModel
from partimento.models.groove_lessons import WINDOW_BARS, read_grooves
from partimento.representations.bars import BarsRepresentation
from partimento.representations.groove import (
    CLASSES,
    NUM_DRUMS,
    Played,
    offset_at,
    offset_class,
    velocity_at,
    velocity_class,
)
from partimento.training.groove_batches import GrooveWindows, grouped, told_for

Row = dict[str, Any]
HUMANIZE, TAP = "humanize", "drums for a rhythm"
POSITIONS = 24  # steps of the longest bar
PRIOR = 10.0  # strokes that a drum's histogram counts for, where a position has few


class Histograms(NamedTuple):
    """Probabilities of classes by drum and position in the bar, from music to train on.

    Attributes
    ----------
    velocity, offset : float64 arrays, shape (drum, position, class)
    struck : float64 array, shape (drum, position)
    """

    velocity: np.ndarray
    offset: np.ndarray
    struck: np.ndarray


def histograms(windows: Sequence[GrooveWindows], *, by_place: bool) -> Histograms:
    """Count how drums are played, by drum and place, or all strokes alike."""
    counts = np.zeros((2, NUM_DRUMS, POSITIONS, CLASSES))
    struck, steps = np.zeros((NUM_DRUMS, POSITIONS)), np.zeros(POSITIONS)
    for found in windows:
        row, step, drum = np.nonzero(found.played.is_hit)
        position = _positions(found)
        where = drum, position[step]
        for kind, classes in enumerate(_classes(found.played)):
            np.add.at(counts[kind], (*where, classes[row, step, drum]), 1)
        np.add.at(struck, where, 1)
        np.add.at(steps, position, len(found.qpm))
    whole = counts.sum(axis=(1, 2), keepdims=True) + 1
    whole /= whole.sum(axis=-1, keepdims=True)
    if not by_place:
        shape = NUM_DRUMS, POSITIONS, CLASSES
        velocity, offset = (np.broadcast_to(kind, shape) for kind in whole)
        share = np.broadcast_to(struck.sum(axis=1, keepdims=True) / steps.sum(), struck.shape)
        return Histograms(velocity, offset, share)
    drums = counts.sum(axis=2, keepdims=True) + PRIOR * whole
    drums /= drums.sum(axis=-1, keepdims=True)
    placed = counts + PRIOR * drums
    placed /= placed.sum(axis=-1, keepdims=True)
    share = (struck + 0.5) / (steps + 1)
    return Histograms(placed[0], placed[1], share)


def groove_rows(
    model: GrooveModel, data: tuple[str, ...], split: str = "test"
) -> Iterator[tuple[str, Row]]:
    """Measure a model on held-out windows, and two baselines that are fitted to the training part.

    Yields
    ------
    section, row
    """
    representation = model.representation
    per_quarter = representation.steps_per_quarter
    bars = BarsRepresentation("drums", WINDOW_BARS, 6 * per_quarter, per_quarter)
    found = read_grooves(data, bars, splits=("train", split)).windows
    train, held_out = (grouped(found[name], bars, representation) for name in ("train", split))
    common = {
        "data_sha256": found[split].digest,
        "windows": len(found[split]),
        "strokes": sum(int(each.played.is_hit.sum()) for each in held_out),
        "seed": 0,
        "sha256": None,
    }
    for name, by_place in (("straight", False), ("mean of drum and position", True)):
        fitted = histograms(train, by_place=by_place)
        yield HUMANIZE, {"model": name, **common, **_by_histograms(held_out, fitted, by_place)}
        struck = {"strokes_nats": round(_struck_nats(held_out, fitted), 3)}
        yield TAP, {"model": name, **common, **struck}
    about = {
        **common,
        "sha256": model.hash,
        "parameters": model.checkpoint.config["figures"]["parameters"],
    }
    surprise = _surprise(model, held_out, HUMANIZE)
    nats = {"velocity_nats": round(surprise[1], 3), "offset_nats": round(surprise[2], 3)}
    for name, temperature in ((model.name, 1.0), (f"{model.name}, temperature 0", 0.0)):
        played = [_humanized(model, each, temperature) for each in held_out]
        yield HUMANIZE, {"model": name, **about, **nats, **errors(held_out, played, per_quarter)}
    steps = sum(each.meter.shape[0] * each.meter.shape[1] for each in held_out)
    for name, task in ((f"{model.name}, told nothing", "nothing"), (model.name, "tap")):
        lost = _surprise(model, held_out, task, per_cell=False)[0] / steps
        yield TAP, {"model": name, **about, "strokes_nats": round(float(lost), 3)}


def errors(
    windows: Sequence[GrooveWindows], made: Sequence[Played], steps_per_quarter: int
) -> dict[str, float]:
    """Compare performances with what was played, stroke by stroke.

    Returns
    -------
    dict of str to float
        Mean absolute error of velocities (of 127) and of times (ms), and the distance between the
        histograms of both, in bits.
    """
    velocity, offset, milliseconds = [], [], []
    counts = np.zeros((2, 2, CLASSES))  # what, whose
    for each, mine in zip(windows, made, strict=True):
        is_hit = each.played.is_hit
        ms = 60_000 / (each.qpm * steps_per_quarter)  # [ms/min] / [step/min]
        milliseconds.append(np.broadcast_to(ms[:, None, None], is_hit.shape)[is_hit])
        velocity.append(127 * np.abs(mine.velocity - each.played.velocity)[is_hit])
        offset.append(np.abs(mine.offset - each.played.offset)[is_hit])
        for whose, played in enumerate((each.played, mine)):
            for what, classes in enumerate(_classes(played)):
                counts[what, whose] += np.bincount(classes[is_hit], minlength=CLASSES)
    counts /= counts.sum(axis=-1, keepdims=True)
    away = np.concatenate(offset) * np.concatenate(milliseconds)
    return {
        "velocity_error": round(float(np.concatenate(velocity).mean()), 2),
        "offset_ms": round(float(away.mean()), 2),
        "velocity_js": round(jensen_shannon(*counts[0]), 3),
        "offset_js": round(jensen_shannon(*counts[1]), 3),
    }


def _by_histograms(
    windows: Sequence[GrooveWindows], fitted: Histograms, by_place: bool
) -> dict[str, float]:
    """Surprise of histograms, and errors of their medians; without places, on the grid."""
    lost, strokes = np.zeros(2), 0
    made = []
    medians = [_medians(table) for table in (fitted.velocity, fitted.offset)]
    velocity, offset = velocity_at(medians[0]), offset_at(medians[1])
    for each in windows:
        row, step, drum = np.nonzero(each.played.is_hit)
        where = drum, _positions(each)[step]
        for kind, table in enumerate((fitted.velocity, fitted.offset)):
            classes = _classes(each.played)[kind][row, step, drum]
            lost[kind] -= np.log(table[(*where, classes)]).sum()
        strokes += len(row)
        loud, away = np.zeros((2, *each.played.is_hit.shape))
        loud[row, step, drum] = velocity[where]
        away[row, step, drum] = offset[where] if by_place else 0
        made.append(Played(each.played.is_hit, loud, away))
    nats = lost / strokes
    return {
        "velocity_nats": round(float(nats[0]), 3),
        "offset_nats": round(float(nats[1]), 3),
        **errors(windows, made, 4),
    }


def _struck_nats(windows: Sequence[GrooveWindows], fitted: Histograms) -> float:
    """Surprise at which drums are struck, in nats a step."""
    nats, steps = 0.0, 0
    for each in windows:
        chance = fitted.struck[:, _positions(each)].T  # step drum
        nats -= float(np.log(np.where(each.played.is_hit, chance, 1 - chance)).sum())
        steps += each.played.is_hit[..., 0].size
    return nats / steps


def _surprise(
    model: GrooveModel, windows: Sequence[GrooveWindows], task: str, *, per_cell: bool = True
) -> np.ndarray:
    """Nats of strokes, velocities and offsets: means of what is asked, or sums."""
    generator = np.random.default_rng(0)
    nats, cells = np.zeros(3), np.zeros(3)
    for each in windows:
        given = told_for(task, each.played, generator)
        shape = (*each.played.is_hit.shape[:2], 3, NUM_DRUMS)
        found = model.engine.nats(each.played, given, each.meter).reshape(shape)
        nats += found.sum(axis=(0, 1, 3))
        cells += given.is_asked(each.played.is_hit).reshape(shape).sum(axis=(0, 1, 3))
    return nats / np.maximum(cells, 1) if per_cell else nats


def _humanized(model: GrooveModel, windows: GrooveWindows, temperature: float) -> Played:
    generators = [generator_of(0, number) for number in range(len(windows.qpm))]
    given = told_for("humanize", windows.played, np.random.default_rng(0))
    return model.engine.write(windows.played, given, windows.meter, generators, temperature)


def _classes(played: Played) -> tuple[np.ndarray, np.ndarray]:
    return velocity_class(played.velocity), offset_class(played.offset)


def _positions(windows: GrooveWindows) -> np.ndarray:
    """Position in the bar of every step."""
    return np.arange(windows.meter.shape[1]) % (windows.meter.shape[1] // WINDOW_BARS)


def _medians(table: np.ndarray) -> np.ndarray:
    flat = table.reshape(-1, CLASSES)
    return places(np.log(flat), np.full(len(flat), 0.5)).reshape(table.shape[:-1])
