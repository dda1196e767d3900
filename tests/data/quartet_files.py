"""Little quartets nobody wrote, for tests: chords and scales in some key and meter."""

import numpy as np

from partimento.music.notes import Notes
from partimento.music.score import Meter, Part, Score

NAMES = ("Violin 1", "Violin 2", "Viola", "Violoncello")
PROGRAMS = (40, 40, 41, 42)
MAJOR = np.array([0, 2, 4, 5, 7, 9, 11])


def quartet(seed, bars=8, meter=(4, 4), names=NAMES, parts=4):
    """A bar is four beats of chord notes; the first part moves twice as fast."""
    generator = np.random.default_rng(seed)
    quarters = bars * meter[0] * 4 // meter[1]
    tonic = int(generator.integers(0, 12))
    made = []
    for number in range(parts):
        rate = 2 if number == 0 else 1
        onset = np.arange(quarters * rate) * (480 // rate)
        degree = generator.integers(0, 7, len(onset))
        base = (72, 67, 60, 48)[number % 4] + tonic - 6
        pitch = base - 12 * (number > 3) + MAJOR[degree]
        notes = Notes(onset, np.full(len(onset), 480 // rate), pitch, np.full(len(onset), 80))
        made.append(Part(notes, name=names[number % 4], program=PROGRAMS[number % 4]))
    return Score(tuple(made), meters=(Meter(0, *meter),), end_tick=quarters * 480)
