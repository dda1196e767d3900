"""What a four-voice model hears of a piece: `hear_voices` finds the voices and lays them on a grid.

A model knows four voices on a grid, each within a span of pitches, in the time of a chorale: a beat
is a quarter, and harmony moves by beats. So the voices of a piece are found
(`partimento.music.voice_reading`), heard from their first note on, in other keys if that is where
they fit, and in meters of eighths (6/8) an eighth is a beat, in meters of halves (3/2) a half. The
piece stays as it is: what a model writes is brought back to its key and time (`with_voices`) and
set beside what was there.

What a model cannot hear is refused in one line: notes off the grid (triplets), voices out of their
range. With ``fit`` they are heard on the nearest step, and octaves higher or lower, and `remarks`
says how far.
"""

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

import numpy as np

from partimento.errors import MusicError, ParameterError, VocabularyError
from partimento.music.four_voices import RANGES, SILENT, VOICES, FourVoices
from partimento.music.keys import estimate_key
from partimento.music.notes import DEFAULT_VELOCITY, HIGHEST_PITCH, Notes
from partimento.music.pitches import pitch_name
from partimento.music.score import Key, Part, Score
from partimento.music.time_transforms import with_whole_steps
from partimento.music.timing import BarMap, ticks_to_steps
from partimento.music.voice_grid import MAX_OFF_GRID, LaidVoices, lay_voices
from partimento.music.voice_reading import AUTO, VoicesRead, voices_of
from partimento.representations.satb import SatbRepresentation

MAX_STEPS = 16_384  # of one piece: 1,024 bars of 4/4 in sixteenths
HEARD_NEAR = 6  # semitones that a piece is heard higher or lower without being asked
MAX_OUT_OF_RANGE = 0.1  # share of a voice's time that may lie outside
CHOIR, STRINGS = 52, 48  # General MIDI programs
KEYBOARDS_AND_CHOIRS = {*range(8), *range(16, 24), *range(48, 55)}


