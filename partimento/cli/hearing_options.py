"""`--play`, `--wav` and `--score` of the verbs that make music, and what they do.

Not a verb.
"""
# ruff: noqa: T201

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from partimento.music.score import Score

Play = Annotated[bool, typer.Option("--play", help="Play what was made through the loudspeakers.")]
Wav = Annotated[bool, typer.Option("--wav", help="Write a .wav beside each MIDI file.")]


def _engraver_is_there(is_asked: bool) -> bool:
    """Refuse before any work is done, if what engraves is not installed."""
    if is_asked:
        from partimento.cli.app import guarded
        from partimento.rendering.engraving import check_engraver

        guarded(check_engraver)(with_pdf=True)
    return is_asked


Engraved = Annotated[
    bool,
    typer.Option(
        "--score",
        help="Engrave a score (.pdf) beside each MIDI file.",
        callback=_engraver_is_there,
    ),
]


def hear(
    scores: Sequence["Score"],
    paths: Sequence[Path],
    *,
    play: bool,
    wav: bool,
    engraved: bool = False,
    is_quiet: bool = False,
) -> None:
    """Write sound and scores beside the files that were written, and play them.

    Parameters
    ----------
    is_quiet
        Print nothing: standard output holds one JSON document.
    """
    for suffix in (".wav",) * wav + (".pdf",) * engraved:
        from dataclasses import replace

        from partimento.cli.listening import shown
        from partimento.rendering.files import render

        for score, path in zip(scores, paths, strict=True):
            beside = path.with_suffix(suffix)
            facts = render(score if score.title else replace(score, title=path.stem), beside)
            if not is_quiet:
                print(f"wrote {shown(beside)}: {facts}")
    if play:
        from partimento.rendering.playing import play as play_score

        for score in scores:
            play_score(score, show=not is_quiet)
