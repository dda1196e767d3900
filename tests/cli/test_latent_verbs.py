"""The verbs of VAEs: what they write, what they say, what they refuse."""

import json

import numpy as np
import pytest
from cli.one_verb import refusal, run_verb
from models.tiny_vae import LATENT_SIZE, save_tiny_vae

from partimento.cli.app import run_app
from partimento.formats import read, write
from partimento.music.notation import seq

TUNE, OTHER = "c4:q d4:q e4:q f4:q g4:h c4:h", "g4:h a4:q b4:q c5:h d5:h"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_tiny_vae(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_sampling_gives_a_window_unless_bars_are_asked_for(model):
    said = run_verb("sample", "--model", model, "--seed", 1).stdout
    assert said.startswith("wrote sample.mid: 2 bars, 4.0 s")
    said = run_verb("sample", "--model", model, "--bars", 3, "--meter", "3/4").stdout
    assert said.startswith("wrote sample.mid: 3 bars, 4.5 s")
    assert "--key means nothing to tiny-melody-vae" in refusal(
        "sample", "--model", model, "--key", "g:major"
    )


def test_a_road_is_written_step_by_step_and_whole(model):
    result = run_verb("interpolate", TUNE, OTHER, "--model", model, "--steps", 3, "-o", "r.mid")
    assert result.exit_code == 0, result.stderr
    assert "wrote r-1.mid: 2 bars, 4.0 s, 6 notes, 0% away from A" in result.stdout
    assert "the whole road" in result.stdout
    assert read("r.mid").end_tick == 3 * read("r-1.mid").end_tick
    facts = json.loads(
        run_verb("interpolate", TUNE, OTHER, "--model", model, "--steps", 2, "--json").stdout
    )
    assert next(piece.get("to_a") for piece in facts["pieces"]) == 0
    assert facts["pieces"][-1]["is_whole_road"]


def test_a_road_is_seen_too(model):
    result = run_verb("interpolate", TUNE, OTHER, "--model", model, "--picture", "road.svg")
    assert "wrote road.svg" in result.stdout
    from pathlib import Path

    drawn = Path("road.svg").read_text()
    assert drawn.count("from A") == 8
    words = refusal("interpolate", TUNE, OTHER, "--model", model, "--picture", "road.gif")
    assert ".svg or .png" in words


def test_varying_is_by_chance_or_by_sliders(model):
    assert run_verb("vary", TUNE, "--model", model, "--count", 2).exit_code == 0
    assert read("tune-varied-2.mid").num_notes
    run_verb("vary", TUNE, "--model", model, "--amount", 0, "-o", "same.mid")
    assert read("same.mid").parts[0].notes == seq(TUNE).parts[0].notes
    said = run_verb("vary", TUNE, "--model", model, "--more", "density", "--amount", 1.5).stdout
    assert "more {'density': 1.5}" in said
    assert "turned twice" in refusal(
        "vary", TUNE, "--model", model, "--more", "density", "--less", "density"
    )


def test_a_reconstruction_says_where_it_differs(model):
    said = run_verb("reconstruct", TUNE, "--model", model).stdout
    assert "of the grid steps as they were" in said
    assert "bars that differ: " in said


@pytest.mark.parametrize("file", ["z.npy", "z.json"])
def test_points_go_to_a_file_and_come_back_as_music(model, file):
    said = run_verb("encode", TUNE, "--model", model, "-o", file).stdout
    assert f"1 point of {LATENT_SIZE} dimensions" in said
    assert run_verb("decode", file, "--model", model, "-o", "d.mid").exit_code == 0
    assert read("d.mid").num_notes
    assert "written as .npy or .json" in refusal("encode", TUNE, "--model", model, "-o", "z.txt")


def test_what_is_for_melodies_alone_says_where_its_figures_are(model):
    assert "`partimento benchmark vae`" in refusal("evaluate", model)


def test_files_without_points_are_refused_and_never_unpickled(model, tmp_path):
    np.save(tmp_path / "objects.npy", np.array([{"a": 1}]), allow_pickle=True)
    (tmp_path / "words.json").write_text("words")
    (tmp_path / "wrong.json").write_text("[[1, 2]]")
    for file in ("objects.npy", "words.json"):
        assert "holds no points" in refusal("decode", tmp_path / file, "--model", model)
    assert "of shape (window, 6)" in refusal("decode", tmp_path / "wrong.json", "--model", model)


def test_likelihood_says_which_figure_is_the_estimate_and_which_the_bound(model):
    said = run_verb("likelihood", TUNE, "--model", model, "--samples", 8).stdout
    assert "estimated from 8 points a window" in said
    assert "the bound (negative ELBO)" in said
    assert json.loads(run_verb("likelihood", TUNE, "--model", model, "--json").stdout)["samples"]


def test_sliders_are_listed_and_learned_from_folders(model, tmp_path):
    assert "density, register" in run_verb("sliders", model).stdout
    for name, step in (("low", 0), ("high", 24)):
        (tmp_path / name).mkdir()
        for number in range(6):
            tune = seq(TUNE).transpose(step + number - 12).repeat(4)
            write(tune, tmp_path / name / f"{number}.mid")
    pair = f"height={tmp_path / 'low'}:{tmp_path / 'high'}"
    result = run_verb("sliders", model, "--data", pair, "--out", tmp_path / "mine")
    assert result.exit_code == 0, result.stderr
    made = run_verb("vary", TUNE, "--model", tmp_path / "mine", "--more", "height", "-o", "h.mid")
    assert made.exit_code == 0, made.stderr
    assert "NAME=LESS:MORE" in refusal("sliders", model, "--data", "x", "--out", tmp_path / "no")


def test_a_vae_is_trained_and_made_ones_own(tmp_path, capsys):
    pytest.importorskip("torch")
    folder = tmp_path / "tunes"
    folder.mkdir()
    generator = np.random.default_rng(0)
    for number in range(12):
        pitches = 60 + np.cumsum(generator.integers(-2, 3, 32))
        tune = seq([(int(pitch), (0.5, 1, 0.5, 2)[number % 4]) for pitch in pitches])
        write(tune, folder / f"{number}.mid")
    small = ("--steps", 4, "--evaluate-every", 2, "--batch-size", 8)
    asked = ("train", "melody-vae", "--data", folder, "--out", tmp_path / "run", *small)
    code = run_app([str(argument) for argument in asked])
    said, err = capsys.readouterr()
    assert code == 0, err
    assert "windows" in said
    assert "nats of a window" in said
    own = ("finetune", "melody-vae", "--from", tmp_path / "run", "--data", folder)
    code = run_app([str(argument) for argument in (*own, "--out", tmp_path / "mine")])
    said, err = capsys.readouterr()
    assert code == 0, err
    assert "held-out windows" in said
    assert run_verb("sample", "--model", tmp_path / "mine", "--count", 2).exit_code == 0
    code = run_app([str(a) for a in (*own, "--out", tmp_path / "no", "--steps", 5)])
    assert (code, "--steps means nothing" in capsys.readouterr().err) == (2, True)


def test_four_parts_are_written_and_said_without_their_notes(tmp_path):
    model = save_tiny_vae(tmp_path / "quartet", "quartet")
    said = run_verb("sample", "--model", model, "--count", 2, "-o", "q.mid").stdout
    assert said.count("wrote q-") == 2
    assert len(read("q-2.mid").parts) == 4
    said = run_verb("vary", "q-1.mid", "--model", model, "--more", "spread", "-o", "v.mid").stdout
    assert "wrote v.mid: 2 bars" in said
