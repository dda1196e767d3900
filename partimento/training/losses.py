"""Losses, in nats, each once for every model."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F


def nll_per_step(
    logits: Float[Tensor, "batch time vocab"], targets: Int[Tensor, "batch time"]
) -> Float[Tensor, "batch time"]:
    """Negative log-likelihood of each target token, in nats."""
    flat = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
    return flat.view(targets.shape)


def sum_over_real(
    values: Float[Tensor, "batch time"], is_real: Bool[Tensor, "batch time"]
) -> Float[Tensor, ""]:
    """Sum over the steps that are music, not padding."""
    return torch.where(is_real, values, 0.0).sum()
