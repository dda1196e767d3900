"""Cutting music out of a score, by bars, quarters or ticks."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from partimento.errors import ParameterError
from partimento.music.events import by_number, in_force, shifted
from partimento.music.notes import MAX_TICK, Notes
from partimento.music.score import Part, Score, Text
from partimento.music.timing import BarMap


def cut_out(
    score: Score,
    start: float | Fraction = 0,
    stop: float | Fraction | None = None,
    *,
    unit: str = "bars",
) -> Score:
    """Cut a stretch of music out of a score: `Score.slice`.

    Notes that cross an edge are cut there: one that began earlier begins at the new start. What
    holds at the start (tempo, meter, key, controllers) is written there. Bars are counted from
    there, so a slice that starts inside a bar has other bar lines. Of texts, lyrics and markers
    inside are kept, and remarks from before too: they speak of the whole piece.

    Parameters
    ----------
    start, stop
        The first is included, the second not; `None` is the end of the piece. Negative counts
        from the end, so ``slice(-4)`` is the last four bars.
    unit
        ``"bars"`` (whole numbers, the first is 0), ``"quarters"`` or ``"ticks"``.

    Examples
    --------
    >>> from partimento.music.notation import seq
    >>> seq("c4:w d4:h e4:h").slice(1, 2).parts[0].notes.pitch.tolist()
    [62, 64]
    """
    first = _edge(score, start, unit, "start")
    last = score.end_tick if stop is None else _edge(score, stop, unit, "stop")
    if not first < last:
        bars = BarMap.of(score).count(score.end_tick)
        raise ParameterError(
            f"start must come before stop: {start} to {'the end' if stop is None else stop} "
            f"({unit}) holds nothing of a piece of {bars} bars, {score.duration_qn:g} quarters"
        )
    return _between(score, first, last)


def crop(score: Score, *, at_bar: bool = True) -> Score:
    """Cut away the silence before the first note and after the last.

    Parameters
    ----------
    at_bar
        Cut at the bar lines around the music, so that bars stay bars.
    """
    with_notes = [part.notes for part in score.parts if len(part.notes)]
    if not with_notes:
        return score
    first = min(int(notes.onset[0]) for notes in with_notes)
    last = max(notes.end for notes in with_notes)
    if at_bar:
        bars = BarMap.of(score)
        first = int(bars.start(bars.bar(first)))
        last = bars.line_from(last)
    return _between(score, first, last)


def _between(score: Score, first: int, last: int) -> Score:
    """Cut out the ticks from `first` to before `last`."""

    def texts(events: Sequence[Text]) -> tuple[Text, ...]:
        return shifted((event for event in events if first <= event.tick < last), -first)

    def cut(part: Part) -> Part:
        sounding = part.notes.where((part.notes.onset < last) & (part.notes.offset > first))
        onset = np.maximum(sounding.onset, first)
        duration = np.minimum(sounding.offset, last) - onset
        notes = Notes(onset - first, duration, sounding.pitch, sounding.velocity)
        moves = by_number(part.controls).values()
        controls = [control for some in moves for control in in_force(some, first, last)]
        return replace(part, notes=notes, controls=tuple(controls), lyrics=texts(part.lyrics))

    return replace(
        score,
        parts=tuple(cut(part) for part in score.parts),
        tempos=in_force(score.tempos, first, last),
        meters=in_force(score.meters, first, last),
        keys=in_force(score.keys, first, last),
        markers=texts(score.markers),
        remarks=tuple(
            remark._replace(tick=max(remark.tick - first, 0))
            for remark in score.remarks
            if remark.tick < last
        ),
        end_tick=last - first,
    )


def _edge(score: Score, place: float | Fraction, unit: str, name: str) -> int:
    """Tick of an edge of a slice, held inside the piece."""
    if not -MAX_TICK <= place <= MAX_TICK:  # refuses NaN too
        raise ParameterError(f"{name} must be a number of {unit} within a piece, got {place}")
    if unit == "quarters":
        return _inside(round(place * score.ticks_per_quarter), score.end_tick)
    if unit not in ("bars", "ticks"):
        raise ParameterError(f"unit must be bars, quarters or ticks, got {unit!r}")
    if place != int(place):
        raise ParameterError(f"{name} must be a whole number of {unit}, got {place}")
    if unit == "ticks":
        return _inside(int(place), score.end_tick)
    bars = BarMap.of(score)
    bar = _inside(int(place), bars.count(score.end_tick))
    return min(int(bars.start(bar)), score.end_tick)


def _inside(place: int, end: int) -> int:
    """Count negative places from the end, and go no further than both ends."""
    return min(max(place + (end if place < 0 else 0), 0), end)
