"""Pieces for four voices: found in files, kept or left out with a reason, split."""

import json

import numpy as np
import pytest

from partimento.data.found import WalkLimits
from partimento.data.voices import FoundVoices, VoiceRules, find_voices, load_voices
from partimento.errors import DataError, ParameterError
from partimento.formats.midi import write_midi
from partimento.music.notation import seq
from partimento.music.notes import Notes
from partimento.music.score import Meter, Part, Score


def hymn(seed, bars=8, voices=4, program=52, shift=0, steps=480):
    """Quarters in four ranges that nobody wrote."""
    generator = np.random.default_rng(seed)
    onset = steps * np.arange(4 * bars)
    length = np.full(4 * bars, steps)
    scale = np.array([0, 2, 4, 5, 7, 9, 11])
    parts = []
    for low in (65, 60, 53, 45)[:voices]:
        pitch = low + shift + generator.choice(scale, 4 * bars)
        parts.append(Part(Notes(onset, length, pitch), program=program))
    return Score(tuple(parts), meters=(Meter(0, 4, 4),))


def saved(folder, scores):
    folder.mkdir(parents=True, exist_ok=True)
    for name, score in scores.items():
        (folder / f"{name}.mid").write_bytes(write_midi(score))
    return folder


def test_a_folder_becomes_pieces_with_splits(tmp_path):
    folder = saved(tmp_path / "hymns", {f"{n:02}": hymn(n) for n in range(12)})
    (folder / "notes.txt").write_text("words")
    (folder / "bad.mid").write_bytes(b"words")
    data = load_voices([folder])
    assert len(data.pieces) == 12
    assert {piece.split for piece in data.pieces} == {"train", "valid", "test"}
    assert all(len(piece.voices) == 128 for piece in data.pieces)
    assert data.report.files_skipped == 1
    assert data.facts["splits"]["train"]["pieces"] == len(data.split("train"))
    json.dumps(data.report.as_dict())
    text = data.report.text()
    for words in ("files      12 read, 1 skipped", "kept       12 pieces", "bad.mid: unreadable"):
        assert words in text
    assert load_voices([folder], seed=5).pieces[0].voices.pitch.shape == (128, 4)


def test_another_setting_of_a_tune_is_on_its_side(tmp_path):
    tunes = {f"{n:02}": hymn(n) for n in range(30)}
    moved = {f"{n:02} again": hymn(n, shift=3) for n in range(30)}
    data = load_voices([saved(tmp_path / "hymns", {**tunes, **moved})])
    side = {piece.name.removesuffix(".mid"): piece.split for piece in data.pieces}
    assert all(side[name] == side[f"{name} again"] for name in tunes)
    assert data.report.duplicates == 60


def test_folders_named_as_splits_are_splits(tmp_path):
    for split in ("train", "valid", "test"):
        saved(tmp_path / "set" / split, {split: hymn(len(split))})
    data = load_voices([tmp_path / "set"])
    assert {piece.name: piece.split for piece in data.pieces} == {
        f"{split}/{split}.mid": split for split in ("train", "valid", "test")
    }


@pytest.mark.parametrize(
    ("score", "rules", "reason", "keep"),
    [
        (hymn(1, voices=3), {}, "fewer voices", "--fewest-voices 3"),
        (hymn(1, program=40), {}, "instruments", "--voices soprano,alto,tenor,bass"),
        (hymn(1, bars=2), {}, "too short", "--min-bars 2"),
        (hymn(1, bars=9), {"max_bars": 8}, "too long", "--max-bars 9"),
        (hymn(1, bars=40, steps=160), {}, "off the grid", "--min-on-grid 0.3"),
        (hymn(1), {"lowest": 60}, "wider than the span of pitches", "--lowest"),
        (hymn(1).stack(hymn(2, voices=1)), {}, "more than four lines", ""),
        (hymn(1, voices=1).stack(seq([((48, 52, 55), 1.0)] * 32)), {}, "other parts", "--voices"),
        (seq([(tuple(range(60, 66)), 1.0)] * 32), {}, "voices unclear", ""),
        (Score(), {}, "no notes", ""),
    ],
)
def test_what_is_left_out_has_a_reason_and_a_switch(score, rules, reason, keep):
    found = find_voices(score, VoiceRules(**rules))
    assert found.reason.startswith(reason)
    assert found.keep.startswith(keep)


def test_named_voices_pass_whatever_plays_them():
    rules = VoiceRules(voices="soprano,alto,tenor,bass")
    assert isinstance(find_voices(hymn(1, program=40), rules), FoundVoices)


def test_a_low_piece_moves_up_to_fit():
    found = find_voices(hymn(1, shift=-15), VoiceRules())
    assert found.voices.pitch.min() == 36
    assert found.semitones > 0


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"voices": "mezzo"}, "unknown"),
        ({"fewest_voices": 5}, "1 to 4"),
        ({"min_bars": 0}, "min_bars"),
        ({"min_on_grid": 2}, "0 to 1"),
        ({"lowest": 90}, "in this order"),
    ],
)
def test_rules_that_make_no_sense_are_refused(rules, message):
    with pytest.raises(ParameterError, match=message):
        VoiceRules(**rules)


def test_sources_must_be_there(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        load_voices([tmp_path / "nothing"])
    with pytest.raises(DataError, match="must be a list"):
        load_voices("hymns")
    large = saved(tmp_path / "hymns", {"a": hymn(1)})
    assert load_voices([large], limits=WalkLimits(max_file_bytes=10)).report.files_skipped == 1
    assert "Nothing here" in load_voices([large], rules=VoiceRules(min_bars=99)).report.verdict


@pytest.mark.data
def test_chorales_and_hymns_are_read_by_name(shared_data, monkeypatch):
    monkeypatch.setenv("PARTIMENTO_DATA", str(shared_data))
    data = load_voices(["jsb-chorales", "open-hymnal"])
    assert len(data.split("train")) >= 229 + 170
    assert data.report.split_by == "published"
    with pytest.raises(DataError, match="grid of 4"):
        load_voices(["jsb-chorales"], rules=VoiceRules(steps_per_quarter=8))
