"""Many files at once: each gives what it gives alone, whatever its neighbours are."""

import random

import pytest
from formats.midi.mutations import mutated
from formats.midi.odd_files import BAD, GOOD
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import scores

from partimento.errors import FormatError
from partimento.formats.midi import Limits, batches, read_many, read_midi, write_midi
from partimento.music.score import Part, Score

SMALL = {name: data for name, (data, *_) in (GOOD | BAD).items() if len(data) < 4000}


def alone(data, limits):
    """Score of a file that is read by itself; `None` where it is refused."""
    try:
        return read_midi(data, limits=limits)
    except FormatError:
        return None


def check(files, limits):
    """Whatever is read together is what is read alone."""
    found = read_many(files, limits)
    assert len(found) == len(files)
    for data, score in zip(files, found, strict=True):
        if score is not None:
            assert score == alone(data, limits)
    return found


@settings(max_examples=30)
@given(st.lists(scores(max_notes=6), max_size=4))
def test_sound_files_are_read_together(written):
    files = [write_midi(score) for score in written]
    assert None not in check(files, Limits())


@given(st.permutations(sorted(SMALL)))
def test_odd_files_do_not_harm_their_neighbours(names):
    tune = write_midi(Score((Part(),)))
    files = [data for name in names for data in (SMALL[name], tune)]
    found = check(files, Limits())
    # Too many files that are found out late leave all of them to be read alone.
    assert found[1::2] in ([read_midi(tune)] * len(names), [None] * len(names))


@pytest.mark.parametrize("name", sorted(SMALL))
def test_an_odd_file_between_sound_ones(name):
    tune = write_midi(Score((Part(),)))
    before, odd, after = check([tune, SMALL[name], tune], Limits())
    assert before == after == read_midi(tune)
    assert (name in GOOD) >= (odd is not None)


@pytest.mark.parametrize("seed", range(3))
def test_damaged_files_are_read_as_alone_or_left(seed):
    chance = random.Random(seed)
    for _ in range(40):
        check([mutated(data, chance) for data in chance.choices([*SMALL.values()], k=5)], Limits())


@settings(max_examples=30)
@given(st.lists(scores(max_notes=6), max_size=3), st.integers(0, 9), st.sampled_from([8, 400]))
def test_a_limit_counts_for_each_file_alone(written, most, max_bytes):
    files = [write_midi(score) for score in written]
    limits = Limits(max_notes=most, max_controls=most, max_bytes=max_bytes)
    for data, score in zip(files, check(files, limits), strict=True):
        if alone(data, limits) is None:
            assert score is None


def test_large_files_and_full_batches(monkeypatch):
    tune = write_midi(Score((Part(),)))
    monkeypatch.setattr(batches, "BATCH_BYTES", 3 * len(tune))
    large = write_midi(Score((Part(),), title="long " * 100))
    found = check([tune, tune, large, tune, tune, tune], Limits())
    assert [score is None for score in found] == [False, False, True, False, False, False]
    assert read_many([]) == []


@settings(max_examples=40)
@given(scores())
def test_what_is_read_would_pass_every_check(score):
    [found] = read_many([write_midi(score)])
    fields = dict(vars(found))
    parts = [Part(**vars(part)) for part in fields.pop("parts")]
    assert Score(tuple(parts), **fields) == found
