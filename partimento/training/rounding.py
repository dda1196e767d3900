"""Weights in fewer bits: rounded in the network, then stored small, in the file and in the graphs.

The network is rounded first, so that PyTorch and ONNX Runtime compute with the same numbers, and
what a card measures is what ships. `rounded_to_half` takes float16, half the size;
`rounded_to_bytes` whole numbers of -127 to 127 for each row of a matrix, with one scale a row, a
quarter of the size. Graphs make float32 of them as they are loaded: all arithmetic is in float32.
"""

import numpy as np
import torch
from torch import nn

from partimento.checkpoints.tensors import SCALE

SMALLEST = 1024  # numbers of a tensor worth storing in fewer bits
LEVELS = 127  # either side of 0
SHORTEST_ROW = 32  # numbers that share a scale: those of a kernel are too few
SCALE_BITS = 11  # of a scale: products with whole numbers are then exact in float32


def rounded_to_half(network: nn.Module) -> None:
    """Round the weights of a network to float16, in place; their type stays float32."""
    with torch.no_grad():
        for weights in network.parameters():
            weights.copy_(weights.half().float())


def rounded_to_bytes(network: nn.Module) -> None:
    """Round large matrices to 255 levels a row, in place, and all other weights to float16.

    A row of a convolution is all that makes one of its outputs.
    """
    with torch.no_grad():
        for weights in network.parameters():
            if weights.ndim < 2 or weights.numel() < SMALLEST:
                weights.copy_(weights.half().float())
                continue
            values = weights.numpy()
            largest = np.abs(values).max(axis=_row(values.shape), keepdims=True).astype(np.float64)
            fraction, exponent = np.frexp(largest / LEVELS)
            coarse = np.ceil(fraction * 2**SCALE_BITS) / 2**SCALE_BITS
            scale = np.where(largest > 0, np.ldexp(coarse, exponent), 1)
            weights.copy_(torch.from_numpy((np.rint(values / scale) * scale).astype(np.float32)))


def as_bytes(values: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Find whole numbers and scales that are these values to the bit.

    Returns
    -------
    numbers : int8 array of the shape of `values`
    scales : float32 array
        One along some axis, or the last few, for each place on the others; the product is `values`.
    `None` where there are no such.
    """
    single = [(axis,) for axis in reversed(range(values.ndim))]
    several = [tuple(range(first, values.ndim)) for first in range(1, values.ndim - 1)]
    for axis in (*single, *several):
        largest = np.abs(values).max(axis=axis, keepdims=True)
        scales = np.where(largest > 0, largest / np.float32(LEVELS), 1).astype(np.float32)
        numbers = np.rint(values / scales)
        if np.array_equal((numbers * scales).astype(np.float32), values):
            return numbers.astype(np.int8), scales
    return None


def _row(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Say which axes of a tensor are one row: the last, and as many before it as a row needs."""
    first = len(shape) - 1
    while first > 1 and np.prod(shape[first:]) < SHORTEST_ROW:
        first -= 1
    return tuple(range(first, len(shape)))


def stored(network: nn.Module) -> dict[str, np.ndarray]:
    """Give the weights of a rounded network as they are stored: see `Checkpoint.weights`."""
    found: dict[str, np.ndarray] = {}
    for name, tensor in network.state_dict().items():
        values = tensor.numpy()
        packed = as_bytes(values) if values.ndim > 1 and values.size >= SMALLEST else None
        if packed is None:
            found[name] = values.astype(np.float16)
        else:
            found[name], found[name + SCALE] = packed
    return found


def with_few_bits(graph: bytes) -> bytes:
    """Store the large weights of a graph in as few bits as they were rounded to.

    What the exporter has worked out from several weights may fit in none, and stays as it is.
    """
    import onnx
    from onnx import numpy_helper

    model = onnx.load_from_string(graph)
    made, more = [], []
    for tensor in model.graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT:
            continue
        values, name = numpy_helper.to_array(tensor), tensor.name
        if values.size < SMALLEST:
            continue
        if np.array_equal(values, values.astype(np.float16)):
            small, scales = values.astype(np.float16), None
        elif (packed := as_bytes(values)) is not None:
            small, scales = packed
        else:
            continue
        tensor.CopyFrom(numpy_helper.from_array(small, f"{name}.small"))
        wide = name if scales is None else f"{name}.wide"
        made.append(onnx.helper.make_node("Cast", [tensor.name], [wide], to=onnx.TensorProto.FLOAT))
        if scales is not None:
            more.append(numpy_helper.from_array(scales, f"{name}{SCALE}"))
            made.append(onnx.helper.make_node("Mul", [wide, more[-1].name], [name]))
    model.graph.initializer.extend(more)
    nodes = [*made, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    del model.graph.value_info[:]
    return bytes(model.SerializeToString(deterministic=True))
