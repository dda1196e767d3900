"""The contest of two networks: a generator that writes, a critic that tells. Start at `contest`.

Moves alternate: the critic's, as often as the settings say, then the generator's. What a move draws
(music, noise) is a function of the seed and of the move's number, so a run that was stopped and
resumed draws what it would have drawn. Nothing here knows music: `Rules` say what a move costs.

References
----------
Goodfellow et al., "Generative Adversarial Networks", 2014. Gulrajani et al., "Improved Training of
Wasserstein GANs", NeurIPS 2017 (gradient penalty; five moves of the critic for one). Lim and Ye,
"Geometric GAN", 2017 (hinge). Mescheder, Geiger and Nowozin, "Which Training Methods for GANs do
actually Converge?", ICML 2018 (R1). Heusel et al., "GANs Trained by a Two Time-Scale Update Rule",
NeurIPS 2017. Yazici et al., "The Unusual Effectiveness of Averaging in GAN Training", ICLR 2019.
"""

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from partimento.errors import ParameterError, TrainingError
from partimento.training.distributed import Group
from partimento.training.loop import MAX_BATCH, PRECISIONS, Outcome, StoppedError, default_precision
from partimento.training.run_folder import BEST, RunFolder
from partimento.training.stopping import InterruptedRun, listening

LOSSES = ("wasserstein", "hinge")
AVERAGE = "average."  # before the names of averaged weights in a state
DRIFT = 1e-3  # price of the critic's verdicts on real music, squared: keeps them near 0
LAZY = 8  # moves of the critic between two that pay the R1 penalty
MOST_NORM = 5.0  # of the generator's gradients


