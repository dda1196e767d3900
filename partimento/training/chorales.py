"""Teach a network of four voices: from pieces to a checkpoint. `teach_voices` is the whole road.

What is particular to a family stands in its `Teacher` (`training.voice_pieces`): `TEACHERS` is the
list of them. Nats are counted per cell, one voice at one step.
"""

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import nn

from partimento.checkpoints import save_checkpoint
from partimento.data.chorales import VoicePiece
from partimento.errors import DataError, ParameterError
from partimento.representations.satb import SatbRepresentation
from partimento.training import frames, infilling
from partimento.training.course import (
    Taught,
    checkpoint_config,
    enough_memory,
    plain,
    take_course,
)
from partimento.training.estimate import Estimate
from partimento.training.loop import HeldOut, Outcome, Progress, TrainingSettings
from partimento.training.run_folder import PIECES, RunFolder
from partimento.training.verdict import Verdict, judge
from partimento.training.voice_pieces import EncodedVoices, Teacher, encode_voices
from partimento.training.voices_card import write_voices_card

TEACHERS: dict[str, Teacher] = {"bach-rnn": frames.TEACHER, "bach-cnn": infilling.TEACHER}


def teacher_of(family: str) -> Teacher:
    """Find out how the networks of a family are taught."""
    if family not in TEACHERS:
        raise ParameterError(f"no network of four voices is called {family!r}")
    return TEACHERS[family]


@dataclass(frozen=True)
class VoicesLesson:
    """Everything that decides what a network of four voices learns.

    Attributes
    ----------
    name : str
        Of the finished model.
    family, config : str
        Kind of network, and the preset it comes from.
    representation : SatbRepresentation
    network : dict
        Fields of the network's config, as plain values; what is left out is the default.
    settings : TrainingSettings
    data : tuple of str
        Sources as asked for, for the card.
    """

    name: str
    family: str
    config: str
    representation: SatbRepresentation
    network: dict[str, Any]
    settings: TrainingSettings
    data: tuple[str, ...] = ()

    @property
    def teacher(self) -> Teacher:
        """How this family is taught."""
        return teacher_of(self.family)

    def network_config(self) -> Any:
        """Size of the network that fits the representation."""
        return self.teacher.config(self.representation, self.network)

    def new_network(self) -> nn.Module:
        """Make a network of random weights, by the seed of the settings."""
        torch.manual_seed(self.settings.seed)
        return self.teacher.network(self.network_config())

    def facts(self) -> dict[str, Any]:
        """All of it as plain values, for `run.json` and the checkpoint."""
        return plain({**asdict(self), "network": asdict(self.network_config())})


