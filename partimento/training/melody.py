"""Teach a melody network: from pieces to a checkpoint. `teach` is the whole road.

The network and the loop are general; this file says what is particular to melodies: how pieces are
encoded, what held-out loss means, and what the finished checkpoint says of itself.
"""

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch

from partimento.checkpoints import save_checkpoint
from partimento.checkpoints.arrays import write_arrays
from partimento.data import Piece
from partimento.data.note_runs import hashed_runs
from partimento.errors import DataError
from partimento.music.score import Score
from partimento.networks.melody_rnn import MelodyRNN, MelodyRNNConfig
from partimento.representations.melody import FIRST_PITCH, MelodyRepresentation
from partimento.training.baselines import baseline_figures
from partimento.training.batches import EncodedPiece, MelodyBatches, encode_pieces, whole_pieces
from partimento.training.card import write_card
from partimento.training.course import (
    Taught,
    checkpoint_config,
    enough_memory,
    plain,
    take_course,
)
from partimento.training.estimate import Estimate
from partimento.training.export import check_graph, step_graph
from partimento.training.listening import Listener
from partimento.training.loop import (
    HeldOut,
    Outcome,
    Progress,
    TrainingSettings,
    held_out_loss,
)
from partimento.training.run_folder import PIECES, RunFolder
from partimento.training.verdict import Verdict, judge
from partimento.training.warm_start import Parent

EVALUATION_BATCH = 32
TRAINING_RUNS = "training.npz"
CHECKED_PIECES, CHECKED_STEPS = 8, 256  # real music that both engines must agree on


@dataclass(frozen=True)
class Lesson:
    """Everything that decides what a melody network learns.

    Attributes
    ----------
    name : str
        Of the finished model.
    config : str
        Preset it comes from.
    representation : MelodyRepresentation
    hidden_size, num_layers, dropout, one_hot, attention_length, embedding_size
        See `MelodyRNNConfig`. A dropout of `None` is still to be chosen, by the size of the data.
    settings : TrainingSettings
    data : tuple of str
        Sources as asked for, for the card.
    parent : Parent or None
        The checkpoint to go on from; `None` begins with random weights.
    """

    name: str
    config: str
    representation: MelodyRepresentation
    hidden_size: int
    num_layers: int
    dropout: float | None
    settings: TrainingSettings
    data: tuple[str, ...] = ()
    one_hot: bool = False
    attention_length: int = 0
    embedding_size: int = 0
    parent: Parent | None = None

    def network_config(self) -> MelodyRNNConfig:
        """Size of the network that fits the representation."""
        return MelodyRNNConfig(
            vocab_size=self.representation.vocab_size,
            feature_sizes=self.representation.feature_sizes,
            hidden_size=self.hidden_size,
            num_layers=self.num_layers,
            dropout=self.dropout or 0.0,
            one_hot=self.one_hot,
            attention_length=self.attention_length,
            embedding_size=self.embedding_size,
            repeat_columns=self.representation.repeat_columns,
            reference_column=self.representation.reference_column,
        )

    def new_network(self) -> MelodyRNN:
        """Make the network to begin with: the parent's, or one of random weights."""
        if self.parent is not None:
            return self.parent.network(self.dropout)
        torch.manual_seed(self.settings.seed)
        return MelodyRNN(self.network_config())

    def facts(self) -> dict[str, Any]:
        """All of it as plain values, for `run.json` and the checkpoint."""
        facts = plain(asdict(replace(self, parent=None)))
        del facts["parent"]
        if self.dropout is None:
            del facts["dropout"]
        return facts | ({"parent": self.parent.facts()} if self.parent else {})


