"""`partimento compare`: two pieces in numbers, and as a picture in which the difference is seen."""

import json
import xml.etree.ElementTree as ElementTree

import pytest
from cli.one_verb import refusal, run_verb
from hypothesis import given
from strategies import melodies

from partimento.evaluation.side_by_side import side_by_side
from partimento.music.notation import seq
from partimento.music.notes import Notes
from partimento.music.score import Part, Score
from partimento.rendering.theme import LIGHT

A, B = "c4:q d4:q e4:h", "c4:q d4:e f4:e e4:h"


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@given(melodies())
def test_a_piece_is_in_common_with_itself(notes):
    score = Score((Part(notes),))
    found = side_by_side(score, score)
    assert found.common == len(notes)
    assert all(one == other for one, other in found.figures.values())


def test_ticks_of_other_lengths_are_the_same_time():
    other = Score((Part(Notes([0, 96], [96, 96], [60, 62], [80, 80])),), ticks_per_quarter=96)
    assert side_by_side(seq("c4:q d4:q"), other).common == 2
    odd = Score((Part(Notes([0], [32749], [60], [80])),), ticks_per_quarter=32749)
    assert side_by_side(seq("c4:q d4:q", ticks_per_quarter=32717), odd).common == 1


def test_numbers_stand_side_by_side():
    said = run_verb("compare", A, B).stdout
    assert "notes                                            3                         4" in said
    assert "notes in common (onset and pitch): 3, 100% of the first and 75% of the second" in said
    facts = json.loads(run_verb("compare", A, B, "--json").stdout)
    assert facts["notes_in_common"] == 3 and facts["figures"]["ends_on_tonic"]


def test_a_picture_shows_what_differs(tmp_path):
    said = run_verb("compare", A, B, "-o", "both.svg").stdout
    assert "wrote both.svg" in said
    svg = (tmp_path / "both.svg").read_text()
    ElementTree.fromstring(svg)
    assert svg.count(f'fill="{LIGHT.same}" stroke') == 7  # and the legend
    assert svg.count(f'fill="{LIGHT.only_b}" stroke') == 2
    assert svg.count(f'fill="{LIGHT.only_a}" stroke') == 1
    assert run_verb("compare", "r:w", A, "-o", "empty.png", "--theme", "dark").exit_code == 0
    assert "drawn as .png or .svg" in refusal("compare", A, B, "-o", "both.pdf")
    assert "no file" in refusal("compare", A, "nothing.mid")
