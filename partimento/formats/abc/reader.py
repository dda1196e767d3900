"""Reading a tune in ABC: from its lines to a `Score`.

`read_abc` is the function to start with. A tune is read sign by sign (`SIGNS` lists them); each
voice fills bars of its own, and `formats.bars` unfolds the repeats.
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from partimento.errors import FormatError, LimitError, PartimentoError
from partimento.formats.abc.fields import (
    ALTER,
    AbcKey,
    read_key,
    read_meter,
    read_tempo,
    read_unit,
    usual_unit,
)
from partimento.formats.abc.tunes import Tune, decoded, split_tunes
from partimento.formats.bars import BarRead, NoteRead, PartRead, assemble
from partimento.formats.midi.limits import USUAL_LIMITS, Limits
from partimento.formats.midi.texts import printable
from partimento.music.score import Score

LENGTH = r"(?P<length>[0-9]{0,4}(?:/[0-9]{0,4})*)"
NOTE = re.compile(
    r"(?P<sign>\^{1,2}|_{1,2}|=)?(?P<letter>[A-Ga-g])(?P<octave>[,']*)" + LENGTH + "(?P<tie>-?)"
)
REST = re.compile(r"(?P<kind>[zxZX])" + LENGTH)
CHORD_END = re.compile(r"\]" + LENGTH + "(?P<tie>-?)")
TUPLET = re.compile(r"\((\d)(?::(\d?))?(?::(\d{0,2}))?")
BAR_LINE = re.compile(r"(?:\.?\|[\]|:]*|\[\||:+\|*[\]:|]*)(?:\s*\[?(?P<ending>\d[\d,\-]*))?")
ENDING = re.compile(r"\[(?P<ending>\d[\d,\-]*)")
BROKEN = re.compile(r"(>{1,3}|<{1,3})")
INLINE = re.compile(r"\[(?P<name>[A-Za-z]):(?P<words>[^\]]*)\]")
# Passed over: quoted words, grace notes, decorations, slurs, spaces and marks before notes.
QUOTED = re.compile(r'"[^"]*"?')
GRACE = re.compile(r"\{[^}]*\}?")
JUMPS = {
    "segno": "segno", "coda": "coda", "fine": "fine", "dacoda": "tocoda",
    **dict.fromkeys(("D.C.", "dacapo", "D.C.alfine", "D.C.alcoda"), "dacapo"),
    **dict.fromkeys(("D.S.", "dalsegno", "D.S.alfine", "D.S.alcoda"), "dalsegno"),
}  # fmt: skip
ENDS = ("dacapo", "dalsegno", "tocoda", "fine")  # signs at the end of a bar
DECORATION = re.compile(r"![^!|\s]{1,40}!|\+[^+|\s]{1,40}\+")
PASSED = re.compile(r"[\s().~HLMOPSTJRhijklmnopqrstuvw`*$;!\\]|y[0-9/]*")
SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
MIDDLE_C = 60
TIMES = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}  # so many in the time of; 5, 7 and 9 follow the meter
MAX_BARS_RESTED = 1000
MAX_BARS = 50_000


class AbcReading(NamedTuple):
    """A score, and how many of which things of the tune it has no place for."""

    score: Score
    notices: dict[str, int]


def read_abc(
    data: bytes,
    number: int | None = None,
    *,
    limits: Limits = USUAL_LIMITS,
    source: str = "ABC data",
) -> Score:
    """Read a tune of an ABC file.

    Parameters
    ----------
    data
        The whole file.
    number
        Of the tune, as its ``X:`` field says; without it the first.
    limits
        How large it may be: `max_text_bytes`, `max_notes`.
    source
        Name of the file, for error messages.

    Raises
    ------
    FormatError
        If there is no such tune, or it cannot be read; the message names the line.
    LimitError
        If it passes a limit.
    """
    return read_abc_report(data, number, limits=limits, source=source).score


def read_abc_report(
    data: bytes,
    number: int | None = None,
    *,
    limits: Limits = USUAL_LIMITS,
    source: str = "ABC data",
) -> AbcReading:
    """Read a tune as `read_abc` does, and say what was left out."""
    try:
        if len(data) > limits.max_text_bytes:
            limits.refuse("max_text_bytes", f"the text has {len(data):,} bytes")
        return _TuneReader(limits).read(_chosen(data, number))
    except LimitError as error:
        raise LimitError(f"{printable(source)}: {error}", error.limit, error.offset) from None
    except PartimentoError as error:
        raise FormatError(f"{printable(source)}: {error}") from None


def _chosen(data: bytes, number: int | None) -> Tune:
    seen = []
    for tune in split_tunes(decoded(data)):
        if number is None or tune.number == str(number):
            return tune
        seen.append(tune.number)
    if number is None or not seen:
        raise FormatError("line 1: no tune begins here: an X: field is expected")
    some = ", ".join(map(printable, seen[:8])) + (" ..." if len(seen) > 8 else "")
    raise FormatError(f"no tune has the number X:{number}: there are {some}")


@dataclass
class _Voice:
    """A voice as it is read."""

    part: PartRead
    key: AbcKey
    unit: Fraction
    meter: tuple[int, int] | None
    bars: list[BarRead] = field(default_factory=list)
    notes: list[NoteRead] = field(default_factory=list)
    bar: BarRead = field(default_factory=BarRead)
    at: Fraction = Fraction(0)
    altered: dict[tuple[str, int], int] = field(default_factory=dict)  # in this bar
    tied: dict[tuple[str, int], int] = field(default_factory=dict)  # from the note before
    places: dict[tuple[str, int], int] = field(default_factory=dict)  # of the note before
    last: tuple[int, Fraction] | None = None  # notes of the last sign, and how long it is
    factor: Fraction = Fraction(1)  # of the next sign: the second of a broken rhythm
    tuplet: tuple[Fraction, int] = (Fraction(1), 0)  # factor, and signs it still holds for
    endings: frozenset[int] = frozenset()
    is_overlaid: bool = False


class _TuneReader:
    """Reads one tune."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.notices: Counter[str] = Counter()
        self.title = ""
        self.meter: tuple[int, int] | None = (4, 4)
        self.unit: Fraction | None = None
        self.key: AbcKey | None = None
        self.tempo = ""
        self.voices: dict[str, _Voice] = {}
        self.voice: _Voice | None = None
        self.num_notes = 0
        self.line = 0

    def read(self, tune: Tune) -> AbcReading:
        for self.line, text in tune.lines:
            words = text.partition("%")[0] if "%" in text else text
            if not words.strip():
                continue
            if re.match(r"[A-Za-z+]:(?!\||:)", words.lstrip()) and words.lstrip()[0] not in "|":
                name, _, rest = words.strip().partition(":")
                self._field(name, rest)
            elif self.key is None:
                raise FormatError(
                    f"line {self.line}: the tune has no key: a K: field is expected before "
                    "the notes"
                )
            else:
                self._music(words)
        if self.key is None:
            raise FormatError(f"line {self.line}: the tune has no key: a K: field is expected")
        voices = list(self.voices.values()) or [self._voice("1")]
        for voice in voices:
            self._close(voice, "")
        first = max(voices, key=lambda voice: len(voice.bars))
        bars = first.bars
        for voice in voices:
            for bar, other in zip(bars, voice.bars, strict=False):
                bar.length = max(bar.length, other.length)
        parts = [voice.part for voice in voices]
        score = assemble(parts, bars, self.limits, self.notices, title=self.title)
        return AbcReading(score, {name: count for name, count in self.notices.items() if count})

    # Fields.

    def _field(self, name: str, words: str) -> None:
        words = words.strip()
        voice = self.voice
        if name == "T" and not self.title:
            self.title = " ".join(words.split())[: self.limits.max_text_characters]
        elif name == "M":
            meter = read_meter(words, self.line)
            if voice is None:
                self.meter = meter
            else:
                voice.meter = meter
                if voice.at == 0 and meter:
                    voice.bar.meter = meter
        elif name == "L":
            unit = read_unit(words, self.line)
            if voice is None:
                self.unit = unit
            else:
                voice.unit = unit
        elif name == "Q":
            if voice is None:
                self.tempo = words
            elif (qpm := read_tempo(words, voice.unit)) is not None:
                voice.bar.tempos.append((voice.at, qpm))
        elif name == "K":
            key = read_key(words, self.line, before=voice.key if voice else self.key)
            if voice is None:
                self.key = key
            else:
                voice.key = key
                if voice.at == 0:
                    voice.bar.key = (key.fifths, key.is_minor)
        elif name == "V":
            found = re.match(r"\S+", words)
            if self.key is not None and found:
                self.voice = self._voice(found[0])
        elif name in ("m", "U"):
            self.notices["macros and symbols of its own"] += 1

    def _voice(self, name: str) -> _Voice:
        """Take up a voice, a new one with what the header says."""
        if name not in self.voices:
            if len(self.voices) >= min(64, self.limits.max_parts):
                self.limits.refuse("max_parts", f"line {self.line}: there are more voices")
            assert self.key is not None
            unit = self.unit or usual_unit(self.meter)
            label = "" if name == "1" else name[: self.limits.max_text_characters]
            voice = _Voice(PartRead(name=label), self.key, unit, self.meter)
            voice.bar = BarRead(
                meter=self.meter, key=(self.key.fifths, self.key.is_minor), may_be_short=True
            )
            if (qpm := read_tempo(self.tempo, unit)) is not None:
                voice.bar.tempos.append((Fraction(0), qpm))
            self.voices[name] = voice
        return self.voices[name]

    # Music.

    def _music(self, text: str) -> None:
        """Read a line of notes, sign by sign."""
        at = 0
        self.voice = self.voice or self._voice("1")
        while at < len(text):
            for pattern, read in SIGNS:
                found = pattern.match(text, at)
                if found and found.end() > at:
                    stop = read(self, found, text)
                    at = found.end() if stop is None else stop
                    break
            else:
                raise FormatError(
                    f"line {self.line}: '{printable(text[at : at + 8])}' at column {at + 1} is no "
                    "sign of a tune that is known here"
                )

    def _inline(self, found: re.Match[str], text: str) -> None:
        self._field(found["name"], found["words"])

    def _note(self, found: re.Match[str], text: str) -> None:
        self._sound([found], self._length(found["length"]), bool(found["tie"]))

    def _chord(self, found: re.Match[str], text: str) -> int:
        """Read ``[CEG]2``; it lasts as long as its first note."""
        at = found.end()
        notes = []
        while not (end := CHORD_END.match(text, at)):
            note = NOTE.match(text, at)
            if note:
                notes.append(note)
                at = note.end()
                continue
            passed = QUOTED.match(text, at) or DECORATION.match(text, at) or PASSED.match(text, at)
            if not passed:
                raise FormatError(
                    f"line {self.line}: the chord at column {found.start() + 1} is not closed"
                )
            at = passed.end()
        if notes:
            length = self._length(notes[0]["length"]) * self._length(end["length"])
            self._sound(notes, length, bool(end["tie"]))
        return end.end()

    def _sound(self, notes: list[re.Match[str]], length: Fraction, is_tied: bool) -> None:
        """Add a note or a chord to the voice."""
        voice = self.voice
        assert voice is not None
        duration = self._duration(voice, length)
        tied: dict[tuple[str, int], int] = {}
        places: dict[tuple[str, int], int] = {}
        count = 0
        for note in notes:
            letter = note["letter"].upper()
            octave = (
                note["letter"].islower() + note["octave"].count("'") - note["octave"].count(",")
            )
            place = (letter, octave)
            if note["sign"]:
                voice.altered[place] = ALTER[note["sign"]]
            alter = voice.altered.get(place, voice.key.alter[letter])
            if place in voice.tied and not note["sign"]:
                alter = voice.tied[place]
            pitch = MIDDLE_C + 12 * octave + SEMITONES[letter] + alter + voice.key.transposition
            if not 0 <= pitch <= 127:
                raise FormatError(
                    f"line {self.line}: {note[0][:20]!r} is pitch {pitch}: MIDI has 0 to 127"
                )
            places[place] = alter
            goes_on = is_tied or bool(note["tie"])
            if goes_on:
                tied[place] = alter
            if duration and not voice.is_overlaid:
                is_continued = voice.tied.get(place) == alter
                voice.notes.append(
                    NoteRead(voice.at, duration, pitch, is_continued=is_continued, goes_on=goes_on)
                )
                count += 1
        self.num_notes += count
        if self.num_notes > self.limits.max_notes:
            self.limits.refuse("max_notes", f"line {self.line}: there are more notes")
        voice.tied, voice.places = tied, places
        self._step(voice, duration, count)

    def _rest(self, found: re.Match[str], text: str) -> None:
        voice = self.voice
        assert voice is not None
        voice.tied = {}
        length = self._length(found["length"])
        if found["kind"] in "zx":
            self._step(voice, self._duration(voice, length), 0)
            return
        bar = Fraction(4 * voice.meter[0], voice.meter[1]) if voice.meter else Fraction(4)
        count = max(1, int(length))
        if count > MAX_BARS_RESTED:
            raise FormatError(f"line {self.line}: a rest of {count:,} bars is too long")
        for _ in range(count - 1):
            self._step(voice, bar, 0)
            self._close(voice, "|")
        self._step(voice, bar, 0)

    def _step(self, voice: _Voice, duration: Fraction, count: int) -> None:
        if not voice.is_overlaid:
            voice.at += duration
        voice.last = (count, duration)

    def _duration(self, voice: _Voice, length: Fraction) -> Fraction:
        """Quarters of a sign, as broken rhythm and tuplets have it."""
        factor, left = voice.tuplet
        duration = length * voice.unit * voice.factor * (factor if left else 1)
        voice.tuplet = (factor, max(0, left - 1))
        voice.factor = Fraction(1)
        return duration

    def _length(self, words: str) -> Fraction:
        """Read a length in units: ``3``, ``/``, ``3/2``, ``//``."""
        above, *below = words.split("/")
        length = Fraction(int(above)) if above else Fraction(1)
        for part in below:
            if part and not int(part):
                raise FormatError(f"line {self.line}: a length of {words!r} divides by nothing")
            length /= int(part) if part else 2
        if length.denominator > 4096:
            raise FormatError(f"line {self.line}: a length of {words[:20]!r} is too fine")
        return length

    def _broken(self, found: re.Match[str], text: str) -> None:
        """Lengthen the sign before and shorten the one that follows, or the other way round."""
        voice = self.voice
        assert voice is not None
        if voice.last is None:
            raise FormatError(f"line {self.line}: {found[0]!r} follows no note")
        small = Fraction(1, 2 ** len(found[0]))
        first, second = (2 - small, small) if found[0][0] == ">" else (small, 2 - small)
        count, duration = voice.last
        change = duration * first - duration
        for place in range(len(voice.notes) - count, len(voice.notes)):
            voice.notes[place] = voice.notes[place]._replace(duration=duration * first)
        if not voice.is_overlaid:
            voice.at += change
        voice.last = None
        voice.factor = second

    def _tuplet(self, found: re.Match[str], text: str) -> None:
        voice = self.voice
        assert voice is not None
        count = int(found[1])
        if count < 2:
            raise FormatError(f"line {self.line}: a tuplet of {count} is none")
        is_compound = voice.meter is not None and voice.meter[0] % 3 == 0 and voice.meter[1] >= 8
        times = int(found[2] or 0) or TIMES.get(count, 3 if is_compound else 2)
        voice.tuplet = (Fraction(times, count), int(found[3] or 0) or count)

    def _grace(self, found: re.Match[str], text: str) -> None:
        self.notices["grace notes"] += len(NOTE.findall(found[0]))

    def _quoted(self, found: re.Match[str], text: str) -> None:
        self.notices["chord symbols and words"] += 1

    def _overlay(self, found: re.Match[str], text: str) -> None:
        assert self.voice is not None
        self.voice.is_overlaid = True
        self.notices["overlays (&)"] += 1

    def _tie(self, found: re.Match[str], text: str) -> None:
        """Tie the last sign: the tie stands apart from it, as in ``A3 -A2``."""
        voice = self.voice
        assert voice is not None
        for place in range(len(voice.notes) - (voice.last or (0,))[0], len(voice.notes)):
            voice.notes[place] = voice.notes[place]._replace(goes_on=True)
        voice.tied = voice.places

    def _decoration(self, found: re.Match[str], text: str) -> None:
        """Take down where the tune jumps; others are passed over."""
        assert self.voice is not None
        if sign := JUMPS.get(found[0][1:-1]):
            self.voice.bar.signs[sign] = ""

    def _pass(self, found: re.Match[str], text: str) -> None:
        return

    def _bar_line(self, found: re.Match[str], text: str) -> None:
        assert self.voice is not None
        ending = found["ending"]
        sign = found[0] if ending is None else found[0][: found.start("ending") - found.start()]
        self._close(self.voice, sign.strip().rstrip("[") or "|", ending)

    def _ending(self, found: re.Match[str], text: str) -> None:
        assert self.voice is not None
        self._close(self.voice, "|", found["ending"])

    def _close(self, voice: _Voice, sign: str, ending: str | None = None) -> None:
        """End a bar, if there is one, and say what its bar line means."""
        left = sign.index("|") if "|" in sign else -(-len(sign) // 2)
        ends = sign[:left].count(":")
        begins = sign[left:].count(":") > 0 if sign else False
        if voice.at > 0:
            if len(voice.bars) >= MAX_BARS:
                raise FormatError(f"line {self.line}: more than {MAX_BARS:,} bars")
            voice.bar.length = voice.at
            voice.bar.endings = voice.endings
            voice.bars.append(voice.bar)
            voice.part.bars.append(voice.notes)
            voice.bar, voice.notes, voice.at = BarRead(may_be_short=True), [], Fraction(0)
        elif voice.bars:  # what stands between two bar lines belongs to the bar before
            moved = [sign for sign in ENDS if sign in voice.bar.signs]
            voice.bars[-1].signs |= {sign: voice.bar.signs.pop(sign) for sign in moved}
        if ends and voice.bars:
            voice.bars[-1].passes = ends + 1
        if begins:
            voice.bar.starts_repeat = True
        if ends or begins or "||" in sign or "]" in sign:
            voice.endings = frozenset()
        if ending:
            voice.endings = _numbers(ending)
        voice.altered = {}
        voice.last = None
        voice.is_overlaid = False


def _numbers(words: str) -> frozenset[int]:
    """Read the passes of an ending: ``1``, ``1,3``, ``1-3``."""
    numbers: set[int] = set()
    for part in words.split(","):
        first, _, last = part.partition("-")
        if first.isdecimal():
            stop = int(last) if last.isdecimal() else int(first)
            numbers |= set(range(int(first), min(stop, int(first) + 20) + 1))
    return frozenset(numbers)


Read = Callable[[_TuneReader, re.Match[str], str], int | None]
# In the order of trial.
SIGNS: tuple[tuple[re.Pattern[str], Read], ...] = (
    (NOTE, _TuneReader._note),
    (REST, _TuneReader._rest),
    (INLINE, _TuneReader._inline),
    (ENDING, _TuneReader._ending),
    (BAR_LINE, _TuneReader._bar_line),
    (re.compile(r"\["), _TuneReader._chord),
    (BROKEN, _TuneReader._broken),
    (TUPLET, _TuneReader._tuplet),
    (GRACE, _TuneReader._grace),
    (QUOTED, _TuneReader._quoted),
    (DECORATION, _TuneReader._decoration),
    (re.compile("&"), _TuneReader._overlay),
    (re.compile("-"), _TuneReader._tie),
    (PASSED, _TuneReader._pass),
)
