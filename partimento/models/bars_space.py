"""The space of a finished VAE: its prior, its sliders, and how honest these are.

`furnish` fits both to music and writes them into the checkpoint; training ends with it.
`personalise` moves the prior to where somebody's own music lies, which takes seconds: as MidiMe
did with a small VAE inside the space, here with a Gaussian that is shrunk towards the model's own.
`learn_sliders` finds new directions, from folders that people have sorted.

References
----------
Dinculescu, Engel and Roberts, "MidiMe: Personalizing a MusicVAE model with user data", 2019.
Ledoit and Wolf, "A Well-Conditioned Estimator for Large-Dimensional Covariance Matrices", 2004 (why
a covariance of few points is shrunk).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from partimento.checkpoints import Checkpoint, save_checkpoint
from partimento.checkpoints.arrays import write_arrays
from partimento.errors import DataError, ParameterError
from partimento.generation.attributes import Sliders, attribute_names, measured
from partimento.generation.latent import Prior
from partimento.generation.sampling import Sampling, generator_of
from partimento.models.bars_vae import LATENT, BarsVAEModel
from partimento.models.load import load
from partimento.training.windows import Windows

ENCODED = 20_000  # windows that the prior is fitted to
TRIED = 60  # windows of two bars that sliders are turned on; fewer of longer ones
TURNS = (-2.0, -1.0, 1.0, 2.0)  # standard deviations
WORTH = 150.0  # windows that the model's own prior counts for, beside somebody's music
FEWEST = 4  # windows
STILL = 1e-6  # standard deviation of an attribute that does not vary


def furnish(folder: Path, train: Windows, valid: Windows) -> Checkpoint:
    """Fit prior and sliders of a checkpoint, and write them into it.

    The prior is fitted to training windows, the sliders to the first half of the held-out ones;
    what they do is measured on the other half.
    """
    model = load(folder)
    assert isinstance(model, BarsVAEModel)
    mu, log_variance = _encoded(model, _some(train, ENCODED).tables)
    prior = Prior.fitted(mu, log_variance)
    rows = np.random.default_rng(0).permutation(len(valid))
    half = len(rows) // 2
    arrays = prior.arrays()
    config = dict(model.checkpoint.config)
    card = model.card
    learned = valid.tables[np.sort(rows[:half])].astype(np.int64)
    attributes = measured(learned, model.representation)
    varies = np.flatnonzero(attributes.std(axis=0) > STILL) if len(learned) else np.zeros(0, int)
    names = tuple(attribute_names(model.representation)[number] for number in varies)
    try:
        sliders = Sliders.learned(_encoded(model, learned)[0], attributes[:, varies], names)
    except ParameterError as error:  # too little held-out music: the model does without
        config["sliders"] = {"names": [], "why_none": str(error)}
    else:
        arrays |= sliders.arrays()
        model._sliders = sliders  # what a reader of the checkpoint will find
        model._prior = prior
        count = max(8, 2 * TRIED // model.bars // (1 if model.bars <= 2 else 4))
        tried = valid.tables[np.sort(rows[half : half + count])].astype(np.int64)
        table = slider_table(model, sliders, tried)
        config["sliders"] = {"names": list(names), "table": table}
        card += "\n" + slider_words(table, len(tried))
    return _again(model.checkpoint, folder, arrays, config, card)


def slider_table(model: BarsVAEModel, sliders: Sliders, tables: np.ndarray) -> list[dict[str, Any]]:
    """Turn each slider on windows, and measure what changes.

    Returns
    -------
    list of dict
        ``slider``, ``asked`` and, for each attribute, the mean ``change``: all in standard
        deviations of the attribute.
    """
    mu, _ = _encoded(model, tables)
    columns = [attribute_names(model.representation).index(name) for name in sliders.names]
    before = measured(tables, model.representation)[:, columns]
    rows = []
    for name in sliders.names:
        for turn in TURNS:
            points = model.turned(tables, mu, {name: turn}, np.random.default_rng(0))
            made = _decoded(model, points, tables)
            change = (measured(made, model.representation)[:, columns] - before).mean(axis=0)
            found = dict(zip(sliders.names, (change / sliders.deviations).tolist(), strict=True))
            rows.append({"slider": name, "asked": turn, "change": found})
    return rows


def slider_words(table: Sequence[Mapping[str, Any]], windows: int) -> str:
    """Lay the table out in Markdown; so many windows were tried."""
    names = list(table[0]["change"])
    lines = [
        "## Sliders",
        "",
        f"Each turned on {windows} held-out windows, none of which it was learned from, and "
        "what changed, in standard deviations of each attribute over held-out music: what was "
        "asked for stands in the second column, and should be found again in the column of the "
        "same name; in the others there should be nothing.",
        "",
        "| slider | asked | " + " | ".join(names) + " |",
        "|---|---|" + "---|" * len(names),
    ]
    for row in table:
        found = " | ".join(f"{row['change'][name]:+.2f}" for name in names)
        lines.append(f"| {row['slider']} | {row['asked']:+g} | {found} |")
    return "\n".join(lines) + "\n"


def personalise(model: BarsVAEModel, train: Windows, out: Path, name: str) -> Checkpoint:
    """Move the prior of a model to where somebody's music lies; a new checkpoint.

    Raises
    ------
    DataError
        If there are fewer windows than a few.
    """
    if len(train) < FEWEST:
        raise DataError(
            f"the music has {len(train)} windows of {model.bars} bars, {FEWEST} are the fewest to "
            "learn a taste from: add files, or longer ones"
        )
    mu, log_variance = _encoded(model, train.tables)
    arrays = dict(model.checkpoint.arrays(LATENT) or {})
    arrays |= personal_prior(model._prior, mu, log_variance).arrays()
    config = {
        **model.checkpoint.config,
        "name": name,
        "personal": {"parent": model.name, "hash": model.hash, "windows": len(train)},
    }
    card = (
        f"# {name}\n\nThe model {model.name} (hash `{model.hash}`), drawing its points from where "
        f"{len(train)} windows of somebody's music lie. Weights and sliders are those of "
        f"{model.name}, whose card follows.\n\n{model.card}"
    )
    return _again(model.checkpoint, out, arrays, config, card)


def prior_gain(
    before: BarsVAEModel, after: BarsVAEModel, windows: Windows, samples: int = 16
) -> tuple[float, float]:
    """Estimate the nats of a window under two models of other priors, on the same points."""
    kept = _some(windows, TRIED)
    lengths = (kept.tables[:, 0] != before.representation.pad).sum(axis=1)
    found = []
    for model in (before, after):
        total = 0.0
        for length in np.unique(lengths):
            tables = kept.tables[lengths == length].astype(np.int64)
            weights = model.log_weights(tables, int(length), samples)
            largest = weights.max(axis=1)
            total -= float(
                (largest + np.log(np.exp(weights - largest[:, None]).mean(axis=1))).sum()
            )
        found.append(total / len(kept))
    return found[0], found[1]


def personal_prior(prior: Prior, mu: np.ndarray, log_variance: np.ndarray) -> Prior:
    """Fit a Gaussian to few points, shrunk towards a given one."""
    own = Prior.fitted(mu, log_variance)
    share = len(mu) / (len(mu) + WORTH)
    theirs, ours = prior.factor @ prior.factor.T, own.factor @ own.factor.T
    covariance = (1 - share) * theirs + share * ours
    # The mean is known from far fewer points than the covariance.
    mean_share = len(mu) / (len(mu) + FEWEST)
    mean = (1 - mean_share) * prior.mean + mean_share * own.mean
    return Prior(mean, np.linalg.cholesky(covariance))


def learn_sliders(
    model: BarsVAEModel, folders: Mapping[str, tuple[Windows, Windows]], out: Path, name: str
) -> Checkpoint:
    """Add a slider for each pair of folders: what the one has less of, and the other more.

    Parameters
    ----------
    folders
        By the slider's name: windows with less and with more of it.
    """
    tables, labels = [], []
    for number, (less, more) in enumerate(folders.values()):
        for sign, windows in ((-1.0, less), (1.0, more)):
            if len(windows) < FEWEST:
                raise DataError(
                    f"a folder of the slider has {len(windows)} windows, {FEWEST} are the fewest"
                )
            tables.append(windows.tables.astype(np.int64))
            label = np.full((len(windows), len(folders)), np.nan)
            label[:, number] = sign
            labels.append(label)
    z = _encoded(model, np.concatenate(tables))[0]
    wanted = np.concatenate(labels)
    arrays = dict(model.checkpoint.arrays(LATENT) or {})
    old = model._sliders
    names = list(old.names) if old else []
    directions = [*old.directions] if old else []
    deviations = [*old.deviations] if old else []
    for number, slider in enumerate(folders):
        known = ~np.isnan(wanted[:, number])
        found = Sliders.learned(z[known], wanted[known, number : number + 1], (slider,))
        if slider in names:
            place = names.index(slider)
            directions[place], deviations[place] = found.directions[0], found.deviations[0]
            continue
        names.append(slider)
        directions.append(found.directions[0])
        deviations.append(found.deviations[0])
    learned = Sliders(tuple(names), np.stack(directions), np.array(deviations))
    arrays |= learned.arrays()
    about = dict(model.checkpoint.config.get("sliders") or {})
    config = {**model.checkpoint.config, "name": name, "sliders": {**about, "names": names}}
    card = model.card + (
        "\n## Sliders learned from folders\n\n" + ", ".join(folders) + ": one standard deviation "
        "is the way from the one folder's middle to the other's, halved.\n"
    )
    return _again(model.checkpoint, out, arrays, config, card)


def _some(windows: Windows, count: int) -> Windows:
    if len(windows) <= count:
        return windows
    return windows.take(np.sort(np.random.default_rng(0).permutation(len(windows))[:count]))


def _encoded(model: BarsVAEModel, tables: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mu, log_variance = model._engine.encode(tables.astype(np.int64))
    return mu.astype(np.float64), log_variance.astype(np.float64)


def _decoded(model: BarsVAEModel, z: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Decode the likeliest windows at points, each in the meter of its window."""
    lengths = (like[:, 0] != model.representation.pad).sum(axis=1)
    made = np.zeros_like(like)
    for length in np.unique(lengths):
        rows = np.flatnonzero(lengths == length)
        generators = [generator_of(0)] * len(rows)
        made[rows] = model._engine.decode(z[rows], int(length), generators, Sampling(0.0))
    return made


def _again(
    checkpoint: Checkpoint,
    folder: Path,
    arrays: Mapping[str, np.ndarray],
    config: dict[str, Any],
    card: str,
) -> Checkpoint:
    """Write a checkpoint with other arrays; its weights and graphs are the same."""
    return save_checkpoint(
        folder,
        config=config,
        weights=checkpoint.stored_weights(),
        graphs={file: checkpoint.graph(file) for file in checkpoint.config["graphs"].values()},
        card=card,
        extras={LATENT: write_arrays(arrays)},
    )
