"""`partimento interpolate`: the road from one piece to another."""
# ruff: noqa: T201

from pathlib import Path
from typing import Annotated

import typer

from partimento.cli import latent, options
from partimento.cli.hearing_options import Play, Wav, hear
from partimento.cli.listening import Given, read_given, shown
from partimento.errors import ParameterError


def run(
    a: Annotated[str, typer.Argument(help="Where the road begins: a file, notation, an example.")],
    b: Annotated[str, typer.Argument(help="Where it ends.")],
    model: latent.Model = "melody-vae",
    steps: Annotated[int, typer.Option(help="Pieces on the road, A and B among them.")] = 8,
    melody: latent.Melody = "auto",
    temperature: latent.Temperature = 0.0,
    top_p: options.TopP = 1.0,
    top_k: options.TopK = 0,
    seed: options.Seed = 0,
    qpm: options.NotationTempo = None,
    meter: options.NotationMeter = None,
    out: options.Out = None,
    picture: Annotated[
        Path | None, typer.Option(help="Draw the road, step by step: .svg or .png.")
    ] = None,
    json: options.AsJson = False,
    play: Play = False,
    wav: Wav = False,
) -> None:
    """Walk from one piece to another: OUT-1.mid … OUT-N.mid, and all in a row in OUT.mid."""
    from partimento.cli.listening import out_paths
    from partimento.models.load import load

    if picture is not None and picture.suffix.lower() not in (".svg", ".png"):
        raise ParameterError(f"--picture {shown(picture)}: a road is drawn as .svg or .png")
    given = [_read(text, qpm, meter) for text in (a, b)]
    whole = out_paths(out, "road.mid", 1, given[0].path)
    paths = out_paths(whole[0], "road.mid", max(2, steps))
    player = load(model, verb="interpolate")
    road = player.interpolate(
        given[0].score,
        given[1].score,
        steps,
        melody=melody,
        seed=seed,
        temperature=temperature,
        top_p=top_p,
        top_k=top_k,
    )

    if picture is not None:
        from partimento.rendering.files import write_picture
        from partimento.rendering.road import road_svg

        captions = [
            f"{a:.0%} from A, {b:.0%} from B" for a, b in zip(road.to_a, road.to_b, strict=True)
        ]
        title = f"From {given[0].name} to {given[1].name}, by {player.name}"
        write_picture(road_svg(road.scores, captions, title=title), picture)

    def distances(number: int) -> str:
        if number >= steps:
            return ", the whole road"
        return f", {road.to_a[number]:.0%} away from A, {road.to_b[number]:.0%} from B"

    latent.report_windows(
        [*road.scores, road.whole],
        [*paths[:steps], whole[0]],
        heard=road.remarks,
        more=distances,
        facts=lambda number: (
            {"to_a": float(road.to_a[number]), "to_b": float(road.to_b[number])}
            if number < steps
            else {"is_whole_road": True}
        ),
        as_json=json,
    )
    if picture is not None and not json:
        print(f"wrote {shown(picture)}: the road, step by step")
    hear([road.whole], whole, play=play, wav=wav, is_quiet=json)


def _read(text: str, qpm: float | None, meter: str | None) -> Given:
    """Read one end; tempo and meter are for those that are notation."""
    is_notation = ":" in text and not text.lower().endswith((".mid", ".midi"))
    return read_given(text, qpm=qpm, meter=meter) if is_notation else read_given(text)
