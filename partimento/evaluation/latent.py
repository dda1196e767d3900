"""How well a VAE reconstructs, and what its roads sound like: the figures of the table `vae`.

`reconstruction` measures windows that were sent through the bottleneck and back. `road_costs`
walks between pairs of windows and has an independent 5-gram say how unlikely each step is, beside
roads on which the notes of both ends are merely mixed.

References
----------
Roberts et al., "MusicVAE", ICML 2018: sections 5.2 (reconstruction) and 5.3 (interpolation, costs
under a 5-gram, the mixed baseline), tables 1 and 2, figure 4.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from partimento.generation.latent import slerp
from partimento.generation.sampling import Sampling, generator_of
from partimento.models.bars_vae import BarsVAEModel
from partimento.music.grid import Grid
from partimento.representations.bars import BarsRepresentation
from partimento.training.batches import EncodedPiece
from partimento.training.ngram import NGram
from partimento.training.windows import Windows

PAIRS, STEPS, TEMPERATURE = 1024, 9, 0.5


@dataclass(frozen=True)
class Reconstruction:
    """Shares of what was reconstructed.

    Attributes
    ----------
    teacher_forced, sampled : float
        Of all steps: the likeliest token when those before are the music's own; and drawn at
        temperature 1, one after another. By the mean of each window's Gaussian.
    onsets : float
        Of the steps at which something starts, sampled.
    exact : float
        Of the windows, every step sampled right.
    drawn : float
        Of all steps, sampled, by a random point of each window's Gaussian.
    """

    teacher_forced: float
    sampled: float
    onsets: float
    exact: float
    drawn: float

    def as_dict(self) -> dict[str, float]:
        """Plain values, rounded."""
        return {name: round(value, 4) for name, value in asdict(self).items()}


def reconstruction(model: BarsVAEModel, windows: Windows, seed: int = 0) -> Reconstruction:
    """Send windows through the bottleneck and back."""
    representation, engine = model.representation, model._engine
    tables = windows.tables.astype(np.int64)
    is_real = tables != representation.pad
    mu, log_variance = engine.encode(tables)
    noise = np.stack(
        [generator_of(seed, row).standard_normal(mu.shape[1]) for row in range(len(mu))]
    )
    z = mu + np.exp(0.5 * log_variance) * noise
    forced, sampled, drawn = (np.zeros_like(tables) for _ in range(3))
    for bar_steps, rows in _by_length(tables, representation):
        dice = [generator_of(seed + 1, int(row)) for row in rows]
        sampled[rows] = engine.decode(mu[rows], bar_steps, dice, Sampling(1.0))
        drawn[rows] = engine.decode(z[rows], bar_steps, dice, Sampling(1.0))
        forced[rows] = engine.likeliest(mu[rows], tables[rows], bar_steps)
    right = (sampled == tables) & is_real
    is_onset = representation.is_onset(tables)
    total = is_real.sum()
    return Reconstruction(
        float(((forced == tables) & is_real).sum() / total),
        float(right.sum() / total),
        float(right[is_onset].mean()),
        float((right | ~is_real).all(axis=(1, 2)).mean()),
        float(((drawn == tables) & is_real).sum() / total),
    )


def _by_length(
    tables: np.ndarray, representation: BarsRepresentation
) -> list[tuple[int, np.ndarray]]:
    """Windows by the steps of their bars, in batches."""
    lengths = (tables[:, 0] != representation.pad).sum(axis=1)
    found = []
    for length in np.unique(lengths):
        rows = np.flatnonzero(lengths == length)
        found += [(int(length), part) for part in np.split(rows, np.arange(512, len(rows), 512))]
    return found


@dataclass(frozen=True, eq=False)
class RoadCosts:
    """What roads cost, step by step; each of shape (step,).

    Attributes
    ----------
    ours, mixed : float64 array
        Mean 5-gram cost of a step, divided by the mean of the ends' weighted by nearness: 1 is as
        likely as the ends. Decoded, and with the tokens of both ends mixed at random.
    to_a : float64 array
        Mean share of the grid steps at which something else happens than at the beginning.
    """

    ours: np.ndarray
    mixed: np.ndarray
    to_a: np.ndarray

    def as_dict(self) -> dict[str, Any]:
        """Plain values, rounded."""
        return {name: np.round(value, 4).tolist() for name, value in vars(self).items()}


def road_costs(
    model: BarsVAEModel,
    windows: Windows,
    language: NGram,
    *,
    pairs: int = PAIRS,
    steps: int = STEPS,
    bar_steps: int = 16,
    seed: int = 0,
) -> RoadCosts:
    """Walk between pairs of held-out windows of different pieces.

    Parameters
    ----------
    language
        Fitted to other music than `windows`.
    bar_steps
        Windows of other meters are passed over.
    """
    representation, engine = model.representation, model._engine
    fits = (windows.tables[:, 0] != representation.pad).sum(axis=1) == bar_steps
    tables, piece = windows.tables[fits].astype(np.int64), windows.piece[fits]
    generator = generator_of(seed)
    one, other = (generator.integers(0, len(tables), 4 * pairs) for _ in range(2))
    kept = np.flatnonzero(piece[one] != piece[other])[:pairs]
    ends = tables[one[kept]], tables[other[kept]]
    mu = [engine.encode(end)[0] for end in ends]
    mean = model._prior.mean
    shares = np.linspace(0, 1, steps)
    costs, mixed, to_a = [], [], []
    for number, share in enumerate(shares.tolist()):
        if number in (0, steps - 1):
            made = blended = ends[0] if number == 0 else ends[1]
        else:
            z = np.stack(
                [mean + slerp(a - mean, b - mean, share) for a, b in zip(*mu, strict=True)]
            )
            dice = [generator_of(seed + 1, row) for row in range(len(z))]
            made = engine.decode(z, bar_steps, dice, Sampling(TEMPERATURE))
            is_other = generator.random(ends[0].shape) < share
            blended = np.where(is_other, ends[1], ends[0])
        costs.append(window_cost(made, representation, language, bar_steps))
        mixed.append(window_cost(blended, representation, language, bar_steps))
        to_a.append(float((made != ends[0])[ends[0] != representation.pad].mean()))
    first, last = costs[0], costs[-1]
    between = (1 - shares) * first + shares * last
    return RoadCosts(np.array(costs) / between, np.array(mixed) / between, np.array(to_a))


def window_cost(
    tables: np.ndarray, representation: BarsRepresentation, language: NGram, bar_steps: int
) -> float:
    """Mean nats of a window under a 5-gram."""
    rows = representation.read_off(tables, bar_steps)
    return float(np.mean([language.surprise(row).sum() for row in rows]))


def fit_language(windows: Windows, representation: BarsRepresentation, transpose: int = 5) -> NGram:
    """Count what follows what in windows, each in several keys."""
    pieces = []
    for row in windows.tables.astype(np.int64):
        tokens = row[row != representation.pad]
        pieces.append(EncodedPiece(tokens, _NO_GRID))
    return NGram.fit(pieces, representation.vocab_size, transpose=transpose)


_NO_GRID = Grid(*(np.zeros(0, dtype=np.int64) for _ in range(4)))


def attribute_distances(
    made: np.ndarray, held_out: np.ndarray, names: Sequence[str]
) -> dict[str, tuple[float, float]]:
    """Mean of each attribute over windows made and held out."""
    return {
        name: (float(made[:, number].mean()), float(held_out[:, number].mean()))
        for number, name in enumerate(names)
    }
