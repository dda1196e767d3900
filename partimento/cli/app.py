"""The table of verbs, and the one place where errors become messages and exit codes.

A verb lives in a module of its own whose function `run` parses, calls the library and says what it
did. Those modules import nothing heavy at their top, so `partimento --help` waits for nothing.
"""

import functools
import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Annotated, Any

import typer

from partimento import __version__
from partimento.errors import EXIT_ENVIRONMENT, EXIT_INTERRUPTED, PartimentoError

VERBS = {  # verb: module of partimento.cli whose `run` it is
    "continue": "continue_",
    "sample": "sample",
    "next": "next_",
    "likelihood": "likelihood",
    "train": "train",
    "data": "data",
    "evaluate": "evaluate",
    "models": "models",
    "inspect": "inspect_",
    "render": "render",
}


def main() -> None:
    """Run the command line of this process."""
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.stderr.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    build_app()(prog_name="partimento")


def build_app() -> typer.Typer:
    """Make the application, with every verb registered."""
    app = typer.Typer(
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        help="Teach a machine music from examples, and make new music with it.",
    )
    app.callback()(_globals)
    for verb, module in VERBS.items():
        app.command(name=verb)(guarded(import_module(f"partimento.cli.{module}").run))
    return app


def _globals(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and stop.", is_eager=True)
    ] = False,
) -> None:
    if version:
        print(f"partimento {__version__}")  # noqa: T201
        raise typer.Exit


def guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    """Turn what goes wrong into one line on stderr and an exit code; a traceback is a bug."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except PartimentoError as error:
            raise _stop(str(error), error.exit_code) from None
        except KeyboardInterrupt:
            raise _stop("interrupted", EXIT_INTERRUPTED) from None
        except BrokenPipeError:  # `| head` closed our output: nothing is wrong
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None
        except MemoryError:
            raise _stop("out of memory: close other programs or use less", EXIT_ENVIRONMENT) from None
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            raise _stop(f"{where}{error.strerror or error}", EXIT_ENVIRONMENT) from None

    return call


def _stop(message: str, exit_code: int) -> typer.Exit:
    line = " ".join(message.split())
    print(f"partimento: {line}", file=sys.stderr)  # noqa: T201
    return typer.Exit(exit_code)
