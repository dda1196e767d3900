"""Lines: voices laid on a grid and cut at long rests, many voices at a time.

A corpus is many short voices, and a call of NumPy costs as much for one of them as for all. So the
functions here take the voices of many pieces, one after the other in the same arrays, and `owner`
says whose each note is. `are_one_voice` asks which parts can be lines at all, `lay_on_grid` makes
`Lines` of them, and `cut_at_rests` finds the `Span` of each melody.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from partimento.music.notes import Notes
from partimento.music.timing import BarMaps, steps_to_ticks, ticks_to_steps

GRID_TOLERANCE = 0.2  # of a step: farther from the grid is off it
MAX_MEETING = 0.05  # share of notes that may sound together in what counts as one voice
_VOICE = 1 << 33  # pushes the ticks of voices apart


class Lines(NamedTuple):
    """Voices on the grid, times in ticks, and the notes they were made of.

    Attributes
    ----------
    owner : array, shape (note,)
        Number of the voice.
    onset, offset, step, pitch, velocity : array, shape (note,)
        One note at a time in each voice; `step` is that of the onset.
    first_played, last_played : array, shape (note,)
        The notes that fell on this step, in `played`.
    played : array, shape (played,)
        Onset of every note before it was moved.
    is_on_grid : bool array, shape (played,)
        Whether it lay near a step.
    """

    owner: np.ndarray
    onset: np.ndarray
    offset: np.ndarray
    step: np.ndarray
    pitch: np.ndarray
    velocity: np.ndarray
    first_played: np.ndarray
    last_played: np.ndarray
    played: np.ndarray
    is_on_grid: np.ndarray


class Spans(NamedTuple):
    """Stretches of lines, each from a bar line to a bar line; arrays of shape (span,).

    Attributes
    ----------
    voice : array
    low, high : array
        First note, and the note after the last.
    first_bar, bars : array
    start, end : array
        Tick of the first bar line and of the bar line after the last bar.
    """

    voice: np.ndarray
    low: np.ndarray
    high: np.ndarray
    first_bar: np.ndarray
    bars: np.ndarray
    start: np.ndarray
    end: np.ndarray


def are_one_voice(parts: Sequence[Notes], ticks_per_quarter: Sequence[int]) -> list[bool]:
    """Whether hardly any notes sound together; legato may reach a sixteenth into the next.

    No part may be empty.
    """
    if not parts:
        return []
    counts = np.array([len(notes) for notes in parts])
    owner = np.repeat(np.arange(len(parts)), counts)
    onset = np.concatenate([notes.onset for notes in parts]) + owner * _VOICE
    reach = np.maximum.accumulate(onset + np.concatenate([notes.duration for notes in parts]))
    sixteenth = np.array(ticks_per_quarter)[owner[1:]] / 4
    meets = (onset[1:] == onset[:-1]) | (reach[:-1] - onset[1:] > sixteenth)
    num_meeting = np.bincount(owner[1:][meets], minlength=len(parts))
    return (num_meeting <= MAX_MEETING * (counts - 1)).tolist()


def lay_on_grid(
    voices: Sequence[Notes],
    ticks_per_quarter: Sequence[int],
    steps_per_quarter: int,
    *,
    is_skyline: bool = False,
) -> Lines:
    """Move notes to the grid; of several on one step the last stays, of a skyline the highest."""
    counts = [len(notes) for notes in voices]
    owner = np.repeat(np.arange(len(voices)), counts)
    onset, offset, pitch, velocity = (
        np.concatenate([getattr(notes, name) for notes in voices])
        for name in ("onset", "offset", "pitch", "velocity")
    )
    divisions = np.unique(ticks_per_quarter)
    # One number is faster than one a note.
    division = divisions[0] if len(divisions) == 1 else np.repeat(ticks_per_quarter, counts)
    step = ticks_to_steps(onset, division, steps_per_quarter)
    if is_skyline:  # owners and their divisions keep their places
        order = np.lexsort((pitch, step, owner))
        onset, offset, pitch, velocity, step = (
            column[order] for column in (onset, offset, pitch, velocity, step)
        )
    is_last = np.ones(len(step), dtype=bool)
    is_last[:-1] = (step[1:] != step[:-1]) | (owner[1:] != owner[:-1])
    last_played = is_last.nonzero()[0]
    is_on_grid = _is_near(onset, step, division, steps_per_quarter)
    step, owner = step[last_played], owner[last_played]
    if len(divisions) > 1:
        division = division[last_played]
    end_step = ticks_to_steps(offset[last_played], division, steps_per_quarter)
    end_step = np.maximum(end_step, step + 1)
    is_within = owner[1:] == owner[:-1]
    end_step[:-1] = np.where(is_within, np.minimum(end_step[:-1], step[1:]), end_step[:-1])
    onset_tick = steps_to_ticks(step, division, steps_per_quarter)
    offset_tick = steps_to_ticks(end_step, division, steps_per_quarter)
    return Lines(
        owner=owner,
        onset=onset_tick,
        offset=np.maximum(offset_tick, onset_tick + 1),  # where the grid is finer than the ticks
        step=step,
        pitch=pitch[last_played],
        velocity=velocity[last_played],
        first_played=np.concatenate(([0], last_played[:-1] + 1)),
        last_played=last_played,
        played=onset,
        is_on_grid=is_on_grid,
    )


def near_grid(onset: np.ndarray, ticks_per_quarter: int, steps_per_quarter: int) -> np.ndarray:
    """Whether each onset lies near a step of a grid."""
    step = ticks_to_steps(onset, ticks_per_quarter, steps_per_quarter)
    return _is_near(onset, step, ticks_per_quarter, steps_per_quarter)


def _is_near(
    onset: np.ndarray, step: np.ndarray, ticks_per_quarter: int | np.ndarray, steps_per_quarter: int
) -> np.ndarray:
    distance = np.abs(onset * steps_per_quarter - step * ticks_per_quarter)
    return distance <= GRID_TOLERANCE * ticks_per_quarter


def cut_at_rests(lines: Lines, bar_maps: BarMaps, max_rest_bars: int, max_bars: int) -> Spans:
    """Stretches without a long rest, none too long, each from a bar line to a bar line."""
    owner, count = lines.owner, len(lines.owner)
    twice = np.concatenate((owner, owner))
    bars = bar_maps.bar(np.concatenate((lines.onset, lines.offset - 1)), twice)
    bar, bar_after = bars[:count], bars[count:] + 1  # whose line is the first after each note
    line = bar_maps.start(np.concatenate((bar_after, bar_after + max_rest_bars)), twice)
    longest_rest = line[count:] - line[:count]
    is_cut = lines.onset[1:] - lines.offset[:-1] > longest_rest[:-1]
    is_cut &= bar[1:] >= bar_after[:-1]  # a bar is never cut in two
    is_cut |= owner[1:] != owner[:-1]
    edges = np.concatenate(([0], is_cut.nonzero()[0] + 1, [count]))
    if (bar[edges[1:] - 1] - bar[edges[:-1]] >= max_bars).any():
        edges = _cut_at_bars(edges.tolist(), bar, max_bars)
    low, high = edges[:-1], edges[1:]
    voice, first_bar = owner[low], bar[low]
    bars = np.minimum(bar_after[high - 1] - first_bar, max_bars)
    start = bar_maps.start(first_bar, voice)
    end = bar_maps.start(first_bar + bars, voice)
    return Spans(voice, low, high, first_bar, bars, start, end)


def _cut_at_bars(edges: list[int], bar: np.ndarray, max_bars: int) -> np.ndarray:
    """Cut again where a stretch has too many bars."""
    finer = []
    for first, after in pairwise(edges):
        while first < after:
            finer.append(first)
            too_far = np.searchsorted(bar[first:after], bar[first] + max_bars)
            first += int(too_far)
    return np.array([*finer, edges[-1]])
