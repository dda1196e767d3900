"""`load`: a model by its name or its folder, ready to make music.

`FAMILIES` is the whole list of what there is: each family, the class on its page, and the verbs it
can do.
"""

import os
from importlib import import_module
from typing import Any, NamedTuple

from partimento.checkpoints import open_checkpoint
from partimento.errors import CheckpointError, VerbError

METHODS = {  # verb: the method of a model that does it
    "sample": "sample",
    "continue": "continue_from",
    "next": "next",
    "harmonize": "harmonize",
    "infill": "infill",
    "accompany": "accompany",
    "humanize": "humanize",
    "drums": "drums",
    "vary": "vary",
    "interpolate": "interpolate",
    "reconstruct": "reconstruct",
    "encode": "encode",
    "decode": "decode",
    "likelihood": "likelihood",
}


class Family(NamedTuple):
    """Where a family of models lives, and what its models can do."""

    module: str
    model: str
    verbs: tuple[str, ...]


LATENT_VERBS = ("sample", "reconstruct", "interpolate", "vary", "encode", "decode", "likelihood")
GROOVE_VERBS = ("humanize", "drums")
FAMILIES = {
    "melody-rnn": Family(
        "partimento.models.melody_rnn",
        "MelodyRNNModel",
        ("continue", "sample", "next", "likelihood"),
    ),
    "bach-rnn": Family(
        "partimento.models.bach_rnn",
        "BachRNNModel",
        ("continue", "sample", "next", "harmonize", "likelihood"),
    ),
    "bach-cnn": Family(
        "partimento.models.bach_cnn",
        "BachCNNModel",
        ("harmonize", "infill", "sample", "next", "likelihood"),
    ),
    "melody-vae": Family("partimento.models.bars_vae", "BarsVAEModel", LATENT_VERBS),
    "drums-vae": Family("partimento.models.bars_vae", "BarsVAEModel", LATENT_VERBS),
    "quartet-vae": Family("partimento.models.bars_vae", "BarsVAEModel", LATENT_VERBS),
    "drums-groove": Family("partimento.models.groove", "GrooveModel", GROOVE_VERBS),
    "quartet-gan": Family(
        "partimento.models.quartet_gan",
        "QuartetGANModel",
        ("sample", "accompany", "interpolate"),
    ),
}
REASONS = {
    ("quartet-gan", "likelihood"): "a GAN has no likelihood: it makes music without saying how "
    "probable it is",
}


class MissingVerbError(VerbError, AttributeError):
    """A verb of another family; to Python's `hasattr` an attribute that is not there."""


def load(name_or_path: str | os.PathLike[str], *, verb: str | None = None, threads: int = 1) -> Any:
    """Open a model.

    Parameters
    ----------
    name_or_path
        One that ships (`partimento models` lists them), or a checkpoint folder.
    verb
        What it is needed for; a model that cannot do it is refused.
    threads
        Of ONNX Runtime, which is imported when the model is first used. Results do not depend on
        it; one is fastest for a few melodies.

    Returns
    -------
    model
        As the page of its family says: `MelodyRNNModel` for ``melody-rnn``.

    Raises
    ------
    CheckpointError
        If there is no such model, or its folder is damaged, unsafe or of another version.
    VerbError
        If its family cannot do `verb`.
    """
    checkpoint = open_checkpoint(name_or_path)
    family = checkpoint.config.get("family")
    if not isinstance(family, str) or family not in FAMILIES:
        raise CheckpointError(
            f"{str(name_or_path)!r} is of the family {str(family)[:40]!r}, which this version does "
            f"not know: it knows {', '.join(FAMILIES)}. A newer partimento may"
        )
    if verb is not None and verb not in FAMILIES[family].verbs:
        raise MissingVerbError(cannot(family, verb))
    page = import_module(FAMILIES[family].module)
    return getattr(page, FAMILIES[family].model)(checkpoint, threads=threads)


def cannot(family: str, verb: str) -> str:
    """Say that a family cannot do a verb, and which can."""
    able = [name for name, other in FAMILIES.items() if verb in other.verbs]
    others = f"models that can: {', '.join(able)}" if able else "no model of this version can"
    reason = f" ({REASONS[family, verb]})" if (family, verb) in REASONS else ""
    return f"{family} cannot {verb}{reason}, only {', '.join(FAMILIES[family].verbs)}; {others}"


def verb_of_method(method: str) -> str | None:
    """Name the verb behind a method, `None` where the method is none."""
    return next((verb for verb, name in METHODS.items() if method in (name, verb)), None)
