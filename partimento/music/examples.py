"""Tunes to try things on, as scores: `EXAMPLES` maps the names that the command line knows.

Both are "Row, Row, Row Your Boat" (United States, 1852, free of rights), as books on making music
with programs like to write it.
"""

from collections.abc import Callable

from partimento.music.durations import den, ent, hn, qn, sn
from partimento.music.notation import seq
from partimento.music.pitches import c4, c5, d4, e4, f4, g4
from partimento.music.score import Score


def row_your_boat() -> Score:
    """Four bars of 4/4 in C major: one voice.

    Examples
    --------
    >>> row_your_boat()
    Score(1 part, 27 notes, 16 quarters, 4/4, 120 qpm)
    """
    return seq(
        [
            *[(c4, qn), (c4, qn), (c4, den), (d4, sn), (e4, qn)],
            *[(e4, den), (d4, sn), (e4, den), (f4, sn), (g4, hn)],
            *[(c5, ent)] * 3 + [(g4, ent)] * 3 + [(e4, ent)] * 3 + [(c4, ent)] * 3,
            *[(g4, den), (f4, sn), (e4, den), (d4, sn), (c4, hn)],
        ]
    )


def row_your_boat_canon() -> Score:
    """Three voices: the second enters a bar later, an octave up, the third two bars, down."""
    voice = row_your_boat()
    bar = voice.meter.quarters_per_bar
    return voice.stack(
        voice.transpose(12).delay(bar),
        voice.transpose(-12).delay(2 * bar),
    )


EXAMPLES: dict[str, Callable[[], Score]] = {
    "row-your-boat": row_your_boat,
    "row-your-boat-canon": row_your_boat_canon,
}
