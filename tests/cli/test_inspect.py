"""`partimento inspect`: what is in a file, in words and as JSON, and the right exit code."""

import json

import pytest
from cli.one_verb import refusal, run_verb
from formats.midi.midi_bytes import NOTE, file, meta, track
from formats.midi.odd_files import BAD

from partimento.formats.midi import write_midi
from partimento.music.notes import Notes
from partimento.music.provenance import stamp
from partimento.music.score import Control, Key, Meter, Part, Score, Tempo, Text

TUNE = Score(
    parts=(
        Part(
            Notes([0, 480, 960], [480, 480, 1920], [60, 64, 67]),
            "Violin",
            40,
            controls=(Control(0, 64, 127),),
            lyrics=(Text(0, "la"),),
        ),
        Part(Notes([0], [240], [36]), is_drum=True),
    ),
    tempos=(Tempo.from_qpm(60), Tempo.from_qpm(120, 1440)),
    meters=(Meter(0, 3, 4),),
    keys=(Key(0, 1),),
    markers=(Text(1440, "B"),),
    title="A tune",
    remarks=(Text(0, "by nobody"),),
)


@pytest.fixture
def tune(tmp_path):
    path = tmp_path / "tune.mid"
    path.write_bytes(write_midi(TUNE))
    return path


@pytest.fixture
def cut(tmp_path):
    path = tmp_path / "cut.mid"
    path.write_bytes(write_midi(TUNE)[:-10])
    return path


def test_the_words_name_everything(tune):
    result = run_verb("inspect", tune)
    assert (result.exit_code, result.stderr) == (0, "")
    for words in (
        str(tune),
        "MIDI format 1, 3 tracks, 480 ticks a quarter",
        "A tune",
        "2 bars, 6 quarters, 4.5 s, ends at tick 2,880",
        "3/4",
        "G major",
        "60 quarters a minute, 120 quarters a minute from tick 1,440",
        "4 in 2 parts",
        "1 Violin: program 40, 3 notes, pitches 60-67, 1 control, 1 syllable",
        "2 drums, 1 note, pitches 36-36",
        "tick 1440: B",
        "tick 0: by nobody",
    ):
        assert words in result.stdout


def test_json_is_one_document_with_the_facts(tune):
    result = run_verb("inspect", tune, "--json")
    facts = json.loads(result.stdout)
    assert facts["file"] == str(tune)
    assert {
        name: facts[name]
        for name in ("notes", "end_tick", "ticks_per_quarter", "bars", "seconds", "parts")
    } == {
        "notes": 4,
        "end_tick": 2880,
        "ticks_per_quarter": 480,
        "bars": 2,
        "seconds": 4.5,
        "parts": [
            {"name": "Violin", "program": 40, "is_drum": False, "notes": 3},
            {"name": "", "program": 0, "is_drum": True, "notes": 1},
        ],
    }
    assert facts["meters"] == [{"tick": 0, "meter": "3/4", "numerator": 3, "denominator": 4}]
    assert facts["keys"] == [{"tick": 0, "key": "G major", "fifths": 1, "is_minor": False}]
    assert [tempo["qpm"] for tempo in facts["tempos"]] == [60.0, 120.0]
    assert (facts["format"], facts["title"], facts["repairs"]) == (1, "A tune", [])
    assert facts["remarks"] == [{"tick": 0, "text": "by nobody"}]


def test_several_files_are_a_list(tune):
    documents = json.loads(run_verb("inspect", tune, tune, "--json").stdout)
    assert [document["notes"] for document in documents] == [4, 4]


def test_how_a_file_was_made_is_shown(tmp_path):
    path = tmp_path / "made.mid"
    facts = {"model": "melody-rnn", "verb": "continue", "seed": 7, "settings": {"words": "x" * 300}}
    path.write_bytes(write_midi(stamp(TUNE, facts)))
    assert json.loads(run_verb("inspect", path, "--json").stdout)["made_with"] == [facts]
    said = run_verb("inspect", path).stdout
    assert "made with" in said
    assert 'model: "melody-rnn"' in said
    assert "seed: 7" in said


def test_a_refused_file_is_one_line_with_the_byte(cut):
    assert refusal("inspect", cut).startswith(f"partimento: {cut}: byte ")
    assert refusal("inspect", cut, "--json").startswith(f"partimento: {cut}: byte ")


@pytest.mark.parametrize("name", list(BAD)[::7])
def test_every_bad_file_is_one_line(tmp_path, name):
    data, offset, _ = BAD[name]
    (tmp_path / "bad.mid").write_bytes(data)
    assert f"byte {offset}: " in refusal("inspect", tmp_path / "bad.mid")


def test_a_missing_file_is_one_line(tmp_path):
    assert "there is no such file" in refusal("inspect", tmp_path / "no.mid")


def test_among_several_files_the_rest_are_done(tune, cut):
    result = run_verb("inspect", cut, tune, cut)
    assert result.exit_code == 3
    assert result.stdout.startswith(str(tune))
    assert result.stderr.count("\n") == 2
    documents = json.loads(run_verb("inspect", cut, tune, "--json").stdout)
    assert [document["file"] for document in documents] == [str(tune)]


def test_where_all_of_several_are_refused_nothing_was_done(cut):
    result = run_verb("inspect", cut, cut)
    assert (result.exit_code, result.stdout) == (2, "")


def test_salvage_lists_the_repairs(cut):
    result = run_verb("inspect", cut, "--salvage")
    assert result.exit_code == 0
    assert "mended    byte " in result.stdout
    (repair,) = json.loads(run_verb("inspect", cut, "--salvage", "--json").stdout)["repairs"]
    assert set(repair) == {"offset", "message"}


def test_texts_of_a_file_are_shown_escaped(tmp_path):
    path = tmp_path / "evil.mid"
    evil = "\x1b[2J\x07\nnext\u202e".encode()
    path.write_bytes(file(track(*[meta(kind, evil) for kind in (3, 1, 6, 5)], NOTE)))
    for words in (
        run_verb("inspect", path).stdout,
        run_verb("inspect", path, "--json").stdout,
    ):
        assert all(line.isprintable() for line in words.splitlines())
        assert "next" in words


@pytest.mark.parametrize(
    "words", ['{"a":NaN}', '{"a":' + "[" * 80 + "]" * 80 + "}", "{", "[1]", '{"a":1e999}', "{}"]
)
def test_a_remark_that_only_looks_like_a_stamp_does_no_harm(tmp_path, words):
    path = tmp_path / "odd.mid"
    pieces = [f"partimento {words}", *[f"partimento {n}/99 " + "[" * 170 for n in range(1, 100)]]
    path.write_bytes(write_midi(Score(remarks=tuple(Text(0, piece) for piece in pieces))))
    result = run_verb("inspect", path, "--json")
    json.loads(result.stdout, parse_constant=pytest.fail)
    assert run_verb("inspect", path).exit_code == 0


def test_many_changes_are_cut_short_in_words_and_whole_in_json(tmp_path):
    path = tmp_path / "rubato.mid"
    tempos = tuple(Tempo(480 * number, 500_000 + number) for number in range(100))
    path.write_bytes(write_midi(Score(tempos=tempos, end_tick=48_000)))
    assert "(92 more)" in run_verb("inspect", path).stdout
    assert len(json.loads(run_verb("inspect", path, "--json").stdout)["tempos"]) == 100
