"""Infilling the test chorales: what a network finds in cells that are hidden from it.

Three measures, which must not be mixed:

- `measure_task`: the frozen masks of `representations.masks` (one voice; alto, tenor and bass under
  a given soprano; one bar of all voices; half of all cells). Each hidden cell is predicted from all
  that are not hidden, and not from other hidden ones: *conditional nats per hidden cell*. They are
  no likelihood of what is hidden together. Beside them the share of cells whose likeliest token is
  the true one, and parallels in what is written there, with Bach's own.
- `chain_nats`: alto, tenor and bass given the whole soprano, step by step and voice by voice, each
  cell with all before it known: by the chain rule the *exact joint likelihood* of the three voices
  given the soprano. A causal network that hears the soprano's cell of each step first, and nothing
  of its future, measures the same cells; its figure is comparable.
- `frame_nats`: Coconet's own evaluator, as its code has it. The voices of a frame are predicted one
  after the other in random order, with those before filled in by the network's own likeliest token
  instead of the true one; then the true frame is revealed. So a frame's nats are no likelihood: a
  wrong guess can spoil the next voice, and one that is certain of its own guess can gain. Frames
  come in order (chronological) or at random; five random orders are averaged in probability, frame
  by frame, which is no distribution over pieces either. It is there to stand beside the published
  figure, in nats per frame.

The last two read a window around each step, `WINDOW_BEFORE` steps before and `WINDOW_AFTER` after,
which every distribution may choose to read.

References
----------
Huang et al., "Counterpoint by Convolution", ISMIR 2017, section 5 (the frame-wise figures);
Uria, Murray and Larochelle, "A Deep and Tractable Density Estimator", ICML 2014.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from partimento.data.chorales import VoicePiece
from partimento.evaluation.voice_leading import VoiceLeading, check_voices
from partimento.generation.fill_engine import FillEngine
from partimento.generation.gibbs import FillTask, fill
from partimento.generation.sampling import Sampling, log_softmax
from partimento.generation.voice_rules import VoiceRules
from partimento.music.four_voices import VOICES, FourVoices
from partimento.representations.masks import check_task, digest_of_masks, task_mask

WINDOW_BEFORE, WINDOW_AFTER = 64, 32
CHAIN_ORDER = (3, 1, 2)  # bass, alto, tenor, under a soprano that is known
NUM_VOICES = len(VOICES)
ORDERINGS = 5


class Filler(Protocol):
    """A model that fills in: `partimento.models.bach_cnn.BachCNNModel`."""

    @property
    def engine(self) -> FillEngine:
        """What runs its network."""


@dataclass(frozen=True)
class TaskFigures:
    """What a network finds in the hidden cells of a task.

    Attributes
    ----------
    task : str
    nats_per_cell : float
        All conditional nats over all hidden cells.
    mean_of_pieces : float
        Mean of the pieces' own means.
    exact : float
        Share of the cells whose likeliest token is the true one.
    cells, pieces : int
    masks : str
        SHA-256 of the masks.
    """

    task: str
    nats_per_cell: float
    mean_of_pieces: float
    exact: float
    cells: int
    pieces: int
    masks: str


def measure_task(model: Filler, pieces: Sequence[VoicePiece], task: str) -> TaskFigures:
    """Measure a model on hidden cells of pieces, in the order of their split."""
    check_task(task)
    representation = model.engine.representation
    nats, exact, masks = [], [], []
    for number, piece in enumerate(pieces):
        tokens = representation.encode(piece.voices)
        is_hidden = task_mask(task, number, len(tokens), representation)
        cells = np.where(is_hidden, representation.unknown, tokens)
        logits = model.engine.logits(cells[None], first=piece.voices.first)[0]
        true = tokens[is_hidden]
        nats.append(-log_softmax(logits[is_hidden])[np.arange(len(true)), true])
        exact.append(logits[is_hidden].argmax(axis=-1) == true)
        masks.append(is_hidden)
    return TaskFigures(
        task,
        float(np.concatenate(nats).mean()),
        float(np.mean([found.mean() for found in nats])),
        float(np.concatenate(exact).mean()),
        sum(map(len, nats)),
        len(nats),
        digest_of_masks(masks),
    )


def written(
    model: Filler, pieces: Sequence[VoicePiece], task: str, seed: int = 0, **settings: Any
) -> list[FourVoices]:
    """Have a model write what a task hides: piece number n with the seed `seed` + n.

    `settings` are those of `VoiceRules`.
    """
    check_task(task)
    representation = model.engine.representation
    made = []
    for number, piece in enumerate(pieces):
        tokens = representation.encode(piece.voices)
        is_hidden = task_mask(task, number, len(tokens), representation)
        task_ = FillTask(tokens, is_hidden, piece.voices.first)
        rules = VoiceRules(**settings)
        (found,) = fill(model.engine, task_, [seed + number], Sampling(), rules)
        made.append(representation.decode(found, first=piece.voices.first))
    return made


def voice_leading_of(voices: Sequence[FourVoices]) -> list[VoiceLeading]:
    """Count parallels and the like; pieces of Bach and of a network are counted the same."""
    return [check_voices(piece) for piece in voices]


def chain_nats(model: Filler, piece: FourVoices) -> np.ndarray:
    """Exact nats of alto, tenor and bass given the soprano, cell by cell; shape (step, voice).

    The soprano's are 0.
    """
    tokens = model.engine.representation.encode(piece)
    every = np.arange(len(tokens))
    nats = np.zeros(tokens.shape)
    for place, voice in enumerate(CHAIN_ORDER):
        # All steps of a voice at once: what each may know is a version of the piece of its own.
        def known(step: int, place: int = place) -> np.ndarray:
            is_known = np.repeat((every < step)[:, None], NUM_VOICES, axis=1)
            is_known[:, 0] = True
            is_known[step, list(CHAIN_ORDER[:place])] = True
            return is_known

        logits = _windows(model, piece, known, lambda step: tokens)
        found = log_softmax(logits[every, voice])
        nats[:, voice] = -found[every, tokens[:, voice]]
    return nats


def frame_nats(
    model: Filler, piece: FourVoices, generator: np.random.Generator, *, chronological: bool
) -> np.ndarray:
    """Nats of each frame by Coconet's evaluator: see the head of this module; shape (step,)."""
    representation = model.engine.representation
    tokens = representation.encode(piece)
    every = np.arange(len(tokens))
    place = every if chronological else generator.permutation(len(tokens)).argsort()
    orders = np.stack([generator.permutation(NUM_VOICES) for _ in every])  # step turn
    guessed = np.tile(tokens, (1, 1))
    nats = np.zeros(len(tokens))
    for turn in range(NUM_VOICES):

        def known(step: int, turn: int = turn) -> np.ndarray:
            is_known = np.repeat((place < place[step])[:, None], NUM_VOICES, axis=1)
            is_known[step, orders[step, :turn]] = True
            return is_known

        def cells(step: int) -> np.ndarray:
            mine = tokens.copy()
            mine[step] = guessed[step]
            return mine

        logits = _windows(model, piece, known, cells)
        voice = orders[:, turn]
        mine = logits[every, voice]  # step vocab
        nats -= log_softmax(mine)[every, tokens[every, voice]]
        guessed[every, voice] = mine.argmax(axis=-1)
    return nats


