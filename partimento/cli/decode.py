"""`partimento decode`: the music that lies at points of a model's space."""

from pathlib import Path
from typing import Annotated

import typer

from partimento.cli import latent, options
from partimento.cli.hearing_options import Engraved, Play, Wav, hear
from partimento.cli.picture_options import Roll, draw_rolls


def run(
    points: Annotated[Path, typer.Argument(help="A .npy or .json file, as `encode` writes it.")],
    model: latent.Model = "melody-vae",
    temperature: latent.Temperature = 0.0,
    top_p: options.TopP = 1.0,
    top_k: options.TopK = 0,
    seed: options.Seed = 0,
    qpm: Annotated[float, typer.Option(help="Tempo in quarters a minute.")] = 120,
    meter: Annotated[str, typer.Option(help="Meter.")] = "4/4",
    straight: latent.Straight = False,
    roll: Roll = False,
    out: options.Out = None,
    json: options.AsJson = False,
    play: Play = False,
    wav: Wav = False,
    engraved: Engraved = False,
) -> None:
    """Write the windows that lie at points, in a row."""
    from partimento.cli.listening import out_paths
    from partimento.models.load import load

    z = latent.read_points(points)
    paths = out_paths(out, f"{points.stem}.mid", 1)
    player = load(model, verb="decode")
    latent.play_straight(player, straight)
    score = player.decode(
        z, seed=seed, meter=meter, qpm=qpm, temperature=temperature, top_p=top_p, top_k=top_k
    )
    latent.report_windows([score], paths, as_json=json)
    draw_rolls([score], paths, roll=roll, is_quiet=json)
    hear([score], paths, play=play, wav=wav, engraved=engraved, is_quiet=json)
