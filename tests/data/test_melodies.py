"""Finding melodies: each rule keeps and drops what it says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import melody_scores, scores

from partimento.data.melodies import MelodyRules, extract_all, extract_melodies, is_one_voice
from partimento.errors import ParameterError
from partimento.music.grid import Grid
from partimento.music.notes import Notes
from partimento.music.score import Key, Meter, Part, Score, Tempo
from partimento.music.timing import BarMap
from partimento.music.voices import is_monophonic
from partimento.representations.melody import MelodyRepresentation

LOOSE = MelodyRules(min_bars=1, min_pitches=1, min_on_grid=0.0)
SCALE = [60, 62, 64, 65, 67, 69, 71, 72]


def tune(pitches, quarters=1.0, start_qn=0.0, **score_fields):
    """One note after the other, each as long as `quarters` says."""
    length = round(480 * quarters)
    onset = round(480 * start_qn) + length * np.arange(len(pitches))
    notes = Notes(onset, np.full(len(pitches), length), np.array(pitches))
    return Score((Part(notes),), **score_fields)


def reasons(score, rules=None):
    """Reasons and switches of what was left out."""
    melodies, left_out = extract_melodies(score, rules or MelodyRules())
    assert not melodies
    return [(item.reason, item.keep) for item in left_out]


def test_a_tune_comes_back_as_it_was():
    score = tune(SCALE * 2, meters=[Meter(0, 3, 4)], keys=[Key(0, 1)], tempos=[Tempo(0, 400_000)])
    [melody], left_out = extract_melodies(score, MelodyRules())
    assert melody.score().parts[0].notes == score.parts[0].notes
    assert melody.score().keys == score.keys
    assert melody.score().tempos == score.tempos
    assert (melody.bars, melody.end_tick, left_out) == (6, 6 * 1440, [])


def test_empty_bars_before_and_after_are_trimmed_and_the_upbeat_stays():
    score = tune(SCALE * 3, start_qn=11, end_tick=200 * 480)
    [melody], _ = extract_melodies(score, MelodyRules())
    assert melody.columns[0, 0] == 3 * 480  # the last quarter of the first bar
    assert melody.end_tick == 7 * 4 * 480


def test_what_held_before_a_melody_holds_at_its_start():
    early = tune(SCALE * 2).parts[0].notes
    late = Notes(early.onset + 160 * 480, early.duration, early.pitch)
    score = Score(
        (Part(late),),
        meters=[Meter(0, 4, 4), Meter(40 * 480, 3, 4), Meter(163 * 480, 2, 4)],
        keys=[Key(0, 0), Key(480, 2)],
        tempos=[Tempo(0, 500_000), Tempo(100 * 480, 300_000), Tempo(165 * 480, 600_000)],
    )
    [melody], _ = extract_melodies(score, MelodyRules())
    assert melody.meters == (Meter(0, 3, 4), Meter(3 * 480, 2, 4))
    assert melody.keys == (Key(0, 2),)
    assert melody.tempos == (Tempo(0, 300_000), Tempo(5 * 480, 600_000))


def test_a_long_rest_makes_two_melodies_and_a_short_one_does_not():
    first, second = tune(SCALE * 2), tune(SCALE * 2, start_qn=16 + 8.5)
    notes = [score.parts[0].notes for score in (first, second)]
    both = Notes(
        *(np.concatenate([getattr(n, c) for n in notes]) for c in ("onset", "duration", "pitch"))
    )
    melodies, _ = extract_melodies(Score((Part(both),)), MelodyRules())
    assert [melody.columns.shape[1] for melody in melodies] == [16, 16]
    assert melodies[1].columns[0, 0] == 240
    melodies, _ = extract_melodies(Score((Part(both),)), MelodyRules(max_rest_bars=3))
    assert [melody.columns.shape[1] for melody in melodies] == [32]


def test_a_very_long_melody_is_cut_at_bar_lines():
    melodies, _ = extract_melodies(tune(SCALE * 20), MelodyRules(max_bars=16))
    assert [melody.bars for melody in melodies] == [16, 16, 8]
    assert sum(melody.columns.shape[1] for melody in melodies) == 160


def test_a_note_held_over_a_cut_ends_there():
    melodies, _ = extract_melodies(tune(SCALE * 4, 1.5), MelodyRules(max_bars=4))
    assert [melody.end_tick for melody in melodies] == [4 * 1920] * 3
    for melody in melodies:
        assert (melody.columns[0] + melody.columns[1]).max() <= melody.end_tick


def test_each_rule_names_the_switch_that_lifts_it():
    assert reasons(tune(SCALE)) == [("too short", "--min-bars 2")]
    assert reasons(tune([60, 62] * 8)) == [("too few pitches", "--min-pitches 2")]
    assert reasons(tune(SCALE * 6, 1 / 3)) == [("triplets", "--steps-per-quarter 12")]
    assert reasons(tune(SCALE * 20, 1 / 8)) == [("finer than the grid", "--steps-per-quarter 8")]
    assert reasons(tune([40, 60, 62, 88] * 5)) == [("range too wide", "--lowest 40 --highest 88")]
    assert reasons(tune(SCALE * 2, meters=[Meter(0, 15, 32)])) == [
        ("meter finer than the grid", "--steps-per-quarter 8")
    ]
    chords = Notes([0, 0, 480, 480] * 4, [480] * 16, [60, 64, 62, 65] * 4)
    assert reasons(Score((Part(chords),))) == [("polyphonic", "--melody skyline")]
    assert reasons(Score((Part(chords, is_drum=True),))) == [("drums", "")]


@pytest.mark.parametrize(
    "score",
    [
        tune(SCALE),
        tune([60, 62] * 8),
        tune(SCALE * 6, 1 / 3),
        tune(SCALE * 20, 1 / 8),
        tune([40, 60, 62, 88] * 5),
        tune(SCALE * 2, meters=[Meter(0, 15, 32)]),
        tune(SCALE * 2, 0.937),
    ],
)
def test_the_switch_that_is_named_keeps_the_melody(score):
    [(_, keep)] = reasons(score)
    words = keep.split()
    changes = {
        name.removeprefix("--").replace("-", "_"): float(value) if "." in value else int(value)
        for name, value in zip(words[::2], words[1::2], strict=True)
    }
    melodies, left_out = extract_melodies(score, MelodyRules(**changes))
    assert len(melodies) == 1
    assert not left_out


def test_free_timing_is_told_from_triplets():
    onset = np.cumsum(np.random.default_rng(0).integers(300, 700, 40))
    score = Score((Part(Notes(onset, np.full(40, 200), np.array(SCALE * 5))),))
    [(reason, keep)] = reasons(score)
    assert reason == "free timing"
    assert keep.startswith("--min-on-grid 0.")


def test_a_bass_line_moves_up_by_octaves_and_says_so():
    [melody], _ = extract_melodies(tune([pitch - 24 for pitch in SCALE * 2]), MelodyRules())
    assert melody.semitones == 12
    assert melody.columns[2].tolist() == [pitch - 12 for pitch in SCALE * 2]


def test_the_top_line_of_chords_is_taken_when_asked():
    chords = Notes(
        np.repeat(np.arange(16) * 480, 2), [480] * 32, np.add.outer(SCALE * 2, [0, -5]).ravel()
    )
    [melody], _ = extract_melodies(Score((Part(chords),)), MelodyRules(melody="skyline"))
    assert melody.columns[2].tolist() == SCALE * 2


def test_notes_that_meet_on_a_step_are_counted():
    notes = tune(SCALE * 2).parts[0].notes
    with_grace = Notes(
        np.append(notes.onset, 470), np.append(notes.duration, 10), np.append(notes.pitch, 80)
    )
    [melody], _ = extract_melodies(Score((Part(with_grace),)), MelodyRules())
    assert (melody.merged, melody.columns.shape[1]) == (1, 16)
    assert melody.columns[2].tolist() == SCALE * 2


def test_only_the_tracks_asked_for_are_looked_at():
    one, other = tune(SCALE * 2).parts[0], tune([72, 71, 69, 67] * 4).parts[0]
    score = Score((Part(), one, Part(), other))
    [melody], left_out = extract_melodies(score, MelodyRules(), [1])
    assert melody.columns[2].tolist() == [72, 71, 69, 67] * 4
    assert not left_out


@given(melody_scores(min_notes=1), st.sampled_from([4, 8, 12]))
def test_melodies_on_the_grid_keep_every_note(score, steps_per_quarter):
    rules = MelodyRules(steps_per_quarter, 0, 127, min_bars=1, min_pitches=1, max_rest_bars=64)
    melodies, left_out = extract_melodies(score, rules)
    assert {item.reason for item in left_out} <= {"triplets", "finer than the grid"}
    for melody in melodies:
        bar = BarMap.of(score).bar(int(score.parts[0].notes.onset[0]))
        shift = int(BarMap.of(score).start(bar))
        assert (melody.columns[0] + shift).tolist() == score.parts[0].notes.onset.tolist()
        assert melody.columns[1].tolist() == score.parts[0].notes.duration.tolist()


@given(scores(min_parts=1), st.sampled_from([4, 6, 12]), st.sampled_from(["strict", "skyline"]))
def test_whatever_comes_in_every_melody_can_be_encoded(score, steps_per_quarter, melody):
    rules = MelodyRules(
        steps_per_quarter, min_bars=1, min_pitches=1, min_on_grid=0.0, max_bars=8, melody=melody
    )
    representation = MelodyRepresentation(steps_per_quarter, rules.lowest, rules.highest)
    melodies, left_out = extract_melodies(score, rules)
    for found in melodies:
        piece = found.score()
        notes = piece.parts[0].notes
        assert is_monophonic(notes)
        grid = Grid.of(piece, steps_per_quarter)
        tokens = representation.encode(notes, piece.ticks_per_quarter, steps=len(grid))
        assert (tokens > 1).sum() == len(notes)
        assert BarMap.of(piece).count(found.end_tick) == found.bars
    kept = sum(found.columns.shape[1] for found in melodies)
    assert kept + sum(item.notes for item in left_out) <= score.num_notes


def test_rules_that_make_no_sense_are_refused():
    for name, value in {
        "steps_per_quarter": 0,
        "lowest": 90,
        "melody": "loud",
        "min_bars": 0,
        "min_pitches": 0,
        "max_rest_bars": 0,
        "max_bars": 3,
        "min_on_grid": float("nan"),
    }.items():
        with pytest.raises(ParameterError, match=name):
            MelodyRules(**{name: value})


def with_upbeat(shift=0):
    """Twelve bars of a jig after an upbeat of an eighth, as a file that knows no upbeat."""
    bar = [(67, 480), (69, 240), (71, 240), (69, 240), (67, 240)]
    long_bar = [(74, 480), (71, 240), (69, 720)]
    rows = [(62, 240), *[*bar, *long_bar] * 6]
    length = np.array([ticks for _, ticks in rows])
    onset = np.cumsum(length) - length + shift
    notes = Notes(onset, length, np.array([pitch for pitch, _ in rows]))
    return Score((Part(notes),), meters=[Meter(0, 6, 8)], tempos=[Tempo(0, 400_000)])


def test_silence_fills_the_bar_before_an_upbeat():
    score = with_upbeat()
    [melody], _ = extract_melodies(score, MelodyRules())
    assert melody.pickup == 240
    assert melody.columns[0, :2].tolist() == [1440 - 240, 1440]
    assert melody.columns[0, 0] + 240 == BarMap.of(melody.score()).start(1)
    assert melody.score().tempos == score.tempos
    assert (melody.bars, melody.end_tick) == (13, 13 * 1440)


def test_bar_lines_stay_where_a_file_counts_the_silence_or_nobody_asked():
    [shifted], _ = extract_melodies(with_upbeat(shift=1200), MelodyRules())
    [asked_not], _ = extract_melodies(with_upbeat(), MelodyRules(find_pickups=False))
    assert (shifted.pickup, asked_not.pickup) == (0, 0)
    assert shifted.columns[0, 0] == 1200
    assert asked_not.columns[0, 0] == 0


def as_text(melodies, left_out):
    """Everything that was found, arrays and all."""
    rows = [[*map(repr, (m.columns.tolist(), m.sketch.tolist(), m[2:-1]))] for m in melodies]
    return rows, left_out


@settings(max_examples=50)
@given(
    st.lists(st.one_of(scores(), melody_scores()), max_size=4),
    st.sampled_from(
        [
            LOOSE,
            MelodyRules(min_bars=1, min_pitches=2, max_bars=2, max_rest_bars=1),
            MelodyRules(7, 60, 71, "skyline", min_bars=1, min_pitches=1, min_on_grid=0.5),
        ]
    ),
)
def test_many_scores_at_once_give_what_each_gives_alone(many, rules):
    found = extract_all(many, rules, [None] * len(many))
    for score, together in zip(many, found, strict=True):
        assert as_text(*together[:2]) == as_text(*extract_melodies(score, rules))
        parts = [part.notes for part in score.parts if len(part.notes)]
        assert together.is_one_voice == [is_one_voice(notes, score) for notes in parts]


@given(melody_scores(), st.sampled_from([LOOSE, MelodyRules(7, min_bars=1, min_on_grid=0)]))
def test_a_found_melody_would_pass_every_check(score, rules):
    for melody in extract_melodies(score, rules)[0]:
        checked = Score(
            (Part(Notes(*melody.columns)),),
            ticks_per_quarter=melody.ticks_per_quarter,
            tempos=melody.tempos,
            meters=melody.meters,
            keys=melody.keys,
            end_tick=melody.end_tick,
        )
        assert melody.score() == checked
        assert melody.score().end_tick == melody.end_tick
