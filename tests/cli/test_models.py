import json
import re

import pytest
import typer
from checkpoints.tiny_checkpoint import CONFIG, change_config, save_tiny
from typer.testing import CliRunner

from partimento.checkpoints import checkpoint
from partimento.cli.app import guarded
from partimento.cli.models import run

SOURCE = {"name": "irish-cre", "licence": "CC0-1.0", "sha256": "00"}
TRAINING = {"data": ["irish-cre"], "data_report": {"sources": [SOURCE, {"name": "mine"}]}}
FIGURES = {"parameters": 1234567, "valid_nats_per_step": 0.41234567, "valid_notes": 9000}


@pytest.fixture
def models(tmp_path, monkeypatch):
    """Call `partimento models` with some arguments, where two models ship."""
    config = CONFIG | {"name": "melody-rnn", "training": TRAINING, "figures": FIGURES}
    save_tiny(tmp_path / "shipped" / "melody-rnn", config=config)
    save_tiny(tmp_path / "shipped" / "unfinished", config=CONFIG | {"training": {}, "figures": {}})
    monkeypatch.setattr(checkpoint, "SHIPPED", tmp_path / "shipped")
    monkeypatch.setenv("COLUMNS", "100")
    app = typer.Typer()
    app.command()(guarded(run))

    def call(*arguments):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    call.shipped = tmp_path / "shipped"
    return call


def test_the_models_that_ship_are_listed_with_what_they_say_of_themselves(models):
    done = models()
    assert done.exit_code == 0
    assert re.search(
        r"^melody-rnn  \(melody-rnn, 1,234,567 parameters, 0\.0 MB, hash [0-9a-f]{12}\)$",
        done.stdout,
        re.MULTILINE,
    )
    assert "  verbs     continue, sample, next, likelihood\n" in done.stdout
    assert "  data      irish-cre (CC0-1.0); mine\n" in done.stdout
    assert "  figures   valid nats per step 0.4123, valid notes 9,000\n" in done.stdout


def test_what_a_model_does_not_say_is_not_invented(models):
    said = models("unfinished").stdout
    assert "  data      the card does not say\n" in said
    assert "  figures   the card does not say\n" in said
    assert "parameters" not in said


def test_json_is_one_document(models):
    done = models("--json")
    found = json.loads(done.stdout)["models"]
    assert [model["name"] for model in found] == ["melody-rnn", "tiny"]
    first = found[0]
    assert first["verbs"] == ["continue", "sample", "next", "likelihood"]
    assert first["figures"] == FIGURES
    assert first["training"] == TRAINING
    assert first["is_shipped"] is True
    assert len(first["hash"]) == 64
    assert first["bytes"] > 1000


def test_a_folder_can_be_given(models, tmp_path):
    save_tiny(tmp_path / "mine")
    done = models(tmp_path / "mine", "--json")
    assert json.loads(done.stdout)["models"][0]["is_shipped"] is False


def test_an_unknown_model_is_one_line_and_exit_code_2(models):
    done = models("melody-rn")
    assert done.exit_code == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "did you mean melody-rnn?" in done.stderr
    assert "there is melody-rnn, unfinished" in done.stderr


def test_a_hub_id_is_answered_honestly(models):
    done = models("someone/their-model", "--json")
    assert done.exit_code == 2
    assert "downloading is not built in yet; clone it" in done.stderr


def test_among_several_the_good_ones_are_shown_and_the_exit_code_is_3(models):
    done = models("melody-rnn", "nowhere", "--json")
    assert done.exit_code == 3
    assert len(json.loads(done.stdout)["models"]) == 1
    assert "no model 'nowhere'" in done.stderr


def test_a_damaged_model_that_ships_does_not_hide_the_others(models):
    (models.shipped / "melody-rnn" / "step.onnx").unlink()
    done = models()
    assert done.exit_code == 3
    assert done.stdout.startswith("tiny ")
    assert "step.onnx is missing" in done.stderr


def test_where_nothing_ships_it_says_so(models, monkeypatch, tmp_path):
    monkeypatch.setattr(checkpoint, "SHIPPED", tmp_path / "empty")
    assert "no model ships with this installation" in models().stdout
    assert json.loads(models("--json").stdout) == {"models": []}


def test_a_family_of_another_version_is_shown_without_verbs(models):
    change_config(models.shipped / "unfinished", family="symphony-gan")
    assert "none known" in models("unfinished").stdout
    assert json.loads(models("unfinished", "--json").stdout)["models"][0]["verbs"] is None


@pytest.mark.parametrize(
    "training, figures",
    [
        ({"data": "x", "data_report": []}, {"a": "b", "c": [1], "d": True}),
        ({"data": [{}], "data_report": {"sources": "x"}}, {"parameters": "many"}),
        ({"data_report": {"sources": [1, {"licence": "x"}]}}, {"parameters": {}}),
        ({"data": ["\x1b[2J\n"], "data_report": {}}, {"\x1b[2J\n": 1}),
    ],
)
def test_strange_words_are_shown_escaped_or_left_out(models, training, figures):
    change_config(models.shipped / "unfinished", training=training, figures=figures)
    done = models("unfinished")
    assert done.exit_code == 0
    assert done.stdout.replace("\n", "").isprintable()
    assert json.loads(models("unfinished", "--json").stdout)["models"][0]["figures"] == figures
