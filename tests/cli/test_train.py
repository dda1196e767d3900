"""`partimento train`: a folder becomes a model that plays; what cannot be is one line."""

import json
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from cli.one_verb import run_verb

from partimento.formats.midi import write_midi
from partimento.models.load import load
from partimento.music.examples import row_your_boat
from partimento.music.notes import Notes
from partimento.music.score import Meter, Part, Score
from partimento.training.run_folder import RunFolder

SIZE = ("--config", "small", "--hidden-size", 16, "--batch-size", 4, "--precision", "float32")
ASKED = (*SIZE, "--steps", 6, "--evaluate-every", 3, "--workers", 1, "--name", "mine")


def tune_file(seed, bars=6):
    """Bytes of a MIDI file: quarters of a tune nobody wrote."""
    onset = 480 * np.arange(4 * bars)
    pitch = np.random.default_rng(seed).choice([60, 62, 64, 65, 67, 69, 71, 72], 4 * bars)
    part = Part(Notes(onset, np.full(4 * bars, 480), pitch))
    return write_midi(Score((part,), meters=(Meter(0, 4, 4),)))


def train(data, out, *more):
    """Exit code, standard output and standard error."""
    result = run_verb("train", "melody-rnn", "--data", data, "--out", out, *ASKED, *more)
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(scope="module")
def tunes(tmp_path_factory):
    """Twelve tunes, a file that is none, and words."""
    folder = tmp_path_factory.mktemp("tunes")
    for number in range(12):
        (folder / f"{number}.mid").write_bytes(tune_file(number))
    (folder / "bad.mid").write_bytes(b"words")
    (folder / "read me.txt").write_text("words")
    return folder


@pytest.fixture(scope="module")
def finished(tunes, tmp_path_factory):
    """Folder of a finished run, and what was said."""
    out = tmp_path_factory.mktemp("runs") / "my run"
    exit_code, said, errors = train(tunes, out)
    assert (exit_code, errors) == (0, "")
    return out, said


def test_it_says_what_it_kept_how_it_learns_and_what_to_do_next(finished):
    out, said = finished
    for words in (
        "kept       12 melodies, 288 notes, of 12 files",
        "bad.mid: unreadable",
        "step 0  held out 3.",
        "random weights, before the first step",
        "step 3  held out",
        "step 6  held out",
        "nats/note",
        "trained 6 steps in 0:00:0",
        "(as long as asked)",
        "On the same pieces: 3.6376 by all events alike",
        "about 0:00:",
        "what may help: train longer",
        "hear it learn: partimento listen",
        f"wrote {out}",
        f"partimento continue \"c4:q d4:q e4:h\" --model '{out}' --bars 8",
    ):
        assert words in said
    assert len(re.findall(r"^step ", said, re.MULTILINE)) == 3


def test_the_model_plays_and_its_card_is_true(finished):
    model = load(finished[0])
    tune = row_your_boat()
    assert model.continue_from(tune, bars=2, seed=1).digest != tune.digest
    card = (finished[0] / "checkpoint" / "README.md").read_text()
    for words in (
        "# mine",
        "| train | 9 | 216 |",
        "counts in train of what followed",
        "## What it learned",
        "on one thread",
    ):
        assert words in card
    assert "SHA-256" not in card  # a folder of one's own has no licence to show


def test_resuming_a_finished_run_changes_nothing(tunes, finished):
    out, _ = finished
    before = (out / "checkpoint" / "model.safetensors").read_bytes()
    exit_code, said, _ = train(tunes, out, "--resume")
    assert exit_code == 0
    assert "going on from step 6" in said
    assert (out / "checkpoint" / "model.safetensors").read_bytes() == before


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ((), "holds a run already: go on with it by --resume"),
        (("--resume", "--steps", 9), "with other settings: steps was 6, now 9. Ask as before"),
        (("--resume", "--threads", 2), "with other settings: threads was 1, now 2."),
        (("--resume", "--precision", "bfloat16"), "precision was 'float32', now 'bfloat16'."),
    ],
)
def test_a_run_is_not_mixed_with_another_and_no_data_are_read_for_that(
    tunes, finished, more, message
):
    exit_code, said, errors = train(tunes, finished[0], *more)
    assert (exit_code, said) == (2, "")
    assert message in errors
    assert errors.count("\n") == 1


