"""The piano-roll benchmarks, as the corpora hold them."""

import json

import pytest

from partimento.data.rolls import BENCHMARKS, SPLITS, load_rolls
from partimento.errors import DataError, ParameterError

PUBLISHED = {
    "jsb": ((229, 13807), (76, 4602), (77, 4725)),
    "nottingham": ((694, 176561), (173, 45513), (170, 44463)),
    "piano-midi": ((87, 75911), (12, 8540), (25, 19036)),
}  # pieces and frames


@pytest.mark.data
@pytest.mark.parametrize("name", PUBLISHED)
def test_each_set_has_its_published_splits(shared_data, name):
    rolls = load_rolls(name, shared_data)
    found = [(len(rolls.split(s)), sum(map(len, rolls.split(s)))) for s in SPLITS]
    assert found == list(PUBLISHED[name])
    assert all(piece.shape[1] == 88 and piece.max() == 1 for piece in rolls.train)


def test_a_missing_set_is_said(tmp_path):
    with pytest.raises(DataError, match="roll-benchmarks is not there"):
        load_rolls("jsb", tmp_path)


def test_another_file_than_the_manifest_names_is_refused(tmp_path):
    folder = tmp_path / BENCHMARKS
    folder.mkdir()
    about = {"sets": {"jsb-quarter": {"file": "jsb.npz", "sha256": "0" * 64}}}
    (folder / "manifest.json").write_text(json.dumps(about))
    (folder / "jsb.npz").write_bytes(b"something else")
    with pytest.raises(DataError, match="not the file its manifest names"):
        load_rolls("jsb", tmp_path)


def test_an_unknown_set_is_refused():
    with pytest.raises(ParameterError, match="jsb, nottingham, piano-midi"):
        load_rolls("muse-data")
