"""`partimento sample`: make a melody, or four voices, from nothing."""

from typing import Annotated

import typer

from partimento.cli import latent, options
from partimento.cli.hearing_options import Engraved, Play, Wav, hear
from partimento.cli.phrases import refuse_others, report_phrases, writes_phrases
from partimento.cli.picture_options import Roll, draw_rolls
from partimento.cli.voices import AnyRange, NoCrossing, refuse_foreign, report_voices

CONSTRAINTS = ("lowest", "highest", "hold_bars", "rest_bars", "no_crossing", "any_range")
FOREIGN = ("key", *CONSTRAINTS)


def run(
    context: typer.Context,
    model: options.Model = "melody-rnn",
    bars: Annotated[
        int, typer.Option(help="Length in bars; of a VAE its window, of a GAN its phrase.")
    ] = 8,
    meter: Annotated[str, typer.Option(help="Meter.")] = "4/4",
    qpm: Annotated[
        float | None, typer.Option(help="Tempo in quarters a minute; 120, of four voices 80.")
    ] = None,
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
    no_crossing: NoCrossing = False,
    any_range: AnyRange = False,
    straight: latent.Straight = False,
    roll: Roll = False,
    out: options.Out = None,
    json: options.AsJson = False,
    play: Play = False,
    wav: Wav = False,
    engraved: Engraved = False,
) -> None:
    """Make a melody from nothing; or four voices, drums, a quartet if the model writes those."""
    from partimento.cli.listening import out_paths, report
    from partimento.models.load import load

    paths = out_paths(out, "sample.mid", count)
    player = load(model, verb="sample")
    latent.play_straight(player, straight)
    if writes_phrases(player):
        refuse_others(context, player, "top_p", "top_k", *CONSTRAINTS)
        scores = player.sample_many(
            count,
            bars if latent.was_given(context, "bars") else None,
            seed=seed,
            key=key,
            meter=meter if latent.was_given(context, "meter") else None,
            qpm=100 if qpm is None else qpm,
            temperature=temperature,
        )
        report_phrases(scores, paths, as_json=json)
        draw_rolls(scores, paths, roll=roll, is_quiet=json)
        hear(scores, paths, play=play, wav=wav, engraved=engraved, is_quiet=json)
        return
    if latent.is_latent(player):
        latent.refuse_options(context, player, *FOREIGN)
        scores = player.sample_many(
            count,
            bars if latent.was_given(context, "bars") else None,
            seed=seed,
            meter=meter,
            qpm=120 if qpm is None else qpm,
            temperature=temperature if latent.was_given(context, "temperature") else 0.5,
            top_p=top_p,
            top_k=top_k,
        )
        latent.report_windows(scores, paths, as_json=json)
        draw_rolls(scores, paths, roll=roll, is_quiet=json)
        hear(scores, paths, play=play, wav=wav, engraved=engraved, is_quiet=json)
        return
    if refuse_foreign(context, player, but=("key",)):
        scores = player.sample_many(
            count,
            bars,
            seed=seed,
            meter=meter,
            qpm=80 if qpm is None else qpm,
            key=key,
            temperature=temperature,
            top_p=top_p,
            top_k=top_k,
            keep_ranges=not any_range,
            no_crossing=no_crossing,
        )
        report_voices(player, scores, paths, as_json=json)
        draw_rolls(scores, paths, roll=roll, is_quiet=json)
        hear(scores, paths, play=play, wav=wav, engraved=engraved, is_quiet=json)
        return
    scores = player.sample_many(
        count,
        bars,
        seed=seed,
        meter=meter,
        qpm=120 if qpm is None else qpm,
        temperature=temperature,
        top_p=top_p,
        top_k=top_k,
        key=key,
        lowest=lowest,
        highest=highest,
        hold_bars=hold_bars,
        rest_bars=rest_bars,
    )
    report(scores, paths, as_json=json)
    draw_rolls(scores, paths, roll=roll, is_quiet=json)
    hear(scores, paths, play=play, wav=wav, engraved=engraved, is_quiet=json)
