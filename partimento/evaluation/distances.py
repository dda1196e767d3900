"""How far two sets of melodies are apart: distances of histograms and of statistics.

References
----------
Lin, "Divergence Measures Based on the Shannon Entropy", 1991 (Jensen-Shannon). Yang and Lerch, "On
the evaluation of generative models in music", Neural Computing and Applications 32, 2020 (distances
inside a set beside distances between two sets, and the overlap of their densities).
"""

from collections.abc import Callable

import numpy as np

GRID_POINTS = 512


def jensen_shannon(one: np.ndarray, other: np.ndarray) -> float:
    """Jensen-Shannon divergence of two histograms that sum to 1, in bits: 0 alike, 1 disjoint.

    Examples
    --------
    >>> jensen_shannon(np.array([0.5, 0.5, 0]), np.array([0, 0, 1.0]))
    1.0
    """
    middle = (one + other) / 2
    return float((_relative_entropy(one, middle) + _relative_entropy(other, middle)) / 2)


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Area under both of two histograms that sum to 1: 1 alike, 0 disjoint."""
    return float(np.minimum(one, other).sum())


def set_overlap(generated: np.ndarray, reference: np.ndarray) -> float:
    """Overlapping area of Yang and Lerch for one statistic, 0 to 1.

    It compares how far melodies of the reference are from each other with how far they are from
    generated ones: 1 where generated melodies are no farther, and no nearer. Densities are Gaussian
    kernel estimates (Scott's rule) of the distances. Where all numbers are 0 or 1 distances say
    nothing, and it is the overlap of the two shares.

    Parameters
    ----------
    generated, reference : float array, shape (melody,)
        One number a melody; at least two in the reference.
    """
    if np.isin([*generated, *reference], (0, 1)).all():
        return 1 - abs(float(np.mean(generated) - np.mean(reference)))
    first, second = np.triu_indices(len(reference), k=1)
    inside = np.abs(reference[first] - reference[second])
    between = np.abs(generated[:, None] - reference[None, :]).ravel()
    farthest = max(inside.max(initial=0), between.max(initial=0))
    if farthest == 0:
        return 1.0  # all numbers are one
    margin = farthest / 4
    grid = np.linspace(-margin, farthest + margin, GRID_POINTS)
    lower = np.minimum(_density(inside, farthest)(grid), _density(between, farthest)(grid))
    return float(min(1.0, lower.sum() * (grid[1] - grid[0])))


def _relative_entropy(of: np.ndarray, to: np.ndarray) -> float:
    """KL(of || to) in bits."""
    some = of > 0
    return float((of[some] * np.log2(of[some] / to[some])).sum())


def _density(values: np.ndarray, scale: float) -> Callable[[np.ndarray], np.ndarray]:
    """Gaussian kernel estimate; where values hardly differ, as narrow as the grid can show."""
    width = max(float(values.std()) * len(values) ** -0.2, scale / 100)
    places, counts = np.unique(np.round(values / scale, 4) * scale, return_counts=True)
    weights = counts / counts.sum() / (width * np.sqrt(2 * np.pi))

    def at(grid: np.ndarray) -> np.ndarray:
        total = np.zeros(len(grid))
        for some in np.array_split(np.arange(len(places)), len(places) // 1024 + 1):
            distance = (grid[:, None] - places[None, some]) / width  # grid value
            total += np.exp(-0.5 * distance**2) @ weights[some]
        return total

    return at
