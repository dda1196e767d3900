"""Walking a folder of anything: all that is good is found, all else is said."""

import os
import socket
import sys

import pytest

from partimento.data.found import Found, Other, Skipped, WalkLimits, shown
from partimento.data.walking import walk
from partimento.errors import DataError

MIDI = b"MThd what follows does not matter here"
posix = pytest.mark.skipif(sys.platform == "win32", reason="names and links of POSIX systems")


def names(path, kind=Found, **limits):
    """Names of one kind of item below a path."""
    return [item.name for item in walk(path, WalkLimits(**limits)) if isinstance(item, kind)]


def skips(path, **limits):
    """Name and reason of everything that was skipped."""
    items = walk(path, WalkLimits(**limits))
    return {item.name: item.reason for item in items if isinstance(item, Skipped)}


def test_music_is_found_in_all_folders_in_order_of_name(tmp_path):
    for name in ("b/2.MID", "b/1.midi", "a.mid", "b/c/d/e.kar", "B.mid"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(MIDI)
    assert names(tmp_path) == ["B.mid", "a.mid", "b/1.midi", "b/2.MID", "b/c/d/e.kar"]


def test_a_file_without_suffix_is_music_if_it_begins_like_it(tmp_path):
    (tmp_path / "tune").write_bytes(MIDI)
    (tmp_path / "README").write_bytes(b"words")
    (tmp_path / "cover.jpg").write_bytes(MIDI)
    assert names(tmp_path) == ["tune"]
    assert names(tmp_path, Other) == ["README", "cover.jpg"]


def test_a_single_file_is_found_whatever_its_name(tmp_path):
    (tmp_path / "tune.dat").write_bytes(MIDI)
    assert names(tmp_path / "tune.dat") == ["tune.dat"]
    (tmp_path / "words.dat").write_bytes(b"words")
    with pytest.raises(DataError, match="no music file"):
        names(tmp_path / "words.dat")


def test_a_path_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        names(tmp_path / "nothing")


def test_a_file_beyond_the_limit_is_not_read_however_large(tmp_path):
    with (tmp_path / "sparse.mid").open("wb") as file:
        file.truncate(5 * 2**30)
    (tmp_path / "good.mid").write_bytes(MIDI)
    assert names(tmp_path) == ["good.mid"]
    [skipped] = [item for item in walk(tmp_path) if isinstance(item, Skipped)]
    assert skipped.reason == "too large"
    assert skipped.keep == "--max-file-mb 5120"


def test_a_list_names_files_and_folders_beside_it(tmp_path):
    (tmp_path / "tunes").mkdir()
    for name in ("one.mid", "tunes/two.mid", "other.mid"):
        (tmp_path / name).write_bytes(MIDI)
    (tmp_path / "list.txt").write_text("# mine\none.mid\n\ntunes\nmissing.mid\n")
    assert names(tmp_path / "list.txt") == ["one.mid", "tunes/two.mid"]
    assert skips(tmp_path / "list.txt") == {"missing.mid": "not there"}


@posix
def test_pipes_sockets_and_devices_are_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.mid")
    (tmp_path / "good.mid").write_bytes(MIDI)
    (tmp_path / "null.mid").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as unix_socket:
        here = os.open(tmp_path, os.O_RDONLY)  # the path of a socket must be short
        try:
            unix_socket.bind(f"/proc/self/fd/{here}/s.mid" if sys.platform == "linux" else "s.mid")
        finally:
            os.close(here)
    assert names(tmp_path) == ["good.mid"]
    assert {reason for name, reason in skips(tmp_path).items()} == {"not a file"}
    with pytest.raises(DataError, match="is a pipe"):
        names(tmp_path / "pipe.mid")


@posix
def test_loops_of_links_end_and_each_folder_is_read_once(tmp_path):
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    (folder / "good.mid").write_bytes(MIDI)
    (folder / "up").symlink_to(tmp_path)
    (tmp_path / "z").symlink_to(folder)
    (tmp_path / "round").symlink_to("round")
    (tmp_path / "gone.mid").symlink_to("nowhere.mid")
    assert names(tmp_path) == ["a/b/good.mid"] or names(tmp_path) == ["z/good.mid"]
    assert skips(tmp_path)["round"] == "loop of links"
    assert skips(tmp_path)["gone.mid"] == "broken link"


@posix
def test_a_file_linked_twice_is_read_once(tmp_path):
    (tmp_path / "tune.mid").write_bytes(MIDI)
    (tmp_path / "a.mid").symlink_to("tune.mid")
    (tmp_path / "b.mid").symlink_to("tune.mid")
    found = names(tmp_path)
    assert found[0] == "a.mid"
    assert skips(tmp_path)["b.mid"] == "met before"


@posix
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_what_may_not_be_read_is_skipped(tmp_path):
    (tmp_path / "secret.mid").write_bytes(MIDI)
    (tmp_path / "secret.mid").chmod(0)
    (tmp_path / "closed").mkdir(mode=0)
    assert skips(tmp_path) == {
        "closed": "folder cannot be read",
        "secret.mid": "cannot be opened",
    }


@posix
@pytest.mark.skipif(sys.platform == "darwin", reason="this file system wants names to be text")
def test_names_are_shown_on_one_line_and_read_all_the_same(tmp_path):
    strange = ["new\nline.mid", "bell\x07.mid", "esc\x1b[31m.mid", "\u202eright.mid"]
    for name in strange:
        (tmp_path / name).write_bytes(MIDI)
    (tmp_path / "raw\udcff.mid").write_bytes(MIDI)
    found = names(tmp_path)
    assert len(found) == 5
    for name in found:
        assert name.isprintable()
        name.encode()
    assert "new\\nline.mid" in found
    assert "raw\\udcff.mid" in found


def test_deep_folders_are_walked_without_recursion(tmp_path):
    folder = tmp_path
    for _ in range(300):
        folder = folder / "d"
    folder.mkdir(parents=True)
    (folder / "deep.mid").write_bytes(MIDI)
    assert len(names(tmp_path)) == 1


def test_printable_names_are_shown_as_they_are():
    assert shown("Für Elise (1810).mid") == "Für Elise (1810).mid"
    assert shown("a\tb\udcff") == "a\\tb\\udcff"
