"""The chorales at sixteenths, as papers measure them: nats per note, exact and joint.

Every cell of the grid of steps by four voices is paid for, in one order of the voices and with
nothing known but the cells before: a choice among 46 pitches and a rest. The sum over all cells of
all chorales of a split, divided by their number, is what tables call nats per note.

`measure` takes any model that says how surprised it is by each cell; `Ensemble` makes one of
several, and `CountModel` is the one to beat without a network.

References
----------
Boulanger-Lewandowski, Bengio and Vincent, "Modeling Temporal Dependencies in High-Dimensional
Sequences", ICML 2012 (the split). Huang et al., "Counterpoint by Convolution", ISMIR 2017, and
Huang et al., "Music Transformer", ICLR 2019, table 2 (the measure).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from partimento.data.chorales import CHORALES, VoicePiece
from partimento.data.sources import manifest_of
from partimento.errors import ParameterError
from partimento.music.four_voices import VOICES, FourVoices
from partimento.representations.satb import SatbRepresentation

REPRESENTATION = SatbRepresentation()
CELLS = REPRESENTATION.vocab_size  # 46 pitches and a rest
NATS_PER_CELL = "nats per note"


class CellModel(Protocol):
    """What `measure` asks of a model."""

    def nll_of(self, pieces: Sequence[FourVoices]) -> list[np.ndarray]:
        """Nats of each cell given those before it in the model's own order; (step, voice)."""
        ...


@dataclass(frozen=True)
class ChoraleFigures:
    """How surprised a model is by chorales.

    Attributes
    ----------
    nats_per_cell : float
        All nats over all cells: the figure of the papers.
    mean_of_pieces : float
        Mean of the nats per cell of each chorale.
    cells, pieces : int
    """

    nats_per_cell: float
    mean_of_pieces: float
    cells: int
    pieces: int


def measure(model: CellModel, pieces: Sequence[VoicePiece]) -> ChoraleFigures:
    """Measure a model on chorales, every cell of them."""
    if not pieces:
        raise ParameterError("there is no chorale to measure on")
    nats = [np.asarray(n, np.float64) for n in model.nll_of([p.voices for p in pieces])]
    for piece, found in zip(pieces, nats, strict=True):
        if found.shape != piece.voices.pitch.shape:
            raise ParameterError(
                f"the nats of {piece.name} are of shape {found.shape}, its cells of "
                f"{piece.voices.pitch.shape}"
            )
    cells = sum(found.size for found in nats)
    return ChoraleFigures(
        nats_per_cell=float(sum(found.sum() for found in nats)) / cells,
        mean_of_pieces=float(np.mean([found.mean() for found in nats])),
        cells=cells,
        pieces=len(nats),
    )


def clean(pieces: Sequence[VoicePiece], root: Path | None = None) -> list[VoicePiece]:
    """Leave out the chorales whose soprano tune a training chorale has too.

    Parameters
    ----------
    pieces
        As `partimento.data.chorales.load_chorales` gives them.
    root
        Folder of the corpora, whose manifest lists them.
    """
    _, manifest = manifest_of(CHORALES, root)
    shared = {
        f"{split}/{index:03d}"
        for split, index, *_ in manifest["duplicates"]["same_tune_in_train"]["rows"]
    }
    return [piece for piece in pieces if piece.name not in shared]


@dataclass(frozen=True)
class Ensemble:
    """The mean of the probabilities that several models give.

    Attributes
    ----------
    models : sequence of CellModel
    by_frame : bool
        Take the mean for the four cells of a step together, not for each cell. That is a
        distribution also where the models fill the cells of a step in different orders.
    """

    models: Sequence[CellModel]
    by_frame: bool = False

    def nll_of(self, pieces: Sequence[FourVoices]) -> list[np.ndarray]:
        """Nats of each cell; with `by_frame` those of a step are shared out evenly."""
        return [self._mixed(np.stack(nats)) for nats in zip(*self._each(pieces), strict=True)]

    def _each(self, pieces: Sequence[FourVoices]) -> list[list[np.ndarray]]:
        return [model.nll_of(pieces) for model in self.models]

    def _mixed(self, nats: np.ndarray) -> np.ndarray:
        """Mix nats of shape (model, step, voice)."""
        if self.by_frame:
            nats = np.repeat(nats.sum(axis=-1, keepdims=True), nats.shape[-1], axis=-1)
        mixed: np.ndarray = np.log(len(nats)) - np.logaddexp.reduce(-nats, axis=0)
        return mixed / mixed.shape[-1] if self.by_frame else mixed


class CountModel:
    """How often each pitch followed each pitch of the same voice, at each place in the beat.

    Parameters
    ----------
    pieces
        To count in.
    added
        To every count, so that nothing is impossible.
    """

    def __init__(self, pieces: Sequence[VoicePiece], added: float = 0.1) -> None:
        steps = REPRESENTATION.steps_per_quarter
        counts = np.full((len(VOICES), steps, CELLS + 1, CELLS), added)
        for piece in pieces:
            cells, *places = self._places(piece.voices)
            np.add.at(counts, (*places, cells), 1)
        self.log_probability = np.log(counts / counts.sum(axis=-1, keepdims=True))

    def nll_of(self, pieces: Sequence[FourVoices]) -> list[np.ndarray]:
        """Nats of each cell; (step, voice)."""
        found = [self._places(voices) for voices in pieces]
        return [-self.log_probability[(*places, cells)] for cells, *places in found]

    @staticmethod
    def _places(voices: FourVoices) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """List cells, and for each its voice, its place in the beat and the cell before."""
        cells = REPRESENTATION.encode(voices)  # step voice
        voice = np.broadcast_to(np.arange(cells.shape[1]), cells.shape)
        beat = (np.arange(len(cells)) + voices.first) % REPRESENTATION.steps_per_quarter
        before = np.vstack([np.full_like(cells[:1], CELLS), cells[:-1]])
        return cells, voice, np.broadcast_to(beat[:, None], cells.shape), before
