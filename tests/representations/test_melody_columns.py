"""Columns against the same said slowly, one melody and one step at a time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from partimento.errors import ParameterError
from partimento.models.lessons import PUBLISHED
from partimento.music.grid import Grid
from partimento.music.score import Meter
from partimento.networks.melody_rnn import MelodyRNNConfig
from partimento.representations import melody_columns
from partimento.representations.melody import FIRST_PITCH, HOLD, REST, MelodyRepresentation

GRID = Grid.regular(Meter(0, 2, 4), 4, 12)  # bars of 8 steps
TOKENS = st.lists(st.sampled_from([HOLD, HOLD, REST, *range(2, 12)]), min_size=1, max_size=40)
RICH = MelodyRepresentation(
    lookback_bars=(1,),
    match_bars=(1, 2),
    match_limit=5,
    counter_bits=5,
    repeat_bars=(1, 3),
    from_first_note=True,
)
KEYED = MelodyRepresentation(**PUBLISHED["attention"]["representation"])


def slow_run(tokens, bars, limit, step):
    run = 0
    for before in range(step - 1, -1, -1):
        ago = before - 8 * bars
        if ago < 0 or tokens[before] != tokens[ago] or run == limit:
            break
        run += 1
    return run


def slow_keys(pitches):
    major = (0, 2, 4, 5, 7, 9, 11)
    counts = [sum((pitch - key) % 12 in major for pitch in pitches) for key in range(12)]
    return [int(count == max(counts)) for count in counts]


def last_three(pitches):
    kept = []
    for pitch in pitches:
        kept = [*(p for p in kept if p != pitch), pitch][-3:]
    return kept


@given(TOKENS, st.integers(1, 3), st.integers(1, 9))
def test_a_run_counts_the_events_that_repeat(tokens, bars, limit):
    written = np.array(tokens)
    runs = melody_columns.repeated_in_a_row(written, GRID, [bars], limit, 0, len(tokens) + 1)
    slow = [slow_run(tokens, bars, limit, step) for step in range(len(tokens) + 1)]
    assert runs.tolist() == [slow]


@given(TOKENS)
def test_keys_are_those_that_hold_most_of_the_notes(tokens):
    in_keys, recently = melody_columns.keys(np.array(tokens), 48, 0, len(tokens) + 1)
    for step in range(len(tokens) + 1):
        pitches = [token + 46 for token in tokens[:step] if token >= FIRST_PITCH]
        assert in_keys[step].tolist() == slow_keys(pitches)
        assert recently[step].tolist() == slow_keys(last_three(pitches))


@given(TOKENS)
def test_direction_and_sounding_pitch_follow_the_line(tokens):
    moves = melody_columns.direction(np.array(tokens), 0, len(tokens) + 1)
    sounds, attacks = melody_columns.sounding(np.array(tokens), 0, len(tokens) + 1)
    direction, pitch, latest = 0, -1, None
    for step in range(len(tokens) + 1):
        assert (moves[step], sounds[step]) == (direction, pitch)
        assert attacks[step] == (step > 0 and tokens[step - 1] >= FIRST_PITCH)
        if step == len(tokens):
            break
        if tokens[step] >= FIRST_PITCH:
            if latest is not None and tokens[step] != latest:
                direction = 1 if tokens[step] > latest else -1
            latest = tokens[step]
            pitch = latest - FIRST_PITCH
        elif tokens[step] == REST:
            pitch = -1


@given(TOKENS, st.data(), st.sampled_from([RICH, KEYED]))
def test_a_step_laid_out_alone_is_the_row_of_all(tokens, data, representation):
    written = np.stack([tokens, tokens[::-1]])
    rows = representation.features(written, GRID, None, 0, len(tokens))
    step = data.draw(st.integers(0, len(tokens) - 1))
    alone = representation.features(written[:, :step], GRID, None, step, step + 1)
    assert np.array_equal(alone[:, 0], rows[:, step])


@given(TOKENS, st.integers(-3, 20))
def test_from_the_first_note_on_a_melody_reads_the_same_in_every_key(tokens, interval):
    written = np.array(tokens) + 8 * (np.array(tokens) >= FIRST_PITCH)
    moved = written + interval * (written >= FIRST_PITCH)
    here = RICH.features(written, GRID)
    there = RICH.features(moved, GRID)
    assert np.array_equal(here[:, :-1], there[:, :-1])
    has_sounded = np.cumsum(written >= FIRST_PITCH)[:-1] > 0
    assert (there[1:, -1] - here[1:, -1] == interval * has_sounded).all()


@given(TOKENS, st.sampled_from([RICH, KEYED]))
def test_columns_stay_within_their_sizes(tokens, representation):
    rows = representation.features(np.array(tokens), GRID)
    sizes = np.array(representation.feature_sizes)
    assert rows.shape[1] == len(sizes) and (rows >= 0).all()
    assert (rows[:, sizes > 0] < sizes[sizes > 0]).all()


def test_five_bits_count_two_bars_of_sixteenths():
    grid = Grid.regular(Meter(0, 4, 4), 4, 4)
    bits = melody_columns.counter(grid, 5, 0, 64)
    assert (bits @ (1 << np.arange(5)) == np.arange(64) % 32).all()


@pytest.mark.parametrize(
    ("config", "classes", "width"),
    [("basic", 38, 38), ("mono", 130, 130), ("lookback", 40, 121), ("attention", 40, 74)],
)
def test_published_configurations_have_their_published_sizes(config, classes, width):
    representation = MelodyRepresentation(**PUBLISHED[config]["representation"])
    network = MelodyRNNConfig(
        representation.vocab_size,
        representation.feature_sizes,
        one_hot=True,
        repeat_columns=representation.repeat_columns,
    )
    assert (network.num_classes, network.input_size) == (classes, width)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"repeat_bars": (0,)}, "repeat_bars must be 1-64"),
        ({"match_limit": 0}, "match_limit must be 1-256"),
        ({"counter_bits": 13}, "counter_bits must be 0-12"),
        ({"key_aware": True, "from_first_note": True}, "leave from_first_note out"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ParameterError, match=message):
        MelodyRepresentation(**settings)
