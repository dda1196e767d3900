"""From a trained `GrooveNet` to the three graphs that generation runs, checked against the network.

``ahead`` is one step of the layer that looks ahead, ``write`` one of that which writes, ``stroke``
what is written of one drum. Weights stand in the graphs as float16: see `training.rounding`.
"""

from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from partimento.errors import TrainingError
from partimento.networks.groove import GrooveNet, gru_step
from partimento.training.export import LARGEST_DIFFERENCE, exported
from partimento.training.rounding import with_few_bits


class _Ahead(nn.Module):
    def __init__(self, network: GrooveNet) -> None:
        super().__init__()
        self.layer = network.ahead

    def forward(self, given: Tensor, state: Tensor) -> Tensor:
        return gru_step(self.layer, given, state)


class _Write(nn.Module):
    def __init__(self, network: GrooveNet) -> None:
        super().__init__()
        self.layer, self.base = network.writer, network.base

    def forward(
        self, given: Tensor, ahead: Tensor, before: Tensor, state: Tensor
    ) -> tuple[Tensor, Tensor]:
        state = gru_step(self.layer, torch.cat([given, ahead, before], dim=-1), state)
        return self.base(torch.cat([given, ahead, state], dim=-1)), state


class _Stroke(nn.Module):
    def __init__(self, network: GrooveNet) -> None:
        super().__init__()
        self.stroke = network.stroke

    def forward(self, base: Tensor, written: Tensor, drum: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.stroke.step(base, written, drum)


def groove_graphs_of(network: GrooveNet) -> dict[str, bytes]:
    """ONNX graphs by name; everything has the batch first and is float32 but ``drum``.

    ``ahead`` reads ``given`` (batch, given) and ``state`` (batch, ahead) and gives ``next_state``.
    ``write`` reads ``given``, ``ahead``, ``before`` (batch, cell) and ``state`` (batch, writer) and
    gives ``base`` (batch, stroke) and ``next_state``. ``stroke`` reads ``base``, ``written``
    (batch, cell) and ``drum`` (batch,) int64 and gives ``struck`` (batch, 2), ``velocity`` and
    ``offset`` (batch, class).
    """
    network = network.cpu().eval()
    config = network.config
    given, ahead = torch.zeros(3, config.given_size), torch.zeros(3, config.ahead_size)
    cells, state = torch.zeros(3, config.cells), torch.zeros(3, config.writer_size)
    base = torch.zeros(3, config.stroke_size)
    drum = torch.zeros(3, dtype=torch.int64)
    batch = {0: torch.export.Dim("batch")}

    def graph(module: nn.Module, inputs: dict[str, Tensor], outputs: list[str]) -> bytes:
        return exported(
            module.eval(),
            tuple(inputs.values()),
            list(inputs),
            outputs,
            dict.fromkeys(inputs, batch),
        )

    made = {
        "ahead": graph(_Ahead(network), {"given": given, "state": ahead}, ["next_state"]),
        "write": graph(
            _Write(network),
            {"given": given, "ahead": ahead, "before": cells, "state": state},
            ["base", "next_state"],
        ),
        "stroke": graph(
            _Stroke(network),
            {"base": base, "written": cells, "drum": drum},
            ["struck", "velocity", "offset"],
        ),
    }
    return {name: with_few_bits(content) for name, content in made.items()}


def check_groove_graphs(
    network: GrooveNet,
    graphs: dict[str, bytes],
    features: Float[np.ndarray, "batch time feature"],
) -> float:
    """Have graphs and network write windows; return the largest difference of logits.

    Raises `TrainingError` above `LARGEST_DIFFERENCE`.
    """
    import onnxruntime

    def session(name: str) -> Any:
        return onnxruntime.InferenceSession(graphs[name], providers=["CPUExecutionProvider"])

    network = network.cpu().eval()
    config = network.config
    with torch.inference_mode():
        expected = network(torch.from_numpy(features))[0].numpy()  # batch time cell vocab
    given, written = np.split(features, [config.given_size], axis=-1)
    batch, steps = features.shape[:2]
    look, write, stroke = session("ahead"), session("write"), session("stroke")
    ahead = np.zeros((batch, steps + 1, config.ahead_size), dtype=np.float32)
    for step in reversed(range(steps)):
        feeds = {"given": given[:, step], "state": ahead[:, step + 1]}
        (ahead[:, step],) = look.run(["next_state"], feeds)
    state = np.zeros((batch, config.writer_size), dtype=np.float32)
    before = np.zeros_like(written[:, 0])
    number = np.arange(config.cells) % config.drums
    largest = 0.0
    for step in range(steps):
        feeds = {"given": given[:, step], "ahead": ahead[:, step], "before": before, "state": state}
        base, state = write.run(["base", "next_state"], feeds)
        before = written[:, step]
        for drum in range(config.drums):
            found = stroke.run(
                ["struck", "velocity", "offset"],
                {
                    "base": base,
                    "written": np.where(number < drum, before, 0).astype(np.float32),
                    "drum": np.full(batch, drum),
                },
            )
            for kind, logits in enumerate(found):
                cell = expected[:, step, kind * config.drums + drum, : logits.shape[1]]
                largest = max(largest, float(np.abs(logits - cell).max()))
    scale = max(1.0, float(np.abs(expected[expected > -1e6]).max()))
    if not largest <= LARGEST_DIFFERENCE * scale:
        raise TrainingError(
            f"the exported graphs disagree with the network: logits of up to {scale:.0f} differ by "
            f"{largest:.2g}, {LARGEST_DIFFERENCE:g} of them at most is rounding"
        )
    return largest
