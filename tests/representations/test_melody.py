import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import melodies

from partimento.errors import ParameterError, VocabularyError
from partimento.music.grid import Grid
from partimento.music.notes import Notes
from partimento.music.score import Meter
from partimento.representations.melody import HOLD, REST, MelodyRepresentation

PLAIN = MelodyRepresentation()
RICH = MelodyRepresentation(with_position=True, lookback_bars=(1, 2), countdown_bars=8)


def test_a_dotted_quarter_is_six_steps_and_a_rest_follows():
    notes = Notes(onset=[0, 960], duration=[720, 240], pitch=[60, 62])
    #                                        C4  held           rest  D4  held
    tokens = MelodyRepresentation(lowest=36).encode(notes)
    assert tokens.tolist() == [26, 0, 0, 0, 0, 0, 1, 0, 28, 0]


@given(melodies())
def test_decoding_gives_back_what_was_encoded(notes):
    tokens = PLAIN.encode(notes)
    assert PLAIN.decode(tokens) == notes
    assert ((tokens >= 0) & (tokens < PLAIN.vocab_size)).all()


@given(melodies(steps_per_quarter=12))
def test_triplets_survive_on_a_grid_of_twelve(notes):
    representation = MelodyRepresentation(steps_per_quarter=12)
    assert representation.decode(representation.encode(notes)) == notes


@given(st.lists(st.integers(0, PLAIN.vocab_size - 1), max_size=60))
def test_any_tokens_are_a_melody_without_overlaps(tokens):
    notes = PLAIN.decode(np.array(tokens, dtype=np.int64))
    assert (notes.offset[:-1] <= notes.onset[1:]).all()
    assert notes.end <= 120 * len(tokens)


@given(melodies(min_notes=1))
def test_asking_for_more_steps_adds_silence_only(notes):
    tokens = PLAIN.encode(notes)
    longer = PLAIN.encode(notes, steps=len(tokens) + 16)
    assert longer[: len(tokens)].tolist() == tokens.tolist()
    assert longer[len(tokens) :].tolist() == [REST] + [HOLD] * 15


def test_a_pitch_without_a_token_is_named():
    with pytest.raises(VocabularyError, match=r"pitch 20 at tick 960 has no token.*48-83"):
        PLAIN.encode(Notes(onset=[960], duration=[480], pitch=[20]))


def test_two_notes_on_one_step_are_refused():
    with pytest.raises(VocabularyError, match=r"two notes start on step 4 .*skyline"):
        PLAIN.encode(Notes(onset=[480, 481], duration=[480, 480], pitch=[60, 64]))


def test_a_melody_longer_than_the_steps_asked_for_is_refused():
    with pytest.raises(VocabularyError, match="8 steps long and does not fit in 4"):
        PLAIN.encode(Notes(onset=[0], duration=[960], pitch=[60]), steps=4)


@pytest.mark.parametrize(
    "settings",
    [
        {"steps_per_quarter": 0},
        {"lowest": 90, "highest": 80},
        {"lookback_bars": (0,)},
        {"countdown_bars": -1},
    ],
)
def test_settings_that_make_no_sense_are_refused(settings):
    with pytest.raises(ParameterError):
        MelodyRepresentation(**settings)


@given(
    st.lists(st.integers(0, RICH.vocab_size - 1), min_size=1, max_size=70),
    st.sampled_from([(4, 4), (3, 4), (6, 8), (5, 8), (7, 8)]),
)
def test_features_stay_within_their_sizes(tokens, meter):
    grid = Grid.regular(Meter(0, *meter), 4, 20)
    features = RICH.features(np.array(tokens), grid, bars=20)
    assert features.shape == (len(tokens), len(RICH.feature_sizes))
    assert (features >= 0).all()
    assert (features < np.array(RICH.feature_sizes)).all()


@given(st.lists(st.integers(0, RICH.vocab_size - 1), min_size=2, max_size=70), st.data())
def test_features_of_a_step_do_not_know_the_token_there_or_later(tokens, data):
    now = data.draw(st.integers(0, len(tokens) - 1))
    grid = Grid.regular(Meter(0, 3, 4), 4, 20)
    tokens = np.array(tokens)
    changed = np.where(np.arange(len(tokens)) >= now, (tokens + 1) % RICH.vocab_size, tokens)
    before, after = RICH.features(tokens, grid), RICH.features(changed, grid)
    assert (before[: now + 1] == after[: now + 1]).all()
    one = RICH.features(tokens[:now], grid, start=now, stop=now + 1)
    assert (one[0] == before[now]).all()


def test_lookback_reads_the_same_place_one_bar_ago():
    grid = Grid.regular(Meter(0, 2, 4), 4, 2)
    tokens = np.arange(16)
    features = RICH.features(tokens, grid)
    assert features[8:16, 5].tolist() == tokens[:8].tolist()
    assert (features[:8, 5] == RICH.vocab_size).all()  # before the beginning


def test_the_countdown_ends_at_zero_or_is_unknown():
    grid = Grid.regular(Meter(0, 4, 4), 4, 3)
    tokens = np.zeros(48, dtype=np.int64)
    assert RICH.features(tokens, grid, bars=3)[::16, -1].tolist() == [2, 1, 0]
    assert (RICH.features(tokens, grid)[:, -1] == 9).all()
