"""Staves and voices: which notes of a part stand on which staff, and which of them move together.

A keyboard part that is played by two hands gets two staves, divided bar by bar where its pitches
leave the widest gap near middle C. On a staff, notes that start and end together are a chord;
chords that overlap are voices, the highest first. Where four voices are not enough, all that
overlaps is written as one, cut and tied wherever a note starts or ends: nothing is lost.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from partimento.formats.musicxml.grid import Bar, Placed
from partimento.music.score import Part
from partimento.music.spelling import Spelled

MIDDLE_C = 60
MAX_VOICES = 4
HANDS_APART = 10  # semitones between the lowest and the highest note of a part for two hands
KEYBOARDS = (range(24), range(46, 47), range(88, 96))  # pianos to organs, harp, pads
KICKS = frozenset({35, 36, 44})  # played by the feet


class Head(NamedTuple):
    """A note of a chord; ties come from splitting it, its name (none for drums) from spelling."""

    pitch: int
    velocity: int
    is_continued: bool = False  # a tie ends here
    goes_on: bool = False  # a tie starts here
    name: Spelled | None = None


class Chord(NamedTuple):
    """Notes that start and end together."""

    onset: int
    offset: int
    heads: tuple[Head, ...]

    def cut(self, start: int, stop: int) -> "Chord":
        """Keep what sounds from `start` to `stop`, tied to the rest."""
        onset, offset = max(start, self.onset), min(stop, self.offset)
        heads = tuple(
            head._replace(
                is_continued=head.is_continued or onset > self.onset,
                goes_on=head.goes_on or offset < self.offset,
            )
            for head in self.heads
        )
        return Chord(onset, offset, heads)


Voice = list[Chord]  # in order, without overlaps


def lay_out(part: Part, placed: Placed, bars: Sequence[Bar]) -> list[list[Voice]]:
    """Divide a part into staves, each a list of one to four voices."""
    if part.is_drum:
        return [_drum_voices(placed, bars)]
    if not _wants_two_staves(part, placed):
        return [_voices(_chords(placed, np.ones(len(placed.onset), dtype=bool)))]
    is_upper = _upper_hand(placed, bars)
    return [_voices(_chords(placed, is_upper)), _voices(_chords(placed, ~is_upper))]


def _wants_two_staves(part: Part, placed: Placed) -> bool:
    """Whether a part is a keyboard's, sounds on both sides of middle C, and in several voices."""
    if not any(part.program in family for family in KEYBOARDS) or not len(placed.onset):
        return False
    lowest, highest = placed.pitch.min(), placed.pitch.max()
    is_apart = lowest < MIDDLE_C - 5 and highest > MIDDLE_C + 4 and highest - lowest > HANDS_APART
    reaches = np.maximum.accumulate(placed.offset)[:-1]
    return bool(is_apart and (reaches > placed.onset[1:]).any())


def _upper_hand(placed: Placed, bars: Sequence[Bar]) -> np.ndarray:
    """Which notes the right hand plays: above the widest gap near middle C, bar by bar."""
    starts = np.array([bar.start for bar in bars])
    bar = np.searchsorted(starts, placed.onset, side="right") - 1
    is_upper = placed.pitch >= MIDDLE_C
    for number in np.unique(bar).tolist():
        inside = bar == number
        pitches = np.unique(placed.pitch[inside])
        low, high = pitches[:-1], pitches[1:]
        is_near = (high > MIDDLE_C - 7) & (low < MIDDLE_C + 7)
        if is_near.any():
            distance = np.abs((low + high) / 2 - MIDDLE_C)
            best = np.where(is_near, high - low - 0.75 * distance, -np.inf).argmax()
            is_upper[inside] = placed.pitch[inside] > low[best]
    return is_upper


def _chords(placed: Placed, is_kept: np.ndarray) -> list[Chord]:
    """Gather notes that start and end together; in order, longer ones last at each onset."""
    rows = zip(
        placed.onset[is_kept].tolist(),
        placed.offset[is_kept].tolist(),
        placed.pitch[is_kept].tolist(),
        placed.velocity[is_kept].tolist(),
        strict=True,
    )
    together: dict[tuple[int, int], list[Head]] = {}
    for onset, offset, pitch, velocity in rows:
        together.setdefault((onset, offset), []).append(Head(pitch, velocity))
    return [
        Chord(onset, offset, tuple(sorted(heads)))
        for (onset, offset), heads in sorted(together.items())
    ]


