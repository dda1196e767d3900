"""What comes next: `next_notes`, the probability of each pitch to be the next note.

Tokens are steps of a grid, notes are not: the next note may start at once or after a rest. So the
chances are added up over the time of waiting,

    P(next note is p) = sum over t of  P(no note before step t) * P(a note p starts at step t),

with the network told, at each step, that nothing has started yet. What is left after `HORIZON_BARS`
bars is the probability that the melody rests or has ended. As in `continue`, the note that sounds
where the primer ends is over there: holding it on is no choice, and neither is the time it might
have lasted. So what `continue` draws, at temperature 1 and without constraints, starts with these
notes as often as this says (but for the countdown: here nobody knows where the piece will end).
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from partimento.errors import ParameterError
from partimento.generation.constraints import Constraints, Watch
from partimento.generation.engine import StepEngine
from partimento.generation.hearing import Heard
from partimento.generation.sampling import softmax, whole
from partimento.generation.writing import FeatureLayout, read
from partimento.music.pitches import pitch_name
from partimento.representations.melody import FIRST_PITCH, HOLD, REST

HORIZON_BARS = 4
REST_NAME = "rest"


class Choice(NamedTuple):
    """A note that may come next; `pitch` is `None` for a rest or the end."""

    pitch: int | None
    name: str
    probability: float


@dataclass(frozen=True, eq=False)
class NextNotes:
    """Probabilities of the next note after a primer.

    Attributes
    ----------
    pitches : int64 array, shape (pitch,)
        Those the model can write here, upwards.
    probabilities : float64 array, shape (pitch,)
        That each is the next note.
    rest : float
        That no note starts within the horizon. All of it sums to 1.
    waits_qn : float64 array, shape (step,)
        Quarters from the primer's end to each step of the horizon.
    wait_probabilities : float64 array, shape (step,)
        That the next note starts there. With `rest` they sum to 1 too.
    """

    pitches: np.ndarray
    probabilities: np.ndarray
    rest: float
    waits_qn: np.ndarray
    wait_probabilities: np.ndarray

    def choices(self, top: int | None = None) -> list[Choice]:
        """Sort notes and the rest, likeliest first: the `top` of them, or all."""
        choices = [
            Choice(pitch, pitch_name(pitch, with_signs=True), probability)
            for pitch, probability in zip(
                self.pitches.tolist(), self.probabilities.tolist(), strict=True
            )
        ]
        choices.append(Choice(None, REST_NAME, self.rest))
        choices.sort(key=lambda choice: -choice.probability)
        return choices[: None if top is None else check_top(top)]

    def as_dict(self, top: int | None = None) -> dict[str, Any]:
        """Plain values, as `partimento next --json` prints them for one voice."""
        return {"voice": "melody", "choices": [c._asdict() for c in self.choices(top)]}

    def __repr__(self) -> str:
        likeliest = ", ".join(f"{c.name} {c.probability:.1%}" for c in self.choices(5))
        return f"NextNotes({likeliest}, …)"


def next_notes(engine: StepEngine, heard: Heard) -> NextNotes:
    """Predict the next note after a primer."""
    representation = heard.representation
    start = len(heard.tokens)
    grid = heard.grid(more_bars=HORIZON_BARS)
    stop = len(grid)
    # A watch without wishes: pitches that are no MIDI notes, and the note that is over.
    watch = Watch(
        Constraints(rest_bars=None),
        representation,
        grid,
        rows=1,
        shift=heard.shift,
        is_over=heard.is_sounding,
        silent_for=heard.silent_steps,
    )
    sequences = read(engine, representation, heard.tokens, grid, bars=None)
    layout = FeatureLayout(representation, grid, bars=None)
    tokens = np.full((1, stop), HOLD)
    tokens[0, :start] = heard.tokens
    waiting = 1.0  # probability that nothing has started yet
    mass = np.zeros(representation.vocab_size - FIRST_PITCH)  # pitch
    waits = np.zeros(stop - start)  # step
    for step in range(start, stop):
        logits = sequences.step(layout.features(tokens, step))
        probabilities = softmax(watch.masked(logits, step))[0]  # vocab
        starts = waiting * probabilities[FIRST_PITCH:]
        mass += starts
        waits[step - start] = starts.sum()
        waiting *= probabilities[HOLD] + probabilities[REST]
        tokens[0, step] = REST if step == start and heard.is_sounding else HOLD
        watch.follow(tokens[:, step])
    pitches = np.arange(representation.lowest, representation.highest + 1) - heard.shift
    is_note = Constraints().allows(pitches)
    return NextNotes(
        pitches[is_note],
        mass[is_note],
        waiting,
        np.arange(stop - start) / representation.steps_per_quarter,
        waits,
    )


def check_top(top: Any) -> int:
    """Refuse a number of choices that is none."""
    number = whole("top", top)
    if number < 1:
        raise ParameterError(f"top must be 1 or more, got {number}")
    return number
