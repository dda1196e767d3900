"""Several processes that train one network together. Start at `joined`.

`torchrun --nproc-per-node 2 -m partimento train …` starts the same command several times, each with
its rank in the environment. Every process holds the whole network, computes the gradients of some
rows of the same batch, and adds them to those of the others: all of them then take the same step,
which is that of one process with the whole batch, up to rounding. The process of rank 0, the first,
alone locks and writes the run folder, looks at the held-out pieces and prints.

A process alone is a `Group` of one, and nothing here costs it anything.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import numpy as np
import torch
from safetensors.torch import load as tensors_of
from safetensors.torch import save as bytes_of
from torch import Tensor, distributed, nn

from partimento.errors import EnvironmentFault, PartimentoError, TrainingError
from partimento.training.batches import Batch

# A process that no longer answers ends the others after so long; a look at the held-out pieces, for
# which they wait, is to fit in.
PATIENCE = timedelta(minutes=30)


class Group:
    """The processes that train together, and this one among them."""

    def __init__(self, rank: int = 0, size: int = 1, device: str | None = None) -> None:
        self.rank, self.size = rank, size
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes and speaks."""
        return self.rank == 0

    def rows(self, batch: Batch) -> Batch:
        """Rows of a batch that are for this process: every so many-th."""
        return batch.rows(slice(self.rank, None, self.size))

    def add_gradients(self, network: nn.Module, *figures: float) -> list[float]:
        """Add up gradients (in place) and figures over all processes, in one exchange."""
        if self.size == 1:
            return list(figures)
        gradients = [weight.grad for weight in network.parameters() if weight.grad is not None]
        more = torch.tensor(figures, dtype=torch.float32, device=self.device)
        both = torch.cat([gradient.flatten() for gradient in gradients] + [more])
        self._exchange(distributed.all_reduce, both)
        sizes = [gradient.numel() for gradient in gradients]
        *sums, more = both.split([*sizes, len(figures)])
        for gradient, total in zip(gradients, sums, strict=True):
            gradient.copy_(total.view_as(gradient))
        return more.tolist()

    def from_first(self, figures: Sequence[float | int]) -> list[float | int]:
        """Give every process the figures of the first."""
        if self.size == 1:
            return list(figures)
        values = torch.tensor(figures, dtype=torch.float64, device=self.device)
        self._exchange(distributed.broadcast, values, 0)
        return values.tolist()

    def weights_from_first(self, network: nn.Module) -> None:
        """Give every process the weights that the first begins with."""
        if self.size > 1:
            for weights in network.state_dict().values():
                self._exchange(distributed.broadcast, weights, 0)

    def state_from_first(
        self, found: tuple[dict[str, Tensor], dict[str, Any], list[str]] | None
    ) -> tuple[dict[str, Tensor], dict[str, Any], list[str]] | None:
        """Give every process the state that the first has found in the run folder, if any."""
        if self.size == 1:
            return found
        tensors, *words = found or ({}, {}, [])
        content = bytes_of(tensors), json.dumps(words).encode()
        lengths = self.from_first([len(part) for part in content] if found else [0, 0])
        if not any(lengths):
            return None
        weights, told = (
            self._bytes_from_first(part, int(length))
            for part, length in zip(content, lengths, strict=True)
        )
        facts, passed_over = json.loads(told)
        return tensors_of(weights), facts, passed_over

    def check_same(self, asked: bytes) -> None:
        """Raise `TrainingError` in every process if one of them was asked for something else."""
        digest = np.frombuffer(hashlib.sha256(asked).digest(), dtype=np.uint32).tolist()
        differs = float(self.from_first(digest) != digest)
        found = torch.zeros(self.size, device=self.device)
        found[self.rank] = differs
        if self.size > 1:
            self._exchange(distributed.all_reduce, found)
        if found.any():
            raise TrainingError(
                f"process {int(found.argmax())} of {self.size} has other settings, or found other "
                "music, than process 0: give all of them the same command and the same files"
            )

    def _bytes_from_first(self, content: bytes, length: int) -> bytes:
        values = torch.zeros(length, dtype=torch.uint8)
        if self.is_first:
            values = torch.frombuffer(bytearray(content), dtype=torch.uint8)
        values = values.to(self.device)
        self._exchange(distributed.broadcast, values, 0)
        return values.cpu().numpy().tobytes()

    def _exchange(self, operation: Any, *arguments: Any) -> None:
        try:
            operation(*arguments)
        except RuntimeError as error:
            raise GroupBrokenError(self) from error


class GroupBrokenError(EnvironmentFault):
    """Another process of the group has ended, or no longer answers."""

    def __init__(self, group: Group) -> None:
        super().__init__(
            f"process {group.rank} of {group.size} lost the others: one of them has ended, or the "
            "network between them has; see what it said, then the same command with --resume goes "
            "on from the last state"
        )


def rank() -> int:
    """Rank that torchrun gave this process; 0 for a process alone."""
    return int(os.environ.get("RANK", "0"))


@contextmanager
def joined() -> Iterator[Group]:
    """Meet the other processes that torchrun has started, if it has started any.

    They talk by NCCL where each has a GPU, else by gloo.

    Raises
    ------
    EnvironmentFault
        If they do not find each other, or are more than the GPUs of this machine.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield Group()
        return
    device, backend = "cpu", "gloo"
    if torch.cuda.is_available():
        local, gpus = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
        if local >= gpus:
            raise EnvironmentFault(
                f"process {local} of this machine has no GPU of its own, of {gpus}: start fewer "
                "by --nproc-per-node, or hide the GPUs by CUDA_VISIBLE_DEVICES= to train on the CPU"
            )
        device, backend = f"cuda:{local}", "nccl"
        torch.cuda.set_device(device)
    try:
        distributed.init_process_group(backend, timeout=PATIENCE)
    except (RuntimeError, ValueError) as error:
        raise EnvironmentFault(
            f"process {rank()} of {size} did not find the others ({error}): start them by torchrun"
        ) from error
    try:
        yield Group(rank(), size, device)
    except PartimentoError:
        # Gloo's threads must end before the interpreter does, or it aborts; others that wait in an
        # exchange then hear at once that this process is gone. NCCL would wait for them instead.
        if backend == "gloo":
            distributed.destroy_process_group()
        raise
    distributed.destroy_process_group()
