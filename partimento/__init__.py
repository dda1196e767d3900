"""partimento: teach a machine music from examples, and make new music with it.

::

    from partimento import load, seq

    tune = seq("c4:q c4:q c4:e. d4:s e4:q")
    load("melody-rnn").continue_from(tune, bars=4, seed=7).save("more.mid")

`seq` writes music, `read` and `write` are for files, `load` gets a model, `Learning` reads a run of
training. Each is imported when it is first asked for, so that importing partimento waits for
nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from partimento.formats import read, write
    from partimento.models.listening import Learning
    from partimento.models.load import load
    from partimento.music.notation import seq
    from partimento.music.notes import Notes
    from partimento.music.score import Part, Score

__version__ = "0.1.0"

__all__ = ["Learning", "Notes", "Part", "Score", "__version__", "load", "read", "seq", "write"]

_HOMES = {
    "Learning": "partimento.models.listening",
    "Notes": "partimento.music.notes",
    "Part": "partimento.music.score",
    "Score": "partimento.music.score",
    "load": "partimento.models.load",
    "read": "partimento.formats",
    "seq": "partimento.music.notation",
    "write": "partimento.formats",
}


def __getattr__(name: str) -> Any:
    """Import a public name from its home when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'partimento' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
