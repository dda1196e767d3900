"""A tiny network that fills in, as a graph, made once for all tests."""

from functools import cache

import torch

from partimento.generation.fill_engine import FillEngine
from partimento.networks.bach_cnn import BachCNN, BachCNNConfig
from partimento.representations.satb import SatbRepresentation
from partimento.training.infilling import GRAPH, export

SATB = SatbRepresentation()


@cache
def tiny_network() -> BachCNN:
    torch.manual_seed(3)
    config = BachCNNConfig(
        SATB.vocab_size, SATB.cycle, hidden_size=16, dilations=(1, 2), head_size=8
    )
    return BachCNN(config).eval()


@cache
def tiny_graph() -> bytes:
    return export(tiny_network())[GRAPH]


@cache
def tiny_engine() -> FillEngine:
    return FillEngine(tiny_graph(), SATB)
