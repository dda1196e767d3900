import hashlib
import json
import os
import pickle
import socket
import time
import tracemalloc
import zipfile

import numpy as np
import pytest
from checkpoints.tiny_checkpoint import (
    CONFIG,
    change_config,
    save_tiny,
    seal,
    step_graph,
    tiny_weights,
)

from partimento.checkpoints import CheckpointLimits, checkpoint, open_checkpoint, shipped
from partimento.checkpoints.arrays import write_arrays
from partimento.checkpoints.tensors import write_weights
from partimento.errors import CheckpointError, EnvironmentFault

HAS_LINKS = os.name != "nt"


@pytest.fixture
def folder(tmp_path):
    return save_tiny(tmp_path / "tiny").path


@pytest.fixture
def three_shipped(tmp_path, monkeypatch):
    """Three models that ship, in a place of their own."""
    for name in ("melody-rnn", "melody-rnn-large", "chorale-cnn"):
        save_tiny(tmp_path / "shipped" / name)
    monkeypatch.setattr(checkpoint, "SHIPPED", tmp_path / "shipped")
    return tmp_path / "shipped"


def refusal(folder, error=CheckpointError, **options):
    """The one line that opening a folder is refused with; within little time and memory."""
    tracemalloc.start()
    start = time.process_time()
    try:
        with pytest.raises(error) as caught:
            open_checkpoint(folder, **options)
        assert time.process_time() - start < 5
        assert tracemalloc.get_traced_memory()[1] < 30e6
    finally:
        tracemalloc.stop()
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) < 700
    return message


