"""A small LSTM with random weights, as the step graph that generation runs, and in plain NumPy."""

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper


def random_weights(feature_sizes, vocab_size, hidden=12, seed=0):
    """Embeddings, two LSTM layers (gates in the order input, forget, output, cell) and a head."""
    generator = np.random.default_rng(seed)

    def matrix(*shape):
        return generator.normal(0, shape[0] ** -0.5, shape).astype(np.float32)

    return {
        "embeddings": [3 * matrix(size, hidden) for size in feature_sizes],
        "layers": [
            (2 * matrix(hidden, 4 * hidden), matrix(hidden, 4 * hidden), matrix(4 * hidden))
            for _ in range(2)
        ],
        "head": (3 * matrix(hidden, vocab_size), matrix(vocab_size)),
    }


def numpy_step(weights, features, states):
    """The same step without ONNX: logits and new states."""
    below = sum(
        table[features[:, column]] for column, table in enumerate(weights["embeddings"])
    )  # batch hidden
    new_states = []
    for layer, (from_below, from_hidden, bias) in enumerate(weights["layers"]):
        hidden, cell = states[2 * layer : 2 * layer + 2]
        gates = below @ from_below + hidden @ from_hidden + bias  # batch gates
        i, f, o, g = np.split(gates, 4, axis=1)
        cell = _sigmoid(f) * cell + _sigmoid(i) * np.tanh(g)
        below = _sigmoid(o) * np.tanh(cell)
        new_states += [below, cell]
    return below @ weights["head"][0] + weights["head"][1], new_states


def step_graph(weights, rest_bias=0.0):
    """ONNX bytes: `features` and `state_X` in, `logits` and `next_state_X` out.

    `rest_bias` is added to the logits of HOLD and REST: a large one makes a silent network.
    """
    hidden, vocab_size = weights["head"][0].shape
    names, constants, nodes = iter(range(1000)), [], []

    def constant(array):
        name = f"constant_{next(names)}"
        constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def node(kind, *inputs, to=None, **attributes):
        outputs = to if isinstance(to, list) else [to or f"value_{next(names)}"]
        nodes.append(helper.make_node(kind, inputs, outputs, **attributes))
        return outputs if isinstance(to, list) else outputs[0]

    sizes = [len(table) for table in weights["embeddings"]]
    offsets = np.cumsum([0, *sizes[:-1]])
    rows = node("Add", "features", constant(offsets))
    gathered = node("Gather", constant(np.concatenate(weights["embeddings"])), rows)
    below = node("ReduceSum", gathered, constant(np.array([1])), keepdims=0)
    for layer, (from_below, from_hidden, bias) in enumerate(weights["layers"]):
        h, c = f"state_{2 * layer}", f"state_{2 * layer + 1}"
        inputs = node("Add", node("MatMul", below, constant(from_below)), constant(bias))
        gates = node("Add", inputs, node("MatMul", h, constant(from_hidden)))
        i, f, o, g = node(
            "Split", gates, to=[f"{k}_{layer}" for k in "ifog"], axis=1, num_outputs=4
        )
        kept = node("Mul", node("Sigmoid", f), c)
        new = node("Mul", node("Sigmoid", i), node("Tanh", g))
        cell = node("Add", kept, new, to=f"next_{c}")
        below = node("Mul", node("Sigmoid", o), node("Tanh", cell), to=f"next_{h}")
    head, bias = weights["head"]
    bias = bias + np.where(np.arange(vocab_size) < 2, rest_bias, 0).astype(np.float32)
    node("Add", node("MatMul", below, constant(head)), constant(bias), to="logits")

    def port(name, *shape, kind=TensorProto.FLOAT):
        return helper.make_tensor_value_info(name, kind, ["batch", *shape])

    states = range(2 * len(weights["layers"]))
    model = helper.make_model(
        helper.make_graph(
            nodes,
            "step",
            [
                port("features", len(sizes), kind=TensorProto.INT64),
                *(port(f"state_{index}", hidden) for index in states),
            ],
            [
                port("logits", vocab_size),
                *(port(f"next_state_{index}", hidden) for index in states),
            ],
            constants,
        ),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=8,
    )
    checker.check_model(model)
    return model.SerializeToString()


def graph_for(representation, hidden=12, seed=0, rest_bias=0.0):
    """Step graph of a random network that fits a representation."""
    weights = random_weights(representation.feature_sizes, representation.vocab_size, hidden, seed)
    return step_graph(weights, rest_bias)


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))
