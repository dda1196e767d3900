"""Options that several verbs share, each said once."""

from pathlib import Path
from typing import Annotated

import typer

Primer = Annotated[
    str,
    typer.Argument(
        help='A MIDI, MusicXML or ABC file, notation ("c4:q c4:q c4:e. d4:s e4:q"), or '
        "row-your-boat."
    ),
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

# What is read from music files: `train`, `data` and `evaluate` take the same. Nothing said (`None`)
# is what `MelodyRules` and the preset or model say.
StepsPerQuarter = Annotated[
    int | None, typer.Option(help="Grid: 4 is sixteenths, 12 holds triplets too.")
]
LowestKept = Annotated[int | None, typer.Option("--lowest", help="Lowest pitch, 0-127.")]
HighestKept = Annotated[int | None, typer.Option("--highest", help="Highest pitch, 0-127.")]
Melody = Annotated[
    str | None,
    typer.Option(help="Polyphonic parts: `strict` drops them (usual), `skyline` takes the top."),
]
MinBars = Annotated[int | None, typer.Option(help="Leave out melodies of fewer bars; 4.")]
MinPitches = Annotated[
    int | None, typer.Option(help="Leave out melodies of fewer different pitches; 3.")
]
MaxRestBars = Annotated[
    int | None, typer.Option(help="A rest of more bars ends a melody and starts the next; 2.")
]
MinOnGrid = Annotated[
    float | None, typer.Option(help="Share of notes that must start on the grid, 0 to 1; 0.9.")
]
Pickups = Annotated[
    bool | None,
    typer.Option(help="Hear upbeats, and move the bar lines of files that know none (usual)."),
]
Salvage = Annotated[bool, typer.Option(help="Mend damaged files as players do.")]
MaxFileMb = Annotated[int, typer.Option(help="Leave out larger files.")]
SplitSeed = Annotated[int, typer.Option(help="Another seed, another split.")]
Workers = Annotated[int, typer.Option(help="Processes that read; 0 is one a core.")]
NoCache = Annotated[
    bool, typer.Option("--no-cache", help="Read all files again, and remember nothing.")
]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 3 if any file was skipped.")]
