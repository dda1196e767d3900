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
