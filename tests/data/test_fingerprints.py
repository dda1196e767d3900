"""Fingerprints: equal for a tune in another key or at another speed, and hardly ever else."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from partimento.data.fingerprints import RUN, SKETCH_SIZE, fingerprint, sketch

lines = st.lists(st.tuples(st.integers(1, 8), st.integers(40, 90)), min_size=2, max_size=40)


def columns(line):
    waits, pitches = zip(*line, strict=True)
    return np.cumsum(waits), np.array(pitches)


@given(lines, st.integers(-12, 12), st.integers(1, 4), st.integers(0, 100))
def test_key_speed_and_place_do_not_matter(line, semitones, factor, start):
    onset, pitch = columns(line)
    moved = fingerprint(onset * factor + start, pitch + semitones)
    assert moved == fingerprint(onset, pitch)
    assert sketch(pitch + semitones).tolist() == sketch(pitch).tolist()


@given(lines, lines)
def test_other_tunes_have_other_fingerprints(one, other):
    (onset, pitch), (other_onset, other_pitch) = columns(one), columns(other)
    same = fingerprint(onset, pitch) == fingerprint(other_onset, other_pitch)
    same_intervals = np.diff(pitch).tolist() == np.diff(other_pitch).tolist()
    assert same_intervals or not same


def test_near_copies_share_most_of_their_sketch_and_strangers_nothing():
    generator = np.random.default_rng(0)
    tune, stranger = generator.integers(55, 80, (2, 200))
    copy = np.append(tune[:180], generator.integers(55, 80, 20))
    shared = np.intersect1d(sketch(tune), sketch(copy))
    assert len(shared) > SKETCH_SIZE / 2
    assert len(np.intersect1d(sketch(tune), sketch(stranger))) == 0


def test_a_short_melody_has_an_empty_sketch():
    assert len(sketch(np.arange(RUN))) == 0
    assert len(sketch(np.arange(RUN + 1))) == 1