def teach(
    lesson: Lesson,
    pieces: list[Piece],
    run: RunFolder,
    *,
    resume: bool = False,
    data_facts: dict[str, Any] | None = None,
    on_start: Callable[[int, int], None] = lambda parameters, batches: None,
    report: Callable[[Progress], None] = lambda progress: None,
    tell: Callable[[str], None] = lambda words: None,
    play: Callable[[Any], Score] | None = None,
    on_estimate: Callable[[Estimate], None] = lambda found: None,
) -> Taught | None:
    """Train on the pieces marked "train", choose on "valid", and write the checkpoint.

    Parameters
    ----------
    pieces
        With their splits. "test" pieces are not looked at; `partimento evaluate` does that.
    resume
        Go on from what the run folder holds, if it holds a run.
    data_facts
        What the data report says, for the card.
    on_start
        Told the number of weights and the batches an epoch, once the data are in place.
    report, tell
        See `partimento.training.loop.train`.
    play
        Has the network play as it learns: see `training.listening`. `None` keeps no samples.
    on_estimate
        Told how long it will take, before the first step.

    Returns
    -------
    Taught or None
        `None` in a process that only helped: the first of them writes the checkpoint.

    Raises
    ------
    DataError
        If there is nothing to train on, or nothing held out.
    EnvironmentFault
        If the memory does not hold network and batch, the disk is full, or another process
        trains here.
    """
    training, held_out = by_split(pieces, lesson.representation)
    batches = batches_of(training, lesson)
    evaluate = evaluation_on(held_out, lesson.representation)
    with enough_memory():
        network = lesson.new_network()
    listener = None
    if play is not None:
        listener = Listener(run.path, play, evaluate, lesson.settings.evaluate_every, tell)

    def concluded(outcome: Outcome) -> Taught:
        baselines = baseline_figures(
            training, held_out, lesson.representation.vocab_size, lesson.settings.transpose
        )
        return conclude(
            lesson,
            network,
            run,
            outcome,
            listener,
            {"valid_pieces": len(held_out), **baselines},
            training=training,
            held_out=held_out,
            learned_from=[piece for piece in pieces if piece.split == "train"],
            epochs=outcome.step / batches.batches_per_epoch,
            data_facts=data_facts or {},
        )

    return take_course(
        network,
        batches,
        evaluate,
        lesson.settings,
        run,
        lesson.facts() | {"melodies": len(pieces), PIECES: digest_of(pieces)},
        concluded,
        held_out_steps=sum(len(piece.tokens) for piece in held_out),
        resume=resume,
        on_start=on_start,
        report=report,
        tell=tell,
        on_estimate=on_estimate,
        **({"listen": listener} if listener else {}),
    )


def conclude(
    lesson: Lesson,
    network: MelodyRNN,
    run: RunFolder,
    outcome: Outcome,
    listener: Listener | None,
    figures: dict[str, Any],
    *,
    training: list[EncodedPiece],
    held_out: list[EncodedPiece],
    learned_from: list[Piece],
    epochs: float,
    data_facts: dict[str, Any],
) -> Taught:
    """Take the best weights of a run that has ended, judge it, and write the checkpoint.

    Parameters
    ----------
    figures
        What is known besides of the held-out pieces.
    training, learned_from
        The same pieces, encoded and not.
    held_out
        Music to check the exported graph on.
    """
    weights, best = run.load_best()
    network.load_state_dict(weights)
    if listener is not None:
        listener.best(network, best["step"], best["nats"] / best["steps"])
    figures = {
        "valid_nats_per_step": best["nats"] / best["steps"],
        "valid_nats_per_note": best["nats"] / best["notes"],
        "valid_notes": best["notes"],
        **figures,
        "parameters": sum(weights.numel() for weights in network.parameters()),
        "best_step": best["step"],
        **parent_figures(lesson, run),
    }
    facts = lesson.facts()
    verdict = judge(
        run.read_log(),
        figures,
        facts | facts["settings"],
        reason=outcome.reason,
        epochs=epochs,
        training_notes=sum(piece.num_notes for piece in training),
    )
    finish(lesson, network, held_out, learned_from, figures, outcome, run, data_facts, verdict)
    return Taught(outcome, figures, run, verdict)


