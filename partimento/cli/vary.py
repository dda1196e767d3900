"""`partimento vary`: something like a piece, or the piece with a slider turned."""

from typing import Annotated

import typer

from partimento.cli import latent, options
from partimento.cli.hearing_options import Engraved, Play, Wav, hear
from partimento.cli.picture_options import Roll, draw_rolls
from partimento.errors import ParameterError


def run(
    music: options.Primer,
    model: latent.Model = "melody-vae",
    amount: Annotated[
        float | None,
        typer.Option(
            help="0: the same. 1: anything. 0.3 where nothing is said. With sliders: how far they "
            "are turned, in standard deviations; 1 where nothing is said."
        ),
    ] = None,
    more: Annotated[
        list[str] | None, typer.Option(help="A slider to turn up: density, register, leaps …")
    ] = None,
    less: Annotated[list[str] | None, typer.Option(help="A slider to turn down.")] = None,
    melody: latent.Melody = "auto",
    temperature: latent.Temperature = 0.0,
    top_p: options.TopP = 1.0,
    top_k: options.TopK = 0,
    seed: options.Seed = 0,
    count: options.Count = 1,
    qpm: options.NotationTempo = None,
    meter: options.NotationMeter = None,
    straight: latent.Straight = False,
    roll: Roll = False,
    out: options.Out = None,
    json: options.AsJson = False,
    play: Play = False,
    wav: Wav = False,
    engraved: Engraved = False,
) -> None:
    """Make something like a piece: by chance (--amount), or by sliders (--more, --less)."""
    from partimento.cli.listening import out_paths, read_given
    from partimento.models.load import load

    given = read_given(music, qpm=qpm, meter=meter)
    paths = out_paths(out, f"{given.name}-varied.mid", count, given.path)
    player = load(model, verb="vary")
    latent.play_straight(player, straight)
    turned: dict[str, float] = {}
    for sign, names in ((1.0, more), (-1.0, less)):
        for name in names or []:
            if name in turned:
                raise ParameterError(f"{name} is turned twice: say --more or --less once")
            turned[name] = sign * (1.0 if amount is None else amount)
    scores = player.vary_many(
        given.score,
        count,
        0.0 if turned else amount,
        more=turned,
        melody=melody,
        seed=seed,
        temperature=temperature,
        top_p=top_p,
        top_k=top_k,
    )
    heard = player.hear(given.score, melody=melody).remarks
    latent.report_windows(scores, paths, heard=heard, as_json=json)
    draw_rolls(scores, paths, roll=roll, is_quiet=json)
    hear(scores, paths, play=play, wav=wav, engraved=engraved, is_quiet=json)
