import json

import pytest
from cli.one_verb import refusal, run_verb

from partimento.evaluation.tables import TABLES


@pytest.mark.parametrize("table", TABLES)
def test_a_table_is_printed_without_the_corpora(table, monkeypatch, tmp_path):
    monkeypatch.setenv("PARTIMENTO_DATA", str(tmp_path))
    result = run_verb("benchmark", table)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{table}: ")


def test_json_is_one_document_with_published_rows_and_ours():
    sections = json.loads(run_verb("benchmark", "nottingham", "--json").stdout)["sections"]
    assert sections["joint"]["published"][0]["model"] == "RNN-NADE"
    assert set(sections) == {"joint", "independent"}


def test_an_unknown_table_is_refused_and_the_known_are_named():
    assert "jsb16, jsb, nottingham, piano-midi, infilling" in refusal("benchmark", "musedata")


def test_training_again_without_the_corpora_says_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.setenv("PARTIMENTO_DATA", str(tmp_path))
    assert "roll-benchmarks is not there" in refusal("benchmark", "jsb", "--retrain")
    for table in ("jsb16", "infilling"):
        assert "jsb-chorales is not there" in refusal("benchmark", table, "--retrain")


def test_the_roads_of_the_vaes_are_drawn(tmp_path):
    picture = tmp_path / "roads.svg"
    result = run_verb("benchmark", "vae", "--picture", picture)
    assert result.stdout.rstrip().endswith("what roads cost")
    assert picture.read_text().count("the same pairs, notes mixed") == 4
    assert "as .svg or .png" in refusal("benchmark", "jsb", "--picture", picture)
