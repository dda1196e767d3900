"""`partimento drums`: drums that go with a rhythm, tapped or of a tune."""

from typing import Annotated

import typer

from partimento.cli import options
from partimento.cli.grooves import Model, report_drums
from partimento.cli.hearing_options import Play, Wav, hear
from partimento.cli.picture_options import Roll, draw_rolls


def run(
    music: options.Primer,
    model: Model = "drums-groove",
    keep: Annotated[
        str,
        typer.Option(
            help="Drums of the piece that stay, as in kick,snare; the others are written."
        ),
    ] = "",
    alone: Annotated[bool, typer.Option(help="Write the drums without the tune.")] = False,
    temperature: Annotated[
        float, typer.Option(help="1: as drummers differ. Below: plainer. 0: the likeliest.")
    ] = 0.5,
    seed: options.Seed = 0,
    count: options.Count = 1,
    qpm: options.NotationTempo = None,
    meter: options.NotationMeter = None,
    roll: Roll = False,
    out: options.Out = None,
    json: options.AsJson = False,
    play: Play = False,
    wav: Wav = False,
) -> None:
    """Write drums that go with a rhythm: of a tune, of taps, or of some drums that stay."""
    from partimento.cli.listening import out_paths, read_given
    from partimento.models.load import load

    given = read_given(music, qpm=qpm, meter=meter)
    paths = out_paths(out, f"{given.name}-drums.mid", count, given.path)
    player = load(model, verb="drums")
    scores = player.drums_many(
        given.score,
        count,
        keep=[name.strip() for name in keep.split(",") if name.strip()],
        alone=alone,
        seed=seed,
        temperature=temperature,
    )
    report_drums(player, scores, paths, as_json=json)
    draw_rolls(scores, paths, roll=roll, is_quiet=json)
    hear(scores, paths, play=play, wav=wav, is_quiet=json)
