import json

import pytest
from cli.one_verb import refusal, run_verb
from models.tiny_model import save_tiny_model


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


def test_json_holds_the_likeliest_notes(model):
    result = run_verb("next", "row-your-boat", "--model", model, "--top", 3, "--json")
    found = json.loads(result.stdout)
    assert found["model"] == "tiny"
    (voice,) = found["voices"]
    assert voice["voice"] == "melody"
    assert len(voice["choices"]) == 3
    assert set(voice["choices"][0]) == {"pitch", "name", "probability"}


def test_all_choices_sum_to_one(model):
    result = run_verb("next", "c4:q d4:q", "--model", model, "--top", 1000, "--json")
    choices = json.loads(result.stdout)["voices"][0]["choices"]
    assert sum(choice["probability"] for choice in choices) == pytest.approx(1)
    assert [choice["name"] for choice in choices if choice["pitch"] is None] == ["rest"]


def test_for_reading_there_is_a_line_a_choice(model):
    result = run_verb("next", "c4:q d4:q", "--model", model, "--top", 4)
    assert result.stdout.count("%") == 4


def test_a_terminal_without_blocks_gets_signs_it_has(model):
    words = run_verb("next", "c4:q", "--model", model, charset="ascii").stdout
    assert "%" in words and words.isascii()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--top", "0"], "top must be 1 or more"),
        (["--melody", "7"], "melody must be"),
        (["--meter", "x"], "--meter is for notation"),
    ],
)
def test_a_bad_parameter_is_one_line_that_names_it(model, arguments, words):
    assert words in refusal("next", "row-your-boat", "--model", model, *arguments)
