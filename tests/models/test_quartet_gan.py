"""quartet-gan: its verbs, on a small random network."""

import numpy as np
import pytest
from models.tiny_gan import save_tiny_gan

from partimento import load, seq
from partimento.errors import CheckpointError, ParameterError, VerbError
from partimento.music.provenance import read_stamps
from partimento.music.score import Score

TUNE = "c5:q d5:q e5:q c5:q  e5:q f5:q g5:h"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_tiny_gan(tmp_path_factory.mktemp("gan") / "checkpoint")


@pytest.fixture(scope="module")
def model(folder):
    return load(folder)


def notes_of(score):
    return [
        (part.notes.onset.tolist(), part.notes.duration.tolist(), part.notes.pitch.tolist())
        for part in score.parts
    ]


def test_a_sample_has_four_parts_and_the_bars_asked_for(model):
    score = model.sample(bars=6, seed=3)
    assert [part.name for part in score.parts] == list(model.representation.track_names)
    assert score.end_tick == 6 * 4 * score.ticks_per_quarter
    assert score.num_notes > 0


def test_the_same_seed_gives_the_same_notes_alone_and_in_a_batch(model):
    many = model.sample_many(5, seed=10)
    for number, score in enumerate(many):
        assert notes_of(score) == notes_of(model.sample(seed=10 + number))
    assert notes_of(many[0]) != notes_of(many[1])


def test_phrases_in_a_row_share_what_is_of_the_whole(model):
    engine = model._engine
    z = engine.noise(np.random.default_rng(0), 3, 1.0)
    size = model.checkpoint.config["network"]["latent_size"]
    assert (z[0, :size] == z[1, :size]).all()
    assert (z[0, size : 5 * size] != z[1, size : 5 * size]).all()
    tracks = slice(5 * size, 9 * size)
    assert (z[0, tracks] == z[2, tracks]).all()


def test_nobody_is_asked_for_what_the_instrument_cannot_play(model):
    for score in model.sample_many(8, seed=1, key="F# minor"):
        for part, low in zip(score.parts, model.representation.reach, strict=True):
            assert not len(part.notes) or part.notes.pitch.min() >= low


def test_what_is_given_comes_back_untouched(model):
    tune = seq(TUNE)
    score = model.accompany(tune, seed=2)
    assert len(score.parts) == 4
    assert score.parts[0].notes == tune.parts[0].notes
    assert score.num_notes > tune.num_notes
    assert score.meter_map == tune.meter_map
    assert score.end_tick == tune.end_tick


def test_a_bass_is_given_to_the_cello(model):
    heard = model.heard(seq("c2:q g2:q c3:q e2:q"))
    assert model.representation.track_names[heard.track] == "Violoncello"
    asked = model.heard(seq(TUNE), track="viola")
    assert model.representation.track_names[asked.track] == "Viola"


def test_a_pickup_stays_before_its_bar(model):
    tune = seq("g4:q | c5:q d5:q e5:q f5:q | g5:w")
    score = model.accompany(tune)
    assert score.parts[0].notes == tune.parts[0].notes
    assert all(part.notes.end <= score.end_tick for part in score.parts)


def test_other_meters_are_refused_until_they_are_made_to_fit(model):
    waltz = seq("c5:q d5:q e5:q | f5:h.", meter="3/4")
    with pytest.raises(ParameterError, match=r"3/4.*--fit.*--config 3-4"):
        model.accompany(waltz)
    score = model.accompany(waltz, fit=True)
    assert score.parts[0].notes == waltz.parts[0].notes
    assert any("read in bars of 4/4" in remark for remark in model.heard(waltz, fit=True).remarks)


def test_what_no_instrument_can_play_is_moved_by_octaves_if_asked(model):
    low = seq("c1:q d1:q")
    with pytest.raises(ParameterError, match=r"spans pitches 24-26.*--fit"):
        model.accompany(low)
    heard = model.heard(low, fit=True)
    assert heard.notes.pitch.tolist() == [36, 38]
    with pytest.raises(ParameterError, match="spans too much"):
        model.accompany(seq("c1:q c8:q"), fit=True)


@pytest.mark.parametrize("score", [Score(), seq("r:w")], ids=["nothing", "a rest"])
def test_music_without_notes_is_refused(model, score):
    with pytest.raises(ParameterError, match="no notes"):
        model.accompany(score)


def test_long_music_is_cut_if_asked(model):
    long = seq("c5:w " * 300)
    with pytest.raises(ParameterError, match="300 bars, 256 at most"):
        model.accompany(long)
    assert model.accompany(long, fit=True).end_tick == 256 * 4 * 480


def test_a_road_leads_from_one_seed_to_the_other(model):
    road = model.interpolate(3, 7, steps=5)
    assert len(road.scores) == 5
    assert road.to_a[0] == 0 and road.to_b[-1] == 0
    assert road.to_a[-1] == road.to_b[0] > 0
    alone = model.sample_phrases(1, seed=3)[0]
    assert road.scores[0].num_notes == model.representation.score_of(alone, 0).num_notes


def test_a_gan_has_no_likelihood(model, folder):
    with pytest.raises(VerbError, match="a GAN has no likelihood"):
        model.likelihood(seq(TUNE))
    with pytest.raises(VerbError, match="melody-rnn"):
        load(folder, verb="likelihood")


def test_another_meter_is_refused_with_the_preset_that_writes_it(model):
    with pytest.raises(ParameterError, match="--config 3-4"):
        model.sample(meter="3/4")
    assert model.sample(meter="2/2").num_notes  # the same bars


def test_a_waltz_model_writes_waltzes(tmp_path):
    model = load(save_tiny_gan(tmp_path / "waltz", "3/4"))
    score = model.sample(seed=1)
    assert str(score.meter) == "3/4"
    assert score.end_tick == 4 * 3 * 480


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"temperature": -1}, "temperature"),
        ({"bars": 0}, "bars"),
        ({"seed": -1}, "seed"),
        ({"key": "H major"}, "H"),
    ],
)
def test_senseless_wishes_are_refused(model, asked, words):
    with pytest.raises(ParameterError, match=words):
        model.sample(**asked)


def test_what_is_made_says_how(model):
    stamp = read_stamps(model.sample(seed=4, key="D major"))[-1]
    assert stamp["verb"] == "sample" and stamp["seed"] == 4
    assert stamp["settings"]["key"] == "D major"


def test_a_damaged_config_is_refused(tmp_path):
    folder = save_tiny_gan(tmp_path / "odd", network={"latent_size": "many"})
    with pytest.raises(CheckpointError, match="latent_size"):
        load(folder).sample()
    folder = save_tiny_gan(tmp_path / "other", network={"latent_size": 5})
    with pytest.raises(CheckpointError, match="the write graph has"):
        load(folder).sample()
