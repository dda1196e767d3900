"""How a piece was made, written into the piece: model, verb, settings, seed, version.

`stamp` puts the facts into a score's remarks, which a MIDI file keeps as text events; `read_stamps`
gives them back, oldest first. A stamp is the word ``partimento`` and one JSON object. MIDI readers
may cut long texts, so a longer stamp stands in several remarks: ``partimento 1/2 {…``.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from partimento.music.score import Score, Text

MAX_CHARACTERS = 180  # of one remark
MARK = re.compile(r"partimento (?:(\d{1,2})/(\d{1,2}) )?(?=.)")


def stamp(score: Score, facts: Mapping[str, Any]) -> Score:
    """Write facts into a score, after the stamps it has.

    Parameters
    ----------
    facts
        Plain values, as JSON knows them. The same facts give the same bytes: no time, no place.

    Examples
    --------
    >>> from partimento.music.notation import seq
    >>> made = stamp(seq("c4:q"), {"verb": "continue", "seed": 7})
    >>> made.remarks[0].text
    'partimento {"seed":7,"verb":"continue"}'
    >>> read_stamps(made)
    [{'seed': 7, 'verb': 'continue'}]
    """
    words = json.dumps(dict(facts), sort_keys=True, separators=(",", ":"), allow_nan=False)
    if len(words) + len("partimento ") <= MAX_CHARACTERS:
        texts = [f"partimento {words}"]
    else:
        size = MAX_CHARACTERS - len("partimento 99/99 ")
        pieces = [words[at : at + size] for at in range(0, len(words), size)]
        texts = [
            f"partimento {number}/{len(pieces)} {piece}"
            for number, piece in enumerate(pieces, start=1)
        ]
    return score.with_remarks(Text(0, text) for text in texts)


def read_stamps(score: Score) -> list[dict[str, Any]]:
    """Every stamp of a score, oldest first; what only looks like one is left out.

    The words come from a file: show them escaped, as any text of a file.
    """
    stamps = []
    pieces: list[str] = []
    for _, text in score.remarks:
        if not (mark := MARK.match(text)):
            continue
        number, count = (int(group) if group else 1 for group in mark.groups())
        if number != len(pieces) + 1:
            pieces = []  # the beginning is missing, or another stamp begins
        if number == len(pieces) + 1:
            pieces.append(text[mark.end() :])
        if pieces and number == count:
            if (facts := _facts("".join(pieces))) is not None:
                stamps.append(facts)
            pieces = []
    return stamps


def _facts(words: str) -> dict[str, Any] | None:
    try:
        facts = json.loads(words)
    except (ValueError, RecursionError):  # a stranger's file may hold anything
        return None
    return facts if isinstance(facts, dict) else None
