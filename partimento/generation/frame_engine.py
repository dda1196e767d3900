"""`FrameEngine`: runs the two graphs of a `bach-rnn`, frame by frame and voice by voice.

`FrameEngine.start` begins a batch of pieces. For each frame, `Frames.begin` moves the recurrent
layers on and hears the past, `Frames.logits` asks for one voice after another, and `Frames.add`
says what the frame has become. As in `generation.engine`, a piece gets the same bits alone and in a
batch of any size.

The voice graph reads ``past`` (batch, head), ``features`` (batch, column), ``seen`` (batch, voice:
cells of the frame that are chosen, the others `unknown`) and ``voice`` (1,), and gives ``logits``.
"""

import numpy as np

from partimento.errors import CheckpointError, GenerationError
from partimento.generation.engine import BLOCKS, StepEngine, line_of, open_session
from partimento.representations.frames import (
    NO_KEY,
    NO_LEFT,
    NUM_COLUMNS,
    NUM_VOICES,
    FrameReader,
)
from partimento.representations.satb import SatbRepresentation


class FrameEngine:
    """The graphs of one network.

    Parameters
    ----------
    frame, voice
        ONNX models as bytes.
    representation : SatbRepresentation
    order
        In which the voices of a frame are chosen.
    threads
        Of ONNX Runtime.

    Raises
    ------
    CheckpointError
        If a graph cannot be run, or is none of these.
    """

    def __init__(
        self,
        frame: bytes,
        voice: bytes,
        representation: SatbRepresentation,
        order: tuple[int, ...],
        threads: int = 1,
    ) -> None:
        self.representation, self.order = representation, order
        self.frame = StepEngine(frame, threads, output="past")
        self._voice = open_session(voice, threads, "voice")
        self.head_size, rest = divmod(self.frame.vocab_size, NUM_VOICES)
        shapes = {node.name: node.shape[1:] for node in self._voice.get_inputs()}
        expected = {
            "past": [self.head_size],
            "features": [NUM_COLUMNS],
            "seen": [NUM_VOICES],
            "voice": [],
        }
        outputs = {node.name: node.shape[1:] for node in self._voice.get_outputs()}
        if rest or self.frame.num_features != NUM_COLUMNS or shapes != expected:
            raise CheckpointError(
                f"the graphs are no frame and voice graphs: the voice graph reads {shapes}, "
                f"expected {expected}"
            )
        if outputs != {"logits": [representation.vocab_size]}:
            raise CheckpointError(
                f"the voice graph gives {outputs}, the config says "
                f"{representation.vocab_size} logits"
            )
        self._is_exact = {BLOCKS[0]: True}

    def start(self, rows: int, first: int = 0) -> "Frames":
        """Begin so many pieces; `first` says where their first step stands in its beat."""
        return Frames(self, rows, first)

    def voice_logits(
        self, voice: int, past: np.ndarray, features: np.ndarray, seen: np.ndarray
    ) -> np.ndarray:
        """Logits of one voice's cell; shape (batch, vocab).

        Parameters
        ----------
        past
            What the frame graph says to this voice, shape (batch, head).
        """
        rows = len(past)
        parts, reached = [], 0
        while reached < rows:
            enough = next((size for size in BLOCKS if size >= rows - reached), BLOCKS[-1])
            size = max(s for s in BLOCKS if s <= enough and self._rows_are_exact(s))
            block = slice(reached, reached + size)
            parts.append(self._run(voice, size, past[block], features[block], seen[block]))
            reached += size
        return np.concatenate(parts)

    def _run(
        self, voice: int, size: int, past: np.ndarray, features: np.ndarray, seen: np.ndarray
    ) -> np.ndarray:
        """Run one block, filled up to its size with copies of its last row."""
        count = len(past)
        rows = np.minimum(np.arange(size), count - 1)
        feeds = {"past": past[rows], "features": features[rows], "seen": seen[rows]}
        try:
            (logits,) = self._voice.run(["logits"], {**feeds, "voice": np.array([voice])})
        except Exception as error:
            raise GenerationError(f"the network's step failed: {line_of(error)}") from None
        found: np.ndarray = logits[:count]
        return found

    def _rows_are_exact(self, size: int) -> bool:
        """Whether a block of this size gives the bits that blocks of four give, tried once."""
        if size not in self._is_exact:
            generator = np.random.default_rng(0)
            past = generator.uniform(-1, 1, (size, self.head_size)).astype(np.float32)
            features = np.ones((size, NUM_COLUMNS), dtype=np.int64)
            seen = np.full((size, NUM_VOICES), self.representation.unknown)
            whole = self._run(0, size, past, features, seen)
            quarters = [
                self._run(0, BLOCKS[0], past[at : at + 4], features[at : at + 4], seen[at : at + 4])
                for at in range(0, size, BLOCKS[0])
            ]
            self._is_exact[size] = np.array_equal(whole, np.concatenate(quarters), equal_nan=True)
        return self._is_exact[size]


class Frames:
    """Pieces under way. Made by `FrameEngine.start`."""

    def __init__(self, engine: FrameEngine, rows: int, first: int = 0) -> None:
        self.engine, self.rows = engine, rows
        self._reader = FrameReader(engine.representation, rows, first)
        self._sequences = engine.frame.start(rows)
        self._features = np.zeros((rows, NUM_COLUMNS), dtype=np.int64)
        self._past = np.zeros((rows, NUM_VOICES, engine.head_size), dtype=np.float32)

    def begin(self, key: np.ndarray | int = NO_KEY, left: np.ndarray | int = NO_LEFT) -> None:
        """Hear all frames so far, and begin the next; told key and quarters left, or not."""
        self._features = self._reader.features(key, left)
        past = self._sequences.step(self._features)
        self._past = past.reshape(self.rows, NUM_VOICES, -1)

    def logits(self, voice: int, seen: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
        """Logits of one voice's cell in this frame; float32, shape (batch, vocab).

        Parameters
        ----------
        seen
            Cells that are chosen, `unknown` where none is yet; shape (batch, voice).
        rows
            Pieces that the rows of `seen` belong to; by default each to its own.
        """
        if rows is None:
            return self.engine.voice_logits(voice, self._past[:, voice], self._features, seen)
        past, features = self._past[rows, voice], self._features[rows]
        return self.engine.voice_logits(voice, past, features, seen)

    def add(self, tokens: np.ndarray) -> None:
        """Say what this frame has become, shape (batch, voice)."""
        self._reader.add(tokens)

    def take(self, rows: np.ndarray) -> "Frames":
        """Begin new pieces where some of these stand now, each as often as wanted."""
        taken = Frames(self.engine, 1)
        taken.rows = len(rows)
        taken._reader = self._reader.take(rows)
        taken._sequences = self._sequences.fork(rows)
        taken._features, taken._past = self._features[rows], self._past[rows]
        return taken
