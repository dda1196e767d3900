"""Several instruments as piano rolls: which pitches sound at each step, and which are struck there.

A roll of what sounds alone cannot tell a long note from a repeated one, so there are two:
`TrackRolls.sustain` and `TrackRolls.onset`. `lay_tracks` makes them from notes on the grid
(`grid_notes`), `notes_of_roll` reads them as notes again.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from partimento.music.notes import Notes
from partimento.music.timing import steps_to_ticks

PITCHES = 128
OFF_GRID = 0.1  # of a step: a note that begins farther from one, or is shorter than 1 less this
USUAL_VELOCITY = 80


class GridNotes(NamedTuple):
    """Notes on a grid, in order of onset.

    Attributes
    ----------
    onset, end, pitch : int64 arrays, shape (note,)
        In steps; every note lasts one step at least.
    is_off : bool array, shape (note,)
        Whether it had to be moved, or made longer, to stand on the grid.
    """

    onset: np.ndarray
    end: np.ndarray
    pitch: np.ndarray
    is_off: np.ndarray


@dataclass(frozen=True, eq=False)
class TrackRolls:
    """Piano rolls of several tracks.

    Attributes
    ----------
    onset, sustain : bool arrays, shape (track, step, pitch)
        Which pitches are struck, and which sound. What is struck sounds.
    """

    onset: np.ndarray
    sustain: np.ndarray


def grid_notes(notes: Notes, ticks_per_quarter: int, steps_per_quarter: int) -> GridNotes:
    """Move notes to the nearest steps."""
    start = notes.onset * steps_per_quarter / ticks_per_quarter
    length = notes.duration * steps_per_quarter / ticks_per_quarter
    onset = np.rint(start).astype(np.int64)
    end = np.maximum(np.rint(start + length).astype(np.int64), onset + 1)
    is_off = (np.abs(start - onset) > OFF_GRID) | (length < 1 - OFF_GRID)
    return GridNotes(onset, end, notes.pitch.astype(np.int64), is_off)


def lay_tracks(tracks: list[GridNotes], steps: int) -> TrackRolls:
    """Lay notes on rolls of so many steps; what lies beyond is cut off."""
    onset = np.zeros((len(tracks), steps, PITCHES), dtype=bool)
    change = np.zeros((len(tracks), steps + 1, PITCHES), dtype=np.int16)
    for number, notes in enumerate(tracks):
        inside = notes.onset < steps
        start, end = notes.onset[inside], np.minimum(notes.end[inside], steps)
        pitch = notes.pitch[inside]
        onset[number, start, pitch] = True
        np.add.at(change[number], (start, pitch), 1)
        np.add.at(change[number], (end, pitch), -1)
    return TrackRolls(onset, change.cumsum(axis=1)[:, :steps] > 0)


def notes_of_roll(
    onset: np.ndarray, sustain: np.ndarray, ticks_per_quarter: int, steps_per_quarter: int
) -> Notes:
    """Read the rolls of one track, (step, pitch), as notes: each lasts until it ends or is struck.

    What sounds without having been struck begins where it begins to sound.
    """
    pitch, step, length = _notes(onset.T, sustain.T)
    start = steps_to_ticks(step, ticks_per_quarter, steps_per_quarter)
    stop = steps_to_ticks(step + length, ticks_per_quarter, steps_per_quarter)
    order = np.lexsort((pitch, start))
    velocity = np.full(len(step), USUAL_VELOCITY)
    return Notes(start[order], (stop - start)[order], pitch[order], velocity)


def run_lengths(onset: np.ndarray, sustain: np.ndarray) -> np.ndarray:
    """Count, at each onset, the steps until the note ends or is struck again; 0 elsewhere.

    Parameters
    ----------
    onset, sustain
        Shape (..., step, pitch).
    """
    lengths = np.zeros(sustain.shape, dtype=np.int16)
    *rest, step, length = _notes(np.swapaxes(onset, -1, -2), np.swapaxes(sustain, -1, -2))
    *places, pitch = rest
    lengths[(*places, step, pitch)] = length
    return np.where(onset, lengths, 0)


def _notes(onset: np.ndarray, sustain: np.ndarray) -> tuple[np.ndarray, ...]:
    """Where notes begin, an index an axis of rolls (..., step), and how many steps they last.

    Along a row each beginning is followed by its own end: so both can be found at once.
    """
    nothing = np.zeros((*sustain.shape[:-1], 1), dtype=bool)
    before = np.concatenate([nothing, sustain[..., :-1]], axis=-1)
    begins = sustain & (onset | ~before)
    goes_on = np.concatenate([sustain[..., 1:] & ~begins[..., 1:], nothing], axis=-1)
    where = np.nonzero(begins)
    ends = np.nonzero(sustain & ~goes_on)[-1]
    return (*where, ends - where[-1] + 1)
