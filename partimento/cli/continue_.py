"""`partimento continue`: go on with a tune."""

from typing import Annotated

import typer

from partimento.cli import options


def run(
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
    qpm: options.NotationTempo = None,
    meter: options.NotationMeter = None,
    out: options.Out = None,
    json: options.AsJson = False,
) -> None:
    """Go on with a tune: the primer unchanged, then new bars in its meter and tempo."""
    from partimento.cli.listening import out_paths, read_given, report
    from partimento.formats import write
    from partimento.models.load import load

    given = read_given(primer, qpm=qpm, meter=meter)
    paths = out_paths(out, f"{given.name}-continued.mid", count, given.path)
    player = load(model, verb="continue")
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
    for score, path in zip(scores, paths, strict=True):
        write(score, path)
    heard = player.hear(given.score, melody).remarks
    report(scores, paths, primer=given.score, heard=heard, as_json=json)
