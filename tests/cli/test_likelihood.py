import json

import pytest
from cli.one_verb import refusal, run_verb
from models.tiny_model import save_tiny_model

from partimento.formats import write
from partimento.music.examples import row_your_boat


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


def test_json_holds_the_nats_of_every_note(model, tmp_path):
    write(row_your_boat(), tmp_path / "tune.mid")
    result = run_verb("likelihood", tmp_path / "tune.mid", "--model", model, "--json")
    found = json.loads(result.stdout)
    assert found["model"] == "tiny"
    assert len(found["notes"]) == 27
    assert sum(note["nats"] for note in found["notes"]) == pytest.approx(found["nats"])
    assert found["nats_per_note"] == pytest.approx(found["nats"] / 27)
    assert found["nats_per_step"] == pytest.approx(found["nats"] / 64)


def test_for_reading_the_most_surprising_notes_are_shown(model):
    result = run_verb("likelihood", "row-your-boat", "--model", model)
    assert "27 notes" in result.stdout
    assert result.stdout.count("  quarter ") == 10


def test_music_without_notes_is_refused(model):
    assert "has no notes" in refusal("likelihood", "r:w", "--model", model)
