"""Teach a network piano rolls, and measure it. `teach_rolls` is the road, `frame_nats` the measure.

A benchmark model learns from the training part of its own set, its validation part says which
weights are kept, and its test part is looked at by `frame_nats` alone, when all is decided.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from partimento.data.rolls import KEYS, Rolls
from partimento.errors import TrainingError
from partimento.networks.roll_tcn import RollTCN, RollTCNConfig
from partimento.networks.rolls import END, INTERVAL, NO_KEY, PLACE, RollRNN, RollRNNConfig
from partimento.representations.pianoroll import PianoRollRepresentation
from partimento.training.batches import Batch, of_like_length
from partimento.training.course import plain
from partimento.training.distributed import joined
from partimento.training.loop import HeldOut, Outcome, Progress, TrainingSettings, train
from partimento.training.losses import nll_per_step
from partimento.training.run_folder import RunFolder

FEATURES = INTERVAL + 1
BATCHES_PER_POOL = 8  # sorted by length together, so that little of a batch is padding
EVALUATED_FRAMES = 8192  # in a batch, padding and all
NetworkConfig = RollRNNConfig | RollTCNConfig


@dataclass(frozen=True)
class RollLesson:
    """Everything that decides what a network learns of piano rolls.

    Attributes
    ----------
    network : RollRNNConfig or RollTCNConfig
    settings : TrainingSettings
        ``chunk_steps`` is the longest example in frames.
    warm_up : int
        Frames that an example cut from within a piece reads before its first.
    """

    network: NetworkConfig
    settings: TrainingSettings
    warm_up: int = 32

    def new_network(self) -> RollRNN | RollTCN:
        """Make a network of random weights."""
        torch.manual_seed(self.settings.seed)
        if isinstance(self.network, RollTCNConfig):
            return RollTCN(self.network)
        return RollRNN(self.network)

    def facts(self) -> dict[str, Any]:
        """All of it as plain values."""
        return plain({"kind": type(self.network).__name__, **asdict(self)})


@dataclass
class RollBatches:
    """Batches of stretches of piano rolls, as a function of the step.

    Attributes
    ----------
    pieces : sequence of uint8 array, each of shape (step, 88)
    form : str
        Of the network that reads them.
    batch_size, chunk_steps, warm_up : int
    seed, transpose : int
    """

    pieces: Sequence[np.ndarray]
    form: str
    batch_size: int
    chunk_steps: int
    seed: int
    transpose: int = 0
    warm_up: int = 0
    _shuffled: tuple[int, list[tuple[int, int, int]]] = field(
        default=(-1, []), init=False, repr=False
    )

    def __post_init__(self) -> None:
        if not self.pieces:
            raise TrainingError("there is no piano roll to train on")

    def __call__(self, step: int) -> Batch:
        """Give the batch of one step of training, counted from 0."""
        epoch, index = divmod(step, self.batches_per_epoch)
        if self._shuffled[0] != epoch:  # every step of an epoch asks again
            self._shuffled = (epoch, self._cut(np.random.default_rng((self.seed, 0, epoch))))
        generator = np.random.default_rng((self.seed, 1, step))
        rows = self._shuffled[1][index * self.batch_size : (index + 1) * self.batch_size]
        return roll_batch([self._example(*row, generator) for row in rows], self.form)

    @property
    def batches_per_epoch(self) -> int:
        """Steps that show every piece about once."""
        chunks = sum(-(-len(piece) // self.chunk_steps) for piece in self.pieces)
        return max(1, round(chunks / self.batch_size))

    def _cut(self, generator: np.random.Generator) -> list[tuple[int, int, int]]:
        """(piece, first step, last step) of every example of an epoch, shuffled by batch."""
        needed = self.batches_per_epoch * self.batch_size
        chunks: list[tuple[int, int, int]] = []
        while len(chunks) < needed:
            for index in generator.permutation(len(self.pieces)):
                chunks += self._chunks(int(index), generator)
        chunks = [chunks[kept] for kept in generator.permutation(len(chunks))[:needed]]
        return of_like_length(chunks, self.batch_size, BATCHES_PER_POOL, generator)

    def _chunks(self, index: int, generator: np.random.Generator) -> Iterator[tuple[int, int, int]]:
        """Cut one piece: the first cut falls anywhere, the rest follow."""
        length, start = len(self.pieces[index]), 0
        if length > self.chunk_steps:
            start = int(generator.integers(self.chunk_steps // 4, self.chunk_steps + 1))
            yield index, 0, start
        while start < length:
            yield index, start, min(start + self.chunk_steps, length)
            start += self.chunk_steps

    def _example(
        self, index: int, start: int, stop: int, generator: np.random.Generator
    ) -> "RollExample":
        first = max(0, start - self.warm_up)
        piece = self.pieces[index]
        low, high = PianoRollRepresentation().room(piece)
        interval = int(generator.integers(max(-self.transpose, low), min(self.transpose, high) + 1))
        moved = PianoRollRepresentation().transposed(piece[first:stop], interval)
        return RollExample(moved, first, interval, start - first)


@dataclass(frozen=True)
class RollExample:
    """A stretch of a piece: frames, number of its first, how far it was moved, frames unasked."""

    frames: np.ndarray
    first: int = 0
    interval: int = 0
    unasked: int = 0


def roll_batch(examples: Sequence[RollExample], form: str) -> Batch:
    """Stack examples, filling shorter ones up; the loss of a batch is in nats per frame.

    Parameters
    ----------
    form
        "keys": targets (batch, time, 88) are 0 and 1. "set": targets (batch, time, slot) are the
        keys of a frame from the lowest up, then the end.
    """
    longest = max(len(example.frames) for example in examples)
    features = np.zeros((len(examples), longest, FEATURES), dtype=np.int64)
    is_asked = np.zeros((len(examples), longest), dtype=bool)
    for row, example in enumerate(examples):
        length = len(example.frames)
        features[row, :length, :KEYS] = example.frames
        features[row, :, PLACE] = example.first + np.arange(longest)
        features[row, :, INTERVAL] = example.interval
        is_asked[row, example.unasked : length] = True
    frames = features[..., :KEYS]
    if form == "keys":
        targets = frames.copy()
        is_real = np.broadcast_to(is_asked[..., None], targets.shape).copy()
    else:
        targets = slots(frames)
        is_real = is_asked[..., None] & (targets != NO_KEY)
        targets = np.maximum(targets, 0)
    a_frame = is_real.sum() / max(1, is_asked.sum())  # the loop divides by targets, not by frames
    return Batch(features, targets, is_real, np.full(targets.shape, a_frame, dtype=np.float32))


def slots(frames: np.ndarray) -> np.ndarray:
    """Keys of each frame from the lowest up, `END`, then `NO_KEY`; (batch, time, slot)."""
    count = frames.sum(axis=-1)
    most = max(1, int(count.max(initial=0)))
    listed = np.sort(np.where(frames > 0, np.arange(KEYS), KEYS), axis=-1)[..., :most]
    room = np.full((*frames.shape[:-1], most + 1), NO_KEY, dtype=np.int64)
    room[..., :most] = np.where(listed == KEYS, NO_KEY, listed)
    np.put_along_axis(room, count[..., None], END, axis=-1)
    return room


def frame_nats(network: nn.Module, pieces: Sequence[np.ndarray], form: str) -> list[np.ndarray]:
    """How surprised a network is by each frame of each piece, in nats; in the order of the pieces.

    Pieces are read whole, from their first frame to their last, unmoved.
    """
    network.eval()
    device = next(network.parameters()).device
    measured: list[np.ndarray] = [np.empty(0)] * len(pieces)
    with torch.inference_mode():
        for group in _of_a_size(pieces):
            batch = roll_batch([RollExample(pieces[index]) for index in group], form)
            features, targets, is_real = (
                torch.from_numpy(column).to(device)
                for column in (batch.features, batch.targets, batch.is_real)
            )
            nats = nats_of_frames(network(features)[0], targets, is_real).cpu().numpy()
            for row, index in enumerate(group):
                measured[index] = nats[row, : len(pieces[index])]
    return measured


def nats_of_frames(
    logits: Float[Tensor, "batch time slot class"], targets: Tensor, is_real: Tensor
) -> Float[Tensor, "batch time"]:
    """Sum the nats of all that is said of a frame, in double precision."""
    nats = nll_per_step(logits.double(), targets)
    return torch.where(is_real, nats, 0.0).sum(dim=-1)


def _of_a_size(pieces: Sequence[np.ndarray]) -> Iterator[list[int]]:
    """Group pieces, by their indices, so that a batch has few frames and little padding."""
    group: list[int] = []
    for index in sorted(range(len(pieces)), key=lambda index: len(pieces[index])):
        if group and len(pieces[index]) * (len(group) + 1) > EVALUATED_FRAMES:
            yield group
            group = []
        group.append(index)
    yield group


@dataclass(frozen=True)
class TaughtRolls:
    """A finished run: the network with its best weights, and which those are."""

    network: RollRNN | RollTCN
    outcome: Outcome
    best: dict[str, Any]  # step and held-out figures
    sha256: str  # of the weights


def teach_rolls(
    lesson: RollLesson,
    rolls: Rolls,
    run: RunFolder,
    *,
    resume: bool = False,
    report: Callable[[Progress], None] = lambda progress: None,
    tell: Callable[[str], None] = lambda words: None,
) -> TaughtRolls:
    """Train on the training part of a benchmark, choose on its validation part.

    Parameters
    ----------
    resume
        Go on from what the run folder holds, if it holds a run.
    report, tell
        See `partimento.training.loop.train`.
    """
    settings, form = lesson.settings, lesson.network.form
    batches = RollBatches(
        rolls.train,
        form,
        settings.batch_size,
        settings.chunk_steps,
        settings.seed,
        settings.transpose,
        lesson.warm_up,
    )

    def evaluate(network: nn.Module) -> HeldOut:
        # The column "keys" is counted without the first frame of a piece, as `evaluation.rolls`.
        skipped = 1 if form == "keys" else 0
        nats = [piece[skipped:] for piece in frame_nats(network, rolls.valid, form)]
        notes = sum(int(piece[skipped:].sum()) for piece in rolls.valid)
        return HeldOut(sum(float(n.sum()) for n in nats), sum(map(len, nats)), notes)

    network = lesson.new_network()
    with run.locked(), joined() as group:
        run.begin(lesson.facts() | {"set": rolls.name, "sha256": rolls.sha256}, resume=resume)
        network.to(group.device)
        outcome = train(network, batches, evaluate, settings, run, report, group, tell)
        weights, best = run.load_best()
        network.load_state_dict(weights)
    return TaughtRolls(network, outcome, best, digest(network))


def digest(network: nn.Module) -> str:
    """SHA-256 over the names and bytes of all weights."""
    hasher = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        hasher.update(name.encode())
        hasher.update(np.ascontiguousarray(tensor.detach().cpu().numpy()).tobytes())
    return hasher.hexdigest()
