from contextlib import suppress

import numpy as np
import pytest
from generation.tiny_graph import graph_for
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import melody_scores, scores

from partimento.errors import GenerationError, ParameterError, PartimentoError
from partimento.generation.constraints import Constraints
from partimento.generation.continuation import continue_score, sample_scores, seeds_of
from partimento.generation.engine import StepEngine
from partimento.generation.hearing import hear
from partimento.generation.sampling import Sampling
from partimento.generation.writing import FeatureLayout
from partimento.music.examples import row_your_boat, row_your_boat_canon
from partimento.music.grid import Grid
from partimento.music.notation import seq
from partimento.music.notes import Notes
from partimento.music.score import Meter, Part, Score
from partimento.music.timing import BarMap
from partimento.representations.melody import MelodyRepresentation

REPRESENTATION = MelodyRepresentation(with_position=True, lookback_bars=(1, 2), countdown_bars=16)
PLAIN, WISHES = Sampling(), Constraints()


@pytest.fixture(scope="module")
def engine():
    return StepEngine(graph_for(REPRESENTATION))


@pytest.fixture(scope="module")
def silent_engine():
    return StepEngine(graph_for(REPRESENTATION, rest_bias=1000))


def go_on(engine, score, bars=2, seeds=(0,), sampling=PLAIN, constraints=WISHES, melody="auto"):
    heard = hear(score, REPRESENTATION, melody)
    return continue_score(engine, heard, bars, seeds, sampling, constraints)


def before(notes, tick):
    return notes.where(notes.onset < tick)


@settings(max_examples=40)
@given(melody_scores(min_notes=1), st.integers(1, 5), st.integers(0, 99))
def test_the_primer_comes_back_and_then_exactly_the_bars_asked_for(engine, primer, bars, seed):
    (made,) = go_on(engine, primer, bars, [seed])
    assert before(made.parts[0].notes, primer.end_tick) == primer.parts[0].notes
    bar = 4 * 480 * primer.meter.numerator // primer.meter.denominator
    assert made.end_tick == primer.end_tick + bars * bar
    assert made.parts[0].notes.end <= made.end_tick
    assert made.num_notes > primer.num_notes
    assert (made.meters, made.tempos) == (primer.meters, primer.tempos)


@settings(max_examples=40)
@given(scores(min_parts=1), st.sampled_from(["auto", "skyline"]))
def test_any_score_at_all_comes_back_unchanged_or_is_refused_politely(engine, primer, melody):
    try:
        heard = hear(primer, REPRESENTATION, melody)
        (made,) = continue_score(engine, heard, 1, [0], PLAIN, WISHES)
    except PartimentoError as error:
        assert "\n" not in str(error)
        return
    factor = made.ticks_per_quarter // primer.ticks_per_quarter
    assert (
        made.with_parts([]).meters == primer.with_ticks_per_quarter(made.ticks_per_quarter).meters
    )
    for index, (new, old) in enumerate(zip(made.parts, primer.parts, strict=True)):
        notes = before(new.notes, primer.end_tick * factor)
        for column in ("onset", "duration"):
            assert (getattr(notes, column) == getattr(old.notes, column) * factor).all()
        assert (notes.pitch == old.notes.pitch).all()
        assert (notes.velocity == old.notes.velocity).all()
        assert (new.name, new.program, new.is_drum) == (old.name, old.program, old.is_drum)
        if index != heard.part:
            assert len(new.notes) == len(old.notes)
    assert BarMap.of(made).count(made.end_tick) >= BarMap.of(primer).count(primer.end_tick)


@pytest.mark.parametrize("meter", ["4/4", "3/4", "2/4", "6/8", "5/8", "7/8", "12/8", "2/2", "5/4"])
def test_every_meter_gets_its_bars(engine, meter):
    numerator, denominator = map(int, meter.split("/"))
    primer = seq([(60, 4 / denominator)] * numerator, meter=meter)
    (made,) = go_on(engine, primer, bars=3)
    assert made.duration_qn == 4 * 4 * numerator / denominator


def test_a_primer_that_stops_inside_a_bar_has_that_bar_filled_first(engine):
    (made,) = go_on(engine, seq("c4:q d4:q e4:q f4:q g4:q"), bars=2)
    assert made.duration_qn == 4 * 4
    assert made.parts[0].notes.onset[5] < 2 * 1920


def test_the_last_meter_of_the_primer_goes_on(engine):
    primer = Score(
        parts=(Part(Notes([0, 1920], [1920, 1440], [60, 62])),),
        meters=(Meter(0, 4, 4), Meter(1920, 3, 4)),
    )
    (made,) = go_on(engine, primer, bars=2)
    assert made.end_tick == 1920 + 3 * 1440


