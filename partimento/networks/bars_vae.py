"""`BarsVAE`: a few bars of music through one vector `z`, and back.

The encoder reads each bar as a whole, then the bars in turn from both sides, and says where in the
space of `z` the window lies: a Gaussian for each. The decoder goes the same way back: a *conductor*
walks over the bars, each bar lays out what it wants of each of its steps, and a small recurrent
layer writes the tokens one after another, reading what was wanted and what it has just written.
That last layer is weak on purpose: what it cannot remember has to be said by `z`. With
``bars_apart`` it forgets everything at each bar line, so that long pieces are written in the time
of one bar.

References
----------
Roberts, Engel, Raffel, Hawthorne and Eck, "A Hierarchical Latent Vector Model for Learning
Long-Term Structure in Music", ICML 2018: section 3.2 (conductor) and appendix A. Here bars are read
and laid out by dense layers in place of recurrent ones, which a CPU does many times faster. The
flat model of that paper is `networks.flat_vae`.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from partimento.errors import ParameterError
from partimento.networks.window_vae import (
    LOG_VARIANCE,
    WindowVAE,
    WindowVAEConfig,
    Writing,
    patterns,
)


@dataclass(frozen=True)
class BarsVAEConfig(WindowVAEConfig):
    """Size, regularisation and price of a `BarsVAE`.

    Attributes
    ----------
    vocab_size, bars, positions, latent_size, dropout, own_tokens, beta, free_nats, beta_steps
        See `WindowVAEConfig`.
    embedding_size, bar_size, conductor_size : int
        Of a token, of a bar as it is read, of a bar as it is written.
    step_size, writer_size : int
        Of what a bar wants of a step, and of the recurrent layer that writes.
    bits : int
        Tokens are sets of so many things, a bit each: sets that share a thing are read and written
        alike as far as it goes. 0: each token is something of its own.
    bars_apart : bool
        Whether the writing layer starts anew at each bar line.
    bars_at_once : bool
        Whether it does not even read what was written last before the bar line: then all bars of a
        window are written at the same time. Means `bars_apart`.
    """

    embedding_size: int = 48
    bar_size: int = 512
    conductor_size: int = 512
    bars_apart: bool = False
    bars_at_once: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.bar_size % 2 or self.conductor_size % 2:
            raise ParameterError("bar_size and conductor_size must be even")
        if self.bars_at_once and not self.bars_apart:
            raise ParameterError("bars_at_once needs bars_apart: bars that wait for none")


class BarsVAE(WindowVAE):
    """Encodes windows of bars as points of a space, and decodes points of it."""

    def __init__(self, config: BarsVAEConfig) -> None:
        super().__init__(config, Encoder(config), Planner(config), Writer(config))


class Encoder(nn.Module):
    """Says where windows lie.

    Beside the road through the bars goes a straight one, from tokens to `z` by matrix products
    alone. It learns in minutes what the other then refines; without it, it takes hours.
    """

    def __init__(self, config: BarsVAEConfig) -> None:
        super().__init__()
        size, half = config.bar_size, config.bar_size // 2
        self.embed = Reading(config)
        self.read = nn.Linear(config.positions * config.embedding_size, size)
        self.bar = Residual(size)
        self.along = nn.GRU(size, half, batch_first=True, bidirectional=True)
        self.bring = nn.Linear(size, half)
        self.join = nn.Linear(config.bars * half, size)
        self.whole = Residual(size)
        self.point = nn.Linear(size, 2 * config.latent_size)
        self.straight_bar = nn.Linear(config.positions * config.embedding_size, half)
        self.straight = nn.Linear(config.bars * half, config.latent_size)

    def forward(self, tables: Int[Tensor, "batch bar position"]) -> tuple[Tensor, Tensor]:
        """Mean and logarithm of the variance of each window's Gaussian, (batch, latent)."""
        cells = self.embed(tables).flatten(2)  # batch bar cell
        bars = self.bar(F.gelu(self.read(cells)))
        silent = (bars[:, 0] * 0).unflatten(1, (2, -1)).transpose(0, 1)  # direction batch half
        bars = bars + self.along(bars, silent.contiguous())[0]
        whole = self.whole(F.gelu(self.join(self.bring(bars).flatten(1))))
        mu, log_variance = self.point(whole).float().chunk(2, dim=1)
        mu = mu + self.straight(self.straight_bar(cells).flatten(1)).float()
        return mu, log_variance.clamp(*LOG_VARIANCE)


