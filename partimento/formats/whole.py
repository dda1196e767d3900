"""Files that appear whole, or not at all: `whole_file`."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a name beside a file to write to; at the end it takes the file's place, or is gone.

    Examples
    --------
    >>> with whole_file(Path("tune.txt")) as beside:  # doctest: +SKIP
    ...     beside.write_text("c4 d4 e4")
    """
    beside = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with naming(path):
            yield beside
            beside.replace(path)
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Have errors name the file that was asked for, and not one beside it that nobody knows."""
    try:
        yield
    except OSError as error:
        if error.filename is not None and Path(error.filename).parent == path.parent:
            error.filename = str(path)
        raise
