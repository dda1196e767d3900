"""What all lessons share: the way from a network and its batches to a finished run."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from partimento import __version__
from partimento.errors import EnvironmentFault
from partimento.training.batches import Batches
from partimento.training.distributed import joined
from partimento.training.estimate import Estimate, estimate
from partimento.training.loop import Evaluate, Outcome, Progress, TrainingSettings, train
from partimento.training.run_folder import RunFolder
from partimento.training.verdict import Verdict


@dataclass(frozen=True)
class Taught:
    """A finished run."""

    outcome: Outcome
    figures: dict[str, Any]
    folder: RunFolder
    verdict: Verdict


def take_course(
    network: nn.Module,
    batches: Batches,
    evaluate: Evaluate,
    settings: TrainingSettings,
    run: RunFolder,
    asked: dict[str, Any],
    conclude: Callable[[Outcome], Taught],
    *,
    held_out_steps: int,
    resume: bool,
    on_start: Callable[[int, int], None],
    report: Callable[[Progress], None],
    tell: Callable[[str], None],
    on_estimate: Callable[[Estimate], None],
    listen: Callable[[int, float, nn.Module], None] = lambda step, loss, network: None,
) -> Taught | None:
    """Train a network in a run folder that no other process may use meanwhile.

    Parameters
    ----------
    network, batches, evaluate, settings, report, tell, listen
        See `partimento.training.loop.train`.
    asked
        All that decides what is learned. A run goes on only where it is the same.
    conclude
        Makes the checkpoint of a run that has ended.
    held_out_steps
        What the held-out pieces are long, for the estimate.
    resume, on_start, on_estimate
        See `partimento.training.melody.teach`.

    Returns
    -------
    Taught or None
        `None` in a process that only helped: the first of them concludes.
    """
    parameters = sum(weights.numel() for weights in network.parameters())
    with run.locked(), joined() as group:
        asked = asked | {"processes": group.size}
        run.begin(asked, resume=resume)
        group.check_same(json.dumps(asked).encode())
        per_epoch = batches.batches_per_epoch
        on_start(parameters, per_epoch)
        done = run.reached()
        with enough_memory():
            network.to(group.device)
            if group.size == 1 and settings.steps and settings.progress(*done) < 1:
                on_estimate(estimate(network, batches, per_epoch, held_out_steps, settings, done))
            outcome = train(network, batches, evaluate, settings, run, report, group, tell, listen)
        return conclude(outcome) if group.is_first else None


def checkpoint_config(
    family: str,
    facts: dict[str, Any],
    graphs: list[str],
    outcome: Outcome,
    figures: dict[str, Any],
    data_facts: dict[str, Any],
    verdict: Verdict,
) -> dict[str, Any]:
    """Write the `config.json` of a finished model.

    Parameters
    ----------
    family
        Kind of model.
    facts
        Of the lesson: its name, config, representation, network, data and settings.
    graphs
        Names of the ONNX graphs.
    """
    return {
        "format": 1,
        "family": family,
        "name": facts["name"],
        "made_with": f"partimento {__version__}",
        "representation": facts["representation"],
        "network": facts["network"],
        "graphs": {name: f"{name}.onnx" for name in graphs},
        "training": {
            "config": facts["config"],
            "data": facts["data"],
            "data_report": data_facts,
            "settings": facts["settings"],
            "steps": outcome.step,
            "seconds": round(outcome.seconds),
            "torch": torch.__version__,
            "verdict": verdict.facts(),
        },
        "figures": figures,
    }


def plain(values: dict[str, Any]) -> dict[str, Any]:
    """Make what JSON would make of plain values: tuples become lists."""
    made: dict[str, Any] = json.loads(json.dumps(values))
    return made


@contextmanager
def enough_memory() -> Iterator[None]:
    """Make one error of the several that PyTorch raises where memory does not suffice."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not isinstance(error, MemoryError) and "memory" not in str(error):
            raise
        raise EnvironmentFault(
            "not enough memory for this network and batch: give a smaller --batch-size or "
            "--hidden-size"
        ) from error
