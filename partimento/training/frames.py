"""What is particular to teaching a `BachRNN`: its batches, its evaluation, its graphs.

The features of a batch are those of `representations.frames`, then the cells of the step itself
(the network reads a voice's cell for the voices after it only), then the number of the order in
which voices are chosen, where the network learns all of them.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from partimento.networks.bach_rnn import BachRNN, BachRNNConfig, orders
from partimento.representations.frames import (
    KEY,
    LEFT,
    MOST_LEFT,
    NO_KEY,
    NO_LEFT,
    frame_features,
    key_of,
    move_features,
)
from partimento.representations.satb import SatbRepresentation
from partimento.training.batches import Batch
from partimento.training.frame_graphs import check_graphs, frame_graph, voice_graph
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
KEY_TOLD, COUNTDOWN_TOLD = 0.5, 0.5  # shares of the examples
CHECKED_PIECES, CHECKED_STEPS = 4, 128


@dataclass
class FrameBatches(VoiceBatches):
    """Batches of whole pieces, or chunks of them, as a function of the step.

    Pieces longer than `chunk_steps` are cut anywhere.
    """

    _features: list[np.ndarray] = field(init=False, repr=False)
    _planned: tuple[int, list[list[tuple[int, int, int]]]] = field(
        default=(-1, []), init=False, repr=False
    )

    def __post_init__(self) -> None:
        self._features = told_features(self.pieces, self.representation)

    @property
    def batches_per_epoch(self) -> int:
        """Batches that show each piece once."""
        chunks = sum(-(-len(piece.tokens) // self.chunk_steps) for piece in self.pieces)
        return -(-chunks // self.batch_size)

    def __call__(self, step: int) -> Batch:
        """Give the batch of one step of training, counted from 0."""
        epoch, index = divmod(step, self.batches_per_epoch)
        if self._planned[0] != epoch:
            generator = np.random.default_rng(np.random.SeedSequence((self.seed, 0, epoch)))
            self._planned = epoch, self._plan(generator)
        generator = np.random.default_rng(np.random.SeedSequence((self.seed, 1, step)))
        return pad_frames([self._example(*c, generator) for c in self._planned[1][index]])

    def _plan(self, generator: np.random.Generator) -> list[list[tuple[int, int, int]]]:
        """Lay out an epoch: batches of (piece, start, stop), of about the same length each."""
        chunks = []
        for number, piece in enumerate(self.pieces):
            steps, count = len(piece.tokens), -(-len(piece.tokens) // self.chunk_steps)
            edges = [0, steps]
            if count > 1:  # cut into parts of about the same length, not always in one place
                middle = np.arange(1, count) * steps / count
                room = min(self.chunk_steps - steps / count, steps / count / 4)
                moved = middle + generator.uniform(-room / 2, room / 2, count - 1)
                edges[1:1] = np.round(moved).astype(int).tolist()
            chunks += [(number, start, stop) for start, stop in itertools.pairwise(edges)]
        jitter = generator.uniform(0.8, 1.25, len(chunks))  # so that neighbours change
        lengths = np.array([stop - start for _, start, stop in chunks])
        ordered = [chunks[place] for place in np.argsort(lengths * jitter, kind="stable")]
        batches = [
            ordered[first : first + self.batch_size]
            for first in range(0, len(ordered), self.batch_size)
        ]
        return [batches[place] for place in generator.permutation(len(batches))]

    def _example(
        self, number: int, start: int, stop: int, generator: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Features and targets of one chunk, in a random key, told a random part of the rest."""
        tokens = self.pieces[number].tokens
        semitones = self.interval(tokens, generator)
        targets = self.representation.transposed(tokens[start:stop], semitones)
        features = move_features(self._features[number][start:stop], semitones, self.representation)
        if not self.config.key or generator.random() >= KEY_TOLD:
            features[:, KEY] = NO_KEY
        if not self.config.countdown or generator.random() >= COUNTDOWN_TOLD:
            features[:, LEFT] = NO_LEFT
        columns = [features, targets]
        if self.config.any_order:
            columns.append(np.full((len(targets), 1), generator.integers(len(orders()))))
        return np.concatenate(columns, axis=1), targets


def told_features(
    pieces: Sequence[EncodedVoices], representation: SatbRepresentation
) -> list[np.ndarray]:
    """Rows of pieces with key and countdown told."""
    rows = frame_features(
        [piece.tokens for piece in pieces], representation, [piece.first for piece in pieces]
    )
    for features, piece in zip(rows, pieces, strict=True):
        features[:, KEY] = key_of(piece.tokens, representation)
        features[:, LEFT] = representation.countdown(len(piece.tokens), MOST_LEFT)
    return rows


def pad_frames(examples: Sequence[tuple[np.ndarray, np.ndarray]]) -> Batch:
    """Stack examples, filling shorter ones up with their last row."""
    longest = max(len(targets) for _, targets in examples)
    features = np.stack([filled_up(rows, longest) for rows, _ in examples])
    targets = np.stack([filled_up(rows, longest) for _, rows in examples])
    is_real = np.zeros(targets.shape, dtype=bool)
    for row, (_, rows) in enumerate(examples):
        is_real[row, : len(rows)] = True
    return Batch(features, targets, is_real)


