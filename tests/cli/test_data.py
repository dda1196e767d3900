"""`partimento data`: one report, in words or as JSON, and the right exit code."""

import inspect
import json
import re

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from partimento.cli import evaluate, options, train
from partimento.cli.app import guarded
from partimento.cli.data import run
from partimento.data import MelodyRules
from partimento.formats.midi import write_midi
from partimento.models.lessons import PRESETS, USUAL_CONFIG, representation_for
from partimento.music.notes import Notes
from partimento.music.score import Meter, Part, Score

app = typer.Typer()
app.command()(guarded(run))


def call(*words):
    """Exit code, standard output and standard error."""
    result = CliRunner().invoke(app, [str(word) for word in (*words, "--workers", "1")])
    return result.exit_code, result.stdout, result.stderr


def tune_file(seed, bars=8):
    """Bytes of a MIDI file: quarters of a tune nobody wrote."""
    onset = 480 * np.arange(4 * bars)
    pitch = np.random.default_rng(seed).choice([60, 62, 64, 65, 67, 69, 71, 72], 4 * bars)
    part = Part(Notes(onset, np.full(4 * bars, 480), pitch))
    return write_midi(Score((part,), meters=[Meter(0, 4, 4)]))


@pytest.fixture
def mixed(tmp_path):
    """Twelve good files, and three that are not."""
    (tmp_path / "tunes").mkdir()
    for number in range(12):
        (tmp_path / "tunes" / f"{number}.mid").write_bytes(tune_file(number))
    (tmp_path / "bad.mid").write_bytes(b"words")
    (tmp_path / "cover.jpg").write_bytes(b"picture")
    (tmp_path / "short.mid").write_bytes(tune_file(30, bars=1))
    return tmp_path


def test_the_report_says_what_is_there(mixed):
    exit_code, out, err = call(mixed)
    assert (exit_code, err) == (0, "")
    for words in (
        "files      13 read, 1 skipped, 1 no music (.jpg 1)",
        "meters     4/4 13",
        "kept       12 melodies",
        "too short: 1 melody",
        "kept by --min-bars 1 (1)",
        "bad.mid: unreadable",
        "too few to learn a style from nothing",
    ):
        assert words in out


def test_json_is_one_document_with_the_same_numbers(mixed):
    exit_code, out, err = call(mixed, "--json")
    report = json.loads(out)
    assert (exit_code, err) == (0, "")
    assert report["files"] == {
        "read": 13,
        "used": 12,
        "skipped": 1,
        "not_music": 1,
        "same_as_another": 0,
    }
    assert report["kept"]["melodies"] == sum(s["melodies"] for s in report["splits"].values()) == 12
    assert report["left_out"][0]["switches"] == {"--min-bars 1": 1}
    assert report["skipped"][0]["file"] == "bad.mid"


def test_four_voices_are_looked_for_when_asked(tmp_path):
    line = Notes(480 * np.arange(32), np.full(32, 480), np.tile([60, 62, 64, 65], 8))
    parts = tuple(Part(line, name) for name in ("Soprano", "Alto", "Tenor", "Bass"))
    (tmp_path / "hymn.mid").write_bytes(write_midi(Score(parts)))
    (tmp_path / "tune.mid").write_bytes(tune_file(1))
    exit_code, out, _ = call(tmp_path, "--for", "satb")
    assert exit_code == 0
    assert "kept       1 piece for four voices" in out
    assert "kept by --fewest-voices 1 (1)" in out
    _, out, _ = call(tmp_path, "--for", "bach-cnn", "--fewest-voices", 1, "--json")
    assert json.loads(out)["kept"]["pieces"] == 2


def test_strict_exits_with_3_when_a_file_was_skipped(mixed):
    assert call(mixed, "--strict")[0] == 3
    assert call(mixed / "tunes", "--strict")[0] == 0


def test_a_switch_keeps_what_it_says(mixed):
    _, out, _ = call(mixed, "--min-bars", 1)
    assert "kept       13 melodies" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere"], "nowhere: no such file, folder or set"),
        ([".", "--for", "quintet"], "--for must be melody, satb, melody-rnn, basic"),
        ([".", "--for", "satb", "--pickups"], "--pickups means nothing with --for satb"),
        ([".", "--voices", "auto"], "--voices means nothing with --for melody"),
        ([".", "--for", "satb", "--voices", "mezzo"], "voice 'mezzo' is unknown"),
        ([".", "--melody", "loud"], "melody must be strict or skyline"),
        ([".", "--steps-per-quarter", 0], "steps_per_quarter must be in 1 to 96"),
        ([".", "--max-file-mb", 0], "max_file_mb must be at least 1"),
        ([".", "--min-on-grid", "nan"], "min_on_grid must be in 0 to 1"),
    ],
)
def test_what_makes_no_sense_is_refused_on_one_line(words, message):
    exit_code, out, err = call(*words)
    assert (exit_code, out) == (2, "")
    assert err.startswith(f"partimento: {message}")
    assert err.count("\n") == 1


