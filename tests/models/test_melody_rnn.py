import copy

import pytest
from models.tiny_model import save_tiny_model

from partimento import __version__
from partimento.errors import CheckpointError, ParameterError
from partimento.models.load import load
from partimento.models.melody_rnn import read_representation
from partimento.music.durations import hn, qn
from partimento.music.examples import row_your_boat, row_your_boat_canon
from partimento.music.notation import seq
from partimento.music.pitches import c4, d4, e4
from partimento.music.provenance import read_stamps
from partimento.representations.melody import MelodyRepresentation

TUNE = row_your_boat()
FIELDS = {"steps_per_quarter": 4, "lowest": 48, "highest": 83}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return load(save_tiny_model(tmp_path_factory.mktemp("models") / "tiny"))


def test_it_goes_on_from_a_score_and_from_notation_alike(model):
    made = model.continue_from(seq([(c4, qn), (d4, qn), (e4, hn)]), bars=2, seed=7)
    assert model.continue_from("c4:q d4:q e4:h", bars=2, seed=7) == made
    assert model.continue_from([(c4, qn), (d4, qn), (e4, hn)], bars=2, seed=7) == made
    assert made.duration_qn == 12


def test_many_at_once_are_those_of_the_seeds_that_follow(model):
    many = model.continue_many(TUNE, 5, bars=2, seed=7, temperature=0.9, key="c:major")
    for index, made in enumerate(many):
        alone = model.continue_from(TUNE, bars=2, seed=7 + index, temperature=0.9, key="c:major")
        assert made == alone


def test_many_samples_are_those_of_the_seeds_that_follow(model):
    many = model.sample_many(3, bars=2, seed=1, meter="3/4", qpm=90, lowest="c4")
    assert many == [
        model.sample(bars=2, seed=seed, meter="3/4", qpm=90, lowest="c4") for seed in (1, 2, 3)
    ]


def test_what_is_made_says_how(model):
    settings = {"temperature": 0.5, "lowest": "c4", "key": "d minor", "rest_bars": None}
    made = model.continue_from(TUNE, bars=3, seed=9, melody="1", **settings)
    assert read_stamps(made) == [
        {
            "model": "tiny",
            "hash": model.hash[:16],
            "verb": "continue",
            "seed": 9,
            "version": __version__,
            "primer_end_tick": TUNE.end_tick,
            "settings": {
                "bars": 3,
                "temperature": 0.5,
                "lowest": 60,
                "key": "D minor",
                "rest_bars": None,
                "primer": TUNE.digest[:16],
                "melody": "1",
            },
        }
    ]
    (stamp,) = read_stamps(model.sample(bars=2, meter="6/8", qpm=100))
    assert stamp["settings"] == {"bars": 2, "temperature": 1.0, "meter": "6/8", "qpm": 100}


def test_what_a_stamp_says_makes_the_same_again(model):
    made = model.continue_from(TUNE, bars=2, seed=3, key="c#:minor", hold_bars=0.5)
    (stamp,) = read_stamps(made)
    settings = stamp["settings"]
    assert settings.pop("primer") == TUNE.digest[:16]
    assert model.continue_from(TUNE, seed=stamp["seed"], **settings) == made


def test_a_stamp_of_the_primer_is_kept(model):
    twice = model.continue_from(model.continue_from(TUNE, bars=1), bars=1)
    assert [stamp["verb"] for stamp in read_stamps(twice)] == ["continue"] * 2


def test_it_says_what_comes_next(model):
    choices = model.next(TUNE).choices(3)
    assert len(choices) == 3
    assert repr(model.next(TUNE)).startswith(f"NextNotes({choices[0].name} ")


def test_it_says_how_surprised_it_is(model):
    measured = model.likelihood(TUNE)
    assert len(measured.note_nats) == 27
    assert repr(measured).endswith("27 notes)")
    both = model.likelihood_of([TUNE, row_your_boat_canon()])
    assert both[0].nats == measured.nats
    assert len(both[1].step_nats) == 6 * 16  # the voice rests while the others end


def test_it_shows_what_it_hears(model):
    assert model.hear(row_your_boat_canon(), 2).part == 1


def test_it_introduces_itself(model):
    assert repr(model) == (
        f"tiny {model.hash[:12]} (2x12 LSTM, pitches 48-83, 4 steps a quarter: "
        "continue, sample, next, likelihood)"
    )


def test_it_can_be_copied(model):
    assert copy.copy(model).name == "tiny"


@pytest.mark.parametrize(
    "settings", [{"temperatur": 1}, {"bar": 3}, {"temperature": -1}, {"bars": 0}, {"count": 0}]
)
def test_a_setting_that_is_none_is_named(model, settings):
    name = next(iter(settings))
    with pytest.raises(ParameterError, match=name):
        model.continue_many(TUNE, **{"count": 1, **settings})


@pytest.mark.parametrize(
    "fields",
    [
        None,
        [],
        {**FIELDS, "lowest": "48"},
        {**FIELDS, "lowest": 48.0},
        {**FIELDS, "lowest": True},
        {**FIELDS, "lowest": 90},
        {**FIELDS, "steps_per_quarter": 0},
        {**FIELDS, "steps_per_quarter": 10**12},
        {**FIELDS, "with_position": 1},
        {**FIELDS, "lookback_bars": [1, "2"]},
        {**FIELDS, "lookback_bars": "12"},
        {**FIELDS, "colour": 1},
    ],
    ids=str,
)
def test_a_config_from_a_stranger_is_not_trusted(fields):
    with pytest.raises(CheckpointError, match="representation"):
        read_representation(fields)


def test_a_config_comes_back_as_the_representation_it_was():
    fields = {**FIELDS, "with_position": True, "lookback_bars": [1, 2], "countdown_bars": 8}
    assert read_representation(fields) == MelodyRepresentation(4, 48, 83, True, (1, 2), 8)


def test_a_graph_that_does_not_fit_its_config_is_refused(tmp_path):
    other = {**FIELDS, "lookback_bars": [1]}
    folder = save_tiny_model(tmp_path / "odd", says=other)
    with pytest.raises(CheckpointError, match="its config says 2 and 38"):
        load(folder).sample(bars=1)