class Marker:
    """Unpickling this leaves a file behind: proof that something ran."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


# What is whole.


def test_what_was_saved_is_what_is_opened(folder):
    opened = open_checkpoint(folder)
    assert opened.config == CONFIG
    assert (opened.name, opened.family) == ("tiny", "melody-rnn")
    assert opened.card.startswith("# tiny")
    assert opened.graph("step") == opened.graph("step.onnx") == step_graph()
    weights = opened.weights()
    assert weights.keys() == tiny_weights().keys()
    for name, expected in tiny_weights().items():
        assert weights[name].dtype == expected.dtype
        np.testing.assert_array_equal(weights[name], expected)
        assert weights[name].flags.writeable
    assert opened.arrays() is None


def test_the_hash_is_the_sha256_of_the_list(folder):
    opened = open_checkpoint(folder)
    assert opened.hash == hashlib.sha256((folder / "files.json").read_bytes()).hexdigest()
    assert opened.short_hash == opened.hash[:12]
    assert opened.size == sum(f.stat().st_size for f in folder.iterdir() if f.name != "files.json")


def test_a_folder_can_be_given_as_text_or_as_a_path(folder):
    assert open_checkpoint(str(folder)).hash == open_checkpoint(folder).hash


def test_the_folder_of_a_run_opens_the_checkpoint_in_it(tmp_path):
    saved = save_tiny(tmp_path / "run" / "checkpoint")
    (tmp_path / "run" / "run.json").write_text("{}")
    assert open_checkpoint(tmp_path / "run").hash == saved.hash


@pytest.mark.skipif(not HAS_LINKS, reason="links need rights on Windows")
def test_the_folder_itself_may_be_reached_by_a_link(folder, tmp_path):
    (tmp_path / "link").symlink_to(folder)
    assert open_checkpoint(tmp_path / "link").name == "tiny"


def test_hidden_files_are_left_alone(folder):
    (folder / ".git").mkdir()
    (folder / ".gitattributes").write_text("*.onnx filter=lfs")
    assert open_checkpoint(folder).name == "tiny"


def test_more_files_may_be_there_if_they_are_listed(tmp_path):
    prints = {"a": np.arange(5), "b": np.ones((2, 3), np.float32)}
    extras = {"training.npz": write_arrays(prints), "curve.svg": b"<svg/>"}
    opened = open_checkpoint(save_tiny(tmp_path / "x", extras=extras).path)
    found = opened.arrays()
    assert found.keys() == prints.keys()
    assert all((found[name] == prints[name]).all() for name in prints)
    assert opened.arrays("other.npz") is None


def test_a_graph_that_is_not_there_is_named_with_those_that_are(folder):
    with pytest.raises(CheckpointError, match=r"no graph .encoder.: it has step"):
        open_checkpoint(folder).graph("encoder")
    with pytest.raises(CheckpointError, match="no graph"):
        open_checkpoint(folder).graph("config.json")


def test_opening_ten_megabytes_takes_less_than_a_blink(tmp_path):
    draw = np.random.default_rng(0)
    weights = {f"w{n}": draw.normal(size=(512, 512)).astype(np.float32) for n in range(10)}
    saved = save_tiny(tmp_path / "large", weights=weights)
    assert saved.size > 10e6
    times = []
    for _ in range(5):
        start = time.perf_counter()
        open_checkpoint(saved.path)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.25  # about 0.02 on a quiet machine


# Names.


def test_shipped_models_are_found_by_name(three_shipped):
    assert shipped() == ["chorale-cnn", "melody-rnn", "melody-rnn-large"]
    assert open_checkpoint("melody-rnn").path == three_shipped / "melody-rnn"


def test_a_name_wins_over_a_folder_and_a_path_is_a_folder(three_shipped, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    here = save_tiny(tmp_path / "melody-rnn", config=CONFIG | {"name": "mine"})
    assert open_checkpoint("melody-rnn").name == "tiny"
    assert open_checkpoint("./melody-rnn").hash == here.hash
    assert open_checkpoint(here.path).name == "mine"


def test_an_unknown_name_lists_what_is_like_it_and_what_there_is(three_shipped):
    message = refusal("melody-rn")
    assert "no model 'melody-rn' (did you mean melody-rnn or melody-rnn-large?)" in message
    assert "there is chorale-cnn, melody-rnn, melody-rnn-large" in message


def test_where_nothing_ships_that_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "SHIPPED", tmp_path / "nowhere")
    assert shipped() == []
    assert "none ships with this installation" in refusal("melody-rnn")


def test_a_hub_id_is_recognised_and_not_pretended_to_work():
    message = refusal("someone/melody-rnn-v2")
    assert "downloading is not built in yet" in message
    assert "clone it" in message


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 3000, "x" * 3000 + "/y", "\n", "\ud800"])
def test_strange_names_are_refused_in_one_line(name):
    refusal(name)


@pytest.mark.parametrize(
    "name", ["./nowhere", "/no/where", "~nobody-of-this-name/x", "a/b/c", ".."]
)
def test_a_path_that_holds_no_checkpoint_is_refused(name, tmp_path, monkeypatch):
    (tmp_path / "inside").mkdir()
    monkeypatch.chdir(tmp_path / "inside")
    assert "give a checkpoint's folder" in (m := refusal(name)) or "no config.json" in m


def test_a_file_in_place_of_a_folder_is_refused(folder):
    assert "is a file: give the checkpoint's folder" in refusal(folder / "config.json")


def test_any_other_folder_is_no_checkpoint(tmp_path):
    (tmp_path / "song.mid").write_bytes(b"MThd")
    assert "has no config.json: it is no checkpoint's folder" in refusal(tmp_path)


# Damage.


@pytest.mark.parametrize("name", ["config.json", "README.md", "model.safetensors", "step.onnx"])
def test_a_changed_byte_is_found_and_the_file_named(folder, name):
    content = bytearray((folder / name).read_bytes())
    at = content.index(b"tiny") if b"tiny" in content else len(content) // 2
    content[at] ^= 1
    (folder / name).write_bytes(content)
    assert f"{name} is not the file that files.json lists" in refusal(folder)


@pytest.mark.parametrize("name", ["README.md", "model.safetensors", "step.onnx", "files.json"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    assert f"{name} is missing" in refusal(folder)


@pytest.mark.parametrize("name", ["README.md", "model.safetensors", "step.onnx"])
def test_a_list_without_a_file_that_all_have_is_refused(folder, name):
    (folder / name).unlink()
    seal(folder)
    assert "every checkpoint has one" in refusal(folder)


def test_a_file_cut_short_is_found_by_its_size(folder):
    content = (folder / "step.onnx").read_bytes()
    (folder / "step.onnx").write_bytes(content[:-1])
    assert f"has {len(content) - 1:,} bytes where files.json says" in refusal(folder)


def test_a_git_lfs_pointer_says_what_to_do(folder):
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 10\n"
    (folder / "model.safetensors").write_bytes(pointer)
    assert "run `git lfs pull`" in refusal(folder)


def test_a_file_that_is_not_listed_is_refused(folder):
    (folder / "notes.txt").write_text("hello")
    assert "notes.txt is not in files.json" in refusal(folder)


def test_a_checkpoint_that_changes_after_it_was_opened_is_refused(folder):
    opened = open_checkpoint(folder)
    for name in ("step.onnx", "model.safetensors"):
        content = bytearray((folder / name).read_bytes())
        content[-1] ^= 1
        (folder / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=r"step\.onnx is not the file"):
        opened.graph("step")
    with pytest.raises(CheckpointError, match=r"model\.safetensors is not the file"):
        opened.weights()
    with (folder / "step.onnx").open("r+b") as handle:
        handle.truncate(5_000_000_000)
    with pytest.raises(CheckpointError, match=r"step\.onnx is not the file"):
        opened.graph("step")


# Versions.


@pytest.mark.parametrize("name", ["config.json", "files.json"])
def test_a_newer_format_asks_for_an_upgrade(folder, name):
    value = json.loads((folder / name).read_text())
    (folder / name).write_text(json.dumps(value | {"format": 2, "sauce": 1}))
    message = refusal(folder)
    assert f"{name} has format 2, made by a newer partimento" in message
    assert "upgrade" in message


def test_a_newer_format_is_told_before_anything_else_is_looked_at(folder):
    (folder / "files.json").unlink()
    (folder / "config.json").write_text('{"format": 7}')
    assert "newer partimento" in refusal(folder)


@pytest.mark.parametrize("version", [None, 0, -1, 1.0, "1", True, [1], 10**30])
def test_a_format_that_is_no_version_is_refused(folder, version):
    change_config(folder, format=version)
    assert "config.json" in refusal(folder)


# What config.json says.


@pytest.mark.parametrize(
    "field, value, words",
    [
        ("family", 3, "'family' should be a text, and is a number"),
        ("family", None, "has no 'family'"),
        ("family", "", "1 to 80 printable characters"),
        ("name", "a\nb", "1 to 80 printable characters"),
        ("name", "\x1b[2J", "1 to 80 printable characters"),
        ("name", "x" * 81, "1 to 80 printable characters"),
        ("representation", [], "should be an object, and is a list"),
        ("network", True, "should be an object, and is a boolean"),
        ("training", "x", "should be an object"),
        ("figures", [1], "should be an object"),
        ("made_with", {}, "should be a text"),
        ("graphs", {}, "names no graphs"),
        ("graphs", {"step": 1}, "no graph among the files"),
        ("graphs", {"step": "../step.onnx"}, "no graph among the files"),
        ("graphs", {"step": "README.md"}, "no graph among the files"),
        ("graphs", {"step": "other.onnx"}, "no graph among the files"),
        ("graphs", {"st\nep": None}, "is None, which is no graph"),
    ],
)
def test_a_config_with_something_wrong_is_refused(folder, field, value, words):
    change_config(folder, **{field: value})
    assert words in refusal(folder)


def test_a_family_nobody_knows_is_for_models_to_judge(folder):
    change_config(folder, family="symphony-gan")
    assert open_checkpoint(folder).family == "symphony-gan"


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"3", b'"x"', b"null", b"\xff\xfe{}", b"{", b"{}x"]
)
def test_a_config_that_is_no_object_is_refused(folder, content):
    (folder / "config.json").write_bytes(content)
    assert "config.json" in refusal(folder)


@pytest.mark.parametrize("name", ["config.json", "files.json"])
def test_a_pickle_named_as_json_is_refused(folder, name, tmp_path):
    (folder / name).write_bytes(pickle.dumps(Marker(tmp_path / "ran")))
    assert name in refusal(folder)
    assert not (tmp_path / "ran").exists()


# Pickles.


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_named_as_weights_is_refused_and_not_run(folder, protocol, tmp_path):
    content = pickle.dumps(Marker(tmp_path / "ran"), protocol=protocol)
    (folder / "model.safetensors").write_bytes(content)
    seal(folder)
    assert "a pickle or an archive of PyTorch" in refusal(folder)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["model.safetensors", "step.onnx", "training.npz"])
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_pickle_under_any_name_of_ours_is_refused_and_not_run(folder, name, protocol, tmp_path):
    (folder / name).write_bytes(pickle.dumps(Marker(tmp_path / "ran"), protocol=protocol))
    seal(folder)
    assert name in refusal(folder)
    assert not (tmp_path / "ran").exists()


def test_an_archive_of_pytorch_named_as_weights_is_refused(folder):
    with zipfile.ZipFile(folder / "model.safetensors", "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({}))
    seal(folder)
    assert "a pickle or an archive of PyTorch" in refusal(folder)


@pytest.mark.parametrize("name", ["model.pkl", "pytorch_model.bin", "a.pt", ".b.pth", "C.PICKLE"])
def test_a_file_named_as_pickles_are_is_refused(folder, name):
    (folder / name).write_bytes(b"anything")
    assert "loading one can run anything" in refusal(folder)


def test_arrays_of_objects_are_refused_and_not_unpickled(folder, tmp_path):
    things = np.array([Marker(tmp_path / "ran")], dtype=object)
    np.savez(folder / "training.npz", things=things, allow_pickle=True)
    seal(folder)
    assert "no plain array of numbers" in refusal(folder)
    assert not (tmp_path / "ran").exists()


# Links and devices.


@pytest.mark.skipif(not HAS_LINKS, reason="links need rights on Windows")
@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "files.json", "extra.txt"])
@pytest.mark.parametrize("is_inside", [True, False])
def test_links_are_refused_wherever_they_lead(folder, name, is_inside, tmp_path):
    target = (folder if is_inside else tmp_path) / "target.txt"
    target.write_bytes((folder / "config.json").read_bytes())
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(target)
    assert f"{name} is a link" in refusal(folder)


@pytest.mark.skipif(not HAS_LINKS, reason="links need rights on Windows")
def test_a_link_to_nowhere_is_a_link_too(folder):
    (folder / ".hidden").symlink_to("/nowhere/at/all")
    assert ".hidden is a link" in refusal(folder)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on this system")
@pytest.mark.parametrize("name", ["step.onnx", "config.json", "pipe"])
def test_a_pipe_is_refused_without_waiting_for_it(folder, name):
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)
    assert "is a device, pipe or socket" in refusal(folder)


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no such sockets on this system")
def test_a_socket_is_refused(folder, monkeypatch):
    monkeypatch.chdir(folder)  # their paths must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s.json")
        assert "is a device, pipe or socket" in refusal(folder)


def test_a_folder_inside_is_refused(folder):
    (folder / "more").mkdir()
    assert "is a folder" in refusal(folder)


@pytest.mark.skipif(not HAS_LINKS or os.geteuid() == 0, reason="root may read everything")
def test_a_file_we_may_not_read_is_the_machines_fault(folder):
    (folder / "config.json").chmod(0)
    assert "config.json cannot be read" in refusal(folder, error=EnvironmentFault)


def test_a_bad_disk_is_the_machines_fault(folder, monkeypatch):
    def fail(*_):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as context:
        context.setattr(os, "fstat", fail)
        assert "Input/output error" in refusal(folder, error=EnvironmentFault)


# Names in the list.


STRANGE_NAMES = [
    *("../x.onnx", "/etc/passwd", "..", "a/b.onnx", "a\\b.onnx", "C:x.onnx", "x.pkl", "x.py", ""),
    *("files.json", ".x.onnx", "x.onnx\n", "é.onnx", "\ud800.onnx", "x" * 70 + ".onnx"),
]


@pytest.mark.parametrize("name", STRANGE_NAMES)
def test_a_name_that_is_none_of_ours_is_refused_in_the_list(folder, name):
    listed = json.loads((folder / "files.json").read_text())
    listed["files"][name] = {"bytes": 0, "sha256": "0" * 64}
    (folder / "files.json").write_text(json.dumps(listed))
    assert "files.json" in refusal(folder)


STRANGE_LINES = [None, 3, [], {}] + [
    {"bytes": size, "sha256": digest}
    for size, digest in [
        *((size, "0" * 64) for size in (-1, 1.5, True, None, "1")),
        *((1, digest) for digest in (None, "", "0" * 63, "G" * 64, "A" * 64, "0" * 64 + "\n")),
    ]
]


@pytest.mark.parametrize("line", STRANGE_LINES)
def test_a_line_of_the_list_that_is_none_is_refused(folder, line):
    listed = json.loads((folder / "files.json").read_text())
    listed["files"]["step.onnx"] = line
    (folder / "files.json").write_text(json.dumps(listed))
    assert "files.json gives step.onnx no" in refusal(folder)


def test_names_that_differ_in_case_only_are_refused(folder):
    listed = json.loads((folder / "files.json").read_text())
    listed["files"]["STEP.onnx"] = listed["files"]["step.onnx"]
    (folder / "files.json").write_text(json.dumps(listed))
    assert "differ in case only" in refusal(folder)


# Sizes.


@pytest.mark.parametrize("name", ["model.safetensors", "step.onnx", "config.json", "README.md"])
def test_a_sparse_file_of_five_gigabytes_is_refused_by_its_size(folder, name):
    with (folder / name).open("r+b") as handle:
        handle.truncate(5_000_000_000)
    assert f"{name} has 5,000,000,000 bytes" in refusal(folder)


def test_a_large_file_with_its_size_listed_is_over_the_limit(folder):
    with (folder / "model.safetensors").open("r+b") as handle:
        handle.truncate(600 * 2**20)
    listed = json.loads((folder / "files.json").read_text())
    listed["files"]["model.safetensors"]["bytes"] = 600 * 2**20
    (folder / "files.json").write_text(json.dumps(listed))
    assert "(limit total_bytes)" in refusal(folder)


def test_a_large_file_with_another_hash_is_read_in_pieces(folder):
    with (folder / "step.onnx").open("r+b") as handle:
        handle.truncate(200 * 2**20)
    listed = json.loads((folder / "files.json").read_text())
    listed["files"]["step.onnx"]["bytes"] = 200 * 2**20
    (folder / "files.json").write_text(json.dumps(listed))
    assert "SHA-256 differs" in refusal(folder)


def test_limits_can_be_raised_and_lowered_by_name(folder):
    for limit in ("total_bytes", "config_bytes", "graph_bytes", "graph_fields", "header_bytes"):
        assert f"limit {limit}" in refusal(folder, limits=CheckpointLimits(**{limit: 10}))
    assert "limit files" in refusal(folder, limits=CheckpointLimits(files=2))
    assert "limit json_depth" in refusal(folder, limits=CheckpointLimits(json_depth=1))
    assert "limit tensors" in refusal(folder, limits=CheckpointLimits(tensors=1))


def test_a_folder_of_very_many_files_is_no_checkpoint(folder):
    for number in range(200):
        (folder / f".{number}").touch()
    assert "more than 128 files" in refusal(folder)


# Weights.


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.float64])
def test_weights_that_are_no_numbers_are_refused(folder, value, dtype):
    weights = {"a": np.zeros(5, dtype), "b": np.zeros(400_000, dtype)}
    content = write_weights(weights)
    broken = np.full(1, value, dtype).tobytes()
    (folder / "model.safetensors").write_bytes(content[: -len(broken)] + broken)
    seal(folder)
    assert f"tensor 'b' holds {value} at element 399999" in refusal(folder)


def test_a_card_that_is_no_text_is_refused(folder):
    (folder / "README.md").write_bytes(b"\xff\xfe")
    seal(folder)
    assert "README.md is no UTF-8 text" in refusal(folder)