def test_an_empty_folder_is_no_error_and_nothing_to_learn_from(tmp_path):
    exit_code, out, _ = call(tmp_path)
    assert exit_code == 0
    assert "Nothing here can teach a melody model" in out


def numbers_of(value):
    """Every number of a JSON document, also inside its words."""
    if isinstance(value, dict):
        return {n for key, held in value.items() for n in (*numbers_of(key), *numbers_of(held))}
    if isinstance(value, list):
        return {n for held in value for n in numbers_of(held)}
    if isinstance(value, str):
        return {float(n) for n in re.findall(r"\d+(?:\.\d+)?", value.replace(",", ""))}
    return set() if value is None or isinstance(value, bool) else {float(value)}


def test_every_number_of_the_text_stands_in_the_json(mixed):
    (mixed / "copy.mid").write_bytes((mixed / "tunes" / "3.mid").read_bytes())
    *lines, prepared = call(mixed)[1].splitlines()
    held = numbers_of(json.loads(call(mixed, "--json")[1]))
    assert prepared.startswith("prepared in ")
    for line in lines:
        for number in numbers_of(line):
            rounded = {round(other, 2) for other in held}
            assert number in held | rounded, line


def test_a_second_look_remembers_the_first(mixed, tmp_path_factory, monkeypatch):
    monkeypatch.setenv("PARTIMENTO_CACHE", str(tmp_path_factory.mktemp("own")))
    first = call(mixed)[1].splitlines()
    second = call(mixed)[1].splitlines()
    assert first[:-1] == second[:-1]
    assert "remembered" not in first[-1]
    assert "remembered from an earlier run" in second[-1]
    assert "remembered" not in call(mixed, "--no-cache")[1]


def test_a_cache_that_cannot_be_written_is_a_note(mixed, monkeypatch):
    monkeypatch.setenv("PARTIMENTO_CACHE", str(mixed / "bad.mid"))
    exit_code, out, err = call(mixed)
    assert (exit_code, err) == (0, "")
    assert "not kept for the next time" in out.splitlines()[-1]


SHARED = ("StepsPerQuarter", "LowestKept", "HighestKept", "Melody", "MinBars", "MinPitches")
SHARED += ("MaxRestBars", "MinOnGrid", "Pickups", "Salvage", "MaxFileMb", "SplitSeed", "Workers")


@pytest.mark.parametrize("name", SHARED)
def test_data_train_and_evaluate_take_the_same_options(name):
    asked = getattr(options, name)
    verbs = [run, train.run]
    if name not in SHARED[:3]:  # a finished model says its grid and its pitches
        verbs.append(evaluate.run)
    defaults = set()
    for verb in verbs:
        parameters = inspect.signature(verb).parameters.values()
        [parameter] = [p for p in parameters if p.annotation == asked]
        defaults.add(parameter.default)
    assert len(defaults) == 1


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("MinBars", "min_bars"),
        ("MinPitches", "min_pitches"),
        ("MaxRestBars", "max_rest_bars"),
        ("MinOnGrid", "min_on_grid"),
    ],
)
def test_the_help_names_the_usual_value(name, field):
    [option] = getattr(options, name).__metadata__
    assert option.help.endswith(f"; {getattr(MelodyRules(), field)}.")


def test_melody_means_what_train_takes_where_nothing_is_said():
    assert inspect.signature(train.run).parameters["config"].default is None  # USUAL_CONFIG then
    usual = PRESETS["melody-rnn"][USUAL_CONFIG]["representation"]
    for name in ("melody", "melody-rnn", USUAL_CONFIG):
        assert representation_for(name).lowest == usual["lowest"]
    assert representation_for("basic", lowest=50, highest=None).lowest == 50
    assert representation_for("basic").highest == 83


def test_the_pitches_are_those_of_the_preset(tmp_path):
    notes = Notes(480 * np.arange(32), np.full(32, 480), np.resize([47, 62, 64, 67, 84], 32))
    (tmp_path / "wide.mid").write_bytes(write_midi(Score((Part(notes),))))
    assert "kept       1 melody" in call(tmp_path, "--for", "tunes")[1]
    assert "range too wide" in call(tmp_path, "--for", "basic")[1]


def test_the_rules_are_those_of_the_preset(tmp_path):
    notes = Notes(480 * np.arange(20), np.full(20, 480), np.tile([60, 62, 64, 65, 67], 4))
    (tmp_path / "short.mid").write_bytes(write_midi(Score((Part(notes),))))
    assert "kept       1 melody" in call(tmp_path, "--for", "tunes")[1]
    assert "too short" in call(tmp_path, "--for", "basic")[1]
    assert "kept       1 melody" in call(tmp_path, "--for", "basic", "--min-bars", 5)[1]
