"""`partimento interpolate`: the road from one piece to another."""
# ruff: noqa: T201

from pathlib import Path
from typing import Annotated

import typer

from partimento.cli import latent, options, phrases
from partimento.cli.hearing_options import Engraved, Play, Wav, hear
from partimento.cli.listening import Given, read_given, shown
from partimento.cli.picture_options import Roll, draw_rolls
from partimento.errors import ParameterError

MEANINGLESS = ("melody", "top_p", "top_k", "seed", "meter")  # to a GAN


def run(
    context: typer.Context,
    a: Annotated[
        str,
        typer.Argument(
            help="Where the road begins: a file, notation, an example; of a GAN a seed, as 3."
        ),
    ],
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
    straight: latent.Straight = False,
    roll: Roll = False,
    out: options.Out = None,
    picture: Annotated[
        Path | None, typer.Option(help="Draw the road, step by step: .svg or .png.")
    ] = None,
    json: options.AsJson = False,
    play: Play = False,
    wav: Wav = False,
    engraved: Engraved = False,
) -> None:
    """Walk from one piece to another: OUT-1.mid … OUT-N.mid, and all in a row in OUT.mid."""
    from partimento.cli.listening import out_paths
    from partimento.models.load import load

    if picture is not None and picture.suffix.lower() not in (".svg", ".png"):
        raise ParameterError(f"--picture {shown(picture)}: a road is drawn as .svg or .png")
    player = load(model, verb="interpolate")
    latent.play_straight(player, straight)
    is_of_seeds = phrases.writes_phrases(player)
    if is_of_seeds:
        phrases.refuse_others(context, player, *MEANINGLESS)
        whole = out_paths(out, "road.mid", 1)
    else:
        given = [_read(text, qpm, meter) for text in (a, b)]
        whole = out_paths(out, "road.mid", 1, given[0].path)
    paths = out_paths(whole[0], "road.mid", max(2, steps))
    if is_of_seeds:
        names = [f"seed {text}" for text in (a, b)]
        drawing = {"temperature": temperature if latent.was_given(context, "temperature") else 1.0}
        if qpm is not None:
            drawing["qpm"] = qpm
        road = player.interpolate(*(_seed(text) for text in (a, b)), steps, **drawing)
    else:
        names = [one.name for one in given]
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
        title = f"From {names[0]} to {names[1]}, by {player.name}"
        write_picture(road_svg(road.scores, captions, title=title), picture)

    def distances(number: int) -> str:
        if number >= steps:
            return ", the whole road"
        return f", {road.to_a[number]:.0%} away from A, {road.to_b[number]:.0%} from B"

    tell = phrases.report_phrases if is_of_seeds else latent.report_windows
    tell(
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
    draw_rolls([*road.scores, road.whole], [*paths[:steps], whole[0]], roll=roll, is_quiet=json)
    if picture is not None and not json:
        print(f"wrote {shown(picture)}: the road, step by step")
    hear([road.whole], whole, play=play, wav=wav, engraved=engraved, is_quiet=json)


def _seed(text: str) -> int:
    if text.isascii() and text.isdecimal() and len(text) < 20:
        return int(text)
    raise ParameterError(
        f"{shown(text[:40])!r} is no seed: a GAN hears no music, its roads lead from the phrase of "
        "one seed to that of another, as in `partimento interpolate 3 7 --model quartet-gan`"
    )


def _read(text: str, qpm: float | None, meter: str | None) -> Given:
    """Read one end; tempo and meter are for those that are notation."""
    is_notation = ":" in text and not text.lower().endswith((".mid", ".midi"))
    return read_given(text, qpm=qpm, meter=meter) if is_notation else read_given(text)
