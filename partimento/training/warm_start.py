"""Warm starts: a network that goes on from a checkpoint instead of from random weights.

`network_of` gives the network that a checkpoint describes, with its weights; `Parent` is what the
finished model says of where it began.
"""

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import torch

from partimento.checkpoints import Checkpoint, open_checkpoint
from partimento.errors import CheckpointError, ParameterError
from partimento.networks.melody_rnn import MelodyRNN, MelodyRNNConfig


@dataclass(frozen=True)
class Parent:
    """The checkpoint that a network was fine-tuned from.

    Attributes
    ----------
    path : Path
        Its folder.
    name, hash : str
        As the checkpoint says, and the SHA-256 that stands for all of its files.
    data : tuple of str
        What it was trained on.
    sources : tuple of dict
        Name, licence, credit and checksum of the sets among them.
    """

    path: Path
    name: str
    hash: str
    data: tuple[str, ...] = ()
    sources: tuple[dict[str, Any], ...] = ()

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> "Parent":
        """Take what a checkpoint says of itself."""
        training = checkpoint.config.get("training", {})
        data, report = training.get("data", []), training.get("data_report", {})
        sources = report.get("sources", []) if isinstance(report, dict) else []
        before = training.get("parent", {})
        older = before.get("sources", []) if isinstance(before, dict) else []
        named = [
            source
            for source in (*_list(older), *_list(sources))
            if isinstance(source, dict) and isinstance(source.get("name"), str)
        ]
        return cls(
            path=checkpoint.path,
            name=checkpoint.name,
            hash=checkpoint.hash,
            data=tuple(str(name) for name in _list(data)),
            sources=tuple(named),
        )

    def facts(self) -> dict[str, str]:
        """Give what decides the weights it begins with, for `run.json`."""
        return {"name": self.name, "hash": self.hash}

    def told(self) -> dict[str, Any]:
        """Give what the finished checkpoint says of it, as plain values."""
        return {**self.facts(), "data": list(self.data), "sources": list(self.sources)}

    def network(self, dropout: float | None = None) -> MelodyRNN:
        """Open the checkpoint again, which must still be the same, and make its network."""
        checkpoint = open_checkpoint(self.path)
        if checkpoint.hash != self.hash:
            raise CheckpointError(
                f"{self.path} has changed: its hash was {self.hash[:12]} and is now "
                f"{checkpoint.short_hash}. Train again from it, or put the old one back"
            )
        return network_of(checkpoint, dropout)


def network_of(checkpoint: Checkpoint, dropout: float | None = None) -> MelodyRNN:
    """Make the network of a checkpoint, with its weights.

    Parameters
    ----------
    checkpoint
        Opened, so that its files are whole; what they say of the network is not trusted yet.
    dropout
        For more training; `None` keeps the checkpoint's.

    Raises
    ------
    CheckpointError
        If the config describes no network, or another than that of the weights.
    """
    asked = network_config(checkpoint)
    if dropout is not None:
        asked = replace(asked, dropout=dropout)
    with torch.device("meta"):  # allocates nothing, however large the config says it is
        network = MelodyRNN(asked)
    weights = {
        name: torch.from_numpy(array).float() for name, array in checkpoint.weights().items()
    }
    expected = {name: tuple(t.shape) for name, t in network.state_dict().items()}
    found = {name: tuple(t.shape) for name, t in weights.items()}
    if wrong := [name for name in {**expected, **found} if expected.get(name) != found.get(name)]:
        name = sorted(wrong)[0]
        raise CheckpointError(
            f"the weights of {checkpoint.name} are not those of the network in its config: {name} "
            f"should be {_size(expected.get(name))} and is {_size(found.get(name))}"
        )
    network.load_state_dict(weights, assign=True)
    for parameter in network.parameters():
        parameter.requires_grad_()
    return network


def network_config(checkpoint: Checkpoint) -> MelodyRNNConfig:
    """Read the size of a checkpoint's network, trusting nothing."""
    asked = checkpoint.config["network"]
    known = {field.name for field in fields(MelodyRNNConfig)}
    if unknown := sorted(set(asked) - known):
        raise CheckpointError(
            f"the network of {checkpoint.name} has a setting that this version does not know: "
            f"{unknown[0]!r}"
        )
    plain: dict[str, Any] = {
        name: tuple(v) if isinstance(v, list) else v for name, v in asked.items()
    }
    try:
        sizes = (plain["vocab_size"], plain["hidden_size"], plain["num_layers"])
        if not isinstance(plain["feature_sizes"], tuple) or any(
            type(size) is not int for size in (*sizes, *plain["feature_sizes"])
        ):
            raise ParameterError("sizes must be whole numbers")
        return MelodyRNNConfig(**plain)
    except (KeyError, TypeError, ParameterError) as error:
        raise CheckpointError(
            f"the config of {checkpoint.name} describes no network that can be trained: {error}"
        ) from None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _size(shape: tuple[int, ...] | None) -> str:
    return "missing" if shape is None else " by ".join(str(side) for side in shape)
