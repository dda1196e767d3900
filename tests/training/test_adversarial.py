"""The contest: it goes on where it stopped, to the bit, and ends in a checkpoint that can play."""

import json
import signal

import numpy as np
import pytest
import torch

from partimento.errors import ParameterError, TrainingError
from partimento.models.load import load
from partimento.representations.phrases import PhraseRepresentation
from partimento.training import adversarial
from partimento.training.adversarial import ContestSettings
from partimento.training.loop import StoppedError
from partimento.training.phrase_gan import Judge, PhraseGANLesson, teach_phrases
from partimento.training.phrases import Phrases
from partimento.training.run_folder import RunFolder

FOUR = PhraseRepresentation()
SMALL = {"latent_size": 3, "wide": 8, "narrow": 6}


def phrases(count, seed=0):
    """Chords that are struck at every beat."""
    generator = np.random.default_rng(seed)
    rolls = np.zeros((count, *FOUR.shape), dtype=bool)
    for number in range(count):
        for track in range(4):
            for beat in range(16):
                pitch = int(generator.integers(10, 30))
                rolls[number, 0, track, 4 * beat, pitch] = True
                rolls[number, 1, track, 4 * beat : 4 * beat + 4, pitch] = True
    return Phrases(np.packbits(rolls, axis=-1), np.arange(count), FOUR.pitches)


TRAIN, VALID = phrases(80), phrases(20, 1)


def lesson(network=None, **settings):
    usual = {"steps": 6, "batch_size": 4, "evaluate_every": 3, "precision": "float32"}
    usual |= settings
    network = SMALL | (network or {})
    return PhraseGANLesson("little", "4-4", FOUR, network, ContestSettings(**usual))


@pytest.fixture(autouse=True)
def few_phrases(monkeypatch):
    monkeypatch.setattr("partimento.training.phrase_gan.WRITTEN", 20)
    monkeypatch.setattr("partimento.training.phrase_rates.WRITTEN", 20)
    monkeypatch.setattr("partimento.training.phrase_rates.AT_ONCE", 20)


def weights(run):
    return RunFolder(run).load_state()[0]


@pytest.mark.parametrize(
    "how", [{}, {"loss": "wasserstein", "critic_moves": 2}], ids=["hinge", "wasserstein"]
)
def test_a_run_that_was_stopped_reaches_the_same_weights(tmp_path, how, monkeypatch):
    network = {"spectral": "loss" not in how}
    teach_phrases(lesson(network, **how), TRAIN, VALID, RunFolder(tmp_path / "whole"))
    real = adversarial._generator_move
    moves = []

    def stopping(*given):
        moves.append(1)
        if len(moves) == 4:
            signal.raise_signal(signal.SIGTERM)
            raise RuntimeError("left off")  # and so it draws no more dice
        return real(*given)

    monkeypatch.setattr(adversarial, "_generator_move", stopping)
    with pytest.raises(StoppedError) as stopped:
        teach_phrases(lesson(network, **how), TRAIN, VALID, RunFolder(tmp_path / "cut"))
    assert stopped.value.exit_code == 143
    told = []
    cut = RunFolder(tmp_path / "cut")
    teach_phrases(lesson(network, **how), TRAIN, VALID, cut, resume=True, tell=told.append)
    assert any("going on" in words for words in told)
    whole, again = weights(tmp_path / "whole"), weights(tmp_path / "cut")
    assert whole.keys() == again.keys()
    assert all(torch.equal(whole[name], again[name]) for name in whole)


def test_a_finished_run_is_a_model_that_plays(tmp_path):
    shown, looks = [], []
    taught = teach_phrases(
        lesson(),
        TRAIN,
        VALID,
        RunFolder(tmp_path),
        show=lambda step, rolls: shown.append((step, rolls.shape)),
        report=lambda progress: looks.append(progress.looked_at),
    )
    assert [step for step, _ in shown] == [0, 3, 6]
    assert shown[0][1] == (4, *FOUR.shape)
    model = load(tmp_path / "checkpoint")
    assert model.sample_phrases(2).shape == (2, *FOUR.shape)
    assert "has no likelihood" in model.card
    log = RunFolder(tmp_path).read_log()
    assert [line["step"] for line in log] == [0, 3, 6]
    assert taught.figures["best_step"] in (3, 6)
    json.dumps(taught.figures)


def test_another_run_in_the_folder_is_not_written_over(tmp_path):
    teach_phrases(lesson(steps=3), TRAIN, VALID, RunFolder(tmp_path))
    with pytest.raises(TrainingError, match="holds a run already"):
        teach_phrases(lesson(steps=3), TRAIN, VALID, RunFolder(tmp_path))
    with pytest.raises(TrainingError, match="critic_rate was"):
        teach_phrases(
            lesson(steps=3, critic_rate=1e-5), TRAIN, VALID, RunFolder(tmp_path), resume=True
        )


def test_a_loss_that_is_no_number_stops_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr(adversarial, "_critic_move", lambda *given: (float("nan"), 0.0))
    with pytest.raises(TrainingError, match="not a number"):
        teach_phrases(lesson(), TRAIN, VALID, RunFolder(tmp_path))


def test_silence_and_collapse_are_said_in_words():
    judge = Judge(TRAIN, VALID, lesson())
    silence = np.zeros((20, *FOUR.shape), dtype=bool)
    assert "next to nothing" in judge.judge(silence).words[0]
    same = np.repeat(TRAIN.rolls(slice(0, 1)), 20, axis=0)
    assert "collapses" in judge.judge(same).words[0]
    assert judge.judge(VALID.rolls(slice(None))).words == ()


@pytest.mark.parametrize(
    "settings",
    [
        {"steps": None},
        {"steps": 0},
        {"batch_size": 1},
        {"loss": "other"},
        {"given": 2.0},
        {"averaging": 1.0},
        {"critic_moves": 0},
        {"precision": "int8"},
        {"penalty": -1.0},
        {"seed": -1},
    ],
)
def test_senseless_settings_are_refused(settings):
    with pytest.raises(ParameterError):
        ContestSettings(**{"steps": 10, **settings})
