"""Nine drums on a grid: what is struck, how hard, and how early or late. Start at `hear_drums`.

| drum | played as | General MIDI notes, and those of the Roland TD-11 |
|---|---|---|
| kick | 36 | 35 36 |
| snare | 38 | 37 38 39 40 |
| closed hi-hat | 42 | 22 42 44 54 69 70 82 |
| open hi-hat | 46 | 26 46 |
| low tom | 43 | 41 43 58 61 64 66 |
| mid tom | 47 | 45 47 60 63 65 |
| high tom | 50 | 48 50 62 |
| crash | 49 | 49 52 55 57 |
| ride | 51 | 51 53 56 59 |

`Hits` are three tables: which drums are struck at each step, with what velocity, and how far off
the grid, in steps from -0.5 to 0.5. A set of drums is also one number: bit n is drum n, the kick
first, so 0 is silence and there are 512. Strokes shorter or longer are alike.

References
----------
Gillick, Roberts, Engel, Eck and Bamman, "Learning to Groove with Inverse Sequence Transformations",
ICML 2019 (the nine drums, velocity and offset; table of the TD-11's notes on the data set's page);
Roberts et al., "MusicVAE", ICML 2018 (sets of nine drums as 512 tokens).
"""

from typing import NamedTuple

import numpy as np

from partimento.errors import ParameterError
from partimento.music.grid import Grid
from partimento.music.notes import Notes
from partimento.music.score import Score
from partimento.music.time_transforms import with_whole_steps

DRUMS = (
    "kick", "snare", "closed hi-hat", "open hi-hat", "low tom", "mid tom", "high tom", "crash",
    "ride",
)  # fmt: skip
PLAYED = np.array([36, 38, 42, 46, 43, 47, 50, 49, 51])
_HEARD = (
    (35, 36), (37, 38, 39, 40), (22, 42, 44, 54, 69, 70, 82), (26, 46), (41, 43, 58, 61, 64, 66),
    (45, 47, 60, 63, 65), (48, 50, 62), (49, 52, 55, 57), (51, 53, 56, 59),
)  # fmt: skip
NO_DRUM = -1
DRUM_OF = np.full(128, NO_DRUM)  # pitch
for _number, _pitches in enumerate(_HEARD):
    DRUM_OF[list(_pitches)] = _number
BITS = 1 << np.arange(len(DRUMS))


class Hits(NamedTuple):
    """Strokes on a grid, each of shape (step, 9).

    Attributes
    ----------
    is_hit : bool array
    velocity : float32 array
        0 to 1; 0 where nothing is struck.
    offset : float32 array
        In steps: negative is early, positive is late, -0.5 up to 0.5.
    """

    is_hit: np.ndarray
    velocity: np.ndarray
    offset: np.ndarray

    @property
    def tokens(self) -> np.ndarray:
        """Set of drums of each step, int64, shape (step,)."""
        return tokens_of(self.is_hit)


def hits_of(tokens: np.ndarray) -> np.ndarray:
    """Which drums tokens strike: bool, one more axis of nine."""
    return (np.asarray(tokens)[..., None] & BITS) > 0


def tokens_of(is_hit: np.ndarray) -> np.ndarray:
    """Undo `hits_of`."""
    return (is_hit * BITS).sum(axis=-1)


