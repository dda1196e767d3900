"""Teach a melody network small data: folds say how long, then everything is learned from.

Of twenty files a tenth is two, too few to stop by, and too dear not to learn from. So the pieces
are dealt to folds (`partimento.data.folds`), and a run for each fold learns from the others and is
asked about this one. At the step where all folds together were least surprising, counted over all
of them, the last run stops, which learns from every piece. Each is a run like any other, with its
own folder; all settings are the same, and the learning rate does not fall, so that the last run
goes the road that was measured.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from partimento.data import Piece
from partimento.data.folds import deal
from partimento.errors import DataError, ParameterError
from partimento.music.score import Score
from partimento.training.baselines import by_counts, by_five_gram, uniform
from partimento.training.batches import Batch, EncodedPiece, MelodyBatches, encode_pieces
from partimento.training.course import Taught, enough_memory
from partimento.training.distributed import Group, joined
from partimento.training.listening import Listener
from partimento.training.loop import (
    HeldOut,
    Outcome,
    Progress,
    StoppedError,
    TrainingSettings,
    train,
)
from partimento.training.melody import (
    Lesson,
    batches_of,
    conclude,
    digest_of,
    evaluation_on,
)
from partimento.training.run_folder import PIECES, RunFolder

FEWEST_FOLDS = 2


def teach_by_folds(
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
) -> Taught:
    """Choose the number of steps by cross-validation, then learn from all but the test pieces.

    Parameters are those of `partimento.training.melody.teach`. The clock of the settings is shared
    out evenly among the runs; the last run alone is played by.
    """
    known = [piece for piece in pieces if piece.split != "test"]
    folds = deal(known)
    if len(folds) < FEWEST_FOLDS:
        raise DataError(
            f"too few melodies to learn from some and judge by others: {len(known)}, where two "
            "different tunes are the fewest. Add files, or keep more of these: `partimento data` "
            "says what was left out, why, and which switch keeps it"
        )
    encoded = [encode_pieces(fold, lesson.representation) for fold in folds]
    whole = encode_pieces(known, lesson.representation)
    share = len(folds) + 1
    with run.locked(), joined() as group:
        if group.size > 1:
            raise ParameterError(
                f"{len(known)} melodies are learned from in one process: leave torchrun out"
            )
        asked = lesson.facts() | {
            "melodies": len(pieces),
            PIECES: digest_of(pieces),
            "folds": len(folds),
        }
        run.begin(asked, resume=resume)
        with enough_memory():
            network = lesson.new_network()
        parameters = sum(weights.numel() for weights in network.parameters())
        on_start(parameters, batches_of(whole, lesson).batches_per_epoch)
        curves: list[dict[int, HeldOut]] = []
        outcomes: list[Outcome] = []
        for index, held_out in enumerate(encoded):
            training = [piece for fold in encoded if fold is not held_out for piece in fold]
            tell(
                f"run {index + 1} of {share}: learns from {len(training)} melodies, asked about "
                f"the other {len(held_out)}"
            )
            settings = _shared_out(lesson.settings, share)
            part = RunFolder(run.path / "folds" / str(index + 1))
            with part.locked(), enough_memory():
                part.begin(asked | {"fold": index + 1}, resume=True)
                network = lesson.new_network().to(group.device)
                outcome = _go_on(
                    run,
                    network,
                    batches_of(training, lesson),
                    evaluation_on(held_out, lesson.representation),
                    settings,
                    part,
                    _scaled(report, index, share),
                    group,
                    tell,
                )
            outcomes.append(outcome)
            curves.append(_curve(part, held_out))
        pooled = _pooled(curves)
        steps = min(
            (step for step in pooled if step),
            key=lambda step: pooled[step].nats,
            default=lesson.settings.evaluate_every,
        )
        tell(
            f"run {share} of {share}: learns from all {len(whole)} melodies for {steps} steps, "
            "where the others together were least surprised"
        )
        settings = replace(
            _shared_out(lesson.settings, share),
            steps=steps,
            patience=max(steps, lesson.settings.patience),
        )
        watched = _Watched(batches_of(whole, lesson), run)

        def measured(module: torch.nn.Module) -> HeldOut:
            return pooled[max(step for step in pooled if step <= watched.step)]

        listener = None
        if play is not None:
            listener = Listener(run.path, play, measured, settings.evaluate_every, tell)
        with enough_memory():
            network = lesson.new_network().to(group.device)
            outcome = _go_on(
                run,
                network,
                watched,
                measured,
                settings,
                run,
                _scaled(report, share - 1, share),
                group,
                tell,
                listener or (lambda step, loss, network: None),
            )
        total = Outcome(
            step=outcome.step + sum(other.step for other in outcomes),
            seconds=outcome.seconds + sum(other.seconds for other in outcomes),
            reason="folds",
            best=outcome.best,
        )
        return conclude(
            lesson,
            network,
            run,
            total,
            listener,
            {"valid_pieces": len(known), "folds": len(folds), **_baselines(encoded, lesson)},
            training=whole,
            held_out=whole,
            learned_from=known,
            epochs=outcome.step / watched.batches.batches_per_epoch,
            data_facts=data_facts or {},
        )


class _Watched:
    """Batches that remember which step of training comes next."""

    def __init__(self, batches: MelodyBatches, run: RunFolder) -> None:
        self.batches = batches
        found = run.load_state()
        self.step: int = found[1]["step"] if found else 0

    def __call__(self, step: int) -> Batch:
        self.step = step + 1
        return self.batches(step)


def _go_on(run: RunFolder, *arguments: Any) -> Outcome:
    """Train; a stop is one of the whole run, whose folder the user knows."""
    try:
        return train(*arguments)
    except StoppedError as stopped:
        raise StoppedError(stopped.exit_code - 128, run, Group()) from None


def _shared_out(settings: TrainingSettings, runs: int) -> TrainingSettings:
    minutes = settings.minutes / runs if settings.minutes else None
    return replace(settings, minutes=minutes)


def _scaled(
    report: Callable[[Progress], None], index: int, runs: int
) -> Callable[[Progress], None]:
    """Tell the progress of one of several runs as that of all."""

    def scaled(progress: Progress) -> None:
        report(replace(progress, done=(index + progress.done) / runs))

    return scaled


def _pooled(curves: list[dict[int, HeldOut]]) -> dict[int, HeldOut]:
    """Add the looks of all folds up, at the steps that all of them reached."""
    steps = set.intersection(*(set(curve) for curve in curves))
    return {step: _sum([curve[step] for curve in curves]) for step in sorted(steps)}


def _sum(parts: list[HeldOut]) -> HeldOut:
    return HeldOut(
        sum(part.nats for part in parts),
        sum(part.steps for part in parts),
        sum(part.notes for part in parts),
    )


def _curve(run: RunFolder, held_out: list[EncodedPiece]) -> dict[int, HeldOut]:
    """Read the looks of a finished run, by step."""
    steps = sum(len(piece.tokens) for piece in held_out)
    notes = sum(piece.num_notes for piece in held_out)
    return {
        line["step"]: HeldOut(line["held_out_nats_per_step"] * steps, steps, notes)
        for line in run.read_log()
    }


def _baselines(folds: list[list[EncodedPiece]], lesson: Lesson) -> dict[str, float]:
    """Baselines of the same pieces, each fold by what the others hold."""
    size, transpose = lesson.representation.vocab_size, lesson.settings.transpose
    found: dict[str, list[HeldOut]] = {"uniform": [], "counts": [], "five_gram": []}
    for held_out in folds:
        training = [piece for fold in folds if fold is not held_out for piece in fold]
        found["uniform"].append(uniform(held_out, size))
        found["counts"].append(by_counts(training, held_out, size))
        found["five_gram"].append(by_five_gram(training, held_out, size, transpose))
    return {
        f"{name}_nats_per_{what}": getattr(_sum(parts), f"nats_per_{what}")
        for name, parts in found.items()
        for what in ("step", "note")
    }
