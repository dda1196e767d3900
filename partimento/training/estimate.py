"""How long a run will take, measured on a few real steps before it begins.

The steps are taken by a copy of the network, so the run begins with the weights it would have had.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from partimento.training.batches import Batch
from partimento.training.distributed import Group
from partimento.training.loop import TrainingSettings, steps_on_a_copy

MEASURED_STEPS, MOST_SECONDS = 8, 4.0  # so many steps, or fewer where they are slow
FORWARD_SHARE = 0.4  # of a step's time; the rest goes back


@dataclass(frozen=True)
class Estimate:
    """How long a run will take, as far as a few steps can tell.

    Attributes
    ----------
    seconds : float
        Until it ends, if it does not stop early.
    steps : int
        At its end.
    epochs : float
        Times that each piece will have been shown by then.
    """

    seconds: float
    steps: int
    epochs: float


def estimate(
    network: nn.Module,
    batches: Callable[[int], Batch],
    batches_per_epoch: int,
    held_out_steps: int,
    settings: TrainingSettings,
    done: tuple[int, float] = (0, 0.0),
) -> Estimate:
    """Measure a few steps, and say what the whole run will take.

    Parameters
    ----------
    network
        Where it will train; a copy of it is measured.
    batches, batches_per_epoch
        Batch of each step; how many show each piece once.
    held_out_steps
        Grid steps of the held-out pieces, which are looked at now and then.
    done
        Steps and seconds of a run that goes on.
    """
    torch.set_num_threads(settings.threads)
    step_seconds, look_seconds = _measured(
        network, batches, batches_per_epoch, held_out_steps, settings
    )
    seconds_a_step = step_seconds + look_seconds / settings.evaluate_every
    steps_before, seconds_before = done
    steps = math.inf if settings.steps is None else settings.steps
    if settings.minutes is not None:
        room = max(0.0, 60 * settings.minutes - seconds_before - look_seconds)
        steps = min(steps, steps_before + max(1, round(room / seconds_a_step)))
    left = max(0, int(steps) - steps_before)
    return Estimate(left * seconds_a_step + look_seconds, int(steps), steps / batches_per_epoch)


def _measured(
    network: nn.Module,
    batches: Callable[[int], Batch],
    batches_per_epoch: int,
    held_out_steps: int,
    settings: TrainingSettings,
) -> tuple[float, float]:
    """Seconds of a step, and of a look at all held-out pieces."""
    began, look = time.monotonic(), 0.0
    times: list[float] = []

    def again(step: int) -> Batch:
        return batches(step % batches_per_epoch)

    for seconds, grid_steps in steps_on_a_copy(network, again, settings, Group()):
        times.append(seconds)
        look = seconds * FORWARD_SHARE / grid_steps * held_out_steps
        if len(times) >= MEASURED_STEPS or time.monotonic() - began >= MOST_SECONDS:
            break
    # The first warms up what later ones find warm.
    return sum(times[1:] or times) / len(times[1:] or times), look
