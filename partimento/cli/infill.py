"""`partimento infill`: write some bars of some voices anew."""

import re
from typing import Annotated

import typer

from partimento.cli import options
from partimento.cli.hearing_options import Engraved, Play, Wav, hear
from partimento.cli.picture_options import Roll, draw_rolls
from partimento.cli.voices import AnyRange, Fit, NoCrossing, refuse_foreign, report_voices
from partimento.errors import ParameterError


def run(
    context: typer.Context,
    music: options.Primer,
    model: options.Model = "bach-cnn",
    bars: Annotated[str, typer.Option(help="Bars to write: 3, 3-4, or all.")] = "all",
    voices: Annotated[
        str, typer.Option(help="Voices to write there: names as in alto,tenor, or all.")
    ] = "all",
    read_as: Annotated[
        str, typer.Option(help="Which voices the music has: names as in soprano,bass, or auto.")
    ] = "auto",
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
    """Write some bars of some voices anew: all else comes back as it was."""
    from partimento.cli.listening import out_paths, read_given
    from partimento.models.load import load

    asked = read_bars(bars)
    given = read_given(music, qpm=qpm, meter=meter)
    paths = out_paths(out, f"{given.name}-infilled.mid", count, given.path)
    player = load(model, verb="infill")
    refuse_foreign(context, player, but=("voices",))
    scores = player.infill_many(
        given.score,
        count,
        bars=asked,
        voices=voices,
        seed=seed,
        read_as=read_as,
        fit=fit,
        temperature=temperature,
        top_p=top_p,
        top_k=top_k,
        keep_ranges=not any_range,
        no_crossing=no_crossing,
    )
    report_voices(
        player,
        scores,
        paths,
        given=given.score,
        voices=read_as,
        fit=fit,
        keeps_given=False,
        as_json=json,
    )
    draw_rolls(scores, paths, roll=roll, is_quiet=json)
    hear(scores, paths, play=play, wav=wav, engraved=engraved, is_quiet=json)


def read_bars(text: str) -> tuple[int, int] | None:
    """Read bars: ``"3"``, ``"3-4"``, or ``"all"``, which is `None`."""
    if text.strip().lower() == "all":
        return None
    found = re.fullmatch(r"\s*(\d{1,6})\s*(?:-\s*(\d{1,6})\s*)?", text, re.ASCII)
    if not found:
        raise ParameterError(f"--bars must be as in 3, 3-4 or all, got {text[:40]!r}")
    first = int(found[1])
    return first, int(found[2]) if found[2] else first
