"""Points of a space of music: where they are drawn, and the roads between them.

`Prior` is the Gaussian from which points are drawn when music is made from nothing. It is fitted to
where the training windows lie: the standard normal that a VAE is pulled towards is not where they
end up when the pull is weak. `slerp` walks from point to point, `strayed` goes some way off.

References
----------
Ghosh, Sajjadi, Vergari, Black and Schoelkopf, "From Variational to Deterministic Autoencoders",
ICLR 2020, section 4 (a density fitted to the codes afterwards). White, "Sampling Generative
Networks", 2016, section 2.1 (slerp). Burda, Grosse and Salakhutdinov, "Importance Weighted
Autoencoders", ICLR 2016, equation 8.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from partimento.errors import CheckpointError

SMALLEST_VARIANCE = 1e-4


@dataclass(frozen=True, eq=False)
class Prior:
    """A Gaussian over points.

    Attributes
    ----------
    mean : float64 array, shape (latent,)
    factor : float64 array, shape (latent, latent)
        Lower triangular: a point is ``mean + factor @ noise``.
    """

    mean: np.ndarray
    factor: np.ndarray

    @classmethod
    def standard(cls, latent_size: int) -> "Prior":
        """Mean 0, variance 1."""
        return cls(np.zeros(latent_size), np.eye(latent_size))

    @classmethod
    def fitted(cls, mu: np.ndarray, log_variance: np.ndarray) -> "Prior":
        """Mean and covariance of the mixture of these windows' Gaussians."""
        mean = mu.mean(axis=0, dtype=np.float64)
        away = mu - mean
        covariance = away.T @ away / len(mu) + np.diag(np.exp(log_variance).mean(axis=0))
        covariance += SMALLEST_VARIANCE * np.eye(len(mean))
        return cls(mean, np.linalg.cholesky(covariance))

    @classmethod
    def of_arrays(cls, arrays: dict[str, np.ndarray] | None, latent_size: int) -> "Prior":
        """Read what `arrays` wrote; the standard normal where there is nothing."""
        if not arrays or "prior_mean" not in arrays or "prior_factor" not in arrays:
            return cls.standard(latent_size)
        mean = arrays["prior_mean"].astype(np.float64)
        factor = np.tril(arrays["prior_factor"].astype(np.float64))
        is_sound = mean.shape == (latent_size,) and factor.shape == (latent_size, latent_size)
        if not is_sound or not np.isfinite(mean).all() or not np.isfinite(factor).all():
            raise CheckpointError("the checkpoint's prior does not fit its network")
        if not (np.diag(factor) > 0).all():
            raise CheckpointError("the checkpoint's prior is no Gaussian")
        return cls(mean, factor)

    def arrays(self) -> dict[str, np.ndarray]:
        """Give it as plain arrays, for a checkpoint."""
        return {
            "prior_mean": self.mean.astype(np.float32),
            "prior_factor": self.factor.astype(np.float32),
        }

    def draw(self, generators: Sequence[np.random.Generator]) -> np.ndarray:
        """Draw a point by each generator; float64, shape (point, latent)."""
        return np.stack([self._point(generator) for generator in generators])

    def _point(self, generator: np.random.Generator) -> np.ndarray:
        # Row by row: a product of many rows would give other last bits than of one.
        drawn: np.ndarray = self.mean + self.factor @ generator.standard_normal(len(self.mean))
        return drawn

    def log_density(self, z: np.ndarray) -> np.ndarray:
        """Logarithm of the density at points, (point, latent) to (point,)."""
        noise = np.linalg.solve(self.factor, (z - self.mean).T)  # latent point
        volume = np.log(np.diag(self.factor)).sum()
        return -0.5 * ((noise**2).sum(axis=0) + len(self.mean) * np.log(2 * np.pi)) - volume


def normal_log_density(z: np.ndarray, mu: np.ndarray, log_variance: np.ndarray) -> np.ndarray:
    """Logarithm of the density of diagonal Gaussians, (..., latent) to (...)."""
    away = (z - mu) ** 2 / np.exp(log_variance)
    return -0.5 * (away + log_variance + np.log(2 * np.pi)).sum(axis=-1)


def slerp(start: np.ndarray, end: np.ndarray, share: float) -> np.ndarray:
    """Point on the way from one to another, along the sphere; `share` is 0 to 1.

    A straight way leads past points nearer to the middle of the space than any music lies.
    """
    lengths = np.linalg.norm(start), np.linalg.norm(end)
    cosine = start @ end / (lengths[0] * lengths[1]) if min(lengths) > 0 else 1.0
    angle = np.arccos(np.clip(cosine, -1, 1))
    weights = np.array([1 - share, share])
    if np.sin(angle) > 1e-6:
        weights = np.sin(weights * angle) / np.sin(angle)
    found: np.ndarray = weights[0] * start + weights[1] * end
    return found


def strayed(
    points: np.ndarray, amount: float, prior: Prior, generator: np.random.Generator
) -> np.ndarray:
    """Go some way from points towards others drawn from the prior: 0 stays, 1 arrives there.

    Shares are squares: the result has the variance of the prior all along the way.
    """
    others = prior.draw([generator] * len(points))
    angle = amount * np.pi / 2
    moved: np.ndarray = (
        prior.mean + np.cos(angle) * (points - prior.mean) + np.sin(angle) * (others - prior.mean)
    )
    return moved
