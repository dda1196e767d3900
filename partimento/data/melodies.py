"""Melodies: the single lines inside a score that a melody model can learn from.

`extract_melodies` takes a score apart by `MelodyRules` and gives back the melodies that pass and a
`LeftOut` for everything that does not: why, how many notes, and which switch would keep it. A
melody starts on a bar line at tick 0, one note at a time, every onset and offset on the grid, in
its own meters, keys and tempos. Long rests (the piano's interludes in a song) cut a line into
several melodies. Where a file takes an upbeat for a bar, silence fills the bar before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from partimento.data.fingerprints import fingerprint, sketch
from partimento.errors import ParameterError
from partimento.music.grid import check_steps_per_quarter
from partimento.music.notes import Notes
from partimento.music.pickup import STEPS_PER_QUARTER, estimate_pickup
from partimento.music.score import Key, Meter, Part, Score, Tempo
from partimento.music.timing import BarMap, steps_to_ticks, ticks_to_steps

GRID_TOLERANCE = 0.2  # of a step: farther from the grid is off it
FINER = (2, 3, 4, 6, 12)  # times finer: a grid that keeps what the coarser one kept
MAX_STEPS_PER_QUARTER = 24  # what is worth suggesting
MAX_MEETING = 0.05  # share of notes that may sound together in what counts as one voice


@dataclass(frozen=True)
class MelodyRules:
    """Which music counts as a melody, and how it is laid on the grid.

    Attributes
    ----------
    steps_per_quarter : int
        4 is a sixteenth grid; 12 also holds triplets.
    lowest, highest : int
        Melodies move by octaves, as a whole, to fit in these pitches.
    melody : str
        ``"strict"`` takes parts that are one voice; ``"skyline"`` also the top line of others. Of
        notes that start on one step, strict keeps the last (the others are ornaments), skyline the
        highest.
    min_bars : int
        Shorter melodies are left out. Magenta asked for 7.
    min_pitches : int
        Different pitches a melody must have. Magenta asked for 5.
    max_rest_bars : int
        A longer rest ends a melody and starts the next.
    max_bars : int
        Longer melodies are cut at bar lines.
    min_on_grid : float
        Share of onsets that must lie on the grid (within a fifth of a step); the others move to
        it.
    find_pickups : bool
        Listen for an upbeat in files that begin at tick 0, and put their bar lines right; see
        `partimento.music.pickup`.
    """

    steps_per_quarter: int = 4
    lowest: int = 48
    highest: int = 83
    melody: str = "strict"
    min_bars: int = 4
    min_pitches: int = 3
    max_rest_bars: int = 2
    max_bars: int = 512
    min_on_grid: float = 0.9
    find_pickups: bool = True

    def __post_init__(self) -> None:
        check_steps_per_quarter(self.steps_per_quarter)
        if not 0 <= self.lowest <= self.highest <= 127:
            raise ParameterError(
                f"lowest and highest must be 0-127 in this order, got {self.lowest}-{self.highest}"
            )
        if self.melody not in ("strict", "skyline"):
            raise ParameterError(f"melody must be strict or skyline, got {self.melody!r}")
        for name, least in (("min_bars", 1), ("min_pitches", 1), ("max_rest_bars", 1)):
            if getattr(self, name) < least:
                raise ParameterError(f"{name} must be at least {least}, got {getattr(self, name)}")
        if self.max_bars < self.min_bars:
            raise ParameterError(
                f"max_bars must be at least min_bars ({self.min_bars}), got {self.max_bars}"
            )
        if not 0 <= self.min_on_grid <= 1:
            raise ParameterError(f"min_on_grid must be in 0 to 1, got {self.min_on_grid}")


class FoundMelody(NamedTuple):
    """One melody in plain columns, cheap to send between processes and to keep on disk.

    Attributes
    ----------
    track
        Among the parts that hold notes, from 0.
    columns : int32 array, shape (4, note)
        Onset, duration, pitch, velocity; ticks from the melody's first bar line.
    semitones
        How far it was moved to fit, a multiple of 12.
    merged
        Notes that fell on the step of another and were left out.
    pickup
        Ticks of the upbeat that was found at the start of its file; 0 if the bar lines stand as
        the file has them.
    fingerprint, sketch
        See `partimento.data.fingerprints`.
    """

    track: int
    columns: np.ndarray
    ticks_per_quarter: int
    end_tick: int
    bars: int
    tempos: tuple[Tempo, ...]
    meters: tuple[Meter, ...]
    keys: tuple[Key, ...]
    semitones: int
    merged: int
    pickup: int
    fingerprint: bytes
    sketch: np.ndarray

    def score(self) -> Score:
        """Make the melody a score of one part."""
        return Score(
            parts=(Part(Notes(*self.columns)),),
            ticks_per_quarter=self.ticks_per_quarter,
            tempos=self.tempos,
            meters=self.meters,
            keys=self.keys,
            end_tick=self.end_tick,
        )


class LeftOut(NamedTuple):
    """Music that did not pass: the rule, how many notes, and the switch that would keep it."""

    reason: str
    unit: str  # "part" or "melody"
    where: str
    notes: int
    keep: str


def extract_melodies(
    score: Score, rules: MelodyRules, tracks: Sequence[int] | None = None
) -> tuple[list[FoundMelody], list[LeftOut]]:
    """Find the melodies of a score.

    Parameters
    ----------
    tracks
        Parts known to be melodies, counted among the parts that hold notes; all other parts are
        passed over without a word. `None` looks at every part.
    """
    melodies: list[FoundMelody] = []
    left_out: list[LeftOut] = []
    parts = [part for part in score.parts if len(part.notes)]
    is_voice = [
        not part.is_drum and (tracks is not None or is_one_voice(part.notes, score))
        for part in parts
    ]
    asked = range(len(parts)) if tracks is None else [t for t in range(len(parts)) if t in tracks]
    voices = [parts[track].notes for track in asked if is_voice[track]]
    pickup = _pickup(score, voices) if rules.find_pickups else 0
    bar_map = _bar_map(score, pickup)
    for track in asked:
        part, where = parts[track], f"part {track + 1}"
        if part.is_drum:
            left_out.append(LeftOut("drums", "part", where, len(part.notes), ""))
        elif not is_voice[track] and rules.melody != "skyline":
            left_out.append(
                LeftOut("polyphonic", "part", where, len(part.notes), "--melody skyline")
            )
        else:
            line = _line(part.notes, score.ticks_per_quarter, rules)
            for span in _spans(line, bar_map, rules):
                result = _melody(score, bar_map, line, span, rules, track, pickup)
                if isinstance(result, FoundMelody):
                    melodies.append(result)
                else:
                    left_out.append(result)
    return melodies, left_out


def is_one_voice(notes: Notes, score: Score) -> bool:
    """Whether hardly any notes sound together; legato may reach a sixteenth into the next."""
    if len(notes) < 2:
        return True
    reaches = np.maximum.accumulate(notes.offset)[:-1] - notes.onset[1:]
    meets = (notes.onset[1:] == notes.onset[:-1]) | (reaches > score.ticks_per_quarter / 4)
    return bool(np.count_nonzero(meets) <= MAX_MEETING * len(meets))


def _pickup(score: Score, voices: Sequence[Notes]) -> int:
    """Ticks of an upbeat at tick 0, where the file does not say where its bars begin."""
    if not voices or len(score.meter_map) > 1:
        return 0
    first = min(int(part.notes.onset[0]) for part in score.parts if len(part.notes))
    if 2 * STEPS_PER_QUARTER * first >= score.ticks_per_quarter:  # some files begin at tick 1
        return 0
    return estimate_pickup(voices, score.ticks_per_quarter, score.meter)


def _bar_map(score: Score, pickup: int) -> BarMap:
    """Bars of a score; with an upbeat, the first began before tick 0."""
    bar_map = BarMap.of(score)
    if not pickup:
        return bar_map
    start = pickup - int(bar_map.bar_ticks(score.meter))
    return BarMap(score.ticks_per_quarter, (score.meter._replace(tick=start),))


class _Line(NamedTuple):
    """One voice on the grid, times in ticks, and the notes it was made of."""

    onset: np.ndarray
    offset: np.ndarray
    step: np.ndarray  # of each onset
    pitch: np.ndarray
    velocity: np.ndarray
    first_played: np.ndarray  # of the notes that fell on this step, in `played`
    last_played: np.ndarray
    played: np.ndarray  # onset of every note before it was moved

    def of(self, notes: slice) -> "_Line":
        """Keep some of the notes."""
        *columns, played = self
        return _Line._make([*(column[notes] for column in columns), played])


def _line(notes: Notes, ticks_per_quarter: int, rules: MelodyRules) -> _Line:
    """Move notes to the grid; of several on one step the last stays, of a skyline the highest."""
    onset, offset, pitch, velocity = notes.onset, notes.offset, notes.pitch, notes.velocity
    grid = (ticks_per_quarter, rules.steps_per_quarter)
    step = ticks_to_steps(onset, *grid)
    if rules.melody == "skyline":
        order = np.lexsort((pitch, step))
        onset, offset, pitch, velocity, step = (
            column[order] for column in (onset, offset, pitch, velocity, step)
        )
    is_last = np.empty(len(step), dtype=bool)
    np.not_equal(step[1:], step[:-1], out=is_last[:-1])
    is_last[-1] = True
    last_played = np.flatnonzero(is_last)
    step, end_step = step[last_played], ticks_to_steps(offset[last_played], *grid)
    end_step = np.maximum(end_step, step + 1)
    np.minimum(end_step[:-1], step[1:], out=end_step[:-1])
    onset_tick, offset_tick = steps_to_ticks(step, *grid), steps_to_ticks(end_step, *grid)
    return _Line(
        onset=onset_tick,
        offset=np.maximum(offset_tick, onset_tick + 1),  # where the grid is finer than the ticks
        step=step,
        pitch=pitch[last_played],
        velocity=velocity[last_played],
        first_played=np.concatenate(([0], last_played[:-1] + 1)),
        last_played=last_played,
        played=onset,
    )


class _Span(NamedTuple):
    """Some notes of a line, and the bars they stand in."""

    notes: slice
    first_bar: int
    bars: int
    start: int  # tick of the first bar line
    end: int  # tick of the bar line after the last bar


def _spans(line: _Line, bar_map: BarMap, rules: MelodyRules) -> list[_Span]:
    """Stretches without a long rest, none too long, each from a bar line to a bar line."""
    count = len(line.onset)
    bars = bar_map.bar(np.concatenate((line.onset, line.offset - 1)))
    bar, bar_after = bars[:count], bars[count:] + 1  # whose line is the first after each note
    lines = bar_map.start(np.concatenate((bar_after, bar_after + rules.max_rest_bars)))
    longest_rest = lines[count:] - lines[:count]
    is_cut = line.onset[1:] - line.offset[:-1] > longest_rest[:-1]
    is_cut &= bar[1:] >= bar_after[:-1]  # a bar is never cut in two
    edges = []
    for first, after in pairwise([0, *(np.flatnonzero(is_cut) + 1).tolist(), len(bar)]):
        while first < after:
            edges.append(first)
            first = min(after, int(np.searchsorted(bar, bar[first] + rules.max_bars)))
    last = np.array([*edges[1:], len(bar)]) - 1
    first_bar = bar[edges]
    bars = np.minimum(bar_after[last] - first_bar, rules.max_bars)
    start, end = bar_map.start(np.stack((first_bar, first_bar + bars)))
    rows = np.stack((edges, last + 1, first_bar, bars, start, end), axis=1).tolist()
    return [_Span(slice(first, after), *rest) for first, after, *rest in rows]


def _melody(
    score: Score,
    bar_map: BarMap,
    line: _Line,
    span: _Span,
    rules: MelodyRules,
    track: int,
    pickup: int,
) -> FoundMelody | LeftOut:
    """Cut one stretch out at its bar lines, unless a rule is against it."""
    line = line.of(span.notes)
    played = line.played[line.first_played[0] : line.last_played[-1] + 1]
    meters = _between(bar_map.meters, span.start, span.end)
    low, high = int(line.pitch.min()), int(line.pitch.max())
    semitones = _octaves_to_fit(low, high, rules)
    reason, keep = _objection(line.pitch, played, span, meters, score.ticks_per_quarter, rules)
    if semitones is None and not reason:
        reason = "range too wide"
        keep = f"--lowest {min(low, rules.lowest)} --highest {max(high, rules.highest)}"
    if semitones is None or reason:
        where = f"part {track + 1}, bar {span.first_bar + 1}"
        return LeftOut(reason, "melody", where, len(played), keep)
    columns, steps = _columns(line, span, score.ticks_per_quarter, rules)
    columns[2] += semitones
    return FoundMelody(
        track=track,
        columns=columns,
        ticks_per_quarter=score.ticks_per_quarter,
        end_tick=span.end - span.start,
        bars=span.bars,
        tempos=_between(score.tempo_map, span.start, span.end),
        meters=meters,
        keys=_between(score.keys, span.start, span.end),
        semitones=semitones,
        merged=len(played) - columns.shape[1],
        pickup=pickup,
        fingerprint=fingerprint(steps, columns[2]),
        sketch=sketch(columns[2]),
    )


def _objection(
    pitch: np.ndarray,
    played: np.ndarray,
    span: _Span,
    meters: Sequence[Meter],
    ticks_per_quarter: int,
    rules: MelodyRules,
) -> tuple[str, str]:
    """First rule that is against a melody, and the switch that would lift it; or two blanks."""
    if span.bars < rules.min_bars:
        return "too short", f"--min-bars {span.bars}"
    pitches = len(set(pitch.tolist()))
    if pitches < rules.min_pitches:
        return "too few pitches", f"--min-pitches {pitches}"
    if not _has_whole_steps(meters, rules.steps_per_quarter):
        finer = (grid for grid in _finer_grids(rules) if _has_whole_steps(meters, grid))
        grid = next(finer, 32)
        return "meter finer than the grid", f"--steps-per-quarter {grid}"
    share = _share_on_grid(played, ticks_per_quarter, rules.steps_per_quarter)
    if share >= rules.min_on_grid:
        return "", ""
    for grid in _finer_grids(rules):
        if _share_on_grid(played, ticks_per_quarter, grid) >= rules.min_on_grid:
            is_triplet = grid % 3 == 0 and rules.steps_per_quarter % 3 != 0
            return (
                "triplets" if is_triplet else "finer than the grid",
                f"--steps-per-quarter {grid}",
            )
    return "free timing", f"--min-on-grid {int(share * 100) / 100}"


def _columns(
    line: _Line, span: _Span, ticks_per_quarter: int, rules: MelodyRules
) -> tuple[np.ndarray, np.ndarray]:
    """Note columns from the first bar line on, and the step of each onset."""
    length = span.end - span.start
    ticks_per_step, rest = divmod(ticks_per_quarter, rules.steps_per_quarter)
    if rest or span.start % ticks_per_step:
        # The first bar line is off the grid, or a tick is: the grid starts at that line.
        onset = line.onset - span.start
        notes = Notes(onset, line.offset - line.onset, line.pitch, line.velocity)
        line = _line(notes, ticks_per_quarter, rules)
        onset, offset, step = line.onset, np.minimum(line.offset, length), line.step
    else:
        onset, offset = line.onset - span.start, np.minimum(line.offset, span.end) - span.start
        step = line.step - span.start // ticks_per_step
    columns = np.stack((onset, offset - onset, line.pitch, line.velocity)).astype(np.int32)
    steps = ticks_to_steps(np.array(length), ticks_per_quarter, rules.steps_per_quarter)
    if step[-1] >= steps:  # rounded beyond the last bar line
        return columns[:, :-1], step[:-1]
    return columns, step


def _between(events: Sequence[Any], start: int, end: int) -> tuple[Any, ...]:
    """Events that hold in a span, counted from its start; the one before it stands at its start."""
    first = max(start, 0)  # what is said at tick 0 holds in the silence before an upbeat too
    before = [event._replace(tick=0) for event in events if event.tick <= first][-1:]
    inside = [event for event in events if first < event.tick < end]
    return (*before, *(event._replace(tick=event.tick - start) for event in inside))


def _finer_grids(rules: MelodyRules) -> list[int]:
    grids = [rules.steps_per_quarter * times for times in FINER]
    return [grid for grid in grids if grid <= MAX_STEPS_PER_QUARTER]


def _has_whole_steps(meters: Sequence[Meter], steps_per_quarter: int) -> bool:
    return not any(4 * m.numerator * steps_per_quarter % m.denominator for m in meters)


def _share_on_grid(onset: np.ndarray, ticks_per_quarter: int, steps_per_quarter: int) -> float:
    """Share of onsets close to a grid step."""
    step = ticks_to_steps(onset, ticks_per_quarter, steps_per_quarter)
    distance = np.abs(onset * steps_per_quarter - step * ticks_per_quarter)
    return float((distance <= GRID_TOLERANCE * ticks_per_quarter).mean())


def _octaves_to_fit(low: int, high: int, rules: MelodyRules) -> int | None:
    """Fewest octaves, in semitones, that bring a range inside the rules'; `None` if none do."""
    octaves = 0
    if low < rules.lowest:
        octaves = -((low - rules.lowest) // 12)
    elif high > rules.highest:
        octaves = (rules.highest - high) // 12
    fits = rules.lowest <= low + 12 * octaves and high + 12 * octaves <= rules.highest
    return 12 * octaves if fits else None
