"""Transposition: every pitch moved alike, so that intervals stay and only the key changes.

`playable_keys` says how far a piece can go; `transpose` moves it.
"""

from dataclasses import replace

import numpy as np

from partimento.errors import PitchRangeError
from partimento.music.keys import key_of_tonic
from partimento.music.notes import HIGHEST_PITCH, LOWEST_PITCH, Notes
from partimento.music.score import Key, Score


def transpose(score: Score, semitones: int) -> Score:
    """Move every note by the same number of semitones, and the key signatures with them.

    Parts of drums stay as they are, since their pitches are instruments. Keys are spelled with
    the fewest sharps or flats.

    Raises
    ------
    PitchRangeError
        If a note would leave 0-127.

    Examples
    --------
    >>> from partimento.music.notation import seq
    >>> seq("c4:q e4:q").transpose(7).parts[0].notes.pitch.tolist()
    [67, 71]
    """
    return replace(
        score,
        parts=tuple(
            part if part.is_drum else replace(part, notes=transpose_notes(part.notes, semitones))
            for part in score.parts
        ),
        keys=tuple(_transposed_key(key, semitones) for key in score.keys),
    )


def transpose_notes(notes: Notes, semitones: int) -> Notes:
    """Move every note of a table; `transpose` does so for whole scores."""
    moved = notes.pitch + semitones  # note
    is_out = (moved < LOWEST_PITCH) | (moved > HIGHEST_PITCH)
    if is_out.any():
        first = int(is_out.argmax())
        raise PitchRangeError(
            f"pitch {notes.pitch[first]} at tick {notes.onset[first]} cannot move by "
            f"{semitones:+d} semitones: {moved[first]} is outside {LOWEST_PITCH}-{HIGHEST_PITCH}. "
            "playable_keys() lists the moves that fit this piece."
        )
    return replace(notes, pitch=moved)


def playable_keys(score: Score, lowest: int = LOWEST_PITCH, highest: int = HIGHEST_PITCH) -> range:
    """List the moves, in semitones, that keep every note (drums aside) from `lowest` to `highest`.

    Empty where the piece spans more than that; without notes, an octave each way.
    """
    pitched = [part.notes.pitch for part in score.parts if len(part.notes) and not part.is_drum]
    if not pitched:
        return range(-12, 13)
    pitch = np.concatenate(pitched)
    return range(lowest - int(pitch.min()), highest - int(pitch.max()) + 1)


def _transposed_key(key: Key, semitones: int) -> Key:
    if semitones % 12 == 0:
        return key
    return key_of_tonic((key.tonic + semitones) % 12, key.is_minor)._replace(tick=key.tick)
