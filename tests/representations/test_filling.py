"""What a network that fills in reads, and which cells are hidden from it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from partimento.errors import ParameterError
from partimento.music.score import Key
from partimento.representations.filling import (
    AFTER,
    BEFORE,
    KEY,
    LEFT,
    NEVER,
    NO_KEY,
    NOT_TOLD,
    PAST,
    PLACE,
    SINCE,
    UNTIL,
    filling_features,
    key_value,
    moved_key,
)
from partimento.representations.masks import (
    TASKS,
    check_task,
    digest_of_masks,
    random_mask,
    task_mask,
)
from partimento.representations.satb import SatbRepresentation

SATB = SatbRepresentation()
U = SATB.unknown


def test_the_nearest_known_pitches_are_found_before_and_after():
    cells = np.full((1, 6, 4), U)
    cells[0, 1, 0], cells[0, 4, 0], cells[0, 2, 0] = 30, 35, 0  # a rest is no pitch
    features = filling_features(cells, SATB)[0]
    assert features[:, BEFORE][:, 0].tolist() == [U, U, 30, 30, 30, 35]
    assert features[:, AFTER][:, 0].tolist() == [30, 35, 35, 35, U, U]
    # Buckets: 0 is one step away, 1 two, 2 three.
    assert features[:, SINCE][:, 0].tolist() == [NEVER, NEVER, 0, 1, 2, 0]
    assert features[:, UNTIL][:, 0].tolist() == [0, 2, 1, 0, NEVER, NEVER]


def test_an_excerpt_stands_where_it_stood_in_the_piece():
    cells = np.random.default_rng(0).integers(0, 47, (1, 90, 4))
    whole = filling_features(cells, SATB, first=2)
    excerpt = filling_features(cells[:, 21:70], SATB, first=2, before=21, after=20)
    for column in (PLACE, PAST, LEFT):
        assert (excerpt[..., column] == whole[:, 21:70, column]).all()
    assert whole[0, :6, PAST].tolist() == [0, 0, 0, 0, 1, 1]
    assert whole[0, -6:, LEFT].tolist() == [1, 1, 0, 0, 0, 0]


def test_the_end_need_not_be_told():
    untold = filling_features(np.full((1, 12, 4), U), SATB, after=None)
    assert set(untold[0, :, LEFT]) == {NOT_TOLD}


def test_the_key_is_that_of_the_known_cells():
    d_minor = np.array([62, 64, 65, 67, 69, 70, 73, 74, 62, 62]) - SATB.lowest + 1
    cells = np.full((1, 10, 4), U)
    cells[0, :, 0] = d_minor
    told = key_value(Key(0, -1, is_minor=True), SATB)
    assert set(filling_features(cells, SATB)[..., KEY].ravel()) == {told}
    moved = SATB.transposed(cells, 5)
    assert set(filling_features(moved, SATB)[..., KEY].ravel()) == {moved_key(told, 5)}
    nothing = filling_features(np.full((1, 5, 4), U), SATB)
    assert set(nothing[..., KEY].ravel()) == {NO_KEY}


@given(steps=st.integers(1, 200), seed=st.integers(0, 2**32))
def test_every_drawn_mask_hides_something(steps, seed):
    mask = random_mask(steps, SATB, np.random.default_rng(seed))
    assert mask.shape == (steps, 4)
    assert mask.any()


def test_drawn_masks_hide_whole_voices_and_single_cells():
    generator = np.random.default_rng(0)
    masks = [random_mask(64, SATB, generator) for _ in range(400)]
    assert any(mask.all() for mask in masks)
    assert any(mask.sum() < 5 for mask in masks)
    assert any(mask[:, 1:].all() and not mask[:, 0].any() for mask in masks)


@pytest.mark.parametrize(("task", "share"), [*zip(TASKS, (0.25, 0.75, 0.25, 0.5), strict=True)])
def test_tasks_hide_what_they_say(task, share):
    mask = task_mask(task, 2, 64, SATB)
    assert mask.mean() == share
    assert (mask == task_mask(task, 2, 64, SATB)).all()


def test_the_frozen_masks_are_those_of_the_published_figures():
    masks = [task_mask(task, n, 60 + 7 * n, SATB) for task in TASKS for n in range(8)]
    assert digest_of_masks(masks)[:16] == "55c0126a217a45e7"


def test_a_task_that_is_none_is_refused():
    with pytest.raises(ParameterError, match="one bar"):
        check_task("two bars")
