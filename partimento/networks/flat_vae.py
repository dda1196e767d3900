"""`FlatVAE`: the field's own sizes, MusicVAE's model of two bars without a conductor.

A long short-term memory reads the steps of a window from both sides; where it stands at both ends
says where the window lies. Another, of two layers, writes the tokens: it begins in a state that `z`
says, and reads `z` again at every step beside the token before. The state goes on over bar lines.

Both skip the padding at a bar's end, so a window is the row of its real steps, as in the paper.

References
----------
Roberts, Engel, Raffel, Hawthorne and Eck, "A Hierarchical Latent Vector Model for Learning
Long-Term Structure in Music", ICML 2018: sections 3.1 and 3.2 (encoder, and the flat decoder that
the conductor is compared with), with the sizes of Magenta's ``mel_2bar_small`` and
``drums_2bar_small``. As there, tokens are read as one-hot columns, the encoder of drums reads one
column a drum, and the standard deviation is a softplus of a linear map.
Hochreiter and Schmidhuber, "Long Short-Term Memory", 1997.
"""

from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from partimento.networks.window_vae import (
    LOG_VARIANCE,
    WindowVAE,
    WindowVAEConfig,
    Writing,
    patterns,
)

LAYERS = 2  # that write


@dataclass(frozen=True)
class FlatVAEConfig(WindowVAEConfig):
    """Size, regularisation and price of a `FlatVAE`.

    Attributes
    ----------
    vocab_size, bars, positions, latent_size, dropout, own_tokens, beta, free_nats, beta_steps
        See `WindowVAEConfig`.
    bits : int
        Tokens are sets of so many things, a bit each: the encoder reads the bits. 0: each token is
        something of its own.
    encoder_size, decoder_size : int
        Of the layer that reads, in each direction, and of each layer that writes.
    step_size, writer_size : int
        Not to be set: a step wants all of `z`, and the state is what all layers that write hold.
    design : str
        Not to be set: ``"flat"``, which tells this network from a `BarsVAE` where configs are read.
    """

    encoder_size: int = 512
    decoder_size: int = 256
    step_size: int = field(init=False, default=1)
    writer_size: int = field(init=False, default=1)
    design: str = field(init=False, default="flat")

    def __post_init__(self) -> None:
        object.__setattr__(self, "step_size", self.latent_size)
        object.__setattr__(self, "writer_size", 2 * LAYERS * self.decoder_size)
        super().__post_init__()


class FlatVAE(WindowVAE):
    """Encodes windows of bars as points of a space, and decodes points of it."""

    def __init__(self, config: FlatVAEConfig) -> None:
        super().__init__(config, Encoder(config), Planner(config), Writer(config))


class Encoder(nn.Module):
    """Says where windows lie."""

    symbols: Tensor

    def __init__(self, config: FlatVAEConfig) -> None:
        super().__init__()
        self.config = config
        symbols = patterns(config.bits) if config.bits else torch.eye(config.vocab_size)
        self.register_buffer("symbols", symbols, persistent=False)
        inputs, size = symbols.shape[1], config.encoder_size
        self.ahead = nn.LSTM(inputs, size, batch_first=True)
        self.back = nn.LSTM(inputs, size, batch_first=True)
        self.mu = nn.Linear(2 * size, config.latent_size)
        self.sigma = nn.Linear(2 * size, config.latent_size)

    def forward(self, tables: Int[Tensor, "batch bar position"]) -> tuple[Tensor, Tensor]:
        """Mean and logarithm of the variance of each window's Gaussian, (batch, latent)."""
        bars, positions = self.config.bars, self.config.positions
        bar_steps = (tables[:, :1] < self.config.vocab_size).sum(dim=2).clamp(min=1)  # batch 1
        length = bars * bar_steps
        # A graph reads as many steps as there may ever be; what it reads after the last is not
        # looked at.
        longest = bars * positions if torch.compiler.is_compiling() else int(length.max())
        time = torch.arange(longest, device=tables.device)[None]
        ends = []
        for layer, step in ((self.ahead, time), (self.back, length - 1 - time)):
            step = step.clamp(min=0)
            bar = torch.div(step, bar_steps, rounding_mode="floor")
            cell = bar * positions + (step - bar * bar_steps)
            cell = cell.clamp(max=bars * positions - 1)
            tokens = tables.flatten(1).gather(1, cell).clamp(max=self.config.vocab_size - 1)
            read = F.embedding(tokens, self.symbols)
            silent = (read[:, 0, :1] * 0).expand(-1, self.config.encoder_size)[None].contiguous()
            heard = layer(read, (silent, silent))[0]  # batch time size
            last = (length - 1)[:, :, None].expand(-1, -1, heard.shape[2])
            ends.append(heard.gather(1, last)[:, 0])
        both = torch.cat(ends, dim=1)
        mu, sigma = self.mu(both).float(), self.sigma(both).float()
        log_variance = 2 * torch.log(F.softplus(sigma.clamp(min=-20)))
        return mu, log_variance.clamp(*LOG_VARIANCE)


