"""Several processes take the steps that one would take, and end together."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from training import one_of_several
from training.music import REPRESENTATION, small_pieces

from partimento.training.batches import MelodyBatches
from partimento.training.distributed import Group


def start(out, rank, size, port, asked="same", other="same"):
    place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": size, "MASTER_PORT": port}
    environment = os.environ | {name: str(value) for name, value in place.items()}
    environment |= {"MASTER_ADDR": "127.0.0.1", "CUDA_VISIBLE_DEVICES": ""}
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    return subprocess.Popen(
        [sys.executable, "-m", "training.one_of_several", str(out), asked if rank == 0 else other],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def port():
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def finish(process):
    _, errors = process.communicate(timeout=120)
    return process.returncode, errors


def test_the_rows_of_a_batch_are_shared_out_and_none_is_left():
    batch = MelodyBatches(small_pieces(9), REPRESENTATION, 7, 64, 0)(0)
    shares = [Group(rank, 3, "cpu").rows(batch) for rank in range(3)]
    assert sum(len(share.targets) for share in shares) == 7
    assert sum(share.is_real.sum() for share in shares) == batch.is_real.sum()
    np.testing.assert_array_equal(shares[1].features, batch.features[[1, 4]])


def test_a_process_alone_is_a_group_of_one():
    group = Group(device="cpu")
    assert group.is_first
    assert group.add_gradients(torch.nn.Linear(2, 2), 1.5, 2.0) == [1.5, 2.0]
    assert group.state_from_first(None) is None
    group.check_same(b"anything")


@pytest.mark.skipif(sys.platform == "win32", reason="PyTorch has no gloo for this on Windows")
def test_two_processes_learn_what_one_does_and_a_stopped_pair_goes_on(tmp_path, port):
    one_of_several.learn(tmp_path / "one", "same")
    pair = [start(tmp_path / "two", rank, 2, port) for rank in range(2)]
    for line in pair[0].stdout:
        if line == "5\n":
            break
    pair[1].send_signal(signal.SIGTERM)  # the other loses it, and saves
    (first, said), (second, _) = map(finish, pair)
    assert (first, second) == (4, 143)
    assert "lost the others" in said
    pair = [start(tmp_path / "two", rank, 2, port + 1) for rank in range(2)]
    assert [finish(process)[0] for process in pair] == [0, 0]
    logs = [
        [json.loads(line) for line in (tmp_path / name / "log.jsonl").read_text().splitlines()]
        for name in ("one", "two")
    ]
    assert [line["step"] for line in logs[1]] == [0, 10, 20]
    for alone, together in zip(*logs, strict=True):
        for key in ("step", "held_out_nats_per_step", *(["loss"] if alone["step"] else [])):
            assert together[key] == pytest.approx(alone[key], rel=1e-5)
    one, two = (
        load_file(tmp_path / name / "state" / "step-00000020.safetensors")
        for name in ("one", "two")
    )
    for name, weights in one.items():
        np.testing.assert_allclose(two[name], weights, atol=1e-4, err_msg=name)


@pytest.mark.skipif(sys.platform == "win32", reason="PyTorch has no gloo for this on Windows")
def test_processes_that_were_asked_for_different_things_are_all_refused(tmp_path, port):
    pair = [start(tmp_path, rank, 2, port, asked="a", other="b") for rank in range(2)]
    for process in pair:
        exit_code, said = finish(process)
        assert exit_code == 2
        assert "process 1 of 2 has other settings, or found other music" in said
