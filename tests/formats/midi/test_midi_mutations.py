"""Files with random damage: they are read, mended or refused with an error of ours. Never else.

`benchmarks/midi_fuzz.py` does the same a million times.
"""

import random
import zipfile
from collections import Counter

import pytest
from formats.midi.mutations import check, mutated
from formats.midi.odd_files import BAD, GOOD
from hypothesis import given
from hypothesis import strategies as st
from strategies import scores

from partimento.formats.midi import write_midi

FILES = [data for data, *_ in (*GOOD.values(), *BAD.values()) if len(data) < 4000]


@pytest.mark.parametrize("seed", range(4))
def test_odd_files_survive_damage(seed):
    chance = random.Random(seed)
    outcomes = Counter(check(mutated(chance.choice(FILES), chance)) for _ in range(600))
    assert set(outcomes) == {"read", "mended", "refused"}


@given(scores(max_notes=8), st.integers(0, 2**32))
def test_our_own_files_survive_damage(score, seed):
    check(mutated(write_midi(score), random.Random(seed)))


@given(st.binary(max_size=80))
def test_any_bytes_behind_a_header_are_survived(content):
    head = b"MThd\x00\x00\x00\x06\x00\x01\x00\x01\x01\xe0MTrk"
    check(head + len(content).to_bytes(4, "big") + content)


@pytest.mark.data
def test_real_files_survive_damage(shared_data):
    chance = random.Random(0)
    for name in ("pop909", "irish-cre", "mutopia", "groove", "polish-scores"):
        with zipfile.ZipFile(shared_data / name / "midi.zip") as files:
            infos = [info for info in files.infolist() if 0 < info.file_size < 8000]
            for info in chance.choices(infos, k=20):
                data = files.read(info)
                for _ in range(8):
                    check(mutated(data, chance))
