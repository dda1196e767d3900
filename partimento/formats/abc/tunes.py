"""Tunes of an ABC file: each begins with ``X:`` and ends at an empty line."""

from collections.abc import Iterator
from typing import NamedTuple

MAX_HEAD_LINES = 100  # of fields before the first tune, which hold for all


class Tune(NamedTuple):
    """A tune of a file: its number, its lines with their numbers from 1."""

    number: str
    lines: tuple[tuple[int, str], ...]


def split_tunes(text: str) -> Iterator[Tune]:
    r"""Find the tunes of a file, in order; text between them is passed over.

    Fields before the first tune stand at the head of each.

    Examples
    --------
    >>> [tune.number for tune in split_tunes("X:1\nK:C\nCDE|\n\nX:7\nK:G\nGAB|\n")]
    ['1', '7']
    """
    head: list[tuple[int, str]] = []
    tune: list[tuple[int, str]] | None = None
    number = ""
    is_before = True
    for at, line in enumerate(text.splitlines(), start=1):
        words = line.strip().removeprefix("\ufeff")
        if words.startswith("X:"):
            if tune:
                yield Tune(number, (*head, *tune))
            tune, number, is_before = [(at, words)], words[2:].partition("%")[0].strip(), False
        elif tune is not None:
            if words:
                tune.append((at, line))
            else:
                yield Tune(number, (*head, *tune))
                tune = None
        elif is_before and words[1:2] == ":" and words[0] in "LMQR" and len(head) < MAX_HEAD_LINES:
            head.append((at, words))
    if tune:
        yield Tune(number, (*head, *tune))


def decoded(data: bytes) -> str:
    """Read text as UTF-8, or else as Windows-1252, which never fails."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")
