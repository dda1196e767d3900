"""Small music for the tests of data: tunes nobody wrote, as scores and as MIDI files."""

import numpy as np

from partimento.formats.midi import write_midi
from partimento.music.notes import Notes
from partimento.music.score import Meter, Part, Score

STEP = 120  # ticks of a sixteenth


def tune(seed, bars=8, semitones=0, factor=1):
    """Eighths and quarters that wander about a scale; the same seed, the same tune."""
    generator = np.random.default_rng(seed)
    steps = generator.choice([2, 4], 8 * bars)
    onset = np.append(0, np.cumsum(steps))
    onset = onset[onset < 16 * bars]
    duration = np.diff(np.append(onset, 16 * bars))
    scale = np.array([0, 2, 4, 5, 7, 9, 11, 12])
    pitch = 60 + scale[generator.integers(0, 8, len(onset))] + semitones
    return Score(
        (Part(Notes(onset * STEP * factor, duration * STEP * factor, pitch)),),
        meters=[Meter(0, 4, 4)],
    )


def tune_file(seed, **options):
    """One such tune as the bytes of a MIDI file."""
    return write_midi(tune(seed, **options))


def write_tunes(folder, count, first=0):
    """Fill a folder with so many files of one tune each."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(first, first + count):
        (folder / f"tune-{number:04}.mid").write_bytes(tune_file(number))
    return folder
