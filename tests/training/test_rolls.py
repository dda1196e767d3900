import signal

import numpy as np
import pytest
import torch

from partimento.data.rolls import Rolls
from partimento.errors import ParameterError, TrainingError
from partimento.evaluation.retraining import made_row
from partimento.evaluation.rolls import roll_figures
from partimento.networks.roll_tcn import RollTCNConfig
from partimento.networks.rolls import END, INTERVAL, NO_KEY, PLACE, RollRNNConfig
from partimento.training.loop import TrainingSettings
from partimento.training.roll_lessons import NETWORKS, roll_lesson
from partimento.training.rolls import (
    RollBatches,
    RollExample,
    RollLesson,
    digest,
    frame_nats,
    roll_batch,
    slots,
    teach_rolls,
)
from partimento.training.run_folder import RunFolder

SMALL = {"hidden_size": 12, "frame_size": 12, "heads": 1, "head_size": 4, "window": 16}


def pieces(count, seed=0):
    """Broken chords on a few roots: something to learn."""
    generator = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        roll = np.zeros((int(generator.integers(5, 40)), 88), dtype=np.uint8)
        for step, root in enumerate(generator.choice([30, 35, 37], len(roll))):
            roll[step, [root, root + 4, root + 7][: 1 + step % 3]] = 1
        made.append(roll)
    return tuple(made)


ROLLS = Rolls("jsb", "0" * 64, pieces(12), pieces(4, seed=1), pieces(4, seed=2))


def lesson(form="set", **settings):
    asked = {"steps": 24, "evaluate_every": 8, "warmup_steps": 4, "batch_size": 4, "transpose": 3}
    network = RollTCNConfig(channels=8, levels=2) if form == "tcn" else RollRNNConfig(form, **SMALL)
    asked = TrainingSettings(**asked | {"chunk_steps": 16, "learning_rate": 0.02} | settings)
    return RollLesson(network, asked, warm_up=3)


def test_what_is_asked_of_frames_is_their_keys_and_the_end():
    frames = np.zeros((1, 2, 88), dtype=np.int64)
    frames[0, 0, [50, 3]] = 1
    assert slots(frames).tolist() == [[[3, 50, END], [END, NO_KEY, NO_KEY]]]


def test_a_stretch_from_within_a_piece_reads_what_was_before_and_is_not_asked_about_it():
    batches = RollBatches(pieces(6), "set", 3, 10, seed=0, warm_up=4, transpose=2)
    for step in range(batches.batches_per_epoch):
        batch = batches(step)
        first = batch.features[:, 0, PLACE]
        asked = batch.is_real.any(axis=-1)
        assert (asked.argmax(axis=1)[first > 0] == 4).all()
        assert asked.sum(axis=1).max() <= 10
        assert np.abs(batch.features[..., INTERVAL]).max() <= 2


def test_a_batch_is_a_function_of_seed_and_step():
    one, two = (RollBatches(pieces(6), "keys", 3, 10, seed=4, transpose=2) for _ in range(2))
    for step in (5, 0, 5):
        assert np.array_equal(one(step).features, two(step).features)
    other = RollBatches(pieces(6), "keys", 3, 10, seed=5, transpose=2)
    assert not np.array_equal(one(0).features[:, :5], other(0).features[:, :5])


@pytest.mark.parametrize("form", ["set", "keys"])
def test_the_loss_of_a_batch_is_in_nats_per_frame(form):
    batch = roll_batch([RollExample(piece) for piece in pieces(3)], form)
    frames = sum(len(piece) for piece in pieces(3))
    weights = batch.weights[batch.is_real]
    assert weights.sum() / batch.is_real.sum() * frames == pytest.approx(batch.is_real.sum())


@pytest.mark.parametrize("form", ["set", "keys", "tcn"])
def test_frames_cost_the_same_alone_and_in_a_batch(form):
    made = lesson(form)
    network = made.new_network()
    together = frame_nats(network, ROLLS.valid, made.network.form)
    for piece, nats in zip(ROLLS.valid, together, strict=True):
        alone = frame_nats(network, [piece], made.network.form)[0]
        assert len(nats) == len(piece)
        assert np.allclose(alone, nats, atol=1e-4)


@pytest.mark.parametrize("form", ["set", "keys", "tcn"])
def test_a_network_that_knows_nothing_pays_what_can_be_counted(form):
    made = lesson(form)
    network = made.new_network()
    head = network.head if form == "tcn" else network
    for weights in head.parameters():
        torch.nn.init.zeros_(weights)
    silence = np.zeros((5, 88), dtype=np.uint8)
    expected = np.log(89) if form == "set" else 88 * np.log(2)
    assert np.allclose(frame_nats(network, [silence], made.network.form)[0], expected, rtol=1e-5)


@pytest.mark.parametrize("form", ["set", "keys"])
def test_training_lowers_the_held_out_loss_and_measures_as_the_evaluator_does(tmp_path, form):
    taught = teach_rolls(lesson(form, averaging=0.5), ROLLS, RunFolder(tmp_path))
    log = RunFolder(tmp_path).read_log()
    assert taught.outcome.best < 0.7 * log[0]["held_out_nats_per_step"]
    column = {"set": "joint", "keys": "independent"}[form]
    figures = roll_figures(frame_nats(taught.network, ROLLS.valid, form), column)
    assert figures.nats_per_frame == pytest.approx(taught.outcome.best, rel=1e-6)


def test_a_stopped_run_reaches_the_weights_of_one_that_was_not(tmp_path):
    whole = teach_rolls(lesson(), ROLLS, RunFolder(tmp_path / "whole"))

    def stop(progress):
        if progress.step == 10:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(Exception, match="--resume goes on"):
        teach_rolls(lesson(), ROLLS, RunFolder(tmp_path / "parts"), report=stop)
    resumed = teach_rolls(lesson(), ROLLS, RunFolder(tmp_path / "parts"), resume=True)
    assert resumed.sha256 == whole.sha256 == digest(resumed.network)


def test_a_row_tells_how_it_was_made_and_leaves_the_test_part_alone_until_asked(tmp_path):
    changes = {"steps": 2, "evaluate_every": 2, "batch_size": 2}
    row = made_row(ROLLS, "RollTCN", "independent", tmp_path, has_test=False, **changes)
    assert "valid" in row and not any(name.startswith("test") for name in row)
    measured = made_row(ROLLS, "RollTCN", "independent", tmp_path, **changes)  # goes on: at the end
    assert measured["sha256"] == row["sha256"] and measured["test"] > 0
    assert row["command"].startswith("python recipes/rolls.py --set jsb --column independent")


def test_every_row_of_the_tables_has_a_lesson():
    for name in ("jsb", "nottingham", "piano-midi"):
        for network, columns in NETWORKS.items():
            for column in columns:
                form = roll_lesson(name, column, network).network.form
                assert form == {"joint": "set", "independent": "keys"}[column]
    with pytest.raises(ParameterError, match="no lesson"):
        roll_lesson("jsb", "joint", "RollTCN")
    with pytest.raises(ParameterError, match="RollRNN has no width: there is form"):
        roll_lesson("jsb", "joint", width=3)


def test_nothing_to_train_on_is_said():
    with pytest.raises(TrainingError, match="no piano roll"):
        RollBatches([], "set", 3, 10, seed=0)
