from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from strategies import scores

from partimento.errors import MusicError
from partimento.music.notation import seq
from partimento.music.notes import Notes
from partimento.music.score import Control, Key, Meter, Part, Score, Tempo, Text


def part(**fields):
    return Part(Notes([0], [480], [60]), **fields)


@given(scores())
def test_equal_music_is_equal_and_hashes_alike(score):
    again = replace(score)
    assert again == score
    assert hash(again) == hash(score)
    assert len({again, score}) == 1


def test_numpy_numbers_make_the_same_music_as_pythons():
    ours = Score((part(controls=(Control(0, 64, 127),)),), keys=(Key(0, 2, True),))
    theirs = Score(
        (part(controls=(Control(np.int64(0), np.int32(64), np.uint8(127)),), program=np.int64(0)),),
        ticks_per_quarter=np.int64(480),
        keys=(Key(np.int64(0), np.int64(2), np.bool_(True)),),
    )
    assert theirs == ours
    assert theirs.digest == ours.digest


@pytest.mark.parametrize(
    "change",
    [
        {"ticks_per_quarter": 240},
        {"tempos": (Tempo(0, 400_000),)},
        {"meters": (Meter(0, 3, 4),)},
        {"keys": (Key(0, 1),)},
        {"markers": (Text(0, "A"),)},
        {"end_tick": 481},
        {"title": "x"},
        {"remarks": (Text(0, "x"),)},
        {"parts": (part(name="x"),)},
        {"parts": (part(program=1),)},
        {"parts": (part(is_drum=True),)},
        {"parts": (part(lyrics=(Text(0, "la"),)),)},
        {"parts": (part(controls=(Control(0, 64, 127),)),)},
        {"parts": (part(), part())},
    ],
    ids=str,
)
def test_any_other_field_is_other_music(change):
    assert replace(Score((part(),)), **change) != Score((part(),))


def test_events_are_put_in_order_and_the_last_at_a_tick_wins():
    score = Score(tempos=((960, 1), (0, 2), (960, 3)))
    assert score.tempos == (Tempo(0, 2), Tempo(960, 3))


def test_defaults_hold_before_the_first_tempo_and_meter():
    score = Score(tempos=(Tempo(960, 400_000),), meters=(Meter(960, 3, 4),))
    assert (score.qpm, str(score.meter)) == (120, "4/4")
    assert [tempo.tick for tempo in score.tempo_map] == [0, 960]


def test_the_end_is_never_before_the_last_note():
    assert Score((part(),)).end_tick == 480
    assert Score((part(),), end_tick=960).end_tick == 960
    assert Score((part(),), end_tick=960).duration_qn == 2


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"ticks_per_quarter": 0}, "outside 1-32767"),
        ({"ticks_per_quarter": 480.5}, "whole number"),
        ({"tempos": (Tempo(0, 0),)}, "0 microseconds"),
        ({"meters": (Meter(0, 3, 5),)}, "meter 3/5 at tick 0 is impossible"),
        ({"meters": (Meter(0, 0, 4),)}, "impossible"),
        ({"keys": (Key(0, 8),)}, "8 sharps"),
        ({"markers": (Text(-1, "A"),)}, "outside ticks"),
        ({"markers": (Text(1.5, "A"),)}, "whole number"),
        ({"end_tick": 2**31}, "ends at tick"),
    ],
)
def test_what_is_no_music_is_refused(fields, words):
    with pytest.raises(MusicError, match=words):
        Score(**fields)


def test_a_program_is_0_to_127():
    with pytest.raises(MusicError, match="program 128 of part 'x'"):
        Part(program=128, name="x")


def test_tempo_rounds_to_whole_microseconds():
    assert Tempo.from_qpm(90).microseconds_per_quarter == 666_667
    assert Tempo.from_qpm(120).qpm == 120
    with pytest.raises(MusicError, match=r"qpm .* got nan"):
        Tempo.from_qpm(float("nan"))


@pytest.mark.parametrize(
    ("key", "name", "tonic"),
    [
        (Key(0, 0), "C major", 0),
        (Key(0, 0, True), "A minor", 9),
        (Key(0, -7), "Cb major", 11),
        (Key(0, 7, True), "A# minor", 10),
        (Key(0, 3, True), "F# minor", 6),
    ],
)
def test_keys_have_names_and_tonics(key, name, tonic):
    assert (str(key), key.tonic) == (name, tonic)


def test_a_score_shows_what_it_is():
    assert repr(seq("c4:q [e4 g4]:h")) == "Score(1 part, 3 notes, 3 quarters, 4/4, 120 qpm)"
