"""Plain values from a stranger: strict JSON, and text that is safe to show.

`parse_json` reads what `json` reads, less what would surprise later: duplicate keys, NaN, infinite
or endless numbers, half characters, nesting without end.
"""

import json
import math
from collections import Counter
from typing import Any

from partimento.errors import CheckpointError

LONGEST_NUMBER = 19  # digits of an integer: all of 64 bits


def parse_json(content: bytes, source: str, depth: int) -> Any:
    """Return the value that a JSON file holds.

    Parameters
    ----------
    content
        UTF-8.
    source
        Name for the error message.
    depth
        Lists and objects that may stand inside each other.

    Raises
    ------
    CheckpointError
        In one line, whatever is wrong.
    """

    def whole(digits: str) -> int:
        if len(digits.lstrip("-")) > LONGEST_NUMBER:
            raise CheckpointError(f"{source} holds an integer of {len(digits)} digits")
        return int(digits)

    def real(digits: str) -> float:
        if not math.isfinite(value := float(digits)):
            raise CheckpointError(f"{source} holds a number too large: {shown(digits)}")
        return value

    def constant(name: str) -> float:
        raise CheckpointError(f"{source} holds {name}, which is no number of JSON")

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        if len(found) < len(items):
            [(twice, _)] = Counter(name for name, _ in items).most_common(1)
            raise CheckpointError(f"{source} has the key '{shown(twice)}' twice in one object")
        return found

    try:
        value = json.loads(
            content.decode(),
            parse_int=whole,
            parse_float=real,
            parse_constant=constant,
            object_pairs_hook=pairs,
        )
    except UnicodeDecodeError as error:
        raise CheckpointError(f"{source} is no UTF-8 text (byte {error.start})") from None
    except json.JSONDecodeError as error:
        raise CheckpointError(
            f"{source} is no JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from None
    except RecursionError:
        raise _too_deep(source, depth) from None
    _check(value, source, depth)
    return value


def shown(text: str, longest: int = 80) -> str:
    """Return text of a file as it may be printed: cut, and control characters escaped."""
    cut = text if len(text) <= longest else text[: longest - 1] + "…"
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in cut
    )


def kind_of(value: Any) -> str:
    """Say what JSON calls the type of a value, for a message."""
    if value is None:
        return "null"
    kinds = {bool: "a boolean", int: "a number", float: "a number", str: "a text", list: "a list"}
    return kinds.get(type(value), "an object")


def _check(value: Any, source: str, depth: int) -> None:
    """Refuse nesting beyond `depth`, and text that no file could hold."""
    level = [value]
    for _ in range(depth + 1):
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below += item.keys()
                below += item.values()
            elif isinstance(item, list):
                below += item
            elif isinstance(item, str) and not _is_text(item):
                raise CheckpointError(f"{source} holds half of a character: '{shown(item)}'")
        if not below:
            return
        level = below
    raise _too_deep(source, depth)


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _too_deep(source: str, depth: int) -> CheckpointError:
    return CheckpointError(
        f"{source} nests lists and objects deeper than {depth} (limit json_depth)"
    )
