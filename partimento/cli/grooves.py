"""What `humanize` and `drums` share: saying how the drums they wrote are played.

Not a verb.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from partimento.cli.listening import deliver, length_of

if TYPE_CHECKING:
    from partimento.music.score import Score

Model = Annotated[str, typer.Option(help="Name or checkpoint folder: drums-groove.")]
Temperature = Annotated[
    float, typer.Option(help="1: as drummers differ. 0: the middle of what they do.")
]


def report_drums(
    player: Any,
    scores: Sequence["Score"],
    paths: Sequence[Path],
    *,
    heard: Sequence[str] = (),
    as_json: bool = False,
) -> None:
    """Write pieces to their files, and say how their drums are played."""

    def size(score: "Score") -> str:
        about = facts(score)
        bars, strokes = about["bars"], about["strokes"]
        return (
            f"{bars} bar{'s' * (bars != 1)}, {about['seconds']:.1f} s, {strokes:,} "
            f"stroke{'s' * (strokes != 1)}, velocities {about['softest']}-{about['loudest']}, "
            f"{about['off_grid_ms']:.0f} ms off the grid"
        )

    def facts(score: "Score") -> dict[str, Any]:
        bars, seconds = length_of(score)
        return {"bars": bars, "seconds": seconds, **player.described_drums(score)}

    deliver(scores, paths, heard=heard, as_json=as_json, size=size, facts=facts)
