import json

import pytest
import typer
from evaluation_music import TuneMaker, found, tune
from typer.testing import CliRunner

import partimento.models.lessons
import partimento.models.load
from partimento.cli.app import guarded
from partimento.cli.evaluate import run
from partimento.representations.melody import MelodyRepresentation


@pytest.fixture
def evaluate(monkeypatch):
    """Run the verb with a model and tunes that need no file."""
    asked = {}

    class Model(TuneMaker):
        representation = MelodyRepresentation(lowest=40, highest=90)

    def load_melodies(sources, *, rules, **_):
        asked.update(sources=sources, rules=rules)
        return found([tune(8, i) for i in range(5)], train=[tune(8, 9)])

    monkeypatch.setattr(partimento.models.load, "load", lambda name, verb: Model())
    monkeypatch.setattr(partimento.models.lessons, "load_melodies", load_melodies)
    app = typer.Typer()
    app.command()(guarded(run))

    def call(*arguments):
        return CliRunner().invoke(app, ["walker", "--data", "here", *arguments]), asked

    return call


def test_it_prints_tables(evaluate):
    result, asked = evaluate("--count", "4", "--bars", "8")
    assert result.exit_code == 0, result.output
    assert "4 generated melodies of 8 bars" in result.stdout
    assert asked["sources"] == ["here"]
    assert (asked["rules"].lowest, asked["rules"].highest) == (40, 90)
    evaluate("--count", "4", "--bars", "8", "--min-bars", "7", "--no-pickups")
    assert (asked["rules"].min_bars, asked["rules"].find_pickups) == (7, False)


def test_it_prints_one_json_document(evaluate):
    result, _ = evaluate("--count", "4", "--bars", "8", "--json", "--temperature", "0.8")
    document = json.loads(result.stdout)
    assert document["data"] == ["here"]
    assert document["settings"] == {"temperature": 0.8, "top_p": 1.0, "top_k": 0}
    assert document["memorisation"]["generated"]["longest"] >= 0


@pytest.mark.parametrize(
    ("arguments", "word"),
    [(("--count", "0"), "count"), (("--split", "x"), "split"), (("--bars", "99"), "--bars")],
)
def test_bad_parameters_are_one_line_and_exit_2(evaluate, arguments, word):
    result, _ = evaluate(*arguments)
    assert result.exit_code == 2
    assert word in result.stderr
    assert result.stderr.count("\n") == 1
