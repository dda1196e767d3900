"""Options that several verbs share, each said once."""

from pathlib import Path
from typing import Annotated

import typer

Primer = Annotated[
    str,
    typer.Argument(help='A MIDI file, notation ("c4:q c4:q c4:e. d4:s e4:q"), or row-your-boat.'),
]
Model = Annotated[str, typer.Option(help="Name or checkpoint folder.")]
Temperature = Annotated[
    float, typer.Option(help="1: as learned. Below: safer. Above: bolder. 0: the likeliest.")
]
TopP = Annotated[float, typer.Option(help="Draw from the fewest tokens with so much probability.")]
TopK = Annotated[int, typer.Option(help="Draw from the so many likeliest; 0: all.")]
Seed = Annotated[int, typer.Option(help="The same seed gives the same notes.")]
Count = Annotated[
    int, typer.Option(help="So many melodies, seeds SEED, SEED+1 …: OUT-1.mid, OUT-2.mid …")
]
Key = Annotated[str | None, typer.Option(help="Keep to a scale: g:major, f#:minor, bb:major.")]
Lowest = Annotated[str | None, typer.Option(help="Lowest pitch: 55 or g3.")]
Highest = Annotated[str | None, typer.Option(help="Highest pitch: 81 or a5.")]
HoldBars = Annotated[float | None, typer.Option(help="Longest note, in bars.")]
RestBars = Annotated[float, typer.Option(help="Longest rest, in bars.")]
NotationTempo = Annotated[
    float | None, typer.Option(help="Tempo of notation, in quarters a minute; 120.")
]
NotationMeter = Annotated[str | None, typer.Option(help="Meter of notation; 4/4.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="File to write.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
