"""What every network of four voices learns from, and what it has to bring: `Teacher`.

A family of networks says in one `Teacher` how its network, batches, evaluation and graphs are made;
`training.chorales` does the rest, the same for all.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn

from partimento.data.chorales import VoicePiece
from partimento.errors import ParameterError
from partimento.networks.bach_cnn import BachCNNConfig
from partimento.networks.bach_rnn import BachRNNConfig
from partimento.representations.satb import SatbRepresentation
from partimento.training.batches import Batches
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


@dataclass
class VoiceBatches:
    """What all batches of four voices are made from; a family says how, by `__call__`.

    Attributes
    ----------
    pieces : sequence of EncodedVoices
    config
        Of the network.
    representation : SatbRepresentation
    batch_size, chunk_steps : int
        Examples, and the longest of them.
    seed : int
    transpose : int
        Most semitones that a piece is moved, as far as the vocabulary has room.
    """

    pieces: Sequence[EncodedVoices]
    config: Any
    representation: SatbRepresentation
    batch_size: int
    chunk_steps: int
    seed: int
    transpose: int = 6

    def interval(self, tokens: np.ndarray, generator: np.random.Generator) -> int:
        """Draw the semitones that a piece is moved."""
        down, up = self.representation.room(tokens)
        down, up = max(down, -self.transpose), min(up, self.transpose)
        return int(generator.integers(min(down, 0), max(up, 0) + 1))


def lesson_batches(
    kind: "type[VoiceBatches]", pieces: Sequence[EncodedVoices], lesson: "VoicesLesson"
) -> Any:
    """Lay out the batches of a lesson."""
    settings = lesson.settings
    return kind(
        pieces,
        lesson.network_config(),
        lesson.representation,
        settings.batch_size,
        settings.chunk_steps,
        settings.seed,
        settings.transpose,
    )


def filled_up(rows: np.ndarray, steps: int) -> np.ndarray:
    """Repeat the last row until there are so many."""
    return np.concatenate([rows, np.repeat(rows[-1:], steps - len(rows), axis=0)])


def voices_config(
    family: str,
    kind: type[BachRNNConfig] | type[BachCNNConfig],
    representation: SatbRepresentation,
    fields: dict[str, Any],
) -> BachRNNConfig | BachCNNConfig:
    """Size of the network of a family that fits a representation."""
    for name in fields:
        if name not in kind.__dataclass_fields__:
            raise ParameterError(f"{family} has no setting {name!r}")
    if representation.holds:
        raise ParameterError(f"{family} reads cells without holds")
    return kind(representation.vocab_size, representation.cycle, **fields)


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
