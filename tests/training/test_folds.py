"""Folds: all is learned from, for as long as held-out pieces say; stops lose nothing."""

import signal

import pytest
import torch
from evaluation_music import found, tune

from partimento.errors import DataError, TrainingError
from partimento.representations.melody import MelodyRepresentation
from partimento.training import folds, melody
from partimento.training.folds import teach_by_folds
from partimento.training.loop import HeldOut, TrainingSettings
from partimento.training.melody import Lesson
from partimento.training.run_folder import RunFolder

PIECES = found(
    valid=[tune(4, 90)],
    train=[tune(4, seed) for seed in range(7)],
    test=[tune(4, 91)],
).pieces
SETTINGS = TrainingSettings(
    steps=12, final_rate=1.0, evaluate_every=3, patience=2, warmup_steps=1, batch_size=2, threads=1
)


def lesson(**changes):
    settings = {"name": "few", "config": "small", "num_layers": 1, "dropout": 0.1, **changes}
    return Lesson(
        representation=MelodyRepresentation(lowest=30, highest=90),
        hidden_size=8,
        settings=SETTINGS,
        **settings,
    )


@pytest.fixture(autouse=True)
def finished(monkeypatch):
    """Collect what would be exported, which takes long and is tested elsewhere."""
    calls = []
    monkeypatch.setattr(melody, "finish", lambda *arguments: calls.append(arguments))
    return calls


def go(folder, resume=False, **more):
    taught = teach_by_folds(lesson(), PIECES, RunFolder(folder), resume=resume, **more)
    weights, best = RunFolder(folder).load_best()
    return taught, torch.cat([weights[name].flatten() for name in sorted(weights)]), best


def test_the_last_run_learns_from_all_pieces_for_the_steps_that_folds_chose(tmp_path, finished):
    told, progress = [], []
    taught, _, best = go(tmp_path, tell=told.append, report=progress.append)
    figures = taught.figures
    assert (figures["folds"], figures["valid_pieces"]) == (4, 8)
    parts = [RunFolder(tmp_path / "folds" / str(number)).read_log() for number in range(1, 5)]
    common = set.intersection(*({line["step"] for line in log} for log in parts)) - {0}
    shares = [[line["held_out_nats_per_note"] for line in log if line["step"]] for log in parts]
    assert all(shares)
    assert best["step"] == figures["best_step"] == RunFolder(tmp_path).load_state()[1]["step"]
    assert best["step"] in common
    assert best["notes"] == sum(piece.score.num_notes for piece in PIECES if piece.split != "test")
    assert told[-1].startswith(f"run 5 of 5: learns from all 8 melodies for {best['step']} steps")
    assert [p.done for p in progress] == sorted(p.done for p in progress)
    assert [piece.split for piece in finished[0][3]] == ["valid", *["train"] * 7]


@pytest.mark.parametrize("number", [4, 45, 10**6], ids=["first fold", "later", "never"])
def test_a_stopped_run_reaches_the_weights_of_one_that_was_not(tmp_path, number):
    _, whole, best = go(tmp_path / "whole")
    count = 0

    def stop(progress):
        nonlocal count
        count += 1
        if count == number:
            signal.raise_signal(signal.SIGTERM)

    if number == 10**6:
        go(tmp_path / "parts", report=stop)
    else:
        with pytest.raises(Exception, match=r"saved in .*parts: the same command") as stopped:
            go(tmp_path / "parts", report=stop)
        assert stopped.value.exit_code == 143
        with pytest.raises(TrainingError, match="holds a run already"):
            go(tmp_path / "parts")
    _, resumed, again = go(tmp_path / "parts", resume=True)
    assert torch.equal(whole, resumed)
    assert best == again


def test_other_settings_are_refused_on_resuming(tmp_path):
    go(tmp_path)
    with pytest.raises(TrainingError, match=r"dropout was 0\.1, now 0\.2"):
        teach_by_folds(lesson(dropout=0.2), PIECES, RunFolder(tmp_path), resume=True)


def test_looks_of_folds_are_added_up_where_all_have_them():
    one = {0: HeldOut(4.0, 2, 1), 3: HeldOut(3.0, 2, 1), 6: HeldOut(2.0, 2, 1)}
    other = {0: HeldOut(8.0, 4, 2), 3: HeldOut(9.0, 4, 2)}
    assert folds._pooled([one, other]) == {0: HeldOut(12.0, 6, 3), 3: HeldOut(12.0, 6, 3)}


def test_one_tune_is_too_few(tmp_path):
    with pytest.raises(DataError, match="too few melodies to learn from some and judge by others"):
        teach_by_folds(lesson(), PIECES[:1], RunFolder(tmp_path / "run"))
    assert not (tmp_path / "run").exists()
