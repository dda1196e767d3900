import json
import sys
from pathlib import Path

import pytest
from cli.one_verb import refusal, run_verb
from models.tiny_model import save_tiny_model

from partimento.formats import read
from partimento.models.load import load


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_melody_comes_out_of_nothing(model):
    result = run_verb("sample", "--model", model, "--meter", "3/4", "--qpm", 90, "--seed", 2)
    assert result.exit_code == 0
    assert "wrote sample.mid: 8 bars, 16.0 s" in result.stdout
    made = read("sample.mid")
    expected = load(model).sample(meter="3/4", qpm=90, seed=2)
    assert made.parts[0].notes == expected.parts[0].notes
    assert (str(made.meter), round(made.qpm)) == ("3/4", 90)


def test_json_is_one_document(model):
    result = run_verb("sample", "--model", model, "--bars", 2, "--count", 2, "--json")
    found = json.loads(result.stdout)
    assert found["verb"] == "sample"
    assert [piece["file"] for piece in found["pieces"]] == ["sample-1.mid", "sample-2.mid"]
    notes = read("sample-2.mid").parts[0].notes
    assert [note["pitch"] for note in found["pieces"][1]["notes"]] == notes.pitch.tolist()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--bars", "0"], "bars must be 1 to 1024"),
        (["--meter", "4"], "meter must be like 3/4"),
        (["--meter", "7/32"], "meter: a bar of 7/32"),
        (["--qpm", "0"], "qpm must be 3.58 to"),
        (["--temperature", "nan"], "temperature must be"),
    ],
)
def test_a_bad_parameter_is_one_line_that_names_it(model, tmp_path, arguments, words):
    assert words in refusal("sample", "--model", model, *arguments)
    assert list(tmp_path.iterdir()) == []


def test_a_score_that_cannot_be_engraved_is_said_before_anything_is_made(model, monkeypatch):
    monkeypatch.setitem(sys.modules, "verovio", None)
    result = run_verb("sample", "--model", model, "--score")
    assert (result.exit_code, result.stdout) == (4, "")
    assert "pip install 'partimento[score]'" in result.stderr
    assert not list(Path().iterdir())
