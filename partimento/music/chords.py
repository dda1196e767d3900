"""Chords: naming what sounds together.

`chord_of` names some pitches (``"G7/B"``), `chords_of` many moments at once. A chord is the root
and quality of `QUALITIES` that leaves the fewest notes unexplained; what it does not explain
(passing notes, suspensions) is kept in `others`. The fifth may be missing, the third may not, but
for the bare fifth. Where two names fit alike the one on the bass wins, then the simpler one:
C-E-G-A is Am7/C over C and Am7 over A.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np

from partimento.music.score import TONICS, Key

# Simpler ones first: what a name adds to the root's, and its intervals above the root.
QUALITIES: dict[str, tuple[int, ...]] = {
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "dim": (0, 3, 6),
    "7": (0, 4, 7, 10),
    "m7": (0, 3, 7, 10),
    "maj7": (0, 4, 7, 11),
    "m7b5": (0, 3, 6, 10),
    "dim7": (0, 3, 6, 9),
    "aug": (0, 4, 8),
    "sus4": (0, 5, 7),
    "7sus4": (0, 5, 7, 10),
    "m(maj7)": (0, 3, 7, 11),
    "sus2": (0, 2, 7),
    "5": (0, 7),
    "add9": (0, 2, 4, 7),
    "m(add9)": (0, 2, 3, 7),
    "9": (0, 2, 4, 7, 10),
    "7b9": (0, 1, 4, 7, 10),
    "aug7": (0, 4, 8, 10),
}
UNISON = "unison"  # a pitch class alone, or with others that make no chord with it
MAY_LACK_FIFTH = ("", "m", "7", "m7", "maj7", "m(maj7)", "9", "7b9")
# What a name costs: a missing fifth, a note it does not explain, a bass that is not its root, each
# place down the table.
NO_FIFTH, UNEXPLAINED, INVERTED, RARER = 1.0, 3.0, 0.5, 0.01
FOREIGN_BASS = 1.5  # a bass that is not of the chord, beside being unexplained
NAMES = tuple(QUALITIES)
DEGREES = 12  # pitch classes
USUAL_NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


@dataclass(frozen=True)
class Chord:
    """A chord, or a pitch class that has none.

    Attributes
    ----------
    root, bass : int
        Pitch classes.
    quality : str
        One of `QUALITIES`, or `UNISON`.
    others : tuple of int
        Pitch classes that sound and are not of the chord.
    """

    root: int
    quality: str
    bass: int
    others: tuple[int, ...] = ()

    @property
    def is_exact(self) -> bool:
        """Whether all that sounds is of the chord."""
        return not self.others

    def name(self, key: Key | None = None) -> str:
        """Write the chord, spelled as its key does, or with the usual sharps and flats.

        Examples
        --------
        >>> chord_of([59, 62, 65, 67]).name()
        'G7/B'
        """
        if self.quality == UNISON and not self.others:
            return f"{tone_name(self.root, key)} alone"
        text = tone_name(self.root, key) + ("" if self.quality == UNISON else self.quality)
        if self.bass != self.root:
            text += f"/{tone_name(self.bass, key)}"
        others = [tone for tone in self.others if tone != self.bass]
        if others:
            text += " with " + " ".join(tone_name(tone, key).lower() for tone in others)
        return text

    def __str__(self) -> str:
        return self.name()


def chord_of(pitches: Iterable[int]) -> Chord | None:
    """Name the chord that some pitches make; `None` without any.

    Examples
    --------
    >>> [str(chord_of(pitches)) for pitches in ([48, 64, 67], [52, 60, 67], [60, 67], [57, 60, 64])]
    ['C', 'C/E', 'C5', 'Am']
    """
    table = np.array([list(pitches)], dtype=np.int64)
    return chords_of(table)[0] if table.size else None


def chords_of(pitch: np.ndarray) -> list[Chord | None]:
    """Name the chord of each moment.

    Parameters
    ----------
    pitch
        Shape (step, voice); negative where a voice rests.
    """
    root, quality, bass, others = match_chords(pitch)
    chords: list[Chord | None] = []
    for row in zip(root.tolist(), quality.tolist(), bass.tolist(), others.tolist(), strict=True):
        chords.append(_chord(*row))
    return chords


def match_chords(pitch: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Find root, quality, bass and unexplained notes of each moment, as numbers.

    Returns
    -------
    root, quality, bass, others : int64 arrays, shape (step,)
        Pitch classes; index into `NAMES`, their count for a single pitch class; a bit for each
        pitch class that is not explained. -1 (and no bits) where nothing sounds.
    """
    pitch = np.asarray(pitch, dtype=np.int64)
    sounds = pitch >= 0
    is_silent = ~sounds.any(axis=1)
    lowest = np.where(sounds, pitch, np.iinfo(np.int64).max).min(axis=1)
    bass = np.where(is_silent, 0, lowest) % DEGREES
    above = np.where(sounds, 1 << ((pitch - bass[:, None]) % DEGREES), 0)
    above = np.bitwise_or.reduce(above, axis=1)  # step: a bit for each pitch class over the bass
    degree, quality, others = (table[above] for table in _tables())
    root = (bass + degree) % DEGREES
    turned = (others << bass) | (others << bass >> DEGREES)
    return (
        np.where(is_silent, -1, root),
        np.where(is_silent, -1, quality),
        np.where(is_silent, -1, bass),
        np.where(is_silent, 0, turned & ((1 << DEGREES) - 1)),
    )


