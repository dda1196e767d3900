"""A stand-in for a model, and tunes to compare it with."""

from types import SimpleNamespace

import numpy as np

from partimento.data import MelodyData, Piece
from partimento.data.report import DataReport
from partimento.music.notes import Notes
from partimento.music.score import Meter, Part, Score


class TuneMaker:
    """Stands for a model: walks along a scale, in the meter asked for."""

    name, hash = "walker", "0" * 64

    def __init__(self):
        self.asked = []

    def sample_many(self, count, bars, *, seed, meter, **settings):
        self.asked.append((count, bars, seed, str(meter), settings))
        return [tune(bars, seed + i, meter) for i in range(count)]

    def likelihood_of(self, scores):
        return [
            SimpleNamespace(nats=2.0 * n, step_nats=[0] * 4 * n, note_nats=[0] * n)
            for n in (score.num_notes for score in scores)
        ]


COMMON_TIME = Meter(0, 4, 4)


def tune(bars, seed, meter=COMMON_TIME):
    steps = np.random.default_rng(seed).integers(-2, 3, size=4 * bars).cumsum()
    scale = np.array([0, 2, 4, 5, 7, 9, 11])
    pitch = np.clip(60 + scale[steps % 7] + 12 * (steps // 7), 30, 90)
    length = int(meter.quarters_per_bar * 480) // 4
    onset = np.arange(4 * bars) * length
    notes = Notes(onset, np.full(4 * bars, length), pitch)
    return Score((Part(notes),), meters=(meter,))


def found(valid, train=(), test=()):
    sides = {"valid": valid, "train": train, "test": test}
    pieces = [
        Piece(f"{split}-{i}", "here", split, score)
        for split, scores in sides.items()
        for i, score in enumerate(scores)
    ]
    return MelodyData(pieces, DataReport())