@given(melody_scores(min_notes=1, meter=(3, 4)), st.integers(0, 2**32))
def test_one_voice_stays_one_voice(engine, primer, seed):
    (made,) = go_on(engine, primer, 2, [seed])
    notes = made.parts[0].notes
    assert (notes.offset[:-1] <= notes.onset[1:]).all()


def test_the_note_that_ends_the_primer_is_not_made_longer(engine):
    primer = row_your_boat()
    for made in go_on(engine, primer, seeds=range(20)):
        assert before(made.parts[0].notes, primer.end_tick) == primer.parts[0].notes


def test_a_release_after_the_bar_line_is_waited_for(engine):
    primer = Score(parts=(Part(Notes([0], [1925], [60])),))
    for made in go_on(engine, primer, bars=1, seeds=range(10)):
        assert made.end_tick == 2 * 1920
        assert made.parts[0].notes.onset[1] >= 1925


def test_other_parts_stay_as_they_are(engine):
    canon = row_your_boat_canon()
    (made,) = go_on(engine, canon, bars=2)
    assert made.parts[1:] == canon.parts[1:]
    assert len(made.parts[0].notes) > len(canon.parts[0].notes)
    (made,) = go_on(engine, canon, bars=2, melody="2")
    assert (made.parts[0], made.parts[2]) == (canon.parts[0], canon.parts[2])


def test_the_top_line_of_chords_goes_on_in_their_part(engine):
    primer = seq("[c4 e4 g4]:h [d4 f4 a4]:h")
    (made,) = go_on(engine, primer, melody="skyline")
    assert before(made.parts[0].notes, 1920) == primer.parts[0].notes


def test_the_answer_to_a_bass_is_a_bass(engine):
    primer = row_your_boat().transpose(-36)
    low, heard = go_on(engine, primer)[0], go_on(engine, primer.transpose(24))[0]
    assert (low.parts[0].notes.pitch + 24 == heard.parts[0].notes.pitch).all()


@pytest.mark.parametrize("octaves", [-5, 4])
def test_at_the_ends_of_the_keyboard_no_pitch_leaves_it(engine, octaves):
    primer = seq("c4:q d4:q e4:q f4:q").transpose(12 * octaves)
    go_on(engine, primer, seeds=range(20), sampling=Sampling(temperature=100))


def test_new_notes_are_as_loud_as_the_primer(engine):
    (made,) = go_on(engine, seq("c4:q d4:q e4:q f4:q", velocity=101))
    assert set(made.parts[0].notes.velocity.tolist()) == {101}


def test_ticks_that_hold_no_sixteenths_are_multiplied(engine):
    primer = seq("c4:q d4:q e4:q f4:q").with_ticks_per_quarter(1)
    (made,) = go_on(engine, primer)
    assert made.ticks_per_quarter == 4
    assert made.parts[0].notes.onset[:4].tolist() == [0, 4, 8, 12]
    assert made.duration_qn == 12


@settings(max_examples=20)
@given(st.lists(st.integers(0, 200), min_size=1, max_size=20), st.sampled_from([0.5, 1, 2]))
def test_a_seed_gives_the_same_notes_alone_and_in_a_batch(engine, seeds, temperature):
    sampling = Sampling(temperature, top_p=0.98)
    together = go_on(engine, row_your_boat(), seeds=seeds, sampling=sampling)
    for seed, made in zip(seeds, together, strict=True):
        assert go_on(engine, row_your_boat(), seeds=[seed], sampling=sampling) == [made]


def test_threads_change_nothing():
    graph = graph_for(REPRESENTATION, hidden=64)
    one, two = (
        go_on(StepEngine(graph, threads), row_your_boat(), seeds=range(30)) for threads in (1, 2)
    )
    assert one == two


def test_another_seed_gives_other_notes(engine):
    assert len(set(go_on(engine, row_your_boat(), seeds=range(20)))) == 20


@settings(max_examples=30)
@given(
    st.integers(48, 76),
    st.sampled_from([None, "g:major", "bb:minor"]),
    st.sampled_from([None, 0.25, 1]),
    st.sampled_from([None, 0, 0.5]),
    st.integers(0, 2**32),
)
def test_constraints_hold_in_the_music(engine, lowest, key, hold_bars, rest_bars, seed):
    constraints = Constraints(lowest, lowest + 7, key, hold_bars, rest_bars)
    (made,) = go_on(engine, row_your_boat(), 4, [seed], Sampling(3), constraints)
    new = made.parts[0].notes
    new = new.where(new.onset >= row_your_boat().end_tick)
    assert constraints.allows(new.pitch).all()
    if hold_bars is not None:
        assert new.duration.max() <= hold_bars * 1920
    if rest_bars is not None:
        edges = np.append(new.onset, made.end_tick) - np.insert(new.offset, 0, 4 * 1920)
        assert edges.max() <= rest_bars * 1920