def untold_batches(
    pieces: Sequence[EncodedVoices], representation: SatbRepresentation
) -> list[Batch]:
    """Held-out pieces, whole and as they were written, with nothing told but the past."""
    rows = frame_features(
        [piece.tokens for piece in pieces], representation, [piece.first for piece in pieces]
    )
    examples = [
        (np.concatenate([features, piece.tokens], axis=1), piece.tokens)
        for features, piece in zip(rows, pieces, strict=True)
    ]
    examples.sort(key=lambda example: len(example[1]))
    return [
        pad_frames(examples[first : first + EVALUATION_BATCH])
        for first in range(0, len(examples), EVALUATION_BATCH)
    ]


class _Evaluation:
    """Held-out loss; the batches are laid out once a run."""

    def __init__(self) -> None:
        self._made: tuple[Sequence[EncodedVoices], list[Batch]] = ([], [])

    def __call__(
        self, network: nn.Module, held_out: Sequence[EncodedVoices], lesson: "VoicesLesson"
    ) -> HeldOut:
        if self._made[0] is not held_out:
            self._made = held_out, untold_batches(held_out, lesson.representation)
        found = held_out_loss(network, self._made[1], lesson.representation.first_pitch)
        return HeldOut(found.nats, found.steps, sum(piece.num_notes for piece in held_out))


def export(network: nn.Module) -> dict[str, bytes]:
    """Make the two graphs that generation runs."""
    assert isinstance(network, BachRNN)
    return {"frame": frame_graph(network), "voice": voice_graph(network)}


def check(
    network: nn.Module,
    graphs: dict[str, bytes],
    held_out: Sequence[EncodedVoices],
    lesson: "VoicesLesson",
) -> float:
    """Play held-out music through both graphs; see `frame_graphs.check_graphs`."""
    assert isinstance(network, BachRNN)
    longest = sorted(held_out, key=lambda piece: -len(piece.tokens))[:CHECKED_PIECES]
    rows = told_features(longest, lesson.representation)
    steps = min(CHECKED_STEPS, *(len(piece.tokens) for piece in longest))
    examples = [
        np.concatenate([features[:steps], piece.tokens[:steps]], axis=1)
        for features, piece in zip(rows, longest, strict=True)
    ]
    return check_graphs(network, graphs, np.stack(examples))


def about(config: dict[str, Any]) -> str:
    """Say what the network is and reads."""
    network, representation = config["network"], config["representation"]
    reads = "the four voices, how long each has sounded, the place in a cycle of four quarters"
    if network["looks_back"]:
        reads += ", what followed when the music last went as now"
    if network["key"]:
        reads += ", the key (if it is told)"
    if network["countdown"]:
        reads += ", how far the end is (if it is told)"
    names = ["soprano", "alto", "tenor", "bass"]
    order = ", ".join(names[voice] for voice in network["order"])
    chosen = "any order" if network["any_order"] else f"the order {order}"
    return (
        f"recurrent layers ({network['num_layers']} x {network['hidden_size']}) over the frames of "
        f"four voices, {representation['steps_per_quarter']} to a quarter note, in pitches "
        f"{representation['lowest']}-{representation['highest']}; within a frame voice after "
        f"voice, in {chosen}, so that its likelihood is exact. It reads {reads}."
    )


def tune(
    network: nn.Module, held_out: Sequence[EncodedVoices], lesson: "VoicesLesson"
) -> dict[str, Any]:
    """Find the temperature at which held-out cells surprise the network least.

    Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks", ICML 2017,
    section 4.2: dividing logits by it, what the network says is as often right as it says.
    """
    logits, targets = [], []
    with torch.inference_mode():
        for batch in untold_batches(held_out, lesson.representation):
            said = network(torch.from_numpy(batch.features))[0]
            is_real = torch.from_numpy(batch.is_real)
            logits.append(said[is_real])
            targets.append(torch.from_numpy(batch.targets)[is_real])
    cells, right = torch.cat(logits), torch.cat(targets)
    log_temperature = torch.zeros((), requires_grad=True)
    optimizer = torch.optim.LBFGS([log_temperature], line_search_fn="strong_wolfe")

    def surprise() -> torch.Tensor:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(cells / log_temperature.exp(), right)
        loss.backward()
        return loss

    optimizer.step(surprise)
    temperature = float(log_temperature.detach().exp().clamp(0.5, 2))
    return {"calibration": {"temperature": round(temperature, 4)}}


TEACHER = Teacher(
    config=partial(voices_config, "bach-rnn", BachRNNConfig),
    network=BachRNN,
    batches=partial(lesson_batches, FrameBatches),
    evaluate=_Evaluation(),
    export=export,
    check=check,
    about=about,
    tune=tune,
)