def _voices(chords: list[Chord]) -> list[Voice]:
    """Deal chords to voices, as few as possible in each stretch that overlaps."""
    voices: list[Voice] = [[]]
    for stretch in _stretches(chords):
        dealt = _dealt(stretch)
        if len(dealt) > MAX_VOICES:
            dealt = [list(_tied_together(stretch))]
        dealt.sort(key=_mean_pitch, reverse=True)
        while len(voices) < len(dealt):
            voices.append([])
        for voice, content in zip(voices, dealt, strict=False):
            voice += content
    return voices


def _stretches(chords: list[Chord]) -> Iterator[list[Chord]]:
    """Cut where nothing sounds on, so that voices last only as long as they must."""
    stretch: list[Chord] = []
    end = 0
    for chord in chords:
        if stretch and chord.onset >= end:
            yield stretch
            stretch = []
        stretch.append(chord)
        end = max(end, chord.offset)
    if stretch:
        yield stretch


def _dealt(chords: list[Chord]) -> list[Voice]:
    """Give each chord to the free voice that lies nearest."""
    voices: list[Voice] = []
    for chord in sorted(chords, key=lambda chord: (chord.onset, -chord.heads[-1].pitch)):
        free = [voice for voice in voices if voice[-1].offset <= chord.onset]
        if free:
            pitch = chord.heads[-1].pitch
            min(free, key=lambda voice: abs(voice[-1].heads[-1].pitch - pitch)).append(chord)
        else:
            voices.append([chord])
    return voices


def _mean_pitch(voice: Voice) -> float:
    pitches = [head.pitch for chord in voice for head in chord.heads]
    return sum(pitches) / len(pitches)


def _tied_together(chords: list[Chord]) -> Iterator[Chord]:
    """Write overlapping chords as one voice, cut wherever one starts or ends."""
    edges = sorted({edge for chord in chords for edge in (chord.onset, chord.offset)})
    sounding: list[Chord] = []
    waiting = iter([*chords, None])
    following = next(waiting)
    for start, stop in pairwise(edges):
        while following is not None and following.onset <= start:
            sounding.append(following)
            following = next(waiting)
        sounding = [chord for chord in sounding if chord.offset > start]
        heads = [head for chord in sounding for head in chord.cut(start, stop).heads]
        yield Chord(start, stop, tuple(sorted(heads)))


def _drum_voices(placed: Placed, bars: Sequence[Bar]) -> list[Voice]:
    """Hands above, feet below; each stroke lasts to the next one or to the end of its beat."""
    is_kick = np.isin(placed.pitch, sorted(KICKS))
    voices = []
    for is_kept in (~is_kick, is_kick):
        strokes: dict[int, list[Head]] = {}
        rows = zip(
            placed.onset[is_kept], placed.pitch[is_kept], placed.velocity[is_kept], strict=True
        )
        for onset, pitch, velocity in rows:
            strokes.setdefault(int(onset), []).append(Head(int(pitch), int(velocity)))
        onsets = sorted(strokes)
        ends = _beat_ends(onsets, bars)
        following = [*onsets[1:], *ends[-1:]]
        voices.append(
            [
                Chord(onset, min(end, after), tuple(sorted(strokes[onset])))
                for onset, end, after in zip(onsets, ends, following, strict=True)
            ]
        )
    return voices if voices[1] else voices[:1]


def _beat_ends(onsets: list[int], bars: Sequence[Bar]) -> list[int]:
    """Where the beat ends that each stroke falls in."""
    starts = [bar.start for bar in bars]
    ends = []
    for onset in onsets:
        bar = bars[max(0, int(np.searchsorted(starts, onset, side="right")) - 1)]
        beat = beat_of(bar)
        ends.append(min(bar.end, bar.start + ((onset - bar.start) // beat + 1) * beat))
    return ends


def beat_of(bar: Bar) -> int:
    """Length of a beat in units of the page: a dotted note in compound meters."""
    unit = 4 * 480 // bar.meter.denominator
    is_compound = bar.meter.denominator >= 8 and bar.meter.numerator % 3 == 0
    return 3 * unit if is_compound else max(unit, 15)
