"""Weights in fewer bits: what is rounded, and that what is stored is the same to the bit."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from models.tiny_vae import tiny_network
from torch import nn

from partimento.checkpoints.tensors import SCALE, unpacked
from partimento.errors import CheckpointError
from partimento.training.rounding import (
    LEVELS,
    as_bytes,
    rounded_to_bytes,
    rounded_to_half,
    stored,
    with_few_bits,
)


def layer(seed=0, spread=1.0):
    torch.manual_seed(seed)
    made = nn.Linear(48, 64)
    with torch.no_grad():
        made.weight.mul_(spread)
    return made.eval()


@given(st.integers(0, 2**31), st.floats(1e-9, 1e9))
def test_a_rounded_matrix_is_whole_numbers_times_scales_whichever_way_it_stands(seed, spread):
    network = layer(seed, spread)
    before = network.weight.detach().clone()
    rounded_to_bytes(network)
    values = network.weight.detach().numpy()
    step = before.abs().amax(dim=1, keepdim=True) / LEVELS
    assert ((network.weight - before).abs() <= 0.51 * step).all()
    for stands in (values, values.T, np.stack([values, values[::-1]])):
        numbers, scales = as_bytes(stands)
        np.testing.assert_array_equal(numbers * scales, stands)
        assert np.abs(numbers.astype(int)).max() == LEVELS


def test_all_that_makes_an_output_of_a_convolution_shares_a_scale():
    torch.manual_seed(0)
    network = nn.Conv1d(48, 64, 3)
    before = network.weight.detach().clone()
    rounded_to_bytes(network)
    numbers, scales = as_bytes(network.weight.detach().numpy())
    assert scales.shape == (64, 1, 1)
    np.testing.assert_array_equal(numbers * scales, network.weight.detach().numpy())
    assert ((network.weight - before).abs() <= 0.51 * torch.from_numpy(scales)).all()
    rounded = network.weight.detach().clone()
    rounded_to_bytes(network)
    assert torch.equal(network.weight, rounded)  # once is enough


def test_what_is_stored_is_read_back_to_the_bit():
    network = layer()
    rounded_to_bytes(network)
    kept = stored(network)
    assert {name: tensor.dtype.name for name, tensor in kept.items()} == {
        "weight": "int8",
        "weight" + SCALE: "float32",
        "bias": "float16",
    }
    found = unpacked(kept, "here")
    assert set(found) == {"weight", "bias"}
    np.testing.assert_array_equal(found["weight"], network.weight.detach().numpy())
    rounded_to_half(network)
    assert stored(network)["weight"].dtype == np.float16


def test_scales_that_do_not_fit_are_refused():
    numbers = np.ones((4, 3), dtype=np.int8)
    for scales in (np.ones((5, 1), np.float32), np.ones(4, np.float32), np.ones((4, 1))):
        with pytest.raises(CheckpointError, match="'w' and its scales do not fit"):
            unpacked({"w": numbers, "w.scale": scales}, "here")
    with pytest.raises(CheckpointError, match="do not fit"):
        unpacked({"w": numbers.astype(float), "w.scale": np.ones((4, 1), np.float32)}, "here")
    assert set(unpacked({"a.scale": numbers}, "here")) == {"a.scale"}  # a tensor of that name


def test_graphs_hold_bytes_where_the_network_was_rounded_to_them():
    import onnx
    import onnxruntime

    from partimento.training.export import exported

    network = layer()
    rounded_to_bytes(network)
    inputs = torch.randn(3, 48)
    batch = torch.export.Dim("batch")
    graph = exported(network, (inputs,), ["x"], ["y"], {"input": {0: batch}})
    small = with_few_bits(graph)
    assert len(small) < 0.5 * len(graph)
    kinds = {tensor.data_type for tensor in onnx.load_from_string(small).graph.initializer}
    assert onnx.TensorProto.INT8 in kinds
    found = [
        onnxruntime.InferenceSession(one, providers=["CPUExecutionProvider"]).run(
            None, {"x": inputs.numpy()}
        )[0]
        for one in (graph, small)
    ]
    np.testing.assert_array_equal(*found)


def test_a_vae_of_random_weights_is_a_quarter_of_its_size():
    network = tiny_network()
    large = [name for name, w in network.state_dict().items() if w.ndim > 1 and w.numel() >= 1024]
    kept = stored(network)
    assert large
    assert all(kept[name].dtype == np.int8 for name in large)
