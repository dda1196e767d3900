"""A checkpoint of a small random VAE of bars, which needs no training."""

from dataclasses import asdict
from functools import cache

import numpy as np
import torch

from partimento.checkpoints import save_checkpoint
from partimento.checkpoints.arrays import write_arrays
from partimento.generation.attributes import Sliders, attribute_names
from partimento.generation.latent import Prior
from partimento.models.bars_vae import LATENT
from partimento.networks.bars_vae import BarsVAE, BarsVAEConfig
from partimento.representations.bars import BarsRepresentation
from partimento.training.bars_graphs import graphs_of
from partimento.training.course import plain
from partimento.training.rounding import rounded_to_bytes, stored

LATENT_SIZE = 6


@cache
def tiny_network(kind="melody", bars=2, bars_apart=False, bars_at_once=False):
    representation = BarsRepresentation(kind, bars)
    torch.manual_seed(3)
    config = BarsVAEConfig(
        representation.vocab_size,
        representation.rows,
        representation.positions,
        latent_size=LATENT_SIZE,
        embedding_size=4,
        bar_size=12,
        conductor_size=12,
        step_size=6,
        writer_size=10,
        bits=9 if kind == "drums" else 0,
        bars_apart=bars_apart or bars_at_once,
        bars_at_once=bars_at_once,
    )
    network = BarsVAE(config)
    with torch.no_grad():  # so that random weights say something
        network.writer.head.own.weight.mul_(6)
        network.planner.straight.weight.mul_(4)
    rounded_to_bytes(network.eval())
    return network


@cache
def tiny_graphs(kind="melody", bars=2, bars_apart=False, bars_at_once=False):
    return graphs_of(tiny_network(kind, bars, bars_apart, bars_at_once))


def save_tiny_vae(folder, kind="melody", bars=2, *, with_sliders=True, **config):
    """Write the checkpoint, and say where; keywords replace entries of its config."""
    at_once = {"bars_at_once": kind == "quartet"}
    network = tiny_network(kind, bars, **at_once)
    representation = BarsRepresentation(kind, bars)
    names = attribute_names(representation)
    generator = np.random.default_rng(0)
    arrays = Prior.fitted(generator.normal(size=(50, LATENT_SIZE)), np.zeros((50, 6))).arrays()
    if with_sliders:
        directions = generator.normal(size=(len(names), LATENT_SIZE))
        arrays |= Sliders(names, directions, np.ones(len(names))).arrays()
    save_checkpoint(
        folder,
        config={
            "format": 1,
            "family": f"{kind}-vae",
            "name": f"tiny-{kind}-vae",
            "representation": asdict(representation),
            "network": plain(asdict(network.config)),
            "graphs": {name: f"{name}.onnx" for name in tiny_graphs(kind, bars, **at_once)},
            "sliders": {"names": list(names) if with_sliders else [], "table": []},
            "figures": {"parameters": 1},
            **config,
        },
        weights=stored(network),
        graphs={
            f"{name}.onnx": graph for name, graph in tiny_graphs(kind, bars, **at_once).items()
        },
        card="# tiny\nRandom weights.\n",
        extras={LATENT: write_arrays(arrays)},
    )
    return folder
