"""`BachCNN`: any cells of four voices from any others.

A convolutional network reads what is known of a piece (`representations.filling`), before and after
and in all voices, and gives the logits of every cell at once. Its kernels span three steps, at
distances that grow from layer to layer, and all four voices; every layer adds to what the layers
before have found.

A logit is a sum of opinions: of the cell as such, of its degree in the scale of the key, and of its
interval from each known neighbour: the pitches that the voice sings before and after, and the cells
of the other voices at this step. So melody and harmony are learned in all keys at once. The scale
is that of the major key; minor is read from its relative major.

References
----------
Huang, Cooijmans, Roberts, Courville and Eck, "Counterpoint by Convolution", ISMIR 2017 (the task
and its training; there the kernels span time and pitch); van den Oord et al., "WaveNet", 2016
(kernels with growing distances); He et al., "Identity Mappings in Deep Residual Networks", 2016.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from partimento.errors import ParameterError
from partimento.networks.checks import check_shares, check_vocabulary

NUM_VOICES = 4
# Columns of the features, as in `representations.filling`.
CELLS, BEFORE, AFTER = slice(0, 4), slice(4, 8), slice(8, 12)
PITCHES, DISTANCES = slice(0, 12), slice(12, 20)
PLACE, KEY, PAST, LEFT = 20, 21, 22, 23
NUM_COLUMNS = 24
NUM_DISTANCES, NUM_KEYS, NUM_QUARTERS = 11, 25, 18  # values of the columns
NO_KEY, FIRST_MINOR = 24, 12
DEGREES, RELATIVE_MAJOR = 12, 3  # semitones of the scale; from a minor tonic up

PITCH_SIZE, DEGREE_SIZE, INTERVAL_SIZE, SMALL_SIZE = 16, 12, 12, 8  # of embeddings
PAIRS = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
NUM_INTERVALS = len(PAIRS) + 3 * NUM_VOICES
FIRST_SCALE = 0.2  # of what a layer adds
NUM_NEIGHBOURS = 5  # whose intervals have opinions: two of the voice's own, three other voices


@dataclass(frozen=True)
class BachCNNConfig:
    """Size and regularisation of a `BachCNN`.

    Attributes
    ----------
    vocab_size : int
        Rest and pitches.
    cycle : int
        Places that are told apart.
    hidden_size : int
        Channels of the convolutions, which hold all four voices.
    dilations : tuple of int
        Distance of a kernel's three steps, layer by layer.
    head_size : int
        Of the layer before the logits, for each voice.
    dropout, input_dropout : float
        In every layer, and on what the first one reads.
    key : bool
        Whether it learns with the key told, or only with what is estimated of it.
    """

    vocab_size: int
    cycle: int = 16
    hidden_size: int = 192
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 1, 4)
    head_size: int = 64
    dropout: float = 0.2
    input_dropout: float = 0.1
    key: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "dilations", tuple(self.dilations))
        check_vocabulary(self)
        if self.hidden_size < 1 or self.head_size < 1:
            raise ParameterError(
                f"hidden_size and head_size must be positive, got {self.hidden_size} and "
                f"{self.head_size}"
            )
        if not 1 <= len(self.dilations) <= 64 or not all(1 <= d <= 256 for d in self.dilations):
            raise ParameterError(f"dilations must be 1-64 of 1-256, got {self.dilations}")
        check_shares(self, "dropout", "input_dropout")


class BachCNN(nn.Module):
    """Predicts every cell of a piece from those that are known."""

    def __init__(self, config: BachCNNConfig) -> None:
        super().__init__()
        self.config = config
        self.front = Front(config)
        self.layers = nn.ModuleList([Layer(config, dilation) for dilation in config.dilations])
        self.norm = nn.LayerNorm(config.hidden_size)
        self.heads = Heads(config)

    def forward(
        self, features: Int[Tensor, "batch time column"]
    ) -> tuple[Float[Tensor, "batch time voice vocab"], None]:
        """Logits of each cell.

        Those of a cell do not depend on it being known: a known cell's logits are of no use. Rows
        of padding say nothing to the others.
        """
        is_inside = features[..., PLACE] < self.config.cycle  # batch time
        hidden = self.front(features)  # batch time hidden
        for layer in self.layers:
            hidden = layer(hidden, is_inside)
        return self.heads(self.norm(hidden), features), None


class Front(nn.Module):
    """Numbers that the first layer reads: embeddings of the columns, and of intervals in them."""

    def __init__(self, config: BachCNNConfig) -> None:
        super().__init__()
        self.config = config
        vocab = config.vocab_size
        self.pitch = nn.Embedding(3 * NUM_VOICES * (vocab + 1), PITCH_SIZE)
        self.interval = nn.Embedding(NUM_INTERVALS * (2 * vocab + 1), INTERVAL_SIZE)
        self.distance = nn.Embedding(2 * NUM_VOICES * NUM_DISTANCES, SMALL_SIZE)
        self.place = nn.Embedding(config.cycle + 1, 2 * SMALL_SIZE)
        self.quarters = nn.Embedding(2 * NUM_QUARTERS, SMALL_SIZE)
        self.degree = nn.Embedding(3 * NUM_VOICES * (DEGREES + 1), DEGREE_SIZE)
        self.key = nn.Embedding(NUM_KEYS, PITCH_SIZE)
        width = 3 * NUM_VOICES * (PITCH_SIZE + DEGREE_SIZE) + NUM_INTERVALS * INTERVAL_SIZE
        width += 2 * NUM_VOICES * SMALL_SIZE + 2 * SMALL_SIZE + 2 * SMALL_SIZE + PITCH_SIZE
        self.dropout = nn.Dropout(config.input_dropout)
        self.join = nn.Linear(width, config.hidden_size)
        upper, lower = torch.tensor(PAIRS).T
        self.register_buffer("_upper", upper.contiguous(), persistent=False)
        self.register_buffer("_lower", lower.contiguous(), persistent=False)

    def forward(
        self, features: Int[Tensor, "batch time column"]
    ) -> Float[Tensor, "batch time hidden"]:
        """Embed the columns, put them side by side and join them."""
        vocab = self.config.vocab_size
        cells, before, after = features[..., CELLS], features[..., BEFORE], features[..., AFTER]
        key = features[..., KEY]
        upper, lower = self.get_buffer("_upper"), self.get_buffer("_lower")
        intervals = [
            interval(cells[..., upper], cells[..., lower], vocab),
            interval(cells, before, vocab),
            interval(after, cells, vocab),
            interval(after, before, vocab),
        ]
        parts = [
            _looked_up(self.pitch, features[..., PITCHES], vocab + 1),
            _looked_up(self.degree, degrees(features[..., PITCHES], key, vocab), DEGREES + 1),
            _looked_up(self.interval, torch.cat(intervals, dim=-1), 2 * vocab + 1),
            _looked_up(self.distance, features[..., DISTANCES], NUM_DISTANCES),
            self.place(features[..., PLACE]),
            _looked_up(self.quarters, features[..., [PAST, LEFT]], NUM_QUARTERS),
            self.key(key),
        ]
        joined: Tensor = self.join(self.dropout(torch.cat(parts, dim=-1)))
        return joined


class Layer(nn.Module):
    """One convolution over time and all voices, added to what it reads."""

    def __init__(self, config: BachCNNConfig, dilation: int) -> None:
        super().__init__()
        size = config.hidden_size
        self.norm = nn.LayerNorm(size)
        self.convolution = nn.Conv1d(size, size, 3, padding=dilation, dilation=dilation)
        self.dropout = ChannelDropout(config.dropout)
        self.scale = nn.Parameter(torch.full((size,), FIRST_SCALE))

    def forward(
        self, hidden: Float[Tensor, "batch time hidden"], is_inside: Bool[Tensor, "batch time"]
    ) -> Float[Tensor, "batch time hidden"]:
        """Outside of the piece there is nothing to read."""
        read = self.norm(hidden) * is_inside[..., None]
        found = self.convolution(read.transpose(1, 2)).transpose(1, 2)  # batch time hidden
        added: Tensor = self.dropout(F.relu(found)) * self.scale
        return hidden + added


class ChannelDropout(nn.Module):
    """Drops channels of an example, at all of its steps: cheaper than a draw for each number."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, values: Float[Tensor, "batch time _"]) -> Float[Tensor, "batch time _"]:
        """Leave evaluation as it is."""
        if not self.training or not self.share:
            return values
        kept = torch.rand(values.shape[0], 1, values.shape[2], device=values.device) >= self.share
        return values * (kept / (1 - self.share)).to(values.dtype)


