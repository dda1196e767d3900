"""What the verbs of models with a space of `z` share: `interpolate`, `vary`, `reconstruct` ….

Not a verb.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from partimento.cli.listening import deliver, length_of, shown
from partimento.errors import ParameterError

if TYPE_CHECKING:
    import numpy as np

    from partimento.music.score import Score

Model = Annotated[
    str, typer.Option(help="Name or checkpoint folder: melody-vae, drums-vae, quartet-vae.")
]
Temperature = Annotated[
    float, typer.Option(help="0: the likeliest at each point. 1: all that it may mean.")
]
Straight = Annotated[
    bool,
    typer.Option("--straight", help="Drums even and on the grid; else drums-groove plays them."),
]
Melody = Annotated[str, typer.Option(help="Part to listen to: its number, `skyline` or `auto`.")]


def is_latent(player: Any) -> bool:
    """Whether a model is a VAE of bars."""
    from partimento.representations.bars import BarsRepresentation

    return isinstance(player.representation, BarsRepresentation)


def play_straight(player: Any, straight: bool) -> None:
    """Have strokes even and on the grid, where that is asked for."""
    if not straight:
        return
    if not is_latent(player) or player.representation.kind != "drums":
        raise ParameterError(f"--straight is for drums, and {shown(player.name)} writes none")
    player.is_straight = True


def refuse_options(context: typer.Context, player: Any, *names: str) -> None:
    """Refuse options that mean nothing to a VAE of bars."""
    for name in names:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise ParameterError(
                f"--{name.replace('_', '-')} means nothing to {shown(player.name)}, whose points "
                "are whole windows"
            )


def was_given(context: typer.Context, name: str) -> bool:
    """Whether an option was written on the command line."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def report_windows(
    scores: Sequence["Score"],
    paths: Sequence[Path],
    *,
    heard: Sequence[str] = (),
    more: Callable[[int], str] = lambda number: "",
    facts: Callable[[int], dict[str, Any]] = lambda number: {},
    as_json: bool = False,
) -> None:
    """Write pieces to their files, and say what was made.

    Parameters
    ----------
    heard
        Remarks on what the model heard.
    more, facts
        What else to say of each, in words and in JSON.
    """
    numbers = {id(score): number for number, score in enumerate(scores)}

    def size(score: "Score") -> str:
        bars, seconds = length_of(score)
        words = more(numbers[id(score)])
        what = "stroke" if score.parts[0].is_drum else "note"
        count = f"{score.num_notes:,} {what}{'s' * (score.num_notes != 1)}"
        return f"{bars} bar{'s' * (bars != 1)}, {seconds:.1f} s, {count}{words}"

    def plain(score: "Score") -> dict[str, Any]:
        bars, seconds = length_of(score)
        about = facts(numbers[id(score)])
        return {"bars": bars, "seconds": seconds, "notes": score.num_notes, **about}

    def notes(score: "Score") -> str:
        from partimento.music.notation import format_text

        if score.parts[0].is_drum or len(score.parts) > 1:
            return ""
        text = format_text(score, with_bars=True)
        return text if len(text) <= 300 else text[:300].rsplit(" ", 1)[0] + " …"

    deliver(scores, paths, heard=heard, as_json=as_json, size=size, facts=plain, notes=notes)


def read_points(path: Path) -> "np.ndarray":
    """Read points from a .npy file (never unpickled) or a .json file."""
    import numpy as np

    try:
        if path.suffix.lower() == ".npy":
            return np.load(path, allow_pickle=False)
        content = json.loads(path.read_text())
        return np.asarray(content["z"] if isinstance(content, dict) else content, dtype=float)
    except OSError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:120]
        raise ParameterError(
            f"{shown(path)} holds no points ({shown(reason)}): give a .npy or .json file that "
            "`partimento encode` wrote"
        ) from None


def write_points(path: Path, z: "np.ndarray", about: dict[str, Any]) -> None:
    """Write points as .npy, or as .json with where they come from."""
    import numpy as np

    if path.suffix.lower() == ".npy":
        np.save(path, z, allow_pickle=False)
    elif path.suffix.lower() == ".json":
        path.write_text(json.dumps({**about, "z": z.tolist()}) + "\n")
    else:
        raise ParameterError(f"-o {shown(path)}: points are written as .npy or .json")
