"""`partimento harmonize`: write the voices that a melody lacks."""

from typing import Annotated

import typer

from partimento.cli import options
from partimento.cli.hearing_options import Engraved, Play, Wav, hear
from partimento.cli.picture_options import Roll, draw_rolls
from partimento.cli.voices import AnyRange, Fit, NoCrossing, refuse_foreign, report_voices


def run(
    context: typer.Context,
    music: options.Primer,
    model: options.Model = "bach-cnn",
    voice: Annotated[
        list[str] | None,
        typer.Option(
            help="What is given: soprano, alto, tenor or bass; once for each voice, in the order "
            "of the parts. Without it: found out."
        ),
    ] = None,
    temperature: options.Temperature = 1.0,
    top_p: options.TopP = 1.0,
    top_k: options.TopK = 0,
    seed: options.Seed = 0,
    count: options.Count = 1,
    fit: Fit = False,
    no_crossing: NoCrossing = False,
    any_range: AnyRange = False,
    qpm: options.NotationTempo = None,
    meter: options.NotationMeter = None,
    roll: Roll = False,
    out: options.Out = None,
    json: options.AsJson = False,
    play: Play = False,
    wav: Wav = False,
    engraved: Engraved = False,
) -> None:
    """Write the voices that a piece lacks: what is given comes back as it was."""
    from partimento.cli.listening import out_paths, read_given
    from partimento.models.load import load

    given = read_given(music, qpm=qpm, meter=meter)
    paths = out_paths(out, f"{given.name}-harmonized.mid", count, given.path)
    player = load(model, verb="harmonize")
    refuse_foreign(context, player)
    voices = ",".join(voice) if voice else "auto"
    scores = player.harmonize_many(
        given.score,
        count,
        seed=seed,
        voices=voices,
        fit=fit,
        temperature=temperature,
        top_p=top_p,
        top_k=top_k,
        keep_ranges=not any_range,
        no_crossing=no_crossing,
    )
    report_voices(player, scores, paths, given=given.score, voices=voices, fit=fit, as_json=json)
    draw_rolls(scores, paths, roll=roll, is_quiet=json)
    hear(scores, paths, play=play, wav=wav, engraved=engraved, is_quiet=json)