class Heads(nn.Module):
    """From the last layer to the logits of each voice's cell."""

    def __init__(self, config: BachCNNConfig) -> None:
        super().__init__()
        self.config = config
        vocab, size = config.vocab_size, config.head_size
        self.join = nn.Linear(config.hidden_size, NUM_VOICES * size)
        self.dropout = ChannelDropout(config.dropout)
        outputs = vocab + DEGREES + NUM_NEIGHBOURS * (2 * vocab - 1)
        self.out = nn.Parameter(torch.empty(NUM_VOICES, size, outputs))
        self.bias = nn.Parameter(torch.zeros(NUM_VOICES, outputs))
        nn.init.normal_(self.out, std=0.3 * size**-0.5)
        others = [[o for o in range(NUM_VOICES) if o != voice] for voice in range(NUM_VOICES)]
        self.register_buffer("_others", torch.tensor(others), persistent=False)

    def forward(
        self,
        hidden: Float[Tensor, "batch time hidden"],
        features: Int[Tensor, "batch time column"],
    ) -> Float[Tensor, "batch time voice vocab"]:
        """Add up the opinions."""
        vocab = self.config.vocab_size
        heard = self.dropout(F.relu(self.join(hidden)))
        heard = heard.unflatten(-1, (NUM_VOICES, -1)).flatten(0, 1).transpose(0, 1)
        said = torch.baddbmm(self.bias[:, None], heard, self.out).float()  # voice row outputs
        said = said.transpose(0, 1).unflatten(0, features.shape[:2])  # batch time voice outputs
        own = torch.stack([features[..., BEFORE], features[..., AFTER]], dim=-1)
        others = features[..., CELLS][..., self.get_buffer("_others")]
        neighbours = torch.cat([own, others], dim=-1)  # batch time voice neighbour
        is_pitch = (neighbours > 0) & (neighbours < vocab)
        opinions = said[..., vocab + DEGREES :].unflatten(-1, (NUM_NEIGHBOURS, 2 * vocab - 1))
        tokens = torch.arange(1, vocab, device=hidden.device)
        index = tokens - torch.where(is_pitch, neighbours, 1)[..., None] + vocab - 1
        intervals = (opinions.gather(-1, index) * is_pitch[..., None]).sum(dim=-2)
        key = features[..., KEY]
        degree = degrees(tokens, key, vocab)  # batch time vocab-1
        # The same for each voice; checkpoints may hold no Expand to a size that is computed.
        degree = degree[..., None, :] + 0 * index[..., 0, :]  # batch time voice vocab-1
        of_scale = torch.where(key < NO_KEY, 1.0, 0.0)[..., None, None]
        scale = said[..., vocab : vocab + DEGREES].gather(-1, degree % DEGREES) * of_scale
        pitches = said[..., 1:vocab] + intervals + scale
        return torch.cat([said[..., :1], pitches], dim=-1)


