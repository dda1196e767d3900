"""Teach a `GrooveNet`: from windows of drums as played to a checkpoint. Start at `teach_groove`.

The loss is the negative log-likelihood, in nats, of every cell that is asked: whether a drum is
struck, with what class of velocity, at what class of offset. Held-out loss is that of two tasks
that are fixed, humanize and tap, so that it can be compared along a run.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from partimento.checkpoints import save_checkpoint
from partimento.errors import ParameterError
from partimento.networks.groove import GrooveNet, GrooveNetConfig
from partimento.representations.bars import BarsRepresentation
from partimento.representations.groove import CLASSES, NUM_DRUMS, GrooveRepresentation
from partimento.training.course import (
    Taught,
    checkpoint_config,
    enough_memory,
    plain,
    take_course,
)
from partimento.training.estimate import Estimate
from partimento.training.groove_batches import (
    GrooveBatches,
    GrooveWindows,
    batch_of,
    grouped,
    told_for,
)
from partimento.training.groove_card import write_groove_card
from partimento.training.groove_graphs import check_groove_graphs, groove_graphs_of
from partimento.training.loop import HeldOut, Outcome, Progress, TrainingSettings
from partimento.training.losses import nll_per_step
from partimento.training.rounding import rounded_to_half, stored
from partimento.training.run_folder import PIECES, RunFolder
from partimento.training.verdict import judge
from partimento.training.windows import Windows, check_enough

EVALUATED = 550  # held-out windows, of those there are
LOOKED_AT = ("humanize", "tap")
CHECKED = 4  # windows that graphs and network must agree on


@dataclass(frozen=True)
class GrooveLesson:
    """Everything that decides what a `GrooveNet` learns.

    Attributes
    ----------
    name, config : str
        Of the finished model, and the preset it comes from.
    representation : GrooveRepresentation
    window_bars : int
        Bars of a window.
    network : dict
        Fields of `GrooveNetConfig`, as plain values; what is left out is the default.
    settings : TrainingSettings
        ``chunk_steps`` and ``transpose`` mean nothing here.
    data : tuple of str
        Sources as asked for, for the card.
    """

    name: str
    config: str
    representation: GrooveRepresentation
    window_bars: int
    network: dict[str, Any]
    settings: TrainingSettings
    data: tuple[str, ...] = ()

    @property
    def bars(self) -> BarsRepresentation:
        """How windows are cut."""
        per_quarter = self.representation.steps_per_quarter
        return BarsRepresentation("drums", self.window_bars, 6 * per_quarter, per_quarter)

    def network_config(self) -> GrooveNetConfig:
        """Size of the network that fits the representation."""
        for name in self.network:
            if name not in GrooveNetConfig.__dataclass_fields__:
                raise ParameterError(f"a groove network has no setting {name!r}")
        fixed = (self.representation.given_size, NUM_DRUMS, CLASSES)
        return GrooveNetConfig(*fixed, **self.network)

    def new_network(self) -> GrooveNet:
        """Make a network of random weights, by the seed of the settings."""
        torch.manual_seed(self.settings.seed)
        return GrooveNet(self.network_config())

    def facts(self) -> dict[str, Any]:
        """All of it as plain values, for `run.json` and the checkpoint."""
        return plain({**asdict(self), "network": asdict(self.network_config())})


def teach_groove(
    lesson: GrooveLesson,
    train: Windows,
    valid: Windows,
    run: RunFolder,
    *,
    resume: bool = False,
    data_facts: dict[str, Any] | None = None,
    on_start: Callable[[int, int], None] = lambda parameters, batches: None,
    report: Callable[[Progress], None] = lambda progress: None,
    tell: Callable[[str], None] = lambda words: None,
    on_estimate: Callable[[Estimate], None] = lambda found: None,
) -> Taught | None:
    """Train on some windows, choose by others, and write the checkpoint.

    Parameters
    ----------
    train, valid
        Of `drum_windows`, cut as `GrooveLesson.bars` says.
    resume, data_facts, on_start, report, tell, on_estimate
        As in `training.melody.teach`.

    Returns
    -------
    Taught or None
        `None` in a process that only helped.

    Raises
    ------
    DataError
        If there is nothing to train on, or nothing held out.
    """
    check_enough(train, valid, lesson.bars)
    settings = lesson.settings
    batches = GrooveBatches(
        train, lesson.bars, lesson.representation, settings.batch_size, settings.seed
    )
    some = np.sort(np.random.default_rng(0).permutation(len(valid))[:EVALUATED])
    held_out = grouped(valid.take(some), lesson.bars, lesson.representation)
    with enough_memory():
        network = lesson.new_network()

    def evaluate(module: nn.Module) -> HeldOut:
        assert isinstance(module, GrooveNet)
        found = [surprise(module, held_out, task, lesson.representation) for task in LOOKED_AT]
        nats = sum(float(one.nats.sum()) for one in found)
        return HeldOut(nats, sum(int(one.cells.sum()) for one in found), int(found[0].cells[1]))

    def concluded(outcome: Outcome) -> Taught:
        epochs = outcome.step / batches.batches_per_epoch
        return _conclude(lesson, network, run, outcome, train, held_out, epochs, data_facts or {})

    digests = train.digest + valid.digest
    return take_course(
        network,
        batches,
        evaluate,
        settings,
        run,
        lesson.facts() | {"windows": len(train) + len(valid), PIECES: digests},
        concluded,
        held_out_steps=sum(len(found.qpm) * found.meter.shape[1] for found in held_out),
        resume=resume,
        on_start=on_start,
        report=report,
        tell=tell,
        on_estimate=on_estimate,
    )


class Surprise(NamedTuple):
    """Nats of cells that were asked, each an array of three: strokes, velocities, offsets.

    Attributes
    ----------
    nats : float64 array
    cells : int64 array
    """

    nats: np.ndarray
    cells: np.ndarray

    @property
    def per_cell(self) -> np.ndarray:
        """Means, 0 where nothing was asked."""
        mean: np.ndarray = self.nats / np.maximum(self.cells, 1)
        return mean


def surprise(
    network: GrooveNet,
    windows: list[GrooveWindows],
    task: str,
    representation: GrooveRepresentation,
    seed: int = 0,
) -> Surprise:
    """Say how surprised a network is by windows, in a task."""
    network.eval()
    device = next(network.parameters()).device
    generator = np.random.default_rng(seed)
    nats, cells = np.zeros(3), np.zeros(3, dtype=np.int64)
    with torch.inference_mode():
        for found in windows:
            batch = batch_of(found, told_for(task, found.played, generator), representation)
            logits, _ = network(torch.from_numpy(batch.features).to(device))
            targets = torch.from_numpy(batch.targets).to(device)
            lost = nll_per_step(logits.float(), targets).double().cpu().numpy()
            asked = batch.is_real.reshape(*batch.is_real.shape[:2], 3, NUM_DRUMS)
            nats += (lost.reshape(asked.shape) * asked).sum(axis=(0, 1, 3))
            cells += asked.sum(axis=(0, 1, 3))
    return Surprise(nats, cells)


def _conclude(
    lesson: GrooveLesson,
    network: GrooveNet,
    run: RunFolder,
    outcome: Outcome,
    train: Windows,
    held_out: list[GrooveWindows],
    epochs: float,
    data_facts: dict[str, Any],
) -> Taught:
    """Take the best weights of a run that has ended, judge it, and write the checkpoint."""
    weights, best = run.load_best()
    network.load_state_dict(weights)
    rounded_to_half(network.cpu().eval())
    humanized = surprise(network, held_out, "humanize", lesson.representation).per_cell
    tapped = surprise(network, held_out, "tap", lesson.representation)
    steps = sum(len(found.qpm) * found.meter.shape[1] for found in held_out)
    figures = {
        "valid_windows": sum(len(found.qpm) for found in held_out),
        "valid_velocity_nats_per_stroke": float(humanized[1]),
        "valid_offset_nats_per_stroke": float(humanized[2]),
        "valid_tapped_strokes_nats_per_step": float(tapped.nats[0] / max(1, steps)),
        "valid_nats_per_cell": best["nats"] / best["steps"],
        "uniform_nats_per_velocity_or_offset": float(np.log(CLASSES)),
        "train_windows": len(train),
        "parameters": sum(weights.numel() for weights in network.parameters()),
        "best_step": best["step"],
    }
    facts = lesson.facts()
    assert train.velocity is not None
    verdict = judge(
        run.read_log(),
        figures
        | {
            "valid_nats_per_step": figures["valid_nats_per_cell"],
            "valid_nats_per_note": best["nats"] / best["notes"],
        },
        facts["network"] | facts["settings"],
        reason=outcome.reason,
        epochs=epochs,
        training_notes=int((train.velocity > 0).sum()),
        unit="cell",
    )
    graphs = groove_graphs_of(network)
    first = held_out[0]
    some = GrooveWindows(
        type(first.played)(*(table[:CHECKED] for table in first.played)),
        first.meter[:CHECKED],
        first.qpm[:CHECKED],
    )
    given = told_for("fill", some.played, np.random.default_rng(0))
    checked = batch_of(some, given, lesson.representation).features
    figures["largest_logit_difference"] = check_groove_graphs(network, graphs, checked)
    config = checkpoint_config(
        "drums-groove", facts, list(graphs), outcome, figures, data_facts, verdict
    )
    save_checkpoint(
        run.checkpoint,
        config=config,
        weights=stored(network),
        graphs={f"{name}.onnx": graph for name, graph in graphs.items()},
        card=write_groove_card(config, run.read_log(), lesson.window_bars),
    )
    return Taught(outcome, figures, run, verdict)
