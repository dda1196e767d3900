"""Drum parts found in files, and the windows that are cut out of them and of melodies."""

import json

import numpy as np
import pytest

from partimento.data.drums import load_drums
from partimento.errors import DataError
from partimento.formats.midi import write_midi
from partimento.models.bars_lessons import bars_lesson_for, load_windows, read_windows
from partimento.music.notation import seq
from partimento.music.notes import Notes
from partimento.music.score import Meter, Part, Score
from partimento.representations.bars import BarsRepresentation
from partimento.representations.drums import hits_of
from partimento.training.windows import check_enough, drum_windows, melody_windows

DRUMS, MELODY = BarsRepresentation("drums"), BarsRepresentation()


def groove(seed, bars=8, other=0):
    """Kicks and hats nobody played, a little late."""
    generator = np.random.default_rng(seed)
    onset = np.arange(16 * bars) * 120 + generator.integers(0, 30, 16 * bars)
    pitch = np.append(generator.choice([36, 38, 42, 46], 16 * bars - other), np.full(other, 81))
    notes = Notes(onset, np.full(len(onset), 60), pitch, generator.integers(30, 120, len(onset)))
    return Score((Part(notes, is_drum=True),), meters=(Meter(0, 4, 4),), end_tick=1920 * bars)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("grooves")
    for number in range(10):
        (place / f"{number}.mid").write_bytes(write_midi(groove(number)))
    (place / "song.mid").write_bytes(write_midi(seq("c4:q d4:q e4:h")))
    (place / "shaker.mid").write_bytes(write_midi(groove(11, other=100)))
    (place / "bad.mid").write_bytes(b"words")
    (place / "words.txt").write_text("words")
    return place


def test_a_folder_becomes_drum_parts_with_splits(folder):
    data = load_drums([folder])
    assert len(data.pieces) == 10
    assert {piece.split for piece in data.pieces} == {"train", "valid", "test"}
    text = data.report.text()
    for words in ("no drums: 1 piece", "other percussion: 1 part", "bad.mid: unreadable"):
        assert words in text
    assert data.report.splits["train"]["bars"] == 8 * len(data.split("train"))
    json.dumps(data.report.as_dict())
    assert load_drums([folder], seed=4).report.facts()["split_by"] == "content"
    with pytest.raises(DataError, match="must be a list"):
        load_drums(str(folder))
    with pytest.raises(DataError, match="no such file"):
        load_drums([folder / "none"])


def test_windows_know_how_they_were_played(folder):
    data = load_drums([folder])
    found = drum_windows(data.split("train"), DRUMS)
    assert found.tables.shape[1:] == (2, 24)
    is_hit = (found.tables[..., None].astype(int) >> np.arange(9) & 1).astype(bool)
    is_hit &= (found.tables != DRUMS.pad)[..., None]
    assert ((found.velocity > 0) == is_hit).all()
    assert (np.abs(found.offset) <= 0.5).all()
    assert (found.offset[~is_hit] == 0).all()
    assert len(found.take(np.arange(3))) == 3


def test_a_meter_change_just_off_a_bar_line_moves_no_stroke(tmp_path):
    score = groove(0)
    for number in range(6):  # the bar between the line and the change has no step at all
        meters = (Meter(0, 4, 4), Meter(3 * 1920 + 20 + number, 4, 4))
        late = Score(score.parts, meters=meters, end_tick=score.end_tick)
        (tmp_path / f"{number}.mid").write_bytes(write_midi(late))
    found = drum_windows(load_drums([tmp_path]).pieces, DRUMS, all_=True)
    is_hit = hits_of(np.where(found.tables == DRUMS.pad, 0, found.tables))
    assert len(found) > 6
    assert ((found.velocity > 0) == is_hit).all()


def test_repeats_within_a_piece_and_silence_are_left_out_where_asked(tmp_path):
    for number in range(6):
        tune = seq("c4:q d4:q e4:q f4:q").transpose(number).repeat(4)
        (tmp_path / f"{number}.mid").write_bytes(write_midi(tune.concat(seq("r:w r:w c4:w"))))
    found = read_windows((str(tmp_path),), MELODY, splits=("train", "valid"), max_rest_bars=4)
    train, valid = found.windows["train"], found.windows["valid"]
    assert train.repeated > 0
    assert valid.repeated == 0
    assert train.nearly_silent > 0
    assert "repeated ones" in found.text()
    assert found.facts()["windows"] == {"train": len(train), "valid": len(valid)}
    assert train.digest != valid.digest


def test_windows_of_nothing_are_none_and_refused():
    nothing = melody_windows([], MELODY)
    assert len(nothing) == 0
    with pytest.raises(DataError, match="five different pieces of 2 bars"):
        check_enough(nothing, nothing, MELODY)


@pytest.mark.data
def test_the_groove_set_has_its_published_split(shared_data):
    pytest.importorskip("torch")
    lesson = bars_lesson_for("drums-vae", None, ("groove",), name="x", steps=1)
    found = load_windows(lesson, splits=("train", "valid", "test"))
    assert found.report.split_by == "published"
    assert {name: len(windows) > 1000 for name, windows in found.windows.items()} == {
        "train": True,
        "valid": True,
        "test": True,
    }
