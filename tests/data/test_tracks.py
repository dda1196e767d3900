"""Pieces for several instruments found in files, and the phrases that are cut out of them."""

import json

import numpy as np
import pytest
from data.quartet_files import NAMES, quartet

from partimento.data.tracks import TrackRules, load_tracks, tracks_of
from partimento.errors import DataError, ParameterError
from partimento.formats.midi import write_midi
from partimento.models.phrase_lessons import read_phrases
from partimento.music.notation import seq
from partimento.representations.phrases import PhraseRepresentation
from partimento.training.phrases import check_enough, cut_phrases

FOUR = PhraseRepresentation()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("quartets")
    for number in range(10):
        (place / f"{number}.mid").write_bytes(write_midi(quartet(number)))
    (place / "waltz.mid").write_bytes(write_midi(quartet(20, meter=(3, 4))))
    (place / "quintet.mid").write_bytes(
        write_midi(quartet(21, parts=5, names=("a", "b", "c", "d")))
    )
    (place / "tune.mid").write_bytes(write_midi(seq("c4:q d4:q e4:h")))
    (place / "bad.mid").write_bytes(b"words")
    (place / "words.txt").write_text("words")
    return place


def test_four_parts_are_kept_and_all_else_has_a_reason(folder):
    report = load_tracks([folder]).report
    assert sum(share["pieces"] for share in report.splits.values()) == 11
    assert report.counts_of_left_out() == {"too few parts": 1, "too many parts": 1}
    assert report.files_skipped == 1 and report.files_not_music == 1
    assert "few for a GAN" in report.text()
    json.dumps(report.as_dict())


def test_parts_are_found_by_name_whatever_their_order():
    piece = quartet(3)
    turned = piece.with_parts(piece.parts[::-1])
    found = tracks_of(turned, TrackRules())
    assert [part.name for part in found] == list(NAMES)


def test_parts_can_be_asked_for_by_number():
    quintet = quartet(4, parts=5, names=("a", "b", "c", "d"))
    found = tracks_of(quintet, TrackRules(tracks="1,2,3,5"))
    assert found[3] is quintet.parts[4]
    assert tracks_of(quintet, TrackRules(tracks="1,2,3,9")) == "too few parts"
    for text in ("1,2,3", "1,1,2,3", "0,1,2,3", "one,two,three,four"):
        with pytest.raises(ParameterError, match="4 different part numbers"):
            TrackRules(tracks=text)


def test_phrases_stand_in_c_and_in_one_meter(folder):
    data = read_phrases((str(folder),), FOUR, splits=("train", "valid", "test"))
    assert sum(map(len, data.phrases.values())) == 10 * 5  # 8 bars, a phrase from each but 3
    for phrases in data.phrases.values():
        rolls = phrases.rolls(slice(None))
        assert rolls.shape[1:] == FOUR.shape
        assert (rolls[:, 0] <= rolls[:, 1]).all()
        sounding = rolls[:, 1].sum(axis=(0, 2))  # track pitch
        pitch = (np.array(FOUR.lowest)[:, None] + np.arange(FOUR.pitches)) % 12
        white = np.isin(pitch, [0, 2, 4, 5, 7, 9, 11])
        assert sounding[white].sum() >= 0.9 * sounding.sum()  # few notes can mislead


def test_a_waltz_is_read_by_a_model_of_waltzes(folder):
    waltzes = PhraseRepresentation(meter="3/4")
    data = read_phrases((str(folder),), waltzes, splits=("train", "valid", "test"))
    assert sum(map(len, data.phrases.values())) == 5
    assert not PhraseRepresentation(meter="6/8").fits(quartet(20, meter=(3, 4)).meter_map[0])


def test_what_sounds_on_into_a_phrase_is_struck_at_its_start():
    piece = seq("c5:w c5:w c5:w c5:w c5:w").parts[0].notes
    held = piece.where(piece.onset == 0)
    long = held.__class__(held.onset, held.duration * 5, held.pitch, held.velocity)
    score = quartet(1, bars=5)
    parts = [score.parts[0], *[part.__class__(long, part.name) for part in score.parts[1:]]]
    from partimento.data.tracks import TrackPiece
    from partimento.music.grid import Grid
    from partimento.music.track_rolls import grid_notes

    tracks = tuple(grid_notes(part.notes, 480, 4) for part in parts)
    wide = PhraseRepresentation(lowest=(40, 40, 40, 40), pitches=60)
    phrases = cut_phrases([TrackPiece("a", "a", "train", tracks, Grid.of(score, 4))], wide)
    rolls = phrases.rolls(slice(None))
    assert len(rolls) == 2
    assert (rolls[:, 0, 1:, 0].sum(axis=-1) == 1).all()
    assert (rolls[:, 0, 1:, 1:].sum(axis=(-1, -2)) == 0).all()


def test_too_little_is_said_before_training(folder):
    data = read_phrases((str(folder),), FOUR)
    with pytest.raises(DataError, match="64 and one are the fewest"):
        check_enough(data.phrases["train"], data.phrases["valid"], FOUR)
