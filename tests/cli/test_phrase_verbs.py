"""Verbs of a model that writes for several instruments: what they write, say and refuse."""

import json
from pathlib import Path

import pytest
from cli.one_verb import refusal, run_verb
from data.quartet_files import quartet
from models.tiny_gan import save_tiny_gan

from partimento.errors import ParameterError
from partimento.formats import read, write
from partimento.formats.midi import write_midi

TUNE = "c5:q d5:q e5:q f5:q g5:h c5:h"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_tiny_gan(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_sampling_gives_a_phrase_unless_bars_are_asked_for(model):
    result = run_verb("sample", "--model", model, "--count", 2, "--wav")
    assert result.stdout.startswith("wrote sample-1.mid: 4 bars, 9.6 s, notes: Violin 1")
    assert Path("sample-2.wav").stat().st_size > 100_000
    result = run_verb("sample", "--model", model, "--bars", 6, "--qpm", 120, "--json")
    piece = json.loads(result.stdout)["pieces"][0]
    assert (piece["bars"], piece["seconds"]) == (6, 12.0)
    assert "a GAN draws noise" in refusal("sample", "--model", model, "--top-p", 0.9)
    assert "--lowest means nothing" in refusal("sample", "--model", model, "--lowest", "c3")


def test_an_accompaniment_keeps_what_is_given(model):
    result = run_verb("accompany", TUNE, "--model", model, "--seed", 1)
    assert "note: Violin 1 plays what is given" in result.stdout
    assert "wrote tune-accompanied.mid: 2 bars, 4.0 s, notes: Violin 1 6" in result.stdout
    assert read("tune-accompanied.mid").parts[0].notes.pitch[:4].tolist() == [72, 74, 76, 77]
    write(read("tune-accompanied.mid"), "four.mid")
    result = run_verb("accompany", "four.mid", "--model", model, "--melody", 1, "--track", "viola")
    assert "note: the part given is 1" in result.stdout


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["c5:q d5:q e5:q", "--meter", "3/4"], "give --fit to read it in bars of 4/4"),
        (["c0:q"], "spans pitches 12-12"),
        (["r:w"], "no notes"),
        ([TUNE, "--track", "horn"], "there is no track 'horn'"),
        ([TUNE, "--melody", "7"], "melody must be"),
        (["nothing.mid"], "no file"),
    ],
)
def test_what_cannot_be_accompanied_is_refused(model, given, words):
    assert words in refusal("accompany", *given, "--model", model)


def test_a_road_leads_between_seeds(model):
    result = run_verb("interpolate", 3, 7, "--model", model, "--steps", 3, "--picture", "road.svg")
    assert "wrote road-1.mid: 4 bars, 9.6 s" in result.stdout
    assert "0% away from A" in result.stdout
    assert Path("road.svg").stat().st_size > 1000
    assert "is no seed" in refusal("interpolate", TUNE, "7", "--model", model)


def test_it_is_taught_from_a_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("partimento.training.phrase_gan.WRITTEN", 20)
    monkeypatch.setattr("partimento.training.phrase_rates.WRITTEN", 20)
    monkeypatch.setattr("partimento.training.phrase_rates.AT_ONCE", 20)
    place = tmp_path / "quartets"
    place.mkdir()
    for number in range(20):
        (place / f"{number}.mid").write_bytes(write_midi(quartet(number, bars=12)))
    said = run_verb("data", place, "--for", "quartet").stdout
    assert "few for a GAN" in said and "phrases" in said
    facts = json.loads(run_verb("data", place, "--for", "quartet", "--json").stdout)
    assert sum(facts["phrases"].values()) == 20 * 9
    asked = ["train", "quartet-gan", "--data", place, "--out", "mine", "--steps", 4]
    asked += ["--hidden-size", 8, "--batch-size", 4, "--evaluate-every", 2]
    result = run_verb(*asked)
    assert result.exit_code == 0, result.stderr
    assert "score" in result.stdout and "wrote mine" in result.stdout
    assert "as far from the training phrases" in result.stdout
    samples = sorted(file.stem for file in Path("mine/samples").glob("*.mid"))
    assert samples == [f"step-{step:08}" for step in (0, 2, 4)]
    assert Path("mine/samples/step-00000004.svg").exists()  # random weights may write nothing
    assert run_verb("sample", "--model", "mine").exit_code == 0
    assert "--dropout means nothing to quartet-gan" in refusal(*asked, "--dropout", 0.1)
    assert "no config 'waltz'" in refusal(*asked[:-4], "--config", "waltz")


def test_any_meter_is_a_config():
    pytest.importorskip("torch")
    from partimento.models.phrase_lessons import phrase_lesson_for

    lesson = phrase_lesson_for("5-4", (), name="five", steps=1)
    assert lesson.representation.meter == "5/4"
    assert lesson.network_config().beats == 5
    with pytest.raises(ParameterError, match="384 steps at most"):
        phrase_lesson_for("99-4", (), name="long", steps=1)
