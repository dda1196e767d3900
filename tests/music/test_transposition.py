import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import melodies, scores

from partimento.errors import MusicError, PitchRangeError
from partimento.music.notation import seq
from partimento.music.notes import Notes
from partimento.music.score import Key, Part, Score
from partimento.music.transforms import playable_keys


@given(melodies(), st.integers(-12, 12))
def test_moving_up_then_down_changes_nothing(notes, semitones):
    score = Score((Part(notes),), keys=(Key(0, 3), Key(480, -2, is_minor=True)))
    assert score.transpose(semitones).transpose(-semitones) == score


@given(scores())
def test_the_listed_moves_are_those_that_can_be_made(score):
    moves = playable_keys(score)
    for semitones in moves:
        score.transpose(semitones)
    if any(len(part.notes) for part in score.parts if not part.is_drum):
        for semitones in (moves.start - 1, moves.stop):
            with pytest.raises(PitchRangeError, match=r"cannot move by .* playable_keys\(\)"):
                score.transpose(semitones)


def test_drums_stay():
    score = Score((Part(Notes([0], [1], [36]), is_drum=True), Part(Notes([0], [1], [60]))))
    assert [part.notes.pitch.tolist() for part in score.transpose(5).parts] == [[36], [65]]


@pytest.mark.parametrize(
    ("key", "semitones", "moved"),
    [
        (Key(0, 0), 7, Key(0, 1)),
        (Key(0, 1), 1, Key(0, -4)),
        (Key(0, 0, True), 3, Key(0, -3, True)),
        (Key(0, -7), 12, Key(0, -7)),
        (Key(0, 7), -1, Key(0, 0)),
    ],
)
def test_key_signatures_move_along(key, semitones, moved):
    assert Score(keys=(key,)).transpose(semitones).keys == (moved,)


@given(st.integers(-7, 7), st.booleans(), st.integers(-30, 30))
def test_the_tonic_moves_by_the_same_semitones(fifths, is_minor, semitones):
    key = Key(0, fifths, is_minor)
    (moved,) = Score(keys=(key,)).transpose(semitones).keys
    assert moved.tonic == (key.tonic + semitones) % 12
    assert moved.is_minor == is_minor


def test_half_a_semitone_is_refused():
    with pytest.raises(MusicError, match="must hold integers"):
        seq("c4:q").transpose(0.5)
