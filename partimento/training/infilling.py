"""What is particular to teaching a `BachCNN`: hidden cells to be found, their weights, its graph.

Each example is an excerpt of a piece in a random key with some cells hidden (`random_mask`), and
the network finds them from the rest. It learns so all orders in which cells can be written at once
(orderless NADE): the loss of an example is the mean over its hidden cells, so that every number of
them counts the same.

References
----------
Uria, Murray and Larochelle, "A Deep and Tractable Density Estimator", ICML 2014; Huang et al.,
"Counterpoint by Convolution", ISMIR 2017, section 3.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from partimento.errors import TrainingError
from partimento.networks.bach_cnn import NUM_COLUMNS, BachCNN, BachCNNConfig
from partimento.representations.filling import (
    NO_KEY,
    PLACE,
    filling_features,
    known_key,
    moved_key,
)
from partimento.representations.masks import TASKS, random_mask, task_mask
from partimento.representations.satb import SatbRepresentation
from partimento.training.batches import Batch
from partimento.training.export import LARGEST_DIFFERENCE, exported
from partimento.training.loop import HeldOut, held_out_loss
from partimento.training.voice_pieces import (
    EncodedVoices,
    Teacher,
    VoiceBatches,
    filled_up,
    lesson_batches,
    voices_config,
)

if TYPE_CHECKING:
    from partimento.training.chorales import VoicesLesson

EVALUATION_BATCH = 16
# Shares of the examples.
KEY_TOLD, NO_KEY_AT_ALL, END_TOLD = 0.4, 0.1, 0.85
CHECKED_PIECES = 4
GRAPH = "fill"  # name of the graph


@dataclass
class FillingBatches(VoiceBatches):
    """Batches of excerpts with hidden cells, as a function of the step."""

    _keys: list[int] = field(init=False, repr=False)
    _planned: tuple[int, np.ndarray] = field(
        default=(-1, np.zeros(0, dtype=np.int64)), init=False, repr=False
    )

    def __post_init__(self) -> None:
        self._keys = [known_key(piece.tokens, self.representation) for piece in self.pieces]

    @property
    def batches_per_epoch(self) -> int:
        """Batches that show as many steps as the pieces have."""
        chunks = sum(self._chunks(piece) for piece in self.pieces)
        return -(-chunks // self.batch_size)

    def _chunks(self, piece: EncodedVoices) -> int:
        return -(-len(piece.tokens) // self.chunk_steps)

    def __call__(self, step: int) -> Batch:
        """Give the batch of one step of training, counted from 0."""
        epoch, index = divmod(step, self.batches_per_epoch)
        if self._planned[0] != epoch:
            generator = np.random.default_rng(np.random.SeedSequence((self.seed, 0, epoch)))
            numbers = np.repeat(np.arange(len(self.pieces)), [*map(self._chunks, self.pieces)])
            self._planned = epoch, generator.permutation(numbers)
        generator = np.random.default_rng(np.random.SeedSequence((self.seed, 1, step)))
        mine = self._planned[1][index * self.batch_size :][: self.batch_size]
        return pad_examples(
            [self._example(number, generator) for number in mine.tolist()],
            self.representation.cycle,
        )

    def _example(
        self, number: int, generator: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Features, targets and what is hidden, of an excerpt in a random key."""
        piece, representation = self.pieces[number], self.representation
        steps, beat = len(piece.tokens), representation.steps_per_quarter
        # From beyond both ends, so that beginnings and ends are met as often as what is between.
        room = max(0, steps - self.chunk_steps)
        start = int(generator.integers(-self.chunk_steps // 4, room + self.chunk_steps // 4 + 1))
        start = min(max(0, start), room) // beat * beat
        stop = min(steps, start + self.chunk_steps)
        semitones = self.interval(piece.tokens, generator)
        targets = representation.transposed(piece.tokens[start:stop], semitones)
        is_hidden = random_mask(stop - start, representation, generator)
        key: int | None = None
        way = generator.random()
        if way < NO_KEY_AT_ALL:
            key = NO_KEY
        elif self.config.key and way < NO_KEY_AT_ALL + KEY_TOLD:
            key = moved_key(self._keys[number], semitones)
        features = filling_features(
            np.where(is_hidden, representation.unknown, targets)[None],
            representation,
            first=piece.first,
            key=key,
            before=start,
            after=steps - stop if generator.random() < END_TOLD else None,
        )
        return features[0], targets, is_hidden


def pad_examples(
    examples: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]], outside: int
) -> Batch:
    """Stack examples, filling shorter ones up with rows whose place is `outside`.

    Each example's weights sum to the same, so that the loss is the mean of their means.
    """
    longest = max(len(targets) for _, targets, _ in examples)
    features, targets, hidden = (
        np.stack([filled_up(example[part], longest) for example in examples]) for part in range(3)
    )
    for row, (rows, _, _) in enumerate(examples):
        features[row, len(rows) :, PLACE] = outside
        hidden[row, len(rows) :] = False
    count = hidden.sum(axis=(1, 2))
    weights = (count.sum() / len(examples) / count)[:, None, None]
    return Batch(
        features, targets, hidden, np.broadcast_to(weights, hidden.shape).astype(np.float32)
    )


