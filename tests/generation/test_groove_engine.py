"""Strokes, drawn by graphs: what is told stays, a row is the same in any company."""

import numpy as np
import pytest
import torch
from groove_music import some_drums
from models.tiny_groove import REPRESENTATION, tiny_graphs, tiny_network

from partimento.errors import CheckpointError, GenerationError
from partimento.generation.groove_engine import GrooveEngine, places
from partimento.generation.sampling import generator_of
from partimento.music.grid import Grid
from partimento.music.score import Meter
from partimento.representations.groove import Given, given_numbers, meter_of
from partimento.training.groove_batches import TASKS, told_for

STEPS = 8


@pytest.fixture(scope="module")
def engine():
    network = tiny_network().config
    sizes = {name: getattr(network, name) for name in ("ahead_size", "writer_size", "stroke_size")}
    return GrooveEngine(tiny_graphs(), REPRESENTATION, sizes)


def meter(batch):
    return np.repeat(meter_of(Grid.regular(Meter(0, 2, 4), 4, 1), 120, 4)[None], batch, axis=0)


@pytest.mark.parametrize("task", TASKS)
def test_what_is_told_stays_and_the_rest_is_drawn(engine, task):
    played = some_drums(3)
    given = told_for(task, played, np.random.default_rng(4))
    made = engine.write(played, given, meter(3), [generator_of(seed) for seed in range(3)])
    assert np.array_equal(made.is_hit[given.hit], played.is_hit[given.hit])
    for told, mine, theirs in (
        (given.velocity, made.velocity, played.velocity),
        (given.offset, made.offset, played.offset),
    ):
        told = told & given.hit
        assert np.array_equal(mine[told], theirs[told])
    assert ((made.velocity > 0) == made.is_hit).all()
    assert (np.abs(made.offset) <= 0.5).all()
    assert not made.offset[~made.is_hit].any()


def test_a_piece_is_the_same_alone_and_among_others(engine):
    played = some_drums(5)
    given = Given.nothing(5, STEPS)
    made = engine.write(played, given, meter(5), [generator_of(seed) for seed in range(5)])
    last = [type(given)(*(table[4:] for table in given)), type(played)(*(t[4:] for t in played))]
    alone = engine.write(last[1], last[0], meter(1), [generator_of(4)])
    for one, other in zip(alone, made, strict=True):
        assert np.array_equal(one[0], other[4])


def test_strokes_have_a_temperature_of_their_own(engine):
    played = some_drums(2)
    given = Given.nothing(2, STEPS)
    one, other = (
        engine.write(played, given, meter(2), [generator_of(seed)] * 2, 1.0, 0.0) for seed in (0, 1)
    )
    assert np.array_equal(one.is_hit[:, 0, 0], other.is_hit[:, 0, 0])
    assert not np.array_equal(one.velocity, other.velocity)
    cold = [engine.write(played, given, meter(2), [generator_of(seed)] * 2, 0.0) for seed in (0, 1)]
    assert np.array_equal(cold[0].velocity, cold[1].velocity)


def test_surprise_is_that_of_the_network(engine):
    played = some_drums(2)
    given = told_for("finish", played, np.random.default_rng(0))
    found = engine.nats(played, given, meter(2))
    numbers = given_numbers(played, given, meter(2), REPRESENTATION)
    features = np.concatenate([numbers, played.written()], axis=-1)
    with torch.inference_mode():
        logits = tiny_network()(torch.from_numpy(features))[0].double().log_softmax(dim=-1)
    classes = torch.from_numpy(played.classes())[..., None]
    expected = -logits.gather(-1, classes)[..., 0].numpy()
    asked = given.is_asked(played.is_hit)
    assert np.allclose(found[asked], expected[asked], atol=1e-4)
    assert not found[~asked].any()


def test_places_are_even_within_a_class_and_medians_in_the_middle():
    even = np.zeros((3, 4))
    assert np.allclose(places(even, np.array([0, 0.5, 0.875])), [0, 2, 3.5])
    sure = np.array([[0, 60.0, 0, 0]])
    assert np.allclose(places(sure, np.array([0.5])), 1.5)
    with pytest.raises(GenerationError, match="damaged"):
        places(np.array([[np.nan, 0]]), np.array([0.5]))


def test_a_config_without_sizes_is_refused():
    with pytest.raises(CheckpointError, match="ahead_size"):
        GrooveEngine(tiny_graphs(), REPRESENTATION, {"writer_size": 8})