def teach_voices(
    lesson: VoicesLesson,
    pieces: Sequence[VoicePiece],
    run: RunFolder,
    *,
    resume: bool = False,
    data_facts: dict[str, Any] | None = None,
    on_start: Callable[[int, int], None] = lambda parameters, batches: None,
    report: Callable[[Progress], None] = lambda progress: None,
    tell: Callable[[str], None] = lambda words: None,
    on_estimate: Callable[[Estimate], None] = lambda found: None,
) -> Taught | None:
    """Train on the pieces marked "train", choose on "valid", and write the checkpoint.

    Parameters
    ----------
    pieces
        With their splits. "test" pieces are not looked at.
    resume, data_facts, on_start, report, tell, on_estimate
        As in `training.melody.teach`.

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
    batches = lesson.teacher.batches(training, lesson)
    with enough_memory():
        network = lesson.new_network()

    def evaluate(module: nn.Module) -> HeldOut:
        return lesson.teacher.evaluate(module, held_out, lesson)

    def concluded(outcome: Outcome) -> Taught:
        return conclude_voices(
            lesson,
            network,
            run,
            outcome,
            training=training,
            held_out=held_out,
            epochs=outcome.step / batches.batches_per_epoch,
            data_facts=data_facts or {},
        )

    return take_course(
        network,
        batches,
        evaluate,
        lesson.settings,
        run,
        lesson.facts() | {"pieces": len(pieces), PIECES: digest_of(pieces)},
        concluded,
        held_out_steps=sum(piece.tokens.size for piece in held_out),
        resume=resume,
        on_start=on_start,
        report=report,
        tell=tell,
        on_estimate=on_estimate,
    )


def conclude_voices(
    lesson: VoicesLesson,
    network: nn.Module,
    run: RunFolder,
    outcome: Outcome,
    *,
    training: list[EncodedVoices],
    held_out: list[EncodedVoices],
    epochs: float,
    data_facts: dict[str, Any],
) -> Taught:
    """Take the best weights of a run that has ended, judge it, and write the checkpoint."""
    weights, best = run.load_best()
    network.load_state_dict(weights)
    network.cpu().eval()
    figures = {
        "valid_nats_per_cell": best["nats"] / best["steps"],
        "valid_cells": best["steps"],
        "valid_pieces": len(held_out),
        "uniform_nats_per_cell": math.log(lesson.representation.vocab_size),
        "parameters": sum(weights.numel() for weights in network.parameters()),
        "best_step": best["step"],
    }
    facts = lesson.facts()
    told = {
        "valid_nats_per_step": figures["valid_nats_per_cell"],
        "valid_nats_per_note": best["nats"] / best["notes"],
        "uniform_nats_per_step": figures["uniform_nats_per_cell"],
    }
    verdict = judge(
        run.read_log(),
        figures | told,
        facts["network"] | facts["settings"],
        reason=outcome.reason,
        epochs=epochs,
        training_notes=sum(piece.num_notes for piece in training),
        unit="cell",
    )
    graphs = lesson.teacher.export(network)
    figures["largest_logit_difference"] = lesson.teacher.check(network, graphs, held_out, lesson)
    tuned = lesson.teacher.tune(network, held_out, lesson)
    write_checkpoint(lesson, network, graphs, figures, tuned, outcome, run, data_facts, verdict)
    return Taught(outcome, figures, run, verdict)


def write_checkpoint(
    lesson: VoicesLesson,
    network: nn.Module,
    graphs: dict[str, bytes],
    figures: dict[str, Any],
    tuned: dict[str, Any],
    outcome: Outcome,
    run: RunFolder,
    data_facts: dict[str, Any],
    verdict: Verdict,
) -> None:
    """Write the finished model with its card."""
    config = checkpoint_config(
        lesson.family, lesson.facts(), list(graphs), outcome, figures, data_facts, verdict
    )
    config |= tuned
    save_checkpoint(
        run.checkpoint,
        config=config,
        weights={name: tensor.numpy() for name, tensor in network.state_dict().items()},
        graphs={f"{name}.onnx": graph for name, graph in graphs.items()},
        card=write_voices_card(config, run.read_log(), lesson.teacher.about(config)),
    )


def by_split(
    pieces: Sequence[VoicePiece], representation: SatbRepresentation
) -> tuple[list[EncodedVoices], list[EncodedVoices]]:
    """Encode the training pieces and the validation pieces."""
    training = encode_voices([p for p in pieces if p.split == "train"], representation)
    held_out = encode_voices([p for p in pieces if p.split == "valid"], representation)
    if not training or not held_out:
        raise DataError(
            f"too few pieces to train on some and judge by others: {len(pieces)}, where five are "
            "the fewest. Add files: `partimento data` says what was left out, and why"
        )
    return training, held_out


def digest_of(pieces: Sequence[VoicePiece]) -> str:
    """SHA-256 over the cells and the split of every piece, in order."""
    hasher = hashlib.sha256()
    for piece in pieces:
        hasher.update(f"{piece.split} {piece.voices.pitch.shape} {piece.voices.first} ".encode())
        hasher.update(piece.voices.pitch.tobytes() + piece.voices.is_struck.tobytes())
    return hasher.hexdigest()
