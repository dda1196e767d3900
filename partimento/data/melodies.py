"""Melodies: the single lines inside a score that a melody model can learn from.

`extract_melodies` takes a score apart by `MelodyRules` and gives back the melodies that pass and a
`LeftOut` for everything that does not: why, how many notes, and which switch would keep it. A
melody starts on a bar line at tick 0, one note at a time, every onset and offset on the grid, in
its own meters, keys and tempos. Long rests (the piano's interludes in a song) cut a line into
several melodies. Where a file takes an upbeat for a bar, silence fills the bar before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from partimento.data.fingerprints import fingerprints, sketches
from partimento.data.lines import Lines, Spans, are_one_voice, cut_at_rests, lay_on_grid, near_grid
from partimento.errors import ParameterError
from partimento.music.grid import check_steps_per_quarter
from partimento.music.notes import HIGHEST_PITCH, Notes
from partimento.music.pickup import STEPS_PER_QUARTER, estimate_pickups
from partimento.music.score import Key, Meter, Part, Score, Tempo
from partimento.music.timing import BarMap, BarMaps, ticks_to_steps

FINER = (2, 3, 4, 6, 12)  # times finer: a grid that keeps what the coarser one kept
MAX_STEPS_PER_QUARTER = 24  # what is worth suggesting


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
        """Make the melody a score of one part. Its columns are trusted to be a melody."""
        notes = Notes.of_table(self.columns.astype(np.int64))
        return Score.of_checked(
            (Part.of_checked(notes),),
            self.ticks_per_quarter,
            self.end_tick,
            tempos=self.tempos,
            meters=self.meters,
            keys=self.keys,
        )


class LeftOut(NamedTuple):
    """Music that did not pass: the rule, how many notes, and the switch that would keep it."""

    reason: str
    unit: str  # "part" or "melody"
    where: str
    notes: int
    keep: str


class Extracted(NamedTuple):
    """What a score holds.

    Attributes
    ----------
    melodies, left_out : list
    is_one_voice : list of bool
        Of each part that holds notes.
    """

    melodies: list[FoundMelody]
    left_out: list[LeftOut]
    is_one_voice: list[bool]


class _Voice(NamedTuple):
    """A part that is to be a line, in which piece it stands, and which part it is."""

    piece: int
    track: int
    notes: Notes
    score: Score


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
    return extract_all([score], rules, [tracks])[0][:2]


def extract_all(
    scores: Sequence[Score], rules: MelodyRules, tracks: Sequence[Sequence[int] | None]
) -> list[Extracted]:
    """Find the melodies of many scores at once, which takes much less time for each."""
    parts = [[part for part in score.parts if len(part.notes)] for score in scores]
    divisions = [score.ticks_per_quarter for score in scores]
    flags = iter(
        are_one_voice(
            [part.notes for held in parts for part in held],
            [division for held, division in zip(parts, divisions, strict=True) for _ in held],
        )
    )
    found = [Extracted([], [], [next(flags) for _ in held]) for held in parts]
    voices: list[_Voice] = []
    places: list[int | LeftOut] = []  # in order: a voice, or why a part is none
    owners: list[int] = []  # the piece of each place
    singing: list[list[Notes]] = [[] for _ in scores]  # what a pickup is heard from
    for piece, (score, held, known) in enumerate(zip(scores, parts, tracks, strict=True)):
        for track, part in enumerate(held):
            if known is not None and track not in known:
                continue
            owners.append(piece)
            is_voice = known is not None or found[piece].is_one_voice[track]
            if part.is_drum:
                places.append(LeftOut("drums", "part", f"part {track + 1}", len(part.notes), ""))
                continue
            if is_voice:
                singing[piece].append(part.notes)
            if is_voice or rules.melody == "skyline":
                places.append(len(voices))
                voices.append(_Voice(piece, track, part.notes, score))
            else:
                where, keep = f"part {track + 1}", "--melody skyline"
                places.append(LeftOut("polyphonic", "part", where, len(part.notes), keep))
    results = _melodies(voices, rules, _pickups(scores, singing, rules)) if voices else []
    for piece, place in zip(owners, places, strict=True):
        for result in results[place] if isinstance(place, int) else [place]:
            if isinstance(result, LeftOut):
                found[piece].left_out.append(result)
            else:
                found[piece].melodies.append(result)
    return found


def is_one_voice(notes: Notes, score: Score) -> bool:
    """Whether hardly any notes sound together; legato may reach a sixteenth into the next."""
    return not len(notes) or are_one_voice([notes], [score.ticks_per_quarter])[0]


def _pickups(
    scores: Sequence[Score], singing: Sequence[Sequence[Notes]], rules: MelodyRules
) -> list[int]:
    """Ticks of an upbeat at tick 0, of pieces whose file does not say where its bars begin."""
    pickups = [0] * len(scores)
    asked = [
        piece
        for piece, (score, voices) in enumerate(zip(scores, singing, strict=True))
        if rules.find_pickups and voices and len(score.meter_map) == 1 and _begins_at_once(score)
    ]
    about = [(singing[p], scores[p].ticks_per_quarter, scores[p].meter) for p in asked]
    for piece, pickup in zip(asked, estimate_pickups(about), strict=True):
        pickups[piece] = pickup
    return pickups


def _begins_at_once(score: Score) -> bool:
    """Whether a piece begins at tick 0, or in the first half of a sixteenth: some begin at 1."""
    first = min(int(part.notes.onset[0]) for part in score.parts if len(part.notes))
    return 2 * STEPS_PER_QUARTER * first < score.ticks_per_quarter


def _bar_map(score: Score, pickup: int) -> BarMap:
    """Bars of a score; with an upbeat, the first began before tick 0."""
    bar_map = BarMap.of(score)
    if not pickup:
        return bar_map
    start = pickup - int(bar_map.bar_ticks(score.meter))
    return BarMap(score.ticks_per_quarter, (score.meter._replace(tick=start),))


class _Span(NamedTuple):
    """One stretch of a line, and all that rules may ask about it; see `Spans`."""

    voice: int
    low: int
    high: int
    first_bar: int
    bars: int
    start: int
    end: int
    first_played: int
    after_played: int
    share_on_grid: float
    lowest: int
    highest: int
    pitches: int
    length_steps: int


def _melodies(
    voices: Sequence[_Voice], rules: MelodyRules, pickups: Sequence[int]
) -> list[list[FoundMelody | LeftOut]]:
    """Make melodies of voices: what was found in each, in order."""
    grid = rules.steps_per_quarter
    divisions = [voice.score.ticks_per_quarter for voice in voices]
    by_piece = {voice.piece: voice.score for voice in voices}
    of_piece = {piece: _bar_map(score, pickups[piece]) for piece, score in by_piece.items()}
    bar_maps = [of_piece[voice.piece] for voice in voices]
    is_skyline = rules.melody == "skyline"
    lines = lay_on_grid([v.notes for v in voices], divisions, grid, is_skyline=is_skyline)
    spans = cut_at_rests(lines, BarMaps(bar_maps), rules.max_rest_bars, rules.max_bars)
    results: list[list[FoundMelody | LeftOut]] = [[] for _ in voices]
    kept: list[_Kept] = []
    for span in _described(lines, spans, np.array(divisions), grid):
        voice, bar_map = voices[span.voice], bar_maps[span.voice]
        meters = _between(bar_map.meters, span.start, span.end)
        semitones = _octaves_to_fit(span.lowest, span.highest, rules)
        objection = _objection(lines, span, meters, voice.score.ticks_per_quarter, rules)
        if semitones is None and objection is None:
            lowest, highest = min(span.lowest, rules.lowest), max(span.highest, rules.highest)
            objection = "range too wide", f"--lowest {lowest} --highest {highest}"
        if semitones is None or objection is not None:
            reason, keep = objection or ("", "")
            where = f"part {voice.track + 1}, bar {span.first_bar + 1}"
            left_out = LeftOut(reason, "melody", where, span.after_played - span.first_played, keep)
            results[span.voice].append(left_out)
        else:
            kept.append(_Kept(span, semitones, meters))
    for melody, (span, _, _) in zip(
        _cut_out(kept, lines, spans, voices, rules, bar_maps, pickups), kept, strict=True
    ):
        results[span.voice].append(melody)
    return results


def _described(
    lines: Lines, spans: Spans, ticks_per_quarter: np.ndarray, steps_per_quarter: int
) -> list[_Span]:
    """Work out what rules ask about every span."""
    first_played = lines.first_played[spans.low]
    after_played = lines.last_played[spans.high - 1] + 1
    near = np.concatenate(([0], np.cumsum(lines.is_on_grid)))  # up to each played note
    share = (near[after_played] - near[first_played]) / (after_played - first_played)
    sounds = np.zeros((len(spans.low), HIGHEST_PITCH + 1), dtype=bool)  # span pitch
    sounds[np.repeat(np.arange(len(sounds)), spans.high - spans.low), lines.pitch] = True
    length = spans.end - spans.start
    columns = (
        *spans,
        first_played,
        after_played,
        share,
        np.minimum.reduceat(lines.pitch, spans.low),
        np.maximum.reduceat(lines.pitch, spans.low),
        sounds.sum(axis=1),
        ticks_to_steps(length, ticks_per_quarter[spans.voice], steps_per_quarter),
    )
    return list(map(_Span, *(column.tolist() for column in columns)))


class _Kept(NamedTuple):
    """A span that passed."""

    span: _Span
    semitones: int
    meters: tuple[Meter, ...]


def _cut_out(
    kept: Sequence[_Kept],
    lines: Lines,
    spans: Spans,
    voices: Sequence[_Voice],
    rules: MelodyRules,
    bar_maps: Sequence[BarMap],
    pickups: Sequence[int],
) -> list[FoundMelody]:
    """Cut the spans that passed out at their bar lines."""
    if not kept:
        return []
    counts = spans.high - spans.low
    start, end = (np.repeat(ticks, counts) for ticks in (spans.start, spans.end))
    duration = np.minimum(lines.offset, end) - lines.onset
    table = np.stack((lines.onset - start, duration, lines.pitch, lines.velocity)).astype(np.int32)
    columns: list[np.ndarray] = []
    steps: list[np.ndarray] = []
    for span, semitones, _ in kept:
        division = voices[span.voice].score.ticks_per_quarter
        ticks_per_step, rest = divmod(division, rules.steps_per_quarter)
        if rest or span.start % ticks_per_step:
            own, step = _laid_anew(lines, span, division, rules)
        else:
            own = table[:, span.low : span.high].copy()
            step = lines.step[span.low : span.high] - span.start // ticks_per_step
        if step[-1] >= span.length_steps:  # rounded beyond the last bar line
            own, step = own[:, :-1], step[:-1]
        own[2] += semitones
        columns.append(own)
        steps.append(step)
    first = np.cumsum([0, *(len(step) for step in steps[:-1])])
    every_pitch = np.concatenate([own[2] for own in columns])
    prints = fingerprints(np.concatenate(steps), every_pitch, first)
    melodies = []
    for (span, semitones, meters), own, fingerprint, sketch in zip(
        kept, columns, prints, sketches(every_pitch, first), strict=True
    ):
        voice = voices[span.voice]
        melodies.append(
            FoundMelody(
                track=voice.track,
                columns=own,
                ticks_per_quarter=voice.score.ticks_per_quarter,
                end_tick=span.end - span.start,
                bars=span.bars,
                tempos=_between(voice.score.tempo_map, span.start, span.end),
                meters=meters,
                keys=_between(voice.score.keys, span.start, span.end),
                semitones=semitones,
                merged=span.after_played - span.first_played - own.shape[1],
                pickup=pickups[voice.piece],
                fingerprint=fingerprint,
                sketch=sketch,
            )
        )
    return melodies


def _laid_anew(
    lines: Lines, span: _Span, ticks_per_quarter: int, rules: MelodyRules
) -> tuple[np.ndarray, np.ndarray]:
    """Note columns and steps where a bar line is off the grid: the grid starts at that line."""
    onset, offset, pitch, velocity = (
        column[span.low : span.high]
        for column in (lines.onset, lines.offset, lines.pitch, lines.velocity)
    )
    notes = Notes(onset - span.start, offset - onset, pitch, velocity)
    line = lay_on_grid(
        [notes],
        [ticks_per_quarter],
        rules.steps_per_quarter,
        is_skyline=rules.melody == "skyline",
    )
    duration = np.minimum(line.offset, span.end - span.start) - line.onset
    columns = np.stack((line.onset, duration, line.pitch, line.velocity)).astype(np.int32)
    return columns, line.step


def _objection(
    lines: Lines,
    span: _Span,
    meters: Sequence[Meter],
    ticks_per_quarter: int,
    rules: MelodyRules,
) -> tuple[str, str] | None:
    """First rule that is against a melody, and the switch that would lift it."""
    if span.bars < rules.min_bars:
        return "too short", f"--min-bars {span.bars}"
    if span.pitches < rules.min_pitches:
        return "too few pitches", f"--min-pitches {span.pitches}"
    if not _has_whole_steps(meters, rules.steps_per_quarter):
        finer = (grid for grid in _finer_grids(rules) if _has_whole_steps(meters, grid))
        grid = next(finer, 32)
        return "meter finer than the grid", f"--steps-per-quarter {grid}"
    if span.share_on_grid >= rules.min_on_grid:
        return None
    played = lines.played[span.first_played : span.after_played]
    for grid in _finer_grids(rules):
        if near_grid(played, ticks_per_quarter, grid).mean() >= rules.min_on_grid:
            is_triplet = grid % 3 == 0 and rules.steps_per_quarter % 3 != 0
            return (
                "triplets" if is_triplet else "finer than the grid",
                f"--steps-per-quarter {grid}",
            )
    return "free timing", f"--min-on-grid {int(span.share_on_grid * 100) / 100}"


def _between(events: Sequence[Any], start: int, end: int) -> tuple[Any, ...]:
    """Events that hold in a span, counted from its start; the one before it stands at its start."""
    first = max(start, 0)  # what is said at tick 0 holds in the silence before an upbeat too
    if len(events) < 2 and all(event.tick == 0 for event in events):  # nearly always
        return tuple(events)
    before = [event._replace(tick=0) for event in events if event.tick <= first][-1:]
    inside = [event for event in events if first < event.tick < end]
    return (*before, *(event._replace(tick=event.tick - start) for event in inside))


def _finer_grids(rules: MelodyRules) -> list[int]:
    grids = [rules.steps_per_quarter * times for times in FINER]
    return [grid for grid in grids if grid <= MAX_STEPS_PER_QUARTER]


def _has_whole_steps(meters: Sequence[Meter], steps_per_quarter: int) -> bool:
    return not any(4 * m.numerator * steps_per_quarter % m.denominator for m in meters)


def _octaves_to_fit(low: int, high: int, rules: MelodyRules) -> int | None:
    """Fewest octaves, in semitones, that bring a range inside the rules'; `None` if none do."""
    octaves = 0
    if low < rules.lowest:
        octaves = -((low - rules.lowest) // 12)
    elif high > rules.highest:
        octaves = (rules.highest - high) // 12
    fits = rules.lowest <= low + 12 * octaves and high + 12 * octaves <= rules.highest
    return 12 * octaves if fits else None
