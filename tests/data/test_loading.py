"""From files to melodies: what is kept, what is counted, and that nothing stops it."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from data.tune_files import tune, tune_file, write_tunes

from partimento.data import MelodyRules, Piece, load_melodies, reading, workers
from partimento.data import cache as module
from partimento.data.cache import cache_folder
from partimento.errors import DataError
from partimento.formats.midi import write_midi
from partimento.music.notes import Notes
from partimento.music.score import Part, Score
from partimento.music.voices import is_monophonic


def adds_up(report):
    """The report loses nothing on the way."""
    every = report.as_dict()
    kept = every["kept"]
    assert sum(split["melodies"] for split in every["splits"].values()) == kept["melodies"]
    assert sum(split["notes"] for split in every["splits"].values()) == kept["notes"]
    left_out = sum(item["notes"] for item in every["left_out"])
    assert kept["notes"] + left_out + kept["notes_merged"] == every["notes"]
    assert len(every["skipped"]) == every["files"]["skipped"]
    assert report.text()
    return every


def test_a_folder_becomes_pieces_on_a_bar_line(tmp_path):
    data = load_melodies([write_tunes(tmp_path / "tunes", 30)])
    assert len(data.pieces) == 30
    assert data.pieces[3].name == "tune-0003.mid"
    assert data.pieces[3].source == str(tmp_path / "tunes")
    assert data.pieces[3].score.parts[0].notes == tune(3).parts[0].notes
    assert {piece.split for piece in data.pieces} == {"train", "valid", "test"}
    assert data.split("train") == [piece for piece in data.pieces if piece.split == "train"]
    adds_up(data.report)


def test_the_order_of_names_and_places_changes_no_side(tmp_path):
    first = load_melodies([write_tunes(tmp_path / "a", 30)])
    sides = {piece.score: piece.split for piece in first.pieces}
    (tmp_path / "b" / "c").mkdir(parents=True)
    for number, file in enumerate(sorted((tmp_path / "a").iterdir())):
        shutil.copy(file, tmp_path / "b" / ("c" if number % 2 else ".") / f"{30 - number}.mid")
    second = load_melodies([tmp_path / "b"])
    assert {piece.score: piece.split for piece in second.pieces} == sides


def test_copies_in_another_key_or_tempo_are_counted_and_stay_on_one_side(tmp_path):
    write_tunes(tmp_path, 20)
    for number in range(20):
        (tmp_path / f"high-{number}.mid").write_bytes(tune_file(number, semitones=5))
        (tmp_path / f"slow-{number}.mid").write_bytes(tune_file(number, factor=2))
    (tmp_path / "same.mid").write_bytes(tune_file(0))
    data = load_melodies([tmp_path])
    report = adds_up(data.report)
    assert report["duplicates"] == {"tunes": 20, "melodies": 61}
    assert report["files"]["same_as_another"] == 1
    by_tune = {}
    for piece in data.pieces:
        shape = tuple(np.diff(piece.score.parts[0].notes.pitch).tolist())
        by_tune.setdefault(shape, set()).add(piece.split)
    assert len(by_tune) == 20
    assert all(len(sides) == 1 for sides in by_tune.values())


def test_folders_named_after_splits_are_followed(tmp_path):
    for split, count in (("train", 8), ("validation", 3), ("test", 2)):
        write_tunes(tmp_path / "set" / split, count, first=100 * count)
    data = load_melodies([tmp_path])
    assert [len(data.split(split)) for split in ("train", "valid", "test")] == [8, 3, 2]
    assert data.report.split_by == "published"
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for file in sorted((tmp_path / "set").rglob("*.mid")):
            archive.write(file, file.relative_to(tmp_path))
    zipped = load_melodies([tmp_path / "set.zip"])
    assert sorted(p.split for p in zipped.pieces) == sorted(p.split for p in data.pieces)


def test_several_parts_and_long_rests_make_several_pieces_of_one_side(tmp_path):
    first, second = tune(1).parts[0], tune(2).parts[0]
    late = Notes(second.notes.onset + 48 * 480, second.notes.duration, second.notes.pitch)
    both = Notes(
        *(
            np.append(getattr(first.notes, name), getattr(late, name))
            for name in ("onset", "duration", "pitch")
        )
    )
    score = Score((Part(both), tune(3).parts[0]))
    (tmp_path / "song.mid").write_bytes(write_midi(score))
    write_tunes(tmp_path, 30, first=10)
    data = load_melodies([tmp_path])
    song = [piece for piece in data.pieces if piece.name.startswith("song")]
    assert [piece.name for piece in song] == ["song.mid#1.1", "song.mid#1.2", "song.mid#2.1"]
    assert len({piece.split for piece in song}) == 1
    adds_up(data.report)


def test_nothing_stops_it_and_everything_is_said(tmp_path):
    write_tunes(tmp_path / "good", 40)
    bad = tmp_path / "bad"
    bad.mkdir()
    whole = tune_file(1)
    (bad / "empty.mid").write_bytes(b"")
    (bad / "cut.mid").write_bytes(whole[: len(whole) // 2])
    (bad / "words.mid").write_bytes(b"these are words")
    (bad / "words.doc").write_bytes(b"these are words")
    (bad / "broken.zip").write_bytes(b"PK\3\4")
    with (bad / "sparse.mid").open("wb") as file:
        file.truncate(5 * 2**30)
    if sys.platform != "win32":
        os.mkfifo(bad / "pipe.mid")
        (bad / "loop").symlink_to(tmp_path)
        (bad / "new\nline.mid").write_bytes(b"")
        if sys.platform != "darwin":
            (bad / "raw\udcff.mid").write_bytes(tune_file(99))
    data = load_melodies([tmp_path])
    report = adds_up(data.report)
    assert report["files"]["used"] >= 40
    assert report["not_music"] == {".doc": 1}
    reasons = {Path(item["file"]).name: item["reason"] for item in report["skipped"]}
    assert reasons["empty.mid"] == reasons["words.mid"] == "unreadable"
    assert reasons["sparse.mid"] == "too large"
    assert reasons["broken.zip"] == "archive damaged"
    for line in data.report.text().splitlines():
        assert line.isprintable()
    assert all(piece.name.isprintable() for piece in data.pieces)


def test_a_mended_file_is_kept_when_asked(tmp_path):
    write_tunes(tmp_path, 3)
    whole = tune_file(50, bars=16)
    (tmp_path / "cut.mid").write_bytes(whole[: len(whole) * 3 // 4])
    data = load_melodies([tmp_path])
    [skipped] = data.report.skipped
    assert (skipped.name, skipped.reason, skipped.keep) == ("cut.mid", "unreadable", "--salvage")
    mended = load_melodies([tmp_path], salvage=True)
    assert len(mended.pieces) == 4
    assert not mended.report.skipped


def test_polyphonic_music_is_left_out_or_its_top_line_taken(tmp_path):
    notes = tune(5).parts[0].notes
    chords = Notes(
        np.tile(notes.onset, 2), np.tile(notes.duration, 2), np.append(notes.pitch, notes.pitch - 7)
    )
    (tmp_path / "chords.mid").write_bytes(write_midi(Score((Part(chords),))))
    strict = load_melodies([tmp_path])
    assert not strict.pieces
    assert "--melody skyline" in strict.report.text()
    assert "Nothing here" in strict.report.verdict
    adds_up(strict.report)
    [piece] = load_melodies([tmp_path], rules=MelodyRules(melody="skyline")).pieces
    assert piece.score.parts[0].notes.pitch.tolist() == notes.pitch.tolist()


def test_several_sources_are_one_and_a_copy_follows_the_published_test(tmp_path):
    for split, count in (("train", 6), ("test", 4)):
        write_tunes(tmp_path / "set" / split, count, first=100 * count)
    mine = write_tunes(tmp_path / "mine", 4, first=400)  # the tunes of the test, under my name
    data = load_melodies([tmp_path / "set", mine])
    assert {piece.split for piece in data.pieces if piece.source == str(mine)} == {"test"}
    assert data.report.split_by == "both"


def call_helpers_at_once(monkeypatch):
    """Read few files a batch, and wait for the helpers instead of starting without them."""

    def is_ready(helpers):
        return helpers.first is not None and helpers.first.result() > 0

    monkeypatch.setattr(reading, "BATCH_FILES", 4)
    monkeypatch.setattr(workers, "ALONE_SECONDS", -1)
    monkeypatch.setattr(workers._Helpers, "are_ready", is_ready)


def test_workers_and_cache_change_nothing(tmp_path, monkeypatch):
    call_helpers_at_once(monkeypatch)
    folder = write_tunes(tmp_path / "tunes", 100)
    (folder / "cut.mid").write_bytes(tune_file(3)[:60])
    (folder / "notes.txt").write_text("words")
    alone = load_melodies([folder])
    cache = tmp_path / "cache"
    for options in ({"workers": 2}, {"cache": cache}, {"cache": cache}):
        other = load_melodies([folder], **options)
        assert [*map(repr, other.pieces)] == [*map(repr, alone.pieces)]
        assert other.pieces == alone.pieces
        assert other.report.as_dict() == alone.report.as_dict()
    assert len(list(cache.iterdir())) == 1


class DeadlyRules(MelodyRules):
    """Rules that end the process they are sent to."""

    def __reduce__(self):
        return os._exit, (1,)


def test_workers_that_die_leave_the_work_to_us(tmp_path, monkeypatch):
    call_helpers_at_once(monkeypatch)
    folder = write_tunes(tmp_path, 80)
    data = load_melodies([folder], rules=DeadlyRules(), workers=2)
    assert data.pieces == load_melodies([folder]).pieces


def test_rules_and_content_have_entries_of_their_own(tmp_path):
    folder, cache = write_tunes(tmp_path / "tunes", 6), tmp_path / "cache"
    first = load_melodies([folder], cache=cache)
    load_melodies([folder], cache=cache, rules=MelodyRules(min_bars=5))
    write_tunes(folder, 1, first=50)
    assert len(load_melodies([folder], cache=cache).pieces) == len(first.pieces) + 1
    assert len(list(cache.iterdir())) == 3


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "words", "header"])
def test_a_damaged_entry_is_written_again(tmp_path, damage):
    folder, cache = write_tunes(tmp_path / "tunes", 6), tmp_path / "cache"
    whole = load_melodies([folder], cache=cache)
    [entry] = cache.iterdir()
    data = bytearray(entry.read_bytes())
    if damage == "flip":
        data[-100] ^= 1
    if damage == "header":
        data[60] ^= 1
    broken = {"cut": data[:200], "empty": b"", "words": b"words"}
    entry.write_bytes(broken.get(damage, bytes(data)))
    again = load_melodies([folder], cache=cache)
    assert again.pieces == whole.pieces
    assert len(entry.read_bytes()) == len(data)


def test_a_cache_that_cannot_be_written_costs_only_time(tmp_path):
    folder = write_tunes(tmp_path / "tunes", 6)
    (tmp_path / "file").write_bytes(b"")
    assert len(load_melodies([folder], cache=tmp_path / "file" / "cache").pieces) == 6


def test_what_was_used_longest_ago_goes_first(tmp_path, monkeypatch):
    cache = tmp_path / "cache"
    folders = [write_tunes(tmp_path / f"{n}", 3, first=10 * n) for n in range(3)]
    for age, folder in enumerate(folders):
        load_melodies([folder], cache=cache)
        for entry in cache.iterdir():
            os.utime(entry, (entry.stat().st_atime, entry.stat().st_mtime - 1000 * (age + 1)))
    load_melodies([folders[0]], cache=cache)  # used just now
    unfinished, fresh = cache / "old.part", cache / "new.part"
    for path in (unfinished, fresh):
        path.write_bytes(b"")
    os.utime(unfinished, (0, 0))
    monkeypatch.setattr(module, "MAX_ENTRIES", 2)
    load_melodies([write_tunes(tmp_path / "more", 3, first=90)], cache=cache)
    assert {path.suffix for path in cache.iterdir()} == {".melodies", ".part"}
    assert not unfinished.exists()
    assert len(list(cache.iterdir())) == 3
    assert load_melodies([folders[0]], cache=cache).preparing.remembered == 1
    assert load_melodies([folders[1]], cache=cache).preparing.remembered == 0
    monkeypatch.setattr(module, "MAX_BYTES", 10)  # the newest stays, however large
    load_melodies([folders[2]], cache=cache)
    assert len(list(cache.glob("*.melodies"))) == 1


def test_another_day_of_the_code_finds_nothing(tmp_path, monkeypatch):
    folder, cache = write_tunes(tmp_path / "tunes", 3), tmp_path / "cache"
    assert load_melodies([folder], cache=cache).preparing.remembered == 0
    assert load_melodies([folder], cache=cache).preparing.remembered == 1
    monkeypatch.setattr(module, "_code", lambda: b"changed")
    assert load_melodies([folder], cache=cache).preparing.remembered == 0


LOOK_OFTEN = """
import sys
from pathlib import Path
from partimento.data import load_melodies
for _ in range(8):
    assert len(load_melodies([sys.argv[1]], cache=Path(sys.argv[2])).pieces) == 30
    for entry in Path(sys.argv[2]).iterdir():
        entry.unlink(missing_ok=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="a mapped file cannot be removed there")
