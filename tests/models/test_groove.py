"""`humanize` and `drums`: what changes, what stays, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from groove_music import a_beat, hits
from models.tiny_groove import save_tiny_groove

from partimento.errors import CheckpointError, ParameterError, VerbError
from partimento.models.groove import usual_drummer
from partimento.models.load import load
from partimento.music.drums import without_overlap
from partimento.music.notation import seq
from partimento.music.notes import Notes
from partimento.music.provenance import read_stamps
from partimento.music.score import Meter, Part, Score

TUNE = "c4:q d4:q e4:e. f4:s g4:q"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return load(save_tiny_groove(tmp_path_factory.mktemp("models") / "tiny"))


def drums_of(score):
    return next(part.notes for part in score.parts if part.is_drum)


def test_humanizing_keeps_every_stroke_and_plays_it_otherwise(model):
    beat = a_beat()
    made = model.humanize(beat, seed=1)
    assert np.array_equal(hits(made), hits(beat))
    one, other = drums_of(made), drums_of(beat)
    assert len(set(one.velocity.tolist())) > 5
    assert (one.onset % 120).any()
    assert sorted(one.pitch.tolist()) == sorted(other.pitch.tolist())
    assert made.end_tick == beat.end_tick
    assert np.array_equal(without_overlap(one).duration, one.duration)


def test_the_same_seed_plays_the_same_alone_or_among_others(model):
    several = model.humanize_many(a_beat(), 3, seed=4)
    assert len({score.digest for score in several}) == 3
    assert several[2] == model.humanize(a_beat(), seed=6)


def test_an_amount_of_nothing_leaves_it_as_it_is(model):
    assert drums_of(model.humanize(a_beat(), amount=0)) == drums_of(a_beat())
    whole, half = (drums_of(model.humanize(a_beat(), amount=amount)) for amount in (1, 0.5))
    straight = drums_of(a_beat())
    assert (
        abs(half.velocity.astype(int) - straight.velocity).sum()
        < abs(whole.velocity.astype(int) - straight.velocity).sum()
    )


def test_velocity_or_time_alone_can_be_written(model):
    straight = drums_of(a_beat())
    made = drums_of(model.humanize(a_beat(), only="velocity"))
    assert np.array_equal(made.onset, straight.onset)
    assert not np.array_equal(made.velocity, straight.velocity)
    made = drums_of(model.humanize(a_beat(), only="time"))
    assert not np.array_equal(np.sort(made.onset), straight.onset)
    assert set(made.velocity.tolist()) == set(straight.velocity.tolist())


def test_what_is_no_drum_stays_as_it_is(model):
    piano = seq(TUNE).parts[0]
    claves = Notes(onset=[7], duration=[9], pitch=[75], velocity=[33])
    beat = a_beat()
    parts = [piano, *beat.parts, Part(claves, "claves", is_drum=True)]
    made = model.humanize(beat.with_parts(parts))
    assert (made.parts[0], made.parts[2]) == (piano, parts[2])
    assert model.hear(beat.with_parts(parts)).remarks == (
        "strokes of other instruments, which stay as they are: 1",
    )


def test_strokes_far_off_the_grid_keep_their_time(model):
    triplets = Notes(onset=[0, 160, 320], duration=[60] * 3, pitch=[42] * 3)
    score = Score(end_tick=1920).with_parts([Part(triplets, is_drum=True)])
    made = drums_of(model.humanize(score))
    assert made.onset[1:].tolist() == [160, 320]
    assert model.hear(score).remarks[0].endswith("which keep their time: 2")


def test_a_flam_moves_as_one(model):
    flam = Notes(onset=[470, 480], duration=[5, 60], pitch=[38, 38], velocity=[30, 100])
    score = Score(end_tick=1920).with_parts([Part(flam, is_drum=True)])
    made = drums_of(model.humanize(score))
    assert len(made) == 2
    assert np.diff(made.onset).tolist() == [10]


@pytest.mark.parametrize("meter", ["3/4", "5/4", "7/8"])
def test_any_meter_is_played(model, meter):
    beat = a_beat(4).with_meter(meter)
    assert np.array_equal(hits(model.humanize(beat)), hits(beat))


def test_coarse_ticks_are_made_finer(model):
    coarse = Notes(onset=[0, 2, 4], duration=[1, 1, 1], pitch=[36, 38, 36])
    score = Score(ticks_per_quarter=4, end_tick=16).with_parts([Part(coarse, is_drum=True)])
    made = model.humanize(score)
    assert made.ticks_per_quarter >= 480
    assert (drums_of(made).onset % (made.ticks_per_quarter // 4)).any()


def test_a_performance_to_play_like_makes_a_difference(model):
    played = model.humanize(a_beat(), seed=9)
    made = model.humanize(a_beat(), like=played)
    assert np.array_equal(hits(made), hits(a_beat()))
    assert drums_of(made) != drums_of(model.humanize(a_beat()))
    assert "like" in read_stamps(made)[-1]["settings"]


def test_a_tune_gets_drums_and_stays(model):
    tune = seq(TUNE)
    made = model.drums(tune, seed=1)
    assert made.parts[0] == tune.parts[0]
    assert len(drums_of(made))
    assert made.end_tick == tune.end_tick
    assert [part.is_drum for part in model.drums(tune, alone=True).parts] == [True]
    assert made == model.drums_many(tune, 2, seed=0)[1]


def test_drums_alone_are_taken_for_taps(model):
    made = model.drums(a_beat())
    assert len(made.parts) == 1
    assert drums_of(made) != drums_of(a_beat())


def test_velocity_and_time_of_taps_count(model):
    notes = seq(TUNE).parts[0].notes
    loud = replace(notes, velocity=np.array([20, 120, 60, 90, 30]))
    late = replace(notes, onset=notes.onset + 20)
    made = [
        drums_of(model.drums(Score(end_tick=1920).with_parts([Part(each)]), temperature=0.5))
        for each in (notes, loud, late)
    ]
    assert made[0] != made[1]
    assert made[0] != made[2]


def test_drums_that_are_kept_stay_as_they_are(model):
    beat = model.humanize(a_beat(), seed=2)
    made, before = drums_of(model.drums(beat, keep=["kick", "snare"])), drums_of(beat)
    for pitch in (36, 38):
        one, other = (notes.where(notes.pitch == pitch) for notes in (made, before))
        assert np.abs(one.onset - other.onset).max() <= 1
        assert np.abs(one.velocity - other.velocity).max() <= 1
    assert made != before


@pytest.mark.parametrize(
    "verb, music, options, words",
    [
        ("humanize", seq(TUNE), {}, "`partimento drums` writes drums for it"),
        ("humanize", Score(), {}, "the piece is empty"),
        ("drums", Score(), {}, "the piece is empty"),
        ("humanize", a_beat(), {"amount": 2}, "amount must be 0"),
        ("humanize", a_beat(), {"only": "pitch"}, "only must be velocity or time"),
        ("humanize", a_beat(), {"temperature": -1}, "temperature must be"),
        ("humanize", a_beat(), {"like": seq(TUNE)}, "no drums"),
        ("drums", a_beat(), {"keep": ["crash"]}, "no crash to keep"),
        ("drums", a_beat(), {"keep": ["gong"]}, "the drums are kick"),
        ("drums", seq(TUNE), {"keep": ["kick"]}, "no drums"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_way_out(model, verb, music, options, words):
    with pytest.raises(ParameterError, match=words):
        getattr(model, verb)(music, **options)


def test_drums_of_no_kind_that_is_known_are_refused(model):
    claves = Notes(onset=[0], duration=[9], pitch=[75])
    score = Score(end_tick=1920).with_parts([Part(claves, is_drum=True)])
    with pytest.raises(ParameterError, match="none of the nine drums"):
        model.humanize(score)


def test_the_one_that_ships_plays_a_backbeat():
    played = usual_drummer().humanize_many(a_beat(8), 4)
    by_drum = {
        pitch: np.mean([drums_of(s).velocity[drums_of(s).pitch == pitch].mean() for s in played])
        for pitch in (36, 38, 42)
    }
    assert by_drum[38] > by_drum[36]
    hat = [drums_of(score).where(drums_of(score).pitch == 42).velocity for score in played]
    assert np.mean([line[::2].mean() - line[1::2].mean() for line in hat]) > 10


def test_verbs_of_other_models_are_named(model):
    with pytest.raises(VerbError, match="drums-groove cannot sample"):
        model.sample()


def test_a_damaged_config_is_refused(tmp_path):
    save_tiny_groove(tmp_path / "bad", representation={"steps_per_quarter": "four"})
    with pytest.raises(CheckpointError, match="steps_per_quarter"):
        load(tmp_path / "bad")


def test_a_piece_without_end_is_refused(model):
    with pytest.raises(ParameterError, match="100,000 at most"):
        model.drums(Score(end_tick=2**31 - 1).with_parts(seq(TUNE).parts))


def test_it_says_how_drums_are_played(model):
    beat = a_beat().with_tempo(60)
    assert model.described_drums(beat) == {
        "strokes": 24,
        "softest": 95,
        "loudest": 95,
        "off_grid_ms": 0.0,
    }
    late = replace(drums_of(beat), onset=drums_of(beat).onset + 12)  # ticks of 2 ms
    moved = beat.with_parts([replace(beat.parts[0], notes=late)])
    assert model.described_drums(moved)["off_grid_ms"] == pytest.approx(25, abs=0.1)
    assert Meter(0, 4, 4) == beat.meter
