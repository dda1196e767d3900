import sys

import numpy as np
import onnx
import pytest
from generation.tiny_graph import numpy_step, random_weights, step_graph
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from partimento.errors import (
    CheckpointError,
    EnvironmentFault,
    GenerationError,
    ParameterError,
)
from partimento.generation.engine import BLOCKS, StepEngine

SIZES = (12, 7, 5)
VOCABULARY = 11


def inputs(rows, steps, seed=0):
    generator = np.random.default_rng(seed)
    return np.stack([generator.integers(0, size, (steps, rows)) for size in SIZES], axis=-1)


def play(engine, features):
    sequences = engine.start(features.shape[1])
    return np.stack([sequences.step(step) for step in features])  # time batch vocab


@pytest.fixture(scope="module")
def weights():
    return random_weights(SIZES, VOCABULARY, hidden=20)


@pytest.fixture(scope="module")
def engine(weights):
    return StepEngine(step_graph(weights))


@pytest.fixture(scope="module", params=[(12, 1), (20, 2), (100, 1), (128, 2)], ids=str)
def any_engine(request):
    hidden, threads = request.param
    return StepEngine(step_graph(random_weights(SIZES, VOCABULARY, hidden)), threads)


def test_it_says_what_the_same_network_says_in_numpy(engine, weights):
    features = inputs(rows=5, steps=20)
    states = [np.zeros((5, 20), dtype=np.float32)] * 4
    for step, logits in zip(features, play(engine, features), strict=True):
        expected, states = numpy_step(weights, step, states)
        assert np.abs(logits - expected).max() < 1e-4


def test_it_knows_how_much_the_network_reads_and_writes(engine):
    assert (engine.num_features, engine.vocab_size) == (3, VOCABULARY)


@settings(max_examples=25)
@given(st.data())
def test_a_sequence_gets_the_same_bits_alone_and_in_any_batch(any_engine, data):
    features = inputs(rows=140, steps=3)
    everyone = play(any_engine, features)
    some = data.draw(st.lists(st.integers(0, 139), min_size=1, max_size=140))
    assert np.array_equal(play(any_engine, features[:, some]), everyone[:, some])


def test_the_number_of_threads_changes_nothing():
    graph = step_graph(random_weights(SIZES, VOCABULARY, hidden=128))
    features = inputs(rows=64, steps=5)
    one, two = (play(StepEngine(graph, threads), features) for threads in (1, 2))
    assert np.array_equal(one, two)


def test_where_larger_blocks_round_otherwise_all_runs_in_fours(weights, monkeypatch):
    engine = StepEngine(step_graph(weights))
    together = play(engine, inputs(rows=23, steps=4))
    monkeypatch.setattr(engine, "_is_exact", {size: size == 4 for size in BLOCKS})
    assert engine.blocks(23) == [4] * 6
    assert np.array_equal(play(engine, inputs(rows=23, steps=4)), together)


@given(st.integers(1, 300))
def test_blocks_hold_the_batch_and_little_more(engine, rows):
    sizes = engine.blocks(rows)
    assert set(sizes) <= set(BLOCKS)
    assert rows <= sum(sizes) < max(2 * rows, 5)


def test_forked_sequences_go_on_from_where_the_others_stood(engine):
    features = inputs(rows=3, steps=6)
    whole = play(engine, features)
    sequences = engine.start(3)
    for step in features[:4]:
        sequences.step(step)
    twice = sequences.fork(np.array([2, 0, 2]))
    again = [twice.step(step[[2, 0, 2]]) for step in features[4:]]
    assert np.array_equal(np.stack(again), whole[4:][:, [2, 0, 2]])
    assert np.array_equal(sequences.step(features[4]), whole[4])  # the fork left them alone


def test_sequences_that_are_over_may_be_left_out(engine):
    features = inputs(rows=9, steps=6)
    whole = play(engine, features)
    sequences = engine.start(9)
    for step, going in enumerate([9, 9, 5, 4, 1, 1]):
        assert np.array_equal(sequences.step(features[step, :going]), whole[step, :going])


def test_logits_are_a_fresh_array_each_step(engine):
    sequences = engine.start(1)
    features = inputs(rows=1, steps=2)
    first = sequences.step(features[0])
    kept = first.copy()
    sequences.step(features[1])
    assert np.array_equal(first, kept)


def test_a_feature_the_network_has_no_row_for_is_an_error_of_ours(engine):
    with pytest.raises(GenerationError, match="step failed"):
        engine.start(1).step(np.full((1, 3), 1000))


@pytest.mark.parametrize("rows", [0, -1])
def test_a_batch_of_nothing_is_refused(engine, rows):
    with pytest.raises(ParameterError, match="at least one"):
        engine.start(rows)


@pytest.mark.parametrize("threads", [0, -3, 10**6])
def test_threads_must_make_sense(weights, threads):
    with pytest.raises(ParameterError, match="threads"):
        StepEngine(step_graph(weights), threads)


@pytest.mark.parametrize("graph", [b"", b"no graph", bytes(range(256))])
def test_what_is_no_graph_is_refused_in_one_line(graph):
    with pytest.raises(CheckpointError, match="refuses the step graph") as error:
        StepEngine(graph)
    assert str(error.value).isprintable()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda graph: graph.output[0].__setattr__("name", "out"), "needs logits"),
        (lambda graph: graph.input.append(port("noise", 3)), "unknown inputs: .'noise'"),
        (lambda graph: graph.input.append(port("state_9", 3)), "needs next_state_9"),
        (lambda graph: graph.input.append(port("state_9", "n")), "axis of state_9 may be open"),
    ],
)
def test_a_graph_of_another_kind_is_refused(weights, change, words):
    model = onnx.load_from_string(step_graph(weights))
    if words == "needs logits":
        model.graph.node[-1].output[0] = "out"
    change(model.graph)
    with pytest.raises(CheckpointError, match=words):
        StepEngine(model.SerializeToString())


def test_a_state_of_open_size_is_refused():
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["features"], ["logits"], to=TensorProto.FLOAT),
            helper.make_node("Identity", ["state_0"], ["next_state_0"]),
        ],
        "step",
        [
            helper.make_tensor_value_info("features", TensorProto.INT64, ["b", 3]),
            port("state_0", "n"),
        ],
        [port("logits", 3), port("next_state_0", "n")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    with pytest.raises(CheckpointError, match="only the batch axis of state_0 may be open"):
        StepEngine(model.SerializeToString())


def port(name, size):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", size])


class NoRuntime:
    """Refuses to import ONNX Runtime, as its own initialization does."""

    def __init__(self, cause):
        self.cause = cause

    def find_spec(self, name, path=None, target=None):
        if name == "onnxruntime":
            raise ImportError("initialization failed") from self.cause


@pytest.mark.parametrize(
    ("cause", "becomes"), [(None, EnvironmentFault), (KeyboardInterrupt(), KeyboardInterrupt)]
)
def test_a_runtime_that_does_not_load_is_told_from_ctrl_c_while_it_loads(
    monkeypatch, weights, cause, becomes
):
    monkeypatch.delitem(sys.modules, "onnxruntime")
    monkeypatch.setattr(sys, "meta_path", [NoRuntime(cause), *sys.meta_path])
    with pytest.raises(becomes):
        StepEngine(step_graph(weights))
