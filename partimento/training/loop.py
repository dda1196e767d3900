"""The training loop, for every network that predicts tokens. Start at `train`.

Randomness (order of the music, augmentation, dropout) is a function of the seed and the step's
number, so a run that was stopped and resumed draws what it would have drawn.
"""

import math
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from partimento.errors import ParameterError, PartimentoError, TrainingError
from partimento.training.batches import Batch
from partimento.training.losses import mean_over_real, nll_per_step
from partimento.training.run_folder import RunFolder

MAX_BATCH = 4096


@dataclass(frozen=True)
class TrainingSettings:
    """How to train.

    Attributes
    ----------
    steps, minutes : int, float or None
        The run ends at whichever comes first; `None` sets no such end. One must be given.
    learning_rate, warmup_steps : float, int
        Of AdamW; rises over the warmup, then falls along a cosine to a hundredth at the end.
    weight_decay, clip_norm : float
    batch_size, chunk_steps : int
        Examples a step, and the longest of them in grid steps.
    transpose : int
        Augmentation: most semitones a piece is moved, down or up.
    evaluate_every, patience : int
        Steps between looks at the held-out pieces, and how many looks in a row may bring nothing
        better before the run stops early.
    save_seconds : float
        A state is saved at every evaluation, and at least this often.
    seed, threads : int
        Threads of PyTorch; a run resumes with the number it began with, since sums differ in the
        last bits with another.
    """

    steps: int | None = None
    minutes: float | None = None
    learning_rate: float = 2e-3
    warmup_steps: int = 100
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    batch_size: int = 16
    chunk_steps: int = 256
    transpose: int = 6
    evaluate_every: int = 200
    patience: int = 10
    save_seconds: float = 300.0
    seed: int = 0
    threads: int = 1

    def __post_init__(self) -> None:
        if self.steps is None and self.minutes is None:
            raise ParameterError("say how long to train: --steps or --minutes")
        for name in ("steps", "minutes"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise ParameterError(f"{name} must be above 0, got {value}")
        if not 0 < self.learning_rate < math.inf:
            raise ParameterError(f"learning_rate must be above 0, got {self.learning_rate}")
        for name in ("batch_size", "chunk_steps", "evaluate_every", "patience", "threads"):
            if getattr(self, name) < 1:
                raise ParameterError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.batch_size > MAX_BATCH:
            raise ParameterError(f"batch_size must be {MAX_BATCH} at most, got {self.batch_size}")
        if not 0 <= self.seed < 2**63:
            raise ParameterError(f"seed must be 0 or above, got {self.seed}")

    def progress(self, step: int, seconds: float) -> float:
        """Share of the run that is done, 0 to 1."""
        by_steps = step / self.steps if self.steps else 0.0
        by_clock = seconds / (60 * self.minutes) if self.minutes else 0.0
        return min(1.0, max(by_steps, by_clock))

    def learning_rate_at(self, step: int, progress: float) -> float:
        """Linear warmup, then a cosine (Loshchilov and Hutter, "SGDR", 2017)."""
        warm = min(1.0, (step + 1) / max(1, self.warmup_steps))
        return self.learning_rate * warm * (0.01 + 0.99 * (1 + math.cos(math.pi * progress)) / 2)


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

    def __init__(self, signal_number: int, run: RunFolder) -> None:
        super().__init__(
            f"stopped, and saved in {run.path}: the same command with --resume goes on from there"
        )
        self.exit_code = 128 + signal_number


Evaluate = Callable[[nn.Module], HeldOut]


def train(
    network: nn.Module,
    batches: Callable[[int], Batch],
    evaluate: Evaluate,
    settings: TrainingSettings,
    run: RunFolder,
    report: Callable[[Progress], None] = lambda progress: None,
    device: str = "cpu",
    tell: Callable[[str], None] = lambda words: None,
    listen: Callable[[int, float, nn.Module], None] = lambda step, loss, network: None,
) -> Outcome:
    """Nudge a network by its loss until it predicts what comes next.

    Parameters
    ----------
    network
        On `device`; takes features (batch, time, feature) and returns logits (batch, time, vocab)
        and a state. Ends with its last weights; the best ones are in the run folder.
    batches
        Batch of each step, counted from 0.
    evaluate
        Held-out loss of the network as it is.
    run
        Locked by the caller. If it holds a state, training goes on from there.
    report
        Called after every step and every look.
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
        After Ctrl-C or SIGTERM, once the state is saved.
    """
    torch.set_num_threads(settings.threads)
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    state = _restore(network, optimizer, run, tell)
    began = saved = time.monotonic()
    latest = state.loss  # of the step before; on resuming, of those before
    seconds_before = state.seconds

    def save() -> None:
        nonlocal saved
        run.save_state(state.step, _tensors(network, optimizer), state.facts())
        saved = time.monotonic()

    with _watch_signals() as signals:
        while True:
            with signals.may_interrupt():
                listen(state.step, latest, network)
            state.seconds = seconds_before + time.monotonic() - began
            done = settings.progress(state.step, state.seconds)
            is_over = done >= 1 or state.looks_without_gain >= settings.patience
            is_due = state.step % settings.evaluate_every == 0 or is_over
            if is_due and state.evaluated_at != state.step and not signals.received:
                with signals.may_interrupt():  # a look is long, and repeated on resuming
                    held_out = evaluate(network)
                if not signals.received:
                    _note_look(network, held_out, state, run)
                    save()
                    report(state.progress(settings))
            if signals.received:
                save()
                raise StoppedError(signals.received[0], run)
            if is_over:
                reason = "done" if done >= 1 else "early"
                return Outcome(state.step, state.seconds, reason, state.best)
            if time.monotonic() - saved > settings.save_seconds:
                save()

            for group in optimizer.param_groups:
                group["lr"] = settings.learning_rate_at(state.step, done)
            torch.manual_seed(_dropout_seed(settings.seed, state.step))
            started = time.monotonic()
            batch = batches(state.step)
            features, targets, is_real = _on(device, batch)
            network.train()
            logits, _ = network(features)  # batch time vocab
            loss = mean_over_real(nll_per_step(logits, targets), is_real)
            optimizer.zero_grad()
            loss.backward()
            norm = nn.utils.clip_grad_norm_(network.parameters(), settings.clip_norm)
            if not math.isfinite(float(loss.detach()) + float(norm)):
                raise TrainingError(
                    f"the loss is not a number at step {state.step}: the last good state is kept "
                    f"in {run.states}; train again with a lower learning rate"
                )
            optimizer.step()
            latest = float(loss.detach())
            state.advance(latest, int(batch.is_real.sum()), started)
            report(state.progress(settings))


def held_out_loss(network: nn.Module, batches: Iterable[Batch], first_pitch: int) -> HeldOut:
    """Evaluate a network on whole pieces; tokens from `first_pitch` up are notes."""
    network.eval()
    device = next(network.parameters()).device
    nats, steps, notes = 0.0, 0, 0
    with torch.inference_mode():
        for batch in batches:
            features, targets, is_real = _on(str(device), batch)
            logits, _ = network(features)  # batch time vocab
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
    rate: float = math.nan
    best: float = math.inf
    looks_without_gain: int = 0
    evaluated_at: int = -1
    held_out: HeldOut | None = None

    def advance(self, loss: float, grid_steps: int, started: float) -> None:
        rate = grid_steps / (time.monotonic() - started)
        self.loss = loss if math.isnan(self.loss) else 0.95 * self.loss + 0.05 * loss
        self.rate = rate if math.isnan(self.rate) else 0.9 * self.rate + 0.1 * rate
        self.step += 1

    def facts(self) -> dict[str, Any]:
        names = ("seconds", "loss", "best", "looks_without_gain", "evaluated_at")
        facts: dict[str, Any] = {name: getattr(self, name) for name in names}
        facts["held_out"] = vars(self.held_out) if self.held_out else None
        return facts

    def progress(self, settings: TrainingSettings) -> Progress:
        done = settings.progress(self.step, self.seconds)
        return Progress(
            self.step,
            done,
            self.seconds,
            self.loss,
            self.rate,
            self.held_out,
            self.evaluated_at,
            self.best,
        )


def _note_look(network: nn.Module, held_out: HeldOut, state: _State, run: RunFolder) -> None:
    """Log what a look found, and keep the weights if they are the best so far."""
    state.held_out, state.evaluated_at = held_out, state.step
    run.log(
        {
            "step": state.step,
            "seconds": round(state.seconds, 1),
            "loss": None if math.isnan(state.loss) else round(state.loss, 6),
            "held_out_nats_per_step": round(held_out.nats_per_step, 6),
            "held_out_nats_per_note": round(held_out.nats_per_note, 6),
        }
    )
    if held_out.nats_per_step < state.best:
        state.best, state.looks_without_gain = held_out.nats_per_step, 0
        run.save_best(dict(network.state_dict()), {"step": state.step, **vars(held_out)})
    else:
        state.looks_without_gain += 1


def _restore(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    run: RunFolder,
    tell: Callable[[str], None],
) -> _State:
    """Put the newest whole state of the run into network and optimizer."""
    found = run.load_state()
    if found is None:
        return _State()
    tensors, facts, passed_over = found
    for problem in passed_over:
        tell(problem)
    tell(f"going on from step {facts['step']:,}")
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
        best=facts["best"],
        looks_without_gain=facts["looks_without_gain"],
        evaluated_at=facts["evaluated_at"],
        held_out=HeldOut(**held_out) if held_out else None,
    )


