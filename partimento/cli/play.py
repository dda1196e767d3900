"""`partimento play`: hear music now, with a piano roll that moves past."""

from pathlib import Path
from typing import Annotated

import typer


def run(
    music: Annotated[
        str,
        typer.Argument(
            help='A MIDI, MusicXML or ABC file, notation ("c4:q d4:e. r:s"), or row-your-boat.'
        ),
    ],
    qpm: Annotated[
        float | None, typer.Option(help="Tempo of notation, in quarters a minute; 120.")
    ] = None,
    meter: Annotated[str | None, typer.Option(help="Meter of notation; 4/4.")] = None,
    sound_font: Annotated[
        Path | None,
        typer.Option(
            "--sound-font",
            "--soundfont",
            help="Play with this SF2 file instead of the bundled sounds.",
        ),
    ] = None,
    no_roll: Annotated[bool, typer.Option("--no-roll", help="Show nothing.")] = False,
) -> None:
    """Play music through the loudspeakers; Ctrl-C stops."""
    from partimento.cli.listening import read_given
    from partimento.rendering.playing import play

    given = read_given(music, qpm=qpm, meter=meter)
    play(given.score, sound_font=sound_font, show=not no_roll)
