"""`partimento finetune`: a few files and a model become a model of these files."""

import json
from dataclasses import replace

import numpy as np
import pytest
from cli.one_verb import run_verb
from cli.test_train import tune_file

from partimento.checkpoints import open_checkpoint
from partimento.evaluation.memorisation import training_runs
from partimento.formats.midi import read_midi, write_midi
from partimento.models.load import load

ASKED = ("--steps", 4, "--evaluate-every", 2, "--batch-size", 4, "--workers", 1)


def finetune(data, out, *more):
    """Exit code, standard output and standard error."""
    result = run_verb("finetune", "melody-rnn", "--data", data, "--out", out, *ASKED, *more)
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(scope="module")
def tunes(tmp_path_factory):
    """Eight tunes."""
    folder = tmp_path_factory.mktemp("tunes")
    for number in range(8):
        (folder / f"{number}.mid").write_bytes(tune_file(number))
    return folder


@pytest.fixture(scope="module")
def parent(tunes, tmp_path_factory):
    """A small model of these pitches alone: 60 to 69."""
    out = tmp_path_factory.mktemp("runs") / "parent"
    size = ("--config", "small", "--hidden-size", 16, "--lowest", 60, "--highest", 72)
    asked = ("train", "melody-rnn", "--data", tunes, "--out", out, *ASKED, *size)
    result = run_verb(*asked)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "dropout" not in result.stdout
    return out


@pytest.fixture(scope="module")
def finished(tunes, parent, tmp_path_factory):
    """Folder of a finished run, and what was said."""
    out = tmp_path_factory.mktemp("runs") / "mine"
    exit_code, said, errors = finetune(tunes, out, "--from", parent)
    assert (exit_code, errors) == (0, "")
    return out, said


def test_it_says_where_it_begins_what_it_gained_and_how_far_it_copies(finished, parent):
    out, said = finished
    for words in (
        f"going on from parent ({open_checkpoint(parent).short_hash}): pitches 60-72, 4 steps",
        "run 1 of 5: learns from 5 melodies, asked about the other 2",
        "the model as it was, before the first step",
        "run 5 of 5: learns from all 7 melodies",
        "7 melodies, each by a run that had not learned from it:",
        "notes in a row with a training tune on average",
        "tunes by people that were held out:",
        f"wrote {out}",
        "partimento continue",
    ):
        assert words in said


def test_the_finished_model_names_its_parent(finished, parent, tunes):
    before, after = open_checkpoint(parent), open_checkpoint(finished[0])
    named = after.config["training"]["parent"]
    assert (named["name"], named["hash"], named["data"]) == ("parent", before.hash, [str(tunes)])
    assert after.config["representation"] == before.config["representation"]
    assert f"Fine-tuned from parent (hash `{before.hash}`)" in after.card
    assert "--split test" in after.card
    assert after.config["figures"]["folds"] == 4


def test_it_carries_hashes_of_what_it_learned_from(finished, parent):
    for run, melodies in ((parent, 6), (finished[0], 7)):
        assert len(training_runs(load(run)).ends) == melodies
    result = run_verb("evaluate", finished[0], "--count", 4, "--bars", 4)
    assert result.exit_code == 0
    assert "runs shared with train" in result.stdout
    document = json.loads(
        run_verb("evaluate", finished[0], "--count", 4, "--bars", 4, "--json").stdout
    )
    assert document["memorisation"]["generated"]["longest"] >= 0


def test_resuming_changes_nothing_and_another_parent_is_refused(finished, parent, tunes, tmp_path):
    out, _ = finished
    before = (out / "checkpoint" / "model.safetensors").read_bytes()
    assert finetune(tunes, out, "--from", parent, "--resume")[0] == 0
    assert (out / "checkpoint" / "model.safetensors").read_bytes() == before
    exit_code, said, errors = finetune(tunes, out, "--from", finished[0], "--resume")
    assert (exit_code, said) == (2, "")
    assert "hash was" in errors
    assert finetune(tunes, out, "--from", parent)[0] == 2


def test_tunes_out_of_reach_are_moved_or_left_out_with_the_reason(parent, tmp_path):
    folder = tmp_path / "tunes"
    folder.mkdir()
    for number in range(6):
        high = read_midi(tune_file(number)).transpose(24)
        (folder / f"{number}.mid").write_bytes(write_midi(high))
    wide = read_midi(tune_file(9))
    notes = wide.parts[0].notes
    spread = notes.pitch + 12 * (np.arange(len(notes)) % 3)
    part = replace(wide.parts[0], notes=replace(notes, pitch=spread))
    (folder / "wide.mid").write_bytes(write_midi(wide.with_parts([part])))
    exit_code, said, _ = finetune(folder, tmp_path / "run", "--from", parent)
    assert exit_code == 0
    assert "kept       6 melodies" in said
    assert "range too wide: 1 melody" in said
    assert "are fixed by the model that is fine-tuned: `partimento train` takes them" in said


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--from", "nobody"), "no model 'nobody'"),
        (("--learning-rate", 0), "learning_rate must be above 0"),
        (("--dropout", 1), "dropout must be in [0, 1)"),
        (("--name", ""), "name must be 1 to 80 printable characters"),
        (("--minutes", 0), "minutes must be above 0"),
        (("--min-bars", 99), "too few melodies to learn from some and judge by others: 0"),
    ],
)
def test_what_cannot_be_is_one_line_and_leaves_no_folder(tunes, parent, tmp_path, more, message):
    given = more if more[0] == "--from" else ("--from", parent, *more)
    exit_code, _, errors = finetune(tunes, tmp_path / "run", *given)
    assert exit_code == 2
    assert errors.startswith("partimento: ")
    assert message in errors
    assert errors.count("\n") == 1
    assert not (tmp_path / "run").exists()
