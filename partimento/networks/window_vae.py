"""`WindowVAE`: what all networks share that send windows of bars through one vector `z`.

Such a network has three parts, and generation runs a graph of each (`training.bars_graphs`): an
*encoder* says where windows lie, a *planner* what a point wants of each step, and a *writer* says
the tokens one after another. `networks.bars_vae` and `networks.flat_vae` differ in these parts
alone.

References
----------
Kingma and Welling, "Auto-Encoding Variational Bayes", 2014 (the bound and its divergence).
Mihaylova and Martins, "Scheduled Sampling for Transformers", 2019 (the two passes of
`WindowVAE.forward`).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from partimento.errors import ParameterError
from partimento.networks.checks import check_shares

LOG_VARIANCE = (-12.0, 4.0)  # of the encoder's Gaussians


@dataclass(frozen=True)
class WindowVAEConfig:
    """What a network reads and writes, its regularisation, and its price.

    Attributes
    ----------
    vocab_size, bars, positions : int
        Of the tables it reads and writes: see `representations.bars`. Token `vocab_size` is the
        padding after a bar's end.
    latent_size : int
        Of `z`.
    step_size, writer_size : int
        Of what is wanted of a step, and of the state of what writes.
    bits : int
        Tokens are sets of so many things, a bit each. 0: each token is something of its own.
    dropout : float
        Of the tokens that the writer reads, so that it leans on `z`.
    own_tokens : float
        Share of the tokens read in training that are the network's own draws, not the music's.
    beta : float
        Price of a nat of KL divergence, in nats of reconstruction.
    free_nats : float
        KL divergence of a sequence that costs nothing.
    beta_steps : int
        Steps of training over which the price rises from 0.
    """

    vocab_size: int
    bars: int = 2
    positions: int = 24
    latent_size: int = 256
    step_size: int = 64
    writer_size: int = 192
    bits: int = 0
    dropout: float = 0.0
    own_tokens: float = 0.0
    beta: float = 0.2
    free_nats: float = 0.0
    beta_steps: int = 1000

    def __post_init__(self) -> None:
        if self.vocab_size < 2:
            raise ParameterError(f"a network needs 2 tokens or more, got {self.vocab_size}")
        for name in ("bars", "positions", *self.sizes):
            if getattr(self, name) < 1:
                raise ParameterError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.bits and self.vocab_size != 2**self.bits:
            raise ParameterError(
                f"{self.bits} bits are {2**self.bits} tokens, not {self.vocab_size}"
            )
        for name in ("beta", "free_nats", "beta_steps"):
            if not getattr(self, name) >= 0:
                raise ParameterError(f"{name} must be 0 or more, got {getattr(self, name)}")
        check_shares(self, "dropout", "own_tokens")

    @property
    def sizes(self) -> tuple[str, ...]:
        """Names of the sizes."""
        return tuple(name for name in self.__dataclass_fields__ if name.endswith("_size"))

    @property
    def nothing(self) -> int:
        """Token before the first, and where one was dropped."""
        return self.vocab_size + 1

    @property
    def bars_apart(self) -> bool:
        """Whether the writer starts anew at each bar line."""
        return False

    @property
    def bars_at_once(self) -> bool:
        """Whether it does not even read what was written last before the bar line."""
        return False


class Writing(nn.Module):
    """A writer: called with a plan, states and tokens, it gives the logits of all steps at once."""

    def step(self, token: Tensor, plan: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """One step of `forward`, written as matrix products: logits and the new state.

        `token` (batch,) is the one before, `plan` (batch, plan) that of this step.
        """
        raise NotImplementedError


class WindowVAE(nn.Module):
    """Encodes windows of bars as points of a space, and decodes points of it.

    Parameters
    ----------
    encoder
        From tables to the mean and the logarithm of the variance of each window's Gaussian.
    planner
        From `z` to the plan of every step (batch, bar, position, step), and to the writer's state
        at the start of each bar (batch, bar, writer).
    writer : Writing
        From plan, states and tokens (batch, bar, step) to logits (batch, bar, step, vocab).
    """

    def __init__(
        self, config: WindowVAEConfig, encoder: nn.Module, planner: nn.Module, writer: Writing
    ) -> None:
        super().__init__()
        self.config = config
        self.encoder, self.planner, self.writer = encoder, planner, writer

    def forward(
        self, tables: Int[Tensor, "batch bar position"]
    ) -> tuple[Float[Tensor, "batch time vocab"], Float[Tensor, " batch"]]:
        """Reconstruct windows through a random `z` of theirs.

        Returns
        -------
        logits
            Of each cell of the tables, rows one after another; what stands at padding is nothing.
        kl
            Divergence from a standard normal, in nats per sequence.
        """
        mu, log_variance = self.encoder(tables)
        z = mu + torch.exp(0.5 * log_variance) * torch.randn_like(mu)
        logits = self.decode(z, tables)
        if self.training and self.config.own_tokens:
            drawn = torch.distributions.Categorical(logits=logits.detach().float()).sample()
            is_own = torch.rand(tables.shape, device=tables.device) < self.config.own_tokens
            is_own = is_own & (tables < self.config.vocab_size)
            read = torch.where(is_own, drawn.view(tables.shape), tables)
            logits = self.decode(z, read)
        return logits, kl_to_standard_normal(mu, log_variance)

    def decode(
        self, z: Float[Tensor, "batch latent"], read: Int[Tensor, "batch bar position"]
    ) -> Float[Tensor, "batch time vocab"]:
        """Logits of each cell, when all before it are those of `read`."""
        steps = int((read < self.config.vocab_size).any(0).any(0).sum())  # of a bar, at most
        before = read[:, :, :steps]
        if self.training and self.config.dropout:
            is_kept = torch.rand(before.shape, device=read.device) >= self.config.dropout
            before = torch.where(is_kept, before, self.config.nothing)
        plan, state = self.planner(z)
        logits = self.writer(plan[:, :, :steps], state, before)  # batch bar step vocab
        rest = self.config.positions - steps
        return F.pad(logits, (0, 0, 0, rest)).flatten(1, 2)

    def price(self, kl: Float[Tensor, " batch"], step: int) -> Tensor:
        """Give what the KL divergences of a batch cost at a step of training, in nats."""
        config = self.config
        beta = config.beta * min(1.0, (step + 1) / max(1, config.beta_steps))
        return beta * F.relu(kl - config.free_nats).sum()


def patterns(bits: int) -> Float[Tensor, "vocab bit"]:
    """Which bits each token has, as 0 and 1."""
    tokens = torch.arange(2**bits)
    return ((tokens[:, None] >> torch.arange(bits)) & 1).float()


def kl_to_standard_normal(
    mu: Float[Tensor, "batch latent"], log_variance: Float[Tensor, "batch latent"]
) -> Float[Tensor, " batch"]:
    """KL(q(z|x) || N(0, I)) of a diagonal Gaussian, in nats per sequence.

    Closed form of Kingma and Welling, "Auto-Encoding Variational Bayes", 2014, appendix B.
    """
    return -0.5 * (1 + log_variance - mu.square() - log_variance.exp()).sum(dim=-1)
