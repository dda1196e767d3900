"""`partimento humanize`: play the drums of a piece as a drummer would."""

from typing import Annotated

import typer

from partimento.cli import options
from partimento.cli.grooves import Model, Temperature, report_drums
from partimento.cli.hearing_options import Play, Wav, hear
from partimento.cli.picture_options import Roll, draw_rolls


def run(
    music: Annotated[str, typer.Argument(help="MIDI file with drums (channel 10).")],
    model: Model = "drums-groove",
    amount: Annotated[
        float, typer.Option(help="0: as it is. 1: as the model plays it. Between: part of the way.")
    ] = 1.0,
    only: Annotated[
        str | None, typer.Option(help="Write `velocity` or `time` alone; the other stays.")
    ] = None,
    like: Annotated[
        str | None, typer.Option(help="A performance (MIDI file with drums) to play like.")
    ] = None,
    temperature: Temperature = 1.0,
    seed: options.Seed = 0,
    count: options.Count = 1,
    roll: Roll = False,
    out: options.Out = None,
    json: options.AsJson = False,
    play: Play = False,
    wav: Wav = False,
) -> None:
    """Play the drums of a piece as a drummer would: strokes stay, velocity and time change."""
    from partimento.cli.listening import out_paths, read_given
    from partimento.models.load import load

    given = read_given(music)
    other = None if like is None else read_given(like).score
    paths = out_paths(out, f"{given.name}-humanized.mid", count, given.path)
    player = load(model, verb="humanize")
    scores = player.humanize_many(
        given.score,
        count,
        seed=seed,
        temperature=temperature,
        amount=amount,
        only=only,
        like=other,
    )
    remarks = player.hear(given.score).remarks
    report_drums(player, scores, paths, heard=remarks, as_json=json)
    draw_rolls(scores, paths, roll=roll, is_quiet=json)
    hear(scores, paths, play=play, wav=wav, is_quiet=json)
