"""Bach's chorales, as the corpora hold them."""

import pytest

from partimento.data.chorales import load_chorales
from partimento.errors import DataError
from partimento.representations.satb import SatbRepresentation


@pytest.mark.data
def test_the_benchmark_has_its_splits_and_pitches(shared_data):
    pieces = load_chorales(shared_data)
    counts = [sum(p.split == split for p in pieces) for split in ("train", "valid", "test")]
    assert counts == [229, 76, 77]
    steps = [sum(len(p.voices) for p in pieces if p.split == s) for s in ("train", "valid", "test")]
    assert steps == [55228, 18408, 18900]
    for piece in pieces:
        SatbRepresentation().encode(piece.voices)  # every pitch has a token


def test_a_missing_set_is_said(tmp_path):
    with pytest.raises(DataError, match="jsb-chorales is not there"):
        load_chorales(tmp_path)