@dataclass(frozen=True, eq=False)
class HeardVoices:
    """Four voices as a model hears them.

    Attributes
    ----------
    score : Score
        The piece, in ticks that can express every grid step.
    representation : SatbRepresentation
    voices : FourVoices
        What is there, at the model's pitches, from the step of the first note to that of the last
        note's end. Voices that are not there rest.
    is_given : bool array, shape (voice,)
        Which voices are there.
    notes : tuple of Notes
        Of each voice as they stand in the piece, one at a time.
    parts : tuple
        Index of the part that each voice stands in, or `None`.
    shift : int
        Semitones from the piece to what the model hears.
    time_factor : Fraction
        Quarters that the model hears for one of the piece: 2 where an eighth is the beat.
    first_tick : int
        Where the first step stands in the piece.
    remarks : tuple of str
        What was changed for the model's ears, one sentence each.
    """

    score: Score
    representation: SatbRepresentation
    voices: FourVoices
    is_given: np.ndarray
    notes: tuple[Notes, ...]
    parts: tuple[int | None, ...]
    shift: int
    time_factor: Fraction
    first_tick: int
    remarks: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.voices)

    @property
    def tokens(self) -> np.ndarray:
        """Cells as the model reads them, `unknown` in the voices that are not there."""
        tokens = self.representation.encode(self.voices)
        return np.where(self.is_given, tokens, self.representation.unknown)

    @property
    def first(self) -> int:
        """Where the first step stands in its beat, as `FourVoices` has it."""
        return self.voices.first

    @property
    def leader(self) -> int:
        """The highest voice that is there; the others begin their notes with it."""
        return int(self.is_given.argmax())

    @property
    def lead(self) -> np.ndarray:
        """Where the leading voice begins notes; bool, shape (step,)."""
        return self.voices.is_struck[:, self.leader]

    @cached_property
    def key(self) -> Key:
        """The key its notes are most likely in, at the model's pitches."""
        given = [notes for notes in self.notes if len(notes)]
        pitch = np.concatenate([notes.pitch for notes in given]) + self.shift
        duration = np.concatenate([notes.duration for notes in given])
        return estimate_key(Notes(np.zeros_like(pitch), duration, pitch))

    @property
    def steps_per_quarter(self) -> int:
        """Steps in a quarter of the piece."""
        return int(self.representation.steps_per_quarter * self.time_factor)

    def ticks(self, steps: np.ndarray) -> np.ndarray:
        """Ticks in the piece of steps: where the leading voice begins a note, that note's."""
        steps = np.asarray(steps, dtype=np.int64)
        return self._ticks[np.clip(steps, 0, len(self))]

    @cached_property
    def _ticks(self) -> np.ndarray:
        """Tick of each step, and of the end; shape (step + 1,)."""
        per_step = Fraction(self.score.ticks_per_quarter, self.steps_per_quarter)
        steps = np.arange(len(self) + 1)
        ticks = self.first_tick + steps * per_step.numerator // per_step.denominator
        onset = self.notes[self.leader].onset
        at = self._steps(onset)
        # Notes off the grid stand within half a step, so the order stays.
        is_near = (at >= 0) & (at <= len(self)) & (np.abs(onset - ticks[at]) * 2 < per_step)
        return _placed_at(ticks, at[is_near], onset[is_near])

    def steps_of_bars(self, first: int, last: int) -> slice:
        """Find the steps of bars of the piece, counted from 1, both included.

        Raises
        ------
        ParameterError
            If none of them is heard.
        """
        bar_map = BarMap.of(self.score)
        bars = bar_map.count(self.score.end_tick)
        if not 1 <= first <= last <= bars:
            raise ParameterError(f"bars must be within 1-{bars}, got {first}-{last}")
        edges = self._steps(bar_map.start(np.array([first - 1, last])))
        start, stop = np.clip(edges, 0, len(self)).tolist()
        if start == stop:
            raise ParameterError(f"bars {first}-{last}: no voice has notes there")
        return slice(start, stop)

    def bars_of_steps(self) -> np.ndarray:
        """Bar of the piece that each step stands in, counted from 1; shape (step,)."""
        per_step = Fraction(self.score.ticks_per_quarter, self.steps_per_quarter)
        ticks = self.first_tick + np.arange(len(self)) * per_step.numerator // per_step.denominator
        return np.asarray(BarMap.of(self.score).bar(ticks)) + 1

    def with_tokens(self, tokens: np.ndarray, is_written: np.ndarray | None = None) -> Score:
        """Bring what a model wrote back to the piece: see `with_voices`.

        Parameters
        ----------
        tokens
            Shape (step, voice). Cells that are not written may say anything.
        """
        is_written = self._written(is_written)
        mine = np.where(is_written, tokens, self.representation.encode(self.voices))
        written = self.representation.decode(mine, first=self.first, lead=self.lead)
        return self.with_voices(written, is_written)

    def with_voices(self, voices: FourVoices, is_written: np.ndarray | None = None) -> Score:
        """Bring what a model wrote back to the piece, and set it beside what was there.

        Parameters
        ----------
        voices
            At the model's pitches, as long as `voices`.
        is_written
            Cells that are new, shape (step, voice) or (voice,); by default all of the voices that
            were not there.

        Returns
        -------
        Score
            The piece with its parts as they were, note for note, but for cells of theirs that are
            written anew. Voices that were not there are parts with their names, after the others.
        """
        if len(voices) != len(self):
            raise MusicError(f"{len(voices)} steps were written, {len(self)} were heard")
        is_written = self._written(is_written)
        parts: list[Part] = list(self.score.parts)
        new = []
        rewritten = [v for v in range(len(VOICES)) if is_written[:, v].any()]
        # A part that several voices stand in (a staff of chords) gives way to them.
        shared = {self.parts[v] for v in rewritten if self.parts.count(self.parts[v]) > 1}
        shared.discard(None)
        for voice, index in enumerate(self.parts):
            if voice not in rewritten and index not in shared:
                continue
            notes = self._notes(voices, voice, is_written[:, voice])
            if index is None or index in shared:
                program = self._program if index is None else self.score.parts[index].program
                new.append(Part(notes, VOICES[voice].capitalize(), program))
            else:
                parts[index] = replace(parts[index], notes=notes)
        kept = [part for index, part in enumerate(parts) if index not in shared]
        return self.score.with_parts((*kept, *new))

    def _written(self, is_written: np.ndarray | None) -> np.ndarray:
        """Which cells are new; shape (step, voice)."""
        cells = ~self.is_given if is_written is None else np.asarray(is_written, dtype=bool)
        return np.broadcast_to(cells, self.voices.pitch.shape)

    def _notes(self, voices: FourVoices, voice: int, is_written: np.ndarray) -> Notes:
        """Take the notes of a voice: new where it is written, else those of the piece."""
        pitch, struck = voices.pitch[:, voice], voices.is_struck[:, voice]
        is_note = is_written & (pitch != SILENT)
        begins = is_note & (struck | ~np.append(False, is_written[:-1]))
        goes_on = np.append(is_note[1:] & ~begins[1:], False)
        onset = np.flatnonzero(begins)
        offset = np.flatnonzero(is_note & ~goes_on) + 1
        start, stop = self.ticks(onset), self.ticks(offset)
        old = self.notes[voice]
        edges = np.flatnonzero(np.diff(np.concatenate([[0], is_written.astype(np.int8), [0]])))
        for begin, end in edges.reshape(-1, 2).tolist():
            old = self._without(old, begin, end)
        loud = np.full(len(onset), self._velocity)
        return Notes(
            np.concatenate([old.onset, start]),
            np.concatenate([old.duration, np.maximum(stop - start, 1)]),
            np.concatenate([old.pitch, pitch[onset] - self.shift]),
            np.concatenate([old.velocity, loud]),
        )

    def _without(self, notes: Notes, begin: int, end: int) -> Notes:
        """Cut steps out of a voice: notes that reach into them are shortened."""
        is_before = self._steps(notes.onset) < begin
        is_after = np.minimum(self._steps(notes.offset), len(self)) > end
        start, stop = self.ticks(np.array([begin, end])).tolist()
        left = np.minimum(notes.offset, start)[is_before]
        right = np.maximum(notes.onset, stop)[is_after]
        onset = np.concatenate([notes.onset[is_before], right])
        offset = np.concatenate([left, notes.offset[is_after]])
        return Notes(
            onset,
            np.maximum(offset - onset, 1),
            np.concatenate([notes.pitch[is_before], notes.pitch[is_after]]),
            np.concatenate([notes.velocity[is_before], notes.velocity[is_after]]),
        )

    def _steps(self, ticks: np.ndarray) -> np.ndarray:
        """Nearest step of ticks of the piece."""
        scale = self.score.ticks_per_quarter, self.steps_per_quarter
        return ticks_to_steps(np.asarray(ticks) - self.first_tick, *scale)

    @property
    def _velocity(self) -> int:
        given = [notes.velocity for notes in self.notes if len(notes)]
        return int(np.median(np.concatenate(given))) if given else DEFAULT_VELOCITY

    @property
    def _program(self) -> int:
        """What new voices are played with: as the leading one, if it can play chords."""
        index = self.parts[self.leader]
        program = CHOIR if index is None else self.score.parts[index].program
        if program in range(40, 48):
            return STRINGS
        return program if program in KEYBOARDS_AND_CHOIRS else CHOIR


