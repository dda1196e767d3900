import math
import os
import signal
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from training.music import REPRESENTATION, small_pieces

from partimento.errors import ParameterError, TrainingError
from partimento.networks.melody_rnn import MelodyRNN, MelodyRNNConfig
from partimento.representations.melody import FIRST_PITCH
from partimento.training import loop, run_folder
from partimento.training.batches import MelodyBatches, whole_pieces
from partimento.training.loop import (
    PRECISIONS,
    HeldOut,
    TrainingSettings,
    held_out_loss,
    train,
)
from partimento.training.run_folder import RunFolder

HELD_OUT = small_pieces(6, seed=1)


def settings(**changes):
    return TrainingSettings(
        **{"steps": 40, "evaluate_every": 10, "warmup_steps": 5, "batch_size": 8} | changes
    )


def go(folder, asked, batches=None, report=lambda progress: None, tell=print, look=held_out_loss):
    torch.manual_seed(asked.seed)
    sizes = MelodyRNNConfig(REPRESENTATION.vocab_size, REPRESENTATION.feature_sizes, 24)
    network = MelodyRNN(sizes)
    batches = batches or MelodyBatches(small_pieces(20), REPRESENTATION, 8, 64, asked.seed)

    def evaluate(module):
        return look(module, whole_pieces(HELD_OUT, REPRESENTATION, 4), FIRST_PITCH)

    run = RunFolder(folder)
    with run.locked():
        return train(network, batches, evaluate, asked, run, report, tell=tell), network, run


def weights(network):
    return torch.cat([tensor.flatten() for tensor in network.state_dict().values()])


def test_training_lowers_the_held_out_loss(tmp_path):
    outcome, _, run = go(tmp_path, settings(steps=80, learning_rate=0.01))
    log = run.read_log()
    assert log[0]["step"] == 0  # a look before the first step: random weights
    assert outcome.best < 0.7 * log[0]["held_out_nats_per_step"]
    assert run.load_best()[1]["nats"] > 0


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_stopped_run_reaches_the_weights_of_one_that_was_not(tmp_path, precision):
    asked = settings(precision=precision)
    _, whole, _ = go(tmp_path / "whole", asked)

    def stop_at_seventeen(progress):
        if progress.step == 17:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(Exception, match="--resume goes on") as stopped:
        go(tmp_path / "parts", asked, report=stop_at_seventeen)
    assert stopped.value.exit_code == 130
    outcome, resumed, _ = go(tmp_path / "parts", asked)
    assert outcome.step == 40
    assert torch.equal(weights(whole), weights(resumed))


def test_bfloat16_learns_as_float32_does_and_leaves_weights_and_looks_in_float32(tmp_path):
    asked = {"steps": 60, "learning_rate": 0.01}
    full, _, _ = go(tmp_path / "full", settings(**asked))
    half, network, run = go(tmp_path / "half", settings(**asked, precision="bfloat16"))
    assert half.best == pytest.approx(full.best, rel=0.05)
    assert half.best != full.best
    assert all(weight.dtype == torch.float32 for weight in run.load_best()[0].values())
    assert network.lstm.weight_hh_l0.grad.dtype == torch.float32


def test_a_damaged_newest_state_falls_back_to_the_one_before(tmp_path):
    _, whole, run = go(tmp_path, settings())
    newest = sorted(run.states.glob("*.safetensors"))[-1]
    content = bytearray(newest.read_bytes())
    content[-3] ^= 1
    newest.write_bytes(content)
    _, facts, passed_over = run.load_state()
    assert facts["step"] == 30
    assert "step-00000040" in passed_over[0]
    told = []
    _, again, _ = go(tmp_path, settings(), tell=told.append)
    assert torch.equal(weights(whole), weights(again))
    assert "step-00000040.safetensors is damaged" in told[0]
    assert told[1] == "going on from step 30"


