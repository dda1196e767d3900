"""`MelodyRNN`: an LSTM over the events of a melody.

Every step it reads a few integers (the token before, and whatever else the representation lays
out: place in the bar, tokens some bars ago, bars left), adds up their embeddings, and predicts the
next token. With one feature and no more it is Magenta's `basic_rnn`.

References
----------
Hochreiter and Schmidhuber, "Long Short-Term Memory", 1997. Zaremba, Sutskever and Vinyals,
"Recurrent Neural Network Regularization", 2014 (dropout between layers only).
"""

from dataclasses import dataclass

from jaxtyping import Float, Int
from torch import Tensor, nn

from partimento.errors import ParameterError

State = tuple[Tensor, Tensor]  # hidden and cell, each (layer, batch, hidden)


@dataclass(frozen=True)
class MelodyRNNConfig:
    """Size and regularisation of a `MelodyRNN`.

    Attributes
    ----------
    vocab_size : int
        Tokens that can be predicted.
    feature_sizes : tuple of int
        Values each input feature can take; see `MelodyRepresentation.feature_sizes`.
    hidden_size, num_layers : int
        The embeddings are as wide as the LSTM layers.
    dropout : float
        On the summed embeddings, between layers, and before the head.
    """

    vocab_size: int
    feature_sizes: tuple[int, ...]
    hidden_size: int = 512
    num_layers: int = 2
    dropout: float = 0.5

    def __post_init__(self) -> None:
        object.__setattr__(self, "feature_sizes", tuple(self.feature_sizes))
        if self.vocab_size < 2 or not self.feature_sizes or min(self.feature_sizes) < 1:
            raise ParameterError(
                f"a network needs 2 tokens or more and at least one feature, got vocab_size "
                f"{self.vocab_size} and feature_sizes {self.feature_sizes}"
            )
        if self.hidden_size < 1 or not 1 <= self.num_layers <= 16:
            raise ParameterError(
                f"hidden_size must be positive and num_layers 1-16, got {self.hidden_size} and "
                f"{self.num_layers}"
            )
        if not 0 <= self.dropout < 1:
            raise ParameterError(f"dropout must be in [0, 1), got {self.dropout}")


class MelodyRNN(nn.Module):
    """Predicts the next token from the features of each step."""

    def __init__(self, config: MelodyRNNConfig) -> None:
        super().__init__()
        self.config = config
        embeddings = [nn.Embedding(size, config.hidden_size) for size in config.feature_sizes]
        for embedding in embeddings:  # so that their sum has a deviation of 1
            nn.init.normal_(embedding.weight, std=1 / len(embeddings) ** 0.5)
        self.embeddings = nn.ModuleList(embeddings)
        between = config.dropout if config.num_layers > 1 else 0.0
        self.lstm = nn.LSTM(
            config.hidden_size,
            config.hidden_size,
            config.num_layers,
            batch_first=True,
            dropout=between,
        )
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(config.hidden_size, config.vocab_size)

    def forward(
        self, features: Int[Tensor, "batch time feature"], state: State | None = None
    ) -> tuple[Float[Tensor, "batch time vocab"], State]:
        """Logits of the token at each step.

        ``logits[:, t]`` depends on ``features[:, : t + 1]`` and on ``state`` only, so the same
        call serves teacher forcing (whole sequence, no state) and generation (one step and the
        state returned by the call before).
        """
        embedded = self.embeddings[0](features[..., 0])  # batch time hidden
        for column, embedding in enumerate(self.embeddings[1:], start=1):
            embedded = embedded + embedding(features[..., column])
        hidden, state = self.lstm(self.dropout(embedded), state)  # batch time hidden
        return self.head(self.dropout(hidden)), state
