"""Room for new frames: behind a primer (`lengthened`), or in a new piece (`Blank.of`)."""

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from partimento.errors import ParameterError
from partimento.generation.hearing import check_meter
from partimento.generation.hearing_voices import CHOIR, MAX_STEPS, HeardVoices
from partimento.music.four_voices import SILENT, VOICES, FourVoices
from partimento.music.notes import Notes
from partimento.music.score import Meter, Part, Score, Tempo
from partimento.music.timing import BarMap, steps_per_bar, ticks_to_steps
from partimento.music.voice_grid import time_factor
from partimento.representations.satb import SatbRepresentation

TICKS_PER_QUARTER = 480


def lengthened(heard: HeardVoices, bars: int) -> HeardVoices:
    """Add silence to a primer: the rest of the bar that it ends in, and so many bars more.

    Raises
    ------
    ParameterError
        If that is longer than a model can hear.
    """
    score = heard.score
    bar_map = BarMap.of(score)
    end_tick = int(bar_map.start(bar_map.count(score.end_tick) + bars))
    scale = score.ticks_per_quarter, heard.steps_per_quarter
    steps = int(ticks_to_steps(np.array(end_tick - heard.first_tick), *scale))
    check_steps(steps, bars)
    old = heard.voices
    new = max(steps - len(old), 1)
    pitch = np.pad(old.pitch, ((0, new), (0, 0)), constant_values=SILENT)
    struck = np.pad(old.is_struck, ((0, new), (0, 0)))
    voices = FourVoices(pitch, struck, old.steps_per_quarter, old.first)
    return replace(heard, score=replace(score, end_tick=end_tick), voices=voices)


def joined_strikes(
    tokens: np.ndarray, representation: SatbRepresentation, primer: HeardVoices
) -> FourVoices:
    """Read cells as voices: with the primer's leading voice as long as it is there, then without.

    Parameters
    ----------
    tokens
        Of primer and continuation, shape (step, voice).
    """
    alone = representation.decode(tokens, first=primer.first)
    lead = np.append(primer.lead, np.zeros(len(tokens) - len(primer), dtype=bool))
    led = representation.decode(tokens, first=primer.first, lead=lead)
    is_primer = np.arange(len(tokens))[:, None] < len(primer)
    struck = np.where(is_primer, led.is_struck, alone.is_struck)
    return FourVoices(alone.pitch, struck, alone.steps_per_quarter, primer.first)


@dataclass(frozen=True)
class Blank:
    """A piece without notes.

    Attributes
    ----------
    steps : int
        Of the model's grid.
    steps_per_quarter : int
        Of the piece.
    frame : Score
        Meter, tempo and length.
    """

    steps: int
    steps_per_quarter: int
    frame: Score

    @classmethod
    def of(cls, representation: SatbRepresentation, bars: int, meter: Meter, qpm: float) -> "Blank":
        """Make room for so many bars."""
        nothing = [Notes()] * len(VOICES)
        frame = Score(
            ticks_per_quarter=TICKS_PER_QUARTER, tempos=(Tempo.from_qpm(qpm),), meters=(meter,)
        )
        factor = Fraction(1)
        if meter.denominator in (8, 16):
            factor = time_factor(frame, nothing, representation.steps_per_quarter)
        per_quarter = int(representation.steps_per_quarter * factor)
        check_meter(meter, per_quarter)
        steps = bars * steps_per_bar(meter, per_quarter)
        check_steps(steps, bars)
        ticks = steps * TICKS_PER_QUARTER // per_quarter
        return cls(steps, per_quarter, replace(frame, end_tick=ticks))

    def score(self, voices: FourVoices) -> Score:
        """Fill the piece with voices, as a choir sings them."""
        timed = replace(voices, steps_per_quarter=self.steps_per_quarter)
        return self.frame.with_parts(
            [
                Part(notes, name.capitalize(), CHOIR)
                for name, notes in zip(VOICES, timed.notes(TICKS_PER_QUARTER), strict=True)
            ]
        )


def check_steps(steps: int, bars: int) -> None:
    """Refuse what is longer than a model can hear."""
    if steps > MAX_STEPS:
        raise ParameterError(
            f"bars: with {bars} bars there are {steps:,} steps, at most {MAX_STEPS:,} fit"
        )