def test_a_signal_does_not_wait_for_the_end_of_a_look(tmp_path):
    looks = []

    def endless(*arguments):
        looks.append(arguments)
        if len(looks) == 2:
            signal.raise_signal(signal.SIGTERM)
            time.sleep(60)
        return held_out_loss(*arguments)

    started = time.monotonic()
    with pytest.raises(Exception, match="goes on from there") as stopped:
        go(tmp_path / "parts", settings(), look=endless)
    assert stopped.value.exit_code == 143
    assert time.monotonic() - started < 30
    _, whole, _ = go(tmp_path / "whole", settings())
    _, resumed, run = go(tmp_path / "parts", settings())
    assert torch.equal(weights(whole), weights(resumed))
    steps = [line["step"] for line in run.read_log()]
    assert steps == [0, 10, 20, 30, 40]


class Killed(BaseException):
    """Nothing of ours catches it, so nothing is tidied up: as after kill -9."""


# A look saves two files (weights and facts): each is synced, renamed, and its folder synced. The
# look at step 10 comes after that of step 0.
@pytest.mark.parametrize("moment", range(6, 12))
def test_a_run_killed_inside_a_save_reaches_the_same_weights(tmp_path, monkeypatch, moment):
    _, whole, peace = go(tmp_path / "whole", settings(steps=20))
    count = 0

    def deadly(action):
        def act(*arguments):
            nonlocal count
            count += 1
            if count > moment:
                raise Killed
            return action(*arguments)

        return act

    with monkeypatch.context() as patched:
        patched.setattr(run_folder.os, "fsync", deadly(os.fsync))
        patched.setattr(run_folder.Path, "replace", deadly(run_folder.Path.replace))
        with pytest.raises(Killed):
            go(tmp_path / "parts", settings(steps=20))
    _, resumed, parts = go(tmp_path / "parts", settings(steps=20))
    assert torch.equal(weights(whole), weights(resumed))
    newest = "state/step-00000020.safetensors"  # the best weights too
    assert (peace.path / newest).read_bytes() == (parts.path / newest).read_bytes()
    assert not list(parts.path.glob("**/.*.part"))


def test_a_second_signal_ends_at_once(tmp_path):
    def twice(progress):
        if progress.step == 7:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        go(tmp_path, settings(), report=twice)


def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_last_state(tmp_path):
    with pytest.raises(TrainingError, match=r"not a number at step .* lower learning rate"):
        go(tmp_path, settings(learning_rate=1e38, clip_norm=float("inf")))
    assert RunFolder(tmp_path).load_state() is not None


def test_held_out_pieces_that_cost_no_number_stop_the_run_before_it_is_saved(tmp_path):
    def broken(*arguments):
        held_out = held_out_loss(*arguments)
        return held_out if not (tmp_path / "log.jsonl").exists() else HeldOut(math.nan, 1, 1)

    with pytest.raises(TrainingError, match="not a number at step 10"):
        go(tmp_path, settings(), look=broken)
    assert RunFolder(tmp_path).load_state()[1]["step"] == 0


def test_a_state_from_another_machine_goes_on_with_a_word(tmp_path, monkeypatch):
    go(tmp_path, settings())
    monkeypatch.setattr(loop, "_machine", lambda: "another")
    told = []
    go(tmp_path, settings(), tell=told.append)
    assert "this is another: the weights will differ in their last bits" in told[1]


def test_the_best_weights_survive_a_damaged_newest_state(tmp_path):
    asked = settings(steps=60, learning_rate=0.3, warmup_steps=1)  # it gets worse again
    _, _, whole = go(tmp_path / "whole", asked)
    _, _, run = go(tmp_path / "damaged", asked)
    expected, look = whole.load_best()
    assert 0 < look["step"] < 50
    sorted(run.states.glob("*.json"))[-1].write_text("{}")
    go(tmp_path / "damaged", asked)
    found, again = run.load_best()
    assert again == look
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_a_run_that_learns_nothing_more_stops_early(tmp_path):
    outcome, _, _ = go(
        tmp_path, settings(steps=1000, patience=2, learning_rate=1e-9, evaluate_every=5)
    )
    assert outcome.reason == "early"
    assert outcome.step < 1000


