"""Time: ticks, quarter notes, grid steps, bars and seconds, converted in one place.

Ticks are integers and exact. `TempoMap` turns ticks into seconds through every tempo change;
`BarMap` turns ticks into bars through every meter change. Steps are the positions of a grid of
`steps_per_quarter`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, pairwise

import numpy as np

from partimento.errors import ParameterError
from partimento.music.score import Meter, Score, Tempo

_PIECE = 1 << 40  # pushes the ticks and bars of pieces apart where they are looked up together


def quarters_to_ticks(quarters: float, ticks_per_quarter: int) -> int:
    """Nearest tick to a time in quarter notes."""
    return round(quarters * ticks_per_quarter)


def ticks_to_quarters(ticks: int, ticks_per_quarter: int) -> float:
    """Time in quarter notes."""
    return ticks / ticks_per_quarter


def ticks_to_steps(
    ticks: np.ndarray, ticks_per_quarter: int | np.ndarray, steps_per_quarter: int
) -> np.ndarray:
    """Nearest grid step of each tick; halves go to the later step. Exact integer arithmetic.

    An array of ticks may mix pieces: `ticks_per_quarter` then has an entry a tick.
    """
    ticks = np.asarray(ticks, dtype=np.int64)
    return (2 * ticks * steps_per_quarter + ticks_per_quarter) // (2 * ticks_per_quarter)


def steps_to_ticks(
    steps: np.ndarray, ticks_per_quarter: int | np.ndarray, steps_per_quarter: int
) -> np.ndarray:
    """Nearest tick of each grid step (exact where the steps divide the quarter)."""
    steps = np.asarray(steps, dtype=np.int64)
    return (2 * steps * ticks_per_quarter + steps_per_quarter) // (2 * steps_per_quarter)


def steps_per_bar(meter: Meter, steps_per_quarter: int) -> int:
    """Count the steps of a bar; `ParameterError` where the bar is not a whole number of steps."""
    steps, rest = divmod(4 * meter.numerator * steps_per_quarter, meter.denominator)
    if rest:
        raise ParameterError(
            f"a bar of {meter} is not a whole number of steps at {steps_per_quarter} steps a "
            f"quarter: use a multiple of {meter.denominator // 4}"
        )
    return steps


@dataclass(frozen=True)
class TempoMap:
    """Seconds of ticks, through all tempo changes of a score."""

    ticks_per_quarter: int
    tempos: tuple[Tempo, ...]

    @classmethod
    def of(cls, score: Score) -> "TempoMap":
        """Take the tempo map of a score."""
        return cls(score.ticks_per_quarter, score.tempo_map)

    def seconds(self, ticks: np.ndarray | int) -> np.ndarray:
        """Seconds from the start to each tick, float64, same shape."""
        at, speed, reached = self._columns()
        ticks = np.asarray(ticks, dtype=np.int64)
        section = np.searchsorted(at, ticks, side="right") - 1
        return reached[section] + (ticks - at[section]) * speed[section]

    def ticks(self, seconds: np.ndarray | float) -> np.ndarray:
        """Nearest tick to each time in seconds (int64, same shape)."""
        at, speed, reached = self._columns()
        seconds = np.asarray(seconds, dtype=np.float64)
        section = np.maximum(np.searchsorted(reached, seconds, side="right") - 1, 0)
        return np.rint(at[section] + (seconds - reached[section]) / speed[section]).astype(np.int64)

    def _columns(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Start tick, seconds per tick and start second of each tempo."""
        at = np.array([tempo.tick for tempo in self.tempos], dtype=np.int64)
        microseconds = np.array([t.microseconds_per_quarter for t in self.tempos], dtype=np.float64)
        speed = microseconds / 1e6 / self.ticks_per_quarter  # [s/QN] / [ticks/QN]
        reached = np.concatenate(([0.0], np.cumsum(np.diff(at) * speed[:-1])))
        return at, speed, reached