@dataclass(frozen=True)
class ContestSettings:
    """How two networks learn from each other.

    Attributes
    ----------
    steps, minutes : int, float or None
        Moves of the generator, or minutes; the run ends at whichever comes first.
    loss : str
        ``"wasserstein"`` with a gradient penalty, or ``"hinge"`` with R1.
    generator_rate, critic_rate : float
        Learning rates of Adam.
    critic_moves : int
        For each move of the generator.
    penalty : float
        Weight of the penalty on the critic's gradients.
    batch_size : int
    given : float
        Share of the phrases in which one track is given to the generator.
    final_rate : float
        Share of the learning rates that is left at the end: they fall from the middle of a run on,
        if it was asked for by steps.
    averaging : float
        Share of the averaged generator that stays at each move; it is the one that is kept.
    evaluate_every : int
        Moves of the generator between two looks.
    save_seconds, seed, threads, precision
        As in `TrainingSettings`.
    """

    steps: int | None = None
    minutes: float | None = None
    loss: str = "hinge"
    generator_rate: float = 2e-4
    critic_rate: float = 4e-4
    critic_moves: int = 1
    penalty: float = 1.0
    batch_size: int = 32
    given: float = 0.5
    final_rate: float = 0.05
    averaging: float = 0.995
    evaluate_every: int = 400
    save_seconds: float = 300.0
    seed: int = 0
    threads: int = 1
    precision: str = field(default_factory=default_precision)

    def __post_init__(self) -> None:
        if self.steps is None and self.minutes is None:
            raise ParameterError("say how long to train: --steps or --minutes")
        for name in ("steps", "minutes", "generator_rate", "critic_rate"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise ParameterError(f"{name} must be above 0, got {value}")
        for name in ("critic_moves", "evaluate_every", "threads"):
            if getattr(self, name) < 1:
                raise ParameterError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not 2 <= self.batch_size <= MAX_BATCH:
            raise ParameterError(f"batch_size must be 2 to {MAX_BATCH}, got {self.batch_size}")
        if self.loss not in LOSSES:
            raise ParameterError(f"loss must be {' or '.join(LOSSES)}, got {self.loss!r}")
        if not 0 <= self.given <= 1:
            raise ParameterError(f"given must be in 0 to 1, got {self.given}")
        if not 0 <= self.final_rate <= 1:
            raise ParameterError(f"final_rate must be in 0 to 1, got {self.final_rate}")
        if not 0 <= self.averaging < 1:
            raise ParameterError(f"averaging must be in [0, 1), got {self.averaging}")
        if not self.penalty >= 0:
            raise ParameterError(f"penalty must be 0 or more, got {self.penalty}")
        if not 0 <= self.seed < 2**63:
            raise ParameterError(f"seed must be 0 or above, got {self.seed}")
        if self.precision not in PRECISIONS:
            raise ParameterError(
                f"precision must be {' or '.join(PRECISIONS)}, got {self.precision!r}"
            )

    @property
    def moves(self) -> int:
        """Moves of both in a round: the critic's, and one of the generator."""
        return self.critic_moves + 1

    def rate_at(self, step: int) -> float:
        """Share of the learning rates at a step."""
        if self.steps is None:
            return 1.0
        return 1 - (1 - self.final_rate) * max(0.0, 2 * step / self.steps - 1)

    def progress(self, step: int, seconds: float) -> float:
        """Share of the run that is done, 0 to 1."""
        by_steps = step / self.steps if self.steps else 0.0
        by_clock = seconds / (60 * self.minutes) if self.minutes else 0.0
        return min(1.0, max(by_steps, by_clock))


@dataclass(frozen=True)
class Look:
    """What the averaged generator writes at some step.

    Attributes
    ----------
    score : float
        How far it is from music, the lower the better: the weights with the lowest are kept.
    figures : dict
        What the score was made of, for the log.
    words : tuple of str
        What is wrong, if anything is.
    """

    score: float
    figures: dict[str, float]
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class ContestProgress:
    """What the contest tells after every round, and after every look."""

    step: int
    done: float  # 0 to 1
    seconds: float
    critic_loss: float  # running means, as all of these
    generator_loss: float
    gap: float  # verdict on real music less that on the generator's
    phrases_per_second: float
    look: Look | None  # the latest
    looked_at: int  # step of it
    best: float


Batches = Callable[[int], tuple[Tensor, Tensor]]  # of a move: real phrases, and what is given


def contest(
    generator: nn.Module,
    critic: nn.Module,
    batches: Batches,
    look: Callable[[int, nn.Module], Look],
    settings: ContestSettings,
    run: RunFolder,
    report: Callable[[ContestProgress], None] = lambda progress: None,
    tell: Callable[[str], None] = lambda words: None,
) -> Outcome:
    """Let a generator and a critic learn from each other.

    Parameters
    ----------
    generator
        Takes noise, phrases and which of their tracks are given; returns phrases. Its ``config``
        has a ``noise_size``.
    critic
        Takes phrases, returns a verdict on each.
    batches
        Phrases of each move, and which tracks of them are given, as 0 and 1.
    look
        Called with the averaged generator now and then.
    run
        Locked by the caller. If it holds a state, the contest goes on from there.

    Raises
    ------
    TrainingError
        If a loss is no longer a number. The last good state stays.
    StoppedError
        After Ctrl-C or SIGTERM, once the state is saved. The move under way is left off.
    """
    torch.set_num_threads(settings.threads)
    players = _Players.of(generator, critic, settings)
    state = _restore(players, run, tell)
    saved = time.monotonic()
    began = saved - state.seconds

    def save() -> None:
        nonlocal saved
        state.seconds = time.monotonic() - began
        run.save_state(state.move, players.tensors(state), state.facts())
        saved = time.monotonic()

    with listening(settings.threads) as listener:
        try:
            while True:
                step, is_round = divmod(state.move, settings.moves)
                done = settings.progress(step, state.seconds)
                is_over = not is_round and done >= 1
                is_due = not is_round and (step % settings.evaluate_every == 0 or is_over)
                if is_due and state.looked_at != step:
                    found = listener.wait_for(look, step, players.average)
                    state.note_look(step, found, players.average, run)
                    save()
                    report(state.progress(step, settings))
                elif time.monotonic() - saved > settings.save_seconds:
                    save()
                if is_over:
                    return Outcome(step, state.seconds, "done", state.best)
                started = time.monotonic()
                players.remember_buffers()
                is_critics = is_round < settings.critic_moves
                losses = listener.wait_for(
                    _critic_move if is_critics else _generator_move,
                    players,
                    batches,
                    state.move,
                    settings,
                )
                if not all(map(math.isfinite, losses)):
                    raise TrainingError(
                        f"a loss is not a number at step {step}: the last good state is kept in "
                        f"{run.states}; train again with lower learning rates"
                    )
                players.take(step, settings, is_critics=is_critics)
                state.advance(losses, is_critics=is_critics)
                state.seconds = time.monotonic() - began
                if not is_critics:
                    seconds = (time.monotonic() - started) * settings.moves
                    state.note_rate(settings.batch_size / seconds)
                    report(state.progress(step + 1, settings))
        except InterruptedRun as signal:
            players.recall_buffers()
            save()
            raise StoppedError(signal.number, run, Group()) from None


def _critic_move(
    players: "_Players", batches: Batches, move: int, settings: ContestSettings
) -> tuple[float, float]:
    """Gradients of the critic: loss, and the gap between its verdicts."""
    generator, critic = players.generator, players.critic
    real, is_given, z = _drawn(players, batches, move, settings)
    with torch.no_grad(), _precision(settings, real):
        made = generator(z, real, is_given)
    made = made.float()
    players.critic_optimizer.zero_grad()
    if settings.loss == "hinge":
        pays = settings.penalty > 0 and move % (LAZY * settings.moves) < settings.critic_moves
        real.requires_grad_(pays)
        with _precision(settings, real):
            on_real, on_made = critic(real).float(), critic(made).float()
        loss = F.relu(1 - on_real).mean() + F.relu(1 + on_made).mean()
        if pays:
            (slope,) = torch.autograd.grad(on_real.sum(), real, create_graph=True)
            loss = loss + settings.penalty * LAZY / 2 * slope.square().flatten(1).sum(1).mean()
    else:
        share = torch.rand(len(real), 1, 1, 1, 1, device=real.device)
        between = (share * real + (1 - share) * made).requires_grad_()
        with _precision(settings, real):
            on_real, on_made = critic(real).float(), critic(made).float()
            on_between = critic(between).float()
        (slope,) = torch.autograd.grad(on_between.sum(), between, create_graph=True)
        norm = slope.square().flatten(1).sum(1).add(1e-12).sqrt()
        loss = on_made.mean() - on_real.mean() + settings.penalty * (norm - 1).square().mean()
        loss = loss + DRIFT * on_real.square().mean()
    loss.backward()
    return float(loss.detach()), float((on_real.mean() - on_made.mean()).detach())


def _generator_move(
    players: "_Players", batches: Batches, move: int, settings: ContestSettings
) -> tuple[float, float]:
    """Gradients of the generator: loss, and nothing."""
    real, is_given, z = _drawn(players, batches, move, settings)
    players.generator_optimizer.zero_grad()
    with _precision(settings, real):
        made = players.generator(z, real, is_given)
        loss = -players.critic(made.float()).float().mean()
    loss.backward()
    norm = nn.utils.clip_grad_norm_(players.generator.parameters(), MOST_NORM)
    return float(loss.detach()), float(norm)


def _drawn(
    players: "_Players", batches: Batches, move: int, settings: ContestSettings
) -> tuple[Tensor, Tensor, Tensor]:
    """Real phrases, what is given of them, and noise: all by the number of the move."""
    key = (settings.seed, 2, move)
    torch.manual_seed(int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0] >> 1))
    device = next(players.generator.parameters()).device
    real, is_given = (part.to(device) for part in batches(move))
    z = torch.randn(len(real), players.noise_size).to(device)
    players.generator.train()
    players.critic.train()
    return real, is_given, z


