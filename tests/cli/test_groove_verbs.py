"""`humanize` and `drums` on the command line."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cli.one_verb import refusal, run_verb
from groove_music import a_beat, hits
from models.tiny_groove import save_tiny_groove

from partimento.formats import read, write

TUNE = "c4:q d4:q e4:q f4:q g4:h c4:h"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_tiny_groove(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(a_beat(), "beat.mid")


def test_a_beat_is_humanized(model):
    result = run_verb("humanize", "beat.mid", "--model", model, "--amount", 0.8, "--count", 2)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("wrote beat-humanized-1.mid: 2 bars, 4.0 s, 24 strokes, veloc")
    assert "amount 0.8" in result.stdout
    assert (hits(read("beat-humanized-2.mid")) == hits(a_beat())).all()


def test_what_was_made_is_said_in_json(model):
    said = run_verb("humanize", "beat.mid", "--model", model, "--json", "--only", "time").stdout
    facts = json.loads(said)
    assert (facts["verb"], facts["pieces"][0]["softest"]) == ("humanize", 95)


def test_a_tune_gets_drums(model):
    result = run_verb("drums", TUNE, "--model", model, "-o", "band.mid")
    assert result.exit_code == 0, result.stderr
    assert [part.is_drum for part in read("band.mid").parts] == [False, True]
    run_verb("drums", TUNE, "--model", model, "-o", "drums.mid", "--alone")
    assert [part.is_drum for part in read("drums.mid").parts] == [True]


def test_drums_can_be_kept(model):
    result = run_verb("drums", "beat.mid", "--model", model, "--keep", "kick, snare")
    assert result.exit_code == 0, result.stderr
    before = hits(a_beat())[:, :2]
    assert (hits(read("beat-drums.mid"))[: len(before), :2] == before).all()


def test_the_right_verb_is_named(model):
    assert "`partimento drums` writes drums" in refusal("humanize", TUNE, "--model", model)
    assert "models that can: drums-groove" in refusal(
        "humanize", "beat.mid", "--model", "melody-vae"
    )


def test_drums_of_a_vae_are_played_or_straight():
    run_verb("sample", "--model", "drums-vae", "-o", "played.mid")
    run_verb("sample", "--model", "drums-vae", "-o", "straight.mid", "--straight")
    played, straight = (read(f"{name}.mid").parts[0].notes for name in ("played", "straight"))
    assert len(played) == len(straight)
    assert len(set(straight.velocity.tolist())) == 1 < len(set(played.velocity.tolist()))
    assert "--straight is for drums" in refusal("sample", "--straight")


def test_a_drummer_is_taught(tmp_path):
    folder = tmp_path / "beats"
    folder.mkdir()
    generator = np.random.default_rng(0)
    for number in range(8):
        beat = a_beat(6)
        notes = beat.parts[0].notes
        kept = notes.where(generator.random(len(notes)) < 0.8)
        part = replace(beat.parts[0], notes=kept)
        write(beat.with_parts([part]), folder / f"{number}.mid")
    assert "means nothing to drums-groove" in refusal(
        "train", "drums-groove", "--data", folder, "--out", "run", "--hidden-size", 9
    )
    result = run_verb("train", "drums-groove", "--data", folder, "--out", "run", "--steps", 2)
    assert result.exit_code == 0, result.stderr
    assert "nats a stroke for its velocity" in result.stdout
    assert run_verb("humanize", "beat.mid", "--model", "run").exit_code == 0
    assert Path("beat-humanized.mid").is_file()
