"""Drums on a staff: where each General MIDI drum stands, and with which head.

As in Weinberg, "Guidelines for Drumset Notation", Percussive Notes 1994: cymbals above with
crosses, snare in the third space, kick in the first.
"""

from typing import NamedTuple


class Place(NamedTuple):
    """Line or space of a five-line staff, as if it had a treble clef, and the head."""

    step: str
    octave: int
    head: str = ""


SNARE = 38
PLACES = {
    22: Place("G", 5, "x"), 26: Place("G", 5, "circle-x"), 35: Place("E", 4), 36: Place("F", 4),
    37: Place("C", 5, "x"), 38: Place("C", 5), 39: Place("C", 5, "slash"),
    40: Place("C", 5), 41: Place("G", 4),
    42: Place("G", 5, "x"), 43: Place("A", 4), 44: Place("D", 4, "x"), 45: Place("B", 4),
    46: Place("G", 5, "circle-x"), 47: Place("D", 5), 48: Place("D", 5), 49: Place("A", 5, "x"),
    50: Place("E", 5), 51: Place("F", 5, "x"), 52: Place("B", 5, "x"), 53: Place("F", 5, "diamond"),
    54: Place("D", 5, "triangle"), 55: Place("B", 5, "x"), 56: Place("E", 5, "triangle"),
    57: Place("A", 5, "x"), 59: Place("F", 5, "x"),
}  # fmt: skip
ELSE = Place("E", 5, "triangle")


def place_of(pitch: int) -> Place:
    """Place of a drum; those that have none of their own share one.

    Examples
    --------
    >>> place_of(36), place_of(42).head
    (Place(step='F', octave=4, head=''), 'x')
    """
    return PLACES.get(pitch, ELSE)
