"""`PhraseEngine`: phrases from noise, by one graph on ONNX Runtime.

The graph decides what each track does at each step; `held` lays rolls out from that. A row is the
same to the bit alone and in any batch.
"""

from typing import Any

import numpy as np

from partimento.errors import CheckpointError
from partimento.generation.blocks import BlockSession
from partimento.representations.phrases import PhraseRepresentation

RHYTHM = 3  # strike, hold, second: see `training.phrase_graphs`
KINDS = ("phrase", "bar", "track", "bar of a track")  # of noise


class PhraseEngine:
    """The graph of one generator.

    Parameters
    ----------
    graph
        ``write``, as `training.phrase_graphs` describes it.
    representation : PhraseRepresentation
    network
        Of the checkpoint's config: the size of the noise.
    threads
        Of ONNX Runtime.

    Raises
    ------
    CheckpointError
        If the graph cannot be run, or is none of these.
    """

    def __init__(
        self,
        graph: bytes,
        representation: PhraseRepresentation,
        network: dict[str, Any],
        threads: int = 1,
    ) -> None:
        self.representation = representation
        size = network.get("latent_size")
        if type(size) is not int or not 0 < size < 2**12:
            raise CheckpointError("the config's network must have latent_size as a number")
        tracks, steps, bars = representation.tracks, representation.steps, representation.bars
        self._sizes = tuple(size * n for n in (1, bars, tracks, tracks * bars))
        self.noise_size = sum(self._sizes)
        self._session = BlockSession(
            graph,
            "write",
            {"z": (self.noise_size,), "given": representation.shape, "is_given": (tracks,)},
            {"rhythm": (tracks, RHYTHM, steps), "pitch": (tracks, 2, steps)},
            threads,
        )

    def noise(self, generator: np.random.Generator, phrases: int, temperature: float) -> np.ndarray:
        """Draw the noise of phrases in a row, which share what is of the whole and of each track.

        Returns
        -------
        z : float32 array, shape (phrase, noise)
        """
        z = temperature * generator.standard_normal((phrases, self.noise_size))
        edges = np.cumsum(self._sizes)
        whole, tracks = slice(0, edges[0]), slice(edges[1], edges[2])
        for shared in (whole, tracks):
            z[:, shared] = z[0, shared]
        return np.asarray(z, dtype=np.float32)

    def write(
        self,
        z: np.ndarray,
        given: np.ndarray | None = None,
        is_given: np.ndarray | None = None,
    ) -> np.ndarray:
        """Write phrases.

        Parameters
        ----------
        z
            Shape (phrase, noise).
        given
            Rolls, bool (phrase, 2, track, step, pitch); they come back where `is_given` says so.
        is_given
            Bool, (phrase, track).

        Returns
        -------
        phrases : bool array, shape (phrase, 2, track, step, pitch)
        """
        shape = len(z), *self.representation.shape
        given = np.zeros(shape, dtype=bool) if given is None else given
        if is_given is None:
            is_given = np.zeros((len(z), self.representation.tracks), dtype=bool)
        feeds = {"z": z, "given": given, "is_given": is_given}
        rhythm, pitch = self._session.run(feeds)
        phrases = held(rhythm > 0.5, pitch, self.representation.pitches)
        return np.where(is_given[:, None, :, None, None], given, phrases)


def held(rhythm: np.ndarray, pitch: np.ndarray, pitches: int) -> np.ndarray:
    """Lay out rolls from decisions: see `networks.phrase_gan.held`.

    Parameters
    ----------
    rhythm
        Bool, (phrase, track, 3, step): strikes, holds on, plays a second note.
    pitch
        int64, (phrase, track, 2, step).
    pitches
        Height of the rolls.
    """
    strike, hold, second = rhythm[:, :, 0], rhythm[:, :, 1], rhythm[:, :, 2]
    places = np.arange(pitches)
    chosen = pitch[..., None] == places  # phrase track 2 step pitch
    onset = (chosen[:, :, 0] | (chosen[:, :, 1] & second[..., None])) & strike[..., None]
    sustain = onset.copy()
    stays = (hold & ~strike)[..., None]
    for step in range(1, onset.shape[2]):
        sustain[:, :, step] |= stays[:, :, step] & sustain[:, :, step - 1]
    return np.stack([onset, sustain], axis=1)
