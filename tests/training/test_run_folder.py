"""The files of a run: what is damaged is noticed, what is held is held, what is full is said."""

import errno
import os
import subprocess
import sys

import pytest
import torch

from partimento.errors import TrainingError
from partimento.training import run_folder
from partimento.training.run_folder import BEST, RunFolder, RunFolderElsewhere

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


def test_a_setting_that_older_runs_did_not_know_is_no_other_setting_while_it_is_off(tmp_path):
    run = begun(tmp_path, settings={"seed": 1})
    run.check({"settings": {"seed": 1, "averaging": 0.0}}, resume=True)
    with pytest.raises(TrainingError, match=r"averaging was None, now 0\.9"):
        run.check({"settings": {"seed": 1, "averaging": 0.9}}, resume=True)


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


def test_a_full_disk_under_the_log_is_one_line_too(tmp_path, monkeypatch):
    run = begun(tmp_path, seed=1)

    def full(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(run_folder.Path, "open", full)
    with pytest.raises(Exception, match=r"log\.jsonl \(No space left.*free some space") as stopped:
        run.log({"step": 0})
    assert stopped.value.exit_code == 4


@pytest.mark.parametrize("name", ["step-00000002.json", "step-00000002.safetensors"])
@pytest.mark.parametrize("place", [1, 0.5, -2])
def test_one_changed_bit_in_either_file_of_a_state_costs_that_state_alone(tmp_path, name, place):
    run = begun(tmp_path)
    for step in (1, 2):
        tensors = {"weight": torch.full((3,), float(step)), f"{BEST}weight": torch.ones(3)}
        run.save_state(step, tensors, {"loss": 0.5, "best": {"nats": 1.0}})
    file = run.states / name
    content = bytearray(file.read_bytes())
    content[int(place * len(content)) if isinstance(place, float) else place] ^= 2
    file.write_bytes(content)
    tensors, facts, passed_over = run.load_state()
    assert facts["step"] == 1
    assert tensors["weight"].tolist() == [1, 1, 1]
    assert len(passed_over) == 1
    assert "step-00000002" in passed_over[0]
    with pytest.raises(TrainingError, match="step-00000002"):  # not an older best without a word
        run.load_best()


def test_a_state_is_not_kept_for_the_sake_of_a_later_one_that_is_damaged(tmp_path):
    run = begun(tmp_path)
    for step in (10, 20, 30):
        run.save_state(step, {"weight": torch.zeros(2)}, {})
    (run.states / "step-00000030.json").write_text("{")
    assert run.load_state()[1]["step"] == 20
    run.save_state(25, {"weight": torch.zeros(2)}, {})
    assert [file.name for file in sorted(run.states.glob("*.json"))] == [
        "step-00000020.json",
        "step-00000025.json",
    ]


def test_states_without_their_settings_are_not_taken_for_those_of_another_run(tmp_path):
    run = begun(tmp_path, seed=1)
    (tmp_path / "run.json").unlink()
    with pytest.raises(TrainingError, match=r"run\.json cannot be read"):
        run.begin({"seed": 2}, resume=True)


def test_a_folder_made_for_nothing_goes_again_with_those_above_it(tmp_path):
    with pytest.raises(KeyboardInterrupt), RunFolder(tmp_path / "a" / "b").locked() as run:
        run.begin({"seed": 1}, resume=False)
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())


def test_a_folder_that_holds_a_state_or_was_there_before_stays(tmp_path):
    with RunFolder(tmp_path / "new").locked() as run, run.locked():  # held twice by one
        run.save_state(0, {"weight": torch.zeros(2)}, {})
    with RunFolder(tmp_path).locked():
        pass
    assert (tmp_path / "new" / "state" / "step-00000000.json").exists()


def test_a_process_that_helps_writes_nothing(tmp_path):
    run = RunFolderElsewhere(tmp_path / "run")
    with run.locked():
        run.begin({"seed": 1}, resume=False)
        run.save_state(0, {"weight": torch.zeros(2)}, {})
        run.log({"step": 0})
        assert run.load_state() is None
    assert not list(tmp_path.iterdir())


def test_who_holds_a_folder_is_known_before_pytorch_is_loaded():
    script = (
        "import sys\n"
        "import partimento.cli.train\n"
        "from partimento.models import lessons\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
