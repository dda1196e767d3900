import json

import pytest

from partimento import load
from partimento.cli.app import run_app
from partimento.formats import write
from partimento.music.notation import seq

pytest.importorskip("torch")

LINES = ("c5:q d5:q e5:q c5:q", "e4:q g4:q g4:q e4:q", "g3:q b3:q c4:q g3:q", "c3:q g3:q c3:q c3:q")


def go(capsys, *arguments):
    code = run_app([str(argument) for argument in arguments])
    return code, *capsys.readouterr()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Some chorales of four bars, each in its own key and with its own end, split by folders."""
    place = tmp_path_factory.mktemp("chorales")
    for split in ("train", "valid"):
        (place / split).mkdir()
    for number in range(8):
        parts = [
            seq(f"{line} " * 3 + f"{line.split(':')[0]}:{'whqhwqhw'[number]} c{5 - v}:w")
            .transpose(number - 3)
            .parts[0]
            for v, line in enumerate(LINES)
        ]
        write(
            seq("c4:q").with_parts(parts),
            place / ("valid" if number > 5 else "train") / f"{number}.mid",
        )
    return place


def test_a_folder_of_chorales_becomes_a_model(folder, tmp_path, capsys):
    out = tmp_path / "run"
    asked = ("train", "bach-rnn", "--config", "jsb16", "--data", folder, "--out", out)
    small = ("--steps", 4, "--evaluate-every", 2, "--hidden-size", 8, "--batch-size", 4)
    code, said, err = go(capsys, *asked, *small)
    assert code == 0, err
    assert "nats a cell" in said
    model = load(out / "checkpoint")
    assert model.name == "run"
    assert "recurrent layers (1 x 8)" in model.card
    assert model.temperature > 0
    config = json.loads((out / "checkpoint" / "config.json").read_text(encoding="utf-8"))
    assert config["figures"]["valid_nats_per_cell"] < config["figures"]["uniform_nats_per_cell"]
    code, _, err = go(capsys, *asked, *small)
    assert code == 2
    assert "holds a run already" in err
    assert go(capsys, *asked, *small, "--resume")[0] == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--melody", "skyline"), "--melody means nothing to bach-rnn"),
        (("--config", "tunes"), "bach-rnn has no config 'tunes': there is jsb16, chorales"),
        (("--dropout", "1"), "dropout must be in"),
        (("--data", "nowhere"), "nowhere"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(folder, tmp_path, capsys, options, words):
    data = () if "--data" in options else ("--data", folder)
    code, _, err = go(capsys, "train", "bach-rnn", *data, "--out", tmp_path / "run", *options)
    assert code == 2
    assert words in err
    assert err.count("\n") == 1
