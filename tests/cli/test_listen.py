"""`partimento listen`: a run is heard and seen, whatever state it is in."""

import json
import os
import wave

import numpy as np
import pytest
from cli.one_verb import refusal, run_verb
from cli.test_train import train, tunes  # noqa: F401 (a fixture)
from models.test_listening import run_of

from partimento.formats import read


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """Folder of a finished run."""
    log = [{"step": 0, "loss": None, "held_out_nats_per_step": 3.5}]
    figures = {"uniform_nats_per_step": 3.83}
    return run_of(tmp_path_factory.mktemp("runs") / "mine", log=log, figures=figures)


def test_it_makes_one_file_and_says_which_steps_are_in_it(learned, tmp_path):
    out = tmp_path / "all.mid"
    result = run_verb("listen", learned, "-o", out)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "mine (finished)",
        "  0:00  step 0: held out 3.500 nats a step",
        "  0:18  step 1: held out 2.500 nats a step",
        "  0:36  step 2: held out 1.500 nats a step",
        "  0:54  best weights, step 3: held out 0.250 nats a step",
        "  beside it: 3.830 by chance",
        f"wrote {out}: 4 samples, {read(out).num_notes} notes",
    ]
    assert [marker.text[:6] for marker in read(out).markers] == [
        "step 0",
        "step 1",
        "step 2",
        "best w",
    ]


def test_the_sound_is_neither_silent_nor_cut_off(learned, tmp_path):
    out = tmp_path / "all.wav"
    assert run_verb("listen", learned, "-o", out).exit_code == 0
    with wave.open(str(out)) as file:
        frames = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2) / 32768
        second = file.getframerate()
    assert 4 * 18 - 2 < len(frames) / second < 4 * 18 + 4
    assert 0.3 < np.abs(frames).max() < 0.95
    loudness = [np.sqrt((frames[at * second : (at + 1) * second] ** 2).mean()) for at in range(70)]
    assert min(loudness[:15]) > 0.01
    assert loudness[17] < 0.2 * np.mean(loudness[:15])  # the bar of rest


@pytest.mark.parametrize("name", ["all.svg", "all.png"])
def test_the_picture_is_written_as_asked(learned, tmp_path, name):
    picture = tmp_path / name
    result = run_verb("listen", learned, "-o", tmp_path / "a.mid", "--picture", picture)
    assert f"wrote {picture}: losses and 4 piano rolls" in result.stdout
    content = picture.read_bytes()
    assert content.startswith(b"<svg" if name.endswith("svg") else b"\x89PNG")
    assert len(content) > 5000


def test_json_has_the_same_facts(learned, tmp_path):
    result = run_verb("listen", learned, "-o", tmp_path / "a.mid", "--json")
    facts = json.loads(result.stdout)
    assert facts["is_finished"]
    assert facts["files"] == [str(tmp_path / "a.mid")]
    assert facts["baselines"] == {"by chance": 3.83}
    assert [sample["step"] for sample in facts["samples"]] == [0, 1, 2, 3]
    assert facts["samples"][1] == {
        "step": 1,
        "is_best": False,
        "loss": 2.0,
        "held_out": 2.5,
        "held_out_at_step": 1,
        "notes": facts["samples"][1]["notes"],
        "starts_at_seconds": 18.0,
    }


def test_a_real_run_is_heard_while_it_is_under_way_and_when_it_is_over(tunes, tmp_path):  # noqa: F811
    out = tmp_path / "run"
    exit_code, said, _ = train(tunes, out, "--listen-primer", "c4:q e4:q g4:q e4:q")
    assert exit_code == 0
    assert f"hear it learn: partimento listen {out} -o learning.wav" in said
    facts = json.loads(run_verb("listen", out, "-o", tmp_path / "a.mid", "--json").stdout)
    assert [sample["step"] for sample in facts["samples"][:-1]] == [0, 1, 2, 4]
    assert facts["samples"][-1]["is_best"]
    assert set(facts["baselines"]) == {"by chance", "by counts", "by a 5-gram"}
    assert read(tmp_path / "a.mid").slice(0, 1).parts[0].notes.pitch.tolist() == [60, 64, 67, 64]
    for file in (*(out / "checkpoint").iterdir(), *out.glob("samples/best.mid")):
        file.unlink()
    said = run_verb("listen", out, "-o", tmp_path / "a.mid").stdout
    assert said.startswith("mine (not finished: more samples may come)")
    exit_code, _, _ = train(tunes, out, "--resume")  # with no word of the primer
    assert exit_code == 0
    again = json.loads(run_verb("listen", out, "-o", tmp_path / "b.mid", "--json").stdout)
    assert again["samples"] == facts["samples"]


def test_a_primer_that_the_network_cannot_hear_is_refused_before_any_data_are_read(
    tunes,  # noqa: F811
    tmp_path,
):
    for primer, words in (
        ("c1:q c6:q", "spans"),
        ("nonsense", "is no file, no example"),
        ("[c4 e4]:q [d4 f4]:q", "no part of the music is a single line"),
    ):
        exit_code, said, errors = train(tunes, tmp_path / "run", "--listen-primer", primer)
        assert (exit_code, said) == (2, "")
        assert words in errors
        assert errors.count("\n") == 1
        assert not (tmp_path / "run").exists()


def test_what_cannot_be_is_one_line(learned, tmp_path):
    for more, words in (
        ((tmp_path / "nowhere",), "is no folder"),
        ((tmp_path,), "is not the folder of a run"),
        ((learned / "checkpoint",), f"maybe {learned}"),
        ((learned, "-o", tmp_path / "a.mp3"), "write .mid or .midi or .wav"),
        ((learned, "-o", tmp_path), "write .mid"),
        ((learned, "-o", tmp_path / "no" / "a.mid"), "there is no folder"),
        ((learned, "-o", tmp_path / "a.mid", "--picture", "a.gif"), "write .svg or .png"),
    ):
        assert words in refusal("listen", *more)
    assert not list(tmp_path.glob("a.*"))


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a user without all rights")
def test_a_folder_that_may_not_be_read_is_the_machines_fault(learned, tmp_path):
    (tmp_path / "shut").mkdir(mode=0)
    assert run_verb("listen", tmp_path / "shut", "-o", tmp_path / "a.mid").exit_code == 4
