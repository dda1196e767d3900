"""What every network of four voices learns from, and what it has to bring: `Teacher`.

A family of networks says in one `Teacher` how its network, batches, evaluation and graphs are made;
`training.chorales` does the rest, the same for all.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from torch import nn

from partimento.data.chorales import VoicePiece
from partimento.representations.satb import SatbRepresentation
from partimento.training.batches import Batch
from partimento.training.loop import HeldOut

if TYPE_CHECKING:
    from partimento.training.chorales import VoicesLesson


@dataclass(frozen=True, eq=False)
class EncodedVoices:
    """One piece as cells.

    Attributes
    ----------
    name : str
    tokens : int64 array, shape (step, voice)
    num_notes : int
        Notes that begin in the piece, all voices together.
    first : int
        Where the first step stands in its beat.
    """

    name: str
    tokens: np.ndarray
    num_notes: int
    first: int = 0


def encode_voices(
    pieces: Sequence[VoicePiece], representation: SatbRepresentation
) -> list[EncodedVoices]:
    """Write pieces as cells."""
    return [
        EncodedVoices(
            piece.name,
            representation.encode(piece.voices),
            int(piece.voices.is_struck.sum()),
            piece.voices.first,
        )
        for piece in pieces
    ]


class Batches(Protocol):
    """Batch of each step of training, counted from 0, as a function of the step alone."""

    @property
    def batches_per_epoch(self) -> int:
        """How many show each piece once."""

    def __call__(self, step: int) -> Batch:
        """Give the batch of a step."""


def nothing_to_tune(
    network: nn.Module, held_out: Sequence[EncodedVoices], lesson: "VoicesLesson"
) -> dict[str, Any]:
    """Leave a finished network as it is."""
    return {}


@dataclass(frozen=True)
class Teacher:
    """How the networks of one family are made, taught, judged and exported.

    Attributes
    ----------
    config
        From the representation and the lesson's network fields to the network's config, a frozen
        dataclass with a field ``dropout``. Raises `ParameterError`.
    network
        From that config to a network of random weights.
    batches
        Of the training pieces. The network takes a batch's features and returns logits (batch,
        time, voice, vocab) and anything.
    evaluate
        Held-out loss: ``steps`` of the result counts cells, so that it is in nats per cell.
    export
        ONNX graphs by name.
    check
        Largest difference between logits of the graphs and of the network on held-out music;
        raises `TrainingError` if it is more than rounding.
    about
        From the checkpoint's config to what the network is and reads, in Markdown.
    tune
        What is chosen on held-out pieces when the weights are final: entries of the checkpoint's
        config.
    """

    config: Callable[[SatbRepresentation, dict[str, Any]], Any]
    network: Callable[[Any], nn.Module]
    batches: Callable[[Sequence[EncodedVoices], "VoicesLesson"], Batches]
    evaluate: Callable[[nn.Module, Sequence[EncodedVoices], "VoicesLesson"], HeldOut]
    export: Callable[[nn.Module], dict[str, bytes]]
    check: Callable[[nn.Module, dict[str, bytes], Sequence[EncodedVoices], "VoicesLesson"], float]
    about: Callable[[dict[str, Any]], str]
    tune: Callable[[nn.Module, Sequence[EncodedVoices], "VoicesLesson"], dict[str, Any]] = field(
        default=nothing_to_tune
    )
