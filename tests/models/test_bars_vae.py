"""melody-vae and drums-vae: ways about the map, and what is refused there."""

import json

import numpy as np
import pytest
from models.tiny_vae import LATENT_SIZE, save_tiny_vae

from partimento import load, seq
from partimento.errors import CheckpointError, ParameterError, VerbError
from partimento.music.notes import Notes
from partimento.music.provenance import read_stamps
from partimento.music.score import Meter, Part, Score

TUNE = "c4:q d4:q e4:q f4:q g4:h c4:h"
OTHER = "g4:e g4:e a4:q b4:q c5:q d5:h r:h"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def model(place):
    return load(save_tiny_vae(place / "melody"))


@pytest.fixture(scope="module")
def drummer(place):
    return load(save_tiny_vae(place / "drums", "drums"))


def drums(bars=2, step=240):
    onset = np.arange(8 * bars) * step
    pitch = np.array([36, 42, 38, 42] * 2 * bars)
    part = Part(Notes(onset, np.full(len(onset), 60), pitch), is_drum=True)
    return Score((part,), meters=(Meter(0, 4, 4),), end_tick=8 * bars * step)


def test_samples_are_windows_of_any_meter_and_each_seed_is_its_own(model):
    many = model.sample_many(3, meter="6/8", qpm=90, seed=5)
    assert all(score.num_notes for score in many)
    assert {score.end_tick for score in many} == {2 * 3 * 480}
    assert {str(score.meter) for score in many} == {"6/8"}
    assert many[2].parts == model.sample(meter="6/8", qpm=90, seed=7).parts
    assert many[0].parts != many[1].parts
    stamp = read_stamps(many[1])[-1]
    assert (stamp["verb"], stamp["seed"]) == ("sample", 6)


def test_more_bars_than_a_window_has_are_several_windows_cut_to_length(model):
    assert model.sample(5, seed=1).end_tick == 5 * 4 * 480
    with pytest.raises(ParameterError, match="bars must be 1 to"):
        model.sample(0)
    with pytest.raises(ParameterError, match="at most: choose a shorter meter"):
        model.sample(meter="8/4")


def test_varying_by_nothing_gives_the_tune_back_and_by_more_something_else(model):
    tune = seq(TUNE)
    assert model.vary(tune, 0).parts[0].notes == tune.parts[0].notes
    made = model.vary_many(tune, 2, 0.8, seed=3)
    assert made[0].parts != tune.parts
    assert made[0].parts != made[1].parts
    assert made[1].parts == model.vary(tune, 0.8, seed=4).parts
    for amount in (-0.1, 1.1, float("nan")):
        with pytest.raises(ParameterError, match="amount must be"):
            model.vary(tune, amount)


def test_sliders_are_turned_by_their_names(model):
    tune = seq(TUNE)
    made = model.vary(tune, more={"density": 2.0})
    assert made.parts != tune.parts
    assert made == model.vary(tune, more={"density": 2.0})
    settings = read_stamps(made)[-1]["settings"]
    assert settings["more"] == {"density": 2.0}
    with pytest.raises(ParameterError, match="no slider 'loudness': there is density"):
        model.vary(tune, more={"loudness": 1})
    with pytest.raises(ParameterError, match="8 standard deviations at most"):
        model.vary(tune, more={"density": 9})


def test_what_is_turned_comes_nearer_to_what_was_asked(model):
    """The steps tried along a slider hold the point itself, so it never gets worse."""
    heard = model.hear(seq(TUNE))
    z, _ = model._engine.encode(heard.tables)
    before = model.measured(heard.tables)["density"]
    generator = np.random.default_rng(0)
    point = model.turned(heard.tables, z, {"density": 1.0}, generator)
    assert point.shape == z.shape
    assert np.isfinite(point).all()
    assert np.isfinite(before).all()


def test_a_road_leads_from_one_tune_to_another(model):
    road = model.interpolate(seq(TUNE), seq(OTHER), steps=5, seed=1)
    assert len(road.scores) == 5
    assert road.scores[0].parts[0].notes == seq(TUNE).parts[0].notes
    assert road.scores[-1].parts[0].notes == seq(OTHER).parts[0].notes
    assert (road.to_a[0], road.to_b[-1]) == (0, 0)
    assert road.to_a[-1] == road.to_b[0] > 0
    assert road.whole.end_tick == 5 * 2 * 4 * 480
    long = model.interpolate(seq(TUNE).repeat(2), seq(OTHER), steps=2)
    assert any("its first 2 are used" in remark for remark in long.remarks)
    with pytest.raises(ParameterError, match="A is in 4/4 and B in 3/4"):
        model.interpolate(seq(TUNE), seq("c4:h. d4:h.", meter="3/4"))
    with pytest.raises(ParameterError, match="steps must be 2 to 64"):
        model.interpolate(seq(TUNE), seq(OTHER), steps=1)


def test_a_reconstruction_says_how_much_of_the_tune_it_is(model):
    found = model.reconstruct(seq(TUNE).repeat(2), seed=1)
    assert found.score.end_tick == seq(TUNE).repeat(2).end_tick
    assert found.same_by_bar.shape == (4,)
    assert found.same == pytest.approx(found.same_by_bar.mean())
    odd = model.reconstruct(seq("c4:w d4:w e4:w"))
    assert odd.score.end_tick == 3 * 4 * 480
    assert any("silence fills the last" in remark for remark in odd.remarks)


