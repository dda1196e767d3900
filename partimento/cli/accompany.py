"""`partimento accompany`: write the other parts to one that is given."""

from typing import Annotated

import typer

from partimento.cli import options
from partimento.cli.hearing_options import Engraved, Play, Wav, hear
from partimento.cli.phrases import report_phrases
from partimento.cli.picture_options import Roll, draw_rolls


def run(
    music: options.Primer,
    model: options.Model = "quartet-gan",
    melody: Annotated[
        str, typer.Option(help="Part that is given: its number, or `auto`.")
    ] = "auto",
    track: Annotated[
        str,
        typer.Option(help="Instrument that plays it: `viola`; `auto` is the first that can."),
    ] = "auto",
    fit: Annotated[
        bool,
        typer.Option(
            "--fit",
            help="Move it by octaves, read it in the model's meter, cut it: as much as is needed, "
            "and say so.",
        ),
    ] = False,
    temperature: Annotated[
        float, typer.Option(help="Size of the noise: 1 is usual, less is tamer.")
    ] = 1.0,
    seed: options.Seed = 0,
    count: options.Count = 1,
    qpm: options.NotationTempo = None,
    meter: options.NotationMeter = None,
    roll: Roll = False,
    out: options.Out = None,
    json: options.AsJson = False,
    play: Play = False,
    wav: Wav = False,
    engraved: Engraved = False,
) -> None:
    """Write the other instruments' parts to a part: what is given comes back as it was."""
    from partimento.cli.listening import out_paths, read_given
    from partimento.models.load import load

    given = read_given(music, qpm=qpm, meter=meter)
    paths = out_paths(out, f"{given.name}-accompanied.mid", count, given.path)
    player = load(model, verb="accompany")
    heard = player.heard(given.score, part=melody, track=track, fit=fit)
    scores = player.accompany_many(
        given.score, count, part=melody, track=track, fit=fit, seed=seed, temperature=temperature
    )
    report_phrases(scores, paths, heard=heard.remarks, as_json=json)
    draw_rolls(scores, paths, roll=roll, is_quiet=json)
    hear(scores, paths, play=play, wav=wav, engraved=engraved, is_quiet=json)
