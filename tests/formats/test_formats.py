"""`read` and `write`: files in, files out, whole or not at all."""

import os
import sys

import pytest
from formats.midi.midi_bytes import NOTE, file, track

from partimento.errors import FormatError, LimitError, MidiError
from partimento.formats import read, read_report, write
from partimento.formats.midi import Limits, write_midi
from partimento.music.notes import Notes
from partimento.music.score import Control, Part, Score

SCORE = Score((Part(Notes([0], [480], [60])),))


@pytest.mark.parametrize("suffix", [".mid", ".MIDI", ".kar", ".smf"])
def test_what_is_written_is_read(tmp_path, suffix):
    path = tmp_path / f"tune{suffix}"
    write(SCORE, path)
    assert read(path) == read(str(path)) == SCORE
    assert path.read_bytes() == write_midi(SCORE)
    assert list(tmp_path.iterdir()) == [path]


def test_a_score_saves_itself(tmp_path):
    SCORE.save(tmp_path / "tune.mid")
    assert read(tmp_path / "tune.mid") == SCORE


def test_a_file_of_any_name_is_read_by_its_content(tmp_path):
    path = tmp_path / "tune.txt"
    path.write_bytes(write_midi(SCORE))
    assert read(path) == SCORE


@pytest.mark.parametrize("name", ["tune.wav", "tune", "tune.mid.bak"])
def test_an_unknown_extension_is_refused(tmp_path, name):
    with pytest.raises(FormatError, match=r"written as \.mid"):
        write(SCORE, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FormatError, match="there is no folder"):
        write(SCORE, tmp_path / "no" / "tune.mid")


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path):
    with pytest.raises(FormatError, match=r"no\.mid: there is no such file"):
        read(tmp_path / "no.mid")
    with pytest.raises(FormatError, match="a folder, not a file"):
        read(tmp_path)


def test_a_strange_name_is_escaped_in_errors(tmp_path):
    with pytest.raises(FormatError) as caught:
        read(tmp_path / "a\x1b[2Jb.mid")
    assert r"a\x1b[2Jb.mid" in str(caught.value)


def test_a_bad_score_leaves_the_old_file_as_it_was(tmp_path):
    path = tmp_path / "tune.mid"
    write(SCORE, path)
    with pytest.raises(ValueError, match="no MIDI controller"):
        write(Score((Part(controls=(Control(0, 7, 200),)),)), path)
    assert read(path) == SCORE
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_a_written_file_has_the_usual_permissions(tmp_path):
    write(SCORE, tmp_path / "tune.mid")
    mask = os.umask(0)
    os.umask(mask)
    assert (tmp_path / "tune.mid").stat().st_mode & 0o777 == 0o666 & ~mask


def test_a_damaged_file_is_refused_or_salvaged(tmp_path):
    path = tmp_path / "cut.mid"
    path.write_bytes(file(track(NOTE))[:-3])
    with pytest.raises(MidiError, match=r"cut\.mid: byte 18"):
        read(path)
    assert read(path, salvage=True).num_notes == 1
    assert len(read_report(path, salvage=True).repairs) == 1


def test_no_more_is_read_of_a_file_than_the_limit_allows(tmp_path):
    path = tmp_path / "large.mid"
    with path.open("wb") as sparse:
        sparse.truncate(2**33)
    with pytest.raises(LimitError, match="max_bytes"):
        read(path)
    with pytest.raises(LimitError, match="max_bytes"):
        read(path, limits=Limits(max_bytes=5))
