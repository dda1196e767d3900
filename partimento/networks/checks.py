"""Checks that the configs of networks share."""

from typing import Any

from partimento.errors import ParameterError


def check_shares(config: Any, *names: str) -> None:
    """Raise `ParameterError` unless these fields, what is dropped, are shares below 1."""
    for name in names:
        if not 0 <= getattr(config, name) < 1:
            raise ParameterError(f"{name} must be in [0, 1), got {getattr(config, name)}")


def check_vocabulary(config: Any) -> None:
    """Raise `ParameterError` unless there are tokens and places to tell apart."""
    if config.vocab_size < 2 or config.cycle < 1:
        raise ParameterError(
            f"a network needs 2 tokens and 1 place or more, got vocab_size {config.vocab_size} "
            f"and cycle {config.cycle}"
        )
