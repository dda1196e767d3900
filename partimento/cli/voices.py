"""What verbs share that write or judge four voices: options, what they refuse, what they say.

Not a verb.
"""
# ruff: noqa: T201

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from partimento.cli.listening import shown
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
    scores: Sequence["Score"],
    paths: Sequence[Path],
    *,
    given: "Score | None" = None,
    heard: Sequence[str] = (),
    as_json: bool = False,
) -> None:
    """Say what was made, by which model, and how to make another.

    Parameters
    ----------
    given
        The music that was given, which is in the results.
    heard
        Remarks on what the model heard of it.
    """
    from partimento.music.provenance import read_stamps
    from partimento.music.timing import BarMap, TempoMap

    stamps = [read_stamps(score)[-1] for score in scores]
    if as_json:
        facts = {name: stamps[0][name] for name in ("model", "hash", "verb", "settings", "version")}
        pieces = [
            {
                "file": str(path),
                "seed": made["seed"],
                "bars": BarMap.of(score).count(score.end_tick),
                "seconds": float(TempoMap.of(score).seconds(score.end_tick)),
                "parts": [_part(score, index) for index in range(len(score.parts))],
            }
            for score, path, made in zip(scores, paths, stamps, strict=True)
        ]
        print(json.dumps({**facts, "heard": list(heard), "pieces": pieces}, indent=2))
        return
    for remark in heard:
        print(f"note: {remark}")
    before = given.num_notes if given is not None else 0
    for score, path, made in zip(scores, paths, stamps, strict=True):
        bars = BarMap.of(score).count(score.end_tick)
        seconds = float(TempoMap.of(score).seconds(score.end_tick))
        notes = (
            f"{score.num_notes - before:,} new notes" if before else f"{score.num_notes:,} notes"
        )
        print(
            f"wrote {shown(path)}: {bars} bar{'s' * (bars != 1)}, {seconds:.1f} s, {notes}, seed "
            f"{made['seed']}"
        )
    settings = ", ".join(
        f"{name} {value}" for name, value in stamps[0]["settings"].items() if name != "primer"
    )
    print(f"made by {shown(stamps[0]['model'])} ({stamps[0]['hash']}): {settings}")
    print(
        f"more of it: the same with --seed {stamps[-1]['seed'] + 1}; the same again: the same seed"
    )


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