@dataclass(frozen=True)
class BarMap:
    """Bars of ticks, through all meter changes. Bar 0 is the first.

    A meter change in the middle of a bar cuts that bar short and starts a new one, as notation
    programs do.
    """

    ticks_per_quarter: int
    meters: tuple[Meter, ...]

    @classmethod
    def of(cls, score: Score) -> "BarMap":
        """Take the bar map of a score."""
        return cls(score.ticks_per_quarter, score.meter_map)

    def bar_ticks(self, meter: Meter) -> float:
        """Length of a bar in ticks; not whole where the division cannot express it."""
        return 4 * meter.numerator * self.ticks_per_quarter / meter.denominator

    def bar(self, ticks: np.ndarray | int) -> np.ndarray:
        """Bar that each tick falls in (int64, same shape)."""
        at, length, first = self._columns
        ticks = np.asarray(ticks, dtype=np.int64)
        section = np.searchsorted(at, ticks, side="right") - 1
        return first[section] + np.floor((ticks - at[section]) / length[section]).astype(np.int64)

    def start(self, bars: np.ndarray | int) -> np.ndarray:
        """First tick of each bar (int64, same shape)."""
        at, length, first = self._columns
        bars = np.asarray(bars, dtype=np.int64)
        section = np.searchsorted(first, bars, side="right") - 1
        # Rounded up, so that the tick lies in its bar where the division cannot express the bar.
        return np.ceil(at[section] + (bars - first[section]) * length[section]).astype(np.int64)

    def count(self, end_tick: int) -> int:
        """Bars needed to hold everything before a tick; 0 for an empty piece."""
        return int(self.bar(end_tick - 1)) + 1 if end_tick > 0 else 0

    def line_from(self, tick: int) -> int:
        """First bar line at or after a tick."""
        bar = int(self.bar(tick))
        line = int(self.start(bar))
        return line if line == tick else int(self.start(bar + 1))

    @cached_property
    def _columns(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Start tick, bar length in ticks and first bar number of each meter."""
        at, length, first = self._sections
        return np.array(at), np.array(length), np.array(first)

    @cached_property
    def _sections(self) -> tuple[list[int], list[float], list[int]]:
        """Give the same as lists."""
        at = [meter.tick for meter in self.meters]
        length = [self.bar_ticks(meter) for meter in self.meters]
        first = [0]
        for (start, stop), bar in zip(pairwise(at), length, strict=False):
            first.append(first[-1] + math.ceil((stop - start) / bar))
        return at, length, first


class BarMaps:
    """Bars of ticks in several pieces at once: `BarMap` for arrays that mix pieces.

    Parameters
    ----------
    maps
        One a piece; their order numbers them from 0.
    """

    def __init__(self, maps: Sequence[BarMap]) -> None:
        columns = [bar_map._sections for bar_map in maps]
        self._is_plain = all(len(at) == 1 for at, _, _ in columns)
        self._at, self._length, self._first = (
            np.array(list(chain(*column))) for column in zip(*columns, strict=True)
        )
        base = np.repeat(np.arange(len(maps)), [len(at) for at, _, _ in columns]) * _PIECE
        self._at_key, self._first_key = self._at + base, self._first + base

    def bar(self, ticks: np.ndarray, piece: np.ndarray) -> np.ndarray:
        """Bar that each tick of each piece falls in (int64, same shape)."""
        section = self._section(self._at_key, ticks, piece)
        at, length, first = self._at[section], self._length[section], self._first[section]
        return first + np.floor((ticks - at) / length).astype(np.int64)

    def start(self, bars: np.ndarray, piece: np.ndarray) -> np.ndarray:
        """First tick of each bar of each piece (int64, same shape)."""
        section = self._section(self._first_key, bars, piece)
        at, length, first = self._at[section], self._length[section], self._first[section]
        return np.ceil(at + (bars - first) * length).astype(np.int64)

    def _section(self, keys: np.ndarray, values: np.ndarray, piece: np.ndarray) -> np.ndarray:
        """Which meter of which piece is in force."""
        if self._is_plain:
            return piece
        return np.searchsorted(keys, values + piece * _PIECE, side="right") - 1
