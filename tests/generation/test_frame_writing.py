import itertools

import numpy as np
import pytest
import torch
from generation.tiny_frames import FEW, SATB, engine_for, graphs_for, network_for

from partimento.errors import CheckpointError, GenerationError
from partimento.generation.frame_engine import FrameEngine
from partimento.generation.frame_writing import FrameTask, filtered, frame_nats, write_frames
from partimento.generation.sampling import Sampling
from partimento.generation.voice_rules import VoiceRules
from partimento.music.four_voices import RANGES
from partimento.networks.bach_rnn import NOW
from partimento.representations.frames import frame_features


def unknown(steps, representation=SATB):
    return np.full((steps, 4), representation.unknown)


def melody(steps=16, voice=0):
    """A task with one voice given: quarters that go up and down."""
    cells = unknown(steps)
    pitches = np.array([67, 69, 71, 72])[np.arange(steps) // 4 % 4] - (12 if voice == 3 else 0)
    cells[:, voice] = pitches - SATB.lowest + SATB.first_pitch
    return cells


def test_the_same_seed_alone_and_in_a_batch_gives_the_same_frames():
    engine = engine_for(SATB)
    for cells in (unknown(12), melody()):
        task = FrameTask(cells)
        together = write_frames(engine, task, [5, 6, 7, 8, 9], Sampling(), VoiceRules(), 6)
        for row, seed in ((0, 5), (3, 8)):
            alone = write_frames(engine, task, [seed], Sampling(), VoiceRules(), 6)
            assert (alone[0] == together[row]).all()
        assert not (together[0] == together[1]).all()


@pytest.mark.parametrize("voice", [0, 3])
def test_given_cells_come_back_and_the_rest_is_written(voice):
    cells = melody(voice=voice)
    (made,) = write_frames(engine_for(SATB), FrameTask(cells), [1], Sampling(), VoiceRules(), 4)
    assert (made[:, voice] == cells[:, voice]).all()
    assert (made < SATB.vocab_size).all()
    others = [v for v in range(4) if v != voice]
    assert (made[:, others] > 0).all()  # no rest under a melody that sounds


def test_ranges_and_the_order_of_the_voices_are_kept_where_they_are_asked_for():
    rules = VoiceRules(keep_ranges=True, no_crossing=True)
    for cells in (unknown(24), melody(24)):
        made = write_frames(engine_for(SATB), FrameTask(cells), [1, 2], Sampling(), rules, 4)
        pitch = made - SATB.first_pitch + SATB.lowest
        sounds = made > 0
        for voice, (low, high) in enumerate(RANGES):
            found = pitch[..., voice][sounds[..., voice]]
            assert ((found >= low) & (found <= high)).all()
        for frame, is_there in zip(pitch.reshape(-1, 4), sounds.reshape(-1, 4), strict=True):
            sounding = frame[is_there]
            assert (np.diff(sounding) <= 0).all()


def test_rules_that_leave_nothing_are_said_in_one_line():
    cells = unknown(4)
    cells[:, 0] = 50 - SATB.lowest + SATB.first_pitch  # below what an alto may sing
    rules = VoiceRules(no_crossing=True)
    with pytest.raises(GenerationError, match="the alto has no pitch left at step 0"):
        write_frames(engine_for(SATB), FrameTask(cells), [1], Sampling(), rules, 4)


def test_surprise_is_what_the_network_says():
    generator = np.random.default_rng(0)
    pieces = [generator.integers(0, FEW.vocab_size, (n, 4)) for n in (5, 9)]
    found = frame_nats(engine_for(FEW), pieces)
    for cells, nats in zip(pieces, found, strict=True):
        (rows,) = frame_features([cells], FEW)
        features = torch.from_numpy(np.concatenate([rows, cells], axis=1))[None]
        with torch.inference_mode():
            logits = network_for(FEW)(features)[0][0]
        expected = torch.nn.functional.cross_entropy(
            logits.flatten(0, 1), features[0, :, NOW].flatten(), reduction="none"
        )
        np.testing.assert_allclose(nats.ravel(), expected.numpy(), atol=1e-4)


def test_many_versions_agree_with_what_follows_by_enumeration():
    """Two steps, the soprano given: the chance of what the bass does first, given all of it."""
    engine = engine_for(FEW)
    given = np.array([1, 2])
    every = np.array(list(itertools.product(range(FEW.vocab_size), repeat=6))).reshape(-1, 2, 3)
    pieces = np.concatenate([np.tile(given[:, None], (len(every), 1, 1)), every], axis=2)
    nats = np.array([piece.sum() for piece in frame_nats(engine, list(pieces))])
    may_be = (pieces[:, :, 1:] > 0).all(axis=(1, 2))  # no rests, as when writing
    weights = np.exp(-nats) * may_be
    expected = weights[pieces[:, 0, 3] == 1].sum() / weights.sum()
    cells = unknown(2, FEW)
    cells[:, 0] = given
    task, rules = FrameTask(cells), VoiceRules(keep_ranges=False)
    tokens, _, log_weights = filtered(engine, task, [0], Sampling(), rules, 4000)
    mass = np.exp(log_weights[0] - log_weights[0].max())
    found = (mass * (tokens[:, 0, 3] == 1)).sum() / mass.sum()
    # What is written is drawn without rests, which weighs a little: see `VoiceRules`.
    assert found == pytest.approx(expected, abs=0.08)


def test_graphs_of_another_network_are_refused():
    graphs = graphs_for(SATB)
    with pytest.raises(CheckpointError, match="the config says 3 logits"):
        FrameEngine(graphs["frame"], graphs["voice"], FEW, (0, 1, 2, 3))
    with pytest.raises(CheckpointError):
        FrameEngine(graphs["voice"], graphs["frame"], SATB, (0, 1, 2, 3))
