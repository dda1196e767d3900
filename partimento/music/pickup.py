"""Pickups: whether a melody begins before the bar line, heard from the music alone.

Files made from ABC and LilyPond put an upbeat at tick 0 as if it were the start of a bar, so every
bar line of theirs comes too early. `estimate_pickup` listens to where long notes, changes of
rhythm, leaps, the home note and the end fall, for each length the upbeat may have, and names one
only where it fits the meter far better than none.

How much each of these tells at each place in the bar stands in ``pickup.json``, learned from tunes
whose upbeats were marked by hand; ``benchmarks/pickup.py`` learns it again and measures it on other
tunes whose bar lines are known.
"""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from partimento.music.notes import Notes
from partimento.music.score import Meter
from partimento.music.timing import ticks_to_steps

STEPS_PER_QUARTER = 4
FEWEST_BARS = 8
FEWEST_NOTES = 24
MIN_PROBABILITY = 0.97

FEATURES = (
    "a dotted eighth",
    "a dotted quarter",
    "a half or longer",
    "longer than the note before",
    "shorter than the note before",
    "reached by a leap of a fourth or more",
    "the pitch class of the last note",
    "a third above it",
    "a step that only holds a note",
    "the last note",
)
# Upbeats shorter than this many sixteenths are looked for: up to half a bar, or a dotted beat.
LONGEST = {(4, 4): 8, (2, 2): 8, (2, 4): 4, (3, 4): 6, (6, 8): 6, (9, 8): 6, (12, 8): 6}


def estimate_pickup(voices: Sequence[Notes], ticks_per_quarter: int, meter: Meter) -> int:
    """Length of the upbeat that some voices begin with, in ticks; 0 unless it is clear.

    Parameters
    ----------
    voices
        Melodies that sound together, in one meter throughout; the first note at tick 0.
    meter
        What the file says. Others than 2/4, 3/4, 4/4, 2/2, 6/8, 9/8 and 12/8 are left alone.

    Examples
    --------
    A scale of even notes could begin anywhere:

    >>> scale = Notes(onset=[0, 480, 960], duration=[480, 480, 480], pitch=[60, 62, 64])
    >>> estimate_pickup([scale], 480, Meter(0, 4, 4))
    0
    """
    longest = LONGEST.get((meter.numerator, meter.denominator), 0)
    bar_steps = 16 * meter.numerator // meter.denominator
    profiles = [
        profile(notes, ticks_per_quarter, bar_steps)
        for notes in voices
        if len(notes) >= FEWEST_NOTES
        and notes.end >= FEWEST_BARS * bar_steps * ticks_per_quarter // STEPS_PER_QUARTER
    ]
    if not longest or not profiles:
        return 0
    # Voices of one piece agree more than strangers do: their evidence counts by the root.
    halves = sum(profiles) / np.sqrt(len(profiles))
    weights = _shifted(f"{meter.numerator}/{meter.denominator}", longest)
    fits = halves.reshape(2, -1) @ weights.T  # of each half, after an upbeat of 0, 1 … steps
    fit = fits.sum(axis=0)
    best = int(fit.argmax())
    odds = np.exp(fit - fit[best])
    is_clear = 1 / odds.sum() >= MIN_PROBABILITY
    is_steady = bool((fits[:, best] >= fits[:, 0]).all())  # no strain begins anew elsewhere
    first_line = best * ticks_per_quarter // STEPS_PER_QUARTER
    return first_line if best and is_clear and is_steady else 0


def profile(notes: Notes, ticks_per_quarter: int, bar_steps: int) -> np.ndarray:
    """Count what falls on each sixteenth of the bar, in both halves of a melody.

    Returns
    -------
    counts : float64 array, shape (2, feature, bar_steps)
        By the root of the number of bars, so that long tunes do not shout.
    """
    grid = (ticks_per_quarter, STEPS_PER_QUARTER)
    onset, pitch = ticks_to_steps(notes.onset, *grid), notes.pitch
    offset = np.maximum(ticks_to_steps(notes.offset, *grid), onset + 1)
    count = len(onset)
    length = np.append(onset[1:], offset[-1]) - onset  # to the next onset
    longer, leap = np.zeros((2, count), dtype=np.int64)
    np.subtract(length[1:], length[:-1], out=longer[1:])
    np.subtract(pitch[1:], pitch[:-1], out=leap[1:])
    above_last = (pitch - pitch[-1]) % 12
    bars = max(1.0, (offset[-1] - onset[0]) / bar_steps)
    seen = np.empty((len(FEATURES) - 2, count), dtype=bool)
    seen[0] = length == 3
    seen[1] = (length == 6) | (length == 7)
    seen[2] = length >= 8
    seen[3] = longer > 0
    seen[4] = longer < 0
    seen[5] = np.abs(leap) >= 5
    seen[6] = above_last == 0
    seen[7] = (above_last == 3) | (above_last == 4)
    # Steps that only hold each note: until it ends, or the next begins.
    held = np.maximum(np.minimum(offset - onset, length) - 1, 0)
    feature, note = np.nonzero(seen)
    owner = np.repeat(np.arange(count), held)
    within = np.arange(len(owner)) - (np.cumsum(held) - held)[owner]
    note = np.concatenate((note, owner))
    feature = np.concatenate((feature, np.full(len(owner), len(seen))))
    place = onset[note]
    place[len(place) - len(owner) :] += 1 + within
    shape = (2, len(FEATURES), bar_steps)
    cell = ((note >= count // 2) * len(FEATURES) + feature) * bar_steps + place % bar_steps
    counts = np.bincount(cell, minlength=int(np.prod(shape))).reshape(shape) / np.sqrt(bars)
    counts[1, -1, onset[-1] % bar_steps] = 1.0
    return counts


@cache
def _shifted(meter: str, longest: int) -> np.ndarray:
    """Weights after an upbeat of 0, 1 … steps, shape (longest, feature * bar_steps)."""
    table = _template()[meter]
    return np.stack([np.roll(table, steps, axis=1).ravel() for steps in range(longest)])


@cache
def _template() -> dict[str, np.ndarray]:
    """Log-odds by meter, feature and sixteenth of the bar."""
    found = json.loads(Path(__file__).with_name("pickup.json").read_bytes())
    tables = {meter: np.array(rows) / found["scale"] for meter, rows in found["weights"].items()}
    return {**tables, "2/2": tables["4/4"]}
