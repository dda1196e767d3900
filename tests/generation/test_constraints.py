import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from partimento.errors import ParameterError
from partimento.generation.constraints import Constraints, Watch
from partimento.generation.sampling import Sampling, draw
from partimento.music.grid import Grid
from partimento.music.score import Meter
from partimento.representations.melody import FIRST_PITCH, HOLD, REST, MelodyRepresentation

REPRESENTATION = MelodyRepresentation(lowest=50, highest=79)
GRID = Grid.regular(Meter(0, 3, 4), 4, 12)  # 12 steps a bar


def wander(constraints, seed, *, rows=3, **watch_settings):
    """Tokens drawn from random logits under a watch, shape (batch, time)."""
    generator = np.random.default_rng(seed)
    watch = Watch(constraints, REPRESENTATION, GRID, rows, **watch_settings)
    tokens = np.zeros((rows, len(GRID)), dtype=int)
    liking = generator.normal(0, 6, (3, 1))  # some runs love to hold, or to rest
    for step in range(len(GRID)):
        logits = generator.normal(0, 2, (rows, REPRESENTATION.vocab_size))
        logits[:, :2] += liking[:2, 0]
        masked = watch.masked(logits, step)
        tokens[:, step] = draw(masked, generator.random(rows), Sampling())
        watch.follow(tokens[:, step])
    return tokens


bars = st.sampled_from([None, 0.25, 0.5, 1, 2])


@given(
    st.integers(50, 64),
    st.integers(1, 15),
    st.sampled_from([None, "c:major", "f#:minor"]),
    bars,
    st.one_of(bars, st.just(0)),
    st.integers(0, 2**32),
)
def test_constraints_hold_in_every_note(lowest, span, key, hold_bars, rest_bars, seed):
    constraints = Constraints(lowest, lowest + span, key, hold_bars, rest_bars)
    if not constraints.allows(np.arange(lowest, lowest + span + 1)).any():
        return
    for row in wander(constraints, seed):
        notes = REPRESENTATION.decode(row, ticks_per_quarter=4)  # ticks are steps
        assert constraints.allows(notes.pitch).all()
        if hold_bars is not None:
            assert (notes.duration <= max(1, hold_bars * 12)).all()
        if rest_bars is not None:
            edges = np.append(notes.onset, len(row)) - np.insert(notes.offset, 0, 0)
            assert (edges <= rest_bars * 12).all()


@given(st.integers(0, 2**32))
def test_what_is_drawn_is_written_as_encode_writes_it(seed):
    for row in wander(Constraints(rest_bars=None), seed):
        notes = REPRESENTATION.decode(row, ticks_per_quarter=4)
        assert REPRESENTATION.encode(notes, 4, steps=len(row)).tolist() == row.tolist()


@given(st.integers(0, 2**32))
def test_a_note_that_is_over_is_not_held(seed):
    assert (wander(Constraints(), seed, is_over=True)[:, 0] != HOLD).all()


def test_something_is_always_allowed():
    watch = Watch(Constraints(62, 62, None, 0.25, 0), REPRESENTATION, GRID, rows=1)
    only = [62 - REPRESENTATION.lowest + FIRST_PITCH]
    logits = np.zeros((1, REPRESENTATION.vocab_size))
    for step in range(8):
        allowed = np.flatnonzero(np.isfinite(watch.masked(logits, step)[0]))
        sounding = only if step % 3 == 0 else [HOLD, *only]
        assert allowed.tolist() == sounding  # three steps are a quarter of a bar
        watch.follow(np.array([only[0] if step % 3 == 0 else HOLD]))


def test_a_long_silence_before_the_first_step_counts():
    watch = Watch(Constraints(rest_bars=1), REPRESENTATION, GRID, rows=1, silent_for=12)
    masked = watch.masked(np.zeros((1, REPRESENTATION.vocab_size)), 0)
    assert not np.isfinite(masked[0, [HOLD, REST]]).any()


def test_range_and_key_mean_what_sounds_not_what_the_network_hears():
    constraints = Constraints(lowest=74, highest=74)
    watch = Watch(constraints, REPRESENTATION, GRID, rows=1, shift=-12)
    masked = watch.masked(np.zeros((1, REPRESENTATION.vocab_size)), 0)
    allowed = np.flatnonzero(np.isfinite(masked[0])) - FIRST_PITCH + REPRESENTATION.lowest
    assert allowed[allowed >= REPRESENTATION.lowest].tolist() == [62]


def test_logits_are_left_as_they_are():
    logits = np.zeros((1, REPRESENTATION.vocab_size))
    Watch(Constraints(lowest=60), REPRESENTATION, GRID, rows=1, is_over=True).masked(logits, 0)
    assert not logits.any()


def test_pitches_may_be_names():
    assert Constraints(lowest="g3", highest="a5").lowest == 55
    assert Constraints(lowest="55").lowest == 55


def test_minor_has_its_raised_sixth_and_seventh():
    allowed = np.flatnonzero(Constraints(key="a:minor").allows(np.arange(60, 72)))
    assert allowed.tolist() == [0, 2, 4, 5, 6, 7, 8, 9, 11]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"lowest": 60, "highest": 59}, "lowest must not be above highest"),
        ({"lowest": -1}, "lowest must be a pitch"),
        ({"highest": 128}, "highest must be a pitch"),
        ({"lowest": 60.5}, "lowest must be a whole number"),
        ({"key": "h:major"}, "key 'h:major' is unknown"),
        ({"hold_bars": 0}, "hold_bars must be more than 0"),
        ({"hold_bars": float("nan")}, "hold_bars must be a finite number"),
        ({"rest_bars": -1}, "rest_bars must be 0 or more"),
    ],
)
def test_a_constraint_that_makes_no_sense_is_named(settings, words):
    with pytest.raises(ParameterError, match=words):
        Constraints(**settings)


@pytest.mark.parametrize("name", ["x9", "c99", "", "c"])
def test_a_name_that_is_no_pitch_is_refused(name):
    with pytest.raises(ParameterError, match=r"^lowest"):
        Constraints(lowest=name)


@pytest.mark.parametrize(
    "constraints",
    [Constraints(lowest=100), Constraints(highest=20), Constraints(61, 61, "c:major")],
)
def test_constraints_that_leave_no_pitch_are_explained(constraints):
    with pytest.raises(ParameterError, match=r"no pitch is left with .* 50-79 \(d3 to g5\)"):
        Watch(constraints, REPRESENTATION, GRID, rows=1)
