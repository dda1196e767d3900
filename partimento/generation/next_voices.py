"""What comes next in four voices: `next_voices`, the frame in which some voice moves next.

Frames are steps of a grid, and most of them repeat the one before: all four notes last. So the
chances of a frame are added up over the time of waiting, as in `generation.next`:

    P(next frame is f) = sum over t of  P(all is held before step t) * P(frame f at step t),

for frames that differ from the one held. A voice that keeps its pitch while another moves is among
its own choices. What the primer's last notes are is known, not how long they last: they may last
longer than the primer says.

Within a frame the voices form a chain, so the likeliest frames are found by following, voice after
voice, every beginning that has more than `LEAST` of the probability. What falls below is left out,
and `left_out` says how much that is: the probabilities of a voice are those of the frames that were
followed, and sum with `left_out` and `rest` to 1. Where the primer lacks voices (a melody alone),
they are imagined in `VERSIONS` ways, weighed by how well they explain what is there
(`generation.frame_writing`), and the answers are averaged: with the seed they are the same each
time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np

from partimento.generation.frame_engine import FrameEngine
from partimento.generation.frame_writing import TOGETHER, VERSIONS, FrameTask, filtered
from partimento.generation.next import check_top
from partimento.generation.sampling import Sampling, softmax
from partimento.generation.voice_rules import VoiceRules
from partimento.music.chords import chords_of
from partimento.music.four_voices import VOICES
from partimento.music.pitches import pitch_name
from partimento.music.score import Key
from partimento.representations.frames import NO_KEY, NUM_VOICES
from partimento.representations.satb import REST, SatbRepresentation

HORIZON_QUARTERS = 16
LEAST = 2e-4  # probability of a beginning of a frame that is followed up
ENOUGH = 1e-3  # of waiting: less is not waited for
REST_NAME = "rest"


class Asked(Protocol):
    """A network that chooses voice after voice within a frame."""

    @property
    def representation(self) -> SatbRepresentation:
        """Of its cells."""

    @property
    def order(self) -> tuple[int, ...]:
        """In which it chooses the voices."""


class Going(Protocol):
    """Pieces under way, as `partimento.generation.frame_engine.Frames` has them."""

    @property
    def engine(self) -> Asked:
        """What is asked."""

    def begin(self, key: int) -> None:
        """Begin the next frame."""

    def logits(self, voice: int, seen: np.ndarray, rows: np.ndarray | None) -> np.ndarray:
        """Logits of one voice's cell in this frame."""

    def add(self, tokens: np.ndarray) -> None:
        """Say what this frame has become."""

    def take(self, rows: np.ndarray) -> "Going":
        """Begin new pieces where some of these stand now."""


class VoiceChoice(NamedTuple):
    """A pitch that a voice may have next; `None` for a rest. Held: the pitch it has now."""

    pitch: int | None
    name: str
    probability: float
    is_held: bool


class FrameChoice(NamedTuple):
    """A frame that may come next: pitches from soprano to bass, and the chord they make."""

    pitches: tuple[int | None, ...]
    names: tuple[str, ...]
    chord: str
    probability: float


@dataclass(frozen=True, eq=False)
class NextVoices:
    """Probabilities of the next frame after a primer.

    Attributes
    ----------
    frames : int64 array, shape (frame, voice)
        Pitches, -1 for a rest; the likeliest first.
    probabilities : float64 array, shape (frame,)
        That each is the next one: joint, over all four voices.
    held : int64 array, shape (voice,)
        Pitches where the primer ends; -1 for a rest, -2 where it lacks the voice.
    rest : float
        That nothing moves within the horizon: the piece has ended, or a long note sounds.
    left_out : float
        Probability of the frames that were not followed up.
    waits_qn, wait_probabilities : float64 arrays, shape (step,)
        Quarters from the primer's end, and the probability that the next frame comes then.
    key : Key or None
        By which notes and chords are spelled.
    """

    frames: np.ndarray
    probabilities: np.ndarray
    held: np.ndarray
    rest: float
    left_out: float
    waits_qn: np.ndarray
    wait_probabilities: np.ndarray
    key: Key | None = None

    def voice(self, voice: str, top: int | None = None) -> list[VoiceChoice]:
        """Choices of one voice, likeliest first: its marginal probabilities."""
        number = VOICES.index(voice)
        pitches, places = np.unique(self.frames[:, number], return_inverse=True)
        mass = np.bincount(places, weights=self.probabilities, minlength=len(pitches))
        found = [
            VoiceChoice(
                None if pitch < 0 else pitch,
                name_of(pitch, self.key),
                share,
                bool(pitch == self.held[number]),
            )
            for pitch, share in zip(pitches.tolist(), mass.tolist(), strict=True)
        ]
        found.sort(key=lambda choice: -choice.probability)
        return found[: None if top is None else check_top(top)]

    def together(self, top: int | None = None) -> list[FrameChoice]:
        """Whole frames, likeliest first: joint probabilities."""
        count = len(self.frames) if top is None else min(check_top(top), len(self.frames))
        return [
            FrameChoice(
                tuple(None if pitch < 0 else pitch for pitch in pitches),
                tuple(name_of(pitch, self.key) for pitch in pitches),
                chord,
                share,
            )
            for pitches, chord, share in zip(
                self.frames[:count].tolist(),
                self.chord_names[:count],
                self.probabilities[:count].tolist(),
                strict=True,
            )
        ]

    @cached_property
    def chord_names(self) -> list[str]:
        """Name of the chord that each frame makes."""
        return [REST_NAME if c is None else c.name(self.key) for c in chords_of(self.frames)]

    def chords(self, top: int | None = None) -> list[tuple[str, float]]:
        """Chords, likeliest first: the probabilities of the frames that make them, added up."""
        mass: dict[str, float] = {}
        for name, share in zip(self.chord_names, self.probabilities.tolist(), strict=True):
            mass[name] = mass.get(name, 0.0) + share
        found = sorted(mass.items(), key=lambda item: -item[1])
        return found[: None if top is None else check_top(top)]

    def as_dict(self, top: int | None = None) -> dict[str, Any]:
        """Plain values, as `partimento next --json` prints them; the bass first."""
        return {
            "voices": [
                {"voice": voice, "choices": [c._asdict() for c in self.voice(voice, top)]}
                for voice in reversed(VOICES)
            ],
            "together": [choice._asdict() for choice in self.together(top)],
            "chords": [{"chord": c, "probability": p} for c, p in self.chords(top)],
            "rest": self.rest,
            "left_out": self.left_out,
        }

    def __repr__(self) -> str:
        likeliest = ", ".join(
            f"{voice} {choice.name} {choice.probability:.0%}"
            for voice in reversed(VOICES)
            for choice in self.voice(voice, 1)
        )
        return f"NextVoices({likeliest}, …)"


