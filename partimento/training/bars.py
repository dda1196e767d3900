"""Teach a VAE of bars: from windows to a checkpoint. `teach_bars` is the whole road.

The loss of a window is its reconstruction, in nats, and the price of its KL divergence (Kingma and
Welling, "Auto-Encoding Variational Bayes", 2014; with a weight beta: Higgins et al., "beta-VAE",
2017; with free nats per sequence: Kingma et al., "Improved Variational Inference with Inverse
Autoregressive Flow", 2016, appendix C.8). Held-out loss is that of the finished price, so it can be
compared along a run; the bound on the likelihood, where a nat is a nat, stands in the card.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from partimento.checkpoints import save_checkpoint
from partimento.errors import ParameterError
from partimento.networks.bars_vae import BarsVAE, BarsVAEConfig
from partimento.networks.flat_vae import FlatVAE, FlatVAEConfig
from partimento.networks.window_vae import WindowVAE, WindowVAEConfig
from partimento.representations.bars import BarsRepresentation
from partimento.training.bars_card import posterior_words, write_bars_card
from partimento.training.bars_graphs import check_graphs, graphs_of
from partimento.training.batches import Batch
from partimento.training.course import (
    Taught,
    checkpoint_config,
    enough_memory,
    plain,
    take_course,
)
from partimento.training.estimate import Estimate
from partimento.training.loop import HeldOut, Outcome, Progress, TrainingSettings
from partimento.training.losses import nll_per_step
from partimento.training.rounding import rounded_to_bytes, stored
from partimento.training.run_folder import PIECES, RunFolder
from partimento.training.verdict import judge
from partimento.training.windows import Windows, check_enough

EVALUATED = 2000  # held-out windows, of those there are
EVALUATION_BATCH = 250
ACTIVE = 0.01  # variance of a unit's mean over the data, above which it is in use
CHECKED = 8  # windows that graphs and network must agree on
USUAL_DESIGN = "bars"
DESIGNS: dict[str, tuple[type[WindowVAEConfig], Callable[[Any], WindowVAE]]] = {
    USUAL_DESIGN: (BarsVAEConfig, BarsVAE),
    "flat": (FlatVAEConfig, FlatVAE),
}


@dataclass(frozen=True)
class BarsLesson:
    """Everything that decides what a VAE of bars learns.

    Attributes
    ----------
    name : str
        Of the finished model.
    config : str
        Preset it comes from.
    representation : BarsRepresentation
    network : dict
        Its ``design``, one of `DESIGNS`, and the fields of that config, as plain values; what is
        left out is the default.
    settings : TrainingSettings
        ``chunk_steps`` means nothing: windows are what they are.
    data : tuple of str
        Sources as asked for, for the card.
    """

    name: str
    config: str
    representation: BarsRepresentation
    network: dict[str, Any]
    settings: TrainingSettings
    data: tuple[str, ...] = ()

    def network_config(self) -> WindowVAEConfig:
        """Size of the network that fits the representation."""
        representation = self.representation
        fields = {name: value for name, value in self.network.items() if name != "design"}
        design = self.network.get("design", USUAL_DESIGN)
        if design not in DESIGNS:
            raise ParameterError(f"design must be {' or '.join(DESIGNS)}, got {design!r}")
        config = DESIGNS[design][0]
        known = {name for name, field in config.__dataclass_fields__.items() if field.init}
        for name in fields:
            if name not in known:
                raise ParameterError(f"a VAE of bars has no setting {name!r} (design {design})")
        fixed = (representation.vocab_size, representation.rows, representation.positions)
        return config(*fixed, **fields)

    def new_network(self) -> WindowVAE:
        """Make a network of random weights, by the seed of the settings."""
        torch.manual_seed(self.settings.seed)
        return DESIGNS[self.network.get("design", USUAL_DESIGN)][1](self.network_config())

    def facts(self) -> dict[str, Any]:
        """All of it as plain values, for `run.json` and the checkpoint."""
        return plain({**asdict(self), "network": asdict(self.network_config())})


@dataclass
class WindowBatches:
    """Batches of windows with bars of one length, moved by random intervals; see `Batches`."""

    windows: Windows
    representation: BarsRepresentation
    batch_size: int
    seed: int
    transpose: int = 6
    _planned: tuple[int, list[np.ndarray]] = field(
        default_factory=lambda: (-1, []), init=False, repr=False
    )

    def __post_init__(self) -> None:
        lengths = (self.windows.tables[:, 0] != self.representation.pad).sum(axis=1)
        self._groups = [np.flatnonzero(lengths == length) for length in np.unique(lengths)]

    @property
    def batches_per_epoch(self) -> int:
        """Batches that show each window once."""
        return sum(-(-len(group) // self.batch_size) for group in self._groups)

    def __call__(self, step: int) -> Batch:
        """Give the batch of one step of training, counted from 0."""
        epoch, index = divmod(step, self.batches_per_epoch)
        if self._planned[0] != epoch:
            generator = np.random.default_rng((self.seed, 0, epoch))
            batches = []
            for group in self._groups:
                rows = generator.permutation(group)
                batches += np.split(rows, np.arange(self.batch_size, len(rows), self.batch_size))
            order = generator.permutation(len(batches))
            self._planned = epoch, [batches[number] for number in order]
        generator = np.random.default_rng((self.seed, 1, step))
        tables = self.windows.tables[self._planned[1][index]].astype(np.int64)
        down, up = self.representation.room(tables)
        down, up = np.minimum(down, self.transpose), np.minimum(up, self.transpose)
        semitones = generator.integers(-down, up + 1)[:, None, None]
        return batch_of(self.representation.transposed(tables, semitones), self.representation)


def batch_of(tables: np.ndarray, representation: BarsRepresentation) -> Batch:
    """Windows to be read, and to be written again."""
    cells = tables.reshape(len(tables), -1)
    is_real = cells != representation.pad
    return Batch(tables, np.where(is_real, cells, 0), is_real)


def teach_bars(
    lesson: BarsLesson,
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
    check_enough(train, valid, lesson.representation)
    settings = lesson.settings
    batches = WindowBatches(
        train, lesson.representation, settings.batch_size, settings.seed, settings.transpose
    )
    held_out = some_of(valid, EVALUATED)
    with enough_memory():
        network = lesson.new_network()

    def evaluate(module: nn.Module) -> HeldOut:
        assert isinstance(module, WindowVAE)
        return priced(module, held_out, lesson.representation)

    def concluded(outcome: Outcome) -> Taught:
        epochs = outcome.step / batches.batches_per_epoch
        return conclude_bars(
            lesson, network, run, outcome, train, held_out, epochs, data_facts or {}
        )

    digests = train.digest + valid.digest
    return take_course(
        network,
        batches,
        evaluate,
        settings,
        run,
        lesson.facts() | {"windows": len(train) + len(valid), PIECES: digests},
        concluded,
        held_out_steps=int((held_out.tables != lesson.representation.pad).sum()),
        resume=resume,
        on_start=on_start,
        report=report,
        tell=tell,
        on_estimate=on_estimate,
    )


def some_of(windows: Windows, count: int) -> Windows:
    """Choose so many windows, always the same."""
    if len(windows) <= count:
        return windows
    return windows.take(np.sort(np.random.default_rng(0).permutation(len(windows))[:count]))


def by_length(windows: Windows, representation: BarsRepresentation) -> list[np.ndarray]:
    """Cut windows into batches with bars of one length."""
    lengths = (windows.tables[:, 0] != representation.pad).sum(axis=1)
    batches: list[np.ndarray] = []
    for length in np.unique(lengths):
        rows = np.flatnonzero(lengths == length)
        batches += np.split(rows, np.arange(EVALUATION_BATCH, len(rows), EVALUATION_BATCH))
    return batches


@dataclass(frozen=True)
class Measured:
    """What a network makes of windows.

    Attributes
    ----------
    nll, kl : float arrays, shape (window,)
        Reconstruction by one random `z`, and divergence, in nats per sequence.
    mu : float array, shape (window, latent)
    right, real : int
        Steps whose token is the likeliest, teacher-forced; and all.
    notes : int
    """

    nll: np.ndarray
    kl: np.ndarray
    mu: np.ndarray
    right: int
    real: int
    notes: int

    @property
    def active_units(self) -> int:
        """Dimensions of `z` that are in use: Burda, Grosse and Salakhutdinov, 2016, section 5.2."""
        return int((self.mu.var(axis=0) > ACTIVE).sum())


def measure(
    network: WindowVAE, windows: Windows, representation: BarsRepresentation, seed: int = 0
) -> Measured:
    """Reconstruct windows, teacher-forced, each by one `z` of its Gaussian."""
    network.eval()
    device = next(network.parameters()).device
    nll, kl = np.zeros(len(windows)), np.zeros(len(windows))
    mu = np.zeros((len(windows), network.config.latent_size))
    right = real = notes = 0
    with torch.inference_mode(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for rows in by_length(windows, representation):
            batch = batch_of(windows.tables[rows].astype(np.int64), representation)
            tables = torch.from_numpy(batch.features).to(device)
            mean, log_variance = network.encoder(tables)
            z = mean + torch.exp(0.5 * log_variance) * torch.randn(mean.shape).to(device)
            logits = network.decode(z, tables).float()
            targets = torch.from_numpy(batch.targets).to(device)
            is_real = torch.from_numpy(batch.is_real).to(device)
            nats = torch.where(is_real, nll_per_step(logits, targets).double(), 0.0)
            spread = log_variance.double()
            divergence = 0.5 * (mean.double().square() + spread.exp() - spread - 1).sum(dim=1)
            nll[rows], kl[rows] = nats.sum(dim=1).cpu(), divergence.cpu()
            mu[rows] = mean.cpu()
            right += int(((logits.argmax(dim=-1) == targets) & is_real).sum())
            real += int(batch.is_real.sum())
            notes += int(representation.is_onset(batch.features).sum())
    return Measured(nll, kl, mu, right, real, notes)


def priced(network: WindowVAE, windows: Windows, representation: BarsRepresentation) -> HeldOut:
    """Held-out loss at the full price of the divergence, in nats per step."""
    found = measure(network, windows, representation)
    config = network.config
    price = config.beta * np.maximum(found.kl - config.free_nats, 0)
    return HeldOut(float((found.nll + price).sum()), found.real, found.notes)


def conclude_bars(
    lesson: BarsLesson,
    network: WindowVAE,
    run: RunFolder,
    outcome: Outcome,
    train: Windows,
    held_out: Windows,
    epochs: float,
    data_facts: dict[str, Any],
) -> Taught:
    """Take the best weights of a run that has ended, judge it, and write the checkpoint."""
    weights, best = run.load_best()
    network.load_state_dict(weights)
    rounded_to_bytes(network.cpu().eval())
    found = measure(network, held_out, lesson.representation)
    figures = figures_of(found, len(held_out)) | {
        "valid_priced_nats_per_step": best["nats"] / best["steps"],
        "uniform_nats_per_step": float(np.log(lesson.representation.vocab_size)),
        "train_windows": len(train),
        "parameters": sum(weights.numel() for weights in network.parameters()),
        "best_step": best["step"],
    }
    facts = lesson.facts()
    told = {
        "valid_nats_per_step": figures["valid_priced_nats_per_step"],
        "valid_nats_per_note": best["nats"] / best["notes"],
    }
    judged = judge(
        run.read_log(),
        figures | told,
        facts["network"] | facts["settings"],
        reason=outcome.reason,
        epochs=epochs,
        training_notes=int(lesson.representation.is_onset(train.tables).sum()),
    )
    said = posterior_words(figures, network.config.latent_size)
    verdict = replace(judged, words=(*judged.words, said))
    graphs = graphs_of(network)
    checked = some_of(held_out, CHECKED).tables.astype(np.int64)
    figures["largest_logit_difference"] = check_graphs(network, graphs, checked)
    family = f"{lesson.representation.kind}-vae"
    config = checkpoint_config(family, facts, list(graphs), outcome, figures, data_facts, verdict)
    save_checkpoint(
        run.checkpoint,
        config=config,
        weights=stored(network),
        graphs={f"{name}.onnx": graph for name, graph in graphs.items()},
        card=write_bars_card(config, run.read_log()),
    )
    return Taught(outcome, figures, run, verdict)


def figures_of(found: Measured, windows: int) -> dict[str, Any]:
    """Give what a network makes of held-out windows as figures of its card."""
    return {
        "valid_windows": windows,
        "valid_reconstruction_nats_per_sequence": float(found.nll.mean()),
        "valid_kl_nats_per_sequence": float(found.kl.mean()),
        "valid_negative_elbo_nats_per_sequence": float((found.nll + found.kl).mean()),
        "valid_teacher_forced_accuracy": found.right / max(1, found.real),
        "active_units": found.active_units,
    }
