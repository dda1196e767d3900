"""A VAE of bars is taught: batches, a run that goes on, a checkpoint that agrees with it."""

import numpy as np
import pytest
import torch
from models.tiny_vae import tiny_graphs, tiny_network

from partimento.checkpoints import open_checkpoint
from partimento.errors import DataError, ParameterError, TrainingError
from partimento.models.bars_lessons import bars_lesson_for
from partimento.models.bars_space import furnish, learn_sliders, personalise, prior_gain
from partimento.models.load import load
from partimento.networks.flat_vae import FlatVAE
from partimento.representations.bars import BarsRepresentation
from partimento.representations.melody import FIRST_PITCH, HOLD
from partimento.training import bars
from partimento.training.bars import (
    BarsLesson,
    WindowBatches,
    measure,
    priced,
    teach_bars,
)
from partimento.training.bars_card import posterior_words
from partimento.training.bars_graphs import check_graphs
from partimento.training.loop import TrainingSettings
from partimento.training.run_folder import RunFolder
from partimento.training.windows import Windows

TWO = BarsRepresentation()
SMALL = {
    "latent_size": 6,
    "embedding_size": 4,
    "bar_size": 12,
    "conductor_size": 12,
    "step_size": 6,
    "writer_size": 10,
    "beta_steps": 5,
}


def windows(count, seed=0):
    """Scales of eighths in two meters."""
    generator = np.random.default_rng(seed)
    tables = []
    for number in range(count):
        size = 16 if number % 3 else 12
        steps = np.full((1, 2 * size), HOLD)
        start = FIRST_PITCH + 30 + generator.integers(0, 12)
        steps[0, ::2] = start + np.cumsum(generator.integers(-2, 3, size))
        tables.append(TWO.laid_out(steps))
    return Windows(np.concatenate(tables).astype(np.int16), np.arange(count) // 4)


FLAT = {"design": "flat", "latent_size": 6, "encoder_size": 8, "decoder_size": 5}


def lesson(network=SMALL, **settings):
    usual = {"steps": 12, "batch_size": 8, "evaluate_every": 6, "precision": "float32"}
    return BarsLesson("little", "2bar", TWO, network, TrainingSettings(**{**usual, **settings}))


def test_an_epoch_shows_every_window_once_in_some_key():
    given = windows(50)
    batches = WindowBatches(given, TWO, 8, seed=1, transpose=3)
    shown = np.concatenate([batches(n).features for n in range(batches.batches_per_epoch)])
    assert len(shown) == 50
    is_note = TWO.is_onset(shown)
    assert is_note.sum() == TWO.is_onset(given.tables).sum()
    moved = shown[is_note].mean() - given.tables[TWO.is_onset(given.tables)].mean()
    assert abs(moved) < 3
    again = WindowBatches(given, TWO, 8, seed=1, transpose=3)(5)
    np.testing.assert_array_equal(again.features, batches(5).features)
    lengths = (again.features[:, 0] != TWO.pad).sum(axis=1)
    assert len(set(lengths.tolist())) == 1
    assert (again.is_real == (again.features != TWO.pad).reshape(len(again.features), -1)).all()


def test_a_run_ends_in_a_checkpoint_that_says_what_it_is(tmp_path):
    run = RunFolder(tmp_path / "run")
    taught = teach_bars(lesson(), windows(60), windows(30, seed=1), run, data_facts={})
    checkpoint = open_checkpoint(run.checkpoint)
    assert checkpoint.family == "melody-vae"
    assert taught.figures["largest_logit_difference"] < 1e-3
    assert "A nat of KL divergence costs 0.2" in checkpoint.card
    furnished = furnish(run.checkpoint, windows(60), windows(60, seed=1))
    assert "register" in furnished.config["sliders"]["names"]  # the density is always the same
    assert "## Sliders" in furnished.card
    model = load(run.checkpoint)
    assert model.sample(seed=1).num_notes
    mine = personalise(model, windows(20, seed=2), tmp_path / "mine", "mine")
    assert mine.config["personal"]["windows"] == 20
    before, after = prior_gain(model, load(mine.path), windows(20, seed=2))
    assert after < before
    with pytest.raises(DataError, match="4 are the fewest"):
        personalise(model, windows(3), tmp_path / "few", "few")
    other = learn_sliders(
        model, {"wild": (windows(20), windows(20, seed=5))}, tmp_path / "wild", "wild"
    )
    assert other.config["sliders"]["names"][-1] == "wild"
    assert load(other.path).vary(model.sample(seed=1), more={"wild": 1.0}).num_notes


def test_the_flat_design_ends_in_a_checkpoint_that_all_verbs_know(tmp_path):
    run = RunFolder(tmp_path / "run")
    taught = teach_bars(lesson(FLAT), windows(60), windows(30, seed=1), run, data_facts={})
    assert taught.figures["largest_logit_difference"] < 1e-4
    furnished = furnish(run.checkpoint, windows(60), windows(60, seed=1))
    assert furnished.config["network"]["design"] == "flat"
    assert lesson(FLAT).facts()["network"]["design"] == "flat"
    model = load(run.checkpoint)
    assert model._engine.bars_apart is False
    one, two = model.sample(seed=1), model.sample(seed=2)
    assert len(model.interpolate(one, two, steps=4).scores) == 4
    assert model.vary(one, more={"register": 1.0}, seed=1).num_notes
    assert 0 <= model.reconstruct(one).same <= 1
    found = model.likelihood(one)
    assert found.bound >= found.nats > 0
    waltz = model.sample(seed=1, meter="3/4")
    assert model.reconstruct(waltz).score.num_notes
    assert personalise(model, windows(20, seed=2), tmp_path / "mine", "mine").config["personal"]


def test_settings_of_another_design_are_refused():
    for network, words in (
        ({"design": "flat", "bar_size": 8}, "no setting 'bar_size'"),
        ({"design": "flat", "writer_size": 8}, "no setting 'writer_size'"),
        ({"encoder_size": 8}, "no setting 'encoder_size'"),
        ({"design": "round"}, "bars or flat, got 'round'"),
    ):
        with pytest.raises(ParameterError, match=words):
            lesson(network).network_config()
    made = bars_lesson_for("drums-vae", "drums-flat", (), name="d", steps=1, beta=0.5)
    config = made.network_config()
    assert (config.vocab_size, config.bits, config.beta) == (512, 9, 0.5)
    assert isinstance(made.new_network(), FlatVAE)
    with pytest.raises(ParameterError, match="no config '2bar-flat'"):
        bars_lesson_for("drums-vae", "2bar-flat", (), name="d", steps=1)


@pytest.mark.parametrize("network", [SMALL, FLAT], ids=["bars", "flat"])
def test_a_run_that_was_stopped_goes_on_to_the_same_weights(tmp_path, network, monkeypatch):
    whole, halves = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "halves")
    data = windows(40), windows(20, seed=1)

    class StopError(Exception):
        pass

    def stop(progress):
        if progress.step == 7:
            raise StopError

    def no_graphs(*facts):
        raise StopError

    monkeypatch.setattr(bars, "conclude_bars", no_graphs)
    for run, how in ((whole, {}), (halves, {"report": stop}), (halves, {"resume": True})):
        with pytest.raises(StopError):
            teach_bars(lesson(network), *data, run, **how)
    one, two = whole.load_best()[0], halves.load_best()[0]
    for name, weights in one.items():
        np.testing.assert_array_equal(weights, two[name], err_msg=name)