def _tensors(network: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Everything the next step depends on."""
    tensors = {f"network.{name}": tensor for name, tensor in network.state_dict().items()}
    for index, moments in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{key}": value for key, value in moments.items()}
    return tensors


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}


def _on(device: str, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    columns = (batch.features, batch.targets, batch.is_real)
    moved = [torch.from_numpy(column).to(device) for column in columns]
    return moved[0], moved[1], moved[2]


def _dropout_seed(seed: int, step: int) -> int:
    return int(np.random.SeedSequence((seed, 2, step)).generate_state(1, np.uint64)[0] >> 1)


class _InterruptedError(BaseException):
    """A signal came while the loop did something that may be left off; only the loop catches it."""


class _Signals:
    """Signals that asked the run to stop, in the order they came."""

    def __init__(self) -> None:
        self.received: list[int] = []
        self._may_interrupt = False

    def note(self, number: int, frame: object) -> None:
        """Handle a signal: the loop ends between two steps; a second signal ends at once."""
        if self.received:
            raise KeyboardInterrupt
        self.received.append(number)
        if self._may_interrupt:
            raise _InterruptedError

    @contextmanager
    def may_interrupt(self) -> Iterator[None]:
        """Leave the block as soon as a signal comes; nothing in it may be half done."""
        try:
            self._may_interrupt = True
            yield
        except _InterruptedError:
            pass
        finally:
            self._may_interrupt = False


@contextmanager
def _watch_signals() -> Iterator[_Signals]:
    """Collect Ctrl-C and SIGTERM; outside the main thread they cannot be, and are left alone."""
    signals = _Signals()
    watched = (signal.SIGINT, signal.SIGTERM)
    try:
        before = [signal.signal(number, signals.note) for number in watched]
    except ValueError:
        yield signals
        return
    try:
        yield signals
    finally:
        for number, handler in zip(watched, before, strict=True):
            signal.signal(number, handler)