def test_two_processes_that_share_a_cache_and_empty_it_are_both_served(tmp_path):
    folder, cache = write_tunes(tmp_path / "tunes", 30), tmp_path / "cache"
    command = [sys.executable, "-c", LOOK_OFTEN, str(folder), str(cache)]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(2)]
    for process in both:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said


def test_the_cache_folder_can_be_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PARTIMENTO_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("PARTIMENTO_CACHE")
    assert cache_folder().name in ("partimento", "Cache")


def test_progress_is_told_file_by_file(tmp_path):
    told = []
    load_melodies([write_tunes(tmp_path, 5)], progress=told.append)
    assert told == [1, 2, 3, 4, 5]


def test_what_is_not_there_is_refused():
    with pytest.raises(DataError, match="no such file, folder or set"):
        load_melodies(["no-such-set"])
    with pytest.raises(DataError, match="must be a list"):
        load_melodies("irish-cre")


@pytest.mark.data
@pytest.mark.parametrize(
    ("source", "melodies"),
    [("irish-cre", 900), ("open-hymnal:tune", 200)],
)
def test_named_sets_give_their_published_splits(shared_data, source, melodies):
    data = load_melodies([source])
    assert len(data.pieces) > melodies
    assert data.report.split_by == "published"
    assert data.report.files_skipped == 0
    for piece in data.pieces[:: len(data.pieces) // 100]:
        assert isinstance(piece, Piece)
        assert piece.name.startswith(piece.split)
        assert is_monophonic(piece.score.parts[0].notes)
    about = data.report.facts()["sources"][0]
    assert len(about["sha256"]) == 64
    assert about["licence"]


@pytest.mark.data
def test_kinds_and_sets_that_do_not_exist_are_refused(shared_data):
    with pytest.raises(DataError, match="no melodies of kind song"):
        load_melodies(["open-hymnal:song"])
    with pytest.raises(DataError, match="has no melodies in the index"):
        load_melodies(["groove"])