def task_batches(
    pieces: Sequence[EncodedVoices], representation: SatbRepresentation, task: str
) -> list[Batch]:
    """Pieces, whole, with what a task hides."""
    examples = []
    for number, piece in enumerate(pieces):
        is_hidden = task_mask(task, number, len(piece.tokens), representation)
        cells = np.where(is_hidden, representation.unknown, piece.tokens)
        features = filling_features(cells[None], representation, first=piece.first)
        examples.append((features[0], piece.tokens, is_hidden))
    examples.sort(key=lambda example: len(example[1]))
    return [
        pad_examples(examples[first : first + EVALUATION_BATCH], representation.cycle)
        for first in range(0, len(examples), EVALUATION_BATCH)
    ]


class _Evaluation:
    """Held-out loss; the batches are laid out once a run."""

    def __init__(self) -> None:
        self._made: tuple[Sequence[EncodedVoices], dict[str, list[Batch]]] = ([], {})

    def __call__(
        self, network: nn.Module, held_out: Sequence[EncodedVoices], lesson: "VoicesLesson"
    ) -> HeldOut:
        """Nats of a hidden cell, the mean of the tasks."""
        if self._made[0] is not held_out:
            batches = {t: task_batches(held_out, lesson.representation, t) for t in TASKS}
            self._made = held_out, batches
        found = task_losses(network, self._made[1], lesson.representation)
        cells = sum(loss.steps for loss in found.values())
        mean = sum(loss.nats_per_step for loss in found.values()) / len(found)
        return HeldOut(mean * cells, cells, sum(piece.num_notes for piece in held_out))


def task_losses(
    network: nn.Module, batches: dict[str, list[Batch]], representation: SatbRepresentation
) -> dict[str, HeldOut]:
    """Measure each task; steps of the results are hidden cells."""
    return {
        task: held_out_loss(network, made, representation.first_pitch)
        for task, made in batches.items()
    }


class Fill(nn.Module):
    """The network without what only training knows."""

    def __init__(self, network: BachCNN) -> None:
        super().__init__()
        self.network = network

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Logits (batch, time, voice, vocab)."""
        logits: torch.Tensor = self.network(features)[0]
        return logits


def export(network: nn.Module) -> dict[str, bytes]:
    """Make the graph ``fill``: ``features`` (batch, time, column) int64 to ``logits``."""
    assert isinstance(network, BachCNN)
    dims = {0: torch.export.Dim("batch"), 1: torch.export.Dim("time")}
    graph = exported(
        Fill(network.cpu().eval()).eval(),
        (torch.zeros(3, 40, NUM_COLUMNS, dtype=torch.int64),),
        ["features"],
        ["logits"],
        {"features": dims},
    )
    return {GRAPH: graph}


def check(
    network: nn.Module,
    graphs: dict[str, bytes],
    held_out: Sequence[EncodedVoices],
    lesson: "VoicesLesson",
) -> float:
    """Have graph and network find hidden cells of held-out music; return the largest difference.

    Raises `TrainingError` above `LARGEST_DIFFERENCE`.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(graphs[GRAPH], providers=["CPUExecutionProvider"])
    network = network.cpu().eval()
    largest = 0.0
    for task in TASKS:
        for batch in task_batches(held_out[:CHECKED_PIECES], lesson.representation, task):
            with torch.inference_mode():
                expected = network(torch.from_numpy(batch.features))[0].numpy()
            (logits,) = session.run(["logits"], {"features": batch.features})
            largest = max(largest, float(np.abs(logits - expected).max()))
    if not largest <= LARGEST_DIFFERENCE:
        raise TrainingError(
            f"the exported graph disagrees with the network: logits differ by {largest:.2g}, "
            f"{LARGEST_DIFFERENCE:g} at most is rounding"
        )
    return largest


def about(config: dict[str, Any]) -> str:
    """Say what the network is and reads."""
    network, representation = config["network"], config["representation"]
    reads = "the cells that are known, the place in a cycle of four quarters, where the piece "
    reads += "begins and ends, the key (which is estimated from those cells"
    reads += ", or told)" if network["key"] else ")"
    return (
        f"{len(network['dilations'])} convolutions of {network['hidden_size']} channels over time "
        f"and all four voices, {representation['steps_per_quarter']} steps to a quarter note, in "
        f"pitches {representation['lowest']}-{representation['highest']}. It predicts any cells "
        f"from any others, and reads {reads}. Held-out nats are of a hidden cell, given all that "
        f"are not hidden: the mean of the tasks {', '.join(TASKS)}."
    )


TEACHER = Teacher(
    config=partial(voices_config, "bach-cnn", BachCNNConfig),
    network=BachCNN,
    batches=partial(lesson_batches, FillingBatches),
    evaluate=_Evaluation(),
    export=export,
    check=check,
    about=about,
)
