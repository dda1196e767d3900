"""`LatentEngine`: windows of bars to points of a space and back, by three graphs on ONNX Runtime.

`encode` says where windows lie, `decode` writes windows from points, `nats` says how surprised it
would be by given windows at given points. A row is the same to the bit alone and in any batch.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from partimento.errors import CheckpointError
from partimento.generation.blocks import BlockSession
from partimento.generation.sampling import Sampling, draw, log_softmax
from partimento.representations.bars import BarsRepresentation

Bar = int | slice  # one, or all of them
Choose = Callable[[np.ndarray, Bar, int], np.ndarray]
SIZES = ("latent_size", "step_size", "writer_size")


class LatentEngine:
    """The graphs of one network.

    Parameters
    ----------
    graphs
        By name: ``encode``, ``plan`` and ``write``, as `training.bars_graphs` describes them.
    representation : BarsRepresentation
    network
        Of the checkpoint's config: sizes, and whether bars are written apart.
    threads
        Of ONNX Runtime.

    Raises
    ------
    CheckpointError
        If a graph cannot be run, or is none of these.
    """

    def __init__(
        self,
        graphs: dict[str, bytes],
        representation: BarsRepresentation,
        network: dict[str, Any],
        threads: int = 1,
    ) -> None:
        self.representation = representation
        sizes = [size for size in map(network.get, SIZES) if type(size) is int]
        if len(sizes) != len(SIZES) or not all(0 < size < 2**16 for size in sizes):
            raise CheckpointError(f"the config's network must have {', '.join(SIZES)} as numbers")
        latent, step, writer = sizes
        bars, positions = representation.rows, representation.positions
        self.latent_size = latent
        self.bars_apart = network.get("bars_apart") is True
        self.bars_at_once = network.get("bars_at_once") is True
        self._encode = BlockSession(
            graphs["encode"],
            "encode",
            {"tables": (bars, positions)},
            {"mu": (latent,), "log_variance": (latent,)},
            threads,
        )
        self._plan = BlockSession(
            graphs["plan"],
            "plan",
            {"z": (latent,)},
            {"plan": (bars, positions, step), "state": (bars, writer)},
            threads,
        )
        self._write = BlockSession(
            graphs["write"],
            "write",
            {"token": (), "plan": (step,), "state": (writer,)},
            {"logits": (representation.vocab_size,), "next_state": (writer,)},
            threads,
        )

    def encode(self, tables: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and logarithm of the variance of each window's Gaussian, (window, latent)."""
        mu, log_variance = self._encode.run({"tables": tables.astype(np.int64)})
        return mu, log_variance

    def decode(
        self,
        z: np.ndarray,
        bar_steps: int,
        generators: Sequence[np.random.Generator],
        sampling: Sampling,
    ) -> np.ndarray:
        """Write windows from points.

        Parameters
        ----------
        z
            Shape (window, latent).
        bar_steps
            Steps in a bar.
        generators
            One a window.

        Returns
        -------
        tables : int64 array, shape (window, bar, position)
        """
        bars = self.representation.rows
        uniforms = np.stack([generator.random((bars, bar_steps)) for generator in generators])

        def drawn(logits: np.ndarray, bar: Bar, step: int) -> np.ndarray:
            return draw(logits, uniforms[:, bar, step].reshape(-1), sampling)

        return self._walk(z, bar_steps, drawn)

    def likeliest(self, z: np.ndarray, tables: np.ndarray, bar_steps: int) -> np.ndarray:
        """Likeliest token of each step, when those before it are the windows' own.

        Returns
        -------
        tables : int64 array, shape (window, bar, position)
        """
        found = np.full_like(tables, self.representation.pad)

        def told(logits: np.ndarray, bar: Bar, step: int) -> np.ndarray:
            tokens: np.ndarray = tables[:, bar, step]
            found[:, bar, step] = logits.argmax(axis=1).reshape(tokens.shape)
            return tokens.reshape(-1)

        self._walk(z, bar_steps, told)
        return found

    def nats(self, z: np.ndarray, tables: np.ndarray, bar_steps: int) -> np.ndarray:
        """Surprise at each step of windows, each read at its own point.

        Returns
        -------
        nats : float64 array, shape (window, bar, bar_steps)
        """
        found = np.zeros((len(z), self.representation.rows, bar_steps))

        def told(logits: np.ndarray, bar: Bar, step: int) -> np.ndarray:
            tokens: np.ndarray = tables[:, bar, step]
            flat = tokens.reshape(-1)
            surprise = -log_softmax(logits)[np.arange(len(flat)), flat]
            found[:, bar, step] = surprise.reshape(tokens.shape)
            return flat

        self._walk(z, bar_steps, told)
        return found

    def _walk(self, z: np.ndarray, bar_steps: int, choose: Choose) -> np.ndarray:
        """Go through all steps; `choose` gives the tokens of a step, from its logits.

        Bars are written one after another, or all at once: then rows of a batch are bars.
        """
        rows, bars = len(z), self.representation.rows
        plan, states = self._plan.run({"z": z.astype(np.float32)})
        tables = np.full((rows, bars, self.representation.positions), self.representation.pad)
        turns: Sequence[Bar] = [slice(None)] if self.bars_at_once else range(bars)
        size = rows * bars if self.bars_at_once else rows
        token = np.full(size, self.representation.vocab_size + 1)  # nothing
        state: np.ndarray = np.zeros(0)
        for bar in turns:
            if bar in (0, slice(None)) or self.bars_apart:
                state = states[:, bar].reshape(size, -1)
            for step in range(bar_steps):
                steps = plan[:, bar, step].reshape(size, -1)
                logits, state = self._write.run({"token": token, "plan": steps, "state": state})
                token = choose(logits, bar, step)
                tables[:, bar, step] = token.reshape(tables[:, bar, step].shape)
        return tables
