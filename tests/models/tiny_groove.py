"""A checkpoint of a small random groove network, which needs no training."""

from dataclasses import asdict
from functools import cache

import numpy as np
import torch

from partimento.checkpoints import save_checkpoint
from partimento.networks.groove import GrooveNet, GrooveNetConfig
from partimento.representations.groove import GrooveRepresentation
from partimento.training.course import plain
from partimento.training.groove_graphs import groove_graphs_of
from partimento.training.rounding import rounded_to_half

REPRESENTATION = GrooveRepresentation()


@cache
def tiny_network():
    torch.manual_seed(5)
    config = GrooveNetConfig(
        REPRESENTATION.given_size, ahead_size=6, writer_size=8, stroke_size=10, dropout=0.0
    )
    network = GrooveNet(config)
    with torch.no_grad():  # so that random weights say something
        network.stroke.weight.normal_()
        network.stroke.bias[:, 1] -= 1  # not everything at once
    rounded_to_half(network.eval())
    return network


@cache
def tiny_graphs():
    return groove_graphs_of(tiny_network())


def save_tiny_groove(folder, **config):
    """Write the checkpoint, and say where; keywords replace entries of its config."""
    network = tiny_network()
    save_checkpoint(
        folder,
        config={
            "format": 1,
            "family": "drums-groove",
            "name": "tiny-groove",
            "representation": asdict(REPRESENTATION),
            "network": plain(asdict(network.config)),
            "graphs": {name: f"{name}.onnx" for name in tiny_graphs()},
            "figures": {"parameters": 1},
            **config,
        },
        weights={
            name: tensor.numpy().astype(np.float16) for name, tensor in network.state_dict().items()
        },
        graphs={f"{name}.onnx": graph for name, graph in tiny_graphs().items()},
        card="# tiny\nRandom weights.\n",
    )
    return folder
