import json

import pytest
from cli.one_verb import refusal, run_verb
from models.tiny_cnn import save_tiny_cnn

from partimento.formats import read

TUNE = "g4:q g4:q a4:q b4:q c5:q b4:q a4:q b4:q"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_tiny_cnn(tmp_path_factory.mktemp("models") / "tiny-cnn")


@pytest.fixture(scope="module")
def four(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("music") / "four.mid"
    assert run_verb("harmonize", TUNE, "--model", model, "-o", path).exit_code == 0
    return path


def test_harmonize_writes_four_voices_and_says_so(model, tmp_path):
    path = tmp_path / "four.mid"
    result = run_verb("harmonize", TUNE, "--voice", "soprano", "--model", model, "-o", path)
    assert result.stdout.startswith(f"wrote {path}: 2 bars")
    assert "given soprano" in result.stdout
    assert len(read(path).parts) == 4


def test_infill_writes_only_what_was_named(model, four, tmp_path):
    path = tmp_path / "new.mid"
    result = run_verb(
        "infill", four, "--bars", "2", "--voices", "alto,tenor", "--model", model, "-o", path,
        "--json",
    )  # fmt: skip
    assert json.loads(result.stdout)["settings"]["bars"] == "2-2"
    old, new = read(four), read(path)
    assert [old.parts[n].notes == new.parts[n].notes for n in range(4)] == [1, 0, 0, 1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--bars", "x"], "--bars must be as in 3, 3-4 or all"),
        (["--bars", "7-8"], "bars must be within 1-2"),
        (["--voices", "alt"], "no voice 'alt'"),
        ([], "nothing would be kept"),
    ],
)
def test_what_cannot_be_infilled_is_refused_in_one_line(model, four, arguments, words):
    assert words in refusal("infill", four, "--model", model, *arguments)


def test_triplets_are_refused_or_fitted(model, tmp_path):
    words = refusal("harmonize", "row-your-boat", "--model", model)
    assert "triplets" in words
    path = tmp_path / "row.mid"
    result = run_verb("harmonize", "row-your-boat", "--fit", "--model", model, "-o", path)
    assert result.exit_code == 0
    assert "nearest step" in result.stdout