def test_points_are_what_encode_says_and_decode_takes(model):
    z = model.encode(seq(TUNE).repeat(2))
    assert z.shape == (2, LATENT_SIZE)
    made = model.decode(z, meter="3/4", qpm=80)
    assert made.end_tick == 4 * 3 * 480
    assert model.decode(z[0].tolist()).end_tick == 2 * 4 * 480
    far = np.full((1, LATENT_SIZE), 101.0)
    for wrong in (np.zeros((1, 7)), np.zeros((0, 6)), far * np.nan, far, [["a"] * 6]):
        with pytest.raises(ParameterError, match="z "):
            model.decode(wrong)


def test_the_estimate_never_exceeds_the_bound_and_more_points_bring_it_down(model):
    few, many = (model.likelihood(seq(TUNE), samples=n) for n in (2, 200))
    assert many.nats <= many.bound
    assert few.nats <= few.bound
    assert many.nats < few.bound
    assert many.notes == 6
    assert many.steps == 32
    json.dumps(many.as_dict())
    with pytest.raises(ParameterError, match="samples must be 1 to"):
        model.likelihood(seq(TUNE), samples=0)


def test_strokes_are_played_unless_they_shall_be_straight(drummer):
    played = drummer.sample_many(3, seed=2)
    assert read_stamps(played[0])[-1]["played_by"].startswith("drums-groove ")
    assert played[1] == drummer.sample(seed=3)
    drummer.is_straight = True
    try:
        straight = drummer.sample(seed=3)
    finally:
        drummer.is_straight = False
    notes, mine = (score.parts[0].notes for score in (straight, played[1]))
    assert len(notes) == len(mine)
    assert (len(set(notes.velocity.tolist())), (notes.onset % 120).any()) == (1, False)
    assert len(set(mine.velocity.tolist())) > 3
    assert (mine.onset % 120).any()
    assert played[1].end_tick == straight.end_tick
    assert "played_by" not in read_stamps(straight)[-1]


def test_the_ends_of_a_road_are_played_as_they_were(drummer):
    soft = drums(bars=2).parts[0].notes
    played = Notes(soft.onset + 15, soft.duration, soft.pitch, np.arange(len(soft)) + 20)
    end = drums().with_parts([Part(played, is_drum=True)])
    road = drummer.interpolate(end, drums(), 3)
    assert road.scores[0].parts[0].notes.velocity.tolist() == played.velocity.tolist()
    assert road.scores[0].parts[0].notes.onset.tolist() == played.onset.tolist()
    assert road.whole.num_notes == sum(score.num_notes for score in road.scores)


def test_drums_are_heard_by_drums_alone(model, drummer):
    assert drummer.vary(drums(), 0).num_notes == drums().num_notes
    made = drummer.sample(seed=2)
    assert made.parts[0].is_drum
    assert drummer.interpolate(drums(), drums(), 3).to_a.tolist()[0] == 0
    with pytest.raises(ParameterError, match="take drums-vae"):
        model.vary(drums())
    with pytest.raises(ParameterError, match="take melody-vae"):
        drummer.vary(seq(TUNE))


def test_strokes_that_stay_are_played_as_they_were(drummer):
    straight = drums(bars=3).parts[0].notes
    late = np.arange(len(straight)) % 5 * 7
    played = Notes(straight.onset + late, straight.duration, straight.pitch, 40 + late)
    score = drums(bars=3).with_parts([Part(played, is_drum=True)])
    same = drummer.vary(score, 0).parts[0].notes
    assert same.onset.tolist() == played.onset.tolist()
    assert same.velocity.tolist() == played.velocity.tolist()


def test_music_that_is_no_window_is_refused_in_a_line(model):
    with pytest.raises(ParameterError, match="at most: choose a shorter meter"):
        model.reconstruct(Score(seq("c4:w d4:w").parts, meters=(Meter(0, 8, 4),)))
    with pytest.raises(ParameterError, match="no notes"):
        model.reconstruct(Score())
    chords = seq([((60, 64), 2), ((62, 65), 2)])
    with pytest.raises(ParameterError, match="skyline"):
        model.reconstruct(chords)
    assert model.reconstruct(chords, melody="skyline").score.num_notes


def test_of_a_piece_with_several_meters_the_longest_stretch_that_fits_is_heard(model):
    tune = seq("c4:q d4:h. e4:h. f4:h. g4:w a4:w").parts
    meters = (Meter(0, 1, 4), Meter(480, 3, 4), Meter(480 + 3 * 1440, 4, 4))
    heard = model.hear(Score(tune, meters=meters))
    assert (str(heard.meter), heard.bars) == ("3/4", 3)
    assert "bars 2-4 of 6 are used, which are in 3/4" in heard.remarks[0]
    made = model.vary(Score(tune, meters=meters), 0)
    assert [note.pitch for note in made.parts[0].notes] == [62, 64, 65]
    assert made.end_tick == 3 * 3 * 480
    too_long = (Meter(0, 8, 4), Meter(480, 3, 4))
    assert model.hear(Score(tune, meters=too_long)).bars == 6


def test_verbs_of_others_and_damaged_checkpoints_are_refused(model, place):
    with pytest.raises(VerbError, match="melody-vae cannot continue"):
        model.continue_from(seq(TUNE))
    plain = load(save_tiny_vae(place / "plain", with_sliders=False))
    with pytest.raises(ParameterError, match="has no sliders"):
        plain.vary(seq(TUNE), more={"density": 1})
    with pytest.raises(CheckpointError, match="config is damaged"):
        load(save_tiny_vae(place / "mixed", family="drums-vae"))
    with pytest.raises(CheckpointError, match="sliders do not fit"):
        load(save_tiny_vae(place / "named", sliders={"names": ["a"]})).sliders  # noqa: B018
