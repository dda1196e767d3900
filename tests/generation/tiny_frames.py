"""Engines and checkpoints of small random networks of four voices, which need no training."""

from dataclasses import asdict
from functools import cache

import torch

from partimento.checkpoints import save_checkpoint
from partimento.generation.frame_engine import FrameEngine
from partimento.networks.bach_rnn import BachRNN, BachRNNConfig
from partimento.representations.satb import SatbRepresentation
from partimento.training.frames import export

SATB = SatbRepresentation()
FEW = SatbRepresentation(lowest=60, highest=61)


@cache
def network_for(representation, **settings):
    torch.manual_seed(0)
    sizes = {"hidden_size": 12, "head_size": 8, "key": True, "countdown": True}
    config = BachRNNConfig(representation.vocab_size, **{**sizes, **settings})
    network = BachRNN(config).eval()
    torch.nn.init.normal_(network.heads.out, std=0.7)
    return network


@cache
def graphs_for(representation, **settings):
    return export(network_for(representation, **settings))


@cache
def engine_for(representation, **settings):
    graphs = graphs_for(representation, **settings)
    order = network_for(representation, **settings).config.order
    return FrameEngine(graphs["frame"], graphs["voice"], representation, order)


def save_tiny_voices(folder, **config):
    """Write a checkpoint, and say where; keywords replace entries of its config."""
    graphs = graphs_for(SATB)
    network = network_for(SATB)
    save_checkpoint(
        folder,
        config={
            "format": 1,
            "family": "bach-rnn",
            "name": "tiny",
            "representation": asdict(SATB),
            "network": {**asdict(network.config), "order": list(network.config.order)},
            "graphs": {name: f"{name}.onnx" for name in graphs},
            "calibration": {"temperature": 1.25},
            **config,
        },
        weights={name: tensor.numpy() for name, tensor in network.state_dict().items()},
        graphs={f"{name}.onnx": graph for name, graph in graphs.items()},
        card="# tiny\nRandom weights.\n",
    )
    return folder
