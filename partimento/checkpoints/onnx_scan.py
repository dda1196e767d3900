"""What an ONNX graph holds, read before ONNX Runtime sees it. Start with `scan`.

A graph from a stranger may name files outside its folder, declare tensors that are not there, run
operators that call code or never end, or carry NaN. `scan` walks the file itself, needs neither
`onnx` nor ONNX Runtime, and lets through:

- operators of `operators.OPERATORS` only: arithmetic, products, convolutions, recurrences,
  attention, normalisation, moves of data. No control flow, no functions, no strings, no randomness,
  nothing that reads files or calls out.
- weights that stand in the file, in full: as many bytes as type and shape need, none NaN or
  infinite. Only a mask of attention may be: one element, or nothing but 0 and minus infinity.
- shapes that stand in the file: operators whose result is as large as a number says (`Expand`,
  `ConstantOfShape`, `Tile`, `Pad`) need that number as a constant, and not above
  `CheckpointLimits.graph_elements`. Inputs and outputs are held to the same.

What it cannot see is how far results grow by broadcasting or joining while the graph runs: a
thousand `Concat` double a thousand times. Whoever runs a stranger's graph caps ONNX Runtime's arena
(``create_and_register_allocator`` with ``max_mem``).

References
----------
The message types are those of `onnx.proto3` of ONNX 1.17, whose numbers never change.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from partimento.checkpoints.limits import CheckpointLimits
from partimento.checkpoints.operators import OPERATORS, SIZED_BY, WINDOW, WINDOWED
from partimento.checkpoints.plain import shown
from partimento.checkpoints.protobuf import (
    BYTES,
    FIXED32,
    FIXED64,
    VARINT,
    Field,
    Span,
    Wire,
    signed,
)
from partimento.errors import CheckpointError

# Bits of one element, by the number ONNX gives the type. Strings (8) and float8 are not read.
BITS = {1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64}
BITS |= {16: 16, 21: 4, 22: 4}
FLOAT, INT32, INT64, FLOAT16, DOUBLE, BFLOAT16 = 1, 6, 7, 10, 11, 16
FLOATS: dict[int, np.dtype] = {
    FLOAT: np.dtype("<f4"),
    DOUBLE: np.dtype("<f8"),
    FLOAT16: np.dtype("<f2"),
}
MOST_AXES = 16
LONGEST_CONSTANT = 64  # numbers of a tensor that are kept, as it may be a shape

# ONNX Runtime takes a file with these at byte 4 for its own format, whatever else it is: it would
# run another graph than the one read here.
ORT_FORMAT = b"ORTM"

MODEL = {
    1: Field("ir_version", VARINT),
    7: Field("graph", BYTES),
    20: Field("training_info", BYTES, True),
    25: Field("functions", BYTES, True),
}
GRAPH = {
    1: Field("node", BYTES, True),
    2: Field("name", BYTES),
    5: Field("initializer", BYTES, True),
    11: Field("input", BYTES, True),
    12: Field("output", BYTES, True),
    15: Field("sparse_initializer", BYTES, True),
}
NODE = {
    1: Field("input", BYTES, True),
    2: Field("output", BYTES, True),
    3: Field("name", BYTES),
    4: Field("op_type", BYTES),
    5: Field("attribute", BYTES, True),
    7: Field("domain", BYTES),
}
ATTRIBUTE = {
    1: Field("name", BYTES),
    2: Field("f", FIXED32),
    3: Field("i", VARINT),
    5: Field("t", BYTES),
    6: Field("g", BYTES),
    7: Field("floats", FIXED32, True),
    8: Field("ints", VARINT, True),
    10: Field("tensors", BYTES, True),
    11: Field("graphs", BYTES, True),
    21: Field("ref_attr_name", BYTES),
    22: Field("sparse_tensor", BYTES),
    23: Field("sparse_tensors", BYTES, True),
}
UNWANTED = ("g", "graphs", "tensors", "ref_attr_name", "sparse_tensor", "sparse_tensors")
TENSOR = {
    1: Field("dims", VARINT, True),
    2: Field("data_type", VARINT),
    3: Field("segment", BYTES),
    4: Field("float_data", FIXED32, True),
    5: Field("int32_data", VARINT, True),
    6: Field("string_data", BYTES, True),
    7: Field("int64_data", VARINT, True),
    8: Field("name", BYTES),
    9: Field("raw_data", BYTES),
    10: Field("double_data", FIXED64, True),
    11: Field("uint64_data", VARINT, True),
    13: Field("external_data", BYTES, True),
    14: Field("data_location", VARINT),
}
VALUE_INFO = {1: Field("name", BYTES), 2: Field("type", BYTES)}
TYPE = {1: Field("tensor_type", BYTES)}
TENSOR_TYPE = {1: Field("elem_type", VARINT), 2: Field("shape", BYTES)}
SHAPE = {1: Field("dim", BYTES, True)}
DIMENSION = {1: Field("dim_value", VARINT), 2: Field("dim_param", BYTES)}
# Where the numbers of a tensor may stand, if not in raw_data, by type.
TYPED = {FLOAT: "float_data", DOUBLE: "double_data", INT64: "int64_data"}
TYPED |= {12: "uint64_data", 13: "uint64_data"}
TYPED |= dict.fromkeys((2, 3, 4, 5, INT32, 9), "int32_data")


@dataclass(frozen=True)
class GraphFacts:
    """What a graph is made of.

    Attributes
    ----------
    inputs, outputs : dict
        Shape by name; an axis of any size is -1, and a shape that is not stated is `None`.
    operators : dict
        How many nodes there are of each kind.
    weights : int
        Numbers in its initializers.
    """

    inputs: dict[str, tuple[int, ...] | None]
    outputs: dict[str, tuple[int, ...] | None]
    operators: dict[str, int]
    weights: int


@dataclass(frozen=True)
class _Tensor:
    name: str
    count: int
    ints: tuple[int, ...] | None  # the numbers, of a small tensor of integers


def scan(content: bytes, source: str, limits: CheckpointLimits | None = None) -> GraphFacts:
    """Read a graph, and refuse one that is unsafe to run or malformed.

    Parameters
    ----------
    content
        An ONNX file.
    source
        Name for the error message.
    limits
        `CheckpointLimits` as they stand, where nothing is said.

    Raises
    ------
    CheckpointError
        In one line: which node or tensor, and what is wrong with it.
    """
    limits = limits or CheckpointLimits()
    if len(content) > limits.graph_bytes:
        raise CheckpointError(
            f"{source} has {len(content):,} bytes, {limits.graph_bytes:,} is the most "
            "(limit graph_bytes)"
        )
    return _Scan(Wire(content, source, limits.graph_fields), limits).model()


class _Scan:
    """One reading of one file."""

    def __init__(self, wire: Wire, limits: CheckpointLimits) -> None:
        self.wire = wire
        self.limits = limits
        self.ints: dict[str, tuple[int, ...] | None] = {}  # of constants, by name

    def model(self) -> GraphFacts:
        if self.wire.content[4:8] == ORT_FORMAT:
            raise self.refuse("it is in ONNX Runtime's own format: only ONNX is read")
        model = self.wire.message(Span(0, len(self.wire.content)), MODEL)
        for unwanted in ("training_info", "functions"):
            if unwanted in model:
                raise self.refuse(f"it has {unwanted}: export one plain graph")
        if "graph" not in model:
            raise self.refuse("it has no graph")
        graph = self.wire.message(model["graph"], GRAPH)
        if "sparse_initializer" in graph:
            raise self.refuse("it has sparse weights, which are not read here")
        if len(graph.get("initializer", [])) > self.limits.tensors:
            raise self.refuse(f"it has more than {self.limits.tensors:,} tensors (limit tensors)")
        self.text(graph, "name")
        weights = 0
        for span in graph.get("initializer", []):
            tensor = self.tensor(span)
            if tensor.name in self.ints:
                raise self.refuse(f"two tensors have the name '{shown(tensor.name)}'")
            self.ints[tensor.name] = tensor.ints
            weights += tensor.count
        operators: dict[str, int] = {}
        for span in graph.get("node", []):
            kind = self.node(span)
            operators[kind] = operators.get(kind, 0) + 1
        inputs, outputs = (
            dict(self.value(span) for span in graph.get(name, [])) for name in ("input", "output")
        )
        stated = [shape for shape in (*inputs.values(), *outputs.values()) if shape]
        elements = sum(math.prod(max(1, size) for size in shape) for shape in stated)
        self.bounded([elements], "the inputs and outputs together", "elements")
        return GraphFacts(inputs, outputs, operators, weights)

    def node(self, span: Span) -> str:
        node = self.wire.message(span, NODE)
        kind, domain, _ = (self.text(node, name) for name in ("op_type", "domain", "name"))
        if kind not in OPERATORS.get(domain, ()):
            whole = f"{domain}.{kind}" if domain else kind
            raise self.refuse(f"operator '{shown(whole)}' is not one that is run here")
        inputs, outputs = (
            [self.wire.text(name) for name in node.get(ends, [])] for ends in ("input", "output")
        )
        where = f"node '{shown(outputs[0])}' ({kind})" if outputs else f"a node ({kind})"
        attributes: dict[str, Any] = {}
        for attribute in node.get("attribute", []):
            name, value = self.attribute(attribute, where)
            if name in attributes:
                raise self.refuse(f"{where} has the attribute '{shown(name)}' twice")
            attributes[name] = value
        if kind in WINDOWED:
            for name in WINDOW:
                self.bounded(attributes.get(name) or (), where, name)
        if kind in SIZED_BY:
            sizes = self.ints.get(inputs[SIZED_BY[kind]]) if len(inputs) > SIZED_BY[kind] else None
            if sizes is None:
                raise self.refuse(
                    f"{where} takes the size of its result from what is computed: only a size that "
                    "stands in the file is run here"
                )
            self.bounded(sizes, where, "size")
        if any(output in self.ints for output in outputs):
            raise self.refuse(f"{where} writes over a constant")
        if kind == "Constant" and outputs:
            [self.ints[outputs[0]]] = attributes.values() if len(attributes) == 1 else [None]
        return kind

    def attribute(self, span: Span, where: str) -> tuple[str, tuple[int, ...] | None]:
        """Name of an attribute, and its integers if it has any."""
        found = self.wire.message(span, ATTRIBUTE)
        name = self.text(found, "name")
        for unwanted in UNWANTED:
            if unwanted in found:
                raise self.refuse(f"{where} has {unwanted!r} in its attribute '{shown(name)}'")
        numbers = self.fixed(found.get("floats", []), np.dtype("<f4"))
        if "f" in found:
            numbers = np.append(numbers, self.fixed([found["f"]], np.dtype("<f4")))
        if not np.isfinite(numbers).all():
            raise self.refuse(f"{where} has NaN or infinity in '{shown(name)}'")
        if "t" in found:
            return name, self.tensor(found["t"]).ints
        if "i" in found:
            return name, (signed(found["i"]),)
        ints = self.varints(found.get("ints", []), self.limits.tensors)
        if ints is None:
            raise self.refuse(f"{where} has too many numbers in '{shown(name)}' (limit tensors)")
        return name, ints or None

    def tensor(self, span: Span) -> _Tensor:
        found = self.wire.message(span, TENSOR)
        name = self.text(found, "name")
        where = f"tensor '{shown(name)}'"
        if "external_data" in found or found.get("data_location", 0) != 0:
            raise self.refuse(f"{where} stands in another file: weights must be in the graph")
        for unwanted in ("segment", "string_data"):
            if unwanted in found:
                raise self.refuse(f"{where} has {unwanted}, which is not read here")
        kind = found.get("data_type", 0)
        if kind not in BITS:
            raise self.refuse(f"{where} has the type {kind}, which is not read here")
        dims = self.varints(found.get("dims", []), MOST_AXES)
        if dims is None or any(size < 0 for size in dims):
            raise self.refuse(f"{where} has no shape of at most {MOST_AXES} sizes")
        count = math.prod(dims)
        held = self.held(found, kind, where)
        needed = -(-count * BITS[kind] // 8) if "raw_data" in found else count
        if held != needed:
            unit = "bytes" if "raw_data" in found else "numbers"
            raise self.refuse(
                f"{where} of shape {list(dims)} needs {needed:,} {unit} and the file holds {held:,}"
            )
        self.check_finite(found, kind, where)
        return _Tensor(name, count, self.integers(found, kind, count))

    def held(self, found: Mapping[str, Any], kind: int, where: str) -> int:
        """How many bytes of raw data, or else how many numbers, a tensor holds."""
        typed = {field for field in found if field.endswith("_data")}
        if len(typed) > 1 or not typed <= {"raw_data", TYPED.get(kind)}:
            raise self.refuse(f"{where} holds its numbers in {' and '.join(sorted(typed))}")
        if "raw_data" in found:
            return found["raw_data"].end - found["raw_data"].start
        if not typed:
            return 0
        [field] = typed
        if field == "float_data":
            return len(self.fixed(found[field], np.dtype("<f4")))
        if field == "double_data":
            return len(self.fixed(found[field], np.dtype("<f8")))
        return sum(1 if isinstance(part, int) else self.count(part) for part in found[field])

    def check_finite(self, found: Mapping[str, Any], kind: int, where: str) -> None:
        if kind not in (*FLOATS, BFLOAT16):
            return
        raw = [found["raw_data"]] if "raw_data" in found else found.get(TYPED.get(kind, ""), [])
        if kind == BFLOAT16:  # NumPy has no such type; exponent all ones is NaN or infinity
            values = self.fixed(raw, np.dtype("<u2"))
            is_finite = (values & 0x7F80) != 0x7F80
        else:
            values = self.fixed(raw, FLOATS[kind])
            is_finite = np.isfinite(values)
        if not is_finite.all() and not _is_mask(values):
            at = int(is_finite.argmin())
            raise self.refuse(f"{where} holds NaN or infinity at element {at}: it is broken")

    def integers(self, found: Mapping[str, Any], kind: int, count: int) -> tuple[int, ...] | None:
        """Return the numbers of a small tensor of integers, which may be a shape."""
        if kind not in (INT32, INT64) or count > LONGEST_CONSTANT:
            return None
        if "raw_data" in found:
            dtype = np.dtype("<i8") if kind == INT64 else np.dtype("<i4")
            return tuple(int(value) for value in self.fixed([found["raw_data"]], dtype))
        return self.varints(found.get(TYPED[kind], []), LONGEST_CONSTANT)

    def value(self, span: Span) -> tuple[str, tuple[int, ...] | None]:
        """Name and shape of an input or output."""
        info = self.wire.message(span, VALUE_INFO)
        name = self.text(info, "name")
        kind = self.wire.message(info["type"], TYPE) if "type" in info else {}
        if "tensor_type" not in kind:
            raise self.refuse(f"input or output '{shown(name)}' is no tensor")
        tensor = self.wire.message(kind["tensor_type"], TENSOR_TYPE)
        if "shape" not in tensor:
            return name, None
        shape = []
        for dim in self.wire.message(tensor["shape"], SHAPE).get("dim", []):
            axis = self.wire.message(dim, DIMENSION)
            self.text(axis, "dim_param")
            size = axis.get("dim_value")
            shape.append(-1 if size is None else signed(size))
        if len(shape) > MOST_AXES or any(size < -1 for size in shape):
            raise self.refuse(f"input or output '{shown(name)}' has no shape of bearable sizes")
        return name, tuple(shape)

    # Words and numbers.

    def text(self, found: Mapping[str, Any], field: str) -> str:
        """Text of a field, empty if it is not there. ONNX Runtime chokes on what is no UTF-8."""
        return self.wire.text(found[field]) if field in found else ""

    def bounded(self, sizes: Any, where: str, what: str) -> None:
        """Refuse sizes whose product is beyond what a graph may ask for."""
        product = 1
        for size in sizes:
            product *= max(1, abs(size))
        if product > self.limits.graph_elements:
            raise self.refuse(
                f"{where}: {what} {list(sizes)[:MOST_AXES]} is too much, "
                f"{self.limits.graph_elements:,} elements are the most (limit graph_elements)"
            )

    def fixed(self, spans: list[Span], dtype: np.dtype) -> np.ndarray:
        """Numbers of a fixed size, packed or one by one."""
        if any((span.end - span.start) % dtype.itemsize for span in spans):
            raise self.refuse("a list of numbers is cut off")
        if len(spans) == 1:
            content: Any = memoryview(self.wire.content)[spans[0].start : spans[0].end]
        else:
            content = b"".join(self.wire.content[span.start : span.end] for span in spans)
        return np.frombuffer(content, dtype) if len(content) else np.empty(0, dtype)

    def count(self, span: Span) -> int:
        """How many packed numbers of variable length a span holds."""
        data = np.frombuffer(self.wire.content, np.uint8)[span.start : span.end]
        if len(data) and data[-1] >= 0x80:
            raise self.refuse("a list of numbers is cut off")
        return int(np.count_nonzero(data < 0x80))

    def varints(self, parts: list[int | Span], most: int) -> tuple[int, ...] | None:
        """Numbers of variable length, packed or one by one; `None` if there are too many."""
        numbers: list[int] = []
        for part in parts:
            if isinstance(part, int):
                numbers.append(signed(part))
                continue
            at = part.start
            while at < part.end:
                if len(numbers) > most:
                    return None
                number, at = self.wire.varint(at, part.end)
                numbers.append(signed(number))
        return tuple(numbers) if len(numbers) <= most else None

    def refuse(self, what: str) -> CheckpointError:
        return CheckpointError(f"{self.wire.source} is refused: {what}")


def _is_mask(values: np.ndarray) -> bool:
    """Whether infinities are meant: one alone, or minus infinity among zeros."""
    if values.dtype.kind != "f" or np.isnan(values).any():
        return False
    return values.size == 1 or bool(((values == 0) | (values == -np.inf)).all())
