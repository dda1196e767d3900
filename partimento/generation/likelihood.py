"""How surprised a model is by music: `likelihoods`, in nats, note by note.

The network reads a piece as it was written and says, at each grid step, how probable what comes
there was. The negative logarithm is the surprise in nats. A note's surprise is that of its pitch
and onset, of its length, and of the rest after it: all steps from its onset to the next one
(silence before the first note counts with the first). So the notes sum to the piece.

The network is told nothing of the future: a countdown, where it reads one, stands at "unknown". The
last bar counts to its end, as in training, so that figures can be set beside those of a card.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from partimento.errors import ParameterError
from partimento.generation.engine import StepEngine
from partimento.generation.hearing import Heard
from partimento.generation.sampling import log_softmax
from partimento.representations.melody import FIRST_PITCH, HOLD, REST

BATCH = 64
MAX_FEATURES = 4_000_000  # integers laid out at once: 32 MB


@dataclass(frozen=True, eq=False)
class Likelihood:
    """Surprise of a model at one melody.

    Attributes
    ----------
    step_nats : float64 array, shape (step,)
        Negative log-probability of what stands at each grid step.
    note_nats : float64 array, shape (note,)
        The same, summed from each note's onset to the next.
    onset_qn : float64 array, shape (note,)
        Quarters from the beginning of the piece.
    pitch : int64 array, shape (note,)
        As in the piece.
    remarks : tuple of str
        What was changed for the model's ears.
    """

    step_nats: np.ndarray
    note_nats: np.ndarray
    onset_qn: np.ndarray
    pitch: np.ndarray
    remarks: tuple[str, ...] = ()

    @property
    def nats(self) -> float:
        """Of the whole piece."""
        return float(self.step_nats.sum())

    @property
    def nats_per_note(self) -> float:
        """`nats` divided by the number of notes."""
        return self.nats / len(self.note_nats)

    @property
    def nats_per_step(self) -> float:
        """`nats` divided by the number of grid steps."""
        return self.nats / len(self.step_nats)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as `partimento likelihood --json` prints them."""
        rows = zip(
            self.onset_qn.tolist(), self.pitch.tolist(), self.note_nats.tolist(), strict=True
        )
        return {
            "nats": self.nats,
            "nats_per_note": self.nats_per_note,
            "nats_per_step": self.nats_per_step,
            "num_notes": len(self.note_nats),
            "num_steps": len(self.step_nats),
            "notes": [{"onset_qn": q, "pitch": p, "nats": n} for q, p, n in rows],
        }

    def __repr__(self) -> str:
        return (
            f"Likelihood({self.nats:.1f} nats, {self.nats_per_note:.2f} a note, "
            f"{self.nats_per_step:.3f} a step, {len(self.note_nats)} notes)"
        )


def likelihoods(engine: StepEngine, pieces: Sequence[Heard]) -> list[Likelihood]:
    """Measure many melodies, together for speed; each gets the bits it would get alone.

    Parameters
    ----------
    pieces
        Heard whole, all by the representation of this model, each with at least one note.
    """
    if any(not len(heard.notes) for heard in pieces):
        raise ParameterError("a piece without notes has no likelihood a note: leave it out")
    tokens = [to_the_bar_line(heard) for heard in pieces]
    measured: dict[int, Likelihood] = {}
    for group in _groups([len(row) for row in tokens], engine.num_features):
        nats = _nats(engine, [pieces[index] for index in group], [tokens[i] for i in group])
        for index, step_nats in zip(group, nats, strict=True):
            measured[index] = by_note(pieces[index], tokens[index], step_nats)
    return [measured[index] for index in range(len(pieces))]


def to_the_bar_line(heard: Heard) -> np.ndarray:
    """Tokens of a piece with silence up to the end of its last bar."""
    missing = len(heard.grid()) - len(heard.tokens)
    silence = np.full(missing, HOLD)
    if missing and heard.is_sounding:
        silence[0] = REST
    return np.concatenate([heard.tokens, silence])


def _groups(lengths: Sequence[int], num_features: int) -> list[list[int]]:
    """Choose pieces to run together, by index: of like length, and not too much at once."""
    groups: list[list[int]] = []
    room = 0
    for index in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if not groups or len(groups[-1]) >= room:
            room = max(1, min(BATCH, MAX_FEATURES // (lengths[index] * num_features)))
            groups.append([])
        groups[-1].append(index)
    return groups


def _nats(
    engine: StepEngine, pieces: Sequence[Heard], tokens: Sequence[np.ndarray]
) -> list[np.ndarray]:
    """Nats of each step of some pieces, longest first."""
    targets = np.zeros((len(tokens), len(tokens[0])), dtype=np.int64)  # batch step
    for row, written in enumerate(tokens):
        targets[row, : len(written)] = written
    nats = np.zeros(targets.shape)
    for step, said in log_probabilities(engine, pieces, tokens):
        rows = np.arange(len(said))
        nats[rows, step] = -said[rows, targets[rows, step]]
    return [nats[row, : len(written)] for row, written in enumerate(tokens)]


def log_probabilities(
    engine: StepEngine, pieces: Sequence[Heard], tokens: Sequence[np.ndarray]
) -> Iterator[tuple[int, np.ndarray]]:
    """Read some pieces together, longest first, and say what was expected at each step.

    Parameters
    ----------
    tokens
        Of each piece, to the bar line.

    Yields
    ------
    step, said
        Log-probabilities of all tokens, float64, shape (piece, vocab), of the pieces not yet over.
    """
    lengths = np.array([len(written) for written in tokens])
    features = np.zeros((len(pieces), lengths[0], engine.num_features), dtype=np.int64)
    for row, (heard, written) in enumerate(zip(pieces, tokens, strict=True)):
        features[row, : len(written)] = heard.representation.features(written, heard.grid(), None)
    sequences = engine.start(len(pieces))
    for step in range(lengths[0]):
        going = int((lengths > step).sum())  # the others are over
        if going <= sequences.rows // 2:
            sequences = sequences.fork(np.arange(going))
        yield step, log_softmax(sequences.step(features[:going, step]))[:going]  # piece vocab


def by_note(heard: Heard, tokens: np.ndarray, step_nats: np.ndarray) -> Likelihood:
    """Add the nats of steps up to notes."""
    note = np.maximum(np.cumsum(tokens >= FIRST_PITCH) - 1, 0)  # step: the note it belongs to
    return Likelihood(
        step_nats,
        np.bincount(note, weights=step_nats, minlength=len(heard.notes)),
        heard.notes.onset / heard.score.ticks_per_quarter,
        heard.notes.pitch,
        heard.remarks,
    )
