"""From a trained network to the graphs that generation runs, checked against each other.

`MelodyStep` is one step of a `MelodyRNN` written as matrix products and pointwise operators: ONNX
Runtime runs these faster than its fused LSTM when a batch is small. `check_graph` plays real music
through both engines and says how far their logits lie apart.
"""

import logging
import warnings

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from partimento.errors import TrainingError
from partimento.networks.melody_rnn import MelodyRNN

LARGEST_DIFFERENCE = 1e-4  # between logits of both engines; float32 sums in another order


class MelodyStep(nn.Module):
    """One step of a `MelodyRNN`, for a batch of melodies.

    The first layer's input weights are multiplied into the embeddings once and for all, so that
    reading the features is a sum of table rows (the gates' biases are in the first table). Gates
    are reordered to input, forget, output, cell, so that one sigmoid serves three of them.
    """

    def __init__(self, network: MelodyRNN) -> None:
        super().__init__()
        lstm = network.lstm
        self.num_layers, size = network.config.num_layers, network.config.hidden_size
        gates = torch.arange(4 * size).view(4, size)[[0, 1, 3, 2]].flatten()  # from i, f, g, o

        def taken(name: str) -> Tensor:
            weights: Tensor = getattr(lstm, name)
            return weights.detach().double()[gates]

        def bias(layer: int) -> Tensor:
            return taken(f"bias_ih_l{layer}") + taken(f"bias_hh_l{layer}")

        first = taken("weight_ih_l0").T  # hidden gates
        tables = [weight.detach().double() @ first for weight in network.embeddings.parameters()]
        tables[0] = tables[0] + bias(0)
        offsets = np.cumsum([0, *(len(table) for table in tables[:-1])])
        self._keep("table", torch.cat(tables))  # rows of all features, gates
        self.register_buffer("offsets", torch.from_numpy(offsets))
        for layer in range(self.num_layers):
            self._keep(f"across_{layer}", taken(f"weight_hh_l{layer}").T)
            if layer:
                self._keep(f"up_{layer}", taken(f"weight_ih_l{layer}").T)
                self._keep(f"bias_{layer}", bias(layer))
        self._keep("head_weight", network.head.weight.detach().T)
        self._keep("head_bias", network.head.bias.detach())

    def _keep(self, name: str, tensor: Tensor) -> None:
        self.register_buffer(name, tensor.float().contiguous())

    def forward(
        self, features: Int[Tensor, "batch feature"], *states: Float[Tensor, "batch hidden"]
    ) -> tuple[Tensor, ...]:
        """Logits, then the new hidden and cell state of each layer in turn."""
        indices = features + self.get_buffer("offsets")
        rows = F.embedding(indices, self.get_buffer("table"))  # batch feature gates
        gates = rows.sum(dim=1)  # batch gates
        new_states: list[Tensor] = []
        output = gates
        for layer in range(self.num_layers):
            hidden, cell = states[2 * layer], states[2 * layer + 1]
            if layer:
                up = self.get_buffer(f"up_{layer}")
                gates = torch.addmm(self.get_buffer(f"bias_{layer}"), output, up)
            gates = torch.addmm(gates, hidden, self.get_buffer(f"across_{layer}"))
            size = hidden.shape[1]
            sigmoids, candidate = gates.split([3 * size, size], dim=1)
            i, f, o = torch.sigmoid(sigmoids).split(size, dim=1)
            cell = f * cell + i * torch.tanh(candidate)
            output = o * torch.tanh(cell)
            new_states += [output, cell]
        bias, weight = self.get_buffer("head_bias"), self.get_buffer("head_weight")
        return (torch.addmm(bias, output, weight), *new_states)


def step_graph(network: MelodyRNN) -> bytes:
    """ONNX graph of one step: ``features`` and states in, ``logits`` and new states out.

    Inputs are ``features`` (batch, feature) int64 and ``state_0`` … (batch, hidden) float32, zero
    at the start; outputs are ``logits`` (batch, vocab) and ``next_state_0`` ….
    """
    network = network.cpu().eval()
    step = MelodyStep(network).eval()
    config = network.config
    states = [torch.zeros(4, config.hidden_size) for _ in range(2 * config.num_layers)]
    features = torch.zeros(4, len(config.feature_sizes), dtype=torch.int64)
    names = [f"state_{index}" for index in range(len(states))]
    batch = torch.export.Dim("batch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns of its own insides
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            step,
            (features, *states),
            dynamo=True,
            input_names=["features", *names],
            output_names=["logits", *(f"next_{name}" for name in names)],
            dynamic_shapes={"features": {0: batch}, "states": tuple({0: batch} for _ in states)},
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    for node in model.graph.node:  # where each line of ours stood: useless to others, and large
        del node.metadata_props[:]
        node.doc_string = ""
    return bytes(model.SerializeToString(deterministic=True))


def check_graph(
    network: MelodyRNN, graph: bytes, features: Int[np.ndarray, "batch time feature"]
) -> float:
    """Play features through PyTorch and through the graph; return the largest difference.

    Raises `TrainingError` above `LARGEST_DIFFERENCE`.
    """
    import onnxruntime

    network = network.cpu().eval()
    with torch.inference_mode():
        expected, _ = network(torch.from_numpy(features))  # batch time vocab
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    size = network.config.hidden_size
    states = {
        f"state_{index}": np.zeros((len(features), size), dtype=np.float32)
        for index in range(2 * network.config.num_layers)
    }
    largest = 0.0
    for time in range(features.shape[1]):
        logits, *new_states = session.run(None, {"features": features[:, time], **states})
        states = dict(zip(states, new_states, strict=True))
        largest = max(largest, float(np.abs(logits - expected[:, time].numpy()).max()))
    if not largest <= LARGEST_DIFFERENCE:
        raise TrainingError(
            f"the exported graph disagrees with the network: logits differ by {largest:.2g}, "
            f"{LARGEST_DIFFERENCE:g} at most is rounding"
        )
    return largest