def hear_voices(
    score: Score, representation: SatbRepresentation, *, voices: str = AUTO, fit: bool = False
) -> HeardVoices:
    """Find the voices of a piece and lay them on a model's grid.

    Parameters
    ----------
    score
        With at least one note.
    representation
        Of the model that listens.
    voices
        See `partimento.music.voice_reading.voices_of`.
    fit
        Hear notes off the grid on the nearest step, voices out of range octaves higher or lower,
        and the outer line of chords where one voice is wanted; `remarks` says what was done.

    Raises
    ------
    ParameterError
        If the voices are unclear, too long, or off the grid.
    VocabularyError
        If they are out of range.
    """
    score = with_whole_steps(score, 4 * representation.steps_per_quarter)
    read = voices_of(score, voices, fit=fit)
    remarks = list(read.remarks)
    laid = lay_voices(score, read.notes, representation.steps_per_quarter, MAX_STEPS)
    if isinstance(laid, int):
        raise ParameterError(
            f"the piece has {laid:,} steps of its grid, at most {MAX_STEPS:,} "
            f"({MAX_STEPS // 16:,} bars of 4/4) are heard: use a shorter piece, or part of it"
        )
    if laid.time_factor != 1:
        remarks.append(f"a beat is {_BEATS[laid.time_factor]} of {score.meter}")
    _check_grid(laid, representation.steps_per_quarter, fit, remarks)
    shift = _shift(laid.voices.pitch, read, representation, fit, remarks)
    return HeardVoices(
        score,
        representation,
        laid.voices.transposed(shift),
        read.is_there,
        read.notes,
        read.parts,
        shift,
        laid.time_factor,
        laid.first_tick,
        tuple(remarks),
    )


