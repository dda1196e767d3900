"""Filling in: what is given stays, what is demanded is kept, and a seed says it all."""

import numpy as np
import pytest
import torch
from generation.tiny_fill_graph import SATB, tiny_engine, tiny_graph, tiny_network
from generation.tiny_graph import graph_for
from hypothesis import given, settings
from hypothesis import strategies as st

from partimento.errors import CheckpointError, GenerationError
from partimento.evaluation.voice_leading import find_parallels
from partimento.generation.fill_engine import FillEngine
from partimento.generation.gibbs import FillTask, fill, turns
from partimento.generation.sampling import Sampling
from partimento.generation.voice_rules import VoiceRules, parallels
from partimento.music.four_voices import RANGES
from partimento.representations.filling import filling_features
from partimento.representations.melody import MelodyRepresentation

LOW, HIGH = (np.array(RANGES) - SATB.lowest + SATB.first_pitch).T
U = SATB.unknown


def task_of(steps: int, seed: int, share: float) -> FillTask:
    cells = np.sort(np.random.default_rng(seed).integers(LOW, HIGH + 1, (steps, 4)))[:, ::-1]
    cells = cells.clip(LOW, HIGH)
    is_hidden = np.random.default_rng(seed + 1).random(cells.shape) < share
    return FillTask(cells, is_hidden, first=seed % 4)


@given(steps=st.integers(1, 24), seed=st.integers(0, 99), share=st.sampled_from([0.1, 0.6, 1.0]))
@settings(max_examples=6, deadline=None)
def test_given_cells_stay_and_rules_are_kept(steps, seed, share):
    task = task_of(steps, seed, share)
    rules = VoiceRules(keep_ranges=True, no_crossing=True)
    (tokens,) = fill(tiny_engine(), task, [seed], Sampling(), rules, shares=(1.0, 0.5))
    assert (tokens[~task.is_hidden] == task.cells[~task.is_hidden]).all()
    written = task.is_hidden & (tokens > 0)
    assert ((tokens >= LOW) & (tokens <= HIGH))[written].all()
    gaps = tokens[:, :-1] - tokens[:, 1:]
    both = (tokens[:, :-1] > 0) & (tokens[:, 1:] > 0)
    new = task.is_hidden[:, :-1] | task.is_hidden[:, 1:]
    assert (gaps[both & new] >= 0).all()


def test_what_is_written_moves_in_no_parallels_unless_it_may():
    def found(asked: bool) -> int:
        made = []
        for seed in range(4):
            cells = task_of(24, seed, 0.0).cells
            task = FillTask(cells, np.repeat([[False, True, True, True]], 24, axis=0))
            rules = VoiceRules(no_parallels=asked)
            (tokens,) = fill(tiny_engine(), task, [seed], Sampling(), rules, shares=(1.0, 0.5))
            made += find_parallels(SATB.decode(tokens))
        return sum(not parallel.is_contrary for parallel in made)

    assert found(asked=True) == 0
    assert found(asked=False) > 5


@given(seed=st.integers(0, 99), voice=st.integers(0, 3))
@settings(max_examples=40, deadline=None)
def test_parallels_are_those_of_the_checker_forwards_and_backwards(seed, voice):
    two = task_of(2, seed, 0.0).cells
    for here, beside in ((1, 0), (0, 1)):
        forbidden = parallels(voice, two[None, here], two[None, beside], SATB)[0]
        for token in range(1, SATB.vocab_size):
            tried = two.copy()
            tried[here, voice] = token
            said = find_parallels(SATB.decode(tried))
            is_one = any(voice in (p.upper, p.lower) and not p.is_contrary for p in said)
            assert forbidden[token] == is_one


def test_a_seed_gives_the_same_alone_and_in_a_batch():
    task = task_of(20, 5, 0.7)
    together = fill(tiny_engine(), task, [7, 8, 9], Sampling(), VoiceRules(), shares=(1.0, 0.5))
    alone = fill(tiny_engine(), task, [8], Sampling(), VoiceRules(), shares=(1.0, 0.5))
    assert (together[1] == alone[0]).all()
    assert (together[0] != alone[0]).any()


def test_where_a_given_voice_sounds_nobody_rests():
    cells = np.full((24, 4), U)
    cells[:, 0] = 34
    task = FillTask(cells, np.repeat([[False, True, True, True]], 24, axis=0))
    (tokens,) = fill(tiny_engine(), task, [0], Sampling(), VoiceRules(), shares=(1.0,))
    assert (tokens > 0).all()
    assert (tokens != U).all()


def test_voices_that_are_not_asked_for_stay_unknown():
    cells = np.full((8, 4), U)
    cells[:, 0] = 34
    task = FillTask(cells, np.repeat([[False, False, False, True]], 8, axis=0))
    (tokens,) = fill(tiny_engine(), task, [0], Sampling(), VoiceRules(), shares=(1.0,))
    assert (tokens[:, 1:3] == U).all()
    assert (tokens[:, 3] != U).all()


def test_rules_that_leave_no_pitch_are_refused():
    cells = np.full((8, 4), U)
    cells[:, 0] = LOW[1] - 3  # a soprano below the lowest note of any alto
    task = FillTask(cells, np.repeat([[False, True, True, True]], 8, axis=0))
    with pytest.raises(GenerationError, match=r"alto has no pitch left at quarter 0: .*crossing"):
        fill(tiny_engine(), task, [0], Sampling(), VoiceRules(no_crossing=True))


@given(first=st.integers(0, 15), seed=st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_turns_go_from_coarse_to_fine_and_write_each_cell_once(first, seed):
    generator = np.random.default_rng(seed)
    is_open = generator.random((50, 4)) < 0.6
    found = turns(is_open, first, SATB, generator)
    assert (np.sum(found, axis=0) == is_open).all()
    level = np.repeat([[0], [2], [1], [2]], 4, axis=1)
    levels = [np.unique(level[(np.nonzero(turn)[0] + first) % 4]) for turn in found]
    assert all(len(each) == 1 for each in levels)
    assert (np.diff([int(each[0]) for each in levels]) >= 0).all()
    bars = [np.bincount((np.nonzero(turn)[0] + first) // 16) for turn in found]
    assert max(counts.max() for counts in bars) <= 2


def test_the_graph_says_what_the_network_says():
    cells = np.random.default_rng(0).integers(0, U + 1, (2, 37, 4))
    with torch.inference_mode():
        features = torch.from_numpy(filling_features(cells, SATB, first=1))
        expected = tiny_network()(features)[0].numpy()
    assert np.allclose(tiny_engine().logits(cells, first=1), expected, atol=1e-5)


def test_a_graph_of_another_kind_is_refused():
    with pytest.raises(CheckpointError, match="fill graph"):
        FillEngine(graph_for(MelodyRepresentation()), SATB)
    with pytest.raises(CheckpointError, match="gives"):
        FillEngine(tiny_graph(), type(SATB)(highest=80))
