"""Spelling: whether a black key is a sharp or a flat, read from the key and from where a line goes.

`spell` names the notes of one line. Notes of the scale are named as the key signature has them, and
so are the raised sixth and seventh of minor. A strange note that moves on by a semitone is named
as that note's neighbour: up, it is raised (D sharp to E); down, it is lowered (A flat to G). Any
other takes the name nearest to the key along the line of fifths.
"""

from collections.abc import Sequence
from typing import NamedTuple

from partimento.music.keys import estimate_key, scale_pitch_classes
from partimento.music.notes import Notes
from partimento.music.score import Key, Part

STEPS = "CDEFGAB"
STEP_PITCH_CLASSES = (0, 2, 4, 5, 7, 9, 11)
LINE_OF_FIFTHS = "FCGDAEB"
FEWEST_NOTES = 8  # that a key is heard in
FLATTEST, SHARPEST = -8, 12  # F flat and B sharp: beyond, names need two signs
LOWEST_OCTAVE = -1  # of MIDI and of MusicXML


class Spelled(NamedTuple):
    """A note by its written name: `alter` counts sharps, and flats below 0."""

    step: str
    alter: int
    octave: int

    @property
    def pitch(self) -> int:
        """MIDI note number."""
        return 12 * (self.octave + 1) + STEP_PITCH_CLASSES[STEPS.index(self.step)] + self.alter

    def __str__(self) -> str:
        sign = "#" if self.alter > 0 else "b"
        return f"{self.step}{sign * abs(self.alter)}{self.octave}"


def spell(pitches: Sequence[int], keys: Sequence[Key]) -> list[Spelled]:
    """Name the notes of one line.

    Parameters
    ----------
    pitches
        In order of time.
    keys
        The key that each note stands in.

    Examples
    --------
    >>> c_major = [Key(0, 0)] * 4
    >>> [str(name) for name in spell([64, 63, 62, 61], c_major)]
    ['E4', 'Eb4', 'D4', 'C#4']
    >>> [str(name) for name in spell([67, 68, 69, 60], c_major)]
    ['G4', 'G#4', 'A4', 'C4']
    """
    following = [*pitches[1:], None]
    triples = zip(pitches, following, keys, strict=True)
    return [
        spell_one(pitch, key, () if after is None else (after,)) for pitch, after, key in triples
    ]


def spell_one(pitch: int, key: Key, following: Sequence[int] = ()) -> Spelled:
    """Name one note; `following` are the pitches that the line, or the chord, moves on to."""
    place = place_in_key(pitch, key)
    if pitch % 12 not in scale_pitch_classes(key, with_raised=key.is_minor):
        # A semitone between two letters is five places along the line of fifths.
        for step in (1, -1):
            near = place_in_key(pitch + step, key) + 5 * step
            if pitch + step in following and FLATTEST <= near <= SHARPEST:
                place = near
                break
    return _named(pitch, place)


def place_in_key(pitch: int, key: Key) -> int:
    """Place of a pitch's usual name along the line of fifths: C is 0, G 1, F -1.

    Twelve neighbours hold each pitch class once; they start three fifths below the signature, so
    minor gets its raised sixth and seventh as it writes them.
    """
    first = key.fifths - 3
    return first + (7 * pitch - first) % 12


def key_heard(parts: Sequence[Part]) -> Key:
    """Key for a page whose music names none: as heard, or C major where there is little to hear."""
    notes = [part.notes for part in parts if not part.is_drum]
    if sum(map(len, notes)) < FEWEST_NOTES:
        return Key(0, 0)
    every = Notes(
        [tick for table in notes for tick in table.onset.tolist()],
        [ticks for table in notes for ticks in table.duration.tolist()],
        [pitch for table in notes for pitch in table.pitch.tolist()],
    )
    return estimate_key(every)


def _named(pitch: int, place: int) -> Spelled:
    alter, letter = divmod(place + 1, 7)
    octave = (pitch - alter) // 12 - 1
    if octave < LOWEST_OCTAVE:
        return _named(pitch, place - 12)  # C, for B sharp
    return Spelled(LINE_OF_FIFTHS[letter], alter, octave)