_BEATS = {Fraction(1, 2): "a half", Fraction(2): "an eighth", Fraction(4): "a sixteenth"}


def _check_grid(laid: LaidVoices, steps_per_quarter: int, fit: bool, remarks: list[str]) -> None:
    """Refuse notes off the grid, or say how far they move."""
    per_quarter = int(steps_per_quarter * laid.time_factor)
    share = laid.off_grid / laid.notes
    what = f"{laid.off_grid} of {laid.notes} notes ({share:.0%})"
    if share > MAX_OFF_GRID and not fit:
        raise ParameterError(
            f"{what} stand off the model's grid of {per_quarter} steps a quarter, as triplets do: "
            "quantize the piece, or let fit hear them on the nearest step"
        )
    if laid.off_grid:
        remarks.append(
            f"{what} stand off the grid and are heard on the nearest step, up to "
            f"{laid.farthest_qn:.2f} of a quarter away"
        )
    if laid.lost:
        remarks.append(
            f"{laid.lost} of {laid.notes} notes are too short for {per_quarter} steps a quarter "
            "and not heard"
        )


def _shift(
    pitch: np.ndarray,
    read: VoicesRead,
    representation: SatbRepresentation,
    fit: bool,
    remarks: list[str],
) -> int:
    """Semitones from the piece to what the model hears: as few as bring all voices into range."""
    there = np.flatnonzero(read.is_there)
    # What a model may write, moved back, is a pitch of MIDI.
    moves = np.arange(representation.highest - HIGHEST_PITCH, representation.lowest + 1)
    outside = np.zeros(len(moves))  # the largest share of a voice's time that is out of its range
    has_tokens = np.ones(len(moves), dtype=bool)
    for voice in there:
        sounding = pitch[pitch[:, voice] != SILENT, voice]
        heard = sounding + moves[:, None]  # move step
        low, high = RANGES[voice]
        outside = np.maximum(outside, ((heard < low) | (heard > high)).mean(axis=1))
        lowest, highest = representation.lowest, representation.highest
        has_tokens &= (heard.min(axis=1) >= lowest) & (heard.max(axis=1) <= highest)
    # As little outside as can be; of those that are alike, near ones before octaves before others.
    cost = np.round(outside + 2 * ~has_tokens, 2)
    is_near = np.abs(moves) <= HEARD_NEAR
    rank = np.where(is_near, 0, np.where(moves % 12 == 0, 1, 2))
    order = np.lexsort((np.abs(moves), rank, cost))
    best = int(order[0] if fit else order[is_near[order]][0])
    shift = int(moves[best])
    if not has_tokens[best] or (outside[best] > MAX_OUT_OF_RANGE and not fit):
        raise VocabularyError(_out_of_range(pitch, there, representation, fit))
    if shift:
        direction = "higher" if shift > 0 else "lower"
        octaves, semitones = divmod(abs(shift), 12)
        far = f"{abs(shift)} semitone{'s' if abs(shift) > 1 else ''}"
        if not semitones:
            far = f"{octaves} octave{'s' if octaves > 1 else ''}"
        remarks.append(f"the model hears it {far} {direction}; what it writes is moved back")
    if outside[best] > 0:
        remarks.append(
            f"{outside[best]:.0%} of the time a voice is outside the range that Bach gives it"
        )
    return shift


def _out_of_range(
    pitch: np.ndarray, there: np.ndarray, representation: SatbRepresentation, fit: bool
) -> str:
    """Say which voice is out of range and what to do."""

    def span(low: int, high: int) -> str:
        return f"{pitch_name(low)}-{pitch_name(high)}"

    said = []
    for voice in there.tolist():
        sounding = pitch[pitch[:, voice] != SILENT, voice]
        found = span(int(sounding.min()), int(sounding.max()))
        said.append(f"the {VOICES[voice]} spans {found} (Bach's {span(*RANGES[voice])})")
    what = "; ".join(said)
    if fit:
        return (
            f"{what}: no transposition brings it into this model's pitches, "
            f"{span(representation.lowest, representation.highest)}. Take part of it, or give it "
            "to another voice"
        )
    return f"{what}: transpose the piece, give it to another voice, or let fit move it by octaves"


def _placed_at(ticks: np.ndarray, at: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Copy with some entries replaced."""
    placed = ticks.copy()
    placed[at] = values
    return placed