def name_of(pitch: int, key: Key | None = None) -> str:
    """Name of a pitch; a negative one is a rest."""
    return REST_NAME if pitch < 0 else pitch_name(pitch, key, with_signs=True)


def next_voices(
    engine: FrameEngine,
    task: FrameTask,
    *,
    shift: int = 0,
    spelled_in: Key | None = None,
    temperature: float = 1.0,
    seed: int = 0,
    versions: int = VERSIONS,
) -> NextVoices:
    """Predict the next frame after a primer.

    Parameters
    ----------
    task
        The primer; voices that it lacks are `unknown`.
    shift
        Semitones from the piece to the tokens.
    spelled_in
        Key of the piece, for names.
    temperature
        Divides the logits, so that probabilities are as often right as they say.
    seed
        Of the voices that are imagined where the primer lacks them.
    """
    representation = engine.representation
    steps = HORIZON_QUARTERS * representation.steps_per_quarter
    tokens, frames, log_weights = filtered(
        engine,
        task,
        [seed],
        Sampling(),
        VoiceRules(keep_ranges=False, no_parallels=False),
        versions,
    )
    weights = np.exp(log_weights[0] - log_weights[0].max())
    weights /= weights.sum()
    spread = spread_out(frames, tokens[:, -1], steps, temperature, key=task.key)
    return gathered(representation, spread, weights, task.cells[-1], shift, spelled_in)


def gathered(
    representation: SatbRepresentation,
    spread: "Spread",
    weights: np.ndarray,
    last: np.ndarray,
    shift: int,
    spelled_in: Key | None,
) -> NextVoices:
    """Add up what may follow rows of a batch, by the weights of these rows.

    Parameters
    ----------
    last
        Cells of the primer's last step, `unknown` in voices that it lacks; shape (voice,).
    """
    is_meant = weights[spread.rows] > 0
    mass = (spread.probabilities * weights[spread.rows])[is_meant]
    unique, places = np.unique(spread.cells[is_meant], axis=0, return_inverse=True)
    total = np.bincount(places.ravel(), weights=mass, minlength=len(unique))
    order = np.argsort(-total, kind="stable")
    is_given = last != representation.unknown
    held = np.where(is_given, _pitches(last, representation, shift), -2)
    steps = spread.moves.shape[1]
    return NextVoices(
        _pitches(unique[order], representation, shift),
        total[order],
        held,
        float(weights @ spread.waiting),
        float(weights @ spread.left_out),
        np.arange(steps) / representation.steps_per_quarter,
        weights @ spread.moves,
        spelled_in,
    )


def _pitches(cells: np.ndarray, representation: SatbRepresentation, shift: int) -> np.ndarray:
    pitches = cells - representation.first_pitch + representation.lowest - shift
    return np.where(cells == REST, -1, pitches)


class Spread(NamedTuple):
    """The next frames of a batch of pieces.

    Attributes
    ----------
    rows : int64 array, shape (frame,)
        Piece that each frame may follow.
    cells : int64 array, shape (frame, voice)
    probabilities : float64 array, shape (frame,)
        A frame may stand there for several times of waiting.
    moves : float64 array, shape (batch, step)
        Probability that the next frame comes after so many steps.
    waiting, left_out : float64 arrays, shape (batch,)
    """

    rows: np.ndarray
    cells: np.ndarray
    probabilities: np.ndarray
    moves: np.ndarray
    waiting: np.ndarray
    left_out: np.ndarray