def test_held_out_loss_is_the_reconstruction_and_the_price_of_z():
    network, held_out = tiny_network(), windows(12)
    found = measure(network, held_out, TWO)
    total = priced(network, held_out, TWO)
    assert total.nats == pytest.approx(float((found.nll + 0.2 * found.kl).sum()))
    assert total.steps == int((held_out.tables != TWO.pad).sum())
    assert total.notes == int(TWO.is_onset(held_out.tables).sum())
    np.testing.assert_array_equal(measure(network, held_out, TWO).nll, found.nll)


def test_a_graph_that_disagrees_is_found_out():
    tables = windows(4).tables.astype(np.int64)
    network = tiny_network()
    assert check_graphs(network, tiny_graphs(), tables[1:3]) < 1e-3
    torch.manual_seed(9)
    other = type(network)(network.config).eval()
    with pytest.raises(TrainingError, match="graphs disagree"):
        check_graphs(other, tiny_graphs(), tables[1:3])


def test_collapse_is_said_in_words():
    words = posterior_words({"valid_kl_nats_per_sequence": 0.2, "active_units": 0}, 64)
    assert "posterior collapse" in words
    words = posterior_words({"valid_kl_nats_per_sequence": 30.0, "active_units": 12}, 64)
    assert words == "z says 30 nats of a window, in 12 of its 64 dimensions"
