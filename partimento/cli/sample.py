"""`partimento sample`: make a melody from nothing."""

from pathlib import Path
from typing import Annotated

import typer


def run(
    model: Annotated[str, typer.Option(help="Name or checkpoint folder.")] = "melody-rnn",
    bars: Annotated[int, typer.Option(help="Length in bars.")] = 8,
    meter: Annotated[str, typer.Option(help="Meter.")] = "4/4",
    qpm: Annotated[float, typer.Option(help="Tempo in quarters a minute.")] = 120,
    temperature: Annotated[
        float, typer.Option(help="1: as learned. Below: safer. Above: bolder. 0: the likeliest.")
    ] = 1.0,
    top_p: Annotated[
        float, typer.Option(help="Draw from the fewest tokens with so much probability.")
    ] = 1.0,
    top_k: Annotated[int, typer.Option(help="Draw from the so many likeliest; 0: all.")] = 0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same notes.")] = 0,
    count: Annotated[
        int, typer.Option(help="So many melodies, seeds SEED, SEED+1 …: OUT-1.mid, OUT-2.mid …")
    ] = 1,
    key: Annotated[
        str | None, typer.Option(help="Keep to a scale: g:major, f#:minor, bb:major.")
    ] = None,
    lowest: Annotated[str | None, typer.Option(help="Lowest pitch: 55 or g3.")] = None,
    highest: Annotated[str | None, typer.Option(help="Highest pitch: 81 or a5.")] = None,
    hold_bars: Annotated[float | None, typer.Option(help="Longest note, in bars.")] = None,
    rest_bars: Annotated[float, typer.Option(help="Longest rest, in bars.")] = 2.0,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File to write.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
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
