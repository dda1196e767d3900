"""From a trained VAE of bars to the three graphs that generation runs, checked against the network.

``encode`` says where windows lie, ``plan`` what a point wants of each step, and ``write`` is one
step of the layer that writes tokens. Weights stand in the graphs as `training.rounding` says.
"""

from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor, nn

from partimento.errors import TrainingError
from partimento.networks.window_vae import WindowVAE
from partimento.training.export import LARGEST_DIFFERENCE, exported
from partimento.training.rounding import with_few_bits


class _Write(nn.Module):
    def __init__(self, network: WindowVAE) -> None:
        super().__init__()
        self.writer = network.writer

    def forward(self, token: Tensor, plan: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        return self.writer.step(token, plan, state)


def graphs_of(network: WindowVAE) -> dict[str, bytes]:
    """ONNX graphs by name.

    ``encode`` reads ``tables`` (batch, bar, position) int64 and gives ``mu`` and ``log_variance``
    (batch, latent). ``plan`` reads ``z`` (batch, latent) and gives ``plan`` (batch, bar, position,
    step) and ``state`` (batch, bar, writer). ``write`` reads ``token`` (batch,) int64, ``plan``
    (batch, step) and ``state`` (batch, writer) and gives ``logits`` (batch, vocab) and
    ``next_state``.
    """
    network = network.cpu().eval()
    config = network.config
    batch = torch.export.Dim("batch")
    tables = torch.zeros(3, config.bars, config.positions, dtype=torch.int64)
    steps = torch.zeros(3, config.step_size), torch.zeros(3, config.writer_size)
    made = {
        "encode": exported(
            network.encoder, (tables,), ["tables"], ["mu", "log_variance"], {"tables": {0: batch}}
        ),
        "plan": exported(
            network.planner,
            (torch.zeros(3, config.latent_size),),
            ["z"],
            ["plan", "state"],
            {"z": {0: batch}},
        ),
        "write": exported(
            _Write(network).eval(),
            (torch.zeros(3, dtype=torch.int64), *steps),
            ["token", "plan", "state"],
            ["logits", "next_state"],
            {"token": {0: batch}, "plan": {0: batch}, "state": {0: batch}},
        ),
    }
    return {name: with_few_bits(graph) for name, graph in made.items()}


def check_graphs(
    network: WindowVAE, graphs: dict[str, bytes], tables: Int[np.ndarray, "batch bar position"]
) -> float:
    """Have graphs and network encode and write windows; return the largest difference of logits.

    Raises `TrainingError` above `LARGEST_DIFFERENCE`.
    """
    import onnxruntime

    def session(name: str) -> Any:
        return onnxruntime.InferenceSession(graphs[name], providers=["CPUExecutionProvider"])

    network = network.cpu().eval()
    config = network.config
    with torch.inference_mode():
        mu, _ = network.encoder(torch.from_numpy(tables))
        expected = network.decode(mu, torch.from_numpy(tables)).numpy()
    expected = expected.reshape(*tables.shape, -1)
    (found,) = session("encode").run(["mu"], {"tables": tables})
    plan, states = session("plan").run(["plan", "state"], {"z": found})
    write = session("write")
    token = np.full(len(tables), config.nothing)
    state = states[:, 0]
    largest = 0.0
    is_real = tables < config.vocab_size
    longest = int(is_real.any(axis=(0, 1)).sum())
    for bar in range(config.bars):
        if config.bars_apart:
            state = states[:, bar]
        if config.bars_at_once:
            token = np.full(len(tables), config.nothing)
        for place in range(longest):
            feeds = {"token": token, "plan": plan[:, bar, place], "state": state}
            logits, state = write.run(["logits", "next_state"], feeds)
            away = np.abs(logits - expected[:, bar, place])
            largest = max(largest, float(away.max()))
            token = tables[:, bar, place]
    scale = max(1.0, float(np.abs(expected).max()))
    if not largest <= LARGEST_DIFFERENCE * scale:
        raise TrainingError(
            f"the exported graphs disagree with the network: logits of up to {scale:.0f} differ by "
            f"{largest:.2g}, {LARGEST_DIFFERENCE:g} of them at most is rounding"
        )
    return largest
