"""What a model of four parts hears of a piece: `hear_quartet`.

Four parts with notes are the four parts, in their order. Anything else is taken apart as
`partimento.music.voice_reading` does: a hymn on two staves, a trio, a melody with a bass. Each part
is one line; of notes that sound together in it the highest is heard, in the lowest part the lowest.
"""

from dataclasses import dataclass

import numpy as np

from partimento.errors import ParameterError
from partimento.music.grid import Grid
from partimento.music.notes import Notes
from partimento.music.score import Part, Score
from partimento.music.time_transforms import with_whole_steps
from partimento.music.track_rolls import grid_notes
from partimento.music.voice_reading import voices_of
from partimento.representations.bars import QUARTET, BarsRepresentation, line_tokens
from partimento.representations.melody import FIRST_PITCH

PLAYERS: tuple[tuple[str, int], ...] = (
    ("Violin 1", 40),
    ("Violin 2", 40),
    ("Viola", 41),
    ("Violoncello", 42),
)


@dataclass(frozen=True, eq=False)
class HeardQuartet:
    """Four parts on the grid.

    Attributes
    ----------
    tokens : int64 array, shape (part, step)
    grid : Grid
    players : tuple of (str, int)
        Name and General MIDI program of each part.
    remarks : tuple of str
        What was changed for the model's ears.
    """

    tokens: np.ndarray
    grid: Grid
    players: tuple[tuple[str, int], ...]
    remarks: tuple[str, ...]


def hear_quartet(score: Score, representation: BarsRepresentation) -> HeardQuartet:
    """Read four parts of a piece.

    Raises
    ------
    ParameterError
        If there are no notes but of drums, more parts than four, or pitches beyond the model's.
    """
    score = with_whole_steps(score, representation.steps_per_quarter)
    parts = [part for part in score.parts if len(part.notes) and not part.is_drum]
    if not parts:
        what = "has drums alone" if score.num_notes else "is empty"
        raise ParameterError(f"the piece {what}, and this model knows four parts with pitches")
    players, remarks = PLAYERS, list[str]()
    if len(parts) == QUARTET:
        lines = [part.notes for part in parts]
        players = tuple(_player(part, usual) for part, usual in zip(parts, PLAYERS, strict=True))
    else:
        read = voices_of(score)
        lines = list(read.notes)
        remarks += read.remarks
        if read.left_aside:
            raise ParameterError(
                f"the piece has parts beside the four voices ({len(parts)} parts with notes): give "
                "this model four parts"
            )
        there = [name for (name, _), line in zip(PLAYERS, lines, strict=True) if len(line)]
        remarks.append(f"the piece has {len(parts)} part{'s' * (len(parts) != 1)}: it is heard as "
                       f"{', '.join(there)}")  # fmt: skip
    grid = Grid.of(score, representation.steps_per_quarter)
    heard, off, together = [], 0, 0
    for number, notes in enumerate(lines):
        laid = grid_notes(notes, score.ticks_per_quarter, representation.steps_per_quarter)
        tokens, is_unfit = line_tokens(
            laid, representation, len(grid), is_bass=number == QUARTET - 1
        )
        if is_unfit.any():
            _refuse_pitches(notes, players[number][0], representation)
        heard.append(tokens)
        off += int(laid.is_off.sum())
        together += len(notes) - int((tokens >= FIRST_PITCH).sum())
    if off:
        remarks.append(f"{off} notes are off the grid of the model: it hears them on it")
    if together:
        remarks.append(
            f"{together} notes that sound with others of their part are not heard: each part is "
            "one line"
        )
    return HeardQuartet(np.stack(heard), grid, players, tuple(remarks))


def _player(part: Part, usual: tuple[str, int]) -> tuple[str, int]:
    return part.name or usual[0], part.program


def _refuse_pitches(notes: Notes, name: str, representation: BarsRepresentation) -> None:
    low, high = int(notes.pitch.min()), int(notes.pitch.max())
    raise ParameterError(
        f"{name} spans pitches {low}-{high}, this model's are {representation.lowest}-"
        f"{representation.highest}: transpose the piece"
    )