def tone_name(pitch_class: int, key: Key | None = None) -> str:
    """Name a pitch class as a key spells it.

    Examples
    --------
    >>> tone_name(10), tone_name(10, Key(0, 5)), tone_name(1, Key(0, -4))
    ('Bb', 'A#', 'Db')
    """
    if key is None:
        return USUAL_NAMES[pitch_class]
    # Of the names along the line of fifths, those around the key's own seven.
    around = range(key.fifths - 3, key.fifths + 9)  # of C major: Eb to G#
    fifths = next(step for step in around if step * 7 % DEGREES == pitch_class)
    at = fifths + TONICS.index("C")
    return TONICS[at] if 0 <= at < len(TONICS) else USUAL_NAMES[pitch_class]


@cache
def _chord(root: int, quality: int, bass: int, others: int) -> Chord | None:
    if root < 0:
        return None
    name = NAMES[quality] if quality < len(NAMES) else UNISON
    tones = tuple(tone for tone in range(DEGREES) if others >> tone & 1)
    return Chord(root, name, bass, tones)


@cache
def _tables() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Best name of every set of pitch classes over a bass: its root, quality, what is left."""
    sets = np.arange(1 << DEGREES)
    best = np.full(len(sets), np.inf)
    root, quality, others = (np.zeros(len(sets), dtype=np.int64) for _ in range(3))
    for number, (name, intervals) in enumerate(QUALITIES.items()):
        for degree in range(DEGREES):
            tones = sum(1 << (degree + interval) % DEGREES for interval in intervals)
            fifth = 1 << (degree + 7) % DEGREES
            lacking = tones & ~sets
            extra = sets & ~tones
            cost = UNEXPLAINED * _count(extra) + RARER * number
            cost = cost + INVERTED * (degree != 0) + FOREIGN_BASS * (not tones & 1)
            may_lack = fifth if name in MAY_LACK_FIFTH else 0
            cost = cost + NO_FIFTH * (lacking != 0)
            cost = np.where(lacking & ~may_lack, np.inf, cost)
            is_better = cost < best
            best = np.where(is_better, cost, best)
            root, quality = np.where(is_better, degree, root), np.where(is_better, number, quality)
            others = np.where(is_better, extra, others)
    # What no name fits at all: one pitch class, or tones side by side.
    is_none = np.isinf(best)
    quality = np.where(is_none, len(NAMES), quality)
    others = np.where(is_none, sets & ~1, others)
    return root, quality, others


def _count(sets: np.ndarray) -> np.ndarray:
    """Count the pitch classes of sets; NumPy before 2.0 has no `bitwise_count`."""
    return (sets[:, None] >> np.arange(DEGREES) & 1).sum(axis=1)
