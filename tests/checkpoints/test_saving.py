import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from checkpoints.tiny_checkpoint import CONFIG, model_of, save_tiny, step_graph, tiny_weights
from onnx import helper
from safetensors.numpy import load_file

from partimento.checkpoints import CheckpointLimits, open_checkpoint
from partimento.errors import EXIT_ENVIRONMENT, CheckpointError, EnvironmentFault

TESTS = Path(__file__).parent.parent


def names_in(folder):
    return sorted(entry.name for entry in folder.iterdir())


def test_a_saved_folder_holds_what_the_design_says(tmp_path):
    saved = save_tiny(tmp_path / "a" / "b")  # folders above are made
    expected = ["README.md", "config.json", "files.json", "model.safetensors", "step.onnx"]
    assert names_in(saved.path) == expected
    assert names_in(tmp_path / "a") == ["b"]


def test_the_library_of_that_name_reads_our_safetensors(tmp_path):
    saved = save_tiny(tmp_path / "x")
    found = load_file(saved.path / "model.safetensors")
    assert found.keys() == tiny_weights().keys()
    for name, expected in tiny_weights().items():
        np.testing.assert_array_equal(found[name], expected)


def test_the_same_model_gives_the_same_bytes(tmp_path):
    assert save_tiny(tmp_path / "a").hash == save_tiny(tmp_path / "b").hash
    assert save_tiny(tmp_path / "a", seed=1).hash != save_tiny(tmp_path / "b").hash


def test_saving_again_replaces_all_and_leaves_nothing_beside(tmp_path):
    extras = {"training.npz": b""}
    with pytest.raises(CheckpointError):
        save_tiny(tmp_path / "x", extras=extras)
    assert names_in(tmp_path) == []
    first = save_tiny(tmp_path / "x", extras={"curve.svg": b"<svg/>"})
    second = save_tiny(tmp_path / "x", seed=1)
    assert open_checkpoint(tmp_path / "x").hash == second.hash != first.hash
    assert names_in(tmp_path) == ["x"]
    assert "curve.svg" not in names_in(tmp_path / "x")


def test_arrays_in_any_order_and_byte_order_are_saved_as_they_read(tmp_path):
    draw = np.random.default_rng(0)
    weights = {
        "fortran": np.asfortranarray(draw.normal(size=(3, 4))),
        "strided": draw.normal(size=(6, 6)).astype(np.float32)[::2, 1::2],
        "big": draw.normal(size=5).astype(">f4"),
        "flags": np.array([True, False]),
    }
    found = save_tiny(tmp_path / "x", weights=weights).weights()
    for name, expected in weights.items():
        np.testing.assert_array_equal(found[name], expected)


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_a_link_to_the_place_goes_on_pointing_to_it(tmp_path):
    save_tiny(tmp_path / "real")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    saved = save_tiny(tmp_path / "link", seed=1)
    assert (tmp_path / "link").is_symlink()
    assert open_checkpoint(tmp_path / "real").hash == saved.hash


# What could not be opened again is not saved.


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_diverged_are_refused_and_the_old_stay(tmp_path, value):
    old = save_tiny(tmp_path / "x")
    with pytest.raises(CheckpointError, match=r"'a' hold (nan|inf) at element 1: the training"):
        save_tiny(tmp_path / "x", weights={"a": np.array([0, value])})
    assert open_checkpoint(tmp_path / "x").hash == old.hash


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"weights": {"a": np.array([1j])}}, "complex128"),
        ({"weights": {"a": np.array(["x"])}}, "no type of safetensors"),
        ({"weights": {"a": np.array([{}])}}, "no type of safetensors"),
        ({"config": CONFIG | {"format": 2}}, "newer partimento"),
        ({"config": CONFIG | {"network": {"rate": np.float32(1)}}}, "not made of plain values"),
        ({"config": CONFIG | {"network": {"rate": float("nan")}}}, "not made of plain values"),
        ({"config": {"format": 1}}, "has no 'family'"),
        ({"graphs": {}}, "does not list a graph"),
        ({"graphs": {"other.onnx": b""}}, "no graph among the files"),
        ({"graphs": {"step.onnx": b"\x00"}}, "no sound ONNX graph"),
        ({"extras": {"x.pkl": b""}}, "no file named 'x.pkl'"),
        ({"extras": {"../x.md": b""}}, "no file named"),
        ({"extras": {"files.json": b""}}, "no file named 'files.json'"),
        ({"extras": {"training.npz": b"x"}}, r"training\.npz is no readable \.npz file"),
        ({"card": "x" * 2_000_000}, "limit config_bytes"),
        ({"limits": CheckpointLimits(total_bytes=100)}, "limit total_bytes"),
    ],
)
def test_what_could_not_be_opened_is_refused_and_the_old_stays(tmp_path, changes, words):
    old = save_tiny(tmp_path / "x")
    with pytest.raises(CheckpointError, match=words):
        save_tiny(tmp_path / "x", **changes)
    assert open_checkpoint(tmp_path / "x").hash == old.hash
    assert names_in(tmp_path) == ["x"]


def test_a_graph_with_an_operator_that_is_not_run_here_is_refused_on_saving(tmp_path):
    loop = model_of([helper.make_node("Erf", ["x"], ["y"], domain="evil")], [("x", [1])], [])
    with pytest.raises(CheckpointError, match=r"operator 'evil\.Erf' is not one that is run here"):
        save_tiny(tmp_path / "x", graphs={"step.onnx": loop.SerializeToString()})
    assert names_in(tmp_path) == []


# What is no checkpoint is not replaced.