def degrees(
    tokens: Int[Tensor, "*rows pitch"], key: Int[Tensor, "*batch"], vocab_size: int
) -> Int[Tensor, "*batch pitch"]:
    """Semitones of tokens above the tonic of the major scale; `DEGREES` where there is none."""
    tonic = torch.where(key < FIRST_MINOR, key, key + RELATIVE_MAJOR)
    is_known = (tokens > 0) & (tokens < vocab_size) & (key < NO_KEY)[..., None]
    return torch.where(is_known, (tokens - tonic[..., None]) % DEGREES, DEGREES)


def interval(
    upper: Int[Tensor, "*batch pair"], lower: Int[Tensor, "*batch pair"], vocab_size: int
) -> Int[Tensor, "*batch pair"]:
    """Semitones between tokens, from 0; the last value where one of them is no pitch."""
    is_known = (upper > 0) & (upper < vocab_size) & (lower > 0) & (lower < vocab_size)
    return torch.where(is_known, upper - lower + vocab_size, 2 * vocab_size)


def _looked_up(
    table: nn.Embedding, columns: Int[Tensor, "batch time column"], values: int
) -> Float[Tensor, "batch time width"]:
    """Embed columns, each with so many values of its own, side by side."""
    rows = columns + torch.arange(columns.shape[-1], device=columns.device) * values
    found: Tensor = table(rows).flatten(-2)
    return found
