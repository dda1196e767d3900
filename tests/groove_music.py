"""Drums as somebody might play them, for tests."""

import numpy as np

from partimento.music.drums import Hits
from partimento.music.score import Part, Score
from partimento.representations.drums import DrumsRepresentation
from partimento.representations.groove import NUM_DRUMS, Played

KICK, SNARE, HAT = 1, 2, 4  # as tokens


def some_drums(batch=2, steps=8, seed=0):
    generator = np.random.default_rng(seed)
    is_hit = generator.random((batch, steps, NUM_DRUMS)) < 0.3
    velocity = np.where(is_hit, generator.integers(1, 128, is_hit.shape) / 127, 0)
    offset = np.where(is_hit, generator.uniform(-0.5, 0.49, is_hit.shape), 0)
    return Played(is_hit, velocity.astype(np.float32), offset.astype(np.float32))


def a_beat(bars=2, meter_steps=16):
    """Kick, snare and hi-hat in eighths: even, and on the grid."""
    steps = np.zeros(bars * meter_steps, dtype=np.int64)
    steps[::2] |= HAT
    steps[::8] |= KICK
    steps[4::8] |= SNARE
    notes = DrumsRepresentation().decode(steps)
    return Score(end_tick=120 * len(steps)).with_parts([Part(notes, "drums", is_drum=True)])


def hits(score):
    """Strokes of the first part, by the grid."""
    notes = score.parts[0].notes
    found = DrumsRepresentation().encode(notes, score.ticks_per_quarter)
    assert isinstance(found, Hits)
    return found.is_hit
