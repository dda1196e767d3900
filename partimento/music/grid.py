"""`Grid`: where each step of a piece stands in its bars.

A grid cuts a piece into equal steps, `steps_per_quarter` to a quarter note, and says of each step
which bar it is in, how far into the bar and how far into the beat. Networks that know the meter
read it, and generation counts bars by it. Any meter goes, and so do changes of meter.
"""

from dataclasses import dataclass

import numpy as np

from partimento.errors import ParameterError
from partimento.music.score import Meter, Score
from partimento.music.timing import BarMap, steps_per_bar, ticks_to_steps


@dataclass(frozen=True, eq=False)
class Grid:
    """Bars and beats of every step, each an int64 array of shape (step,).

    Attributes
    ----------
    bar
        Number of the bar, from 0.
    position
        Steps since the bar began.
    bar_steps
        Steps in this bar.
    beat_steps
        Steps in a beat of this bar: a dotted note in compound meters (6/8, 9/8, 12/8).
    """

    bar: np.ndarray
    position: np.ndarray
    bar_steps: np.ndarray
    beat_steps: np.ndarray

    @classmethod
    def regular(cls, meter: Meter, steps_per_quarter: int, bars: int) -> "Grid":
        """Equal bars of one meter, from the first step of the first bar."""
        length = steps_per_bar(meter, steps_per_quarter)
        steps = np.arange(length * bars)
        return cls(
            steps // length,
            steps % length,
            np.full(len(steps), length),
            np.full(len(steps), beat_length(meter, steps_per_quarter)),
        )

    @classmethod
    def of(cls, score: Score, steps_per_quarter: int, bars: int | None = None) -> "Grid":
        """Take the bars of a score: its own, or so many from its start.

        A bar that a change of meter cuts short is as long as it sounds. Raises `ParameterError`
        where a meter's bar is not a whole number of steps.
        """
        bar_map = BarMap.of(score)
        count = bar_map.count(score.end_tick) if bars is None else bars
        starts = bar_map.start(np.arange(count + 1))
        edges = ticks_to_steps(starts, score.ticks_per_quarter, steps_per_quarter)
        at = np.array([meter.tick for meter in score.meter_map])
        lengths = np.diff(edges)
        section = np.searchsorted(at, starts[:-1], side="right") - 1
        for number in np.unique(section).tolist():
            steps_per_bar(score.meter_map[number], steps_per_quarter)  # refuses what does not fit
        beats = np.array([beat_length(meter, steps_per_quarter) for meter in score.meter_map])
        bar = np.repeat(np.arange(count), lengths)
        return cls(
            bar,
            np.arange(len(bar)) - edges[:-1][bar],
            lengths[bar],
            beats[section][bar],
        )

    def __len__(self) -> int:
        return len(self.bar)

    def __getitem__(self, steps: slice) -> "Grid":
        return Grid(
            self.bar[steps], self.position[steps], self.bar_steps[steps], self.beat_steps[steps]
        )


def beat_length(meter: Meter, steps_per_quarter: int) -> int:
    """Count the steps in a beat; a beat finer than the grid counts as one step."""
    is_compound = meter.denominator >= 8 and meter.numerator % 3 == 0
    units = 3 if is_compound else 1
    return max(1, 4 * units * steps_per_quarter // meter.denominator)


def check_steps_per_quarter(steps_per_quarter: int) -> None:
    """Refuse a grid that is no grid."""
    if not 1 <= steps_per_quarter <= 96:
        raise ParameterError(f"steps_per_quarter must be in 1 to 96, got {steps_per_quarter}")
