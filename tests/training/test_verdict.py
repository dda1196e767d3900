import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partimento.training.verdict import judge

SETTINGS = {
    "minutes": 10.0,
    "steps": None,
    "dropout": 0.2,
    "hidden_size": 256,
    "learning_rate": 2e-3,
    "patience": 10,
}
FIGURES = {
    "valid_nats_per_step": 0.7,
    "valid_nats_per_note": 2.4,
    "uniform_nats_per_step": 3.83,
    "counts_nats_per_step": 1.84,
    "five_gram_nats_per_step": 1.0,
    "parameters": 1_200_000,
    "best_step": 800,
}


def log_of(held_out, losses=None, every=100):
    """Lines of a run that was looked at every so many steps, from step 0 on."""
    losses = [None, *held_out[1:]] if losses is None else [None, *losses]
    return [
        {"step": every * number, "held_out_nats_per_step": nats, "loss": loss}
        for number, (nats, loss) in enumerate(zip(held_out, losses, strict=True))
    ]


def told(held_out, losses=None, figures=None, settings=None, **facts):
    return judge(
        log_of(held_out, losses), FIGURES | (figures or {}), SETTINGS | (settings or {}), **facts
    )


FALLING = [3.8, 2.0, 1.6, 1.3, 1.1, 1.0, 0.9, 0.8, 0.7]
FLAT = [3.8, 1.0, 0.8, 0.72, 0.705, 0.702, 0.7005, 0.7002, 0.7001]
RISING = [3.8, 1.0, 0.8, 0.70, 0.72, 0.74, 0.77, 0.80, 0.85]


def test_held_out_loss_that_rises_while_training_loss_falls_is_overfitting():
    found = told(RISING, [1.0, 0.8, 0.7, 0.65, 0.6, 0.55, 0.5, 0.45], training_notes=20_000)
    assert found.overfits_from == 300
    assert not found.is_unsteady
    assert not found.was_improving
    assert (
        "It overfits from step 300 on: held-out loss rose from 0.7000 to 0.7700 while training "
        "loss fell from 0.7000 to 0.4500. The weights of step 300 are those kept." in found.words
    )
    assert found.advice == (
        "more music: 1,200,000 weights learned from 20,000 notes",
        "more dropout (--dropout 0.4)",
        "a smaller network (--hidden-size 128)",
        "a lower --patience: nothing came of the steps after the 300th but time spent",
    )


def test_held_out_loss_that_rises_with_training_loss_is_not():
    found = told(RISING, [1.0, 0.8, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95])
    assert found.overfits_from is None
    assert found.is_unsteady
    assert "It became unsteady after step 300" in found.words[-1]
    assert found.advice == ("a lower learning rate (--learning-rate 0.001)",)


def test_a_run_that_was_still_getting_better_should_be_longer():
    found = told(FALLING, epochs=2.5)
    assert found.was_improving
    assert found.overfits_from is None
    assert found.words[-1] == (
        "It was still getting better: the last quarter of the run took 22.2% off held-out loss."
    )
    assert found.advice[0] == (
        "train longer (--minutes 20, in another --out): each piece was shown 2.5 times"
    )
    assert "--steps 1600" in told(FALLING, settings={"minutes": None, "steps": 800}).advice[0]


def test_a_run_that_patience_ended_while_it_improved_wants_more_patience():
    assert "a higher --patience" in told(FALLING, reason="early").advice
    assert "Patience ended the run." in told(FLAT, reason="early").words


def test_a_run_that_is_flat_and_knows_training_pieces_no_better_wants_a_wider_network():
    found = told(FLAT, epochs=20.0)
    assert not found.was_improving
    assert "nearly stopped getting better: the last quarter took 0.1% off" in found.words[-1]
    assert found.advice == (
        "a wider network (--hidden-size 512): training loss is not far below held-out loss, so it "
        "is not held back by too little music",
    )


def test_a_run_that_is_flat_and_knows_training_pieces_much_better_wants_more_music():
    found = told(FLAT, [1.0, 0.8, 0.6, 0.5, 0.45, 0.42, 0.4, 0.4], epochs=20.0, training_notes=500)
    assert found.advice == (
        "more music: 1,200,000 weights learned from 500 notes",
        "more dropout (--dropout 0.4)",
    )


def test_noise_between_looks_is_no_overfitting():
    noisy = [3.8, 1.0, 0.8, 0.70, 0.703, 0.702, 0.704, 0.701, 0.703]
    found = told(noisy, [1.0, 0.8, 0.7, 0.68, 0.66, 0.65, 0.64, 0.63])
    assert found.overfits_from is None
    assert not found.is_unsteady


def test_a_run_of_few_looks_says_so():
    found = told([3.8, 1.0, 0.9])
    assert found.words[-1].startswith("Too few looks at the held-out pieces")
    assert found.advice == (
        "train longer (--minutes 20, in another --out), or look more often (--evaluate-every)",
    )


@pytest.mark.parametrize(
    ("nats", "beats", "words"),
    [
        (0.7, True, "The network needs 30% fewer nats than the 5-gram."),
        (1.005, False, "The network is level with the 5-gram"),
        (1.2, False, "The 5-gram is still ahead: the network needs 20% more nats."),
    ],
)
def test_its_place_beside_the_five_gram(nats, beats, words):
    found = told(FLAT, figures={"valid_nats_per_step": nats})
    assert found.beats_five_gram is beats
    assert any(words in line for line in found.words)
    assert (
        "On the same pieces: 3.8300 by all events alike, 1.8400 by how frequent each is, 1.0000 by "
        "a 5-gram (counts of what followed the same four events)." in found.words
    )


def test_without_baselines_nothing_is_said_of_them():
    figures = {"valid_nats_per_step": 0.7, "valid_nats_per_note": 2.4}
    found = judge(log_of(FLAT), figures, {})
    assert found.beats_five_gram is None
    assert not any("gram" in line for line in found.words)


def test_a_run_that_made_it_worse_has_learned_nothing_that_helps():
    figures = {"best_step": 0, "valid_nats_per_step": 3.8}
    assert told([3.8, 4.0], figures=figures).words[0].startswith("It learned nothing that helps")


losses = st.floats(0.01, 10, allow_nan=False)


@given(
    st.lists(st.tuples(losses, st.none() | losses), max_size=12),
    st.sampled_from(["done", "early"]),
    st.none() | st.floats(0, 100),
    st.none() | st.integers(0, 10**6),
)
def test_whatever_the_log_it_says_something_and_never_two_things_at_once(
    looks, reason, epochs, notes
):
    log = [
        {"step": 10 * number, "held_out_nats_per_step": nats, "loss": loss}
        for number, (nats, loss) in enumerate(looks)
    ]
    found = judge(log, FIGURES, SETTINGS, reason=reason, epochs=epochs, training_notes=notes)
    assert found.words
    assert sum([found.overfits_from is not None, found.is_unsteady, found.was_improving]) <= 1
    assert not any(math.isnan(value) for value in [found.overfits_from or 0])
    assert found.facts()["words"] == list(found.words)
    if found.overfits_from is not None:
        best = min(line["held_out_nats_per_step"] for line in log[1:])
        assert best == next(
            line["held_out_nats_per_step"] for line in log if line["step"] == found.overfits_from
        )
