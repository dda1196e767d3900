"""`FillEngine`: runs the ONNX graph of a network that fills in, on ONNX Runtime.

The graph reads ``features`` (int64, batch by step by column: `representations.filling`) and gives
``logits`` (float32, batch by step by voice by token). Every piece runs by itself, since a batch
would give other last bits: so a piece is the same alone and among others.
"""

import numpy as np

from partimento.errors import CheckpointError, GenerationError
from partimento.generation.engine import line_of, open_session
from partimento.music.four_voices import VOICES
from partimento.representations.filling import NUM_COLUMNS, filling_features
from partimento.representations.satb import SatbRepresentation


class FillEngine:
    """A network that predicts any cells from any others.

    Parameters
    ----------
    graph
        An ONNX model as bytes.
    representation : SatbRepresentation
    threads
        Of ONNX Runtime.

    Raises
    ------
    CheckpointError
        If the graph cannot be run, or is another.
    """

    def __init__(self, graph: bytes, representation: SatbRepresentation, threads: int = 1) -> None:
        self.representation = representation
        self._session = open_session(graph, threads, "fill")
        inputs = {node.name: (node.type, node.shape[2:]) for node in self._session.get_inputs()}
        outputs = {node.name: (node.type, node.shape[2:]) for node in self._session.get_outputs()}
        expected = {"features": ("tensor(int64)", [NUM_COLUMNS])}
        if inputs != expected:
            raise CheckpointError(f"the fill graph reads {inputs}, expected {expected}")
        expected = {"logits": ("tensor(float)", [len(VOICES), representation.vocab_size])}
        if outputs != expected:
            raise CheckpointError(f"the fill graph gives {outputs}, expected {expected}")

    def logits(
        self,
        cells: np.ndarray,
        *,
        first: int = 0,
        key: int | None = None,
        before: int = 0,
        after: int | None = 0,
    ) -> np.ndarray:
        """Logits of every cell; float32, shape (batch, step, voice, vocab).

        Parameters
        ----------
        cells
            Versions of a piece, `unknown` where it is not known; shape (batch, step, voice).
        first, key, before, after
            See `filling_features`.
        """
        features = filling_features(
            cells, self.representation, first=first, key=key, before=before, after=after
        )
        found = []
        for row in features:
            try:
                (logits,) = self._session.run(["logits"], {"features": row[None]})
            except Exception as error:
                raise GenerationError(f"the network failed: {line_of(error)}") from None
            found.append(logits)
        return np.concatenate(found)
