"""Writing any cells of four voices: `fill`, annealed blocked Gibbs sampling.

A network that predicts each hidden cell from all others does not say how several go together. So
cells are written a few at a time, far from each other, and the network reads what has been written
before it says more. In the first round all hidden cells are written so; in each round after it a
share of them, in blocks of a beat of a voice, is forgotten and written anew, with all else in view.
The share falls from round to round: early choices, made when little was known, are made again.

Within a round a bar is written from coarse to fine: what sounds on the beats, then on the eighths
between, then the sixteenths, each in random order. All bars are written side by side, so that a
long piece takes as many readings as a short one.

References
----------
Huang et al., "Counterpoint by Convolution", ISMIR 2017, section 4 (blocked Gibbs sampling with
orderless NADE); Yao et al., "On the Equivalence between Deep NADE and Generative Stochastic
Networks", 2014 (the falling share).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from partimento.errors import GenerationError
from partimento.generation.fill_engine import FillEngine
from partimento.generation.sampling import Sampling, draw, generator_of
from partimento.generation.voice_rules import VoiceRules, parallels, unless_stuck
from partimento.music.four_voices import RANGES, VOICES
from partimento.music.pitches import pitch_name
from partimento.representations.satb import REST, SatbRepresentation

NUM_VOICES = len(VOICES)
# That are written in each round; the first writes all.
SHARES = (1.0, 0.7, 0.55, 0.4, 0.3, 0.2, 0.15, 0.1)


@dataclass(frozen=True, eq=False)
class FillTask:
    """What is known of a piece.

    Attributes
    ----------
    cells : int64 array, shape (step, voice)
        `unknown` where nothing is known.
    is_hidden : bool array, shape (step, voice)
        Where the network writes: cells that are unknown, but not necessarily all of them.
    first : int
        Where the first step stands in its beat.
    key : int or None
        As the column of `representations.filling`; `None` is estimated from what is known.
    """

    cells: np.ndarray
    is_hidden: np.ndarray
    first: int = 0
    key: int | None = None


def fill(
    engine: FillEngine,
    task: FillTask,
    seeds: Sequence[int],
    sampling: Sampling,
    rules: VoiceRules,
    shares: Sequence[float] = SHARES,
) -> np.ndarray:
    """Write the hidden cells, once for each seed; each gets what it would get alone.

    Parameters
    ----------
    shares
        Of the hidden cells that are written in each round after the first, which writes all.

    Returns
    -------
    tokens : int64 array, shape (batch, step, voice)
        With all other cells as they were.

    Raises
    ------
    GenerationError
        If the rules leave a cell no pitch.
    """
    room = Room(rules, task, engine.representation)
    room.check()
    return np.stack(
        [_fill_once(engine, task, room, generator_of(seed), sampling, shares) for seed in seeds]
    )


def _fill_once(
    engine: FillEngine,
    task: FillTask,
    room: "Room",
    generator: np.random.Generator,
    sampling: Sampling,
    shares: Sequence[float],
) -> np.ndarray:
    """Write one version."""
    unknown, beat = engine.representation.unknown, engine.representation.steps_per_quarter
    cells = np.where(task.is_hidden, unknown, task.cells)
    block = (np.arange(len(cells)) + task.first) // beat  # beat that each step stands in
    for share in shares:
        forgotten = generator.random((int(block[-1]) + 1, NUM_VOICES)) < share
        is_open = task.is_hidden & forgotten[block]
        cells = np.where(is_open, unknown, cells)
        for turn in turns(is_open, task.first, engine.representation, generator):
            logits = engine.logits(cells[None], first=task.first, key=task.key)[0]
            for voice in range(NUM_VOICES):
                steps = np.flatnonzero(turn[:, voice])
                if len(steps):
                    allowed = room.masked(logits[steps, voice], voice, steps, cells)
                    uniforms = generator.random(len(steps))
                    cells[steps, voice] = draw(allowed, uniforms, sampling)
    return cells


def turns(
    is_open: np.ndarray,
    first: int,
    representation: SatbRepresentation,
    generator: np.random.Generator,
) -> list[np.ndarray]:
    """Share cells out to turns: from coarse to fine, of each bar one cell at a time.

    Cells finer than eighths depend on their voice's neighbours more than on each other: of those
    each bar writes two at a time.

    Parameters
    ----------
    is_open
        Cells to write, shape (step, voice).

    Returns
    -------
    turns : list of bool arrays, shape (step, voice)
        Each open cell is in one of them.
    """
    steps, voices = np.nonzero(is_open)
    place = steps + first
    bar = place // representation.cycle
    beat = representation.steps_per_quarter
    level = np.where(place % beat == 0, 0, np.where(place * 2 % beat == 0, 1, 2))
    order = np.lexsort((generator.random(len(steps)), level, bar))
    group = (bar * 3 + level)[order]  # in order, each a bar's cells of one level
    begins = np.append(True, np.diff(group) != 0)[: len(group)]
    rank = np.arange(len(group))
    rank -= np.maximum.accumulate(np.where(begins, rank, 0))
    found = []
    for number, together in enumerate((1, 1, 2)):
        is_level = level[order] == number
        for turn in range(0, int(rank[is_level].max(initial=-1)) + 1, together):
            mine = order[is_level & (rank >= turn) & (rank < turn + together)]
            cells = np.zeros_like(is_open)
            cells[steps[mine], voices[mine]] = True
            found.append(cells)
    return found


class Room:
    """Which pitches the rules leave to each cell.

    Between two voices that are known a voice keeps between them, if voices may not cross; and as
    every range begins lower than that of the voice above, what is written leaves room for the
    voices that are still to come.
    """

    def __init__(
        self, rules: VoiceRules, task: FillTask, representation: SatbRepresentation
    ) -> None:
        self._rules, self._task, self._representation = rules, task, representation
        edges = [(representation.lowest, representation.highest)] * NUM_VOICES
        if rules.keep_ranges:
            edges = [
                (max(low, representation.lowest), min(high, representation.highest))
                for low, high in RANGES
            ]
        offset = representation.first_pitch - representation.lowest
        self._low, self._high = np.array(edges).T + offset  # voice
        sounds = (task.cells != REST) & (task.cells != representation.unknown) & ~task.is_hidden
        self._may_rest = ~sounds.any(axis=1)  # step

    def check(self) -> None:
        """Refuse a task that the rules leave no pitch for.

        Raises
        ------
        GenerationError
            Naming the first such cell.
        """
        cells = np.where(self._task.is_hidden, self._representation.unknown, self._task.cells)
        every = np.arange(len(cells))
        for voice in range(NUM_VOICES):
            low, high = self.edges(voice, every, cells)
            stuck = self._task.is_hidden[:, voice] & (low > high) & ~self._may_rest
            if stuck.any():
                step = int(stuck.argmax())
                raise self._nothing_left(voice, step, int(low[step]), int(high[step]))

    def edges(
        self, voice: int, steps: np.ndarray, cells: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest token of a voice at some steps, given the other voices there."""
        low, high = np.full(len(steps), self._low[voice]), np.full(len(steps), self._high[voice])
        if self._rules.no_crossing:
            here = cells[steps]
            is_pitch = (here != REST) & (here != self._representation.unknown)
            below = np.where(is_pitch, here, 0)[:, voice + 1 :].max(axis=1, initial=0)
            most = self._representation.vocab_size
            above = np.where(is_pitch, here, most)[:, :voice].min(axis=1, initial=most)
            low, high = np.maximum(low, below), np.minimum(high, above)
        return low, high

    def masked(
        self, logits: np.ndarray, voice: int, steps: np.ndarray, cells: np.ndarray
    ) -> np.ndarray:
        """Put tokens that a voice may not take to ``-inf``; float64, shape (step, vocab)."""
        low, high = self.edges(voice, steps, cells)
        tokens = np.arange(logits.shape[1])
        allowed = (tokens >= low[:, None]) & (tokens <= high[:, None])
        allowed[:, REST] = self._may_rest[steps]
        if self._rules.no_parallels:
            forbidden = np.zeros_like(allowed)
            for way in (-1, 1):  # from the step before, to the step after
                beside = np.clip(steps + way, 0, len(cells) - 1)
                forbidden |= parallels(voice, cells[steps], cells[beside], self._representation)
            allowed = unless_stuck(allowed, forbidden)
        return np.where(allowed, logits.astype(np.float64), -np.inf)

    def _nothing_left(self, voice: int, step: int, low: int, high: int) -> GenerationError:
        offset = self._representation.lowest - self._representation.first_pitch
        reach = " to ".join(
            pitch_name(int(e) + offset) for e in (self._low[voice], self._high[voice])
        )
        quarter = step / self._representation.steps_per_quarter
        return GenerationError(
            f"the {VOICES[voice]} has no pitch left at quarter {quarter:g}: it reaches from {reach}"
            f", its neighbours leave {pitch_name(max(low, 1) + offset)} and above, "
            f"{pitch_name(high + offset)} and below. Allow crossing, or move the given voices"
        )