def spread_out(
    frames: Going,
    held: np.ndarray,
    steps: int,
    temperature: float = 1.0,
    key: int = NO_KEY,
    least: float | None = None,
) -> Spread:
    """Follow up what may come next in each piece of a batch; `frames` go on meanwhile.

    Parameters
    ----------
    held
        Cells of the last frame of each piece, shape (batch, voice).
    steps
        How far to wait.
    least
        Probability of a beginning of a frame that is followed up; by default `LEAST`.
    """
    least = LEAST if least is None else least
    batch = len(held)
    waiting, left_out = np.ones(batch), np.zeros(batch)
    moves = np.zeros((batch, steps))
    here = np.arange(batch)  # pieces that are still waited for
    rows, cells, probabilities = [], [], []
    for step in range(steps):
        frames.begin(key)
        beginnings = _Beginnings(frames, held[here], temperature, least / waiting[here])
        for voice in frames.engine.order:
            beginnings.choose(voice)
        is_held = (beginnings.cells == held[here[beginnings.rows]]).all(axis=1)
        stays = np.zeros(len(here))
        stays[beginnings.rows[is_held]] = beginnings.probabilities[is_held]
        rows.append(here[beginnings.rows[~is_held]])
        cells.append(beginnings.cells[~is_held])
        probabilities.append(
            beginnings.probabilities[~is_held] * waiting[here[beginnings.rows[~is_held]]]
        )
        moves[here, step] = waiting[here] * (1 - stays)
        left_out[here] += waiting[here] * beginnings.left_out
        waiting[here] *= stays
        frames.add(held[here])
        goes_on = waiting[here] > ENOUGH
        if not goes_on.any():
            break
        if not goes_on.all():
            frames = frames.take(np.flatnonzero(goes_on))
            here = here[goes_on]
    return Spread(
        np.concatenate(rows),
        np.concatenate(cells),
        np.concatenate(probabilities),
        moves,
        waiting,
        left_out,
    )


class _Beginnings:
    """Beginnings of the frame that comes now, of a batch of pieces: cells of the voices so far."""

    def __init__(
        self, frames: Going, held: np.ndarray, temperature: float, least: np.ndarray
    ) -> None:
        self._frames, self._held = frames, held
        self._temperature, self._least = temperature, least
        self.rows = np.arange(len(held))
        self.cells = np.full((len(held), NUM_VOICES), frames.engine.representation.unknown)
        self.probabilities = np.ones(len(held))
        self.left_out = np.zeros(len(held))

    def choose(self, voice: int) -> None:
        """Go through the cells of one more voice; drop what is too unlikely, but no held frame."""
        logits = self._frames.logits(voice, self.cells, self.rows)
        joint = self.probabilities[:, None] * softmax(logits / self._temperature)
        so_far = [v for v in range(NUM_VOICES) if self.cells[0, v] != self._unknown]
        is_held = (self.cells == self._held[self.rows])[:, so_far].all(axis=1)
        kept = joint > self._least[self.rows, None]
        kept[np.flatnonzero(is_held), self._held[self.rows[is_held], voice]] = True
        dropped = np.where(kept, 0.0, joint).sum(axis=1)
        self.left_out += np.bincount(self.rows, weights=dropped, minlength=len(self.left_out))
        parents, tokens = np.nonzero(kept)
        self.rows, self.cells = self.rows[parents], self.cells[parents]
        self.cells[:, voice] = tokens
        self.probabilities = joint[parents, tokens]

    @property
    def _unknown(self) -> int:
        return self._frames.engine.representation.unknown


def next_along(
    engine: FrameEngine,
    pieces: Sequence[np.ndarray],
    every: int,
    temperature: float = 1.0,
) -> Iterator[tuple[int, int, NextVoices]]:
    """Predict the next frame after many beginnings of some pieces, together for speed.

    Parameters
    ----------
    pieces
        Cells of each, shape (step, voice), all known, each from a beat on.
    every
        Steps from one beginning to the next.

    Yields
    ------
    piece, step, following
        What `next_voices` says of the first so many steps of a piece.
    """
    representation = engine.representation
    steps = HORIZON_QUARTERS * representation.steps_per_quarter
    for start in range(0, len(pieces), TOGETHER):
        here = list(range(start, min(start + TOGETHER, len(pieces))))
        frames = engine.start(len(here))
        for step in range(max(len(pieces[number]) for number in here)):
            kept = [row for row, number in enumerate(here) if step < len(pieces[number])]
            if len(kept) < len(here):
                frames, here = frames.take(np.array(kept)), [here[row] for row in kept]
            held = np.stack([pieces[number][step] for number in here])
            frames.begin()
            frames.add(held)
            if (step + 1) % every:
                continue
            copies = frames.take(np.arange(len(here)))
            spread = spread_out(copies, held, steps, temperature)
            for row, number in enumerate(here):
                weights = (np.arange(len(here)) == row).astype(np.float64)
                yield (
                    number,
                    step + 1,
                    gathered(representation, spread, weights, held[row], 0, None),
                )
