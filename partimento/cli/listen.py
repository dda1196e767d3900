"""`partimento listen`: hear and see a network learn, from the samples its run has kept."""
# ruff: noqa: T201

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from partimento.cli import options

if TYPE_CHECKING:
    from partimento.models.listening import Learning

SOUNDS, PICTURES = (".mid", ".midi", ".wav"), (".svg", ".png")


def run(
    run: Annotated[Path, typer.Argument(help="Folder of a run: the --out of `partimento train`.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="File to write: .mid or .wav; learning.mid if not given."),
    ] = None,
    picture: Annotated[
        Path | None,
        typer.Option(help="Losses and piano rolls as a picture: .svg or .png."),
    ] = None,
    json: options.AsJson = False,
) -> None:
    """Hear a network learn: all samples of a run in a row, and its losses as a picture.

    A run keeps what the network plays, from one primer and one seed, before its first step, after
    1, 2, 4, 8 and so on, and with the best weights. The run may still be under way.
    """
    from partimento.cli.listening import shown
    from partimento.models.listening import Learning

    out = out or Path("learning.mid")
    _check(out, "-o", SOUNDS)
    if picture is not None:
        _check(picture, "--picture", PICTURES)
    learning = Learning.of(run)
    score = learning.score()
    files = {}
    if out.suffix.lower() == ".wav":
        from partimento.rendering.files import render

        files[out] = render(score, out)
    else:
        from partimento.formats import write

        write(score, out)
        files[out] = f"{len(learning.samples)} samples, {score.num_notes:,} notes"
    if picture is not None:
        _draw(learning, picture)
        files[picture] = f"losses and {len(learning.samples)} piano rolls"
    facts = _facts(learning)
    if json:
        from json import dumps

        print(dumps(facts | {"files": [str(path) for path in files]}, indent=2))
        return
    print(_said(learning, facts))
    for path, words in files.items():
        print(f"wrote {shown(path)}: {words}")


def _check(path: Path, option: str, kinds: tuple[str, ...]) -> None:
    """Refuse what cannot be written, before anything is read."""
    from partimento.cli.listening import shown
    from partimento.errors import ParameterError

    if path.suffix.lower() not in kinds:
        raise ParameterError(f"{option} {shown(path)}: write {' or '.join(kinds)}")
    if path.is_dir():
        raise ParameterError(f"{option} {shown(path)} is a folder: name a file")
    if not path.parent.is_dir():
        raise ParameterError(f"{option} {shown(path)}: there is no folder {shown(path.parent)}")


def _draw(learning: "Learning", path: Path) -> None:
    from partimento.rendering.files import write_picture

    write_picture(learning.svg(), path)


def _facts(learning: "Learning") -> dict[str, Any]:
    return {
        "name": learning.name,
        "is_finished": learning.is_finished,
        "baselines": learning.baselines,
        "samples": [
            {
                "step": sample.step,
                "is_best": sample.is_best,
                "loss": sample.loss,
                "held_out": (look := learning.look_near(sample)) and look[1],
                "held_out_at_step": look and look[0],
                "notes": sample.score.num_notes,
                "starts_at_seconds": round(start, 3),
            }
            for sample, start in zip(learning.samples, learning.starts_seconds(), strict=True)
        ],
        "problems": learning.problems,
    }


def _said(learning: "Learning", facts: dict[str, Any]) -> str:
    from partimento.cli.listening import shown

    end = "finished" if learning.is_finished else "not finished: more samples may come"
    lines = [f"{shown(learning.name)} ({end})"]
    for sample, said in zip(learning.samples, facts["samples"], strict=True):
        minutes, seconds = divmod(int(said["starts_at_seconds"]), 60)
        lines.append(f"  {minutes}:{seconds:02}  {learning.caption(sample)}")
    if learning.baselines:
        beside = (f"{nats:.3f} {words}" for words, nats in learning.baselines.items())
        lines.append(f"  beside it: {', '.join(beside)}")
    lines += [f"passed over: {shown(problem)}" for problem in learning.problems]
    return "\n".join(lines)
