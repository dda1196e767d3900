"""Making rows of the tables again: the whole way, with networks that hardly train."""

import json

import pytest

from partimento.data.chorales import CHORALES, load_chorales
from partimento.data.voices import VoiceData
from partimento.evaluation import retraining
from partimento.evaluation.jsb16 import clean
from partimento.evaluation.tables import load_table
from partimento.models import voice_lessons

pytest.importorskip("torch")


@pytest.fixture
def short(shared_data, monkeypatch):
    """Recipes of two steps, and one chorale of each part to measure on."""
    monkeypatch.setattr(
        voice_lessons,
        "RECIPES",
        {
            "bach-rnn": {"steps": 2, "evaluate_every": 2, "hidden_size": 16, "head_size": 16},
            "bach-cnn": {"steps": 2, "evaluate_every": 2, "hidden_size": 16, "dilations": (1, 2)},
        },
    )
    every = sorted(load_chorales(shared_data), key=lambda piece: len(piece.voices))
    known = {piece.split: piece for piece in reversed(every) if piece.split != "test"}
    few = [*known.values(), clean([piece for piece in every if piece.split == "test"])[0]]
    monkeypatch.setattr(retraining, "load_chorales", lambda: few)
    report = voice_lessons.load_voices([CHORALES]).report
    monkeypatch.setattr(retraining, "load_voice_pieces", lambda lesson: VoiceData(few, report))
    monkeypatch.setattr(retraining, "ENSEMBLE", (1, 2))


def test_the_rows_of_the_chorales_are_made_again_one_model_and_several(short, tmp_path):
    told = []
    results = retraining.retrain("jsb16", tmp_path, tell=told.append)
    (joint, *_) = load_table("jsb16", results).sections
    assert [row["model"] for row in joint.ours] == [
        "counts: pitch before, place in the beat",
        "bach-rnn",
        "bach-rnn, 2 models",
    ]
    assert all(0 < row["test"] < 5 for row in joint.ours)
    assert joint.ours[2]["seed"] == [1, 2]
    assert joint.ours[2]["test"] < 3.9  # near ln 47: two steps teach little
    assert "bach-rnn-jsb16-1: up to 2 steps" in told


def test_the_rows_of_infilling_have_every_section(short, tmp_path):
    results = retraining.retrain("infilling", tmp_path)
    rows = json.loads(results.read_text())["infilling"]
    assert set(rows) == {"masked", "exact match", "parallels", "under a soprano", "frame-wise"}
    assert [row["model"] for row in rows["parallels"]] == ["Bach himself", "bach-cnn"]
    (masked,) = rows["masked"]
    assert masked["command"] == "partimento benchmark infilling --retrain"
    assert len(rows["under a soprano"]) == 2