def test_a_run_does_not_go_on_with_other_melodies(tunes, finished):
    exit_code, _, errors = train(tunes, finished[0], "--resume", "--min-pitches", 8)
    assert exit_code == 2
    assert "the melodies of the data are not those of before" in errors


def test_a_folder_in_use_is_refused_at_once(tunes, tmp_path):
    with RunFolder(tmp_path).locked():
        exit_code, said, errors = train(tunes, tmp_path)
    assert (exit_code, said) == (4, "")
    assert "is in use by process" in errors


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--config", "huge"), "no config 'huge': there is basic, mono, lookback"),
        (("--data", "nowhere"), "nowhere: no such file, folder or set"),
        (("--steps", 0), "steps must be above 0, got 0"),
        (("--minutes", "nan"), "minutes must be above 0"),
        (("--learning-rate", "nan"), "learning_rate must be above 0"),
        (("--dropout", 1), "dropout must be in [0, 1)"),
        (("--hidden-size", 0), "hidden_size must be positive"),
        (("--batch-size", 10**9), "batch_size must be 4096 at most"),
        (("--seed", -1), "seed must be 0 or above"),
        (("--threads", -1), "threads must be at least 1"),
        (("--lowest", 80, "--highest", 60), "lowest and highest must be"),
        (("--name", ""), "name must be 1 to 80 printable characters"),
        (("--melody", "loud"), "melody must be strict or skyline"),
        (("--min-bars", 99), "too few melodies to train on some and judge by others: 0"),
    ],
)
def test_what_cannot_be_is_one_line_and_leaves_no_folder(tunes, tmp_path, more, message):
    exit_code, _, errors = train(tunes, tmp_path / "run", *more)
    assert exit_code == 2
    assert errors.startswith("partimento: ")
    assert message in errors
    assert errors.count("\n") == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("count", [0, 1, 2, 4])
def test_too_few_tunes_to_judge_by_are_refused(tmp_path, count):
    (tmp_path / "few").mkdir()
    for number in range(count):
        (tmp_path / "few" / f"{number}.mid").write_bytes(tune_file(number))
    exit_code, said, errors = train(tmp_path / "few", tmp_path / "run")
    assert exit_code == 2
    assert f"judge by others: {count}, where five different tunes are the fewest" in errors
    assert f"kept       {count} melod" in said


def test_five_tunes_are_enough(tmp_path):
    (tmp_path / "five").mkdir()
    for number in range(5):
        (tmp_path / "five" / f"{number}.mid").write_bytes(tune_file(number))
    exit_code, said, _ = train(
        tmp_path / "five", tmp_path / "run", "--lowest", 70, "--highest", 90, "--patience", 1
    )
    assert exit_code == 0
    assert 'partimento continue "c5:q d5:q e5:h" --model' in said
    facts = json.loads((tmp_path / "run" / "checkpoint" / "config.json").read_text())
    assert facts["training"]["data_report"]["rules"]["melody"] == "strict"


def test_a_terminated_run_says_how_to_go_on_and_reaches_the_same_weights(tunes, tmp_path):
    long = [*ASKED, "--steps", 40, "--threads", 1, "--data", tunes]
    words = [str(word) for word in ("train", "melody-rnn", *long)]
    assert run_verb(*words, "--out", tmp_path / "whole").exit_code == 0
    slow = (
        "import sys, time\n"
        "from partimento.training import loop\n"
        "quick = loop._State.advance\n"
        "loop._State.advance = lambda *words: (time.sleep(0.2), quick(*words))\n"
        "from partimento.cli.app import main\n"
        "main()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", slow, *words, "--out", str(tmp_path / "parts")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in process.stdout:
        if line.startswith("step 3 "):
            break
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 143
    assert time.monotonic() - started < 10
    assert errors == (
        f"partimento: stopped, and saved in {tmp_path / 'parts'}: the same command with --resume "
        "goes on from there\n"
    )
    assert run_verb(*words, "--out", tmp_path / "parts", "--resume").exit_code == 0
    whole, parts = (
        (tmp_path / run / "checkpoint" / "model.safetensors").read_bytes()
        for run in ("whole", "parts")
    )
    assert whole == parts
