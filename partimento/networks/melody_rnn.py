"""`MelodyRNN`: recurrent layers over the events of a melody, for the whole MelodyRNN family.

Every step it reads a few integers (the token before, and whatever else the representation lays
out), and predicts the next token. What differs between the members of the family are three parts:

- The front turns the integers into numbers: a sum of embeddings, or, as in Magenta, one-hot
  vectors side by side.
- The recurrent layers are an LSTM; in `attention_rnn` the first layer also attends to its own last
  outputs (`networks.attention_lstm`).
- The head says a probability for each event, and may say "what stood here N bars ago" besides;
  `event_logits` adds the two up, so that a network always gives the probabilities of events.

References
----------
Hochreiter and Schmidhuber, "Long Short-Term Memory", 1997. Zaremba, Sutskever and Vinyals,
"Recurrent Neural Network Regularization", 2014 (dropout between layers only). See, Liu and Manning,
"Get To The Point", 2017, equation 9 (adding up the ways to say a token).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from partimento.errors import ParameterError
from partimento.networks.attention_lstm import AttentionLSTM
from partimento.networks.checks import check_shares

State = tuple[Tensor, ...]  # hidden and cell, each (layer, batch, hidden); more with attention

FIRST_PITCH = 2  # tokens below are hold and rest, as in `representations.melody`


@dataclass(frozen=True)
class MelodyRNNConfig:
    """Size and regularisation of a `MelodyRNN`.

    Attributes
    ----------
    vocab_size : int
        Tokens that can be predicted.
    feature_sizes : tuple of int
        Values each column of features can take; see `MelodyRepresentation.feature_sizes`.
    hidden_size, num_layers : int
        Of the recurrent layers.
    embedding_size : int
        0 makes embeddings as wide as the recurrent layers.
    dropout : float
        On the summed embeddings, between layers, and before the head.
    one_hot : bool
        Read one-hot vectors side by side in place of a sum of embeddings. The last value of each
        feature, "nothing", is all zeros, so a feature of n values is n - 1 wide.
    attention_length : int
        Outputs of the first layer that it attends to; 0 for a plain LSTM.
    repeat_columns : tuple of int
        Columns that hold a token which the head can say as "the same as there".
    reference_column : int or None
        Column that holds the pitch (in semitones above the lowest) from which the head counts.
    """

    vocab_size: int
    feature_sizes: tuple[int, ...]
    hidden_size: int = 512
    num_layers: int = 2
    dropout: float = 0.5
    one_hot: bool = False
    attention_length: int = 0
    repeat_columns: tuple[int, ...] = ()
    reference_column: int | None = None
    embedding_size: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "feature_sizes", tuple(self.feature_sizes))
        object.__setattr__(self, "repeat_columns", tuple(self.repeat_columns))
        if self.vocab_size < 2 or not any(self.feature_sizes) or min(self.feature_sizes) < 0:
            raise ParameterError(
                f"a network needs 2 tokens or more and at least one feature, got vocab_size "
                f"{self.vocab_size} and feature_sizes {self.feature_sizes}"
            )
        if self.hidden_size < 1 or not 1 <= self.num_layers <= 16:
            raise ParameterError(
                f"hidden_size must be positive and num_layers 1-16, got {self.hidden_size} and "
                f"{self.num_layers}"
            )
        if self.embedding_size < 0:
            raise ParameterError(f"embedding_size must be 0 or more, got {self.embedding_size}")
        check_shares(self, "dropout")
        if not 0 <= self.attention_length <= 1024:
            raise ParameterError(f"attention_length must be 0-1024, got {self.attention_length}")

    @property
    def num_classes(self) -> int:
        """Outputs of the head: events (or intervals, from a reference), and repeats."""
        intervals = 0 if self.reference_column is None else self.vocab_size - FIRST_PITCH - 1
        return self.vocab_size + intervals + len(self.repeat_columns)

    @property
    def read_columns(self) -> tuple[int, ...]:
        """Columns that are inputs; those of size 0 are for the head alone."""
        return tuple(column for column, size in enumerate(self.feature_sizes) if size)

    @property
    def input_size(self) -> int:
        """Width of what the first layer reads."""
        if self.one_hot:
            return sum(self.feature_sizes[column] - 1 for column in self.read_columns)
        return self.embedding_size or self.hidden_size


class MelodyRNN(nn.Module):
    """Predicts the next token from the features of each step."""

    def __init__(self, config: MelodyRNNConfig) -> None:
        super().__init__()
        self.config = config
        sizes = [config.feature_sizes[column] for column in config.read_columns]
        embeddings = [] if config.one_hot else [nn.Embedding(n, config.input_size) for n in sizes]
        for embedding in embeddings:  # so that their sum has a deviation of 1
            nn.init.normal_(embedding.weight, std=1 / len(embeddings) ** 0.5)
        self.embeddings = nn.ModuleList(embeddings)
        between = config.dropout if config.num_layers > 1 else 0.0
        size, layers = config.hidden_size, config.num_layers
        self.lstm: nn.LSTM | AttentionLSTM = (
            AttentionLSTM(config.input_size, size, layers, between, config.attention_length)
            if config.attention_length
            else nn.LSTM(config.input_size, size, layers, batch_first=True, dropout=between)
        )
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(size, config.num_classes)

    def forward(
        self, features: Int[Tensor, "batch time feature"], state: State | None = None
    ) -> tuple[Float[Tensor, "batch time vocab"], State]:
        """Logits of the token at each step.

        ``logits[:, t]`` depends on ``features[:, : t + 1]`` and on ``state`` only, so the same
        call serves teacher forcing (whole sequence, no state) and generation (one step and the
        state returned by the call before).
        """
        hidden, state = self.lstm(self.front(features), state)  # batch time hidden
        classes = self.head(self.dropout(hidden)).float()  # batch time class
        return event_logits(classes, features, self.config), state

    def front(self, features: Int[Tensor, "batch time feature"]) -> Float[Tensor, "batch time _"]:
        """Numbers that the recurrent layers read."""
        columns = self.config.read_columns
        if self.config.one_hot:
            return one_hots(features, self.config)
        embedded = self.embeddings[0](features[..., columns[0]])  # batch time embedding
        for column, embedding in zip(columns[1:], self.embeddings[1:], strict=True):
            embedded = embedded + embedding(features[..., column])
        dropped: Tensor = self.dropout(embedded)
        return dropped


def one_hots(
    features: Int[Tensor, "*batch feature"], config: MelodyRNNConfig
) -> Float[Tensor, "*batch _"]:
    """One-hot vectors side by side; the last value of each feature is all zeros."""
    columns = list(config.read_columns)
    widths = [config.feature_sizes[column] - 1 for column in columns]
    offsets = [sum(widths[:index]) for index in range(len(widths))]
    total = config.input_size
    values = features[..., columns]
    is_nothing = values >= torch.tensor(widths, device=features.device)
    index = torch.where(is_nothing, total, values + torch.tensor(offsets, device=features.device))
    zeros = torch.zeros(*features.shape[:-1], total + 1, device=features.device)
    return zeros.scatter(-1, index, 1.0)[..., :total]


def event_logits(
    classes: Float[Tensor, "*batch class"],
    features: Int[Tensor, "*batch feature"],
    config: MelodyRNNConfig,
) -> Float[Tensor, "*batch vocab"]:
    """Logits of events, from those of the head's classes.

    Intervals are moved to the pitches they stand for here, and those outside the vocabulary fall
    away. Where "the same as so many bars ago" means an event, its probability is added to that of
    the event said outright; before the beginning it means a hold.
    """
    num_repeats = len(config.repeat_columns)
    num_tokens = config.num_classes - num_repeats
    tokens = torch.arange(config.vocab_size, device=features.device)
    events = classes[..., :num_tokens]
    shift = None
    if config.reference_column is not None:
        shift = num_tokens - config.vocab_size - features[..., config.reference_column, None]
        events = events.gather(-1, tokens + shift * (tokens >= FIRST_PITCH))
    if not num_repeats:
        return events
    most = classes.amax(dim=-1, keepdim=True)
    total = torch.exp(events - most)
    for index, column in enumerate(config.repeat_columns):
        stood = features[..., column, None]
        stood = stood * (stood < num_tokens)  # before the beginning: a hold, which is 0
        if shift is not None:
            stood = stood - shift * (stood >= FIRST_PITCH)
        said = torch.exp(classes[..., num_tokens + index, None] - most)
        total = total + said * (tokens == stood)
    return torch.log(total + 1e-30) + most
