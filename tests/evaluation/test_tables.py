import json

import pytest

from partimento.errors import ParameterError
from partimento.evaluation.tables import TABLES, load_table, store_row

ROW = {"model": "Ours", "test": 4.5, "command": "python make.py", "seed": 3, "sha256": "ab" * 32}


@pytest.mark.parametrize("name", TABLES)
def test_every_table_prints_and_is_json(name):
    table = load_table(name)
    assert table.title in table.text()
    assert json.loads(json.dumps(table.as_dict()))["benchmark"] == name
    for section in table.sections:
        assert section.protocol in table.text()
        for row in section.published:
            assert row["source"] and set(row) & set(section.columns), row
        for row in section.ours:
            assert {"command", "seed", "sha256", "data_sha256"} <= set(row), row["model"]


def test_a_row_of_ours_is_printed_with_what_made_it(tmp_path):
    results = tmp_path / "results.json"
    store_row("jsb", "joint", ROW, results)
    text = load_table("jsb", results).text()
    assert "* Ours" in text and "4.50" in text
    assert "`python make.py`, seed 3, weights abababababab" in text


def test_a_row_takes_the_place_of_the_one_before(tmp_path):
    results = tmp_path / "results.json"
    store_row("jsb", "joint", ROW, results)
    store_row("jsb", "independent", ROW, results)
    store_row("jsb", "joint", {**ROW, "test": 4.4}, results)
    joint, independent = load_table("jsb", results).sections
    assert [row["test"] for row in joint.ours] == [4.4]
    assert [row["test"] for row in independent.ours] == [4.5]


def test_sources_that_differ_are_both_printed():
    assert "5.19 or 5.56" in load_table("jsb").text()


def test_what_is_given_the_chord_stands_by_itself():
    joint, conditional = load_table("jsb16").sections
    assert "0.220" in conditional.text() and "given the true chord" in conditional.text()
    assert "0.220" not in joint.text()


def test_unknown_tables_and_sections_are_refused(tmp_path):
    with pytest.raises(ParameterError, match="jsb16, jsb, nottingham"):
        load_table("musedata")
    with pytest.raises(ParameterError, match="no section"):
        store_row("jsb", "both", ROW, tmp_path / "results.json")
