"""Run one verb of the command line, in this process."""

from importlib import import_module

import typer
from typer.testing import CliRunner

from partimento.cli.app import VERBS, guarded


def run_verb(verb, *arguments, charset="utf-8"):
    """Result with exit_code, stdout and stderr."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.callback()(lambda: None)  # so that the verb has to be named, as in the real application
    app.command(name=verb)(guarded(import_module(f"partimento.cli.{VERBS[verb]}").run))
    return CliRunner(charset=charset).invoke(
        app, [verb, *map(str, arguments)], catch_exceptions=False
    )


def refusal(verb, *arguments):
    """What a refused call says: one line on stderr, nothing on stdout, exit code 2."""
    result = run_verb(verb, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    return result.stderr.strip()
