"""The sustain pedal: kept as data in a score, and turned into note lengths on request."""

from dataclasses import replace

import numpy as np

from partimento.music.notes import HIGHEST_PITCH, Notes
from partimento.music.score import SUSTAIN_PEDAL, Part, Score

PEDAL_IS_DOWN = 64  # values from here on


def apply_sustain(score: Score) -> Score:
    """Turn the sustain pedal into note lengths, and leave out its moves.

    A note whose key comes up while the pedal is down sounds until the pedal comes up, the same
    pitch starts again, or the piece ends. On one tick the pedal moves before the keys. Drums do
    not hear the pedal and are left alone.
    """
    return score.with_parts(
        [part if part.is_drum else _sustained(part, score.end_tick) for part in score.parts]
    )


def _sustained(part: Part, end_tick: int) -> Part:
    moves = [c for c in part.controls if c.number == SUSTAIN_PEDAL and c.tick <= end_tick]
    # One state a tick (the last move there wins), beginning with the pedal up.
    state = {-1: False} | {move.tick: move.value >= PEDAL_IS_DOWN for move in moves}
    tick = np.array([*state, end_tick + 1])
    is_down = np.array([*state.values(), False])
    # Index of the first move from each on that finds the pedal up: a minimum from the right.
    up = np.where(is_down, len(tick) - 1, np.arange(len(tick)))
    next_up = np.minimum.accumulate(up[::-1])[::-1]
    notes = part.notes
    at_release = np.searchsorted(tick, notes.offset, side="right") - 1
    release = np.minimum(tick[next_up[at_release]], end_tick)
    held = np.where(is_down[at_release], np.maximum(release, notes.offset), notes.offset)
    duration = np.minimum(held, _next_start(notes, end_tick)) - notes.onset
    return replace(
        part,
        notes=replace(notes, duration=duration),
        controls=tuple(c for c in part.controls if c.number != SUSTAIN_PEDAL),
    )


def _next_start(notes: Notes, end_tick: int) -> np.ndarray:
    """Tick at which each note's pitch starts again, not before the note itself ends."""
    beyond = max(end_tick, notes.end) + 1
    starts = np.sort(notes.pitch * (beyond + 1) + notes.onset)  # pitch first, then onset
    wanted = notes.pitch * (beyond + 1) + notes.offset
    found = np.append(starts, (HIGHEST_PITCH + 1) * (beyond + 1))[np.searchsorted(starts, wanted)]
    is_same_pitch = found // (beyond + 1) == notes.pitch
    return np.where(is_same_pitch, found % (beyond + 1), beyond)
