"""`partimento continue`: go on with a tune."""

from pathlib import Path
from typing import Annotated

import typer


def run(
    primer: Annotated[
        str,
        typer.Argument(
            help='A MIDI file, notation ("c4:q c4:q c4:e. d4:s e4:q"), or row-your-boat.'
        ),
    ],
    model: Annotated[str, typer.Option(help="Name or checkpoint folder.")] = "melody-rnn",
    bars: Annotated[int, typer.Option(help="New bars, after the primer's last.")] = 8,
    temperature: Annotated[
        float, typer.Option(help="1: as learned. Below: safer. Above: bolder. 0: the likeliest.")
    ] = 1.0,
    top_p: Annotated[
        float, typer.Option(help="Draw from the fewest tokens with so much probability.")
    ] = 1.0,
    top_k: Annotated[int, typer.Option(help="Draw from the so many likeliest; 0: all.")] = 0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same notes.")] = 0,
    count: Annotated[
        int, typer.Option(help="So many ways, seeds SEED, SEED+1 …: OUT-1.mid, OUT-2.mid …")
    ] = 1,
    key: Annotated[
        str | None, typer.Option(help="Keep to a scale: g:major, f#:minor, bb:major.")
    ] = None,
    lowest: Annotated[str | None, typer.Option(help="Lowest pitch: 55 or g3.")] = None,
    highest: Annotated[str | None, typer.Option(help="Highest pitch: 81 or a5.")] = None,
    hold_bars: Annotated[float | None, typer.Option(help="Longest note, in bars.")] = None,
    rest_bars: Annotated[float, typer.Option(help="Longest rest, in bars.")] = 2.0,
    melody: Annotated[
        str,
        typer.Option(
            help="Part to go on with: its number, `skyline` (top line), or `auto`: the first "
            "single line."
        ),
    ] = "auto",
    qpm: Annotated[
        float | None, typer.Option(help="Tempo of notation, in quarters a minute; 120.")
    ] = None,
    meter: Annotated[str | None, typer.Option(help="Meter of notation; 4/4.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File to write.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
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
