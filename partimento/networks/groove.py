"""`GrooveNet`: writes how drums are played, stroke by stroke, by what it is told of them.

A recurrent layer reads what is told from the end to the beginning, so that it knows at each step
what lies ahead. A second goes forward and reads that, what is told of the step, and all that was
written before. Within a step the drums are written one after another, each knowing those before it:
their contributions are added up (as in NADE), so that training needs no loop. So the likelihood of
a performance is the product of its strokes', exact and without a bound.

References
----------
Gillick, Roberts, Engel, Eck and Bamman, "Learning to Groove with Inverse Sequence Transformations",
ICML 2019 (the tasks; there the writer draws all drums of a step at once). Uria et al., "Neural
Autoregressive Distribution Estimation", 2016, section 2 (within a step).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from partimento.errors import ParameterError
from partimento.networks.checks import check_shares

NO = -1e9  # logit of a class that a cell does not have


@dataclass(frozen=True)
class GrooveNetConfig:
    """Size and regularisation of a `GrooveNet`.

    Attributes
    ----------
    given_size : int
        Numbers of a step that it is told.
    drums, classes : int
        Drums, and classes of velocity and of offset.
    ahead_size, writer_size, stroke_size : int
        Of the layer that looks ahead, of that which writes, and of what is known at a stroke.
    dropout : float
        Of what it reads of its own writing, and of what is known at a stroke.
    """

    given_size: int
    drums: int = 9
    classes: int = 32
    ahead_size: int = 64
    writer_size: int = 96
    stroke_size: int = 64
    dropout: float = 0.1

    def __post_init__(self) -> None:
        for name in (
            "given_size", "drums", "classes", "ahead_size", "writer_size", "stroke_size"
        ):  # fmt: skip
            if getattr(self, name) < 1:
                raise ParameterError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.classes < 2:
            raise ParameterError(f"classes must be at least 2, got {self.classes}")
        check_shares(self, "dropout")

    @property
    def cells(self) -> int:
        """Of a step: struck, velocity and offset of each drum."""
        return 3 * self.drums


class GrooveNet(nn.Module):
    """Predicts each cell from what is told and from the cells written before it."""

    def __init__(self, config: GrooveNetConfig) -> None:
        super().__init__()
        self.config = config
        given, ahead, writer = config.given_size, config.ahead_size, config.writer_size
        self.ahead = nn.GRU(given, ahead, batch_first=True)
        self.writer = nn.GRU(given + ahead + config.cells, writer, batch_first=True)
        self.base = nn.Linear(given + ahead + writer, config.stroke_size)
        self.stroke = Stroke(config)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self, features: Float[Tensor, "batch time feature"]
    ) -> tuple[Float[Tensor, "batch time cell vocab"], None]:
        """Logits of every cell, when all before it are as given.

        Parameters
        ----------
        features
            What is told of each step, then what is written in its cells.
        """
        given, written = features.split([self.config.given_size, self.config.cells], dim=-1)
        before = F.pad(written, (0, 0, 1, 0))[:, :-1]
        ahead = self.ahead(given.flip(1))[0].flip(1)
        read = torch.cat([given, ahead, self.dropout(before)], dim=-1)
        state = self.writer(read)[0]
        base = self.base(torch.cat([given, ahead, state], dim=-1))  # batch time stroke
        return self.stroke(base, written), None


class Stroke(nn.Module):
    """What is written of one drum after another, within a step."""

    def __init__(self, config: GrooveNetConfig) -> None:
        super().__init__()
        self.config = config
        size = config.stroke_size
        self.drum = nn.Parameter(torch.randn(config.drums, size) * 0.3)
        self.before = nn.Parameter(torch.randn(3, config.drums, size) * 0.1)
        self.dense = nn.Linear(size, size)
        self.dropout = nn.Dropout(config.dropout)
        self.weight = nn.Parameter(torch.zeros(config.drums, size, 2 + 2 * config.classes))
        self.bias = nn.Parameter(torch.zeros(config.drums, 2 + 2 * config.classes))

    def forward(
        self, base: Float[Tensor, "batch time stroke"], written: Float[Tensor, "batch time cell"]
    ) -> Float[Tensor, "batch time cell vocab"]:
        """Logits of all cells of a step; cells are struck, then velocity, then offset of each."""
        drums, classes = self.config.drums, self.config.classes
        cells = written.unflatten(-1, (3, drums))
        said = torch.einsum("btkd,kds->btds", cells, self.before)
        known = F.pad(said, (0, 0, 1, 0))[:, :, :-1].cumsum(dim=2)  # of the drums before each
        hidden = self._hidden(base[:, :, None] + known + self.drum)
        logits = torch.einsum("btds,dsc->btdc", hidden, self.weight) + self.bias
        struck, velocity, offset = logits.split([2, classes, classes], dim=-1)
        struck = F.pad(struck, (0, classes - 2), value=NO)
        return torch.cat([struck, velocity, offset], dim=2)

    def step(self, base: Tensor, written: Tensor, drum: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits of one drum: struck (batch, 2), velocity and offset (batch, class).

        `base` (batch, stroke), `written` (batch, cell) with zeros for this drum and those after,
        `drum` (batch,) int64.
        """
        known = written @ self.before.flatten(0, 1)
        hidden = self._hidden(base + known + F.embedding(drum, self.drum))
        size, classes = self.config.stroke_size, self.config.classes
        weight = F.embedding(drum, self.weight.flatten(1)).view(-1, size, 2 + 2 * classes)
        logits = (hidden[:, None] @ weight)[:, 0] + F.embedding(drum, self.bias)
        struck, velocity, offset = logits.split([2, classes, classes], dim=-1)
        return struck, velocity, offset

    def _hidden(self, values: Tensor) -> Tensor:
        values = F.gelu(values)
        made: Tensor = values + self.dropout(F.gelu(self.dense(values)))
        return made


def gru_step(layer: nn.GRU, read: Tensor, state: Tensor) -> Tensor:
    """One step of a recurrent layer as matrix products: the new state (batch, hidden)."""
    weights = dict(layer.named_parameters())
    up = F.linear(read, weights["weight_ih_l0"], weights["bias_ih_l0"])
    across = F.linear(state, weights["weight_hh_l0"], weights["bias_hh_l0"])
    (r_up, z_up, n_up), (r, z, n) = up.chunk(3, dim=1), across.chunk(3, dim=1)
    stays = torch.sigmoid(z_up + z)
    candidate = torch.tanh(n_up + torch.sigmoid(r_up + r) * n)
    return candidate + stays * (state - candidate)
