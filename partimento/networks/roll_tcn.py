"""`RollTCN`: the temporal convolutional network that piano rolls are usually compared with.

Residual blocks of two causal convolutions, each block reaching twice as far back as the one below;
weight normalisation, ReLU and dropout after each convolution; 88 sigmoids at the end. It is here
so that the column of independent keys has an anchor that was trained and measured as our own rows
were.

References
----------
Bai, Kolter and Koltun, "An Empirical Evaluation of Generic Convolutional and Recurrent Networks for
Sequence Modeling", 2018: section 3 (the network), table 2 of the appendix (its sizes). Salimans and
Kingma, "Weight Normalization", 2016.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

from partimento.errors import ParameterError
from partimento.networks.checks import check_shares
from partimento.networks.rolls import KEYS, later


@dataclass(frozen=True)
class RollTCNConfig:
    """Size and regularisation of a `RollTCN`.

    Attributes
    ----------
    channels, levels, kernel_size : int
        A level is a block; the convolutions of level n are dilated by 2 to the n.
    dropout : float
    """

    channels: int = 150
    levels: int = 4
    kernel_size: int = 5
    dropout: float = 0.25

    def __post_init__(self) -> None:
        for name in ("channels", "levels", "kernel_size"):
            if getattr(self, name) < 1:
                raise ParameterError(f"{name} must be at least 1, got {getattr(self, name)}")
        check_shares(self, "dropout")

    @property
    def form(self) -> str:
        """What it says of a frame: see `partimento.networks.rolls`."""
        return "keys"


class RollTCN(nn.Module):
    """Predicts each key of each frame from the frames before it."""

    def __init__(self, config: RollTCNConfig) -> None:
        super().__init__()
        self.config = config
        sizes = [KEYS] + [config.channels] * config.levels
        self.blocks = nn.Sequential(
            *(
                _Block(sizes[level], sizes[level + 1], config, 2**level)
                for level in range(config.levels)
            )
        )
        self.head = nn.Linear(config.channels, KEYS)

    def forward(
        self, features: Int[Tensor, "batch time feature"]
    ) -> tuple[Float[Tensor, "batch time slot class"], None]:
        """Logits of each key of each frame: classes "rests" and "sounds"."""
        frames = later(features[..., :KEYS], 1).to(self.head.weight.dtype)
        hidden = self.blocks(frames.transpose(1, 2)).transpose(1, 2)  # batch time channel
        logits = self.head(hidden).float()
        return torch.stack([torch.zeros_like(logits), logits], dim=-1), None


class _Block(nn.Module):
    """Two causal convolutions, and a way around them."""

    def __init__(self, inputs: int, outputs: int, config: RollTCNConfig, dilation: int) -> None:
        super().__init__()
        self.reach = (config.kernel_size - 1) * dilation
        size = config.kernel_size
        self.first = weight_norm(nn.Conv1d(inputs, outputs, size, dilation=dilation))
        self.second = weight_norm(nn.Conv1d(outputs, outputs, size, dilation=dilation))
        self.around = nn.Conv1d(inputs, outputs, 1) if inputs != outputs else nn.Identity()
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, inputs: Float[Tensor, "batch _ time"]) -> Float[Tensor, "batch channel time"]:
        hidden = inputs
        for convolution in (self.first, self.second):
            hidden = self.dropout(F.relu(convolution(F.pad(hidden, (self.reach, 0)))))
        return F.relu(hidden + self.around(inputs))
