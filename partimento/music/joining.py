"""Joining scores: one after the other, side by side, and parts into one."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from partimento.errors import MusicError, ParameterError
from partimento.music.events import all_shifted, shifted
from partimento.music.notes import Notes
from partimento.music.score import (
    DEFAULT_MICROSECONDS_PER_QUARTER,
    MAX_TICKS_PER_QUARTER,
    Meter,
    Part,
    Score,
    Tempo,
)
from partimento.music.time_transforms import with_ticks_per_quarter
from partimento.music.timing import BarMap

MAX_NOTES = 1_000_000  # keeps repeat(10**9) from filling the memory


def repeat(score: Score, times: int, *, at_bar: bool = False) -> Score:
    """Play a score so many times in a row; `concat` says how they join.

    Examples
    --------
    >>> from partimento.music.notation import seq
    >>> seq("c4:h").repeat(4).duration_qn
    8.0
    """
    if times < 1:
        raise ParameterError(f"times must be at least 1, got {times}")
    if times * max(score.num_notes, 1) > MAX_NOTES:
        raise ParameterError(
            f"times {times} of {score.num_notes} notes is more than {MAX_NOTES:,} notes"
        )
    return concat(*[score] * times, at_bar=at_bar)


def concat(first: Score, *others: Score, at_bar: bool = False) -> Score:
    """Play scores one after the other.

    Each starts at the `end_tick` of the one before, so closing rests count. Bars run on where the
    meter stays the same: four scores of a quarter note fill a bar of 4/4. Parts that have the same
    name and instrument become one part, others are added. Title and division are the first's
    (or the division that all need).

    Parameters
    ----------
    first, others
        In order.
    at_bar
        Start each at the next bar line instead.
    """
    scores = _with_common_division((first, *others))
    tempos, meters, keys = list(scores[0].tempos), list(scores[0].meters), list(scores[0].keys)

    def end_of(score: Score, start: int) -> int:
        end = start + score.end_tick
        so_far = Score(ticks_per_quarter=score.ticks_per_quarter, meters=tuple(meters))
        return BarMap.of(so_far).line_from(end) if at_bar else end

    starts = [0]
    for before, score in pairwise(scores):
        starts.append(start := end_of(before, starts[-1]))
        _go_on(tempos, score.tempo_map, start, Tempo(0, DEFAULT_MICROSECONDS_PER_QUARTER))
        _go_on(meters, score.meter_map, start, Meter(0, 4, 4))
        _go_on(keys, score.keys, start, None)
    return replace(
        scores[0],
        parts=_joined_parts(scores, starts),
        tempos=tuple(tempos),
        meters=tuple(meters),
        keys=tuple(keys),
        markers=all_shifted((score.markers for score in scores), starts),
        remarks=all_shifted((score.remarks for score in scores), starts),
        end_tick=end_of(scores[-1], starts[-1]),
    )


def stack(first: Score, *others: Score) -> Score:
    """Play scores at the same time.

    Parts stand one below the other. Tempos, meters, keys, title and remarks are the first's and
    hold for all; those of the others are left out, their markers are kept.
    """
    scores = _with_common_division((first, *others))
    markers = {marker: None for score in scores for marker in score.markers}  # each once, in order
    return replace(
        scores[0],
        parts=tuple(part for score in scores for part in score.parts),
        markers=tuple(markers),
        end_tick=max(score.end_tick for score in scores),
    )


def merge(score: Score, name: str = "") -> Score:
    """Put all parts into one, with the program of the first; drums into a part of their own.

    Controllers come together too: where parts pedal differently, `apply_sustain` first.
    """
    groups = (
        [part for part in score.parts if not part.is_drum],
        [part for part in score.parts if part.is_drum],
    )
    return score.with_parts(
        [
            replace(
                group[0],
                notes=_joined_notes(part.notes for part in group),
                name=name or group[0].name,
                controls=tuple(control for part in group for control in part.controls),
                lyrics=tuple(lyric for part in group for lyric in part.lyrics),
            )
            for group in groups
            if group
        ]
    )


def _with_common_division(scores: Sequence[Score]) -> list[Score]:
    division = math.lcm(*(score.ticks_per_quarter for score in scores))
    if division > MAX_TICKS_PER_QUARTER:
        found = ", ".join(str(score.ticks_per_quarter) for score in scores[:8])
        raise MusicError(
            f"scores of {found} ticks a quarter have no common division up to "
            f"{MAX_TICKS_PER_QUARTER}: bring them to one with with_ticks_per_quarter()"
        )
    return [with_ticks_per_quarter(score, division) for score in scores]


def _joined_parts(scores: Sequence[Score], starts: Sequence[int]) -> tuple[Part, ...]:
    """Join the parts that are the same instrument: the second piano with the second piano."""
    lines: dict[Any, list[tuple[Part, int]]] = {}
    for score, start in zip(scores, starts, strict=True):
        seen: Counter[Any] = Counter()
        for part in score.parts:
            instrument = (part.name, part.program, part.is_drum)
            lines.setdefault((instrument, seen[instrument]), []).append((part, start))
            seen[instrument] += 1
    joined = []
    for line in lines.values():
        parts, shifts = zip(*line, strict=True)
        joined.append(
            replace(
                parts[0],
                notes=_joined_notes((part.notes for part in parts), shifts),
                controls=all_shifted((part.controls for part in parts), shifts),
                lyrics=all_shifted((part.lyrics for part in parts), shifts),
            )
        )
    return tuple(joined)


def _joined_notes(tables: Iterable[Notes], shifts: Iterable[int] | None = None) -> Notes:
    tables = list(tables)
    shifts = [0] * len(tables) if shifts is None else shifts
    onsets = [notes.onset + ticks for notes, ticks in zip(tables, shifts, strict=True)]
    return Notes(
        np.concatenate(onsets),
        np.concatenate([notes.duration for notes in tables]),
        np.concatenate([notes.pitch for notes in tables]),
        np.concatenate([notes.velocity for notes in tables]),
    )


def _go_on(events: list[Any], following: Sequence[Any], start: int, default: Any) -> None:
    """Let the map of a score that starts at a tick follow those before."""
    while events and events[-1].tick >= start:  # stood at or behind the end of its own score
        del events[-1]
    moved = shifted(following, start)
    holds = events[-1] if events else default
    says_nothing_new = bool(moved and holds) and holds[1:] == moved[0][1:]
    events.extend(moved[1:] if says_nothing_new else moved)
