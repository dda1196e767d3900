import numpy as np
import pytest
from generation.tiny_graph import graph_for
from hypothesis import given, settings
from strategies import melody_scores

from partimento.errors import ParameterError
from partimento.generation.constraints import Constraints
from partimento.generation.continuation import continue_score
from partimento.generation.engine import StepEngine
from partimento.generation.hearing import hear
from partimento.generation.next import next_notes
from partimento.generation.sampling import Sampling
from partimento.music.examples import row_your_boat
from partimento.music.notation import seq
from partimento.representations.melody import MelodyRepresentation

REPRESENTATION = MelodyRepresentation(lowest=60, highest=67, with_position=True)


@pytest.fixture(scope="module")
def engine():
    return StepEngine(graph_for(REPRESENTATION, rest_bias=2))


@settings(max_examples=30)
@given(melody_scores(min_notes=1, lowest=60, highest=67))
def test_notes_and_rest_sum_to_one(engine, primer):
    following = next_notes(engine, hear(primer, REPRESENTATION))
    assert following.probabilities.sum() + following.rest == pytest.approx(1)
    assert following.wait_probabilities.sum() + following.rest == pytest.approx(1)
    assert (following.probabilities >= 0).all()


@pytest.mark.parametrize("primer", ["c4:q d4:q e4:h", "c4:q d4:q e4:q r:q", "c4:e d4:e"])
def test_continue_starts_with_these_notes_as_often_as_next_says(engine, primer):
    heard = hear(seq(primer), REPRESENTATION)
    following = next_notes(engine, heard)
    count = 3000
    starts = np.zeros(8)
    for made in continue_score(
        engine, heard, 4, range(count), Sampling(), Constraints(rest_bars=None)
    ):
        notes = made.parts[0].notes
        starts[notes.pitch[notes.onset >= heard.score.end_tick][0] - 60] += 1
    expected = following.probabilities / (1 - following.rest)
    error = np.sqrt(expected * (1 - expected) / count)
    assert (np.abs(starts / count - expected) < 5 * error + 1e-9).all()


def test_choices_come_likeliest_first_with_the_rest_among_them(engine):
    following = next_notes(engine, hear(row_your_boat().slice(0, 2), REPRESENTATION))
    choices = following.choices()
    assert [c.probability for c in choices] == sorted(
        (c.probability for c in choices), reverse=True
    )
    assert sum(c.probability for c in choices) == pytest.approx(1)
    assert {c.pitch for c in choices} == {None, *range(60, 68)}
    assert {c.name for c in choices if c.pitch in (None, 60, 61)} == {"rest", "c4", "c#4"}
    assert following.choices(2) == choices[:2]


def test_a_melody_octaves_away_gets_an_answer_there(engine):
    near, far = (
        next_notes(engine, hear(seq("c4:q d4:q e4:q").transpose(shift), REPRESENTATION))
        for shift in (0, 24)
    )
    assert (far.pitches == near.pitches + 24).all()
    assert (far.probabilities == near.probabilities).all()


def test_at_the_end_of_the_keyboard_only_its_keys_are_choices():
    representation = MelodyRepresentation(lowest=40, highest=60)
    engine = StepEngine(graph_for(representation))
    following = next_notes(engine, hear(seq("c4:q").transpose(-60), representation))
    assert following.pitches.tolist() == list(range(13))
    assert following.probabilities.sum() + following.rest == pytest.approx(1)


@pytest.mark.parametrize("top", [0, -1, 1.5, "3"])
def test_top_must_make_sense(engine, top):
    following = next_notes(engine, hear(seq("c4:q"), REPRESENTATION))
    with pytest.raises(ParameterError, match=r"^top must be"):
        following.choices(top)
