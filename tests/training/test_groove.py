"""A groove network is taught: tasks, batches, a checkpoint that agrees with it."""

import numpy as np
import pytest
from groove_music import some_drums
from models.tiny_groove import REPRESENTATION, tiny_graphs, tiny_network

from partimento.checkpoints import open_checkpoint
from partimento.errors import DataError, ParameterError, TrainingError
from partimento.models.load import load
from partimento.representations.bars import BarsRepresentation
from partimento.representations.groove import NUM_DRUMS
from partimento.training.groove import GrooveLesson, surprise, teach_groove
from partimento.training.groove_batches import (
    TASKS,
    GrooveBatches,
    GrooveWindows,
    batch_of,
    grouped,
    told_for,
)
from partimento.training.groove_graphs import check_groove_graphs
from partimento.training.loop import TrainingSettings
from partimento.training.run_folder import RunFolder
from partimento.training.windows import Windows

ONE = BarsRepresentation("drums", 1)


def windows(count, seed=0):
    """Bars of 4/4 and of 3/4; the hi-hat is loud on the beat and late off it."""
    generator = np.random.default_rng(seed)
    shape = (count, 1, ONE.positions, NUM_DRUMS)
    is_hit = np.zeros(shape, dtype=bool)
    is_hit[:, :, ::2, 2] = True
    is_hit[..., :2] = generator.random((*shape[:3], 2)) < 0.2
    on_beat = np.arange(ONE.positions)[:, None] % 4 == 0
    velocity = np.where(is_hit, np.where(on_beat, 0.9, 0.4), 0).astype(np.float32)
    offset = np.where(is_hit, np.where(on_beat, 0.0, 0.2), 0).astype(np.float32)
    tables = np.where(
        np.arange(ONE.positions) < 16, (is_hit * (1 << np.arange(9))).sum(-1), ONE.pad
    )
    tables[::3, :, 12:] = ONE.pad
    is_real = (tables != ONE.pad)[..., None]
    return Windows(
        tables.astype(np.int16),
        np.arange(count) // 4,
        velocity=velocity * is_real,
        offset=offset * is_real,
        qpm=np.full(count, 120.0),
    )


def lesson(**settings):
    usual = {"steps": 12, "batch_size": 8, "evaluate_every": 6, "precision": "float32"}
    network = {"ahead_size": 6, "writer_size": 8, "stroke_size": 10}
    settings = TrainingSettings(**{**usual, **settings})
    return GrooveLesson("little", "groove", REPRESENTATION, 1, network, settings)


def test_an_epoch_shows_every_window_once():
    batches = GrooveBatches(windows(30), ONE, REPRESENTATION, 8, seed=1)
    shown = [batches(step) for step in range(batches.batches_per_epoch)]
    assert sorted(batch.features.shape[1] for batch in shown) == [12, 12, 16, 16, 16]
    assert sum(len(batch.features) for batch in shown) == 30


def test_a_batch_is_that_of_its_step():
    one, other = (GrooveBatches(windows(30), ONE, REPRESENTATION, 8, seed=1) for _ in range(2))
    other(9), other(0)
    assert np.array_equal(one(4).features, other(4).features)
    assert np.array_equal(one(4).is_real, other(4).is_real)


@pytest.mark.parametrize("task", TASKS)
def test_every_task_asks_something_and_tells_no_answer(task):
    played = some_drums(6, seed=3)
    given = told_for(task, played, np.random.default_rng(0))
    asked = given.is_asked(played.is_hit).reshape(6, 8, 3, NUM_DRUMS)
    assert asked.any()
    assert asked[:, :, 0].any() == (task not in ("humanize", "finish"))
    if task != "tap":
        assert not given.tap.any()


def test_a_tap_is_the_loudest_stroke_of_a_step():
    played = some_drums(40, seed=3)
    given = told_for("tap", played, np.random.default_rng(0))
    is_tapped = given.tap[..., 1] > 0
    assert not (is_tapped & ~played.is_hit.any(axis=2)).any()
    loudest = played.velocity.max(axis=2)
    is_told = given.tap[:, 0, 2] > 0
    assert 10 < is_told.sum() < 35
    tapped = given.tap[..., 3]
    assert not tapped[~is_told].any()
    assert (tapped <= loudest + 1e-6).all()
    is_whole = np.isclose(tapped, loudest).all(axis=1)
    assert 5 < is_whole.sum() < is_told.sum()


def test_an_unknown_task_is_refused():
    with pytest.raises(ParameterError, match="the tasks are humanize"):
        told_for("sing", some_drums(), np.random.default_rng(0))


def test_how_drums_are_played_is_part_of_their_digest():
    one = windows(4)
    other = Windows(one.tables, one.piece, velocity=one.velocity, offset=-one.offset, qpm=one.qpm)
    assert one.digest != other.digest
    assert one.digest == windows(4).digest


def test_a_run_learns_and_its_checkpoint_says_the_same(tmp_path):
    train, valid = windows(40), windows(12, seed=1)
    taught = teach_groove(
        lesson(steps=150, evaluate_every=50, learning_rate=1e-2), train, valid, RunFolder(tmp_path)
    )
    assert taught.figures["valid_velocity_nats_per_stroke"] < 1
    assert taught.figures["valid_offset_nats_per_stroke"] < 1
    checkpoint = open_checkpoint(tmp_path)
    assert "How drums are played" in checkpoint.card
    model = load(tmp_path)
    group = grouped(valid, ONE, REPRESENTATION)[0]
    given = told_for("humanize", group.played, np.random.default_rng(0))
    nats = model.engine.nats(group.played, given, group.meter)
    asked = given.is_asked(group.played.is_hit)
    assert nats[asked].mean() < 1


def test_surprise_counts_what_is_asked():
    group = grouped(windows(12), ONE, REPRESENTATION)
    found = surprise(tiny_network(), group, "humanize", REPRESENTATION)
    strokes = sum(int(one.played.is_hit.sum()) for one in group)
    assert found.cells.tolist() == [0, strokes, strokes]
    assert found.per_cell[0] == 0


def test_graphs_that_disagree_are_found():
    given = GrooveWindows.of(windows(3), np.array([1, 2]), ONE, REPRESENTATION)
    told = told_for("tap", given.played, np.random.default_rng(0))
    features = batch_of(given, told, REPRESENTATION).features
    assert check_groove_graphs(tiny_network(), tiny_graphs(), features) < 1e-4
    other = type(tiny_network())(tiny_network().config)
    with pytest.raises(TrainingError, match="disagree"):
        check_groove_graphs(other, tiny_graphs(), features + 1)


def test_nothing_held_out_is_refused(tmp_path):
    with pytest.raises(DataError, match="to judge by"):
        teach_groove(lesson(), windows(8), windows(0), RunFolder(tmp_path))


def test_unknown_settings_of_the_network_are_refused():
    with pytest.raises(ParameterError, match="no setting 'beta'"):
        GrooveLesson(
            "a", "groove", REPRESENTATION, 1, {"beta": 1}, TrainingSettings(steps=1)
        ).network_config()
