import json

import numpy as np
import pytest
from generation.tiny_frames import SATB, save_tiny_voices

from partimento import load, seq
from partimento.cli.app import run_app
from partimento.errors import CheckpointError, ParameterError, VerbError
from partimento.formats import read, write
from partimento.music.provenance import read_stamps

TUNE = "g4:q a4:q b4:e a4:e g4:q d5:h"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_tiny_voices(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def model(folder):
    return load(folder)


@pytest.fixture(scope="module")
def chorale(model):
    return model.sample(2, seed=1)


def same_parts(first, second):
    return [p.notes for p in first.parts] == [p.notes for p in second.parts]


def test_a_melody_comes_back_with_three_voices_beside_it(model):
    tune = seq(TUNE)
    made = model.harmonize(tune, seed=4)
    assert made.parts[0].notes == tune.parts[0].notes
    assert [part.name for part in made.parts[1:]] == ["Alto", "Tenor", "Bass"]
    assert made.tempos == tune.tempos
    assert made.end_tick >= tune.end_tick
    stamp = read_stamps(made)[-1]
    assert (stamp["verb"], stamp["seed"], stamp["settings"]["given"]) == ("harmonize", 4, "soprano")
    assert same_parts(made, model.harmonize_many(tune, 3, seed=3)[1])
    assert not same_parts(made, model.harmonize(tune, seed=5))


def test_a_bass_can_be_given(model):
    bass = seq("c3:q d3:q e3:q c3:q")
    made = model.harmonize(bass, voices="bass")
    assert bass.parts[0].notes in [part.notes for part in made.parts]
    assert {part.name for part in made.parts} > {"Soprano", "Alto", "Tenor"}


def test_music_in_another_key_and_meter_is_harmonised_there(model):
    low = seq("c3:e d3:e e3:e f3:e g3:e a3:e", meter="6/8", qpm=90)
    made = model.harmonize(low, voices="soprano", fit=True)
    assert made.parts[0].notes == low.parts[0].notes
    assert made.meters == low.meters
    assert model.hear(low, voices="soprano", fit=True).remarks


def test_a_primer_goes_on_in_all_voices_and_stays_as_it_was(model, chorale):
    more = model.continue_from(chorale, 2, seed=2)
    for old, new in zip(chorale.parts, more.parts, strict=True):
        kept = [note for note in new.notes if note.onset < chorale.end_tick]
        assert kept == list(old.notes)
    assert more.end_tick == 2 * chorale.end_tick
    assert any(note.onset >= chorale.end_tick for note in more.parts[3].notes)
    assert same_parts(more, model.continue_many(chorale, 2, 2, seed=1)[1])


def test_a_melody_goes_on_in_four_voices(model):
    tune = seq(TUNE)
    more = model.continue_from(tune, 1, seed=2)
    assert len(more.parts) == 4
    assert list(more.parts[0].notes)[: tune.num_notes] == list(tune.parts[0].notes)


def test_pieces_are_as_long_as_asked_in_any_meter(model):
    made = model.sample(3, seed=1, meter="6/8", qpm=60, key="g:major")
    assert made.end_tick == 9 * made.ticks_per_quarter
    assert made.meter == seq("c4:q", meter="6/8").meter
    assert [part.name for part in made.parts] == ["Soprano", "Alto", "Tenor", "Bass"]
    assert same_parts(made, model.sample(3, seed=1, meter="6/8", qpm=60, key="g:major"))


def test_surprise_adds_up_over_notes_and_voices(model, chorale):
    found = model.likelihood(chorale)
    assert found.nats == pytest.approx(found.note_nats.sum())
    assert found.nats == pytest.approx(model.nll(model.hear(chorale).voices).sum())
    assert len(found.note_nats) == chorale.num_notes
    assert found.nats_per_cell == pytest.approx(found.nats / (32 * 4))
    assert set(found.as_dict()["voices"]) == {"soprano", "alto", "tenor", "bass"}


def test_what_lacks_a_voice_has_no_likelihood(model):
    with pytest.raises(ParameterError, match="there is no alto"):
        model.likelihood(seq(TUNE))


def test_four_voices_leave_nothing_to_harmonise(model, chorale):
    with pytest.raises(ParameterError, match="nothing is left to write"):
        model.harmonize(chorale)


def test_verbs_of_other_families_are_refused(model):
    with pytest.raises(VerbError, match="bach-rnn cannot vary"):
        model.vary(1)


def test_what_comes_next_is_said_for_every_voice(model, chorale):
    found = model.next(chorale)
    assert found.held.tolist() == [
        max(part.notes, key=lambda note: note.onset).pitch for part in chorale.parts
    ]
    assert 0 < found.voice("bass", 1)[0].probability <= 1


@pytest.mark.parametrize(
    "broken",
    [
        {"network": {"order": [0, 1, 2, 2]}},
        {"network": {"order": [0, 1, 2, 3], "key": 1}},
        {"calibration": {"temperature": "hot"}},
        {"calibration": {"temperature": 0}},
        {"representation": {"lowest": 36.0}},
        {"representation": {"lowest": 36, "what": 1}},
    ],
)
def test_a_config_that_says_nonsense_is_refused(tmp_path, broken):
    with pytest.raises(CheckpointError):
        load(save_tiny_voices(tmp_path / "broken", **broken))


def test_a_representation_that_is_not_the_graphs_is_refused(tmp_path):
    place = save_tiny_voices(tmp_path / "other", representation={"lowest": 40, "highest": 81})
    with pytest.raises(CheckpointError, match="43 logits"):
        load(place).sample(1)


def go(capsys, *arguments):
    code = run_app([str(argument) for argument in arguments])
    return code, *capsys.readouterr()


def test_the_command_line_says_what_comes_next_bass_first(folder, chorale, tmp_path, capsys):
    write(chorale, tmp_path / "a.mid")
    code, out, _ = go(capsys, "next", tmp_path / "a.mid", "--model", folder, "--top", 2)
    assert code == 0
    lines = [line for line in out.splitlines() if line.endswith(":") and line[0] != " "]
    assert lines[:5] == ["bass:", "tenor:", "alto:", "soprano:", "chord:"]
    code, out, _ = go(capsys, "next", tmp_path / "a.mid", "--model", folder, "--json")
    found = json.loads(out)
    assert [voice["voice"] for voice in found["voices"]] == ["bass", "tenor", "alto", "soprano"]
    assert 0 <= found["left_out"] <= 1


def test_the_command_line_writes_and_measures_four_voices(folder, tmp_path, capsys):
    asked = ("--model", folder, "--bars", 2, "--seed", 3, "--no-crossing")
    code, out, _ = go(capsys, "sample", *asked, "-o", tmp_path / "s.mid")
    assert code == 0
    assert "4 bars" not in out
    assert "no_crossing True" in out
    code, out, _ = go(capsys, "continue", tmp_path / "s.mid", *asked, "-o", tmp_path / "c.mid")
    assert code == 0
    assert "4 bars" in out
    assert len(read(tmp_path / "c.mid").parts) == 4
    code, out, _ = go(capsys, "continue", TUNE, *asked, "-o", tmp_path / "d.mid", "--json")
    assert code == 0
    assert [part["name"] for part in json.loads(out)["pieces"][0]["parts"]][1:] == [
        "Alto",
        "Tenor",
        "Bass",
    ]
    code, out, _ = go(capsys, "likelihood", tmp_path / "s.mid", "--model", folder)
    assert code == 0
    assert "a cell (one voice at one step)" in out
    code, out, _ = go(capsys, "likelihood", tmp_path / "s.mid", "--model", folder, "--json")
    assert json.loads(out)["num_steps"] == 32


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("sample", "--lowest", "c4"), "--lowest is for models of melodies: tiny is none"),
        (("continue", TUNE, "--melody", "1"), "--melody is for models of melodies"),
        (("next", TUNE, "--voices", "flute"), "flute"),
        (("sample", "--bars", "1024", "--meter", "4/4", "--key", "h"), "key 'h' is unknown"),
        (("likelihood", TUNE), "there is no alto"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(folder, tmp_path, capsys, arguments, words):
    where = ("-o", tmp_path / "x.mid") if arguments[0] in ("sample", "continue") else ()
    code, _, err = go(capsys, *arguments, "--model", folder, *where)
    assert code == 2
    assert words in err
    assert err.count("\n") == 1


def test_options_of_four_voices_are_refused_by_a_melody_model(tmp_path, capsys):
    code, _, err = go(capsys, "sample", "--no-crossing", "-o", tmp_path / "x.mid")
    assert code == 2
    assert "--no-crossing is for models of four voices" in err


def test_the_grid_of_the_model_is_that_of_its_cells(model, chorale):
    assert model.hear(chorale).tokens.shape == (32, 4)
    assert np.array_equal(
        SATB.decode(model.hear(chorale).tokens).pitch, model.hear(chorale).voices.pitch
    )
