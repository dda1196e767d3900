"""What the pages of four-voice models share: reading a config, and stamping what they make."""

from collections.abc import Sequence
from dataclasses import fields as fields_of
from typing import Any, Protocol

from partimento import __version__
from partimento.errors import CheckpointError, ParameterError
from partimento.generation.sampling import Sampling
from partimento.generation.voice_rules import VoiceRules
from partimento.models.melody_rnn import HASH_DIGITS
from partimento.music.provenance import stamp
from partimento.music.score import Score
from partimento.representations.satb import SatbRepresentation


class Named(Protocol):
    """A model, as far as a stamp names it."""

    name: str
    hash: str


def read_satb(fields: Any) -> SatbRepresentation:
    """Read the representation of a checkpoint's config, trusting nothing.

    Raises `CheckpointError`.
    """
    kinds = {field.name: type(field.default) for field in fields_of(SatbRepresentation)}
    if not isinstance(fields, dict) or set(fields) - set(kinds):
        raise CheckpointError(
            "the checkpoint's config has no usable representation: it must be an object of "
            f"{', '.join(kinds)}"
        )
    for name, value in fields.items():
        if type(value) is not kinds[name]:
            raise CheckpointError(
                f"{name} in the checkpoint's representation is {str(value)[:40]!r}"
            )
    try:
        return SatbRepresentation(**fields)
    except ParameterError as error:
        raise CheckpointError(f"the checkpoint's representation is unusable: {error}") from None


def stamped(
    model: Named,
    verb: str,
    scores: Sequence[Score],
    seeds: Sequence[int],
    settings: dict[str, Any],
    **more: Any,
) -> list[Score]:
    """Write into each score how it was made."""
    facts = {
        "model": model.name,
        "hash": model.hash[:HASH_DIGITS],
        "verb": verb,
        "settings": settings,
        "version": __version__,
        **more,
    }
    return [
        stamp(score, {**facts, "seed": seed}) for score, seed in zip(scores, seeds, strict=True)
    ]


def voice_facts(sampling: Sampling, rules: VoiceRules) -> dict[str, Any]:
    """Collect the temperature and what differs from the defaults, as plain values."""
    facts: dict[str, Any] = {"temperature": sampling.temperature}
    for settings, usual in ((sampling, Sampling()), (rules, VoiceRules())):
        for name in settings.__dataclass_fields__:
            value = getattr(settings, name)
            if value != getattr(usual, name):
                facts[name] = value
    return facts
