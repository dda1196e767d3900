"""The command line: `partimento VERB …`. Each verb has a file of its own; `main` runs them."""

from partimento.cli.app import main

__all__ = ["main"]