def frame_figures(
    model: Filler,
    pieces: Sequence[VoicePiece],
    seed: int = 0,
    *,
    chronological: bool,
    orderings: int = ORDERINGS,
) -> dict[str, float]:
    """Nats per frame of pieces by Coconet's evaluator, with one order and with several.

    Returns
    -------
    dict
        ``nats_per_frame`` of all frames and ``mean_of_pieces``, of the first order; the same with
        ``ensemble_`` before it, of all orders.
    """
    generator = np.random.default_rng(seed)
    first, together = [], []
    for piece in pieces:
        nats = np.stack(
            [
                frame_nats(model, piece.voices, generator, chronological=chronological)
                for _ in range(orderings)
            ]
        )
        first.append(nats[0])
        together.append(np.log(len(nats)) - np.logaddexp.reduce(-nats, axis=0))
    figures: dict[str, float] = {}
    for name, found in (("", first), ("ensemble_", together)):
        figures[f"{name}nats_per_frame"] = float(np.concatenate(found).mean())
        figures[f"{name}mean_of_pieces"] = float(np.mean([each.mean() for each in found]))
    return figures


def _windows(
    model: Filler,
    piece: FourVoices,
    known: Callable[[int], np.ndarray],
    cells: Callable[[int], np.ndarray],
) -> np.ndarray:
    """Logits of each step's own frame, each with what is known of the piece then.

    Returns
    -------
    logits : float32 array, shape (step, voice, vocab)
    """
    steps = len(piece)
    unknown = model.engine.representation.unknown
    found = []
    for step in range(steps):
        start, stop = max(0, step - WINDOW_BEFORE), min(steps, step + WINDOW_AFTER)
        seen = np.where(known(step), cells(step), unknown)[start:stop]
        logits = model.engine.logits(
            seen[None], first=piece.first, before=start, after=steps - stop
        )
        found.append(logits[0, step - start])
    return np.stack(found)
