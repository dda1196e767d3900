"""`partimento sample`: make a melody from nothing."""

from typing import Annotated

import typer

from partimento.cli import options


def run(
    model: options.Model = "melody-rnn",
    bars: Annotated[int, typer.Option(help="Length in bars.")] = 8,
    meter: Annotated[str, typer.Option(help="Meter.")] = "4/4",
    qpm: Annotated[float, typer.Option(help="Tempo in quarters a minute.")] = 120,
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
    out: options.Out = None,
    json: options.AsJson = False,
) -> None:
    """Make a melody from nothing."""
    from partimento.cli.listening import out_paths, report
    from partimento.formats import write
    from partimento.models.load import load

    paths = out_paths(out, "sample.mid", count)
    scores = load(model, verb="sample").sample_many(
        count,
        bars,
        seed=seed,
        meter=meter,
        qpm=qpm,
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
    report(scores, paths, as_json=json)
