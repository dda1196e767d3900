import logging
import time
import tracemalloc
import warnings

import numpy as np
import onnx
import onnxruntime
import pytest
from checkpoints.tiny_checkpoint import HIDDEN, VOCAB, model_of, step_graph, step_model
from onnx import TensorProto, helper, numpy_helper

from partimento.checkpoints import CheckpointLimits
from partimento.checkpoints.onnx_scan import scan
from partimento.checkpoints.operators import MICROSOFT, STANDARD
from partimento.errors import CheckpointError

IN, OUT = [("x", ["batch", 4])], [("y", None)]


def refusal(graph, **limits):
    """The one line that a graph is refused with; within little time and memory."""
    content = graph if isinstance(graph, bytes) else graph.SerializeToString()
    tracemalloc.start()
    start = time.process_time()
    try:
        with pytest.raises(CheckpointError) as caught:
            scan(content, "g.onnx", CheckpointLimits(**limits))
        assert time.process_time() - start < 20
        assert tracemalloc.get_traced_memory()[1] < 30e6 + 4 * len(content)
    finally:
        tracemalloc.stop()
    message = str(caught.value)
    assert message.startswith("g.onnx")
    assert message.isprintable()
    return message


def one_node(kind, tensors=None, inputs=("x",), **attributes):
    """A model of one node that reads `x` and the tensors, in the order of `inputs`."""
    node = helper.make_node(kind, inputs, ["y"], **attributes)
    return model_of([node], IN, OUT, tensors or {})


def with_tensor(**fields):
    """A model whose one tensor has some fields set, over those of a matrix of zeros."""
    model = one_node("MatMul", {"w": np.zeros((4, 3), np.float32)}, ("x", "w"))
    tensor = model.graph.initializer[0]
    for name, value in fields.items():
        tensor.ClearField(name)
        if isinstance(value, list):
            getattr(tensor, name).extend(value)
        else:
            setattr(tensor, name, value)
    return model


# What is let through.


def test_a_step_graph_is_described():
    facts = scan(step_graph(), "step.onnx")
    assert facts.inputs == {"features": (-1, 1), "state_0": (-1, HIDDEN)}
    assert facts.outputs == {"logits": (-1, VOCAB), "next_state_0": (-1, HIDDEN)}
    assert facts.operators["Gather"] == facts.operators["Gemm"] == 1
    assert facts.weights == 2 * VOCAB * HIDDEN + HIDDEN * HIDDEN + VOCAB + 1


def test_what_is_scanned_is_what_runs():
    session = onnxruntime.InferenceSession(step_graph(), providers=["CPUExecutionProvider"])
    feeds = {"features": np.zeros((4, 1), np.int64), "state_0": np.zeros((4, HIDDEN), np.float32)}
    assert session.run(["logits"], feeds)[0].shape == (4, VOCAB)


def test_a_shape_that_is_not_stated_is_none():
    assert scan(one_node("Relu").SerializeToString(), "g").outputs == {"y": None}


DTYPES = ["bool", "float16", "float32", "float64"]
DTYPES += [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0, 3), (2, 3)])
@pytest.mark.parametrize("is_raw", [True, False])
def test_tensors_of_any_type_and_layout_are_read(dtype, shape, is_raw):
    values = np.ones(shape, dtype)
    kind = helper.np_dtype_to_tensor_dtype(values.dtype)
    if not is_raw and dtype == "float16":
        return  # two layouts of it are refused: see below
    content = values.tobytes() if is_raw else values.ravel().tolist()
    model = one_node("Relu")
    model.graph.initializer.append(helper.make_tensor("w", kind, shape, content, raw=is_raw))
    assert scan(model.SerializeToString(), "g").weights == values.size


def test_numbers_that_are_not_packed_are_read_too():
    dims, numbers = b"\x08\x03", b"\x25" + np.float32(1).tobytes()
    tensor = dims + b"\x10\x01" + 3 * numbers + b"\x42\x01w"
    graph = b"\x2a" + bytes([len(tensor)]) + tensor
    model = b"\x08\x08\x3a" + bytes([len(graph)]) + graph
    onnx.load_from_string(model)
    assert scan(model, "g").weights == 3
    broken = model.replace(np.float32(1).tobytes(), np.float32(np.nan).tobytes(), 1)
    assert "NaN or infinity at element 0" in refusal(broken)


@pytest.mark.parametrize("values", [[-np.inf], [np.inf], [0, -np.inf, -np.inf, 0]])
def test_a_mask_may_be_infinite(values):
    tensors = {"w": np.array(values, np.float32)}
    scan(one_node("Add", tensors, ("x", "w")).SerializeToString(), "g")


