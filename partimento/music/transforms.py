"""All transforms: pure functions from scores to scores. Each is a method of `Score`: they chain.

| in time | in pitch | of parts |
|---|---|---|
| `repeat` `concat` `stack` `delay` | `transpose` | `merge` |
| `cut_out` (`Score.slice`) `crop` | | `apply_sustain` |
| `reverse` `stretch` `quantize` | | |

Ticks stay exact: scores of different divisions meet at their least common multiple, and where a
time has to be rounded the docstring says so. Nothing is changed in place.
"""

from dataclasses import replace

from partimento.music.cutting import crop, cut_out
from partimento.music.joining import concat, merge, repeat, stack
from partimento.music.keys import parse_key
from partimento.music.notation import parse_meter
from partimento.music.score import Key, Meter, Score
from partimento.music.sustain import apply_sustain
from partimento.music.time_transforms import (
    QuantizationShift,
    delay,
    quantization_shift,
    quantize,
    reverse,
    stretch,
    with_ticks_per_quarter,
)
from partimento.music.transposition import playable_keys, transpose, transpose_notes

__all__ = [
    "QuantizationShift",
    "apply_sustain",
    "concat",
    "crop",
    "cut_out",
    "delay",
    "merge",
    "playable_keys",
    "quantization_shift",
    "quantize",
    "repeat",
    "reverse",
    "stack",
    "stretch",
    "transpose",
    "transpose_notes",
    "with_key",
    "with_meter",
    "with_ticks_per_quarter",
]


def with_meter(score: Score, meter: Meter | tuple[int, int] | str) -> Score:
    """Count the whole piece in one meter; the notes stay where they are."""
    return replace(score, meters=(parse_meter(meter),))


def with_key(score: Score, key: Key | str) -> Score:
    """Write one key signature for the whole piece; the notes stay as they are."""
    return replace(score, keys=(parse_key(key),))
