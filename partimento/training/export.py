"""From a trained network to the graphs that generation runs, checked against each other.

`MelodyStep` is one step of a `MelodyRNN` written as matrix products and pointwise operators: ONNX
Runtime runs these faster than its fused LSTM when a batch is small. `AttentionStep` is the same for
a network with attention. `check_graph` plays real music through both engines and says how far their
logits lie apart.
"""

import logging
import warnings
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from partimento.errors import TrainingError
from partimento.networks.attention_lstm import AttentionLSTM
from partimento.networks.melody_rnn import MelodyRNN, event_logits

LARGEST_DIFFERENCE = 1e-4  # between logits of both engines; float32 sums in another order


class MelodyStep(nn.Module):
    """One step of a `MelodyRNN`, for a batch of melodies.

    The first layer's input weights are multiplied into the embeddings once and for all, so that
    reading the features is a sum of table rows; with embeddings much narrower than the layer that
    would make a larger file, and they stay apart. Gates are reordered to input, forget, output,
    cell, so that one sigmoid serves three of them.
    """

    def __init__(self, network: MelodyRNN) -> None:
        super().__init__()
        self.config, lstm = network.config, network.lstm
        self.num_layers, size = network.config.num_layers, network.config.hidden_size
        gates = torch.arange(4 * size).view(4, size)[[0, 1, 3, 2]].flatten()  # from i, f, g, o

        def taken(name: str) -> Tensor:
            weights: Tensor = getattr(lstm, name)
            return weights.detach().double()[gates]

        def bias(layer: int) -> Tensor:
            return taken(f"bias_ih_l{layer}") + taken(f"bias_hh_l{layer}")

        first = taken("weight_ih_l0").T  # hidden gates
        tables = _front_tables(network, first)
        rows, width = sum(len(table) for table in tables), network.config.input_size
        self.is_folded = rows * 4 * size <= (rows + 4 * size) * width
        if self.is_folded:
            tables[0] = tables[0] + bias(0)
        else:
            tables = [weight.detach().double() for weight in network.embeddings.parameters()]
            self._keep("up_0", first)
            self._keep("bias_0", bias(0))
        offsets = np.cumsum([0, *(len(table) for table in tables[:-1])])
        self._keep("table", torch.cat(tables))  # rows of all features; gates, or embedding
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
        read = features[:, list(self.config.read_columns)]
        indices = read + self.get_buffer("offsets")
        rows = F.embedding(indices, self.get_buffer("table"))  # batch feature gates
        output = gates = rows.sum(dim=1)  # batch gates, or embedding
        new_states: list[Tensor] = []
        for layer in range(self.num_layers):
            hidden, cell = states[2 * layer], states[2 * layer + 1]
            if layer or not self.is_folded:
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
        classes = torch.addmm(bias, output, weight)
        return (event_logits(classes, features, self.config), *new_states)

    def first_states(self, batch: int) -> list[Tensor]:
        """Zeros."""
        return [torch.zeros(batch, self.config.hidden_size) for _ in range(2 * self.num_layers)]


class AttentionStep(nn.Module):
    """One step of a `MelodyRNN` with attention, for a batch of melodies.

    As in `MelodyStep`, the weights that join the features are kept as a table of rows.
    """

    def __init__(self, network: MelodyRNN) -> None:
        super().__init__()
        assert isinstance(network.lstm, AttentionLSTM)
        self.config, self.lstm, self.head = network.config, network.lstm, network.head
        weights, bias = network.lstm.join.weight.detach(), network.lstm.join.bias.detach()
        width = network.config.input_size
        tables = _front_tables(network, weights[:, :width].T.double())
        tables[0] = tables[0] + bias
        offsets = np.cumsum([0, *(len(table) for table in tables[:-1])])
        self.register_buffer("table", torch.cat(tables).float())
        self.register_buffer("offsets", torch.from_numpy(offsets))
        self.register_buffer("join", weights[:, width:].T.contiguous())

    def forward(
        self, features: Int[Tensor, "batch feature"], *states: Tensor
    ) -> tuple[Tensor, ...]:
        """Logits, then the new states: see `AttentionLSTM.first_state`."""
        read = features[:, list(self.config.read_columns)]
        rows = F.embedding(read + self.get_buffer("offsets"), self.get_buffer("table"))
        joined = torch.addmm(rows.sum(dim=1), states[-3], self.get_buffer("join"))
        output, new_states = self.lstm.step_joined(joined, states)
        return (event_logits(self.head(output), features, self.config), *new_states)

    def first_states(self, batch: int) -> list[Tensor]:
        """Zeros."""
        return [zeros.clone() for zeros in self.lstm.first_state(batch)]


def step_of(network: MelodyRNN) -> MelodyStep | AttentionStep:
    """One step of a network, as a module to export."""
    is_attentive = isinstance(network.lstm, AttentionLSTM)
    return AttentionStep(network) if is_attentive else MelodyStep(network)


def _front_tables(network: MelodyRNN, first: Tensor) -> list[Tensor]:
    """Gates of the first layer for every value of every feature; `first` are its weights."""
    if not network.config.one_hot:
        return [weight.detach().double() @ first for weight in network.embeddings.parameters()]
    sizes = [network.config.feature_sizes[column] for column in network.config.read_columns]
    slices = first.split([size - 1 for size in sizes])
    nothing = first.new_zeros(1, first.shape[1])
    return [torch.cat([weights, nothing]) for weights in slices]


def step_graph(network: MelodyRNN) -> bytes:
    """ONNX graph of one step: ``features`` and states in, ``logits`` and new states out.

    Inputs are ``features`` (batch, feature) int64 and ``state_0`` … float32 with the batch first,
    zero at the start; outputs are ``logits`` (batch, vocab) and ``next_state_0`` ….
    """
    network = network.cpu().eval()
    step = step_of(network).eval()
    config = network.config
    states = step.first_states(4)
    features = torch.zeros(4, len(config.feature_sizes), dtype=torch.int64)
    names = [f"state_{index}" for index in range(len(states))]
    batch = torch.export.Dim("batch")
    return exported(
        step,
        (features, *states),
        ["features", *names],
        ["logits", *(f"next_{name}" for name in names)],
        {"features": {0: batch}, "states": tuple({0: batch} for _ in states)},
    )


def exported(
    module: nn.Module,
    inputs: tuple[Tensor, ...],
    input_names: list[str],
    output_names: list[str],
    dynamic_shapes: dict[str, Any],
) -> bytes:
    """ONNX graph of a module, the same bytes each time."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns of its own insides
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            module,
            inputs,
            dynamo=True,
            input_names=input_names,
            output_names=output_names,
            dynamic_shapes=dynamic_shapes,
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
    states = {
        f"state_{index}": zeros.numpy()
        for index, zeros in enumerate(step_of(network).first_states(len(features)))
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
