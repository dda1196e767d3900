import json

import pytest
from evaluation_music import COMMON_TIME, TuneMaker, found, tune

from partimento.errors import DataError, ParameterError
from partimento.evaluation.comparison import compare
from partimento.evaluation.statistics import NAMES
from partimento.music.score import Meter
from partimento.music.timing import BarMap


@pytest.fixture
def tunes():
    waltz = Meter(0, 3, 4)
    valid = [tune(8 + i % 3, 100 + i, waltz if i % 2 else COMMON_TIME) for i in range(12)]
    return found(valid, train=[tune(16, i) for i in range(10)])


def test_everything_is_compared_and_printed_as_table_and_json(tunes):
    result = compare(TuneMaker(), tunes, count=20, bars=8, seed=3, temperature=0.9)
    assert (result.generated, result.held_out, result.too_short) == (20, 12, 0)
    assert set(result.statistics) == set(NAMES)
    assert result.statistics["notes_per_bar"].generated.mean == 4
    assert result.statistics["notes_per_bar"].overlap == pytest.approx(1, abs=0.02)
    assert all(0 <= pair.overlap <= 1 for pair in result.statistics.values())
    assert set(result.histograms) == {"intervals", "lengths", "degrees"}
    assert result.likelihood["held_out"].nats_per_note == 2
    assert result.likelihood["held_out"].nats_per_step == 0.5
    assert result.likelihood["held_out"].melodies == 12
    plain = json.loads(json.dumps(result.as_dict(), allow_nan=False))
    assert plain["settings"] == {"temperature": 0.9}
    text = result.text()
    assert "20 generated melodies of 8 bars (seed 3)" in text
    assert all(name.replace("_qn", "").replace("_", " ") in text for name in NAMES)
    assert max(len(line) for line in text.splitlines()) <= 100


def test_melodies_are_sampled_in_the_meters_of_the_tunes(tunes):
    maker = TuneMaker()
    compare(maker, tunes, count=30, bars=8, seed=1, top_p=0.9)
    assert sorted(meter for *_, meter, _ in maker.asked) == ["3/4", "4/4"]
    assert sum(count for count, *_ in maker.asked) == 30
    assert all(settings == {"top_p": 0.9} for *_, settings in maker.asked)
    seeds = [set(range(seed, seed + count)) for count, _, seed, *_ in maker.asked]
    assert not set.intersection(*seeds)


def test_the_same_seed_gives_the_same_figures(tunes):
    once, again = (compare(TuneMaker(), tunes, count=10, bars=8) for _ in range(2))
    assert once.as_dict() == again.as_dict()


def test_tunes_are_compared_by_their_last_bars_and_short_ones_counted(tunes):
    result = compare(TuneMaker(), tunes, count=10, bars=9)
    assert (result.held_out, result.too_short) == (8, 4)
    assert "(4 shorter left out)" in result.text()
    for piece in tunes.split("valid"):
        bars = BarMap.of(piece.score)
        assert bars.count(piece.score.end_tick) >= 8


def test_copies_of_training_tunes_are_found():
    class Copier(TuneMaker):
        def sample_many(self, count, bars, *, seed, meter, **settings):
            return [tune(16, seed + i).transpose(2) for i in range(count)]

    train = [tune(16, i) for i in range(10)]
    held_out = [tune(16, 50 + i) for i in range(5)]
    result = compare(Copier(), found(held_out, train), count=10, bars=16)
    assert result.memorisation["generated"].longest == 64
    assert result.memorisation["generated"].share_from_16 == 1
    assert result.memorisation["held_out"].longest < 16


def test_without_training_tunes_nothing_is_said_of_copying():
    result = compare(TuneMaker(), found([tune(8, 1), tune(8, 2)]), count=4, bars=8)
    assert result.memorisation == {}
    assert "runs shared" not in result.text()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"split": "train"}, "split must be valid or test, got 'train'"),
        ({"count": 1}, "count must be 2 to 10,000, got 1"),
        ({"bars": 0}, "bars must be 1 to 1024, got 0"),
        ({"seed": -1}, "seed must be 0 or more, got -1"),
    ],
)
def test_parameters_out_of_range_are_named(tunes, settings, words):
    with pytest.raises(ParameterError, match=words):
        compare(TuneMaker(), tunes, **settings)


def test_too_few_tunes_are_an_error_that_says_what_to_do(tunes):
    with pytest.raises(DataError, match=r"0 of 12 valid tunes have 64 bars.*--bars"):
        compare(TuneMaker(), tunes, bars=64)
    with pytest.raises(DataError, match="0 of 0 test tunes"):
        compare(TuneMaker(), tunes, split="test", bars=8)
