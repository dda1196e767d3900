"""Teaching a network to fill in: what batches hide, what they weigh, and that it learns."""

import numpy as np
import pytest
import torch

from partimento.errors import ParameterError
from partimento.music.four_voices import FourVoices
from partimento.networks.bach_cnn import BachCNN
from partimento.representations.filling import CELLS, NOT_TOLD, PLACE, filling_features
from partimento.representations.masks import TASKS
from partimento.representations.satb import SatbRepresentation
from partimento.training.infilling import (
    TEACHER,
    FillingBatches,
    task_batches,
    task_losses,
)
from partimento.training.losses import nll_per_step, sum_over_real
from partimento.training.voice_pieces import EncodedVoices

SATB = SatbRepresentation()
SMALL = {"hidden_size": 32, "dilations": (1, 2), "head_size": 16, "dropout": 0.0}


def pieces_of(count: int, steps: int = 48) -> list[EncodedVoices]:
    """Chords that change by the beat."""
    made = []
    for number in range(count):
        generator = np.random.default_rng(number)
        beats = np.repeat(generator.integers(0, 4, -(-steps // 4)), 4)[:steps]
        pitch = np.array([[72, 67, 60, 48], [74, 65, 59, 43], [71, 67, 62, 43], [69, 65, 60, 41]])
        voices = FourVoices(pitch[beats], np.ones((steps, 4), dtype=bool))
        made.append(EncodedVoices(str(number), SATB.encode(voices), steps))
    return made


def batches_of(pieces, **changes) -> FillingBatches:
    config = TEACHER.config(SATB, SMALL)
    settings = {"batch_size": 4, "chunk_steps": 32, "seed": 1, **changes}
    return FillingBatches(pieces, config, SATB, **settings)


def test_a_batch_is_a_function_of_the_step():
    pieces = pieces_of(6)
    batches = batches_of(pieces)
    later, again = batches(9), batches_of(pieces)(9)
    assert batches(0).features.shape != () and (later.features == again.features).all()
    assert (later.is_real == again.is_real).all()
    assert (batches(0).features[:1, :8] != later.features[:1, :8]).any()


def test_only_hidden_cells_are_asked_for_and_the_network_does_not_see_them():
    for step in range(6):
        batch = batches_of(pieces_of(6))(step)
        seen = batch.features[..., CELLS]
        assert (seen[batch.is_real] == SATB.unknown).all()
        is_inside = batch.features[..., PLACE] < SATB.cycle
        assert (seen == batch.targets)[is_inside[..., None] & ~batch.is_real].all()


def test_each_example_counts_the_same_whatever_it_hides():
    batch = batches_of(pieces_of(8))(0)
    assert batch.weights is not None
    sums = np.where(batch.is_real, batch.weights, 0).sum(axis=(1, 2))
    assert np.allclose(sums, batch.is_real.sum() / len(sums))


def test_excerpts_know_their_place_and_mostly_how_far_the_end_is():
    pieces = pieces_of(4, steps=120)
    untold = 0
    for step in range(20):
        batch = batches_of(pieces)(step)
        untold += int((batch.features[..., -1] == NOT_TOLD).all(axis=1).sum())
    assert 0 < untold < 30


def test_tasks_hide_the_same_cells_every_time():
    pieces = pieces_of(3)
    for task in TASKS:
        (one,), (two,) = (task_batches(pieces, SATB, task) for _ in range(2))
        assert (one.is_real == two.is_real).all()
        assert (one.features == two.features).all()


def test_it_learns_one_small_batch_by_heart():
    torch.manual_seed(0)
    pieces = pieces_of(2, steps=24)
    network = BachCNN(TEACHER.config(SATB, SMALL | {"input_dropout": 0.0}))
    batch = batches_of(pieces, transpose=0)(0)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    features, targets, is_real = map(
        torch.from_numpy, (batch.features, batch.targets, batch.is_real)
    )
    for _ in range(60):
        losses = nll_per_step(network(features)[0], targets)
        loss = sum_over_real(losses, is_real) / is_real.sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < 0.05


def test_losses_are_means_over_hidden_cells():
    network = BachCNN(TEACHER.config(SATB, SMALL))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
    pieces = pieces_of(3)
    batches = {task: task_batches(pieces, SATB, task) for task in TASKS}
    for task, loss in task_losses(network, batches, SATB).items():
        assert loss.nats_per_step == pytest.approx(np.log(SATB.vocab_size)), task
        assert loss.steps == sum(int(batch.is_real.sum()) for batch in batches[task])


def test_padding_is_told_apart_from_music():
    pieces = [*pieces_of(1, steps=20), *pieces_of(1, steps=31)]
    (batch,) = task_batches(pieces, SATB, "half")
    assert (batch.features[0, 20:, PLACE] == SATB.cycle).all()
    assert not batch.is_real[0, 20:].any()
    whole = filling_features(pieces[1].tokens[None], SATB)
    assert (batch.features[1][:, PLACE] == whole[0, :, PLACE]).all()


def test_a_setting_that_is_none_is_refused():
    with pytest.raises(ParameterError, match="bach-cnn has no setting 'depth'"):
        TEACHER.config(SATB, {"depth": 3})
    with pytest.raises(ParameterError, match="without holds"):
        TEACHER.config(SatbRepresentation(holds=True), {})
