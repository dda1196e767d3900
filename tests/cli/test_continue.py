import json
import os

import pytest
from cli.one_verb import refusal, run_verb
from models.tiny_model import save_tiny_model

from partimento.formats import read, write
from partimento.models.load import load
from partimento.music.examples import row_your_boat, row_your_boat_canon
from partimento.music.provenance import read_stamps


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_tune_goes_on(model, tmp_path):
    result = run_verb("continue", "row-your-boat", "--model", model, "--bars", 2, "-o", "more.mid")
    assert result.exit_code == 0
    assert "wrote more.mid: 6 bars, 12.0 s, 27 notes and " in result.stdout
    made = read(tmp_path / "more.mid")
    assert made.duration_qn == 24
    expected = load(model).continue_from(row_your_boat(), bars=2)
    assert made.parts[0].notes == expected.parts[0].notes
    assert read_stamps(made) == read_stamps(expected)


def test_one_note_is_said_to_be_one(model):
    words = run_verb("continue", "c4:q", "--model", model, "--bars", 1).stdout
    assert "2 bars, 4.0 s, 1 note and " in words


def test_it_says_what_was_made_by_whom_and_how_to_go_on(model):
    words = run_verb(
        "continue", "c4:q d4:q e4:h", "--model", model, "--seed", 7, "--bars", 2
    ).stdout
    assert "wrote tune-continued.mid" in words
    assert f"made by tiny ({load(model).hash[:16]})" in words
    assert "seed 7" in words and "--seed 8" in words
    assert " | " in words  # the new notes, with bar lines


def test_the_same_call_writes_the_same_bytes(model, tmp_path):
    for name in ("a.mid", "b.mid"):
        run_verb("continue", "row-your-boat", "--model", model, "--seed", 5, "-o", name)
    assert (tmp_path / "a.mid").read_bytes() == (tmp_path / "b.mid").read_bytes()


def test_a_file_goes_on_and_stays_as_it_was(model, tmp_path):
    write(row_your_boat_canon(), tmp_path / "canon.mid")
    before = (tmp_path / "canon.mid").read_bytes()
    result = run_verb("continue", "canon.mid", "--model", model, "--bars", 1, "--melody", 2)
    assert result.exit_code == 0
    assert "note: the melody is the part 2" in result.stdout
    assert (tmp_path / "canon.mid").read_bytes() == before
    made, primer = read(tmp_path / "canon-continued.mid"), read(tmp_path / "canon.mid")
    assert (made.parts[0], made.parts[2]) == (primer.parts[0], primer.parts[2])


