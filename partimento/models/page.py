"""`ModelPage`: what the pages of all models share.

Name, hash and card of a checkpoint, the stamp on what a model makes, and the answer to whoever asks
for a verb of another family. `read_fields` reads a representation from a stranger's config.
"""

from collections.abc import Sequence
from dataclasses import fields as fields_of
from typing import Any, ClassVar, TypeVar

from partimento import __version__
from partimento.checkpoints import Checkpoint
from partimento.errors import CheckpointError, ParameterError
from partimento.generation.sampling import Sampling
from partimento.models.load import MissingVerbError, cannot, verb_of_method
from partimento.music.provenance import stamp
from partimento.music.score import Score

HASH_DIGITS = 16  # of a model's 64, in what it makes

Fields = TypeVar("Fields")


class ModelPage:
    """A trained model: the base of each family's page.

    Attributes
    ----------
    family : str
    name : str
        As the checkpoint says.
    hash : str
        Of the whole checkpoint, 64 hexadecimal digits.
    card : str
        Data, licences and figures, as Markdown.
    representation
        Of its music.
    verbs : tuple of str
    """

    family: ClassVar[str]
    verbs: ClassVar[tuple[str, ...]]
    representation: Any

    def __init__(self, checkpoint: Checkpoint, threads: int = 1) -> None:
        self.checkpoint = checkpoint
        self.name = str(checkpoint.config.get("name") or self.family)
        self.hash = checkpoint.hash
        self._threads = threads

    @property
    def card(self) -> str:
        """Where the model comes from and what it can do, as Markdown."""
        return self.checkpoint.card

    def stamped(
        self,
        verb: str,
        scores: Sequence[Score],
        seeds: Sequence[int],
        settings: dict[str, Any],
        **more: Any,
    ) -> list[Score]:
        """Write into each score how it was made."""
        facts = {
            "model": self.name,
            "hash": self.hash[:HASH_DIGITS],
            "verb": verb,
            "settings": settings,
            "version": __version__,
            **more,
        }
        return [
            stamp(score, {**facts, "seed": seed}) for score, seed in zip(scores, seeds, strict=True)
        ]

    def described(self, size: str) -> str:
        """Say in a line what the model is, `size` being its network's."""
        span = f"pitches {self.representation.lowest}-{self.representation.highest}"
        grid = f"{self.representation.steps_per_quarter} steps a quarter"
        return f"{self.name} {self.hash[:12]} ({size}, {span}, {grid}: {', '.join(self.verbs)})"

    def __getattr__(self, name: str) -> Any:
        """Verbs of other families: say who can."""
        verb = verb_of_method(name)
        if verb is None or verb in self.verbs:
            raise AttributeError(f"a {self.family} model has no attribute {name!r}")
        raise MissingVerbError(cannot(self.family, verb))


def read_fields(kind: type[Fields], fields: Any) -> Fields:
    """Read the representation of a checkpoint's config, trusting nothing.

    Parameters
    ----------
    kind
        The representation: a dataclass whose defaults say what type each field has. A tuple holds
        whole numbers, and stands as a list in the config.

    Raises
    ------
    CheckpointError
        If the config is not what it must be.
    """
    kinds: dict[str, type] = {
        field.name: list if isinstance(field.default, tuple) else type(field.default)
        for field in fields_of(kind)  # type: ignore[arg-type]
    }
    if not isinstance(fields, dict) or set(fields) - set(kinds):
        raise CheckpointError(
            "the checkpoint's config has no usable representation: it must be an object of "
            f"{', '.join(kinds)}"
        )
    for name, value in fields.items():
        values = value if type(value) is list else []
        if type(value) is not kinds[name] or any(type(item) is not int for item in values):
            raise CheckpointError(
                f"{name} in the checkpoint's representation is {str(value)[:40]!r}"
            )
    try:
        return kind(**fields)
    except ParameterError as error:
        raise CheckpointError(f"the checkpoint's representation is unusable: {error}") from None


def facts_of(sampling: Sampling, settings: Any) -> dict[str, Any]:
    """Collect the temperature and what differs from the defaults, as plain values.

    `settings` is a dataclass of what is asked of the music: constraints, or rules of voices.
    """
    facts: dict[str, Any] = {"temperature": sampling.temperature}
    for given in (sampling, settings):
        usual = type(given)()
        for name in given.__dataclass_fields__:
            value = getattr(given, name)
            if value != getattr(usual, name):
                facts[name] = str(value) if name == "key" else value
    return facts
