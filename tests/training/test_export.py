import numpy as np
import onnx
import pytest
import torch

from partimento.checkpoints.onnx_scan import scan
from partimento.errors import TrainingError
from partimento.networks.melody_rnn import MelodyRNN, MelodyRNNConfig
from partimento.training.export import check_graph, step_graph, step_of

KINDS = {
    "one layer": {"num_layers": 1},
    "three layers": {"num_layers": 3},
    "narrow embeddings": {"embedding_size": 3},
    "one-hot": {"one_hot": True},
    "repeats": {"repeat_columns": (0, 1), "one_hot": True},
    "from a reference": {"repeat_columns": (0,), "reference_column": 2},
    "attention": {"attention_length": 6, "one_hot": True, "repeat_columns": (0,)},
}


@pytest.fixture(scope="module", params=KINDS)
def network(request):
    torch.manual_seed(1)
    return MelodyRNN(MelodyRNNConfig(12, (13, 5, 7), hidden_size=20, **KINDS[request.param]))


@pytest.fixture(scope="module")
def graph(network):
    return step_graph(network)


def features(batch=3, time=30):
    generator = np.random.default_rng(0)
    return np.stack([generator.integers(0, size, (batch, time)) for size in (13, 5, 7)], axis=-1)


def test_the_graph_says_what_the_network_says(network, graph):
    assert check_graph(network, graph, features()) < 1e-5


def test_the_graph_names_its_inputs_and_outputs_by_the_rule(network, graph):
    model = onnx.load_from_string(graph).graph
    states = [f"state_{index}" for index in range(len(step_of(network).first_states(1)))]
    assert [node.name for node in model.input] == ["features", *states]
    assert [node.name for node in model.output] == ["logits", *(f"next_{s}" for s in states)]


def test_the_graph_is_one_that_checkpoints_may_hold(graph):
    scan(graph, "step.onnx")


def test_a_graph_of_other_weights_is_noticed(network, graph):
    other = MelodyRNN(network.config)
    with pytest.raises(TrainingError, match="exported graph disagrees"):
        check_graph(other, graph, features())
