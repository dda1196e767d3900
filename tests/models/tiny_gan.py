"""A checkpoint of a small random GAN of phrases, which needs no training."""

from dataclasses import asdict
from functools import cache

import numpy as np
import torch

from partimento.checkpoints import save_checkpoint
from partimento.networks.phrase_gan import PhraseGANConfig, PhraseGenerator
from partimento.representations.phrases import PhraseRepresentation
from partimento.training.course import plain
from partimento.training.phrase_graphs import graph_of
from partimento.training.rounding import rounded_to_half


def tiny_config(representation=None, **fields):
    r = representation or PhraseRepresentation()
    sizes = {"latent_size": 3, "wide": 8, "narrow": 6, **fields}
    beats = r.bar_steps // r.beat_steps
    return PhraseGANConfig(r.lowest, r.pitches, r.bars, beats, r.beat_steps, **sizes)


@cache
def tiny_generator(meter="4/4"):
    torch.manual_seed(3)
    generator = PhraseGenerator(tiny_config(PhraseRepresentation(meter=meter)))
    with torch.no_grad():  # so that random weights say something
        for module in (*generator.rhythm, generator.enter):
            module.weight.mul_(8)
    rounded_to_half(generator.eval())
    return generator


@cache
def tiny_graph(meter="4/4"):
    return graph_of(tiny_generator(meter))


def save_tiny_gan(folder, meter="4/4", **config):
    """Write the checkpoint, and say where; keywords replace entries of its config."""
    generator = tiny_generator(meter)
    representation = PhraseRepresentation(meter=meter)
    config = plain(
        {
            "format": 1,
            "family": "quartet-gan",
            "name": "tiny",
            "made_with": "partimento",
            "representation": asdict(representation),
            "network": asdict(generator.config),
            "graphs": {"write": "write.onnx"},
            "training": {"data": []},
            "figures": {"parameters": 1},
            **config,
        }
    )
    weights = {n: t.numpy().astype(np.float16) for n, t in generator.state_dict().items()}
    save_checkpoint(
        folder,
        config=config,
        weights=weights,
        graphs={"write.onnx": tiny_graph(meter)},
        card="# tiny\n",
    )
    return folder
