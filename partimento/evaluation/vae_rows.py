"""Our rows of the table `vae`: what `partimento.evaluation.latent` measures of one model."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from partimento.evaluation.latent import (
    STEPS,
    fit_language,
    reconstruction,
    road_costs,
    window_cost,
)
from partimento.models.bars_lessons import read_windows
from partimento.models.bars_vae import BarsVAEModel

Row = dict[str, Any]
SAMPLES, COMMON_BAR = 1000, 16  # windows from nothing; steps of a bar of 4/4
COUNTED = 30_000  # training windows that the 5-gram is fitted to


def vae_rows(
    model: BarsVAEModel, data: tuple[str, ...], split: str = "test"
) -> Iterator[tuple[str, Row]]:
    """Measure a model on held-out windows.

    Parameters
    ----------
    data
        Sources, as the model was taught.
    split
        Of the held-out windows; the 5-gram is fitted to the training part.

    Yields
    ------
    section, row
    """
    representation = model.representation
    found = read_windows(data, representation, splits=("train", split)).windows
    held_out, train = found[split], found["train"]
    common = {
        "model": model.name,
        "sha256": model.hash,
        "data_sha256": held_out.digest,
        "parameters": model.checkpoint.config["figures"]["parameters"],
        "seed": 0,
    }
    kind = representation.kind
    section = f"{model.bars} bars of {kind}"
    yield section, {**common, "windows": len(held_out), **reconstruction(model, held_out).as_dict()}

    rows = np.random.default_rng(0).permutation(len(train))[:COUNTED]
    language = fit_language(train.take(np.sort(rows)), representation) if kind != "drums" else None
    if language is not None:
        costs = road_costs(model, held_out, language, bar_steps=COMMON_BAR)
        assert len(costs.ours) == STEPS
        yield (
            "roads",
            {
                **common,
                "ours": round(float(costs.ours.max()), 4),
                "mixed": round(float(costs.mixed.max()), 4),
                "rise": round(float(np.diff(costs.to_a).min()), 4),
                "curves": costs.as_dict(),
            },
        )
    tables = held_out.tables.astype(np.int64)
    is_common = (tables[:, 0] != representation.pad).sum(axis=1) == COMMON_BAR
    made = model.sample_tables(SAMPLES, bar_steps=COMMON_BAR)
    for name, windows in ((f"held out for {model.name}", tables[is_common]), (model.name, made)):
        figures = {n: round(float(v.mean()), 4) for n, v in model.measured(windows).items()}
        if language is not None:
            cost = window_cost(windows[:SAMPLES], representation, language, COMMON_BAR)
            figures["cost"] = round(cost, 2)
        yield "samples", {**common, "model": name, **figures}
