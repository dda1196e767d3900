"""`GrooveNet`: what a cell may depend on."""

import numpy as np
import pytest
import torch
from models.tiny_groove import REPRESENTATION, tiny_network

from partimento.errors import ParameterError
from partimento.networks.groove import GrooveNetConfig

GIVEN = REPRESENTATION.given_size
STEPS, DRUMS = 6, 9


def changed_cells(column, step, *, told=False):
    """Which cells' logits change where a number of a step does: bool, (step, kind, drum)."""
    features = torch.randn(1, STEPS, GIVEN + 3 * DRUMS, generator=torch.manual_seed(0))
    other = features.clone()
    other[0, step, column if told else GIVEN + column] += 1
    with torch.inference_mode():
        one, two = (tiny_network()(each)[0] for each in (features, other))
    found = (one != two).any(dim=-1)[0]
    return found.view(STEPS, 3, DRUMS).numpy()


@pytest.mark.parametrize("kind", range(3), ids=["struck", "velocity", "offset"])
def test_a_cell_depends_on_those_written_before_it_alone(kind):
    changed = changed_cells(kind * DRUMS + 4, 2)
    assert not changed[:2].any()
    assert not changed[2, :, :5].any()
    assert changed[2, :, 5:].all()
    assert changed[3:].all()


def test_what_is_told_is_known_from_the_beginning():
    assert changed_cells(0, STEPS - 1, told=True).all()


def test_a_stroke_has_two_classes():
    features = torch.zeros(1, STEPS, GIVEN + 3 * DRUMS)
    with torch.inference_mode():
        chance = tiny_network()(features)[0].softmax(dim=-1)[0, :, :DRUMS]
    assert np.allclose(chance[..., :2].sum(dim=-1), 1)


@pytest.mark.parametrize(
    "sizes",
    [{"ahead_size": 0}, {"classes": 1}, {"dropout": 1.0}],
    ids=lambda sizes: next(iter(sizes)),
)
def test_sizes_that_make_no_sense_are_refused(sizes):
    with pytest.raises(ParameterError, match=next(iter(sizes))):
        GrooveNetConfig(GIVEN, **sizes)
