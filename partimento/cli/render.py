"""`partimento render`: a score as sound, as a picture, or in the terminal."""
# ruff: noqa: T201

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from partimento.cli.certainty import draw_certainty
from partimento.cli.picture_options import As, Colour, Theme, is_score

if TYPE_CHECKING:
    from partimento.music.score import Score


def run(
    music: Annotated[
        str,
        typer.Argument(
            help='A MIDI, MusicXML or ABC file, notation ("c4:q d4:e. r:s"), or row-your-boat.'
        ),
    ],
    out: Annotated[
        list[Path] | None,
        typer.Option(
            "--out",
            "-o",
            help="File to write: .wav, .flac, .mp3 or .ogg (sound), .png or .svg (piano roll), "
            ".html (both), .pdf or .musicxml (notation), .mid (of MusicXML or ABC, say). Several "
            "times for several files; without it the piano roll is printed.",
        ),
    ] = None,
    from_bar: Annotated[int, typer.Option(help="First bar, counted from 1.")] = 1,
    to_bar: Annotated[int | None, typer.Option(help="Last bar; without it the last.")] = None,
    qpm: Annotated[
        float | None, typer.Option(help="Tempo of notation, in quarters a minute; 120.")
    ] = None,
    meter: Annotated[str | None, typer.Option(help="Meter of notation; 4/4.")] = None,
    sample_rate: Annotated[int, typer.Option(help="Of the sound, in Hz.")] = 44_100,
    sound_font: Annotated[
        Path | None,
        typer.Option(
            "--sound-font",
            "--soundfont",
            help="Play with this SF2 file instead of the bundled sounds.",
        ),
    ] = None,
    title: Annotated[str | None, typer.Option(help="Above the picture.")] = None,
    as_: As = "roll",
    colour: Colour = "part",
    theme: Theme = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="Draw what this model expected: each note in the colour of its surprise, behind "
            "it the probabilities of all pitches. melody-rnn, bach-rnn, bach-cnn, or yours."
        ),
    ] = None,
) -> None:
    """Render music as sound, picture, notation or MIDI, or as a model expected it (--model)."""
    from dataclasses import replace

    from partimento.cli.listening import read_given, shown
    from partimento.rendering.files import FORMATS, render
    from partimento.rendering.piano_roll import check_colour, primer_end_tick
    from partimento.rendering.theme import theme_of

    check_colour(colour)
    theme_of(theme or "light")
    paths = out or []
    as_score = is_score(as_)
    for path in paths:
        _check(path, as_score)
    given = read_given(music, qpm=qpm, meter=meter)
    score = given.score
    if model is not None:
        draw_certainty(
            score,
            model,
            paths,
            title=title or score.title or given.name,
            from_bar=from_bar,
            to_bar=to_bar,
            theme=theme or "light",
        )
        return
    primer_end = primer_end_tick(score)
    if from_bar != 1 or to_bar is not None:
        score, start = _cut(score, from_bar, to_bar)
        primer_end = max(0, primer_end - start)
    if title is not None or not score.title:
        score = replace(score, title=given.name if title is None else title)
    if not paths:
        from partimento.rendering.terminal import print_roll

        print_roll(
            score,
            first_bar=from_bar,
            primer_end=primer_end,
            colour=colour,
            theme=theme or "dark",
        )
        print(f"-o x.wav lets you hear it; {', '.join(FORMATS)} are known")
    for path in paths:
        facts = render(
            score,
            path,
            first_bar=from_bar,
            primer_end=primer_end,
            colour=colour,
            theme=theme or "light",
            as_score=as_score,
            sample_rate=sample_rate,
            sound_font=sound_font,
        )
        print(f"wrote {shown(path)}: {facts}")


def _check(path: Path, as_score: bool) -> None:
    """Refuse what cannot be written, before anything is rendered."""
    from partimento.cli.listening import shown
    from partimento.errors import ParameterError
    from partimento.rendering.files import check_extension

    check_extension(path, as_score=as_score)
    if path.is_dir():
        raise ParameterError(f"-o {shown(path)} is a folder: name a file")
    if not path.parent.is_dir():
        raise ParameterError(f"-o {shown(path)}: there is no folder {shown(path.parent)}")


def _cut(score: "Score", from_bar: int, to_bar: int | None) -> "tuple[Score, int]":
    """Keep some bars; also give the tick at which they start."""
    from partimento.errors import ParameterError
    from partimento.music.timing import BarMap

    bar_map = BarMap.of(score)
    count = bar_map.count(score.end_tick)
    last = count if to_bar is None else to_bar
    if not 1 <= from_bar <= count:
        raise ParameterError(f"--from-bar {from_bar}: the music has bars 1 to {count}")
    if last < from_bar:
        raise ParameterError(f"--to-bar {last} comes before --from-bar {from_bar}")
    cut = score.slice(from_bar - 1, min(last, count))
    return cut, int(bar_map.start(from_bar - 1))