def batches_of(
    training: list[EncodedPiece], lesson: Lesson, seed: int | None = None
) -> MelodyBatches:
    """Lay out the batches of a lesson."""
    settings = lesson.settings
    return MelodyBatches(
        training,
        lesson.representation,
        settings.batch_size,
        settings.chunk_steps,
        settings.seed if seed is None else seed,
        settings.transpose,
        crop=settings.crop,
    )


def evaluation_on(
    held_out: list[EncodedPiece], representation: MelodyRepresentation
) -> Callable[[torch.nn.Module], HeldOut]:
    """Make the function that tells how surprised a network is by pieces."""

    def evaluate(module: torch.nn.Module) -> HeldOut:
        whole = whole_pieces(held_out, representation, EVALUATION_BATCH)
        return held_out_loss(module, whole, FIRST_PITCH)

    return evaluate


def parent_figures(lesson: Lesson, run: RunFolder) -> dict[str, float]:
    """How surprised the parent was, before the first step, by the same held-out pieces."""
    first = next((line for line in run.read_log() if line["step"] == 0), None)
    if lesson.parent is None or first is None:
        return {}
    return {
        "parent_nats_per_step": first["held_out_nats_per_step"],
        "parent_nats_per_note": first["held_out_nats_per_note"],
    }


def training_runs(pieces: list[Piece]) -> bytes:
    """Hash the runs of notes of pieces, so that a model can be asked how far it copies them."""
    return write_arrays(hashed_runs(piece.score for piece in pieces).arrays())


def by_split(
    pieces: list[Piece], representation: MelodyRepresentation
) -> tuple[list[EncodedPiece], list[EncodedPiece]]:
    """Encode the training pieces and the validation pieces."""
    training = encode_pieces([p for p in pieces if p.split == "train"], representation)
    held_out = encode_pieces([p for p in pieces if p.split == "valid"], representation)
    if not training or not held_out:
        raise DataError(
            f"too few melodies to train on some and judge by others: {len(pieces)}, where five "
            "different tunes are the fewest. Add files, or keep more of these: `partimento data` "
            "says what was left out, why, and which switch keeps it"
        )
    return training, held_out


def digest_of(pieces: list[Piece]) -> str:
    """SHA-256 over the music and the split of every piece, in order."""
    hasher = hashlib.sha256()
    for piece in pieces:
        hasher.update(f"{piece.split} {piece.score.digest}\n".encode())
    return hasher.hexdigest()


def finish(
    lesson: Lesson,
    network: MelodyRNN,
    held_out: list[EncodedPiece],
    learned_from: list[Piece],
    figures: dict[str, Any],
    outcome: Outcome,
    run: RunFolder,
    data_facts: dict[str, Any],
    verdict: Verdict,
) -> None:
    """Export, check the export on held-out music, and write the checkpoint."""
    graph = step_graph(network)
    longest = sorted(held_out, key=lambda piece: -len(piece.tokens))[:CHECKED_PIECES]
    steps = min(CHECKED_STEPS, *(len(piece.tokens) for piece in longest))
    features = np.stack(
        [
            lesson.representation.features(piece.tokens, piece.grid, None, 0, steps)
            for piece in longest
        ]
    )
    figures["largest_logit_difference"] = check_graph(network, graph, features)
    facts = lesson.facts() | {"network": plain(asdict(network.config))}
    config = checkpoint_config("melody-rnn", facts, ["step"], outcome, figures, data_facts, verdict)
    if lesson.parent:
        config["training"]["parent"] = lesson.parent.told()
    save_checkpoint(
        run.checkpoint,
        config=config,
        weights={name: tensor.numpy() for name, tensor in network.state_dict().items()},
        graphs={"step.onnx": graph},
        card=write_card(config, run.read_log()),
        extras={TRAINING_RUNS: training_runs(learned_from)},
    )