class Planner(nn.Module):
    """Says what a point wants of each step of each bar; here, too, a straight road goes beside."""

    def __init__(self, config: BarsVAEConfig) -> None:
        super().__init__()
        self.config = config
        size, half = config.conductor_size, config.conductor_size // 2
        self.spread = nn.Linear(config.latent_size, config.bars * half)
        self.conduct = nn.GRU(half, size, batch_first=True)
        self.bring = nn.Linear(half, size)
        self.bar = Residual(size)
        self.lay_out = nn.Linear(size, config.positions * config.step_size)
        self.begin = nn.Linear(size, config.writer_size)
        self.straight = nn.Linear(half, config.positions * config.step_size)

    def forward(
        self, z: Float[Tensor, "batch latent"]
    ) -> tuple[Float[Tensor, "batch bar position step"], Float[Tensor, "batch bar writer"]]:
        """Plan of every step, and the writing layer's state at the start of each bar."""
        config = self.config
        spread = self.spread(z).view(-1, config.bars, config.conductor_size // 2)
        brought = self.bring(spread)
        bars = self.bar(self.conduct(spread, (brought[:, 0] * 0)[None].contiguous())[0] + brought)
        plan = self.lay_out(bars) + self.straight(spread)
        plan = plan.view(-1, config.bars, config.positions, config.step_size)
        return plan, torch.tanh(self.begin(bars))


class Writer(Writing):
    """Writes tokens one after another, by a plan."""

    def __init__(self, config: BarsVAEConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = Reading(config)
        inputs = config.embedding_size + config.step_size
        self.gru = nn.GRU(inputs, config.writer_size, batch_first=True)
        self.head = Saying(config)

    def forward(
        self,
        plan: Float[Tensor, "batch bar step plan"],
        state: Float[Tensor, "batch bar writer"],
        tokens: Int[Tensor, "batch bar step"],
    ) -> Float[Tensor, "batch bar step vocab"]:
        """Logits of each step, when the tokens before it are these."""
        batch, bars, steps = tokens.shape
        nothing, alone = self.config.nothing, self.config.bars_at_once
        before = tokens if alone else tokens.flatten(1)
        before = F.pad(before, (1, 0), value=nothing)[..., :-1]
        read = torch.cat([self.embed(before).view(batch, bars, steps, -1), plan], dim=-1)
        if self.config.bars_apart:
            written, _ = self.gru(read.flatten(0, 1), state.reshape(1, batch * bars, -1))
        else:
            written, _ = self.gru(read.flatten(1, 2), state[None, :, 0].contiguous())
        written = written.view(batch, bars, steps, -1)
        logits: Tensor = self.head(torch.cat([written, plan], dim=-1))
        return logits

    def step(self, token: Tensor, plan: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """One step of `forward`: see `Writing.step`."""
        gru = self.gru
        read = torch.cat([self.embed(token), plan], dim=-1)
        weights = dict(gru.named_parameters())
        up = F.linear(read, weights["weight_ih_l0"], weights["bias_ih_l0"])
        across = F.linear(state, weights["weight_hh_l0"], weights["bias_hh_l0"])
        (r_up, z_up, n_up), (r, z, n) = up.chunk(3, dim=1), across.chunk(3, dim=1)
        stays = torch.sigmoid(z_up + z)
        candidate = torch.tanh(n_up + torch.sigmoid(r_up + r) * n)
        new = candidate + stays * (state - candidate)
        return self.head(torch.cat([new, plan], dim=-1)), new


class Reading(nn.Module):
    """Tokens as vectors; those of sets are the sums of their members', and something of their own.

    After the tokens come the padding, and nothing.
    """

    patterns: Tensor

    def __init__(self, config: BarsVAEConfig) -> None:
        super().__init__()
        self.own = nn.Embedding(config.vocab_size + 2, config.embedding_size)
        self.members = None
        if config.bits:
            nn.init.normal_(self.own.weight, std=0.02)
            self.members = nn.Linear(config.bits, config.embedding_size, bias=False)
            nn.init.normal_(self.members.weight)
            none = torch.zeros(2, config.bits)
            self.register_buffer(
                "patterns", torch.cat([patterns(config.bits), none]), persistent=False
            )

    def forward(self, tokens: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch embedding"]:
        """Vector of each token."""
        table = self.own.weight
        if self.members is not None:
            table = table + self.members(self.patterns)
        return F.embedding(tokens, table)


class Saying(nn.Module):
    """Logits of tokens; those of sets are the sums of their members' and something of their own."""

    patterns: Tensor

    def __init__(self, config: BarsVAEConfig) -> None:
        super().__init__()
        inputs = config.writer_size + config.step_size
        self.own = nn.Linear(inputs, config.vocab_size)
        self.members = None
        if config.bits:
            nn.init.zeros_(self.own.weight)
            self.members = nn.Linear(inputs, config.bits)
            self.register_buffer("patterns", patterns(config.bits), persistent=False)

    def forward(self, heard: Float[Tensor, "*batch input"]) -> Float[Tensor, "*batch vocab"]:
        """Logits of every token."""
        logits: Tensor = self.own(heard)
        if self.members is not None:
            logits = logits + self.members(heard) @ self.patterns.T
        return logits


class Residual(nn.Module):
    """A dense layer around which its input goes, normalised."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.norm, self.dense = nn.LayerNorm(size), nn.Linear(size, size)
        self.out = nn.Linear(size, size)

    def forward(self, values: Tensor) -> Tensor:
        """Of the shape that came."""
        made: Tensor = values + self.out(F.gelu(self.dense(self.norm(values))))
        return made
