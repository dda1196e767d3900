"""The rows of the table gan: a model beside the phrases it was taught on and those held out."""

import json

import pytest
from data.quartet_files import quartet
from models.tiny_gan import save_tiny_gan

from partimento.evaluation.gan_rows import gan_rows
from partimento.evaluation.tables import load_table, store_row
from partimento.formats.midi import write_midi
from partimento.models.load import load


@pytest.fixture
def rows(tmp_path, monkeypatch):
    monkeypatch.setattr("partimento.evaluation.gan_rows.WRITTEN", 20)
    monkeypatch.setattr("partimento.evaluation.gan_rows.AT_ONCE", 10)
    for number in range(20):
        (tmp_path / f"{number}.mid").write_bytes(write_midi(quartet(number)))
    model = load(save_tiny_gan(tmp_path / "tiny"))
    return list(gan_rows(model, (str(tmp_path),), "valid"))


def test_each_section_sets_the_model_beside_people(rows, tmp_path):
    sections = {section: [] for section, _ in rows}
    for section, row in rows:
        sections[section].append(row)
    assert [len(found) for found in sections.values()] == [3, 2, 2]
    people, model = sections["copies"]
    assert people["model"].startswith("held-out") and model["model"] == "tiny"
    assert 0 <= model["closest"] <= model["nearest"] <= 1
    results = tmp_path / "results.json"
    for section, row in rows:
        store_row("gan", section, row, results)
    table = load_table("gan", results)
    for section in table.sections[:3]:
        for row in section.ours:
            assert set(section.columns) <= set(row)
    assert "MuseGAN" in table.text()
    json.dumps(table.as_dict())
