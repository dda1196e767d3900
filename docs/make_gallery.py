"""Make the pictures of gallery.md again: run every command that stands in it.

    python docs/make_gallery.py [--only compare]

Music and pictures lie in this folder. Engraving needs the extra `partimento[score]`.
"""
# ruff: noqa: T201

import argparse
import os
import shlex
from pathlib import Path

from partimento.cli.app import run_app

HERE = Path(__file__).resolve().parent
NO_PICTURE = (".mid",)  # left beside the pictures by verbs that make music: only those are kept


def main() -> None:
    """Run the commands one after another, in this folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="commands that hold this word")
    asked = parser.parse_args()
    os.chdir(HERE)
    before = set(HERE.rglob("*"))
    for command in commands(HERE / "gallery.md"):
        if asked.only in command:
            print(command)
            if run_app(shlex.split(command)[1:]):
                raise SystemExit(f"failed: {command}")
    for file in set(HERE.rglob("*")) - before:
        if file.suffix in NO_PICTURE:
            file.unlink()


def commands(page: Path) -> list[str]:
    """Take the lines of a page that are commands."""
    lines = page.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.startswith("partimento ")]


if __name__ == "__main__":
    main()
