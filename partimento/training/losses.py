"""Losses, in nats, each once for every model."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F


def nll_per_step(
    logits: Float[Tensor, "*batch vocab"], targets: Int[Tensor, "*batch"]
) -> Float[Tensor, "*batch"]:
    """Negative log-likelihood of each target token, in nats.

    Targets are steps (batch, time), or cells of steps (batch, time, voice).
    """
    flat = F.cross_entropy(logits.flatten(0, -2), targets.flatten(), reduction="none")
    return flat.view(targets.shape)


def sum_over_real(
    values: Float[Tensor, "*batch"], is_real: Bool[Tensor, "*batch"]
) -> Float[Tensor, ""]:
    """Sum over the steps, or cells, that are music, not padding."""
    return torch.where(is_real, values, 0.0).sum()
