"""A valid checkpoint with bytes changed anywhere: it opens, or is refused in one line.

In half of the cases the list is sealed anew over the change, as a forger would, so that the readers
behind the hashes are reached.
"""

import shutil
import time
import tracemalloc

import numpy as np
import pytest
from checkpoints.tiny_checkpoint import save_tiny, seal

from partimento.checkpoints import open_checkpoint
from partimento.checkpoints.arrays import write_arrays
from partimento.errors import CheckpointError

FILES = ["config.json", "files.json", "README.md", "model.safetensors", "step.onnx", "training.npz"]
ROUNDS = 1000  # a file
SECONDS, MEMORY = 2.0, 25e6  # of the worst case


@pytest.fixture
def folder(tmp_path):
    prints = {"pieces": np.arange(40), "hashes": np.arange(20, dtype=np.uint8).reshape(4, 5)}
    return save_tiny(tmp_path / "x", extras={"training.npz": write_arrays(prints)}).path


def mutated(content, draw):
    """Change, insert, delete, repeat or cut some bytes."""
    content = bytearray(content)
    for _ in range(draw.integers(1, 4)):
        at = int(draw.integers(0, len(content))) if content else 0
        length = int(draw.integers(1, 9))
        match draw.integers(0, 7):
            case 0:
                content[at : at + 1] = bytes([draw.integers(0, 256)])
            case 1 if content:
                content[at] ^= 1 << draw.integers(0, 8)
            case 2:
                content[at:at] = draw.bytes(length)
            case 3:
                del content[at : at + length]
            case 4:
                content[at:at] = content[at : at + length * 8]
            case 5:
                content[at : at + length] = b"\xff" * length
            case 6:
                del content[at:]
    return bytes(content)


def opens(folder):
    """Open, read all of it, and say whether it went well; nothing but our error may come out."""
    try:
        opened = open_checkpoint(folder)
        opened.graph("step")
        opened.weights()
        opened.arrays()
    except CheckpointError as error:
        assert str(error).isprintable()
        assert len(str(error)) < 1000
        return False
    return True


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("is_sealed", [True, False])
def test_changed_bytes_open_or_are_refused_in_one_line(folder, name, is_sealed):
    draw = np.random.default_rng([FILES.index(name), is_sealed])
    content = (folder / name).read_bytes()
    slowest, opened = 0.0, 0
    for _ in range(ROUNDS // 2):
        changed = mutated(content, draw)
        (folder / name).write_bytes(changed)
        if is_sealed and name != "files.json":
            seal(folder)
        start = time.perf_counter()
        is_open = opens(folder)
        slowest = max(slowest, time.perf_counter() - start)
        opened += is_open
        if not is_sealed and name != "files.json":
            assert is_open == (changed == content)
    assert slowest < SECONDS
    if is_sealed and name == "README.md":
        assert opened > 0  # the change itself is harmless: the readers were reached


@pytest.mark.parametrize("name", FILES)
def test_changed_bytes_never_cost_much_memory(folder, name):
    draw = np.random.default_rng(FILES.index(name))
    content = (folder / name).read_bytes()
    tracemalloc.start()
    try:
        for _ in range(40):
            (folder / name).write_bytes(mutated(content, draw))
            seal(folder)
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            opens(folder)
            assert tracemalloc.get_traced_memory()[1] - before < MEMORY
    finally:
        tracemalloc.stop()


def test_files_in_each_others_place_are_refused(folder, tmp_path):
    for name in FILES:
        for other in FILES:
            if name != other:
                copy = tmp_path / f"{name}-{other}"
                shutil.copytree(folder, copy)
                shutil.copy(folder / other, copy / name)
                if "files.json" not in (name, other):
                    seal(copy)
                assert not opens(copy) or (name == "README.md" and other == "config.json")
