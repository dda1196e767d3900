"""Writing four voices frame by frame: `write_frames` fills the cells that are not known.

Where all that is known comes first (a primer, or nothing), each frame is drawn voice by voice.
Where some voices are known throughout (a melody to harmonise), a causal network would meet each of
their notes unprepared. So several versions are written side by side, each weighed by how likely the
network finds the notes that came in it, and versions that led nowhere give way to copies of those
that did: a particle filter. With more versions the result comes closer to a draw from what the
network believes given all of the melody.

References
----------
Gordon, Salmond and Smith, "Novel approach to nonlinear/non-Gaussian Bayesian state estimation",
1993; Doucet and Johansen, "A Tutorial on Particle Filtering and Smoothing", 2009, section 3.5
(resampling when few versions carry the weight; systematic resampling).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from partimento.generation.frame_engine import FrameEngine, Frames
from partimento.generation.sampling import Sampling, draw, generator_of, log_softmax
from partimento.generation.voice_rules import VoiceRules, VoiceWatch
from partimento.representations.frames import NO_KEY, NO_LEFT, NUM_VOICES, frame_features
from partimento.representations.satb import REST

VERSIONS = 24  # side by side, where voices are given
TOGETHER = 32  # pieces that are measured together


@dataclass(frozen=True, eq=False)
class FrameTask:
    """What is known of a piece.

    Attributes
    ----------
    cells : int64 array, shape (step, voice)
        `unknown` where the network writes.
    first : int
        Where the first step stands in its beat.
    key : int
        For networks that read it; `NO_KEY` tells nothing.
    left : int64 array, shape (step,), or None
        Quarters left; `None` tells nothing.
    """

    cells: np.ndarray
    first: int = 0
    key: int = NO_KEY
    left: np.ndarray | None = None


def write_frames(
    engine: FrameEngine,
    task: FrameTask,
    seeds: Sequence[int],
    sampling: Sampling,
    rules: VoiceRules,
    versions: int = VERSIONS,
) -> np.ndarray:
    """Fill the unknown cells, once for each seed; each gets what it would get alone.

    Returns
    -------
    tokens : int64 array, shape (batch, step, voice)
        With the known cells as they were.
    """
    tokens, _, log_weights = filtered(engine, task, seeds, sampling, rules, versions)
    versions = log_weights.shape[1]
    chosen = []
    for row, seed in enumerate(seeds):
        weights = np.exp(log_weights[row] - log_weights[row].max()).cumsum()
        uniform = generator_of(seed, 1).random()
        chosen.append(row * versions + int((weights > uniform * weights[-1]).argmax()))
    return tokens[chosen]


def filtered(
    engine: FrameEngine,
    task: FrameTask,
    seeds: Sequence[int],
    sampling: Sampling,
    rules: VoiceRules,
    versions: int = VERSIONS,
) -> tuple[np.ndarray, Frames, np.ndarray]:
    """Write several versions of each piece, weighed by the cells that were known.

    Returns
    -------
    tokens : int64 array, shape (batch * version, step, voice)
    frames : Frames
        Where they stand now; of the same rows.
    log_weights : float64 array, shape (batch, version)
    """
    unknown = engine.representation.unknown
    is_known = task.cells != unknown  # step voice
    steps = len(task.cells)
    is_open = ~is_known.all(axis=1)  # step
    start = int(is_open.argmax()) if is_open.any() else steps
    # Known cells weigh versions only where something is written before them.
    is_weighed = (is_known & is_open.cumsum().astype(bool)[:, None]).any()
    if not is_weighed or sampling.temperature == 0:
        versions = 1
    watch = VoiceWatch(rules, engine.representation)

    frames = engine.start(1, task.first)
    for step in range(start):
        frames.begin(task.key, _left(task, step))
        frames.add(task.cells[None, step])
    rows = len(seeds) * versions
    frames = frames.take(np.zeros(rows, dtype=np.int64))
    uniforms, ticks = _uniforms(seeds, steps - start, versions)
    tokens = np.tile(task.cells, (rows, 1, 1))  # row step voice
    log_weights = np.zeros((len(seeds), versions))
    for step in range(start, steps):
        frames.begin(task.key, _left(task, step))
        seen = np.full((rows, NUM_VOICES), unknown)
        known = np.tile(task.cells[step], (rows, 1))
        sounds = bool(((task.cells[step] != REST) & is_known[step]).any())
        for voice in engine.order:
            if is_known[step, voice] and versions == 1:
                seen[:, voice] = known[:, voice]
                continue
            logits = frames.logits(voice, seen)
            if is_known[step, voice]:
                nats = log_softmax(logits)[np.arange(rows), known[:, voice]]
                log_weights += nats.reshape(log_weights.shape)
            else:
                masked, is_stuck = watch.masked(logits, voice, known, may_rest=not sounds)
                log_weights[is_stuck.reshape(log_weights.shape)] = -np.inf
                if np.isneginf(log_weights).all(axis=1).any():
                    raise watch.nothing_left(voice, known[int(is_stuck.argmax())], step)
                known[:, voice] = draw(masked, uniforms[:, step - start, voice], sampling)
            seen[:, voice] = known[:, voice]
        tokens[:, step] = seen
        frames.add(seen)
        if versions > 1 and step + 1 < steps:
            chosen = _resampled(log_weights, ticks[:, step - start])
            if chosen is not None:
                frames, tokens = frames.take(chosen), tokens[chosen]
    return tokens, frames, log_weights


def _left(task: FrameTask, step: int) -> int:
    return NO_LEFT if task.left is None else int(task.left[step])


def _uniforms(seeds: Sequence[int], steps: int, versions: int) -> tuple[np.ndarray, np.ndarray]:
    """Random numbers of each row, step and voice, and of each seed and step."""
    drawn, ticks = [], []
    for seed in seeds:
        generator = generator_of(seed)
        drawn.append(generator.random((steps, versions, NUM_VOICES)).transpose(1, 0, 2))
        ticks.append(generator.random(steps))
    return np.concatenate(drawn), np.stack(ticks)


def _resampled(log_weights: np.ndarray, ticks: np.ndarray) -> np.ndarray | None:
    """Choose rows to go on with, and set their weights even; `None` where all stay.

    Each piece for which fewer than half of the versions carry the weight is resampled, by itself.
    """
    pieces, versions = log_weights.shape
    weights = np.exp(log_weights - log_weights.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    is_uneven = 1 / np.square(weights).sum(axis=1) < versions / 2
    if not is_uneven.any():
        return None
    rows = np.arange(pieces * versions).reshape(pieces, versions)
    for piece in np.flatnonzero(is_uneven).tolist():
        marks = (np.arange(versions) + ticks[piece]) / versions
        chosen = np.searchsorted(weights[piece].cumsum(), marks, side="right")
        rows[piece] = piece * versions + np.minimum(chosen, versions - 1)
        log_weights[piece] = 0.0
    return rows.ravel()


def frame_nats(
    engine: FrameEngine,
    pieces: Sequence[np.ndarray],
    firsts: Sequence[int] = (),
    order: tuple[int, ...] | None = None,
) -> list[np.ndarray]:
    """Surprise at each cell of some pieces, in nats, with nothing told but the past.

    The sum over a piece is its exact negative log-likelihood.

    Parameters
    ----------
    pieces
        Cells of each, shape (step, voice), all known.
    firsts
        Where the first step of each stands in its beat; by default on it.
    order
        In which the voices of a frame are said; by default the engine's.

    Returns
    -------
    nats : list of float64 arrays, shape (step, voice)
    """
    rows = frame_features(pieces, engine.representation, firsts)
    longest_first = sorted(range(len(pieces)), key=lambda number: -len(pieces[number]))
    nats = [np.zeros(cells.shape) for cells in pieces]
    for start in range(0, len(pieces), TOGETHER):
        group = longest_first[start : start + TOGETHER]
        sequences = engine.frame.start(len(group))
        for step in range(len(pieces[group[0]])):
            group = [number for number in group if step < len(pieces[number])]
            features = np.stack([rows[number][step] for number in group])
            cells = np.stack([pieces[number][step] for number in group])
            past = sequences.step(features).reshape(len(group), NUM_VOICES, -1)
            seen = np.full_like(cells, engine.representation.unknown)
            for voice in order or engine.order:
                logits = engine.voice_logits(voice, past[:, voice], features, seen)
                seen[:, voice] = cells[:, voice]
                found = log_softmax(logits)[np.arange(len(group)), cells[:, voice]]
                for number, value in zip(group, found, strict=True):
                    nats[number][step, voice] = -value
    return nats