def lay_strokes(
    notes: Notes, ticks_per_quarter: int, steps_per_quarter: int, steps: int | None = None
) -> Hits:
    """Lay strokes on a grid; of several of a drum on one step, the loudest counts.

    Parameters
    ----------
    notes
        Of percussion, by their General MIDI pitches. Instruments that are none of the nine drums
        are passed over, and so are strokes beyond `steps`.
    steps
        Length of the result; `None` ends it after the last stroke.
    """
    drum = DRUM_OF[notes.pitch]
    kept = drum != NO_DRUM
    exact = notes.onset[kept] * steps_per_quarter / ticks_per_quarter  # step
    step = np.floor(exact + 0.5).astype(np.int64)
    drum, velocity = drum[kept], notes.velocity[kept]
    if steps is not None:  # what is played ahead of the next window's first step is its own
        drum, velocity, exact = drum[step < steps], velocity[step < steps], exact[step < steps]
        step = step[step < steps]
    length = int(step.max(initial=-1)) + 1 if steps is None else steps
    if length < 0:
        raise ParameterError(f"steps must be 0 or more, got {steps}")
    is_hit = np.zeros((length, len(DRUMS)), dtype=bool)
    loud = np.zeros(is_hit.shape, dtype=np.float32)
    offset = np.zeros(is_hit.shape, dtype=np.float32)
    order = np.argsort(velocity, kind="stable")  # the loudest is written last
    place = step[order], drum[order]
    is_hit[place] = True
    loud[place] = velocity[order] / 127
    offset[place] = np.clip((exact - step)[order], -0.5, np.nextafter(np.float32(0.5), 0))
    return Hits(is_hit, loud, offset)


def without_overlap(notes: Notes) -> Notes:
    """Cut strokes short where the next of the same pitch begins: a drum has one skin."""
    order = np.lexsort((notes.onset, notes.pitch))
    onset, pitch = notes.onset[order], notes.pitch[order]
    room = np.full(len(order), np.iinfo(np.int64).max)
    room[:-1] = np.where(pitch[1:] == pitch[:-1], onset[1:] - onset[:-1], room[:-1])
    duration = notes.duration.copy()
    duration[order] = np.maximum(1, np.minimum(notes.duration[order], room))
    return Notes(notes.onset, duration, notes.pitch, notes.velocity)


def ending_by(notes: Notes, end: int) -> Notes:
    """Have strokes end by a tick: one that is played late must not make a piece longer."""
    onset = np.minimum(notes.onset, max(0, end - 1))
    duration = np.maximum(1, np.minimum(notes.duration, end - onset))
    return Notes(onset, duration, notes.pitch, notes.velocity)


def drum_notes(score: Score) -> Notes:
    """All strokes of a piece, in order.

    Raises
    ------
    ParameterError
        If it has no drums.
    """
    tables = [part.notes for part in score.parts if part.is_drum and len(part.notes)]
    if not tables:
        what = "is empty" if not score.num_notes else "has notes, but no drums (MIDI channel 10)"
        raise ParameterError(
            f"the piece {what}, and this model knows drums alone: for a melody take melody-vae"
        )
    joined = np.concatenate(
        [np.stack([n.onset, n.duration, n.pitch, n.velocity]) for n in tables], axis=1
    )
    return Notes.of_table(joined[:, np.lexsort((joined[2], joined[0]))])


class HeardDrums(NamedTuple):
    """The drums of a piece on the grid.

    Attributes
    ----------
    hits : Hits
    grid : Grid
        Of the same length: to the end of the last bar.
    unknown : int
        Strokes that are of none of the nine drums.
    merged : int
        Strokes on the step of a louder one of the same drum (flams, rolls), or beyond the last bar.
    """

    hits: Hits
    grid: Grid
    unknown: int
    merged: int


def hear_drums(score: Score, steps_per_quarter: int = 4) -> HeardDrums:
    """Lay the drums of a piece on the grid.

    Raises
    ------
    ParameterError
        If it has no drums, or a bar that is no whole number of steps.
    """
    score = with_whole_steps(score, 4 * steps_per_quarter)
    notes = drum_notes(score)
    grid = Grid.of(score, steps_per_quarter)
    hits = lay_strokes(notes, score.ticks_per_quarter, steps_per_quarter, len(grid))
    known = int((DRUM_OF[notes.pitch] != NO_DRUM).sum())
    return HeardDrums(hits, grid, len(notes) - known, known - int(hits.is_hit.sum()))