def test_a_run_by_the_clock_ends_by_the_clock(tmp_path):
    started = time.monotonic()
    outcome, _, _ = go(tmp_path, settings(steps=None, minutes=0.02))
    assert outcome.step > 0
    assert time.monotonic() - started < 20


def test_minutes_are_turned_into_steps_once_and_the_run_is_then_one_of_so_many_steps(tmp_path):
    asked = settings(steps=None, minutes=0.05)
    told = []

    def stop_at_three(progress):
        if progress.step == 3:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(Exception, match="--resume goes on"):
        go(tmp_path / "clock", asked, report=stop_at_three, tell=told.append)
    planned = RunFolder(tmp_path / "clock").load_state()[1]["planned_steps"]
    assert told == [f"0.05 minutes: {planned:,} steps are planned"]
    outcome, by_clock, _ = go(tmp_path / "clock", asked)
    assert RunFolder(tmp_path / "clock").load_state()[1]["planned_steps"] == planned
    if outcome.step == planned:  # else a busy machine, and the clock cut it off
        _, by_steps, _ = go(tmp_path / "steps", settings(steps=planned))
        assert torch.equal(weights(by_clock), weights(by_steps))


def test_the_learning_rate_follows_the_steps_alone():
    asked = settings(steps=100, minutes=1.0, warmup_steps=0, learning_rate=1.0)
    assert asked.learning_rate_at(0) == 1
    assert asked.learning_rate_at(50) == pytest.approx(0.505)
    assert asked.learning_rate_at(100) == pytest.approx(0.01)
    assert asked.progress(50, 45.0) == 0.75  # what the clock says counts for the end alone


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"steps": None}, "--steps or --minutes"),
        ({"steps": -3}, "steps must be above 0"),
        ({"minutes": float("nan")}, "minutes must be above 0"),
        ({"seed": -1}, "seed must be 0 or above"),
        ({"learning_rate": float("nan")}, "learning_rate must be above 0"),
        ({"learning_rate": float("inf")}, "learning_rate must be above 0"),
        ({"batch_size": 10**8}, "batch_size must be 4096 at most"),
        ({"threads": 0}, "threads must be at least 1"),
        ({"precision": "half"}, "precision must be float32 or bfloat16, got 'half'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changes, words):
    with pytest.raises(ParameterError, match=words):
        settings(**changes)


def test_averaged_weights_are_looked_at_and_survive_a_stop(tmp_path):
    asked = settings(averaging=0.9)
    outcome, whole, run = go(tmp_path / "whole", asked)
    plain, _, _ = go(tmp_path / "plain", settings())
    assert outcome.best != plain.best
    best, _ = run.load_best()
    assert not torch.equal(weights(whole), torch.cat([w.flatten() for w in best.values()]))

    def stop_at_seventeen(progress):
        if progress.step == 17:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(Exception, match="--resume goes on"):
        go(tmp_path / "parts", asked, report=stop_at_seventeen)
    again, _, resumed = go(tmp_path / "parts", asked)
    assert again.best == outcome.best
    assert all(torch.equal(w, best[name]) for name, w in resumed.load_best()[0].items())


def test_targets_count_as_much_as_their_weights(tmp_path):
    batches = MelodyBatches(small_pieces(20), REPRESENTATION, 8, 64, 0)

    def weighed(share):
        return lambda step: replace(
            batches(step), weights=np.full(batches(step).targets.shape, share, dtype=np.float32)
        )

    losses = []
    for share in (1.0, 0.5):
        found = []
        go(
            tmp_path / str(share),
            settings(steps=1, evaluate_every=5),
            weighed(share),
            report=lambda progress, found=found: found.append(progress.loss),
        )
        losses.append(found[-1])
    assert losses[1] == pytest.approx(losses[0] / 2)