def _precision(settings: ContestSettings, real: Tensor) -> torch.autocast:
    is_half = settings.precision == "bfloat16"
    return torch.autocast(real.device.type, torch.bfloat16, enabled=is_half)


@dataclass
class _Players:
    """Both networks, their optimizers, and the averaged generator."""

    generator: nn.Module
    critic: nn.Module
    average: nn.Module
    generator_optimizer: torch.optim.Optimizer
    critic_optimizer: torch.optim.Optimizer
    noise_size: int
    buffers: dict[str, Tensor] = field(default_factory=dict)

    @classmethod
    def of(cls, generator: nn.Module, critic: nn.Module, settings: ContestSettings) -> "_Players":
        def adam(network: nn.Module, rate: float) -> torch.optim.Optimizer:
            return torch.optim.Adam(network.parameters(), lr=rate, betas=(0.0, 0.9))

        config: Any = generator.config
        return cls(
            generator,
            critic,
            copy.deepcopy(generator).eval(),
            adam(generator, settings.generator_rate),
            adam(critic, settings.critic_rate),
            config.noise_size,
        )

    def remember_buffers(self) -> None:
        """Keep what a forward pass changes: a move that is left off must change nothing."""
        self.buffers = {name: value.clone() for name, value in self.critic.named_buffers()}

    def recall_buffers(self) -> None:
        """Put them back, into another critic: an abandoned pass may still write to this one."""
        critic = copy.deepcopy(self.critic)
        for name, value in critic.named_buffers():
            if name in self.buffers:
                value.copy_(self.buffers[name])
        self.critic = critic

    def take(self, step: int, settings: ContestSettings, *, is_critics: bool) -> None:
        """Make the move whose gradients are there."""
        usual = settings.critic_rate if is_critics else settings.generator_rate
        optimizer = self.critic_optimizer if is_critics else self.generator_optimizer
        for group in optimizer.param_groups:
            group["lr"] = usual * settings.rate_at(step)
        optimizer.step()
        if is_critics:
            return
        stays = min(settings.averaging, (1 + step) / (10 + step))
        with torch.no_grad():
            pairs = zip(self.average.parameters(), self.generator.parameters(), strict=True)
            for mean, weights in pairs:
                mean.lerp_(weights, 1 - stays)

    def tensors(self, state: "_State") -> dict[str, Tensor]:
        """Everything the rest of the run depends on."""
        found: dict[str, Tensor] = {}
        for name, network in self._networks().items():
            found |= {f"{name}.{key}": value for key, value in network.state_dict().items()}
        for name, optimizer in self._optimizers().items():
            for index, moments in optimizer.state_dict()["state"].items():
                found |= {f"{name}.{index}.{key}": value for key, value in moments.items()}
        return found | {BEST + name: value for name, value in state.best_weights.items()}

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Put the tensors of a state in place."""
        for name, network in self._networks().items():
            network.load_state_dict(_under(f"{name}.", tensors))
        for name, optimizer in self._optimizers().items():
            moments: dict[int, dict[str, Tensor]] = {}
            for path, value in _under(f"{name}.", tensors).items():
                index, key = path.split(".", 1)
                moments.setdefault(int(index), {})[key] = value
            groups = optimizer.state_dict()["param_groups"]
            optimizer.load_state_dict({"state": moments, "param_groups": groups})

    def _networks(self) -> dict[str, nn.Module]:
        return {"generator": self.generator, "critic": self.critic, "average": self.average}

    def _optimizers(self) -> dict[str, torch.optim.Optimizer]:
        return {
            "generator_optimizer": self.generator_optimizer,
            "critic_optimizer": self.critic_optimizer,
        }


@dataclass
class _State:
    """Where the contest is; all of it survives a stop."""

    move: int = 0
    seconds: float = 0.0
    critic_loss: float = math.nan
    generator_loss: float = math.nan
    gap: float = math.nan
    rate: float = math.nan  # phrases a second; measured anew
    looked_at: int = -1
    look: Look | None = None
    best_look: dict[str, float] | None = None
    best_weights: dict[str, Tensor] = field(default_factory=dict)

    @property
    def best(self) -> float:
        return math.inf if self.best_look is None else self.best_look["score"]

    def note_look(self, step: int, found: Look, average: nn.Module, run: RunFolder) -> None:
        """Log what a look found, and keep the weights if they are the best so far."""
        losses = {
            name: None if math.isnan(value) else round(value, 6)
            for name, value in (
                ("critic_loss", self.critic_loss),
                ("generator_loss", self.generator_loss),
                ("gap", self.gap),
            )
        }
        figures = {name: round(value, 5) for name, value in found.figures.items()}
        line = {"step": step, "seconds": round(self.seconds, 1), **losses}
        run.log(line | {"score": round(found.score, 5)} | figures)
        self.look, self.looked_at = found, step
        if found.score < self.best and step > 0:
            self.best_look = {"step": step, "score": found.score}
            state = average.state_dict()
            self.best_weights = {name: w.detach().cpu().clone() for name, w in state.items()}

    def advance(self, losses: tuple[float, float], *, is_critics: bool) -> None:
        """Count a move."""
        if is_critics:
            self.critic_loss = _running(self.critic_loss, losses[0])
            self.gap = _running(self.gap, losses[1])
        else:
            self.generator_loss = _running(self.generator_loss, losses[0])
        self.move += 1

    def note_rate(self, rate: float) -> None:
        """Count phrases a second."""
        self.rate = _running(self.rate, rate)

    def facts(self) -> dict[str, Any]:
        names = ("seconds", "critic_loss", "generator_loss", "gap", "looked_at")
        facts: dict[str, Any] = {name: getattr(self, name) for name in names}
        return facts | {"move": self.move, "best": self.best_look}

    def progress(self, step: int, settings: ContestSettings) -> ContestProgress:
        return ContestProgress(
            step,
            settings.progress(step, self.seconds),
            self.seconds,
            self.critic_loss,
            self.generator_loss,
            self.gap,
            self.rate,
            self.look,
            self.looked_at,
            self.best,
        )


def _restore(players: _Players, run: RunFolder, tell: Callable[[str], None]) -> _State:
    """Put the newest whole state of the run in place."""
    found = run.load_state()
    if found is None:
        return _State()
    tensors, facts, passed_over = found
    for problem in passed_over:
        tell(problem)
    players.load(tensors)
    names = ("move", "seconds", "critic_loss", "generator_loss", "gap", "looked_at")
    best_weights = _under(BEST, tensors)
    tell(f"going on from move {facts['move']:,} of both networks")
    return _State(
        **{name: facts[name] for name in names},
        best_look=facts["best"],
        best_weights=best_weights,
    )


def _running(before: float, now: float) -> float:
    return now if math.isnan(before) else 0.98 * before + 0.02 * now


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}
