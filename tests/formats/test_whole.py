"""A file appears whole or not at all, and errors name it."""

import pytest

from partimento.formats.whole import naming, whole_file


def test_what_is_written_takes_the_place_of_what_was_there(tmp_path):
    place = tmp_path / "tune.mid"
    place.write_text("old")
    with whole_file(place) as beside:
        beside.write_text("new")
        assert place.read_text() == "old"
    assert place.read_text() == "new"
    assert [file.name for file in tmp_path.iterdir()] == ["tune.mid"]


@pytest.mark.parametrize("fault", [ValueError, KeyboardInterrupt, OSError])
def test_what_was_broken_off_leaves_the_old_file_and_nothing_beside(tmp_path, fault):
    place = tmp_path / "tune.mid"
    place.write_text("old")
    with pytest.raises(fault), whole_file(place) as beside:
        beside.write_text("half")
        raise fault
    assert place.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["tune.mid"]


def test_names_as_long_as_names_can_be_are_written(tmp_path):
    place = tmp_path / ("x" * 251 + ".mid")
    with whole_file(place) as beside:
        beside.write_text("music")
    assert place.read_text() == "music"


def test_errors_name_the_file_that_was_asked_for(tmp_path):
    place = tmp_path / "no" / "tune.mid"
    with pytest.raises(FileNotFoundError) as found, whole_file(place) as beside:
        beside.write_text("new")
    assert found.value.filename == str(place)


def test_errors_of_other_files_keep_their_names(tmp_path):
    with pytest.raises(FileNotFoundError) as found, naming(tmp_path / "tune.mid"):
        (tmp_path / "else" / "x").read_text()
    assert found.value.filename.endswith("x")
