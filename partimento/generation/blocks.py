"""`BlockSession`: runs an ONNX graph over a batch in blocks, so that each row is what it is alone.

Matrix products of ONNX Runtime answer a few rows with other kernels than many, and the last bits
differ. So rows run in blocks of sizes whose rows were found, once on this machine, to be those of
blocks of four to the bit; the last block is filled up.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from partimento.errors import CheckpointError, GenerationError
from partimento.generation.engine import line_of, open_session

SIZES = (4, 16, 64, 256)
SIGNATURES = {"tensor(float)": np.float32, "tensor(int64)": np.int64}


class BlockSession:
    """A graph whose inputs and outputs all have the batch first.

    Parameters
    ----------
    graph
        An ONNX model as bytes.
    name
        For errors.
    inputs, outputs
        Names, and the shapes after the batch that they must have.
    threads
        Of ONNX Runtime.

    Raises
    ------
    CheckpointError
        If the graph cannot be run, or is another.
    """

    def __init__(
        self,
        graph: bytes,
        name: str,
        inputs: Mapping[str, tuple[int, ...]],
        outputs: Mapping[str, tuple[int, ...]],
        threads: int = 1,
    ) -> None:
        self._session, self._name = open_session(graph, threads, name), name
        self._types = {node.name: node.type for node in self._session.get_inputs()}
        for expected, nodes in (
            (inputs, self._session.get_inputs()),
            (outputs, self._session.get_outputs()),
        ):
            found = {node.name: tuple(node.shape[1:]) for node in nodes}
            if found != dict(expected):
                raise CheckpointError(f"the {name} graph has {found}, expected {dict(expected)}")
        self._outputs = list(outputs)
        self._is_exact = {SIZES[0]: True}

    def run(self, feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Run all rows; outputs in the order in which they were named."""
        rows = len(next(iter(feeds.values())))
        parts: list[Sequence[np.ndarray]] = []
        start = 0
        while start < rows:
            size = self._size(rows - start, feeds)
            taken = min(size, rows - start)
            index: slice | np.ndarray = slice(start, start + size)
            if taken < size:  # the last row fills the block up
                index = start + np.minimum(np.arange(size), taken - 1)
            block = {name: values[index] for name, values in feeds.items()}
            parts.append([values[:taken] for values in self._run(block)])
            start += taken
        return [np.concatenate(columns) for columns in zip(*parts, strict=True)]

    def _size(self, rows: int, feeds: Mapping[str, np.ndarray]) -> int:
        enough = next((size for size in SIZES if size >= rows), SIZES[-1])
        return max(s for s in SIZES if s <= enough and self._rows_are_exact(s, feeds))

    def _rows_are_exact(self, size: int, feeds: Mapping[str, np.ndarray]) -> bool:
        """Whether a block of this size gives the bits that blocks of four give, tried once."""
        if size not in self._is_exact:
            generator = np.random.default_rng(0)
            tried = {}
            for name, values in feeds.items():
                if values.dtype == np.int64:  # tokens: some that there are
                    tried[name] = values[generator.integers(0, len(values), size)]
                else:
                    shape = (size, *values.shape[1:])
                    tried[name] = generator.uniform(-1, 1, shape).astype(np.float32)
            whole = self._run(tried)
            quarters = [
                self._run({name: values[at : at + SIZES[0]] for name, values in tried.items()})
                for at in range(0, size, SIZES[0])
            ]
            self._is_exact[size] = all(
                np.array_equal(one, np.concatenate(four), equal_nan=True)
                for one, *four in zip(whole, *quarters, strict=True)
            )
        return self._is_exact[size]

    def _run(self, feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        given = {
            name: np.ascontiguousarray(values, dtype=SIGNATURES[self._types[name]])
            for name, values in feeds.items()
        }
        try:
            found: list[np.ndarray] = self._session.run(self._outputs, given)
        except Exception as error:
            raise GenerationError(f"the {self._name} graph failed: {line_of(error)}") from None
        return found