def test_several_ways_are_the_seeds_that_follow(model, tmp_path):
    run_verb(
        "continue", "row-your-boat", "--model", model, "--seed", 3, "--count", 3, "-o", "x.mid"
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x-1.mid", "x-2.mid", "x-3.mid"]
    run_verb("continue", "row-your-boat", "--model", model, "--seed", 4, "-o", "alone.mid")
    assert (tmp_path / "alone.mid").read_bytes() == (tmp_path / "x-2.mid").read_bytes()


def test_json_is_one_document_with_settings_and_notes(model):
    result = run_verb(
        "continue", "c4:q d4:q e4:h", "--model", model, "--bars", 2, "--lowest", "c4",
        "--key", "c:major", "--count", 2, "--json",
    )  # fmt: skip
    found = json.loads(result.stdout)
    assert found["model"] == "tiny"
    assert found["settings"]["lowest"] == 60
    first, second = found["pieces"]
    assert (first["file"], second["file"]) == ("tune-continued-1.mid", "tune-continued-2.mid")
    assert (first["seed"], second["seed"], first["bars"], first["new_from_qn"]) == (0, 1, 3, 4)
    notes = read("tune-continued-1.mid").parts[0].notes
    assert [note["pitch"] for note in first["notes"]] == notes.pitch[3:].tolist()
    assert [note["onset_qn"] for note in first["notes"]] == (notes.onset[3:] / 480).tolist()


def test_tempo_and_meter_of_notation_are_given_beside_it(model):
    run_verb(
        "continue", "c4:q d4:q e4:q", "--model", model, "--qpm", 90, "--meter", "3/4", "--bars", 1
    )
    made = read("tune-continued.mid")
    assert (str(made.meter), round(made.qpm), made.duration_qn) == ("3/4", 90, 6)


def test_a_name_without_ending_is_a_midi_file(model, tmp_path):
    run_verb("continue", "row-your-boat", "--model", model, "-o", "more")
    assert (tmp_path / "more.mid").is_file()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--temperature", "-1"], "temperature must be 0 to 100, got -1"),
        (["--temperature", "nan"], "temperature must be a finite number"),
        (["--temperature", "inf"], "temperature must be a finite number"),
        (["--top-p", "0"], "top_p must be in (0, 1]"),
        (["--top-k", "-1"], "top_k must be 0 or more"),
        (["--bars", "0"], "bars must be 1 to 1024, got 0"),
        (["--bars", "1000000000"], "bars must be 1 to 1024"),
        (["--seed", "-1"], "seed must be 0 to"),
        (["--seed", "9" * 30], "seed must be 0 to"),
        (["--count", "0"], "count must be 1 to 1024"),
        (["--count", "1000000000000"], "count must be 1 to 1024"),
        (["--key", "h:major"], "key 'h:major' is unknown"),
        (["--lowest", "200"], "lowest must be a pitch"),
        (["--lowest", "x"], "lowest: 'x' is not a pitch"),
        (["--lowest", "70", "--highest", "60"], "lowest must not be above highest"),
        (["--lowest", "120"], "no pitch is left with lowest 120"),
        (["--hold-bars", "0"], "hold_bars must be more than 0"),
        (["--rest-bars", "-1"], "rest_bars must be 0 or more"),
        (["--melody", "bass"], "melody must be auto, skyline or"),
        (["--qpm", "90"], "--qpm is for notation: an example has a qpm of its own"),
        (["--meter", "3/4"], "--meter is for notation"),
        (["-o", "."], "is a folder"),
        (["-o", "nowhere/x.mid"], "there is no folder nowhere"),
        (["-o", os.devnull], "is a device"),
        (["-o", "x.wav"], "`partimento render` makes sound"),
    ],
)
def test_a_bad_parameter_is_one_line_that_names_it(model, tmp_path, arguments, words):
    assert words in refusal("continue", "row-your-boat", "--model", model, *arguments)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("primer", "words"),
    [
        ("no-such-tune.mid", "'no-such-tune.mid' is no file, no example (row-your-boat"),
        ("C:\\music\\tune.mid", "is no file"),
        ("hello", "no notation"),
        ("", "no notation"),
        ("c4:q x9:q", "x9"),
        ("c4:q " * 1000 + "c4", "column 5001"),
        ("r:w", "has no notes"),
        ("[c4 e4]:q", "no part of the music is a single line"),
        ("c0:q c7:q", "vocabulary"),
    ],
)
def test_a_primer_that_is_none_is_explained(model, primer, words):
    assert words in refusal("continue", primer, "--model", model)


def test_a_folder_in_the_place_of_one_of_several_files_is_refused_before_any_is_written(
    model, tmp_path
):
    (tmp_path / "x-2.mid").mkdir()
    said = refusal("continue", "c4:q", "--model", model, "--count", 2, "-o", "x.mid")
    assert "x-2.mid is a folder" in said
    assert not (tmp_path / "x-1.mid").exists()


def test_the_primer_is_not_overwritten(model, tmp_path):
    write(row_your_boat(), tmp_path / "tune.mid")
    before = (tmp_path / "tune.mid").read_bytes()
    said = refusal(
        "continue", "tune.mid", "--model", model, "-o", "../" + tmp_path.name + "/tune.mid"
    )
    assert "is the primer itself" in said
    assert (tmp_path / "tune.mid").read_bytes() == before


def test_meter_and_tempo_that_are_none_are_named(model):
    tune = ("continue", "c4:q", "--model", model)
    assert "meter must be like 3/4" in refusal(*tune, "--meter", "3/5")
    assert "meter must be like 3/4" in refusal(*tune, "--meter", "")
    assert "qpm must be 3.58 to" in refusal(*tune, "--qpm", "0")
    assert "qpm must be 3.58 to" in refusal(*tune, "--qpm", "nan")
    assert "a bar of 7/32 is not a whole number" in refusal(*tune, "--meter", "7/32")


def test_an_unknown_model_is_one_line():
    assert "no-such-model" in refusal("continue", "row-your-boat", "--model", "no-such-model")


def test_silence_is_refused_after_a_few_tries(tmp_path):
    model = save_tiny_model(tmp_path / "mute", rest_bias=1000)
    said = refusal("continue", "row-your-boat", "--model", model, "--bars", 1)
    assert "4 tries were silence with seed 0" in said


def test_strange_names_are_shown_escaped(model, tmp_path):
    primer = row_your_boat_canon()
    named = primer.with_parts(
        [part.__class__(part.notes, name="\x1b[31mred\u202e") for part in primer.parts]
    )
    write(named, tmp_path / "strange.mid")
    words = run_verb("continue", "strange.mid", "--model", model, "--bars", 1).stdout
    assert "\x1b" not in words and "\u202e" not in words
    assert r"\x1b[31mred" in words
