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
    return estimate_pickups([(voices, ticks_per_quarter, meter)])[0]


def estimate_pickups(pieces: Sequence[tuple[Sequence[Notes], int, Meter]]) -> list[int]:
    """Estimate the upbeat of each of several pieces: voices, ticks a quarter, meter."""
    heard: list[tuple[int, Notes, int, int]] = []
    for piece, (voices, ticks_per_quarter, meter) in enumerate(pieces):
        if (meter.numerator, meter.denominator) not in LONGEST:
            continue
        bar_steps = 16 * meter.numerator // meter.denominator
        shortest = FEWEST_BARS * bar_steps * ticks_per_quarter // STEPS_PER_QUARTER
        heard += [
            (piece, notes, ticks_per_quarter, bar_steps)
            for notes in voices
            if len(notes) >= FEWEST_NOTES
            and (notes.onset[-1] >= shortest or notes.end >= shortest)  # the first is quick
        ]
    if not heard:
        return [0] * len(pieces)
    numbers, heard_voices, divisions, bars = zip(*heard, strict=True)
    number = np.array(numbers)
    first = np.append(True, number[1:] != number[:-1]).nonzero()[0]
    num_voices = np.diff(first, append=len(number))
    # Voices of one piece agree more than strangers do: their evidence counts by the root.
    halves = np.add.reduceat(profiles(heard_voices, divisions, bars), first)
    halves /= np.sqrt(num_voices)[:, None, None, None]
    rows: dict[tuple[int, int], list[int]] = {}  # of `halves`, by meter
    for row, piece in enumerate(number[first].tolist()):
        meter = pieces[piece][2]
        rows.setdefault((meter.numerator, meter.denominator), []).append(row)
    pickups = [0] * len(pieces)
    for meter_kind, those in rows.items():
        for row, steps in zip(those, _upbeats(halves[those], meter_kind), strict=True):
            piece = numbers[first[row]]
            pickups[piece] = steps * pieces[piece][1] // STEPS_PER_QUARTER
    return pickups


def _upbeats(halves: np.ndarray, meter: tuple[int, int]) -> list[int]:
    """Sixteenths of the upbeat of pieces in one meter; 0 where none is clear."""
    bar_steps = 16 * meter[0] // meter[1]
    weights = _shifted(f"{meter[0]}/{meter[1]}", LONGEST[meter])
    # Of each half, after an upbeat of 0, 1 … steps; shape (piece, 2, longest).
    fits = halves[..., :bar_steps].reshape(len(halves), 2, -1) @ weights.T
    fit = fits.sum(axis=1)
    best = fit.argmax(axis=1)
    rows = np.arange(len(best))
    odds = np.exp(fit - fit[rows, best][:, None])
    is_clear = 1 / odds.sum(axis=1) >= MIN_PROBABILITY
    is_clear &= (fits[rows, :, best] >= fits[:, :, 0]).all(axis=1)  # no strain begins elsewhere
    return np.where(is_clear, best, 0).tolist()


def profile(notes: Notes, ticks_per_quarter: int, bar_steps: int) -> np.ndarray:
    """Count what falls on each sixteenth of the bar, in both halves of a melody.

    Returns
    -------
    counts : float64 array, shape (2, feature, bar_steps)
        By the root of the number of bars, so that long tunes do not shout.
    """
    return profiles([notes], [ticks_per_quarter], [bar_steps])[0]


def profiles(
    voices: Sequence[Notes], ticks_per_quarter: Sequence[int], bar_steps: Sequence[int]
) -> np.ndarray:
    """Make the profile of each of several melodies, none of them empty.

    Returns
    -------
    counts : float64 array, shape (voice, 2, feature, step)
        As wide as the longest bar; 0 behind the end of shorter ones.
    """
    counts = np.array([len(notes) for notes in voices])
    last = np.cumsum(counts) - 1
    first = last + 1 - counts
    owner = np.repeat(np.arange(len(voices)), counts)  # the voice of each note
    division, bar = np.array(ticks_per_quarter)[owner], np.array(bar_steps)
    onset, offset = (
        ticks_to_steps(np.concatenate(ticks), division, STEPS_PER_QUARTER)
        for ticks in ([notes.onset for notes in voices], [notes.offset for notes in voices])
    )
    offset = np.maximum(offset, onset + 1)
    pitch = np.concatenate([notes.pitch for notes in voices])
    length, longer, leap = np.zeros((3, len(onset)), dtype=np.int64)
    np.subtract(onset[1:], onset[:-1], out=length[:-1])  # to the next onset
    length[last] = offset[last] - onset[last]
    np.subtract(length[1:], length[:-1], out=longer[1:])
    np.subtract(pitch[1:], pitch[:-1], out=leap[1:])
    longer[first] = leap[first] = 0
    above_last = (pitch - pitch[last][owner]) % 12
    seen = (
        length == 3,
        (length == 6) | (length == 7),
        length >= 8,
        longer > 0,
        longer < 0,
        np.abs(leap) >= 5,
        above_last == 0,
        (above_last == 3) | (above_last == 4),
    )
    shape = (len(voices), 2, len(FEATURES), int(bar.max()))
    # Each count has a number, its cell: that of the half, plus that of the feature, plus the place.
    half = 2 * owner + (np.arange(len(onset)) >= (first + counts // 2)[owner])
    half_cell = half * (shape[2] * shape[3])
    bar_of_note = bar[owner]
    note_cell = half_cell + onset % bar_of_note
    cells = [note_cell[is_so] + feature * shape[3] for feature, is_so in enumerate(seen)]
    # Steps that only hold each note: until it ends, or the next begins.
    held = np.maximum(np.minimum(offset - onset, length) - 1, 0)
    step = np.repeat(onset + 1 - (np.cumsum(held) - held), held)
    step += np.arange(len(step))
    step %= np.repeat(bar_of_note, held)
    cells.append(np.repeat(half_cell + len(seen) * shape[3], held) + step)
    found = np.bincount(np.concatenate(cells), minlength=int(np.prod(shape))).reshape(shape)
    bars = np.maximum(1.0, (offset[last] - onset[first]) / bar)
    found = found / np.sqrt(bars)[:, None, None, None]
    found[np.arange(len(voices)), 1, -1, onset[last] % bar] = 1.0
    return found


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