def torch_graphs():
    """Names, modules, examples and dynamic axes of small networks as families will have them."""
    import torch
    from torch import nn

    batch = torch.export.Dim("batch")

    class Recurrent(nn.Module):
        """A step of an LSTM, as products."""

        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(9, 8)
            self.gates = nn.Linear(16, 32)
            self.head = nn.Linear(8, 9)

        def forward(self, features, hidden, cell):
            read = torch.cat([self.embedding(features[:, 0]), hidden], dim=1)
            i, f, g, o = self.gates(read).chunk(4, dim=1)
            cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(g)
            hidden = torch.sigmoid(o) * torch.tanh(cell)
            return self.head(hidden), hidden, cell

    class Attending(nn.Module):
        """A causal Transformer of a fixed length."""

        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(9, 8)
            self.layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, norm_first=True)
            mask = torch.full((6, 6), -torch.inf).triu(1)
            self.register_buffer("mask", mask)

        def forward(self, tokens):
            return self.layer(self.embedding(tokens), src_mask=self.mask)

    convolving = nn.Sequential(
        nn.Conv2d(4, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.ConvTranspose2d(8, 2, 4, 2, 1),
        nn.GroupNorm(2, 2),
        nn.Softmax(-1),
    )
    tokens, state = torch.zeros(4, 1, dtype=torch.int64), torch.zeros(4, 8)
    return {
        "recurrent": (Recurrent(), (tokens, state, state), [{0: batch}] * 3),
        "attending": (Attending(), (tokens.expand(4, 6),), [{0: batch}]),
        "convolving": (convolving, (torch.zeros(4, 4, 8, 8),), [{0: batch}]),
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", ["recurrent", "attending", "convolving"])
def test_graphs_that_torch_exports_are_let_through(name, tmp_path):
    torch = pytest.importorskip("torch")
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    module, example, shapes = torch_graphs()[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns of its own insides
        program = torch.onnx.export(
            module.eval(), example, dynamo=True, dynamic_shapes=tuple(shapes), verbose=False
        )
    content = program.model_proto.SerializeToString()
    facts = scan(content, name)
    onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    parameters = sum(weights.numel() for weights in module.parameters())
    assert facts.weights >= parameters * 0.9  # norms may have been folded into products


# Operators.


def test_no_operator_of_the_list_runs_a_graph_reads_a_file_or_draws():
    unsafe = {"If", "Loop", "Scan", "SequenceMap", "EPContext", "RandomNormal", "Multinomial"}
    unsafe |= {"Bernoulli", "Dropout", "ImageDecoder", "StringNormalizer", "Range", "Resize"}
    assert not unsafe & (STANDARD | MICROSOFT)


def test_every_operator_of_the_list_exists():
    assert {name for name in STANDARD if not onnx.defs.has(name)} <= {"TensorScatter", "Swish"}


@pytest.mark.parametrize(
    "kind, domain",
    [
        ("Loop", ""),
        ("EPContext", "com.microsoft"),
        ("Gemm", "com.microsoft"),
        ("PyOp", "pyopmulti_1"),
        ("Relu", "evil"),
        ("", ""),
        ("relu", ""),
        ("x" * 500, ""),
        ("\x1b[2J\n", ""),
    ],
)
def test_an_operator_that_is_not_on_the_list_is_named(kind, domain):
    model = one_node("Relu", domain=domain)
    model.graph.node[0].op_type = kind
    assert "is not one that is run here" in refusal(model)


def test_control_flow_is_refused_with_its_graph():
    inside = helper.make_graph([], "inside", [], [])
    model = one_node("Relu", then_branch=inside)
    assert "has 'g' in its attribute 'then_branch'" in refusal(model)
    model = one_node("Relu", branches=[inside, inside])
    assert "has 'graphs' in its attribute" in refusal(model)


@pytest.mark.parametrize("place", ["node", "input", "output", "graph", "axis", "tensor"])
def test_a_name_that_is_no_text_is_refused(place):
    """ONNX Runtime fails on it in the middle of its own error message."""
    model = model_of(
        [helper.make_node("MatMul", ["x#input#", "w#tensor#"], ["y#output#"], name="n#node#")],
        [("x", ["b#axis#"])],
        [],
        {"w#tensor#": np.zeros(3, np.float32)},
    )
    model.graph.name = "g#graph#"
    content = model.SerializeToString().replace(f"#{place}#".encode(), b"\xff" * (len(place) + 2))
    assert "is no UTF-8" in refusal(content)


def test_functions_and_training_graphs_are_refused():
    model = one_node("Relu")
    model.functions.append(helper.make_function("d", "f", [], [], [], []))
    assert "it has functions" in refusal(model)
    model = one_node("Relu")
    model.training_info.add()
    assert "it has training_info" in refusal(model)


@pytest.mark.parametrize(
    "kind, inputs, sizes",
    [
        ("Expand", ("x", "s"), [2**40]),
        ("Expand", ("x", "s"), [5000, 5000]),
        ("ConstantOfShape", ("s",), [2**62, 2]),
        ("Tile", ("x", "s"), [1, 10**9]),
        ("Pad", ("x", "s"), [0, 0, 0, 10**10]),
        ("Pad", ("x", "s"), [0, 0, 0, -(10**10)]),
    ],
)
def test_a_result_of_a_huge_size_is_refused(kind, inputs, sizes):
    assert "limit graph_elements" in refusal(one_node(kind, {"s": np.array(sizes)}, inputs))
    small = one_node(kind, {"s": np.ones(len(sizes), np.int64)}, inputs)
    scan(small.SerializeToString(), "g")


def test_a_size_that_is_computed_is_refused():
    nodes = [
        helper.make_node("Mul", ["s", "s"], ["t"]),
        helper.make_node("Expand", ["x", "t"], ["y"]),
    ]
    model = model_of(nodes, IN, OUT, {"s": np.array([2**20])})
    assert "takes the size of its result from what is computed" in refusal(model)
    assert "what is computed" in refusal(one_node("Expand", inputs=("x",)))
    many = {"s": np.ones(1000, np.int64)}
    assert "what is computed" in refusal(one_node("Expand", many, ("x", "s")))


@pytest.mark.parametrize("value", [{"value_int": 2**40}, {"value_ints": [2**20, 2**20]}])
def test_a_size_from_a_constant_node_counts(value):
    nodes = [
        helper.make_node("Constant", [], ["s"], **value),
        helper.make_node("Expand", ["x", "s"], ["y"]),
    ]
    assert "limit graph_elements" in refusal(model_of(nodes, IN, OUT))


def test_a_constant_cannot_be_written_over_by_a_node():
    nodes = [
        helper.make_node("Mul", ["b", "b"], ["s"]),
        helper.make_node("Expand", ["x", "s"], ["y"]),
    ]
    model = model_of(nodes, IN, OUT, {"s": np.array([2]), "b": np.array([2**20])})
    assert "writes over a constant" in refusal(model)


@pytest.mark.parametrize("attribute", ["pads", "strides", "dilations", "kernel_shape"])
def test_a_convolution_of_a_huge_window_is_refused(attribute):
    model = one_node("Conv", **{attribute: [2**20, 2**20]})
    assert "limit graph_elements" in refusal(model)
    model = one_node("ConvTranspose", **{attribute: [1] * 20_000})
    assert "too many numbers" in refusal(model)


def test_huge_inputs_and_outputs_are_refused_together():
    model = model_of([], [("state_0", ["batch", 2**40])], [])
    assert "limit graph_elements" in refusal(model)
    model = model_of([], [(f"state_{n}", ["batch", 2**20]) for n in range(20)], [])
    assert "the inputs and outputs together" in refusal(model)
    model = model_of([], [("x", [1] * 20)], [])
    assert "no shape of bearable sizes" in refusal(model)


def test_an_input_that_is_no_tensor_is_refused():
    model = one_node("Relu")
    model.graph.input[0].type.sequence_type.elem_type.tensor_type.elem_type = 1
    assert "is no tensor" in refusal(model)


# Tensors.


def test_tensors_in_other_files_are_refused():
    model = with_tensor(data_location=TensorProto.EXTERNAL)
    assert "stands in another file" in refusal(model)
    model = with_tensor()
    model.graph.initializer[0].external_data.add(key="location", value="/etc/passwd")
    assert "stands in another file" in refusal(model)
    external = with_tensor(data_location=TensorProto.EXTERNAL).graph.initializer[0]
    node = one_node("Constant", inputs=(), value=external)
    assert "stands in another file" in refusal(node)


@pytest.mark.parametrize(
    "fields, words",
    [
        ({"dims": [4, 4]}, "needs 64 bytes and the file holds 48"),
        ({"dims": [2**62, 2**62]}, "needs"),
        ({"dims": [-4, -3]}, "no shape"),
        ({"dims": [1] * 40}, "no shape"),
        ({"dims": [0]}, "needs 0 bytes and the file holds 48"),
        ({"raw_data": b""}, "the file holds 0"),
        ({"raw_data": b"\0" * 47}, "the file holds 47"),
        ({"data_type": TensorProto.STRING}, "has the type 8"),
        ({"data_type": TensorProto.UNDEFINED}, "has the type 0"),
        ({"data_type": TensorProto.COMPLEX64}, "has the type 14"),
        ({"data_type": TensorProto.DOUBLE}, "needs 96 bytes"),
        ({"data_type": 2**31 - 1}, "has the type"),
        ({"float_data": [1.0] * 12}, "holds its numbers in float_data and raw_data"),
        ({"string_data": [b"x"]}, "has string_data"),
        ({"data_type": TensorProto.INT64, "raw_data": b"\0" * 95}, "holds 95"),
    ],
)
def test_a_tensor_that_is_not_what_it_says_is_refused(fields, words):
    message = refusal(with_tensor(**fields))
    assert "tensor 'w'" in message
    assert words in message


def test_numbers_in_a_field_of_another_type_are_refused():
    model = with_tensor(int64_data=[0] * 12)
    model.graph.initializer[0].ClearField("raw_data")
    assert "holds its numbers in int64_data" in refusal(model)


@pytest.mark.parametrize("kind", ["FLOAT", "DOUBLE", "FLOAT16", "BFLOAT16"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("is_raw", [True, False])
def test_weights_that_are_no_numbers_are_refused(kind, value, is_raw):
    values = np.array([1, 2, value], np.float32)
    tensor = helper.make_tensor("w", TensorProto.DataType.Value(kind), [3], values)
    if is_raw or "16" in kind:
        content = numpy_helper.to_array(tensor).tobytes()
        tensor = helper.make_tensor("w", tensor.data_type, [3], content, raw=True)
    model = one_node("Relu")
    model.graph.initializer.append(tensor)
    assert "tensor 'w' holds NaN or infinity at element 2" in refusal(model)


def test_nan_hidden_in_an_attribute_is_refused():
    weights = numpy_helper.from_array(np.array([1, np.nan], np.float32), "w")
    assert "holds NaN" in refusal(one_node("Constant", inputs=(), value=weights))
    assert "NaN or infinity in 'value_floats'" in refusal(
        one_node("Constant", inputs=(), value_floats=[1.0, np.inf])
    )
    assert "NaN or infinity in 'alpha'" in refusal(one_node("Gemm", alpha=np.nan))


def test_two_tensors_of_one_name_are_refused():
    model = with_tensor()
    model.graph.initializer.append(model.graph.initializer[0])
    assert "two tensors have the name 'w'" in refusal(model)


def test_sparse_weights_and_lists_of_tensors_are_refused():
    model = with_tensor()
    model.graph.sparse_initializer.add()
    assert "sparse" in refusal(model)
    assert "'tensors'" in refusal(one_node("Relu", a=[model.graph.initializer[0]]))


# The bytes themselves.


@pytest.mark.parametrize("content", [b"", b"\x08\x08", b"\0" * 100, b"\xff" * 100, b"hello world"])
def test_what_is_no_graph_is_refused(content):
    refusal(content)


def test_a_graph_cut_anywhere_is_refused_or_empty():
    content = step_graph()
    for end in range(len(content)):
        try:
            scan(content[:end], "g")
        except CheckpointError:
            continue
        # What follows the graph in the file is only the opsets: without them ONNX Runtime refuses.
        assert end >= content.rindex(step_model().graph.SerializeToString())


def test_a_field_that_may_stand_once_is_refused_twice():
    content = step_graph()
    graph = content[content.index(b"\x3a") :]
    assert "field 'graph' is there twice" in refusal(content + graph)


def test_a_field_number_beyond_32_bits_is_refused():
    """Other readers keep its low bits, and would see another field than this one does."""
    hidden = b"\xba\x80\x80\x80\x10\x00"  # field 7 (graph) plus 2^32
    assert "a number that is too large" in refusal(step_graph() + hidden)


def test_a_file_that_onnxruntime_would_take_for_its_own_format_is_refused():
    """It is a good ONNX file as well, but another graph would run than the one that is scanned."""
    model = step_model()
    content = b"\x12\x06xxORTM" + model.SerializeToString()  # producer_name
    onnx.load_from_string(content)
    assert "ONNX Runtime's own format" in refusal(content)
    with pytest.raises(Exception, match="ORT model"):
        onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])


def test_deep_nesting_costs_nothing():
    content = b""
    for _ in range(20_000):  # a graph in an attribute of a node in a graph, and so on
        content = b"\x0a" + _varint(len(content)) + content
    refusal(b"\x3a" + _varint(len(content)) + content)


def test_a_million_empty_fields_are_refused_after_a_bounded_time():
    many = b"\x62\x00" * 1_000_000  # of a number nobody knows
    nodes = b"\x0a\x00" * 1_000_000
    for content in (many, b"\x3a" + _varint(len(nodes)) + nodes):
        start = time.process_time()
        with pytest.raises(CheckpointError, match="limit graph_fields"):
            scan(content, "g")
        assert time.process_time() - start < 5  # about 0.2 on a quiet machine
        assert "limit graph_fields" in refusal(content, graph_fields=20_000)


def test_a_graph_beyond_the_limit_is_not_read():
    assert "limit graph_bytes" in refusal(step_graph(), graph_bytes=100)


def _varint(value):
    parts = []
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])
