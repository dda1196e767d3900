"""Pitches by name: ``from partimento.music.pitches import c4, fs4, bf3, rest``.

A name is a letter, `s` for sharp or `f` for flat, and an octave: `c4` is middle C, MIDI note
number 60. They are plain integers from `c0` (12) to `g9` (127), so ``c4 + 7`` is `g4`. `rest` is
silence. `pitch_number` reads a name from text, where `#` and `b` work too; `pitch_name` writes one.
"""

import re
from enum import Enum

from partimento.errors import NotationError
from partimento.music.notes import HIGHEST_PITCH, LOWEST_PITCH
from partimento.music.score import Key


class Rest(Enum):
    """The type of `rest`: one value, which is no pitch and cannot be mistaken for one."""

    REST = "rest"

    def __repr__(self) -> str:
        return "rest"


rest = Rest.REST

PITCH_CLASSES = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
NAME = re.compile(r"([a-g])(?:(s{1,2}|#{1,2}|♯{1,2})|(f{1,2}|b{1,2}|♭{1,2}))?(-?[0-9])")

LINE_OF_FIFTHS = "fcgdaeb"  # then the same with sharps to the right, with flats to the left
SHARPS_ONLY = -1  # the window of twelve fifths that starts at F: F C G D A E B F# C# G# D# A#


def pitch_number(name: str) -> int:
    """MIDI note number of a name: `c4` is 60, `fs4` and `f#4` 66, `bb3` (B flat) 58.

    Any case; octaves from -1, where MIDI begins. Raises `NotationError`.

    Examples
    --------
    >>> pitch_number("c4"), pitch_number("bb3"), pitch_number("b3"), pitch_number("bf3")
    (60, 58, 59, 58)
    """
    found = NAME.fullmatch(name.lower())
    if not found:
        raise NotationError(
            f"{name[:20]!r} is not a pitch: a letter a-g, # or s (sharp), b or f (flat) or "
            "nothing, and an octave, as in c4, f#4 or bf3"
        )
    letter, sharps, flats, octave = found.groups(default="")
    pitch = 12 * (int(octave) + 1) + PITCH_CLASSES[letter] + len(sharps) - len(flats)
    if not LOWEST_PITCH <= pitch <= HIGHEST_PITCH:
        raise NotationError(f"{name} is pitch {pitch}: MIDI has {LOWEST_PITCH} to {HIGHEST_PITCH}")
    return pitch


def pitch_name(pitch: int, key: Key | None = None, *, with_signs: bool = False) -> str:
    """Name of a MIDI note number.

    Parameters
    ----------
    pitch
        0-127.
    key
        Spells the black keys as this key does, F sharp in D major and G flat in D flat major:
        the name nearest to the key on the line of fifths. `None` writes sharps.
    with_signs
        ``f#4`` and ``bb3`` instead of ``fs4`` and ``bf3``.

    Examples
    --------
    >>> pitch_name(60), pitch_name(58), pitch_name(58, Key(0, -1)), pitch_name(66, with_signs=True)
    ('c4', 'as3', 'bf3', 'f#4')
    """
    if not LOWEST_PITCH <= pitch <= HIGHEST_PITCH:
        raise NotationError(f"pitch {pitch} has no name: {LOWEST_PITCH} to {HIGHEST_PITCH} have")
    # Twelve neighbours on the line of fifths hold each pitch class once. From three fifths below
    # the tonic of the major key, minor gets its raised sixth and seventh as sharps. Held between
    # F flat and B sharp, so that no name needs two signs.
    first = SHARPS_ONLY if key is None else max(-8, min(key.fifths - 3, 1))
    fifths = first + (7 * pitch - first) % 12
    sharps, place = divmod(fifths + 1, 7)
    sign = ("#" if sharps > 0 else "b") if with_signs else ("s" if sharps > 0 else "f")
    octave = (pitch - sharps) // 12 - 1
    return f"{LINE_OF_FIFTHS[place]}{sign if sharps else ''}{octave}"


Octave = tuple[int, int, int, int, int, int, int]


def _naturals(octave: int) -> Octave:
    """C D E F G A B of an octave."""
    c = 12 * (octave + 1)
    return c, c + 2, c + 4, c + 5, c + 7, c + 9, c + 11


def _sharps(octave: int) -> Octave:
    """C sharp to B sharp."""
    c, d, e, f, g, a, b = _naturals(octave)
    return c + 1, d + 1, e + 1, f + 1, g + 1, a + 1, b + 1


def _flats(octave: int) -> Octave:
    """C flat to B flat."""
    c, d, e, f, g, a, b = _naturals(octave)
    return c - 1, d - 1, e - 1, f - 1, g - 1, a - 1, b - 1


# Written out, so that editors and type checkers know every name.
c0, d0, e0, f0, g0, a0, b0 = _naturals(0)
cs0, ds0, es0, fs0, gs0, as0, bs0 = _sharps(0)
cf0, df0, ef0, ff0, gf0, af0, bf0 = _flats(0)
c1, d1, e1, f1, g1, a1, b1 = _naturals(1)
cs1, ds1, es1, fs1, gs1, as1, bs1 = _sharps(1)
cf1, df1, ef1, ff1, gf1, af1, bf1 = _flats(1)
c2, d2, e2, f2, g2, a2, b2 = _naturals(2)
cs2, ds2, es2, fs2, gs2, as2, bs2 = _sharps(2)
cf2, df2, ef2, ff2, gf2, af2, bf2 = _flats(2)
c3, d3, e3, f3, g3, a3, b3 = _naturals(3)
cs3, ds3, es3, fs3, gs3, as3, bs3 = _sharps(3)
cf3, df3, ef3, ff3, gf3, af3, bf3 = _flats(3)
c4, d4, e4, f4, g4, a4, b4 = _naturals(4)
cs4, ds4, es4, fs4, gs4, as4, bs4 = _sharps(4)
cf4, df4, ef4, ff4, gf4, af4, bf4 = _flats(4)
c5, d5, e5, f5, g5, a5, b5 = _naturals(5)
cs5, ds5, es5, fs5, gs5, as5, bs5 = _sharps(5)
cf5, df5, ef5, ff5, gf5, af5, bf5 = _flats(5)
c6, d6, e6, f6, g6, a6, b6 = _naturals(6)
cs6, ds6, es6, fs6, gs6, as6, bs6 = _sharps(6)
cf6, df6, ef6, ff6, gf6, af6, bf6 = _flats(6)
c7, d7, e7, f7, g7, a7, b7 = _naturals(7)
cs7, ds7, es7, fs7, gs7, as7, bs7 = _sharps(7)
cf7, df7, ef7, ff7, gf7, af7, bf7 = _flats(7)
c8, d8, e8, f8, g8, a8, b8 = _naturals(8)
cs8, ds8, es8, fs8, gs8, as8, bs8 = _sharps(8)
cf8, df8, ef8, ff8, gf8, af8, bf8 = _flats(8)
c9, d9, e9, f9, g9 = _naturals(9)[:5]
cs9, ds9, es9, fs9 = _sharps(9)[:4]
cf9, df9, ef9, ff9, gf9 = _flats(9)[:5]
