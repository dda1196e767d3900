import subprocess
import sys
from pathlib import Path

import pytest

from partimento.cli.app import VERBS, run_app


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["continue", "c4:q", "--bars", "abc"], "--bars"),
        (["continue"], "primer"),
        (["sing"], "No such command 'sing'"),
        (["--loud"], "No such option: --loud"),
        (["sample", "--bars", "0"], "bars must be 1 to 1024"),
    ],
)
def test_usage_that_is_refused_is_one_line(capsys, arguments, words):
    assert run_app(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert words.lower() in said.err.lower()


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_says_what_it_does(capsys, verb):
    assert run_app([verb, "--help"]) == 0
    assert "Usage: partimento" in capsys.readouterr().out


def test_no_verb_at_all_shows_the_help(capsys):
    assert run_app([]) == 2
    said = capsys.readouterr()
    assert "continue" in said.out + said.err


def test_the_version_is_told(capsys):
    assert run_app(["--version"]) == 0
    assert capsys.readouterr().out.startswith("partimento 0.")


@pytest.mark.skipif(sys.platform == "win32", reason="shells of Windows close no streams")
@pytest.mark.parametrize(
    ("line", "exit_code", "said"),
    [
        ("--version >&-", 0, ""),
        ("render row-your-boat >&-", 0, ""),
        ("sing 2>&-", 2, ""),
        ("sing >&- 2>&-", 2, ""),
    ],
)
def test_streams_that_are_closed_are_not_missed(line, exit_code, said):
    assert in_shell(line) == (exit_code, said)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("line", ["--version", "--help", "render row-your-boat"])
def test_a_full_disk_behind_standard_output_is_one_line(line):
    exit_code, said = in_shell(line + " > /dev/full")
    assert exit_code == 4
    assert said.startswith("partimento: ")
    assert said.count("\n") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell of POSIX")
def test_output_that_nobody_reads_to_the_end_is_no_error():
    assert in_shell("inspect --help | true") == (0, "")
    assert in_shell("render row-your-boat | true") == (0, "")


def in_shell(line):
    """Exit code, and what stood on stderr."""
    done = subprocess.run(
        f"{sys.executable} -m partimento {line}",
        shell=True,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr
