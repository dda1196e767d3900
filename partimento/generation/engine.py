"""`StepEngine`: runs the ONNX graph of a recurrent network, one step at a time.

The graph says everything about the network. It reads ``features`` (int64, one row a sequence) and
any number of states ``state_X`` (float32, zero at the start), and gives ``logits`` and for every
state its ``next_state_X``. `StepEngine.start` begins a batch of sequences, `Sequences.step` moves
them on by one step.

A sequence gets the same bits alone and in a batch of any size. Matrix products of ONNX Runtime
answer a single row with another kernel than several, and the last bits differ; so a batch runs in
blocks of four rows or more, and a larger block is used only after this machine has shown, once,
that its rows are those of blocks of four to the bit.
"""

from functools import cache
from typing import Any

import numpy as np

from partimento.errors import (
    CheckpointError,
    EnvironmentFault,
    GenerationError,
    ParameterError,
)

BLOCKS = (4, 8, 16, 32, 64)  # rows of one run; the last block of a batch is filled up
MAX_MEMORY = 4 * 2**30  # bytes that all graphs of this process may use together


class StepEngine:
    """One step of a network, on ONNX Runtime.

    Parameters
    ----------
    graph
        An ONNX model as bytes, with inputs and outputs as this module says.
    threads
        Of ONNX Runtime. One is fastest for a single melody; results never depend on it.
    output
        What the graph calls its logits.

    Attributes
    ----------
    num_features : int
        Integers the network reads each step.
    vocab_size : int
        Tokens it can predict, or how wide its output is.

    Raises
    ------
    CheckpointError
        If the graph cannot be run, or is no step graph.
    """

    def __init__(self, graph: bytes, threads: int = 1, output: str = "logits") -> None:
        self._session = open_session(graph, threads, "step")
        self._output = output
        self.num_features, self.vocab_size, self._state_shapes = _signature(self._session, output)
        self._is_exact = {BLOCKS[0]: True}

    def start(self, rows: int) -> "Sequences":
        """Begin so many sequences, all states zero."""
        if rows < 1:
            raise ParameterError(f"a batch has at least one sequence, got {rows}")
        return Sequences(self, rows)

    def blocks(self, rows: int) -> list[int]:
        """Sizes of the blocks in which a batch runs; their sum is at least `rows`."""
        sizes: list[int] = []
        while rows > 0:
            enough = next((size for size in BLOCKS if size >= rows), BLOCKS[-1])
            size = max(size for size in BLOCKS if size <= enough and self._rows_are_exact(size))
            sizes.append(size)
            rows -= size
        return sizes

    def _rows_are_exact(self, size: int) -> bool:
        """Whether a block of this size gives the bits that blocks of four give, tried once."""
        if size not in self._is_exact:
            generator = np.random.default_rng(0)
            feeds = {"features": np.zeros((size, self.num_features), dtype=np.int64)}
            for name, shape in self._state_shapes.items():
                feeds[name] = generator.uniform(-1, 1, (size, *shape)).astype(np.float32)
            together = self._run(feeds)
            quarters = [
                self._run({name: rows[at : at + BLOCKS[0]] for name, rows in feeds.items()})
                for at in range(0, size, BLOCKS[0])
            ]
            self._is_exact[size] = all(
                np.array_equal(whole, np.concatenate(pieces), equal_nan=True)
                for whole, *pieces in zip(together, *quarters, strict=True)
            )
        return self._is_exact[size]

    def _run(self, feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
        names = [self._output, *(f"next_{name}" for name in self._state_shapes)]
        try:
            return self._session.run(names, feeds)
        except Exception as error:
            raise GenerationError(f"the network's step failed: {line_of(error)}") from None


class Sequences:
    """Sequences under way: their states live here, and move on with every `step`.

    Made by `StepEngine.start`. States stand in two buffers that ONNX Runtime reads and writes in
    turn, so a step copies nothing but features in and logits out.
    """

    def __init__(self, engine: StepEngine, rows: int) -> None:
        self.rows = rows
        self._engine = engine
        self._sizes = engine.blocks(rows)
        padded = sum(self._sizes)
        self._features = np.zeros((padded, engine.num_features), dtype=np.int64)
        self._logits = np.zeros((padded, engine.vocab_size), dtype=np.float32)
        self._states = [
            {
                name: np.zeros((padded, *shape), dtype=np.float32)
                for name, shape in engine._state_shapes.items()
            }
            for _ in range(2)
        ]
        self._turn = 0  # which of the two holds the states now
        self._bindings = [self._bind(turn) for turn in range(2)]

    def step(self, features: np.ndarray) -> np.ndarray:
        """Read one more step of each sequence; predict the token after it.

        Parameters
        ----------
        features
            Integers, shape (rows, feature). Fewer rows than at the start move only the first
            sequences; the others are over, and stay away from then on.

        Returns
        -------
        logits : float32 array, shape (rows, vocab)
            A fresh array.
        """
        count = len(features)
        self._features[:count] = features
        run = self._engine._session.run_with_iobinding
        reached = 0
        try:
            for size, binding in zip(self._sizes, self._bindings[self._turn], strict=True):
                if reached >= count:
                    break
                run(binding)
                reached += size
        except Exception as error:
            raise GenerationError(f"the network's step failed: {line_of(error)}") from None
        self._turn = 1 - self._turn
        return self._logits[:count].copy()

    def fork(self, rows: np.ndarray) -> "Sequences":
        """Begin new sequences where some of these stand now.

        Parameters
        ----------
        rows
            Indices of sequences, in any order, each as often as wanted.
        """
        forked = Sequences(self._engine, len(rows))
        for name, values in self._states[self._turn].items():
            forked._states[0][name][: len(rows)] = values[rows]
        return forked

    def _bind(self, turn: int) -> list[Any]:
        """Tell ONNX Runtime where each block's rows stand, once for all steps."""
        bindings = []
        first = 0
        for size in self._sizes:
            block = slice(first, first + size)
            binding = self._engine._session.io_binding()
            _bind_rows(binding.bind_input, "features", self._features[block])
            _bind_rows(binding.bind_output, self._engine._output, self._logits[block])
            for name in self._engine._state_shapes:
                _bind_rows(binding.bind_input, name, self._states[turn][name][block])
                _bind_rows(binding.bind_output, f"next_{name}", self._states[1 - turn][name][block])
            bindings.append(binding)
            first += size
        return bindings


def open_session(graph: bytes, threads: int, name: str) -> Any:
    """Have ONNX Runtime load a graph; `name` is for the error."""
    if not 1 <= threads <= 1024:
        raise ParameterError(f"threads must be 1 to 1024, got {threads}")
    onnxruntime = _onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what goes wrong is raised below, in one line
    if _cap_memory():
        options.add_session_config_entry("session.use_env_allocators", "1")
    try:
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise CheckpointError(f"ONNX Runtime refuses the {name} graph: {line_of(error)}") from None


def _onnxruntime() -> Any:
    """Import ONNX Runtime: it takes 0.2 s, which reading a file or `--help` need not wait for."""
    try:
        import onnxruntime
    except ImportError as error:
        if isinstance(error.__cause__, KeyboardInterrupt):  # its C++ makes this of a Ctrl-C
            raise KeyboardInterrupt from None
        raise EnvironmentFault(
            f"ONNX Runtime, which plays models, cannot be imported ({line_of(error)}): "
            "`pip install onnxruntime` again"
        ) from None
    return onnxruntime


@cache
def _cap_memory() -> bool:
    """Give ONNX Runtime one arena with a limit: a stranger's graph may grow without end."""
    onnxruntime = _onnxruntime()
    place = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    try:
        onnxruntime.create_and_register_allocator(
            place, onnxruntime.OrtArenaCfg(MAX_MEMORY, -1, -1, -1)
        )
    except RuntimeError:  # a build of ONNX Runtime without arenas
        return False
    return True


def _bind_rows(bind: Any, name: str, rows: np.ndarray) -> None:
    bind(name, "cpu", 0, rows.dtype.type, rows.shape, rows.ctypes.data)


def _signature(session: Any, output: str) -> tuple[int, int, dict[str, tuple[int, ...]]]:
    """Features, vocabulary and state shapes (without the batch axis) of a step graph."""
    inputs = {node.name: node for node in session.get_inputs()}
    outputs = {node.name: node for node in session.get_outputs()}
    states = {name: inputs[name] for name in inputs if name.startswith("state_")}
    nodes = [
        (inputs.get("features"), "features", "tensor(int64)"),
        (outputs.get(output), output, "tensor(float)"),
        *((node, name, "tensor(float)") for name, node in states.items()),
        *((outputs.get(f"next_{name}"), f"next_{name}", "tensor(float)") for name in states),
    ]
    shapes = {}
    for node, name, kind in nodes:
        if node is None or node.type != kind or len(node.shape) < 2:
            raise CheckpointError(
                f"the graph is no step graph: it needs {name} as {kind} with the batch first"
            )
        shapes[name] = tuple(node.shape[1:])
        if not all(isinstance(size, int) and size > 0 for size in shapes[name]):
            raise CheckpointError(
                f"the graph is no step graph: only the batch axis of {name} may be open, its shape "
                f"is {node.shape}"
            )
    if unknown := set(inputs) - set(states) - {"features"}:
        raise CheckpointError(f"the step graph asks for unknown inputs: {sorted(unknown)}")
    if any(shapes[name] != shapes[f"next_{name}"] for name in states):
        raise CheckpointError("the states of the step graph change their shape from step to step")
    return shapes["features"][0], shapes[output][0], {name: shapes[name] for name in states}


def line_of(error: Exception) -> str:
    """One printable line of another library's message, and not all of it."""
    words = " ".join(str(error).split())[:160]
    return "".join(letter if letter.isprintable() else "?" for letter in words)
