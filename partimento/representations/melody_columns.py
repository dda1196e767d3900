"""Columns of features for melody networks: what can be told from the tokens so far.

Each function lays out one aspect for the steps ``start … stop - 1``, reads only tokens before the
step in question, and works on any number of melodies at once: tokens have shape (..., time),
columns (..., stop - start) and columns of several values (..., stop - start, value).

Tokens are those of `representations.melody`: hold, rest, then pitches from the lowest up.

References
----------
Magenta's `KeyMelodyEncoderDecoder` (the layout of `attention_rnn`: 74 inputs of a 36-pitch
vocabulary) and `LookbackEventSequenceEncoderDecoder` (repeats, binary counters), 2016.
"""

import math
from collections.abc import Sequence

import numpy as np

from partimento.music.grid import Grid
from partimento.music.keys import MAJOR_SCALE

HOLD, REST, FIRST_PITCH = 0, 1, 2
STEPS_PER_BAR = 16  # of 4/4 on a grid of sixteenths: how many bars a counter of so many bits spans

KEYS_OF_PITCH_CLASS = np.array(
    [[(pitch - key) % 12 in MAJOR_SCALE for key in range(12)] for pitch in range(12)]
).astype(np.int64)


def token_at(tokens: np.ndarray, steps: np.ndarray, beginning: int) -> np.ndarray:
    """Tokens at some steps; `beginning` stands for what was before the first.

    Steps may have several axes, which take the place of the last axis of tokens.
    """
    if tokens.shape[-1] == 0:
        return np.full((*tokens.shape[:-1], *steps.shape), beginning)
    return np.where(steps < 0, beginning, tokens[..., np.maximum(steps, 0)])


def first_pitch(tokens: np.ndarray, start: int, stop: int, otherwise: int) -> np.ndarray:
    """Pitch token of the first note before each step, or `otherwise` where none has sounded."""
    if tokens.shape[-1] == 0:
        return np.full((*tokens.shape[:-1], stop - start), otherwise)
    is_onset = tokens >= FIRST_PITCH
    first = np.where(is_onset.any(axis=-1), is_onset.argmax(axis=-1), stop)[..., None]
    pitch = np.take_along_axis(tokens, np.minimum(first, tokens.shape[-1] - 1), axis=-1)
    return np.where(np.arange(start, stop) > first, pitch, otherwise)


def repeated_in_a_row(
    tokens: np.ndarray, grid: Grid, bars: Sequence[int], limit: int, start: int, stop: int
) -> np.ndarray:
    """Count the events right before each step that repeat what was so many bars before them.

    The first tells whether the last event repeated, and so on back, up to `limit`. Shape
    (..., distance, step), for each of several distances in bars.
    """
    first = max(0, start - limit)
    steps = np.arange(first, stop - 1)
    if not len(steps):
        return np.zeros((*tokens.shape[:-1], len(bars), stop - start), dtype=np.int64)
    ago = steps - np.array(bars)[:, None] * grid.bar_steps[first : stop - 1]  # distance event
    is_repeat = tokens[..., None, first : stop - 1] == token_at(tokens, ago, -1)
    last_other = np.where(is_repeat & (ago >= 0), first - 1, steps)
    np.maximum.accumulate(last_other, axis=-1, out=last_other)
    runs = np.minimum(steps - last_other, limit)
    if runs.shape[-1] < stop - start:  # the very first step, with nothing before
        runs = np.concatenate([np.zeros((*runs.shape[:-1], 1), dtype=np.int64), runs], axis=-1)
    return runs[..., runs.shape[-1] - (stop - start) :]


def counter(grid: Grid, bits: int, start: int, stop: int) -> np.ndarray:
    """Binary digits of each step's place in a group of bars, lowest first; shape (step, bit).

    Five bits count two bars of 4/4 in sixteenths, seven count eight, as in Magenta; bars of other
    lengths count from their own bar lines.
    """
    place = grid[start:stop]
    bars = max(1, 2**bits // STEPS_PER_BAR)
    count = place.bar % bars * place.bar_steps + place.position
    return count[:, None] >> np.arange(bits) & 1


def sounding(tokens: np.ndarray, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
    """Pitch that sounds just before each step (0 for the lowest, -1 for silence), and its attack.

    The second array says whether that note started with the last event.
    """
    before = np.concatenate([np.full((*tokens.shape[:-1], 1), REST), tokens[..., : stop - 1]], -1)
    steps = np.arange(stop)
    event = np.maximum.accumulate(np.where(before != HOLD, steps, 0), axis=-1)
    latest = np.take_along_axis(before, event, axis=-1)[..., start:]
    pitch = np.where(latest >= FIRST_PITCH, latest - FIRST_PITCH, -1)
    return pitch, before[..., start:] >= FIRST_PITCH


def direction(tokens: np.ndarray, start: int, stop: int) -> np.ndarray:
    """Where the melody last moved before each step: 1 up, -1 down, 0 nowhere so far."""
    known = tokens[..., : max(stop - 1, 0)]
    steps = np.arange(known.shape[-1] + 1)
    is_onset = known >= FIRST_PITCH
    onset = np.maximum.accumulate(np.where(is_onset, steps[1:], 0), axis=-1)  # 0: none so far
    onset = np.concatenate([np.zeros((*known.shape[:-1], 1), np.int64), onset], axis=-1)
    pitch = np.concatenate([np.zeros((*known.shape[:-1], 1), np.int64), known], axis=-1)
    before = np.take_along_axis(pitch, onset[..., :-1], axis=-1)
    moved = np.where(is_onset & (before >= FIRST_PITCH), np.sign(known - before), 0)
    latest = np.maximum.accumulate(np.where(moved != 0, steps[1:], 0), axis=-1)
    latest = np.concatenate([np.zeros((*known.shape[:-1], 1), np.int64), latest], axis=-1)
    moved = np.concatenate([np.zeros((*known.shape[:-1], 1), np.int64), moved], axis=-1)
    return np.take_along_axis(moved, latest, axis=-1)[..., start:stop]


def keys(tokens: np.ndarray, lowest: int, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
    """Major keys the melody so far is most in, and those its last three pitches are in.

    Both have shape (..., step, 12) and say of each key whether no other holds more of the notes.
    """
    length, melodies = max(stop - 1, 0), math.prod(tokens.shape[:-1])
    known = tokens[..., :length].reshape(melodies, length)  # melody time
    width = int(known.max(initial=FIRST_PITCH)) - FIRST_PITCH + 1
    counts = np.zeros((len(known), stop - start, width), dtype=np.int64)  # melody step pitch
    latest = np.zeros_like(counts)  # 1 + the time of each pitch's last onset
    row, time = np.nonzero(known >= FIRST_PITCH)
    pitch = known[row, time] - FIRST_PITCH
    step = np.maximum(time + 1 - start, 0)  # the first that knows of the onset
    np.add.at(counts, (row, step, pitch), 1)
    latest[row, step, pitch] = time + 1  # of several, numpy keeps the last
    counts = np.cumsum(counts, axis=1)
    latest = np.maximum.accumulate(latest, axis=1)
    third = np.sort(latest, axis=-1)[..., -min(3, width), None]
    is_recent = (latest > 0) & (latest >= third)
    classes = KEYS_OF_PITCH_CLASS[(np.arange(width) + lowest) % 12]  # pitch key
    found = []
    for in_key in (counts @ classes, is_recent.astype(np.int64) @ classes):
        best = in_key == in_key.max(axis=-1, keepdims=True)
        found.append(best.astype(np.int64).reshape(*tokens.shape[:-1], stop - start, 12))
    return found[0], found[1]
