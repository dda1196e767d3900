"""Events at ticks, and maps of what holds from a tick on: the tools transforms are made of.

Tempos, meters, keys and the values of a controller are maps: each event holds until the next.
Texts are points. The functions here move, shift, cut and mirror both.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from partimento.music.score import PITCH_BEND, Control

# A rule that moves ticks and keeps their order.
Ticks = Callable[[np.ndarray], np.ndarray]

# What controllers say that were never set; 0 where not listed.
AT_REST = {PITCH_BEND: 8192, 7: 100, 8: 64, 10: 64, 11: 127}  # volume, balance, pan, expression


def moved_events(events: Sequence[Any], move: Ticks) -> tuple[Any, ...]:
    """Move each event by a rule."""
    ticks = move(np.array([event.tick for event in events], dtype=np.int64)).tolist()
    return tuple(event._replace(tick=tick) for event, tick in zip(events, ticks, strict=True))


def shifted(events: Iterable[Any], ticks: int) -> tuple[Any, ...]:
    """Move all events by so many ticks."""
    return tuple(event._replace(tick=event.tick + ticks) for event in events)


def all_shifted(events: Iterable[Sequence[Any]], shifts: Sequence[int]) -> tuple[Any, ...]:
    """Shift each of several sequences by its own number of ticks, and join them."""
    pairs = zip(events, shifts, strict=True)
    return tuple(event for some, ticks in pairs for event in shifted(some, ticks))


def in_force(events: Sequence[Any], first: int, last: int) -> tuple[Any, ...]:
    """Cut a map to the ticks from `first` to before `last`, which become 0 and on."""
    before = [event._replace(tick=0) for event in events if event.tick <= first][-1:]
    inside = [event for event in events if first < event.tick < last]
    return (*before, *shifted(inside, -first))


def map_reversed(events: Sequence[Any], end: int) -> tuple[Any, ...]:
    """Let each event hold over the same music, mirrored: it now starts where it used to end."""
    inside = [event for event in events if event.tick < end] or list(events[:1])
    stops = [event.tick for event in inside[1:]] + [end] * bool(inside)
    pairs = zip(inside, stops, strict=True)
    return tuple(event._replace(tick=max(end - stop, 0)) for event, stop in pairs)


def controls_reversed(controls: Sequence[Control], end: int) -> tuple[Control, ...]:
    """Mirror each controller's values; where one was not set yet it goes back to rest."""
    turned: list[Control] = []
    for number, moves in by_number(controls).items():
        unset = Control(0, number, AT_REST.get(number, 0))
        turned += map_reversed(moves if moves[0].tick == 0 else [unset, *moves], end)
    return tuple(turned)


def by_number(controls: Sequence[Control]) -> dict[int, list[Control]]:
    """Sort the moves of controllers into one map a controller."""
    moves: dict[int, list[Control]] = {}
    for control in controls:
        moves.setdefault(control.number, []).append(control)
    return moves
