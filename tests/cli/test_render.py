import subprocess
import sys
import wave

import pytest
import typer
from typer.testing import CliRunner

from partimento.cli.app import guarded
from partimento.cli.render import run

app = typer.Typer(pretty_exceptions_enable=False)
app.command()(guarded(run))


def render(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_sound_and_pictures_are_written_in_one_go(tmp_path):
    files = [tmp_path / f"x{kind}" for kind in (".wav", ".png", ".svg")]
    done = render("row-your-boat", *(word for file in files for word in ("-o", file)))
    assert done.exit_code == 0, done.stderr
    assert [line.split(": ")[0] for line in done.stdout.splitlines()] == [
        f"wrote {file}" for file in files
    ]
    with wave.open(str(files[0])) as sound:
        assert (sound.getnchannels(), sound.getframerate()) == (2, 44_100)
    assert files[1].read_bytes()[:4] == b"\x89PNG"
    assert "row-your-boat" in files[2].read_text(encoding="utf-8")


def test_without_a_file_the_roll_is_printed():
    done = render("c4:q d4:q e4:h")
    assert done.exit_code == 0
    assert "c4" in done.stdout and "e4" in done.stdout
    assert ".wav, .flac, .mp3, .ogg, .png, .svg, .html" in done.stdout


def test_some_bars_can_be_rendered(tmp_path):
    path = tmp_path / "x.svg"
    done = render("row-your-boat", "--from-bar", 3, "--to-bar", 4, "-o", path)
    assert done.exit_code == 0
    assert ">3</text>" in path.read_text() and ">2</text>" not in path.read_text()


def test_notation_takes_a_tempo_and_a_meter(tmp_path):
    path = tmp_path / "x.wav"
    assert render("c4:q d4:q e4:q", "--qpm", 60, "--meter", "3/4", "-o", path).exit_code == 0
    with wave.open(str(path)) as sound:
        assert sound.getnframes() == (3 + 2.5) * 44_100


def test_a_midi_file_is_rendered(tmp_path):
    from partimento.formats import write
    from partimento.music.examples import row_your_boat

    write(row_your_boat(), tmp_path / "tune.mid")
    done = render(tmp_path / "tune.mid", "-o", tmp_path / "tune.svg")
    assert done.exit_code == 0, done.stderr
    assert ">tune</text>" in (tmp_path / "tune.svg").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["row-your-boat", "-o", "x.aiff"],
            "can be rendered to .wav, .flac, .mp3, .ogg, .png, .svg, .html",
        ),
        (["row-your-boat", "-o", "x"], "no extension"),
        (["row-your-boat", "-o", "nowhere/x.wav"], "there is no folder nowhere"),
        (["row-your-boat", "-o", "x.svg", "--from-bar", "5"], "bars 1 to 4"),
        (["row-your-boat", "-o", "x.svg", "--from-bar", "0"], "bars 1 to 4"),
        (["row-your-boat", "--from-bar", "3", "--to-bar", "2"], "--to-bar 2 comes before"),
        (["row-your-boat", "-o", "x.wav", "--sample-rate", "1"], "sample_rate"),
        (["nothing.mid", "-o", "x.svg"], "nothing.mid"),
        (["r:w", "-o", "x.wav"], "nothing to hear"),
        (["row-your-boat", "-o", "x.png", "--theme", "blue"], "light or dark"),
        (["row-your-boat", "--colour", "pitch"], "part or velocity"),
    ],
)
def test_what_cannot_be_rendered_is_said_in_one_line(tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    done = render(*arguments)
    assert done.exit_code == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_help_waits_for_nothing_heavy():
    code = (
        "import sys, partimento.cli.render\n"
        "heavy = {'numpy', 'rich.console', 'resvg_py', 'onnxruntime'} & set(sys.modules)\n"
        "assert not heavy - {'rich.console'}, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_notation_is_engraved_where_asked_for(tmp_path):
    pytest.importorskip("verovio", exc_type=ImportError)
    done = render("row-your-boat", "--as", "score", "-o", tmp_path / "x.svg")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.endswith("x.svg: engraved score, 1 page\n")
    assert "Verovio" in (tmp_path / "x.svg").read_text(encoding="utf-8")


def test_a_score_can_only_be_roll_or_score(tmp_path):
    done = render("row-your-boat", "--as", "tablature", "-o", tmp_path / "x.svg")
    assert done.exit_code == 2
    assert "roll or score" in done.stderr
    assert not list(tmp_path.iterdir())


def test_musicxml_and_abc_are_rendered(tmp_path):
    tune = tmp_path / "tunes.abc"
    tune.write_text("X:1\nT:A\nL:1/4\nK:C\nCDEF|\n\nX:2\nT:B\nL:1/4\nK:C\nGABc|\n")
    done = render(f"{tune}#2", "-o", tmp_path / "b.musicxml")
    assert done.exit_code == 0, done.stderr
    done = render(tmp_path / "b.musicxml", "-o", tmp_path / "b.svg")
    assert done.exit_code == 0, done.stderr
    assert ">B</text>" in (tmp_path / "b.svg").read_text(encoding="utf-8")
