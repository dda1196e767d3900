"""What a melody model hears of a piece: `hear` finds the melody and writes it as tokens.

A model knows one voice, on a grid, within a span of pitches. Strangers' music is wider, so `hear`
takes the melody out of the parts, moves onsets to the nearest grid step, and shifts everything by
whole octaves where the vocabulary asks for it, and says what it did. The piece itself stays as it
is: what a model answers is shifted back and set beside the original.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from partimento.errors import ParameterError, VocabularyError
from partimento.music.grid import Grid
from partimento.music.notes import MAX_TICK, Notes
from partimento.music.score import Meter, Score
from partimento.music.time_transforms import with_whole_steps
from partimento.music.timing import BarMap, steps_per_bar, steps_to_ticks, ticks_to_steps
from partimento.music.voices import cut_overlaps, is_monophonic, skyline
from partimento.representations.melody import FIRST_PITCH, HOLD, MelodyRepresentation

AUTO, SKYLINE = "auto", "skyline"
MAX_STEPS = 250_000  # of one piece: 15,000 bars of 4/4 in sixteenths
REMEMBERED_BARS = 64  # a primer is heard from so many bars before its end, at most a few more
BARS_IN_CYCLE = 16  # it begins at a multiple, so that a place in a cycle of bars stays the same


@dataclass(frozen=True, eq=False)
class Heard:
    """A melody as a model hears it.

    Attributes
    ----------
    score : Score
        The piece, in ticks that can express every grid step.
    representation : MelodyRepresentation
    tokens : int64 array, shape (time,)
        From bar `first_bar` to the step nearest to the end of the piece.
    notes : Notes
        The notes behind the tokens, as they stand in the piece (one for each onset token).
    part : int
        Index of the part the melody stands in.
    shift : int
        Semitones from the piece to the tokens, a multiple of 12.
    first_bar : int
        Bar at which hearing begins; 0 unless the piece is long.
    remarks : tuple of str
        What was changed for the model's ears, one sentence each.
    """

    score: Score
    representation: MelodyRepresentation
    tokens: np.ndarray
    notes: Notes
    part: int
    shift: int
    first_bar: int
    remarks: tuple[str, ...]

    @cached_property
    def first_tick(self) -> int:
        """Tick at which hearing begins."""
        return int(BarMap.of(self.score).start(self.first_bar))

    @cached_property
    def bars(self) -> int:
        """Bars heard, the last maybe not to its end."""
        bars = BarMap.of(self.score).count(self.score.end_tick) - self.first_bar
        return int(self._grid(bars).bar[len(self.tokens) - 1]) + 1

    def grid(self, more_bars: int = 0) -> Grid:
        """Bars and beats of the steps heard, to the end of the last bar, and of more bars.

        Raises `ParameterError` where a meter's bar is not a whole number of steps.
        """
        return self._grid(self.bars + more_bars)

    @property
    def is_sounding(self) -> bool:
        """Whether a note sounds up to the last step."""
        events = self.tokens[self.tokens != HOLD]
        return bool(len(events)) and bool(events[-1] >= FIRST_PITCH)

    @property
    def silent_steps(self) -> int:
        """Steps of silence at the end."""
        if self.is_sounding:
            return 0
        events = np.flatnonzero(self.tokens != HOLD)
        return len(self.tokens) - (int(events[-1]) if len(events) else 0)

    def ticks(self, steps: np.ndarray) -> np.ndarray:
        """Ticks in the piece of steps counted from where hearing begins."""
        per_quarter = self.score.ticks_per_quarter, self.representation.steps_per_quarter
        return self.first_tick + steps_to_ticks(steps, *per_quarter)

    def _grid(self, bars: int) -> Grid:
        frame = _from_bar(self.score, self.first_bar)
        end = int(BarMap.of(frame).start(bars))
        if self.first_tick + end > MAX_TICK:
            raise ParameterError(
                f"bars: the piece would end at tick {self.first_tick + end}, files end at "
                f"{MAX_TICK}"
            )
        # One that begins where the piece ends may cut the last bar short.
        meters = [meter for meter in frame.meter_map if meter.tick <= end]
        for meter in meters:
            if meter.tick < end:
                check_meter(meter, self.representation.steps_per_quarter)
        steps = end * self.representation.steps_per_quarter // frame.ticks_per_quarter
        if steps > MAX_STEPS:
            raise ParameterError(
                f"the piece would have {steps:,} steps, at most {MAX_STEPS:,} are heard or made: "
                "ask for fewer bars, or use a shorter piece"
            )
        return Grid.of(
            replace(frame, meters=tuple(meters), end_tick=end),
            self.representation.steps_per_quarter,
            bars,
        )


def hear(
    score: Score,
    representation: MelodyRepresentation,
    melody: str | int = AUTO,
    *,
    whole: bool = False,
) -> Heard:
    """Find the melody of a piece and write it as tokens.

    Parameters
    ----------
    score
        With at least one note.
    representation
        Of the model that listens.
    melody
        ``"auto"`` takes the first part that is a single line (drums aside) and refuses a piece
        without one; ``"skyline"`` takes the top line of the first part with notes; a number from 1
        takes that part, and its top line if it has chords.
    whole
        Hear all of it. Otherwise a piece longer than about `REMEMBERED_BARS` is heard from there
        on: networks learned from excerpts of that order.

    Raises
    ------
    VocabularyError
        If the melody spans more than the vocabulary, whatever the octave.
    """
    score = with_whole_steps(score, representation.steps_per_quarter)
    part, notes, remarks = _melody(score, melody, representation.steps_per_quarter)
    first_bar = 0
    if not whole:
        bars = BarMap.of(score).count(score.end_tick)
        first_bar = max(0, (bars - REMEMBERED_BARS) // BARS_IN_CYCLE * BARS_IN_CYCLE)
    first_tick = int(BarMap.of(score).start(first_bar))
    notes = notes.where(notes.offset > first_tick)
    if first_bar:
        remarks.append(f"the model hears it from bar {first_bar + 1} on")
    notes, onset, offset, end = _on_grid(score, notes, first_tick, representation, remarks)
    shift = _octaves(notes, representation) * 12
    if shift:
        direction = "up" if shift > 0 else "down"
        count = abs(shift) // 12
        remarks.append(
            f"the model hears it {count} octave{'s' if count > 1 else ''} {direction}; its answer "
            "is moved back"
        )
    heard = Notes(onset, offset - onset, notes.pitch + shift)
    tokens = representation.encode(heard, representation.steps_per_quarter, steps=end)
    return Heard(score, representation, tokens, notes, part, shift, first_bar, tuple(remarks))


def _melody(
    score: Score, melody: str | int, steps_per_quarter: int
) -> tuple[int, Notes, list[str]]:
    """Part and notes of the melody: one voice, overlaps cut."""
    candidates = _with_notes(score)
    legato = score.ticks_per_quarter // (2 * steps_per_quarter)  # overlaps of half a step pass
    if melody == AUTO:
        for index in candidates:
            if is_monophonic(score.parts[index].notes, legato):
                remarks = []
                if len(score.parts) > 1:
                    remarks.append(f"the melody is part {index + 1}{_name(score, index)}")
                return index, cut_overlaps(score.parts[index].notes), remarks
        raise ParameterError(
            "no part of the music is a single line: ask for the top line with --melody skyline, or "
            f"for one part by its number, 1 to {len(score.parts)}"
        )
    index = candidates[0] if melody == SKYLINE else _part_number(score, melody)
    notes = score.parts[index].notes
    if not len(notes):
        raise ParameterError(f"melody: part {index + 1} has no notes")
    what = "part" if is_monophonic(notes, legato) else "top line of part"
    return index, skyline(notes), [f"the melody is the {what} {index + 1}{_name(score, index)}"]


def hear_part(score: Score, part: str | int = AUTO) -> tuple[int, list[str]]:
    """Find the part that is meant, chords and all; see `melody` of `hear`.

    Returns
    -------
    part : int
        Its index.
    remarks : list of str
    """
    candidates = _with_notes(score)
    if part not in (AUTO, SKYLINE):
        index = _part_number(score, part)
        if index not in candidates:
            raise ParameterError(f"melody: part {index + 1} has no notes, or is drums")
    elif part == AUTO and len(candidates) > 1:
        singles = [i for i in candidates if is_monophonic(score.parts[i].notes)]
        if not singles:
            raise ParameterError(
                f"the music has {len(candidates)} parts with chords: say which is meant, as in "
                "--melody 1"
            )
        index = singles[0]
    else:
        index = candidates[0]
    is_one = len(score.parts) == 1
    return index, [] if is_one else [f"the part given is {index + 1}{_name(score, index)}"]


def _with_notes(score: Score) -> list[int]:
    """Parts that have notes, drums aside."""
    found = [
        index for index, part in enumerate(score.parts) if len(part.notes) and not part.is_drum
    ]
    if not found:
        raise ParameterError(
            "the music has no notes (drums do not count): give it a melody, or make music from "
            "nothing with `sample`"
        )
    return found


def _part_number(score: Score, melody: str | int) -> int:
    text = str(melody).strip()
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= len(score.parts)):
        raise ParameterError(
            f"melody must be auto, skyline or the number of a part, 1 to {len(score.parts)}, got "
            f"{text[:20]!r}"
        )
    return int(text) - 1


def _name(score: Score, index: int) -> str:
    name = score.parts[index].name
    return f" ({name[:40]!r})" if name else ""


def _on_grid(
    score: Score,
    notes: Notes,
    first_tick: int,
    representation: MelodyRepresentation,
    remarks: list[str],
) -> tuple[Notes, np.ndarray, np.ndarray, int]:
    """Choose notes that have a step of their own; their onset and offset steps, the last step."""
    per_quarter = score.ticks_per_quarter, representation.steps_per_quarter
    end = max(1, int(ticks_to_steps(np.array(score.end_tick - first_tick), *per_quarter)))
    if end > MAX_STEPS:
        raise ParameterError(
            f"the piece has {end:,} steps, at most {MAX_STEPS:,} are heard: use a shorter piece"
        )
    onset = np.clip(ticks_to_steps(notes.onset - first_tick, *per_quarter), 0, end - 1)
    offset = ticks_to_steps(notes.offset - first_tick, *per_quarter)
    # Of notes that meet on a step (ornaments) the longest is heard.
    order = np.lexsort((notes.duration, onset))
    kept = np.sort(order[np.append(onset[order][1:] != onset[order][:-1], True)[: len(order)]])
    if dropped := len(notes) - len(kept):
        remarks.append(
            f"{dropped} of {len(notes)} notes are too short for the model's "
            f"{representation.steps_per_quarter} steps a quarter and not heard"
        )
    ticks_per_step = per_quarter[0] / per_quarter[1]
    moved = np.abs(notes.onset[kept] - first_tick - onset[kept] * ticks_per_step)
    if (is_off := (moved > 0.02 * ticks_per_step) & (notes.onset[kept] >= first_tick)).any():
        remarks.append(
            f"{int(is_off.sum())} of {len(kept)} notes stand off the model's grid and are heard on "
            "the nearest step"
        )
    onset, offset = onset[kept], np.minimum(offset[kept], end)
    return notes.where(kept), onset, np.maximum(offset, onset + 1), end


def _octaves(notes: Notes, representation: MelodyRepresentation) -> int:
    """Fewest octaves that bring all notes into the vocabulary; positive is up."""
    if not len(notes):
        return 0
    lowest, highest = int(notes.pitch.min()), int(notes.pitch.max())
    least = -((lowest - representation.lowest) // 12)  # rounded up
    most = (representation.highest - highest) // 12
    if least > most:
        raise VocabularyError(
            f"the melody spans pitches {lowest}-{highest}, this model's vocabulary "
            f"{representation.lowest}-{representation.highest}: no octave fits. Take part of it "
            "(slice), or train with a wider span"
        )
    return int(np.clip(0, least, most))


def _from_bar(score: Score, bar: int) -> Score:
    """Meters of a score from a bar on, which becomes the first; no notes."""
    start = int(BarMap.of(score).start(bar))
    current = [meter for meter in score.meter_map if meter.tick <= start][-1]
    later = [meter for meter in score.meter_map if meter.tick > start]
    meters = (
        current._replace(tick=0),
        *(meter._replace(tick=meter.tick - start) for meter in later),
    )
    return Score(ticks_per_quarter=score.ticks_per_quarter, meters=meters)


def check_meter(meter: Meter, steps_per_quarter: int) -> None:
    """Refuse a meter whose bar is not a whole number of a model's steps."""
    try:
        steps_per_bar(meter, steps_per_quarter)
    except ParameterError:
        raise ParameterError(
            f"meter: a bar of {meter} is not a whole number of this model's steps, "
            f"{steps_per_quarter} a quarter. Give the music another meter, or train with "
            f"steps_per_quarter a multiple of {max(1, meter.denominator // 4)}"
        ) from None
