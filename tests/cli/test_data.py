"""`partimento data`: one report, in words or as JSON, and the right exit code."""

import json

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from partimento.cli.app import guarded
from partimento.cli.data import run
from partimento.formats.midi import write_midi
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
        ([".", "--for", "satb"], "--for must be melody"),
        ([".", "--melody", "loud"], "melody must be strict or skyline"),
        ([".", "--steps-per-quarter", 0], "steps_per_quarter must be in 1 to 96"),
        ([".", "--max-file-mb", 0], "--max-file-mb must be at least 1"),
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
