"""`BachRNN`: four voices, frame after frame, and voice after voice within a frame.

A recurrent network reads what was (`representations.frames`). For each voice in turn, in a fixed or
any order, a head reads its output and the cells of this frame that are chosen already, and gives
the logits of this voice's cell. By the chain rule the probabilities of all cells multiply to that
of the piece, so its likelihood is exact.

A logit is a sum of opinions, each of which knows music in its own way:

- of the cell as such: this pitch, in this voice;
- of its interval from the pitch this voice sang last, which is melody in all keys at once;
- of its interval from each cell that is chosen already, which is harmony in all keys at once;
- of its being what stood here when music last went as now (one number for each such place).

References
----------
Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder", 2014 (the recurrent unit);
Boulanger-Lewandowski, Bengio and Vincent, "Modeling Temporal Dependencies in High-Dimensional
Sequences", ICML 2012 (frames in time, a chain within them); Hadjeres, Pachet and Nielsen,
"DeepBach", ICML 2017 (what each voice reads).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from partimento.errors import ParameterError
from partimento.networks.checks import check_shares, check_vocabulary

NUM_VOICES = 4
# Columns of the features, as in `representations.frames`; behind them the cells of this frame.
BEFORE, AGE, LAST = slice(0, 4), slice(4, 8), slice(8, 12)
PLACE, KEY, LEFT = 12, 13, 14
THEN, RUN = (slice(15, 19), slice(20, 24)), (19, 24)
NUM_COLUMNS = 25
NOW = slice(25, 29)
NUM_AGES, NUM_KEYS, NUM_LEFT, NUM_RUNS = 32, 25, 34, 13  # values of the columns
REST = 0  # token; pitches follow

PITCH_SIZE, SMALL_SIZE = 24, 8  # of embeddings
LOOKBACK_SIZE = (NUM_VOICES + 1) * SMALL_SIZE


@dataclass(frozen=True)
class BachRNNConfig:
    """Size and regularisation of a `BachRNN`.

    Attributes
    ----------
    vocab_size : int
        Rest and pitches.
    cycle : int
        Places that are told apart.
    hidden_size, num_layers : int
        Of the recurrent layers.
    head_size : int
        Of the layer that joins past and present, for each voice.
    dropout, input_dropout : float
        Between layers and in the heads; on what the first layer reads.
    weight_dropout : float
        Share of the weights from a recurrent layer to itself that is dropped, the same for all
        steps of an example (Merity, Keskar and Socher, "Regularizing and Optimizing LSTM Language
        Models", ICLR 2018).
    cell_dropout : float
        Share of the cells of the last frame, and of those chosen already, that it does not get to
        see (word dropout: Bowman et al., "Generating Sentences from a Continuous Space", 2016).
    order : tuple of int
        In which the voices of a frame are chosen: 0 is the soprano.
    any_order : bool
        Whether it learns all 24 orders; else that one alone.
    looks_back : bool
        Whether it reads what followed when music last went as now.
    key, countdown : bool
        Whether it may be told the key, and how far the end is.
    """

    vocab_size: int
    cycle: int = 16
    hidden_size: int = 384
    num_layers: int = 1
    head_size: int = 256
    dropout: float = 0.3
    input_dropout: float = 0.1
    weight_dropout: float = 0.0
    cell_dropout: float = 0.0
    order: tuple[int, ...] = (0, 3, 1, 2)
    any_order: bool = False
    looks_back: bool = True
    key: bool = False
    countdown: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "order", tuple(self.order))
        if sorted(self.order) != list(range(NUM_VOICES)):
            raise ParameterError(f"order must be 0, 1, 2 and 3 in some order, got {self.order}")
        check_vocabulary(self)
        if self.hidden_size < 1 or self.head_size < 1 or not 1 <= self.num_layers <= 8:
            raise ParameterError(
                "hidden_size and head_size must be positive and num_layers 1-8, got "
                f"{self.hidden_size}, {self.head_size} and {self.num_layers}"
            )
        check_shares(self, "dropout", "input_dropout", "weight_dropout", "cell_dropout")


class BachRNN(nn.Module):
    """Predicts every cell of a frame from the frames before and the cells chosen already."""

    def __init__(self, config: BachRNNConfig) -> None:
        super().__init__()
        self.config = config
        self.front = Front(config)
        between = config.dropout if config.num_layers > 1 else 0.0
        size, layers = config.hidden_size, config.num_layers
        self.gru = nn.GRU(self.front.width, size, layers, batch_first=True, dropout=between)
        self.dropout = nn.Dropout(config.dropout)
        self.join = nn.Linear(size, NUM_VOICES * config.head_size)
        self.heads = VoiceHeads(config)
        self.register_buffer("_before", comes_before(config.order), persistent=False)

    def forward(
        self,
        features: Int[Tensor, "batch time column"],
        state: Float[Tensor, "layer batch hidden"] | None = None,
    ) -> tuple[Float[Tensor, "batch time voice vocab"], Float[Tensor, "layer batch hidden"]]:
        """Logits of each cell of each step.

        Those of a voice depend on the features of this step and those before, on the cells `NOW`
        of the steps before, on `state`, and on the cells `NOW` of voices chosen earlier. With
        29 columns the order is the config's; a 30th says which of the 24 orders counts, as
        `orders()` lists them.
        """
        past, state = self.past(features, state)  # batch time voice head
        now = features[..., NOW]
        is_chosen = self.get_buffer("_before")  # voice voice
        if features.shape[-1] > NOW.stop:
            is_chosen = all_before().to(now.device)[features[..., NOW.stop]]
        seen = torch.where(is_chosen, now[..., None, :], self.config.vocab_size)
        seen = self._without_some(seen)
        return self.heads(past, features, seen), state

    def past(
        self,
        features: Int[Tensor, "batch time column"],
        state: Float[Tensor, "layer batch hidden"] | None = None,
    ) -> tuple[Float[Tensor, "batch time voice head"], Float[Tensor, "layer batch hidden"]]:
        """Give what each voice's head hears of the past, which need not wait for this frame."""
        if self.training and self.config.cell_dropout:
            before, others = features[..., BEFORE], features[..., BEFORE.stop :]
            features = torch.cat([self._without_some(before), others], dim=-1)
        read, weights = self.front(features), self._dropped_weights()
        if weights:
            hidden, state = functional_call(self.gru, weights, (read, state))
        else:
            hidden, state = self.gru(read, state)  # batch time hidden
        joined = self.join(self.dropout(hidden))
        return joined.unflatten(-1, (NUM_VOICES, self.config.head_size)), state

    def _without_some(self, cells: Int[Tensor, "*shape"]) -> Int[Tensor, "*shape"]:
        """Hide some cells, while training."""
        share = self.config.cell_dropout
        if not self.training or not share:
            return cells
        is_hidden = torch.rand(cells.shape, device=cells.device) < share
        return torch.where(is_hidden, self.config.vocab_size, cells)

    def _dropped_weights(self) -> dict[str, Tensor]:
        """Recurrent weights with some of them dropped; none where nothing is dropped."""
        share = self.config.weight_dropout
        if not self.training or not share:
            return {}
        return {
            name: F.dropout(weights, share)
            for name, weights in self.gru.named_parameters()
            if name.startswith("weight_hh")
        }


class Front(nn.Module):
    """Numbers that the recurrent layers read: embeddings side by side."""

    def __init__(self, config: BachRNNConfig) -> None:
        super().__init__()
        self.config = config
        cells = config.vocab_size + 1
        intervals = 2 * config.vocab_size
        self.cell = nn.ModuleList([nn.Embedding(cells, PITCH_SIZE) for _ in range(NUM_VOICES)])
        self.age = nn.ModuleList([nn.Embedding(NUM_AGES, SMALL_SIZE) for _ in range(NUM_VOICES)])
        self.interval = nn.Embedding(6 * intervals, SMALL_SIZE)  # of two voices
        self.place = nn.Embedding(config.cycle, 2 * SMALL_SIZE)
        width = NUM_VOICES * (PITCH_SIZE + SMALL_SIZE) + 6 * SMALL_SIZE + 2 * SMALL_SIZE
        if config.key:
            self.key = nn.Embedding(NUM_KEYS, PITCH_SIZE)
            width += PITCH_SIZE
        if config.countdown:
            self.left = nn.Embedding(NUM_LEFT, PITCH_SIZE)
            width += PITCH_SIZE
        if config.looks_back:
            self.then = nn.ModuleList([Lookback(config) for _ in THEN])
            width += len(THEN) * LOOKBACK_SIZE
        self.width = width
        self.dropout = nn.Dropout(config.input_dropout)
        self.register_buffer("_upper", torch.tensor([0, 0, 0, 1, 1, 2]), persistent=False)
        self.register_buffer("_lower", torch.tensor([1, 2, 3, 2, 3, 3]), persistent=False)

    def forward(self, features: Int[Tensor, "*batch column"]) -> Float[Tensor, "*batch input"]:
        """Embed the columns and put them side by side."""
        vocab = self.config.vocab_size
        before, last = features[..., BEFORE], features[..., LAST]
        parts = [table(before[..., voice]) for voice, table in enumerate(self.cell)]
        parts += [table(features[..., AGE][..., voice]) for voice, table in enumerate(self.age)]
        upper, lower = self.get_buffer("_upper"), self.get_buffer("_lower")
        apart = last[..., upper] - last[..., lower] + vocab  # batch time pair
        pairs = torch.arange(6, device=features.device) * 2 * vocab
        parts += [self.interval(apart + pairs).flatten(-2), self.place(features[..., PLACE])]
        if self.config.key:
            parts.append(self.key(features[..., KEY]))
        if self.config.countdown:
            parts.append(self.left(features[..., LEFT]))
        if self.config.looks_back:
            parts += [
                table(features[..., then], last, features[..., run])
                for table, then, run in zip(self.then, THEN, RUN, strict=True)
            ]
        dropped: Tensor = self.dropout(torch.cat(parts, dim=-1))
        return dropped


class Lookback(nn.Module):
    """Embeds what followed when music last went as now, and for how long it has gone so."""

    def __init__(self, config: BachRNNConfig) -> None:
        super().__init__()
        self.vocab_size = config.vocab_size
        self.move = nn.Embedding(NUM_VOICES * (2 * config.vocab_size + 1), SMALL_SIZE)
        self.run = nn.Embedding(NUM_RUNS, SMALL_SIZE)

    def forward(
        self,
        then: Int[Tensor, "*batch voice"],
        last: Int[Tensor, "*batch voice"],
        run: Int[Tensor, "*batch"],
    ) -> Float[Tensor, "*batch width"]:
        """Embed the moves that the voices made then, seen from where they are now."""
        vocab = self.vocab_size
        moves = torch.where(then < vocab, then - last + vocab, 2 * vocab)
        rows = moves + torch.arange(NUM_VOICES, device=then.device) * (2 * vocab + 1)
        return torch.cat([self.move(rows).flatten(-2), self.run(run)], dim=-1)


class VoiceHeads(nn.Module):
    """The head of each voice, from the past and the cells chosen already to logits."""

    def __init__(self, config: BachRNNConfig) -> None:
        super().__init__()
        self.config = config
        vocab, size = config.vocab_size, config.head_size
        self.cell = nn.Embedding(NUM_VOICES * (vocab + 1), PITCH_SIZE)
        self.apart = nn.Embedding(NUM_VOICES**2 * (2 * vocab + 1), PITCH_SIZE)
        self.move = nn.Embedding(NUM_VOICES * (2 * vocab + 1), PITCH_SIZE)
        read = NUM_VOICES * 3 * PITCH_SIZE
        if config.looks_back:
            self.then = nn.ModuleList([Lookback(config) for _ in THEN])
            self.agrees = nn.Embedding(len(THEN) * NUM_VOICES * 3, SMALL_SIZE)
            read += len(THEN) * LOOKBACK_SIZE
            read += len(THEN) * NUM_VOICES * SMALL_SIZE
        self.read = nn.Parameter(torch.empty(NUM_VOICES, read, size))
        self.opinions = NUM_VOICES * (2 * vocab - 1)
        outputs = vocab + self.opinions + len(THEN) * config.looks_back
        self.out = nn.Parameter(torch.empty(NUM_VOICES, size, outputs))
        self.bias = nn.Parameter(torch.zeros(NUM_VOICES, 1, outputs))
        nn.init.normal_(self.read, std=read**-0.5)
        nn.init.normal_(self.out, std=0.3 * size**-0.5)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self,
        past: Float[Tensor, "*batch voices head"],
        features: Int[Tensor, "*batch column"],
        seen: Int[Tensor, "*batch voices voice"],
        voices: Int[Tensor, " voices"] | None = None,
    ) -> Float[Tensor, "*batch voices vocab"]:
        """Logits of some voices' cells, by default of all.

        Parameters
        ----------
        past
            What `BachRNN.past` says to these voices.
        seen
            Cells of this frame that each of them may know; the rest is ``vocab_size``.
        voices
            Which voices these are.
        """
        if voices is None:
            voices = torch.arange(NUM_VOICES, device=past.device)
        config, vocab = self.config, self.config.vocab_size
        last = features[..., LAST]  # batch voice
        mine = last[..., voices]  # batch voices
        is_seen = seen < vocab
        # Rests have no interval: where a voice sang last counts for them.
        sung = torch.where(seen > REST, seen, last[..., None, :])
        others = torch.arange(NUM_VOICES, device=past.device)
        nothing = 2 * vocab
        apart = torch.where(is_seen, sung - mine[..., None] + vocab, nothing)
        moves = torch.where(is_seen, sung - last[..., None, :] + vocab, nothing)
        pair = voices[:, None] * NUM_VOICES + others  # voices voice
        parts = [
            self.cell(seen + others * (vocab + 1)).flatten(-2),
            self.apart(apart + pair * (nothing + 1)).flatten(-2),
            self.move(moves + others * (nothing + 1)).flatten(-2),
        ]
        if config.looks_back:
            for number, (then, run) in enumerate(zip(THEN, RUN, strict=True)):
                stood = features[..., then]  # batch voice
                looked = self.then[number](stood, last, features[..., run])
                parts.append(looked[..., None, :].expand(*seen.shape[:-1], looked.shape[-1]))
                agrees = torch.where(is_seen, (seen == stood[..., None, :]).long(), 2)
                rows = agrees + (others + number * NUM_VOICES) * 3
                parts.append(self.agrees(rows).flatten(-2))
        read = _each(torch.cat(parts, dim=-1), self.read[voices])
        hidden = self.dropout(F.gelu(past + read))  # batch voices head
        said = _each(hidden, self.out[voices], self.bias[voices]).float()

        logits = said[..., :vocab]
        heard = said[..., vocab : vocab + self.opinions].unflatten(-1, (NUM_VOICES, -1))
        # Intervals from each other voice's cell, and from the last pitch of one's own.
        is_mine = voices[:, None] == others  # voices voice
        counts = is_seen | is_mine
        from_pitch = torch.where(is_mine, last[..., None, :], sung)  # batch voices voice
        tokens = torch.arange(1, vocab, device=past.device)
        index = tokens - from_pitch[..., None] + vocab - 1  # batch voices voice vocab-1
        intervals = heard.gather(-1, index) * counts[..., None]
        logits = torch.cat([logits[..., :1], logits[..., 1:] + intervals.sum(dim=-2)], dim=-1)
        if config.looks_back:
            stood = torch.stack([features[..., then] for then in THEN], dim=-1)[..., voices, :]
            trust = said[..., vocab + self.opinions :, None]  # batch voices lookback 1
            all_tokens = torch.arange(vocab, device=past.device)
            logits = logits + (trust * (stood[..., None] == all_tokens)).sum(dim=-2)
        return logits


def _each(
    values: Float[Tensor, "*batch voices _"],
    weights: Float[Tensor, "voices _ _"],
    bias: Float[Tensor, "voices 1 _"] | None = None,
) -> Float[Tensor, "*batch voices _"]:
    """Multiply each voice's values by its own weights."""
    rows = values.flatten(0, -3).transpose(0, 1)  # voices rows width
    made = torch.bmm(rows, weights) if bias is None else torch.baddbmm(bias, rows, weights)
    return made.transpose(0, 1).unflatten(0, values.shape[:-2])


def orders() -> list[tuple[int, ...]]:
    """All orders in which the voices of a frame can be chosen."""
    from itertools import permutations

    return list(permutations(range(NUM_VOICES)))


def comes_before(order: tuple[int, ...]) -> Tensor:
    """Whether a voice (second axis) is chosen before another (first axis)."""
    rank = torch.tensor([order.index(voice) for voice in range(NUM_VOICES)])
    return rank[None, :] < rank[:, None]


def all_before() -> Tensor:
    """`comes_before` of all orders; shape (24, voice, voice)."""
    return torch.stack([comes_before(order) for order in orders()])
