"""The training loop, for every network that predicts tokens. Start at `train`.

Randomness (order of the music, augmentation, dropout) is a function of the seed and the step's
number, so a run that was stopped and resumed draws what it would have drawn.
"""

import copy
import itertools
import math
import platform
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn

from partimento.errors import ParameterError, PartimentoError, TrainingError
from partimento.training.batches import Batch
from partimento.training.distributed import Group, GroupBrokenError
from partimento.training.losses import nll_per_step, sum_over_real
from partimento.training.run_folder import BEST, RunFolder
from partimento.training.stopping import InterruptedRun, listening

MAX_BATCH = 4096
TRIED, MOST_TRIED = 0.02, 10.0  # share, and seconds, that go into trying how many steps fit
SURVEYED = 32  # batches whose size is looked at for that
PLANNED = 0.95  # share of the minutes that is planned for: the rest is for what went unmeasured
PRECISIONS = ("float32", "bfloat16")
AVERAGE = "average."  # before the names of averaged weights in a state


def default_precision() -> str:
    """Of the machine: bfloat16 where there is a GPU, float32 elsewhere."""
    return "bfloat16" if torch.cuda.is_available() else "float32"


@dataclass(frozen=True)
class TrainingSettings:
    """How to train.

    Attributes
    ----------
    steps, minutes : int, float or None
        The run ends at whichever comes first; `None` sets no such end. One must be given. Minutes
        alone are turned into steps once, at the start of the run, by trying how long a step takes:
        so the schedule counts steps, and can be repeated, and the clock only cuts it off.
    learning_rate, warmup_steps : float, int
        Of AdamW; rises over the warmup, then falls along a cosine.
    final_rate : float
        Share of the learning rate that is left at the end; 1 keeps it constant.
    weight_decay, clip_norm : float
    batch_size, chunk_steps : int
        Examples a step, and the longest of them in grid steps.
    transpose : int
        Augmentation: most semitones a piece is moved, down or up.
    crop : float
        Augmentation: share of examples that begin as if nothing had been before.
    evaluate_every, patience : int
        Steps between looks at the held-out pieces, and how many looks in a row may bring nothing
        better before the run stops early.
    save_seconds : float
        A state is saved at every evaluation, and at least this often.
    seed, threads : int
        Threads of PyTorch; a run resumes with the number it began with, since sums differ in the
        last bits with another.
    averaging : float
        Share of the averaged weights that stays at each step, as 0.999; the rest comes from the
        step's. They are looked at and kept in place of the weights themselves. 0 averages nothing.
    precision : str
        Of the forward pass and its gradients, "float32" or "bfloat16" (autocast: matrix products
        alone, the rest stays float32). Weights, loss, optimizer, held-out loss and the finished
        model are float32 always.
    """

    steps: int | None = None
    minutes: float | None = None
    learning_rate: float = 2e-3
    warmup_steps: int = 100
    final_rate: float = 0.01
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    batch_size: int = 16
    chunk_steps: int = 256
    transpose: int = 6
    crop: float = 0.0
    evaluate_every: int = 200
    patience: int = 10
    save_seconds: float = 300.0
    seed: int = 0
    threads: int = 1
    averaging: float = 0.0
    precision: str = field(default_factory=default_precision)

    def __post_init__(self) -> None:
        if self.steps is None and self.minutes is None:
            raise ParameterError("say how long to train: --steps or --minutes")
        for name in ("steps", "minutes"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise ParameterError(f"{name} must be above 0, got {value}")
        if not 0 < self.learning_rate < math.inf:
            raise ParameterError(f"learning_rate must be above 0, got {self.learning_rate}")
        if not 0 <= self.final_rate <= 1:
            raise ParameterError(f"final_rate must be in 0 to 1, got {self.final_rate}")
        for name in ("batch_size", "chunk_steps", "evaluate_every", "patience", "threads"):
            if getattr(self, name) < 1:
                raise ParameterError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.batch_size > MAX_BATCH:
            raise ParameterError(f"batch_size must be {MAX_BATCH} at most, got {self.batch_size}")
        if not 0 <= self.averaging < 1:
            raise ParameterError(f"averaging must be in [0, 1), got {self.averaging}")
        if not 0 <= self.seed < 2**63:
            raise ParameterError(f"seed must be 0 or above, got {self.seed}")
        if self.precision not in PRECISIONS:
            raise ParameterError(
                f"precision must be {' or '.join(PRECISIONS)}, got {self.precision!r}"
            )

    def progress(self, step: int, seconds: float) -> float:
        """Share of the run that is done, 0 to 1."""
        by_steps = step / self.steps if self.steps else 0.0
        by_clock = seconds / (60 * self.minutes) if self.minutes else 0.0
        return min(1.0, max(by_steps, by_clock))

    def learning_rate_at(self, step: int) -> float:
        """Linear warmup, then a cosine (Loshchilov and Hutter, "SGDR", 2017)."""
        assert self.steps is not None, "the loop has planned them"
        warm = min(1.0, (step + 1) / max(1, self.warmup_steps))
        progress = min(1.0, step / self.steps)
        fallen = self.final_rate + (1 - self.final_rate) * (1 + math.cos(math.pi * progress)) / 2
        return self.learning_rate * warm * fallen


@dataclass(frozen=True)
class HeldOut:
    """How surprised a network is by pieces it was not trained on."""

    nats: float
    steps: int
    notes: int

    @property
    def nats_per_step(self) -> float:
        """Mean over grid steps."""
        return self.nats / max(1, self.steps)

    @property
    def nats_per_note(self) -> float:
        """All nats (those of holds and rests too), divided by the notes."""
        return self.nats / max(1, self.notes)


@dataclass(frozen=True)
class Progress:
    """What the loop tells after every step, and after every look at the held-out pieces."""

    step: int
    done: float  # 0 to 1
    seconds: float
    loss: float  # nats per step, running mean; nan before the first step
    steps_per_second: float  # grid steps, all examples of the batch together
    held_out: HeldOut | None  # the latest
    evaluated_at: int  # step of it
    best: float  # lowest held-out nats per step so far


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    step: int
    seconds: float
    reason: str  # "done", "early" or "stopped"
    best: float


class StoppedError(PartimentoError):
    """The run was asked to stop, and has saved its state."""

    def __init__(self, signal_number: int, run: RunFolder, group: Group) -> None:
        super().__init__(
            f"stopped, and saved in {run.path}: the same command with --resume goes on from there"
            if group.is_first
            else f"process {group.rank} of {group.size} stopped; process 0 saves"
        )
        self.exit_code = 128 + signal_number


Evaluate = Callable[[nn.Module], HeldOut]


@runtime_checkable
class Priced(Protocol):
    """A network that pays for more than its tokens: for what it says in its latent variables."""

    def price(self, rest: Any, step: int) -> Tensor:
        """Give nats of a batch, from what the network returns beside its logits."""


def train(
    network: nn.Module,
    batches: Callable[[int], Batch],
    evaluate: Evaluate,
    settings: TrainingSettings,
    run: RunFolder,
    report: Callable[[Progress], None] = lambda progress: None,
    group: Group | None = None,
    tell: Callable[[str], None] = lambda words: None,
    listen: Callable[[int, float, nn.Module], None] = lambda step, loss, network: None,
) -> Outcome:
    """Nudge a network by its loss until it predicts what comes next.

    Parameters
    ----------
    network
        Takes features (batch, time, feature) and returns logits (batch, time, vocab), or (batch,
        time, voice, vocab), and a state, or what it has to pay for (`Priced`). Ends with its last
        weights; the best ones are in the run folder.
    batches
        Batch of each step, counted from 0.
    evaluate
        Held-out loss of the network as it is.
    run
        Locked by the caller. If it holds a state, training goes on from there.
    report
        Called after every step and every look.
    group
        The processes that train together; `None` is this one alone.
    tell
        Told in words where a stopped run goes on, and what of it was damaged.
    listen
        Called before every step with the loss of the one before (nan at first), and at the end.
        May play with the network, not change it, and is left off when a signal comes.

    Raises
    ------
    TrainingError
        If the loss is no longer a number. The last good state stays.
    StoppedError
        After Ctrl-C or SIGTERM, once the state is saved. The step under way is left off: it has
        changed nothing yet.
    """
    group = group or Group()
    group.weights_from_first(network)
    torch.set_num_threads(settings.threads)
    optimizer = _optimizer(network, settings)
    state = _restore(network, optimizer, run, group, tell)
    if settings.averaging and not state.average:
        state.average = _copied(network)
    settings = replace(settings, steps=settings.steps or state.planned_steps)
    saved = time.monotonic()
    latest = state.loss  # of the step before; on resuming, of those before
    began, look_seconds = saved - state.seconds, 0.0

    def save() -> None:
        nonlocal saved
        largest = (float(weights.detach().abs().max()) for weights in network.parameters())
        _check_numbers(largest, state, run)
        facts = state.facts() | {"seconds": time.monotonic() - began}
        run.save_state(state.step, _tensors(network, optimizer, state), facts)
        saved = time.monotonic()

    with listening(settings.threads) as listener:
        try:
            while True:
                if group.is_first:
                    listener.wait_for(listen, state.step, latest, network)
                done = settings.progress(state.step, state.seconds)
                is_over = done >= 1 or state.looks_without_gain >= settings.patience
                is_due = state.step % settings.evaluate_every == 0 or is_over
                started = time.monotonic()
                if is_due and state.evaluated_at != state.step:
                    looked_at = _averaged(network, state.average)
                    held_out = listener.wait_for(_look, looked_at, evaluate, group)
                    look_seconds = time.monotonic() - started
                    state.note_look(held_out, looked_at, run)
                    save()
                    report(state.progress(settings))
                elif started - saved > settings.save_seconds:
                    save()
                if is_over:
                    listener.check()
                    if done >= 1 and state.step < (settings.steps or 0):
                        tell(f"the clock ended it before the {settings.steps:,} steps planned")
                    reason = "done" if done >= 1 else "early"
                    return Outcome(state.step, state.seconds, reason, state.best)
                if settings.steps is None:
                    how = network, batches, settings, group, look_seconds
                    state.planned_steps = listener.wait_for(steps_within_minutes, *how)
                    settings = replace(settings, steps=state.planned_steps)
                    tell(f"{settings.minutes:g} minutes: {settings.steps:,} steps are planned")
                    save()

                started = time.monotonic()
                where = state.step, started - began
                loss, seconds, grid_steps = listener.wait_for(
                    gradients, network, batches, *where, settings, group
                )
                norm = nn.utils.clip_grad_norm_(network.parameters(), settings.clip_norm)
                _check_numbers((loss, float(norm)), state, run)
                for parameters in optimizer.param_groups:
                    parameters["lr"] = settings.learning_rate_at(state.step)
                optimizer.step()
                if settings.averaging:
                    _average(state.average, network, settings.averaging, state.step)
                latest = loss
                state.advance(loss, seconds, grid_steps / (time.monotonic() - started))
                report(state.progress(settings))
        except InterruptedRun as signal:
            save()
            raise StoppedError(signal.number, run, group) from None
        except GroupBrokenError:
            save()
            raise


def gradients(
    network: nn.Module,
    batches: Callable[[int], Batch],
    step: int,
    seconds: float,
    settings: TrainingSettings,
    group: Group,
) -> tuple[float, float, int]:
    """Lay out where a step would go: gradients of the mean loss, over all processes.

    The weights stay as they are, so that this can be left off at any moment.

    Returns
    -------
    loss
        In nats per step of the grid.
    seconds
        Of the first process, by whose clock all go.
    grid_steps
        In the batch, without padding.
    """
    torch.manual_seed(_dropout_seed(settings.seed, step, group.rank))
    batch = batches(step)
    grid_steps = int(batch.is_real.sum())
    device = next(network.parameters()).device
    mine = group.rows(batch)
    features, targets, is_real = _on(device, mine)
    network.train()
    with in_precision(settings.precision, device.type):
        logits, rest = network(features)  # batch time vocab, or batch time voice vocab
    losses = nll_per_step(logits.float(), targets)
    if mine.weights is not None:
        losses = losses * torch.from_numpy(mine.weights).to(device)
    nats = sum_over_real(losses, is_real)
    if isinstance(network, Priced):
        nats = nats + network.price(rest, step)
    loss = nats / grid_steps
    network.zero_grad()
    loss.backward()
    figures = float(loss.detach()), seconds if group.is_first else 0.0
    total, seconds = group.add_gradients(network, *figures)
    return total, seconds, grid_steps


def _look(network: nn.Module, evaluate: Evaluate, group: Group) -> HeldOut:
    """Have the first process look at the held-out pieces, and tell the others what it saw."""
    found = evaluate(network) if group.is_first else HeldOut(0.0, 0, 0)
    nats, steps, notes = group.from_first((found.nats, found.steps, found.notes))
    return HeldOut(nats, int(steps), int(notes))


def steps_within_minutes(
    network: nn.Module,
    batches: Callable[[int], Batch],
    settings: TrainingSettings,
    group: Group,
    look_seconds: float,
) -> int:
    """Estimate how many steps fit into the minutes, by taking some on a copy of the network.

    Parameters
    ----------
    look_seconds
        How long a look at the held-out pieces takes.
    """
    assert settings.minutes is not None, "else the steps are given"
    budget = 60 * settings.minutes
    spent, cells = 0.0, 0
    for step, (seconds, _) in enumerate(steps_on_a_copy(network, batches, settings, group)):
        if step > 0:  # the first takes memory and chooses kernels
            spent += seconds
            cells += batches(step).targets.size
        if step > 0 and group.from_first([spent])[0] > min(TRIED * budget, MOST_TRIED):
            break
    usual = float(np.mean([batches(step).targets.size for step in range(SURVEYED)]))
    per_step = spent / cells * usual + look_seconds / settings.evaluate_every
    steps = PLANNED * (budget - look_seconds) / per_step
    return max(1, int(group.from_first([steps])[0]))


def steps_on_a_copy(
    network: nn.Module,
    batches: Callable[[int], Batch],
    settings: TrainingSettings,
    group: Group,
) -> Iterator[tuple[float, int]]:
    """Take steps without end on a copy of a network: seconds and grid steps of each."""
    network = copy.deepcopy(network)
    optimizer = _optimizer(network, settings)
    for step in itertools.count():
        started = time.monotonic()
        _, _, grid_steps = gradients(network, batches, step, 0.0, settings, group)
        nn.utils.clip_grad_norm_(network.parameters(), settings.clip_norm)
        optimizer.step()
        yield time.monotonic() - started, grid_steps


def in_precision(precision: str, device: str) -> torch.autocast:
    """Compute in a precision inside the block, on a type of device."""
    return torch.autocast(device, torch.bfloat16, enabled=precision == "bfloat16")


def held_out_loss(network: nn.Module, batches: Iterable[Batch], first_pitch: int) -> HeldOut:
    """Evaluate a network on whole pieces; tokens from `first_pitch` up are notes."""
    network.eval()
    device = next(network.parameters()).device
    nats, steps, notes = 0.0, 0, 0
    with torch.inference_mode():
        for batch in batches:
            features, targets, is_real = _on(device, batch)
            logits, _ = network(features)  # batch time vocab, or batch time voice vocab
            losses = nll_per_step(logits, targets)
            nats += float(losses[is_real].double().sum())
            steps += int(batch.is_real.sum())
            notes += int((batch.targets[batch.is_real] >= first_pitch).sum())
    return HeldOut(nats, steps, notes)


@dataclass
class _State:
    """Where the run is; all of it survives a stop."""

    step: int = 0
    seconds: float = 0.0
    loss: float = math.nan
    rate: float = math.nan  # grid steps a second; measured anew
    looks_without_gain: int = 0
    evaluated_at: int = -1
    planned_steps: int | None = None
    held_out: HeldOut | None = None
    best_look: dict[str, Any] | None = None  # step and fields of `HeldOut`
    best_weights: dict[str, Tensor] = field(default_factory=dict)
    average: dict[str, Tensor] = field(default_factory=dict)  # of the weights, if asked for

    @property
    def best(self) -> float:
        if self.best_look is None:
            return math.inf
        return float(self.best_look["nats"]) / max(1, self.best_look["steps"])

    def note_look(self, held_out: HeldOut, network: nn.Module, run: RunFolder) -> None:
        """Log what a look found, and keep the weights if they are the best so far."""
        _check_numbers((held_out.nats,), self, run)
        run.log(
            {
                "step": self.step,
                "seconds": round(self.seconds, 1),
                "loss": None if math.isnan(self.loss) else round(self.loss, 6),
                "held_out_nats_per_step": round(held_out.nats_per_step, 6),
                "held_out_nats_per_note": round(held_out.nats_per_note, 6),
            }
        )
        self.held_out, self.evaluated_at = held_out, self.step
        self.looks_without_gain += 1
        if held_out.nats_per_step < self.best:
            self.looks_without_gain = 0
            self.best_look = {"step": self.step, **vars(held_out)}
            self.best_weights = {name: w.cpu() for name, w in _copied(network).items()}

    def advance(self, loss: float, seconds: float, rate: float) -> None:
        self.loss = loss if math.isnan(self.loss) else 0.95 * self.loss + 0.05 * loss
        self.rate = rate if math.isnan(self.rate) else 0.9 * self.rate + 0.1 * rate
        self.seconds = seconds
        self.step += 1

    def facts(self) -> dict[str, Any]:
        names = ("loss", "looks_without_gain", "evaluated_at", "planned_steps")
        facts: dict[str, Any] = {name: getattr(self, name) for name in names}
        facts["held_out"] = vars(self.held_out) if self.held_out else None
        return facts | {"best": self.best_look, "machine": _machine()}

    def progress(self, settings: TrainingSettings) -> Progress:
        return Progress(
            self.step,
            settings.progress(self.step, self.seconds),
            self.seconds,
            self.loss,
            self.rate,
            self.held_out,
            self.evaluated_at,
            self.best,
        )


def _restore(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    run: RunFolder,
    group: Group,
    tell: Callable[[str], None],
) -> _State:
    """Put the newest whole state of the run into network and optimizer."""
    found = group.state_from_first(run.load_state())
    if found is None:
        return _State()
    tensors, facts, passed_over = found
    for problem in passed_over:
        tell(problem)
    tell(f"going on from step {facts['step']:,}")
    if facts["machine"] != _machine():
        tell(
            f"the state was made by {facts['machine']}, and this is {_machine()}: the weights will "
            "differ in their last bits from those of a run that never moved"
        )
    network.load_state_dict(_under("network.", tensors))
    moments = _under("optimizer.", tensors)
    groups = optimizer.state_dict()["param_groups"]
    per_parameter: dict[int, dict[str, Tensor]] = {}
    for name, tensor in moments.items():
        index, key = name.split(".", 1)
        per_parameter.setdefault(int(index), {})[key] = tensor
    optimizer.load_state_dict({"state": per_parameter, "param_groups": groups})
    held_out = facts["held_out"]
    return _State(
        step=facts["step"],
        seconds=facts["seconds"],
        loss=facts["loss"],
        looks_without_gain=facts["looks_without_gain"],
        evaluated_at=facts["evaluated_at"],
        planned_steps=facts["planned_steps"],
        held_out=HeldOut(**held_out) if held_out else None,
        best_look=facts["best"],
        best_weights=_under(BEST, tensors),
        average={
            name: tensor.to(next(network.parameters()).device)
            for name, tensor in _under(AVERAGE, tensors).items()
        },
    )


def _optimizer(network: nn.Module, settings: TrainingSettings) -> torch.optim.Optimizer:
    return torch.optim.AdamW(
        network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )


def _tensors(
    network: nn.Module, optimizer: torch.optim.Optimizer, state: _State
) -> dict[str, Tensor]:
    """Everything the rest of the run depends on."""
    tensors = {f"network.{name}": tensor for name, tensor in network.state_dict().items()}
    for index, moments in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{key}": value for key, value in moments.items()}
    tensors |= {AVERAGE + name: tensor for name, tensor in state.average.items()}
    return tensors | {BEST + name: tensor for name, tensor in state.best_weights.items()}


def _copied(network: nn.Module) -> dict[str, Tensor]:
    """Weights as they are now."""
    return {name: weights.detach().clone() for name, weights in network.state_dict().items()}


def _average(average: dict[str, Tensor], network: nn.Module, stays: float, step: int) -> None:
    """Move averaged weights towards those of a network; faster at first, when these are random.

    Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging", 1992, with
    exponential weights.
    """
    stays = min(stays, (1 + step) / (10 + step))
    with torch.no_grad():
        for name, weights in network.state_dict().items():
            if weights.is_floating_point():
                average[name].lerp_(weights, 1 - stays)


def _averaged(network: nn.Module, average: dict[str, Tensor]) -> nn.Module:
    """Make a network of the averaged weights; where there are none it is the network itself."""
    if not average:
        return network
    other = copy.deepcopy(network)
    other.load_state_dict(average)
    return other


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}


def _on(device: torch.device, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    columns = (batch.features, batch.targets, batch.is_real)
    moved = [torch.from_numpy(column).to(device) for column in columns]
    return moved[0], moved[1], moved[2]


def _dropout_seed(seed: int, step: int, rank: int) -> int:
    key = (seed, 2, step, rank) if rank else (seed, 2, step)
    return int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0] >> 1)


def _check_numbers(found: Iterable[float], state: _State, run: RunFolder) -> None:
    """Stop a run before something that is no number is saved."""
    if not all(map(math.isfinite, found)):
        raise TrainingError(
            f"the loss is not a number at step {state.step}: the last good state is kept in "
            f"{run.states}; train again with a lower learning rate"
        )


def _machine() -> str:
    """Name what the last bits of the weights depend on."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else ""
    kind = gpu or f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}"
    return f"PyTorch {torch.__version__} on {kind}"
