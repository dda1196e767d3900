"""What verbs share that write or judge four voices: options, what they refuse, what they say.

Not a verb.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from partimento.cli.listening import deliver, length_of, shown
from partimento.errors import ParameterError

if TYPE_CHECKING:
    from partimento.music.score import Score

Voices = Annotated[
    str,
    typer.Option(
        help="Four-voice models: which voices the music has, `auto` or names as in soprano,bass."
    ),
]
Fit = Annotated[
    bool,
    typer.Option(
        help="Four-voice models: move what does not fit, by octaves and to the grid, saying so."
    ),
]
NoCrossing = Annotated[
    bool, typer.Option("--no-crossing", help="Four-voice models: no voice above the one over it.")
]
AnyRange = Annotated[
    bool, typer.Option("--any-range", help="Four-voice models: voices may leave Bach's ranges.")
]

FOR_MELODIES = ("melody", "key", "lowest", "highest", "hold_bars", "rest_bars")
FOR_VOICES = ("voices", "fit", "no_crossing", "any_range")


def is_of_voices(player: Any) -> bool:
    """Whether a model writes four voices."""
    from partimento.representations.satb import SatbRepresentation

    return isinstance(player.representation, SatbRepresentation)


def refuse_foreign(context: typer.Context, player: Any, *, but: Sequence[str] = ()) -> bool:
    """Refuse options that mean nothing to a model; give back whether it writes four voices.

    Parameters
    ----------
    but
        Options that mean something here, though usually only to other models.
    """
    of_voices = is_of_voices(player)
    for name in FOR_MELODIES if of_voices else FOR_VOICES:
        if name in but or name not in context.params:
            continue
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            whose = "models of melodies" if of_voices else "models of four voices"
            raise ParameterError(
                f"--{name.replace('_', '-')} is for {whose}: {shown(player.name)} is none"
            )
    return of_voices


def report_voices(
    player: Any,
    scores: Sequence["Score"],
    paths: Sequence[Path],
    *,
    given: "Score | None" = None,
    voices: str = "auto",
    fit: bool = False,
    keeps_given: bool = True,
    as_json: bool = False,
) -> None:
    """Write four voices to their files, and say what was made.

    Parameters
    ----------
    given
        The music that was given.
    voices, fit
        How it was read.
    keeps_given
        Whether all of it is in the results, so that their other notes are new.
    """
    remarks = player.hear(given, voices=voices, fit=fit).remarks if given is not None else ()
    before = given.num_notes if given is not None and keeps_given else 0

    def size(score: "Score") -> str:
        bars, seconds = length_of(score)
        new = f"{score.num_notes - before:,} new notes"
        notes = new if before else f"{score.num_notes:,} notes"
        return f"{bars} bar{'s' * (bars != 1)}, {seconds:.1f} s, {notes}"

    def facts(score: "Score") -> dict[str, Any]:
        bars, seconds = length_of(score)
        parts = [_part(score, index) for index in range(len(score.parts))]
        return {"bars": bars, "seconds": seconds, "parts": parts}

    deliver(scores, paths, heard=remarks, as_json=as_json, size=size, facts=facts)


def _part(score: "Score", index: int) -> dict[str, Any]:
    part, division = score.parts[index], score.ticks_per_quarter
    return {
        "name": part.name,
        "notes": [
            {
                "onset_qn": note.onset / division,
                "duration_qn": note.duration / division,
                "pitch": note.pitch,
            }
            for note in part.notes
        ],
    }
