"""What the verbs share where a model writes for several instruments: `sample`, `accompany` ….

Not a verb.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from partimento.cli.latent import was_given
from partimento.cli.listening import deliver, length_of, shown
from partimento.errors import ParameterError

if TYPE_CHECKING:
    from partimento.music.score import Score


def writes_phrases(player: Any) -> bool:
    """Whether a model writes phrases for several instruments."""
    from partimento.representations.phrases import PhraseRepresentation

    return isinstance(player.representation, PhraseRepresentation)


def refuse_others(context: typer.Context, player: Any, *names: str) -> None:
    """Refuse options that mean nothing to a GAN."""
    for name in names:
        if was_given(context, name):
            raise ParameterError(
                f"--{name.replace('_', '-')} means nothing to {shown(player.name)}: a GAN draws "
                "noise, and no notes by their probability"
            )


def report_phrases(
    scores: Sequence["Score"],
    paths: Sequence[Path],
    *,
    heard: Sequence[str] = (),
    more: Callable[[int], str] = lambda number: "",
    facts: Callable[[int], dict[str, Any]] = lambda number: {},
    as_json: bool = False,
) -> None:
    """Write pieces to their files, and say what was made; see `latent.report_windows`."""
    numbers = {id(score): number for number, score in enumerate(scores)}

    def size(score: "Score") -> str:
        bars, seconds = length_of(score)
        parts = ", ".join(f"{shown(part.name.strip())} {len(part.notes)}" for part in score.parts)
        length = f"{bars} bar{'s' * (bars != 1)}, {seconds:.1f} s"
        return f"{length}, notes: {parts}{more(numbers[id(score)])}"

    def plain(score: "Score") -> dict[str, Any]:
        bars, seconds = length_of(score)
        notes = {part.name: len(part.notes) for part in score.parts}
        return {"bars": bars, "seconds": seconds, "notes": notes, **facts(numbers[id(score)])}

    deliver(scores, paths, heard=heard, as_json=as_json, size=size, facts=plain)
