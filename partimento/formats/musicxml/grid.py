"""The page's grid: bars, and where notes stand in them, in 480ths of a quarter.

Paper knows binary note values and tuplets, nothing between. `page_bars` lays out the bars;
`on_grid` puts each note of a part on the coarsest division of its beat that holds what stands there
exactly, or, where nothing does (a performance), on the one that fits best.
"""

from typing import NamedTuple

import numpy as np

from partimento.errors import LimitError
from partimento.music.notes import Notes
from partimento.music.score import Meter, Score
from partimento.music.timing import BarMap

QUARTER = 480  # units of the page
WHOLE = 4 * QUARTER
FINEST = 15  # a 128th
MAX_BARS = 20_000
# Divisions of a beat, in the order of trial; and what each costs where none is exact, in quarters.
EXACT = (1, 2, 4, 3, 8, 6, 5, 16, 12, 32)
INEXACT = {1: 0.0, 2: 0.0, 4: 0.01, 3: 0.04, 8: 0.08, 6: 0.08}
OFFSET_WEIGHT = 0.25  # of where a note ends, beside where it starts
CLOSED_GAP = QUARTER // 2  # shorter rests after notes that end off the grid are how one plays
NEAR = 5  # units: programs that write MIDI are often a tick late; 5 units are 5 ms at 120
COARSE = QUARTER // 6  # a grid no finer is told by notes that are only near it
COARSE_STEPS = (QUARTER // 4, QUARTER // 6)
FINE_STEPS = (FINEST, QUARTER // 24, QUARTER // 10)
PLAYED = QUARTER // 8  # the finest step for what was played
MOSTLY = 0.8  # of a part's notes that must be near a coarse grid, or it is a performance
UNHEARD = QUARTER // 8  # what a note's end may be off before anyone counts it


class Bar(NamedTuple):
    """A bar on the page; times in 480ths of a quarter."""

    start: int
    length: int
    meter: Meter
    is_pickup: bool = False

    @property
    def end(self) -> int:
        """Where the next bar starts."""
        return self.start + self.length


class Placed(NamedTuple):
    """Notes on the page's grid: arrays of shape (note,), and how many are not where they sound."""

    onset: np.ndarray
    offset: np.ndarray
    pitch: np.ndarray
    velocity: np.ndarray
    moved: int


def page_bars(score: Score) -> list[Bar]:
    """Lay out the bars of a score, the last one full; an empty score has one.

    A first bar in a meter of its own, shorter than the meter that follows, is a pickup.
    """
    bar_map = BarMap.of(score)
    last = max((part.end for part in score.parts), default=0)
    silent = score.end_tick - max(last, int(bar_map.start(bar_map.bar(score.end_tick))))
    is_late = silent * 2 < score.ticks_per_quarter  # a file that ends a little after its last bar
    count = max(1, bar_map.count(last if is_late else score.end_tick))
    if count > MAX_BARS:
        raise LimitError(
            f"{count:,} bars are more than the {MAX_BARS:,} that a score page is made of: cut the "
            "piece, or write MIDI",
            limit="MAX_BARS",
        )
    starts = bar_map.start(np.arange(count + 1))
    units = np.rint(starts * (QUARTER / score.ticks_per_quarter / FINEST)).astype(int) * FINEST
    at = [meter.tick for meter in score.meter_map]
    section = np.searchsorted(at, starts[:-1], side="right") - 1
    bars = [
        Bar(start, stop - start, score.meter_map[number])
        for start, stop, number in zip(
            units[:-1].tolist(), units[1:].tolist(), section.tolist(), strict=True
        )
        if stop > start
    ] or [Bar(0, WHOLE, score.meter)]
    if len(bars) > 1 and bars[0].length < full_length(bars[1].meter):
        first, second = bars[0].meter, bars[1].meter
        is_alike = first.denominator == second.denominator
        is_alike |= 2 * bars[0].length <= full_length(second)
        if first != second and is_alike and bars[1].length == full_length(second):
            bars[0] = Bar(0, bars[0].length, second, is_pickup=True)
    return bars


def full_length(meter: Meter) -> int:
    """Length of a bar of a meter, in units of the page."""
    return max(FINEST, WHOLE * meter.numerator // meter.denominator)


def cell_length(meter: Meter) -> int:
    """Length of the beats whose division is chosen one by one."""
    return min(QUARTER, max(4 * FINEST, WHOLE // meter.denominator))


def on_grid(notes: Notes, bars: list[Bar], ticks_per_quarter: int) -> Placed:
    """Put the notes of a part on the grid of the page."""
    count = len(notes)
    if not count:
        none = np.zeros(0, dtype=np.int64)
        return Placed(none, none, none, none, 0)
    exact = np.concatenate([notes.onset, notes.offset]) * (QUARTER / ticks_per_quarter)
    half_tick = 0.5 * QUARTER / ticks_per_quarter
    is_near = _is_near(exact[:count], COARSE_STEPS, NEAR)
    is_written = is_near or _is_near(exact[:count], FINE_STEPS, half_tick)
    near = max(half_tick, NEAR) if is_near else half_tick
    starts, lengths, is_whole = _cells(bars)
    cell = np.clip(np.searchsorted(starts, exact + 1e-9, side="right") - 1, 0, len(starts) - 1)
    # A little before a beat is the beat.
    follows = np.minimum(cell + 1, len(starts) - 1)
    cell = np.where(np.abs(starts[follows] - exact) < near, follows, cell)
    within, length = exact - starts[cell], lengths[cell]
    is_onset = np.arange(2 * count) < count
    chosen = np.zeros((2, len(starts)), dtype=np.int64)  # 0: for onsets and offsets, 1: for onsets
    weights = np.where(is_onset, 1.0, OFFSET_WEIGHT)
    best_cost = np.full(len(starts), np.inf)
    best = np.ones(len(starts), dtype=np.int64)
    filled = np.bincount(cell, weights=weights, minlength=len(starts))
    for divisor in EXACT:
        may_stand = _may_stand(divisor, lengths, is_whole)
        if not is_written:  # by chance alone some notes of a performance stand on a fine grid
            may_stand = may_stand & (lengths / divisor >= PLAYED)
        error = np.abs(within - _snapped(within, length, np.full(len(exact), divisor)))
        for row, error_held in enumerate((error, np.where(is_onset, error, 0.0))):
            worst = np.zeros(len(starts))
            np.maximum.at(worst, cell, error_held)
            bound = np.where(lengths / divisor >= COARSE, near, half_tick)
            chosen[row, (chosen[row] == 0) & may_stand & (worst < bound)] = divisor
        if divisor in INEXACT:
            total = np.bincount(cell, weights=weights * error, minlength=len(starts))
            cost = total / np.maximum(filled, 1) / QUARTER + INEXACT[divisor]
            is_better = may_stand & (cost < best_cost)
            best_cost[is_better], best[is_better] = cost[is_better], divisor
    # Where nothing but ends is in the way, they give way: a tune played a little short.
    has_onset = np.bincount(cell[:count], minlength=len(starts)) > 0
    second = np.where((chosen[1] > 0) & has_onset, chosen[1], best)
    chosen = np.where(chosen[0] > 0, chosen[0], second)
    snapped = _snapped(within, length, chosen[cell])
    error = np.abs(within - snapped)
    placed = np.rint(starts[cell] + snapped).astype(np.int64)
    onset, offset = placed[:count], placed[count:]
    step = np.rint(length / chosen[cell]).astype(np.int64)[:count]
    is_loose = error[count:] >= half_tick
    is_off = error[:count] >= near
    offset = np.where(offset > onset, offset, onset + step)
    offset = _closed(onset, offset, is_loose)
    late = np.abs(offset - exact[count:])
    is_moved = is_off | (late > max(UNHEARD, half_tick))
    return Placed(onset, offset, notes.pitch, notes.velocity, int(is_moved.sum()))


def _is_near(onset: np.ndarray, steps: tuple[int, ...], bound: float) -> bool:
    """Whether most notes start near a step: then they were written, and not played."""
    off = np.min([np.abs(onset - np.rint(onset / step) * step) for step in steps], axis=0)
    return bool((off < bound).mean() >= MOSTLY)


def _cells(bars: list[Bar]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Start and nominal length of each beat of each bar, and whether it fits into its bar."""
    starts: list[int] = []
    lengths: list[int] = []
    is_whole: list[bool] = []
    for bar in bars:
        length = cell_length(bar.meter)
        for start in range(bar.start, bar.end, length):
            starts.append(start)
            lengths.append(length)
            is_whole.append(start + length <= bar.end)
    # What ends with the last bar stands at the start of a beat that is never written.
    starts.append(bars[-1].end)
    lengths.append(QUARTER)
    is_whole.append(True)
    return np.array(starts), np.array(lengths), np.array(is_whole)


def _may_stand(divisor: int, lengths: np.ndarray, is_whole: np.ndarray) -> np.ndarray:
    """In which beats a division can be written."""
    step = lengths / divisor
    if divisor & (divisor - 1) == 0:
        return step >= FINEST
    return is_whole & (step >= 20) & (lengths % divisor == 0)


def _snapped(within: np.ndarray, length: np.ndarray, divisor: np.ndarray) -> np.ndarray:
    """Nearest step of each beat's division."""
    step = length / divisor
    return np.floor(within / step + 0.5) * step


def _closed(onset: np.ndarray, offset: np.ndarray, is_loose: np.ndarray) -> np.ndarray:
    """Let notes that end off the grid last to the next onset, where that is near."""
    onsets = np.unique(onset)
    after = np.searchsorted(onsets, offset, side="left")
    follows = np.append(onsets, np.iinfo(np.int64).max)[after]
    is_near = is_loose & (follows - offset < CLOSED_GAP)
    return np.where(is_near, follows, offset)