def test_silence_is_tried_again_with_numbers_of_its_own(silent_engine):
    with pytest.raises(GenerationError, match="4 tries were silence with seed 3"):
        go_on(silent_engine, row_your_boat(), bars=1, seeds=[3])
    with pytest.raises(GenerationError, match="likeliest tokens are silence"):
        go_on(silent_engine, row_your_boat(), bars=1, sampling=Sampling(temperature=0))


def test_a_limit_on_rests_makes_even_a_silent_network_sing(silent_engine):
    constraints = Constraints(rest_bars=0.5)
    (made,) = go_on(silent_engine, row_your_boat(), bars=1, constraints=constraints)
    assert made.num_notes > row_your_boat().num_notes


def test_a_retry_does_not_disturb_the_others_of_its_batch():
    # A network that is silent now and then: the first tries of some seeds fail.
    engine = StepEngine(graph_for(REPRESENTATION, rest_bias=5.5))
    constraints = Constraints(rest_bars=None)
    kept = {}
    for seed in range(30):
        with suppress(GenerationError):
            kept[seed] = go_on(engine, seq("c4:w"), 1, [seed], PLAIN, constraints)[0]
    assert len(kept) > 2
    assert go_on(engine, seq("c4:w"), 1, list(kept), PLAIN, constraints) == list(kept.values())


@settings(max_examples=20)
@given(st.sampled_from(["4/4", "3/4", "6/8", "7/8"]), st.integers(1, 6), st.integers(0, 2**32))
def test_music_from_nothing_has_its_bars(engine, meter, bars, seed):
    (made,) = sample_scores(
        engine, REPRESENTATION, bars, [seed], PLAIN, WISHES, meter=meter, qpm=90
    )
    assert made.duration_qn == bars * Score(meters=made.meters).meter.quarters_per_bar
    assert str(made.meter) == meter
    assert made.qpm == pytest.approx(90)
    assert made.num_notes > 0
    assert made.parts[0].notes.end <= made.end_tick


def test_music_from_nothing_on_a_grid_of_sevenths_has_whole_ticks():
    representation = MelodyRepresentation(steps_per_quarter=7)
    engine = StepEngine(graph_for(representation))
    (made,) = sample_scores(engine, representation, 2, [0], PLAIN, WISHES)
    assert made.ticks_per_quarter == 3360
    assert (made.parts[0].notes.onset % 480 == 0).all()


@pytest.mark.parametrize("bars", [0, -1, 1025, 10**9, 1.5, "8", None])
def test_bars_must_make_sense(engine, bars):
    with pytest.raises(ParameterError, match=r"^bars must be"):
        go_on(engine, row_your_boat(), bars=bars)
    with pytest.raises(ParameterError, match=r"^bars must be"):
        sample_scores(engine, REPRESENTATION, bars, [0], PLAIN, WISHES)


def test_music_longer_than_a_file_is_refused(engine):
    with pytest.raises(ParameterError, match="250,000"):
        go_on(engine, seq("c4:w", meter="255/1"), bars=1024)
    with pytest.raises(ParameterError, match="250,000"):
        sample_scores(engine, REPRESENTATION, 1024, [0], PLAIN, WISHES, meter="255/1")


def test_seeds_of_a_batch_follow_each_other():
    assert seeds_of(7, 3) == [7, 8, 9]
    for seed, count, name in ((-1, 1, "seed"), (2**63 - 1, 2, "seed"), (0, 0, "count")):
        with pytest.raises(ParameterError, match=f"^{name} must be"):
            seeds_of(seed, count)


@given(st.data())
def test_features_laid_out_before_are_those_of_the_representation(data):
    representation = MelodyRepresentation(
        with_position=data.draw(st.booleans()),
        lookback_bars=tuple(data.draw(st.lists(st.integers(1, 5), max_size=3))),
        countdown_bars=data.draw(st.sampled_from([0, 4])),
    )
    grid = Grid.regular(Meter(0, 3, 4), 4, 6)
    tokens = np.random.default_rng(data.draw(st.integers(0, 99))).integers(
        0, representation.vocab_size, (3, len(grid))
    )
    bars = data.draw(st.sampled_from([None, 6]))
    layout = FeatureLayout(representation, grid, bars)
    step = data.draw(st.integers(0, len(grid) - 1))
    expected = representation.features(tokens, grid, bars, step, step + 1)
    assert np.array_equal(layout.features(tokens, step), expected[:, 0])
