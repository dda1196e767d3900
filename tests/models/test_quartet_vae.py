"""quartet-vae: four parts at once on the map."""

import numpy as np
import pytest
from models.tiny_vae import save_tiny_vae

from partimento import load, seq
from partimento.errors import ParameterError
from partimento.generation.attributes import QUARTET_ATTRIBUTES
from partimento.generation.hearing_windows import score_of
from partimento.generation.sampling import Sampling, generator_of
from partimento.music.notes import Notes
from partimento.music.score import Meter, Part, Score
from partimento.representations.melody import FIRST_PITCH, HOLD, REST

LINES = ("c5:h d5:h e5:q f5:q g5:h", "g4:h g4:h g4:h g4:h", "e4:w c4:w", "c3:w c3:h e3:h")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return load(save_tiny_vae(tmp_path_factory.mktemp("models") / "quartet", "quartet"))


def four(lines=LINES, names=("Flute", "Oboe", "Horn", "Bassoon"), repeat=1):
    programs = (73, 68, 60, 70)
    parts = [
        Part(seq(line).repeat(repeat).parts[0].notes, name, program)
        for line, name, program in zip(lines, names, programs, strict=True)
    ]
    return Score(tuple(parts), meters=(Meter(0, 4, 4),), end_tick=8 * 480 * repeat)


def test_samples_have_four_parts_and_are_the_same_alone_and_together(model):
    many = model.sample_many(3, seed=4)
    assert many[2].parts == model.sample(seed=6).parts
    assert [part.name for part in many[0].parts] == ["Violin 1", "Violin 2", "Viola", "Violoncello"]
    assert [part.program for part in many[0].parts] == [40, 40, 41, 42]
    assert many[0].end_tick == 2 * 4 * 480
    assert model.sample(5, meter="3/4").end_tick == 5 * 3 * 480


def test_varying_by_nothing_gives_every_part_back_with_its_player(model):
    score = four(repeat=2)
    same = model.vary(score, 0)
    assert [(part.name, part.program) for part in same.parts] == [
        (part.name, part.program) for part in score.parts
    ]
    for mine, theirs in zip(same.parts, score.parts, strict=True):
        np.testing.assert_array_equal(mine.notes.onset, theirs.notes.onset)
        np.testing.assert_array_equal(mine.notes.pitch, theirs.notes.pitch)


def test_a_road_and_a_reconstruction_hear_all_four(model):
    road = model.interpolate(four(), four(LINES[::-1]), 4, seed=1)
    assert all(len(score.parts) == 4 for score in road.scores)
    assert road.whole.end_tick == 4 * 2 * 4 * 480
    found = model.reconstruct(four(repeat=2))
    assert found.same_by_bar.shape == (4,)
    assert found.same == pytest.approx(found.same_by_bar.mean())
    assert model.encode(four(repeat=2)).shape == (2, 6)
    assert model.likelihood(four(), samples=4).notes == sum(len(p.notes) for p in four().parts)


def test_fewer_parts_are_heard_as_voices_and_silent_ones_stay_silent(model):
    score = four()
    duet = score.with_parts([score.parts[0], score.parts[3]])
    heard = model.hear(duet)
    assert any("2 parts" in remark for remark in heard.remarks)
    silent = [row for row in heard.tables[0] if row[0] == REST and (row[1:16] == HOLD).all()]
    assert len(silent) == 2  # the first bars of two parts
    assert sum(len(part.notes) for part in model.vary(duet, 0).parts) == duet.num_notes


def test_of_chords_the_outer_line_is_heard(model):
    score = four()
    chords = [
        Part(Notes([0, 0, 960, 960], [960] * 4, [48, 55, 50, 57]), part.name, part.program)
        for part in score.parts
    ]
    heard = model.hear(score.with_parts(chords))
    first = heard.tables[0][:, 0]
    lowest = model.representation.lowest
    assert first[0] == 55 - lowest + FIRST_PITCH
    assert first[6] == 48 - lowest + FIRST_PITCH
    assert any("8 notes that sound with others" in remark for remark in heard.remarks)


def test_what_is_no_quartet_is_refused_in_a_line(model):
    drum = Part(Notes([0], [60], [36]), is_drum=True)
    with pytest.raises(ParameterError, match="drums alone"):
        model.vary(Score((drum,)))
    with pytest.raises(ParameterError, match="is empty"):
        model.vary(Score())
    with pytest.raises(ParameterError, match="means nothing to a model of four parts"):
        model.vary(four(), melody="skyline")
    low = four(("c5:w", "c4:w", "c3:w", "c0:w"))
    with pytest.raises(ParameterError, match="Bassoon spans pitches 12-12"):
        model.vary(low)
    five = four().with_parts([*four().parts, four().parts[0]])
    with pytest.raises(ParameterError):
        model.vary(five)


def test_bars_written_at_once_are_those_written_alone(model):
    """The likeliest windows and the surprise at them do not depend on the batch."""
    z = np.random.default_rng(0).normal(size=(7, 6))
    dice = [generator_of(3, row) for row in range(7)]
    together = model._engine.decode(z, 16, dice, Sampling(1.0))
    alone = model._engine.decode(z[4:5], 16, [generator_of(3, 4)], Sampling(1.0))
    np.testing.assert_array_equal(together[4:5], alone)
    nats = model._engine.nats(z, together, 16)
    assert nats.shape == (7, 8, 16)
    np.testing.assert_array_equal(nats[4:5], model._engine.nats(z[4:5], alone, 16))
    np.testing.assert_array_equal(
        model._engine.likeliest(z, together, 16)[4:5], model._engine.likeliest(z[4:5], alone, 16)
    )


def test_attributes_of_four_parts_are_measured(model):
    tables = model.hear(four()).tables
    found = model.measured(tables)
    assert tuple(found) == QUARTET_ATTRIBUTES
    quarters, notes = 8, sum(len(part.notes) for part in four().parts)
    assert found["density"][0] == pytest.approx(notes / quarters)
    top, bottom = np.mean([72, 74, 76, 77, 79]), np.mean([48, 48, 52])
    assert found["spread"][0] == pytest.approx(top - bottom)
    assert 0 < found["together"][0] < 1
    silent = np.full_like(tables, HOLD)
    assert np.isfinite(list(model.measured(silent).values())).all()
    made = score_of(tables, model.representation, Meter(0, 4, 4), 120)
    assert made.num_notes == notes
