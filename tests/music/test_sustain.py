from hypothesis import given
from strategies import scores

from partimento.music.notes import Notes
from partimento.music.score import SUSTAIN_PEDAL, Control, Part, Score

DOWN, UP = 127, 0


def sustained(notes, *moves, end_tick=0, **fields):
    controls = tuple(Control(tick, SUSTAIN_PEDAL, value) for tick, value in moves)
    score = Score((Part(notes, controls=controls, **fields),), end_tick=end_tick)
    return score.apply_sustain().parts[0]


def test_a_note_sounds_until_the_pedal_comes_up():
    notes = Notes([0, 480], [240, 100], [60, 64])
    part = sustained(notes, (100, DOWN), (960, UP), end_tick=1920)
    assert part.notes == Notes([0, 480], [960, 480], [60, 64])
    assert part.controls == ()


def test_a_note_sounds_until_its_pitch_starts_again():
    notes = Notes([0, 480, 700], [240, 100, 10], [60, 60, 64])
    part = sustained(notes, (100, DOWN), (960, UP))
    assert part.notes.offset.tolist() == [480, 710, 710]  # the piece ends at 710


def test_a_pedal_that_never_comes_up_holds_to_the_end():
    assert sustained(Notes([0], [1], [60]), (0, DOWN), end_tick=1000).notes.end == 1000


def test_a_pedal_pressed_after_the_release_or_up_before_it_holds_nothing():
    notes = Notes([0, 1000], [240, 100], [60, 64])
    part = sustained(notes, (300, DOWN), (900, UP), (1050, DOWN), (1060, 63), end_tick=2000)
    assert part.notes == notes


def test_repeated_moves_change_nothing_and_the_last_of_a_tick_counts():
    notes = Notes([0], [100], [60])
    part = sustained(notes, (0, 64), (50, 100), (200, DOWN), (300, DOWN), (300, UP), end_tick=900)
    assert part.notes.end == 300


def test_other_controllers_are_kept_and_drums_are_left_alone():
    other = Control(5, 7, 90)
    part = Part(Notes([0], [1], [60]), controls=(other, Control(0, SUSTAIN_PEDAL, DOWN)))
    assert Score((part,)).apply_sustain().parts[0].controls == (other,)
    drums = Part(Notes([0], [1], [36]), is_drum=True, controls=part.controls)
    assert Score((drums,), end_tick=9).apply_sustain().parts == (drums,)


@given(scores(with_overlaps=False))
def test_no_note_gets_shorter_or_runs_into_its_own_pitch(score):
    for old, new in zip(score.parts, score.apply_sustain().parts, strict=True):
        assert (new.notes.onset == old.notes.onset).all()
        assert (new.notes.duration >= old.notes.duration).all()
        assert new.notes.end <= score.end_tick
        for pitch in set(new.notes.pitch.tolist()):
            alone = new.notes.where(new.notes.pitch == pitch)
            assert (alone.offset[:-1] <= alone.onset[1:]).all()


@given(scores())
def test_what_a_slow_reading_of_the_pedal_says(score):
    for old, new in zip(score.parts, score.apply_sustain().parts, strict=True):
        if not old.is_drum:
            assert sorted(new.notes) == sorted(slowly(old, score.end_tick))


def slowly(part, end_tick):
    """One note and one tick at a time."""
    state = {c.tick: c.value >= 64 for c in part.controls if c.number == SUSTAIN_PEDAL}
    for note in part.notes:
        starts = {n.onset for n in part.notes if n.pitch == note.pitch}
        end = note.onset + note.duration
        before = [tick for tick in state if tick <= end]
        is_down = bool(before) and state[max(before)]
        while is_down and end < end_tick and end not in starts:
            end += 1
            is_down = state.get(end, True)
        yield note._replace(duration=end - note.onset)
