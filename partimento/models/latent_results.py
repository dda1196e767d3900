"""What comes back from the verbs of a VAE of bars, beside music: see `models.bars_vae`."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from partimento.music.score import Score


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """A piece through the bottleneck and back.

    Attributes
    ----------
    score : Score
    same : float
        Share of the grid steps at which the same happens as in the piece.
    same_by_bar : float64 array, shape (bar,)
    remarks : tuple of str
        What was changed for the model's ears.
    """

    score: Score
    same: float
    same_by_bar: np.ndarray
    remarks: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Road:
    """The way from one piece to another.

    Attributes
    ----------
    scores : list of Score
        A first, B last.
    whole : Score
        All of them in a row.
    to_a, to_b : float64 arrays, shape (step,)
        Share of the grid steps at which something else happens than in A, and than in B.
    remarks : tuple of str
    """

    scores: list[Score]
    whole: Score
    to_a: np.ndarray
    to_b: np.ndarray
    remarks: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class LatentLikelihood:
    """How likely windows are under a VAE: an estimate, and a bound.

    Attributes
    ----------
    nats : float
        Importance-weighted estimate of the negative log-likelihood of the whole piece; with more
        samples it falls towards the truth.
    bound : float
        Negative ELBO by the same samples: never mixed with the estimate, and never below it.
    window_nats : float64 array, shape (window,)
        The estimate, by window.
    samples : int
    notes, steps : int
        Of the windows.
    remarks : tuple of str
    """

    nats: float
    bound: float
    window_nats: np.ndarray
    samples: int
    notes: int
    steps: int
    remarks: tuple[str, ...] = ()

    @property
    def nats_per_note(self) -> float:
        """`nats` divided by the number of notes."""
        return self.nats / max(1, self.notes)

    @property
    def nats_per_step(self) -> float:
        """`nats` divided by the number of grid steps."""
        return self.nats / max(1, self.steps)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as `partimento likelihood --json` prints them."""
        return {
            "estimate_nats": self.nats,
            "bound_nats": self.bound,
            "samples": self.samples,
            "nats_per_note": self.nats_per_note,
            "nats_per_step": self.nats_per_step,
            "num_notes": self.notes,
            "num_steps": self.steps,
            "windows": self.window_nats.tolist(),
        }
