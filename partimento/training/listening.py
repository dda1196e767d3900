"""`Listener`: has a network play while it learns, from one seed and one primer.

It plays before the first step, with random weights, then after 1, 2, 4, 8 … steps, and once more
with the best weights. What it plays is a function of the weights alone, and nothing of training
depends on it: no random draw is taken, no weight is touched, and whatever goes wrong costs that
sample and no more. `training.samples` reads the files.
"""

import math
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from partimento.errors import PartimentoError
from partimento.formats.midi import write_midi
from partimento.music.provenance import stamp
from partimento.music.score import Score
from partimento.training.loop import HeldOut
from partimento.training.run_folder import write_atomically
from partimento.training.samples import (
    BEST,
    FACTS,
    FOLDER,
    is_sample_step,
    read_sample,
    sample_file,
)

MOST_LOSSES = 64  # that a sample's training loss is the mean of


class Listener:
    """Keeps what a network plays, in the folder of its run.

    Parameters
    ----------
    run
        The run's folder, locked by the caller.
    play
        Makes music with an engine: see `NetworkEngine`.
    evaluate
        Held-out loss of the network as it is, for the steps before the loop looks for itself.
    evaluate_every
        Steps between the loop's own looks.
    tell
        Told in words what went wrong, once.
    """

    def __init__(
        self,
        run: Path,
        play: Callable[[Any], Score],
        evaluate: Callable[[nn.Module], HeldOut],
        evaluate_every: int,
        tell: Callable[[str], None] = lambda words: None,
    ) -> None:
        self._run, self._play, self._tell = run, play, tell
        self._evaluate, self._evaluate_every = evaluate, evaluate_every
        self._losses: deque[float] = deque(maxlen=MOST_LOSSES)
        self._has_told = False

    def __call__(self, step: int, loss: float, network: nn.Module) -> None:
        """Note the loss of the step before this one; play, if this step is one to play at."""
        if math.isfinite(loss):
            self._losses.append(loss)
        file = sample_file(self._run, step)
        if not is_sample_step(step) or file.exists():
            return
        facts: dict[str, Any] = {"step": step}
        if self._losses:  # of the last quarter of the steps so far, on its way down
            recent = list(self._losses)[-max(1, step // 4) :]
            facts["loss"] = round(sum(recent) / len(recent), 6)
        self._keep(file, network, facts, look=step < self._evaluate_every)

    def best(self, network: nn.Module, step: int, held_out: float) -> None:
        """Play with the best weights, unless they have played before."""
        file = self._run / FOLDER / BEST
        try:
            if file.exists() and read_sample(file).step == step:
                return
        except PartimentoError:
            pass  # damaged: made again
        self._keep(file, network, {"step": step, "held_out": round(held_out, 6)}, look=False)

    def _keep(self, file: Path, network: nn.Module, facts: dict[str, Any], *, look: bool) -> None:
        try:
            file.parent.mkdir(exist_ok=True)
            if look:
                facts["held_out"] = round(self._evaluate(network).nats_per_step, 6)
            score = stamp(self._play(NetworkEngine(network)), {FACTS: facts})
            write_atomically(file, write_midi(score))
        except Exception as error:  # a run must not die of being listened to
            if not self._has_told:
                self._tell(f"no sample at step {facts['step']:,}, training goes on: {error}")
            self._has_told = True


class NetworkEngine:
    """A network in training, as the engine that generation runs; for one sequence at a time.

    It offers what generation asks of `StepEngine`: `start`, then `step` and `fork`. Exporting a
    graph at each sample would cost seconds; this costs a fraction of one.
    """

    def __init__(self, network: nn.Module) -> None:
        self._network = network.eval()
        self._device = next(network.parameters()).device
        self._state: Any = None

    def start(self, rows: int) -> "NetworkEngine":
        """Begin a sequence."""
        assert rows == 1, "a network in training plays one melody at a time"
        return NetworkEngine(self._network)

    def step(self, features: np.ndarray) -> np.ndarray:
        """Read one more step, shape (1, feature); logits of the token after it, (1, vocab)."""
        with torch.inference_mode():
            given = torch.from_numpy(np.ascontiguousarray(features[:, None])).to(self._device)
            logits, self._state = self._network(given, self._state)  # 1 1 vocab
        return logits[:, -1].float().cpu().numpy()

    def fork(self, rows: np.ndarray) -> "NetworkEngine":
        """Begin a sequence where this one stands now."""
        forked = self.start(len(rows))
        forked._state = self._state
        return forked
