import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import melody_scores, scores

from partimento.errors import MusicError, ParameterError
from partimento.music.notation import format_text, seq
from partimento.music.notes import Notes
from partimento.music.score import Key, Meter, Part, Score, Tempo, Text


def test_repeating_plays_closing_rests_too():
    assert format_text(seq("c4:q r:q").repeat(3)) == "c4:q r:q c4:q r:q c4:q r:q"


@given(melody_scores(), st.integers(1, 5))
def test_repeating_multiplies_notes_and_length_and_keeps_one_meter(score, times):
    again = score.repeat(times)
    assert again.num_notes == times * score.num_notes
    assert again.end_tick == times * score.end_tick
    assert (again.meters, again.tempos) == (score.meters, score.tempos)


@given(scores(max_parts=2), scores(max_parts=2))
def test_joining_keeps_every_note_and_adds_the_lengths(first, second):
    both = first.concat(second)
    assert both.num_notes == first.num_notes + second.num_notes
    assert both.duration_qn == pytest.approx(first.duration_qn + second.duration_qn)


@given(scores(max_parts=2, ticks_per_quarter=480), scores(max_parts=2, ticks_per_quarter=480))
def test_each_score_keeps_its_own_tempos_and_meters(first, second):
    both = first.concat(second)
    for name in ("tempo_map", "meter_map"):
        ours, before, after = (getattr(score, name) for score in (both, first, second))
        for tick in range(0, first.end_tick, 97):
            assert holding(ours, tick) == holding(before, tick)
        for tick in range(0, second.end_tick, 97):
            assert holding(ours, first.end_tick + tick) == holding(after, tick)


def holding(events, tick):
    return [event[1:] for event in events if event.tick <= tick][-1:]


def test_joining_nothing_changes_nothing():
    assert seq("c4:q").concat() == seq("c4:q")
    assert seq("c4:q").repeat(1) == seq("c4:q")


def test_bars_run_on_where_the_meter_stays():
    bar = seq("c4:q").concat(seq("d4:q"), seq("e4:q"), seq("f4:q"))
    assert bar.meters == (Meter(0, 4, 4),)
    assert bar.duration_qn == 4


def test_at_bar_each_score_waits_for_the_next_bar_line():
    joined = seq("c4:q", meter="3/4").concat(seq("d4:q", meter="2/4"), at_bar=True)
    assert format_text(joined) == "c4:q r:h d4:q r:q"
    assert joined.meters == (Meter(0, 3, 4), Meter(1440, 2, 4))


def test_tempo_meter_and_key_change_where_the_next_score_starts():
    joined = seq("c4:h", key="c").concat(seq("d4:h", qpm=60, key="d minor"), seq("c4:h"))
    assert joined.tempos == (Tempo(0, 500_000), Tempo(960, 1_000_000), Tempo(1920, 500_000))
    assert joined.keys == (Key(0, 0), Key(960, -1, is_minor=True))


def test_defaults_are_written_only_where_they_change_something():
    plain = Score((Part(Notes([0], [480], [60])),))
    assert plain.repeat(2).tempos == ()
    assert plain.repeat(2).meters == ()
    fast = seq("c4:q", qpm=240, meter="3/4")
    assert fast.concat(plain).tempos == (Tempo(0, 250_000), Tempo(480, 500_000))
    assert plain.concat(fast).meters == (Meter(480, 3, 4),)
    assert Score().concat(fast) == fast


def test_parts_of_the_same_instrument_become_one():
    joined = seq("c4:q").concat(seq("d4:q", program=40), seq("e4:q"))
    assert [part.program for part in joined.parts] == [0, 40]
    assert [part.notes.pitch.tolist() for part in joined.parts] == [[60, 64], [62]]
    duet = seq("c4:q").stack(seq("e4:q"))
    assert [part.notes.pitch.tolist() for part in duet.repeat(2).parts] == [[60, 60], [64, 64]]


def test_markers_and_lyrics_move_along():
    score = Score(
        (Part(Notes([0], [480], [60]), lyrics=(Text(0, "la"),)),), markers=(Text(0, "A"),)
    ).repeat(2)
    assert score.markers == (Text(0, "A"), Text(480, "A"))
    assert score.parts[0].lyrics == (Text(0, "la"), Text(480, "la"))


def test_divisions_meet_at_their_least_common_multiple():
    coarse = Score((Part(Notes([0], [96], [60])),), ticks_per_quarter=96)
    fine = Score((Part(Notes([0], [160], [62])),), ticks_per_quarter=160)
    assert coarse.concat(fine).ticks_per_quarter == 480
    assert coarse.concat(fine).parts[0].notes == Notes([0, 480], [480, 480], [60, 62])
    assert coarse.stack(fine).end_tick == 480


def test_divisions_that_never_meet_are_refused():
    with pytest.raises(MusicError, match=r"scores of 32767, 480 ticks .*with_ticks_per_quarter"):
        Score(ticks_per_quarter=32767).stack(Score())


@pytest.mark.parametrize("times", [0, -1, 10**9])
def test_times_outside_reason_are_refused(times):
    with pytest.raises(ParameterError, match="times"):
        seq("c4:q").repeat(times)


def test_what_would_last_beyond_the_last_tick_is_refused():
    with pytest.raises(MusicError, match="tick"):
        Score(end_tick=2**30).repeat(2)


@given(scores(), scores())
def test_stacking_keeps_all_parts_under_the_first_ones_maps(first, second):
    both = first.stack(second)
    assert len(both.parts) == len(first.parts) + len(second.parts)
    assert both.num_notes == first.num_notes + second.num_notes
    assert both.duration_qn == max(first.duration_qn, second.duration_qn)
    assert [tempo[1:] for tempo in both.tempos] == [tempo[1:] for tempo in first.tempos]


@given(scores())
def test_merging_keeps_every_note_in_one_part_and_one_of_drums(score):
    merged = score.merge("all")
    assert merged.num_notes == score.num_notes
    assert len(merged.parts) == len({part.is_drum for part in score.parts})
    assert sorted(merged.parts, key=lambda part: part.is_drum) == list(merged.parts)
    assert all(part.name == "all" for part in merged.parts)


def test_merging_takes_the_first_program():
    merged = seq("c4:q", program=5).stack(seq("e4:q", program=6)).merge()
    assert (merged.parts[0].program, merged.parts[0].notes.pitch.tolist()) == (5, [60, 64])
