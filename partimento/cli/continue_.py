"""`partimento continue`: go on with a tune."""

from typing import Annotated

import typer

from partimento.cli import options
from partimento.cli.hearing_options import Engraved, Play, Wav, hear
from partimento.cli.picture_options import Roll, draw_rolls
from partimento.cli.voices import AnyRange, Fit, NoCrossing, Voices, refuse_foreign, report_voices


def run(
    context: typer.Context,
    primer: options.Primer,
    model: options.Model = "melody-rnn",
    bars: Annotated[int, typer.Option(help="New bars, after the primer's last.")] = 8,
    temperature: options.Temperature = 1.0,
    top_p: options.TopP = 1.0,
    top_k: options.TopK = 0,
    seed: options.Seed = 0,
    count: options.Count = 1,
    key: options.Key = None,
    lowest: options.Lowest = None,
    highest: options.Highest = None,
    hold_bars: options.HoldBars = None,
    rest_bars: options.RestBars = 2.0,
    melody: Annotated[
        str,
        typer.Option(
            help="Part to go on with: its number, `skyline` (top line), or `auto`: the first "
            "single line."
        ),
    ] = "auto",
    voices: Voices = "auto",
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
    """Go on with a tune: the primer unchanged, then new bars in its meter and tempo."""
    from partimento.cli.listening import out_paths, read_given, report
    from partimento.models.load import load

    given = read_given(primer, qpm=qpm, meter=meter)
    paths = out_paths(out, f"{given.name}-continued.mid", count, given.path)
    player = load(model, verb="continue")
    if refuse_foreign(context, player):
        scores = player.continue_many(
            given.score,
            count,
            bars,
            seed=seed,
            voices=voices,
            fit=fit,
            temperature=temperature,
            top_p=top_p,
            top_k=top_k,
            keep_ranges=not any_range,
            no_crossing=no_crossing,
        )
        report_voices(
            player, scores, paths, given=given.score, voices=voices, fit=fit, as_json=json
        )
        draw_rolls(scores, paths, roll=roll, is_quiet=json)
        hear(scores, paths, play=play, wav=wav, engraved=engraved, is_quiet=json)
        return
    scores = player.continue_many(
        given.score,
        count,
        bars,
        seed=seed,
        melody=melody,
        temperature=temperature,
        top_p=top_p,
        top_k=top_k,
        key=key,
        lowest=lowest,
        highest=highest,
        hold_bars=hold_bars,
        rest_bars=rest_bars,
    )
    heard = player.hear(given.score, melody).remarks
    report(scores, paths, primer=given.score, heard=heard, as_json=json)
    draw_rolls(scores, paths, roll=roll, is_quiet=json)
    hear(scores, paths, play=play, wav=wav, engraved=engraved, is_quiet=json)
