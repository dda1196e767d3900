import os
import signal
import subprocess
import sys
import time

import pytest
import torch
from training.music import REPRESENTATION, small_pieces

from partimento.errors import ParameterError, TrainingError
from partimento.networks.melody_rnn import MelodyRNN, MelodyRNNConfig
from partimento.representations.melody import FIRST_PITCH
from partimento.training import run_folder
from partimento.training.batches import MelodyBatches, whole_pieces
from partimento.training.loop import PRECISIONS, TrainingSettings, held_out_loss, train
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


HOLD = """
import sys, time
from partimento.training.run_folder import RunFolder
with RunFolder(sys.argv[1]).locked():
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_run_in_one_folder_is_refused_until_the_first_is_killed(tmp_path):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(Exception, match=f"in use by process {holder.pid}") as refused,
            RunFolder(tmp_path).locked(),
        ):
            pass
        assert refused.value.exit_code == 4
    finally:
        holder.kill()
        holder.communicate()
    with RunFolder(tmp_path).locked():
        pass


def begun(folder, **asked):
    """A run folder that holds a state."""
    run = RunFolder(folder)
    with run.locked():
        run.begin(asked, resume=False)
        run.save_state(0, {"weight": torch.zeros(2)}, {})
    return run


def test_resuming_with_other_settings_lists_what_differs(tmp_path):
    run = begun(tmp_path, name="a", settings={"seed": 1, "steps": 5}, pieces_sha256="12")
    same = {"name": "a", "settings": {"seed": 1, "steps": 5}, "pieces_sha256": "12"}
    run.begin(same, resume=True)
    other = {"name": "a", "settings": {"seed": 2, "steps": 5}, "pieces_sha256": "34"}
    with pytest.raises(TrainingError) as refused:
        run.begin(other, resume=True)
    assert "the melodies of the data are not those of before" in str(refused.value)
    assert "seed was 1, now 2." in str(refused.value)
    assert "steps" not in str(refused.value)
    with pytest.raises(TrainingError, match="holds a run already"):
        run.begin(same, resume=False)


def test_a_check_before_the_data_are_read_leaves_them_out(tmp_path):
    run = begun(tmp_path, settings={"seed": 1}, pieces_sha256="12")
    run.check({"settings": {"seed": 1}}, resume=True)
    with pytest.raises(TrainingError, match="seed was 1, now 2"):
        run.check({"settings": {"seed": 2}}, resume=True)


def test_a_run_that_failed_before_its_first_state_is_in_nobodys_way(tmp_path):
    run = RunFolder(tmp_path)
    with run.locked():
        run.begin({"seed": 1}, resume=False)
    with run.locked():
        run.begin({"seed": 2}, resume=False)
    assert '"seed": 2' in (tmp_path / "run.json").read_text()


def test_a_damaged_list_of_settings_is_one_line(tmp_path):
    run = begun(tmp_path, seed=1)
    for content in ("{", "[1]"):
        (tmp_path / "run.json").write_text(content)
        with pytest.raises(TrainingError, match=r"run\.json cannot be read"):
            run.begin({"seed": 1}, resume=True)


def test_what_a_killed_process_left_half_written_is_cleared_away(tmp_path):
    run = begun(tmp_path, seed=1)
    leavings = [
        tmp_path / ".best.json.77.part",
        run.states / ".step-00000005.json.77.part",
        run.states / "step-00000005.safetensors",
    ]
    for file in leavings:
        file.write_bytes(b"half")
    with run.locked():
        pass
    assert not any(file.exists() for file in leavings)
    assert run.load_state()[1]["step"] == 0


def test_a_line_of_the_log_that_a_crash_cut_off_costs_that_line_alone(tmp_path):
    run = RunFolder(tmp_path)
    run.log({"step": 0})
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"step": 1, "lo')
    run.log({"step": 2})
    assert run.read_log() == [{"step": 0}, {"step": 2}]


def test_a_file_in_the_place_of_the_folder_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(Exception, match="is no folder: choose another --out") as refused,
        RunFolder(tmp_path / "file").locked(),
    ):
        pass
    assert refused.value.exit_code == 4


def test_a_full_disk_is_one_line_and_leaves_the_old_file(tmp_path, monkeypatch):
    file = tmp_path / "state"
    run_folder.write_atomically(file, b"old")

    def full(descriptor):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(run_folder.os, "fsync", full)
    with pytest.raises(Exception, match=r"No space left.*free some space") as stopped:
        run_folder.write_atomically(file, b"new")
    assert stopped.value.exit_code == 4
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]
