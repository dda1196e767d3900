"""The table of verbs, and the one place where errors become messages and exit codes.

A verb lives in a module of its own whose function `run` parses, calls the library and says what it
did. Those modules import nothing heavy at their top, so `partimento --help` waits for nothing.
"""

import contextlib
import functools
import os
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from partimento import __version__
from partimento.cli.listening import shown
from partimento.errors import (
    EXIT_DONE,
    EXIT_ENVIRONMENT,
    EXIT_INTERRUPTED,
    EXIT_REFUSED,
    PartimentoError,
)

# ClickException, which Typer has no public name for.
USAGE_ERRORS: type[Any] = typer.BadParameter.__mro__[2]

VERBS = {  # verb: module of partimento.cli whose `run` it is
    "continue": "continue_",
    "sample": "sample",
    "next": "next_",
    "harmonize": "harmonize",
    "infill": "infill",
    "accompany": "accompany",
    "humanize": "humanize",
    "drums": "drums",
    "vary": "vary",
    "interpolate": "interpolate",
    "reconstruct": "reconstruct",
    "encode": "encode",
    "decode": "decode",
    "sliders": "sliders",
    "likelihood": "likelihood",
    "train": "train",
    "listen": "listen",
    "finetune": "finetune",
    "data": "data",
    "evaluate": "evaluate",
    "benchmark": "benchmark",
    "models": "models",
    "inspect": "inspect_",
    "render": "render",
    "compare": "compare",
    "play": "play",
}


def main() -> None:
    """Run the command line of this process."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started us: nobody listens
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115 (open to the end)
        getattr(sys, name).reconfigure(errors="backslashreplace")
    exit_code = run_app(sys.argv[1:])
    if threading.active_count() > 1:  # a step of training that was left off still computes
        with contextlib.suppress(OSError):
            sys.stderr.flush()
            sys.stdout.flush()
        os._exit(exit_code)
    sys.exit(exit_code)


def run_app(arguments: list[str]) -> int:
    """Run one command line; usage that is refused becomes one line, like every other error."""
    try:
        app = build_app()
        exit_code = app(arguments, prog_name="partimento", standalone_mode=False) or EXIT_DONE
        sys.stdout.flush()  # now: what goes wrong later is said by Python, at length
        return exit_code
    except USAGE_ERRORS as error:
        if not arguments:  # no verb: the help is the answer
            error.show()
            return EXIT_REFUSED
        verb = arguments[0] if arguments[0] in VERBS else ""
        message = error.format_message().rstrip(".")
        _say(f"{message}. See `{' '.join(['partimento', verb]).strip()} --help`")
        return EXIT_REFUSED
    except (typer.Abort, KeyboardInterrupt):
        _say("interrupted")
        return EXIT_INTERRUPTED
    except OSError as error:
        return _lost_output(error)


def build_app() -> typer.Typer:
    """Make the application, with every verb registered."""
    app = typer.Typer(
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    about = "Teach a machine music from examples, and make new music with it."
    app.callback(help=about)(_globals)
    for verb, module in VERBS.items():
        app.command(name=verb)(guarded(import_module(f"partimento.cli.{module}").run))
    return app


def _tell_version(is_asked: bool) -> None:
    if is_asked:
        print(f"partimento {__version__}")  # noqa: T201
        raise typer.Exit


def _globals(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version and stop.", is_eager=True, callback=_tell_version
        ),
    ] = False,
) -> None:
    """Options that stand before the verb."""


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
        except MemoryError:
            message = "out of memory: close other programs, or ask for less"
            raise _stop(message, EXIT_ENVIRONMENT) from None
        except OSError as error:
            if error.filename is None:  # no file of ours
                raise typer.Exit(_lost_output(error)) from None
            message = f"{shown(error.filename)}: {error.strerror or error}"
            raise _stop(message, EXIT_ENVIRONMENT) from None

    return call


def _lost_output(error: OSError) -> int:
    """Give up standard output; nothing is wrong where `| head` closed it."""
    with contextlib.suppress(OSError, ValueError):  # a stand-in without a file has none to lose
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        return EXIT_DONE
    _say(error.strerror or str(error))
    return EXIT_ENVIRONMENT


def _stop(message: str, exit_code: int) -> typer.Exit:
    _say(message)
    return typer.Exit(exit_code)


def _say(message: str) -> None:
    line = " ".join(message.split())
    print(f"partimento: {line}", file=sys.stderr)  # noqa: T201