class Planner(nn.Module):
    """Gives a point to every step, and says in what state its writing begins."""

    def __init__(self, config: FlatVAEConfig) -> None:
        super().__init__()
        self.config = config
        self.begin = nn.Linear(config.latent_size, config.writer_size)

    def forward(
        self, z: Float[Tensor, "batch latent"]
    ) -> tuple[Float[Tensor, "batch bar position step"], Float[Tensor, "batch bar writer"]]:
        """`z` for every step, and the state: of each layer what it says, then what it keeps."""
        bars, positions = self.config.bars, self.config.positions
        plan = z[:, None, None].expand(-1, bars, positions, -1)
        return plan, torch.tanh(self.begin(z))[:, None].expand(-1, bars, -1)


class Writer(Writing):
    """Writes tokens one after another; the state at the first bar's start is the only one read."""

    symbols: Tensor

    def __init__(self, config: FlatVAEConfig) -> None:
        super().__init__()
        vocab, size = config.vocab_size, config.decoder_size
        # After the tokens come the padding, and nothing: no column.
        symbols = torch.cat([torch.eye(vocab), torch.zeros(2, vocab)])
        self.register_buffer("symbols", symbols, persistent=False)
        self.nothing = config.nothing
        self.lstm = nn.LSTM(vocab + config.latent_size, size, LAYERS, batch_first=True)
        self.head = nn.Linear(size, vocab)

    def forward(
        self,
        plan: Float[Tensor, "batch bar step plan"],
        state: Float[Tensor, "batch bar writer"],
        tokens: Int[Tensor, "batch bar step"],
    ) -> Float[Tensor, "batch bar step vocab"]:
        """Logits of each step, when the tokens before it are these."""
        before = F.pad(tokens.flatten(1), (1, 0), value=self.nothing)[:, :-1]
        read = torch.cat([F.embedding(before, self.symbols), plan.flatten(1, 2)], dim=-1)
        states = state[:, 0].unflatten(1, (LAYERS, 2, -1)).permute(2, 1, 0, 3)
        said, kept = (part.contiguous() for part in states)  # layer batch size
        logits: Tensor = self.head(self.lstm(read, (said, kept))[0])
        return logits.unflatten(1, tokens.shape[1:])

    def step(self, token: Tensor, plan: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """One step of `forward`: see `Writing.step`."""
        weights = dict(self.lstm.named_parameters())
        read = torch.cat([F.embedding(token, self.symbols), plan], dim=-1)
        new = []
        for layer, (said, kept) in enumerate(
            half.chunk(2, dim=1) for half in state.chunk(LAYERS, dim=1)
        ):
            up = F.linear(read, weights[f"weight_ih_l{layer}"], weights[f"bias_ih_l{layer}"])
            across = F.linear(said, weights[f"weight_hh_l{layer}"], weights[f"bias_hh_l{layer}"])
            enters, stays, candidate, leaves = (up + across).chunk(4, dim=1)
            kept = torch.sigmoid(stays) * kept + torch.sigmoid(enters) * torch.tanh(candidate)
            read = torch.sigmoid(leaves) * torch.tanh(kept)
            new += [read, kept]
        return self.head(read), torch.cat(new, dim=1)
