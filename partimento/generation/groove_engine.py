"""`GrooveEngine`: how drums are played, written stroke by stroke by three graphs on ONNX Runtime.

`write` draws all that is not told (see `representations.groove`), `nats` says how surprised the
network is by what was played. A row is the same to the bit alone and in any batch.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from partimento.errors import CheckpointError, GenerationError
from partimento.generation.blocks import BlockSession
from partimento.generation.sampling import log_softmax, softmax
from partimento.representations.groove import (
    CELLS,
    CLASSES,
    NUM_DRUMS,
    OFFSET_SCALE,
    Given,
    GrooveRepresentation,
    Played,
    given_numbers,
    offset_at,
    velocity_at,
)

SIZES = ("ahead_size", "writer_size", "stroke_size")
Choose = Callable[[int, int, list[np.ndarray]], tuple[np.ndarray, np.ndarray, np.ndarray]]


class GrooveEngine:
    """The graphs of one network.

    Parameters
    ----------
    graphs
        By name: ``ahead``, ``write`` and ``stroke``, as `training.groove_graphs` describes them.
    representation : GrooveRepresentation
    network
        Sizes, of the checkpoint's config.
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
        representation: GrooveRepresentation,
        network: dict[str, Any],
        threads: int = 1,
    ) -> None:
        self.representation = representation
        sizes = [size for size in map(network.get, SIZES) if type(size) is int]
        if len(sizes) != len(SIZES) or not all(0 < size < 2**16 for size in sizes):
            raise CheckpointError(f"the config's network must have {', '.join(SIZES)} as numbers")
        self._ahead_size, self._writer_size, stroke = sizes
        given = (representation.given_size,)
        ahead, writer = (self._ahead_size,), (self._writer_size,)
        self._ahead = BlockSession(
            graphs["ahead"],
            "ahead",
            {"given": given, "state": ahead},
            {"next_state": ahead},
            threads,
        )
        self._write = BlockSession(
            graphs["write"],
            "write",
            {"given": given, "ahead": ahead, "before": (CELLS,), "state": writer},
            {"base": (stroke,), "next_state": writer},
            threads,
        )
        self._stroke = BlockSession(
            graphs["stroke"],
            "stroke",
            {"base": (stroke,), "written": (CELLS,), "drum": ()},
            {"struck": (2,), "velocity": (CLASSES,), "offset": (CLASSES,)},
            threads,
        )

    def write(
        self,
        played: Played,
        given: Given,
        meter: np.ndarray,
        generators: Sequence[np.random.Generator],
        temperature: float = 1.0,
        strokes: float | None = None,
    ) -> Played:
        """Draw all that is not told.

        Parameters
        ----------
        played
            What is told of it counts, the rest is passed over.
        meter
            See `meter_numbers`; (batch, step, number).
        generators
            One a piece.
        temperature
            Of velocities and offsets; 0 takes their medians.
        strokes
            Temperature at which it is drawn what is struck; 0 strikes what is likelier than not.
            `None` is the same as of the rest.

        Returns
        -------
        Played
        """
        batch, steps = played.is_hit.shape[:2]
        uniforms = np.stack([generator.random((steps, NUM_DRUMS, 3)) for generator in generators])
        strokes = temperature if strokes is None else strokes
        for cold, columns in ((strokes, slice(1)), (temperature, slice(1, 3))):
            if cold == 0:
                uniforms[..., columns] = 0.5
        scale, stroke_scale = temperature or 1.0, strokes or 1.0
        made = Played(
            np.zeros((batch, steps, NUM_DRUMS), dtype=bool),
            *np.zeros((2, batch, steps, NUM_DRUMS), dtype=np.float32),
        )

        def drawn(step: int, drum: int, logits: list[np.ndarray]) -> tuple[np.ndarray, ...]:
            at = (slice(None), step, drum)
            struck, velocity, offset = logits
            uniform = uniforms[:, step, drum]
            chance = softmax(struck / stroke_scale)[:, 1]
            is_hit = np.where(given.hit[at], played.is_hit[at], uniform[:, 0] < chance)
            loud = velocity_at(places(velocity / scale, uniform[:, 1]))
            loud = np.where(given.velocity[at], played.velocity[at], loud) * is_hit
            away = offset_at(places(offset / scale, uniform[:, 2]))
            away = np.where(given.offset[at], played.offset[at], away) * is_hit
            for table, values in zip(made, (is_hit, loud, away), strict=True):
                table[at] = values
            return is_hit, loud, away

        self._walk(played, given, meter, drawn)
        return made

    def nats(self, played: Played, given: Given, meter: np.ndarray) -> np.ndarray:
        """Surprise at each cell that is asked, 0 elsewhere: float64, (batch, step, 27)."""
        asked = given.is_asked(played.is_hit)
        classes = played.classes()
        found = np.zeros(asked.shape)
        rows = np.arange(len(classes))

        def told(step: int, drum: int, logits: list[np.ndarray]) -> tuple[np.ndarray, ...]:
            for kind, found_logits in enumerate(logits):
                cell = kind * NUM_DRUMS + drum
                lost = -log_softmax(found_logits)[rows, classes[:, step, cell]]
                found[:, step, cell] = np.where(asked[:, step, cell], lost, 0)
            return tuple(table[:, step, drum] for table in played)

        self._walk(played, given, meter, told)
        return found

    def _walk(self, played: Played, given: Given, meter: np.ndarray, choose: Any) -> None:
        """Go through all strokes; `choose` says what is written of each drum, from its logits."""
        batch, steps = played.is_hit.shape[:2]
        numbers = given_numbers(played, given, meter, self.representation)
        ahead = np.zeros((steps + 1, batch, self._ahead_size), dtype=np.float32)
        for step in reversed(range(steps)):
            feeds = {"given": numbers[:, step], "state": ahead[step + 1]}
            (ahead[step],) = self._ahead.run(feeds)
        may_sound = (~given.hit | played.is_hit).any(axis=0)  # step drum
        state = np.zeros((batch, self._writer_size), dtype=np.float32)
        written = np.zeros((batch, CELLS), dtype=np.float32)
        for step in range(steps):
            feeds = {
                "given": numbers[:, step],
                "ahead": ahead[step],
                "before": written,
                "state": state,
            }
            base, state = self._write.run(feeds)
            written = np.zeros((batch, CELLS), dtype=np.float32)
            for drum in np.flatnonzero(may_sound[step]).tolist():
                feeds = {"base": base, "written": written, "drum": np.full(batch, drum)}
                is_hit, velocity, offset = choose(step, drum, self._stroke.run(feeds))
                written = written.copy()
                written[:, drum] = is_hit
                written[:, NUM_DRUMS + drum] = velocity
                written[:, 2 * NUM_DRUMS + drum] = offset * OFFSET_SCALE


def places(logits: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
    """Draw places in classes, by the inverse of the cumulative distribution, even within a class.

    Parameters
    ----------
    logits
        Shape (batch, class).
    uniforms
        Shape (batch,), in [0, 1); 0.5 gives medians.

    Returns
    -------
    place : float64 array, shape (batch,)
        3.5 is the middle of class 3.
    """
    if not np.isfinite(logits).all():
        raise GenerationError(
            "the network gave no usable probabilities (NaN or infinite): its checkpoint is damaged"
        )
    chance = softmax(logits)
    mass = chance.cumsum(axis=1)
    reached = np.minimum(uniforms * mass[:, -1], np.nextafter(mass[:, -1], 0))
    chosen = (mass > reached[:, None]).argmax(axis=1)
    row = np.arange(len(logits))
    within = 1 - (mass[row, chosen] - reached) / chance[row, chosen]
    place: np.ndarray = chosen + np.clip(within, 0, np.nextafter(1, 0))
    return place
