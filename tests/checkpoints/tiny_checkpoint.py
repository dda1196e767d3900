"""A checkpoint of a few kilobytes, and ways to change its files and seal them anew."""

import hashlib
import json
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from partimento.checkpoints import save_checkpoint
from partimento.checkpoints.files import LIST, FileEntry, write_list

VOCAB, HIDDEN = 6, 4

CONFIG = {
    "format": 1,
    "family": "melody-rnn",
    "name": "tiny",
    "made_with": "partimento 0.1.0",
    "representation": {"lowest": 60, "highest": 63},
    "network": {"hidden_size": HIDDEN},
    "graphs": {"step": "step.onnx"},
    "training": {"data": ["tunes"]},
    "figures": {"valid_nats_per_step": 0.5, "parameters": 60},
}


def model_of(nodes, inputs, outputs, tensors=(), **graph):
    """An ONNX model; `inputs` and `outputs` are (name, shape) with any axis named or fixed."""

    def port(name, shape, kind=TensorProto.FLOAT):
        return helper.make_tensor_value_info(name, kind, shape)

    made = helper.make_graph(
        nodes,
        "graph",
        [port(*item) for item in inputs],
        [port(*item) for item in outputs],
        [numpy_helper.from_array(value, name) for name, value in dict(tensors).items()],
        **graph,
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(made, opset_imports=opsets, ir_version=8)


def step_model():
    """One step of a plain recurrent network."""
    draw = np.random.default_rng(0)

    def matrix(*shape):
        return draw.normal(size=shape).astype(np.float32)

    nodes = [
        helper.make_node("Gather", ["table", "features"], ["rows"]),  # batch feature hidden
        helper.make_node("ReduceSum", ["rows", "axis"], ["below"], keepdims=0),
        helper.make_node("MatMul", ["state_0", "weight"], ["before"]),
        helper.make_node("Add", ["below", "before"], ["sum"]),
        helper.make_node("Tanh", ["sum"], ["next_state_0"]),
        helper.make_node("Gemm", ["next_state_0", "head", "bias"], ["logits"], alpha=1.0),
    ]
    tensors = {
        "table": matrix(VOCAB, HIDDEN),
        "axis": np.array([1]),
        "weight": matrix(HIDDEN, HIDDEN),
        "head": matrix(HIDDEN, VOCAB),
        "bias": matrix(VOCAB),
    }
    return model_of(
        nodes,
        [("features", ["batch", 1], TensorProto.INT64), ("state_0", ["batch", HIDDEN])],
        [("logits", ["batch", VOCAB]), ("next_state_0", ["batch", HIDDEN])],
        tensors,
    )


def step_graph():
    """The bytes of `step_model`."""
    return step_model().SerializeToString()


def tiny_weights(seed=0):
    """A few tensors of all kinds."""
    draw = np.random.default_rng(seed)
    return {
        "embedding": draw.normal(size=(VOCAB, HIDDEN)).astype(np.float32),
        "half": draw.normal(size=3).astype(np.float16),
        "empty": np.zeros((0, HIDDEN), dtype=np.float32),
        "count": np.array(7),
    }


def save_tiny(folder, seed=0, **changes):
    """Save the checkpoint; `changes` replace arguments of `save_checkpoint`."""
    arguments = {
        "config": CONFIG,
        "weights": tiny_weights(seed),
        "graphs": {"step.onnx": step_graph()},
        "card": "# tiny\n\nNot a model of music.\n",
    }
    return save_checkpoint(folder, **arguments | changes)


def seal(folder):
    """Write `files.json` for the visible files as they stand, as who forges a checkpoint would."""
    folder = Path(folder)
    contents = {
        file.name: file.read_bytes()
        for file in folder.iterdir()
        if file.is_file() and file.name != LIST and not file.name.startswith(".")
    }
    entries = {
        name: FileEntry(len(c), hashlib.sha256(c).hexdigest()) for name, c in contents.items()
    }
    (folder / LIST).write_bytes(write_list(entries))


def change_config(folder, **fields):
    """Change fields of `config.json` and seal the folder; `None` takes a field away."""
    config = json.loads((folder / "config.json").read_text()) | fields
    config = {name: value for name, value in config.items() if value is not None}
    (folder / "config.json").write_text(json.dumps(config))
    seal(folder)
