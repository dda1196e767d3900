import numpy as np
import pytest
from generation.tiny_graph import graph_for, numpy_step, random_weights, step_graph
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import melody_scores

from partimento.errors import ParameterError
from partimento.generation.engine import StepEngine
from partimento.generation.hearing import hear
from partimento.generation.likelihood import likelihoods
from partimento.generation.sampling import log_softmax
from partimento.music.examples import row_your_boat
from partimento.music.notation import seq
from partimento.music.notes import Notes
from partimento.music.score import Part, Score
from partimento.representations.melody import FIRST_PITCH, MelodyRepresentation

REPRESENTATION = MelodyRepresentation(with_position=True, countdown_bars=8)


@pytest.fixture(scope="module")
def engine():
    return StepEngine(graph_for(REPRESENTATION))


def measure(engine, *scores):
    return likelihoods(engine, [hear(score, REPRESENTATION, whole=True) for score in scores])


@settings(max_examples=30)
@given(st.lists(melody_scores(min_notes=1), min_size=1, max_size=6))
def test_notes_sum_to_the_piece_and_a_piece_is_the_same_alone(engine, pieces):
    together = measure(engine, *pieces)
    for score, measured in zip(pieces, together, strict=True):
        assert measured.note_nats.sum() == pytest.approx(measured.nats)
        assert len(measured.note_nats) == score.num_notes
        assert len(measured.step_nats) == score.end_tick // 120
        assert (measured.step_nats >= 0).all()
        (alone,) = measure(engine, score)
        assert np.array_equal(alone.step_nats, measured.step_nats)


def test_it_is_what_the_network_says_in_numpy():
    weights = random_weights(REPRESENTATION.feature_sizes, REPRESENTATION.vocab_size)
    heard = hear(row_your_boat(), REPRESENTATION, whole=True)
    features = REPRESENTATION.features(heard.tokens, heard.grid(), None)
    states = [np.zeros((1, 12), dtype=np.float32)] * 4
    nats = 0.0
    for row, token in zip(features, heard.tokens, strict=True):
        logits, states = numpy_step(weights, row[None], states)
        nats -= log_softmax(logits)[0, token]
    (measured,) = likelihoods(StepEngine(step_graph(weights)), [heard])
    assert measured.nats == pytest.approx(nats, rel=1e-5)
    assert measured.nats_per_step == measured.nats / 64
    assert measured.nats_per_note == measured.nats / 27


def test_a_wrong_note_surprises_where_it_stands(engine):
    weights = random_weights(REPRESENTATION.feature_sizes, REPRESENTATION.vocab_size)
    head, bias = weights["head"]
    bias = np.where(np.arange(len(bias)) == 70 - 48 + FIRST_PITCH, -30, bias).astype(np.float32)
    shy_of_70 = StepEngine(step_graph({**weights, "head": (head, bias)}))
    (measured,) = measure(shy_of_70, seq("c4:q d4:q bb4:q f4:q"))
    assert measured.note_nats.argmax() == 2


def test_silence_before_the_first_note_and_after_the_last_counts(engine):
    heard = hear(seq("r:h c4:q"), REPRESENTATION, whole=True)
    (measured,) = likelihoods(engine, [heard])
    assert len(measured.step_nats) == 16  # to the bar line
    assert measured.note_nats.tolist() == [pytest.approx(measured.nats)]


def test_onsets_and_pitches_are_those_of_the_piece(engine):
    score = Score(parts=(Part(Notes([7, 485], [470, 480], [24, 26])),))
    (measured,) = measure(engine, score)
    assert measured.pitch.tolist() == [24, 26]
    assert measured.onset_qn.tolist() == [7 / 480, 485 / 480]
    assert len(measured.remarks) == 2


def test_plain_values_hold_all_of_it(engine):
    (measured,) = measure(engine, seq("c4:q d4:q"))
    facts = measured.as_dict()
    assert sum(note["nats"] for note in facts["notes"]) == pytest.approx(facts["nats"])
    assert [set(note) for note in facts["notes"]] == [{"onset_qn", "pitch", "nats"}] * 2


def test_pieces_of_many_lengths_go_in_groups(engine):
    pieces = [seq([(60 + i % 9, 1)] * (i % 40 + 1)) for i in range(150)]
    together = measure(engine, *pieces)
    for index in (0, 39, 40, 100, 149):
        (alone,) = measure(engine, pieces[index])
        assert np.array_equal(alone.step_nats, together[index].step_nats)


def test_no_pieces_have_no_likelihoods(engine):
    assert likelihoods(engine, []) == []


def test_a_piece_whose_melody_is_empty_is_refused(engine):
    with pytest.raises(ParameterError, match="no notes"):
        measure(engine, seq("r:w"))
