"""Our rows of the table `gan`: what a GAN of phrases writes, beside what people wrote.

`gan_rows` measures one model. The distance between training and held-out phrases is the yardstick:
both are by people.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np

from partimento.evaluation.memorisation import longest_shared_runs
from partimento.models.phrase_lessons import read_phrases
from partimento.models.quartet_gan import QuartetGANModel
from partimento.music.phrase_statistics import Figures, distances, measure, nearest, spread
from partimento.music.score import Score
from partimento.music.voices import skyline

Row = dict[str, Any]
WRITTEN, AT_ONCE = 2000, 1000
COMPARED = 6000  # training and held-out phrases that are measured
LINES = 300  # phrases whose lines are looked up in training pieces


def gan_rows(
    model: QuartetGANModel, data: tuple[str, ...], split: str = "test"
) -> Iterator[tuple[str, Row]]:
    """Measure a model beside training and held-out phrases.

    Parameters
    ----------
    data
        Sources, as the model was taught.
    split
        Of the held-out phrases.

    Yields
    ------
    section, row
    """
    found = read_phrases(data, model.representation, splits=("train", split)).phrases
    train, held_out = found["train"], found[split]
    common = {
        "sha256": model.hash,
        "data_sha256": held_out.digest,
        "parameters": model.checkpoint.config["figures"]["parameters"],
        "seed": 0,
    }
    parts = [model.sample_phrases(AT_ONCE, seed=at) for at in range(0, WRITTEN, AT_ONCE)]
    made = np.concatenate(parts)
    sets = {
        "training phrases": train.rolls(_some(len(train), COMPARED)),
        f"held-out phrases ({split})": held_out.rolls(_some(len(held_out), COMPARED)),
        model.name: made,
    }
    figures = {name: _measured(model, phrases) for name, phrases in sets.items()}
    for name, of in figures.items():
        rounded = {key: round(value, 4) for key, value in of.as_dict().items()}
        yield "statistics", {**common, "model": name, "phrases": len(sets[name]), **rounded}
    real = figures["training phrases"]
    for name, of in list(figures.items())[1:]:
        away = {key: round(value, 4) for key, value in distances(of, real).items()}
        yield "distance to training", {**common, "model": name, **away}

    everything = train.rolls(slice(None))
    usual = spread(sets["training phrases"])
    lines = [line for phrase in everything[::4] for line in _lines(model, phrase)]
    for name, phrases in list(sets.items())[1:]:
        nearby = nearest(phrases[:WRITTEN, 1], everything[:, 1])
        own = list(chain.from_iterable(_lines(model, phrase) for phrase in phrases[:LINES]))
        runs = np.array([run.notes for run in longest_shared_runs(own, lines)])
        yield (
            "copies",
            {
                **common,
                "model": name,
                "diversity": round(spread(phrases) / usual, 4),
                "nearest": round(float(np.median(nearby)), 4),
                "closest": round(float(nearby.min()), 4),
                "run": round(float(runs.mean()), 2),
                "longest": int(runs.max()),
            },
        )


def _some(total: int, count: int) -> np.ndarray:
    return np.sort(np.random.default_rng(0).permutation(total)[:count])


def _measured(model: QuartetGANModel, phrases: np.ndarray) -> Figures:
    r = model.representation
    return measure(phrases, r.lowest, r.bar_steps, r.beat_steps, r.steps_per_quarter)


def _lines(model: QuartetGANModel, phrase: np.ndarray) -> list[Score]:
    """Top line of each track that has two notes or more."""
    score = model.representation.score_of(phrase, 0)
    tops = [skyline(part.notes) for part in score.parts]
    return [
        score.with_parts([replace(part, notes=top)])
        for part, top in zip(score.parts, tops, strict=True)
        if len(top) > 1
    ]