@pytest.mark.parametrize("name", [".git", "notes.docx", "music"])
def test_a_folder_with_anything_else_in_it_is_left_alone(tmp_path, name):
    save_tiny(tmp_path / "x")
    (tmp_path / "x" / name).mkdir()
    with pytest.raises(CheckpointError, match="no part of a checkpoint and would be lost"):
        save_tiny(tmp_path / "x")
    assert (tmp_path / "x" / name).exists()


def test_a_file_in_its_place_is_left_alone(tmp_path):
    (tmp_path / "x").write_text("mine")
    with pytest.raises(CheckpointError, match="is not a folder"):
        save_tiny(tmp_path / "x")
    with pytest.raises((CheckpointError, EnvironmentFault)):
        save_tiny(tmp_path / "x" / "y")
    assert (tmp_path / "x").read_text() == "mine"


def test_the_root_of_the_disk_is_left_alone():
    with pytest.raises((CheckpointError, EnvironmentFault)):
        save_tiny(Path(Path.cwd().anchor))


def test_an_empty_or_a_damaged_checkpoints_folder_is_replaced(tmp_path):
    (tmp_path / "x").mkdir()
    save_tiny(tmp_path / "x")
    (tmp_path / "x" / "files.json").write_text("damaged")
    assert open_checkpoint(save_tiny(tmp_path / "x").path).name == "tiny"


# The machine fails.


def failing(function, number, code):
    """The same function, which fails the given time it is called."""
    calls = iter(range(10**9))

    def call(*arguments, **options):
        if next(calls) == number:
            raise OSError(code, os.strerror(code))
        return function(*arguments, **options)

    return call


@pytest.mark.parametrize("name", ["fsync", "rename", "mkdir"])
@pytest.mark.parametrize("number", range(8))
def test_a_full_disk_leaves_the_old_one_whole(tmp_path, monkeypatch, name, number):
    old = save_tiny(tmp_path / "x")
    with monkeypatch.context() as context:
        context.setattr(os, name, failing(getattr(os, name), number, errno.ENOSPC))
        try:
            new = save_tiny(tmp_path / "x", seed=1)
        except EnvironmentFault as error:
            assert "No space left on device): free some space" in str(error)
            assert error.exit_code == EXIT_ENVIRONMENT
            new = old
    found = open_checkpoint(tmp_path / "x").hash
    # The last sync is of the folder above: the new one is in its place by then, and as whole.
    assert found == new.hash or (name, number) == ("fsync", 6)
    assert names_in(tmp_path) == ["x"] or (name, number) == ("fsync", 6)


LIMITED = """
import resource, sys
from checkpoints.tiny_checkpoint import save_tiny
from partimento.errors import EnvironmentFault
resource.setrlimit(resource.RLIMIT_FSIZE, (700, 700))
try:
    save_tiny(sys.argv[1], seed=1)
except EnvironmentFault as error:
    sys.exit(str(error))
"""


def python(code, *arguments):
    """Run some lines in a fresh interpreter that finds the helpers of the tests."""
    path = os.pathsep.join([str(TESTS), str(TESTS.parent), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.skipif(os.name == "nt", reason="needs limits as POSIX has them")
def test_a_file_that_cannot_grow_leaves_the_old_one_whole(tmp_path):
    old = save_tiny(tmp_path / "x")
    done = python(LIMITED, tmp_path / "x")
    assert "free some space and save again" in done.stderr
    assert open_checkpoint(tmp_path / "x").hash == old.hash
    assert names_in(tmp_path) == ["x"]


# The process dies at any call that touches the disk: `os._exit` runs no clean-up, as a power cut.
DYING = """
import os, sys
from checkpoints.tiny_checkpoint import save_tiny
from partimento.checkpoints import open_checkpoint

place = sys.argv[1]
known = {save_tiny(place, seed=seed).hash for seed in (1, 0)}
whole = []
for number in range(100):
    child = os.fork()
    if child == 0:
        calls = iter(range(10**9))
        def dying(function):
            def call(*arguments, **options):
                if next(calls) == number:
                    os._exit(9)
                return function(*arguments, **options)
            return call
        for name in ("fsync", "rename", "mkdir", "rmdir", "unlink"):
            setattr(os, name, dying(getattr(os, name)))
        save_tiny(place, seed=1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert open_checkpoint(place).hash in known, number
    whole.append(os.path.exists(place))
    if status == 0:
        break
    save_tiny(place, seed=0)
print(len(whole), whole.count(False))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_crash_at_any_moment_leaves_a_whole_checkpoint_to_open(tmp_path):
    done = python(DYING, tmp_path / "x")
    assert done.returncode == 0, done.stderr
    moments, set_aside = map(int, done.stdout.split())
    assert moments > 10
    assert set_aside == 1  # between the two renames: found under its hidden name
    assert open_checkpoint(tmp_path / "x").name == "tiny"


def test_what_a_crash_left_is_cleaned_up_later(tmp_path):
    save_tiny(tmp_path / "x")
    leftovers = [tmp_path / name for name in (".x.0.old", ".x.1.new", ".x.2.new", ".y.3.new")]
    for folder in leftovers:
        folder.mkdir()
    hours_ago = time.time() - 2 * 3600
    for folder in (leftovers[1], leftovers[3]):
        os.utime(folder, (hours_ago, hours_ago))
    save_tiny(tmp_path / "x")
    # A fresh one may belong to another save under way, and another model's is none of our business.
    assert names_in(tmp_path) == [".x.2.new", ".y.3.new", "x"]


def test_the_card_may_hold_any_text(tmp_path):
    saved = save_tiny(tmp_path / "x", card="# Für Elise ♪ \ud800\n")
    assert saved.card == "# Für Elise ♪ ?\n"


def test_a_graph_comes_back_byte_for_byte(tmp_path):
    assert save_tiny(tmp_path / "x").graph("step") == step_graph()
