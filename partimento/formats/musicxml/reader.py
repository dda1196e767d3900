"""Reading MusicXML: from the bytes of a file to a `Score`.

`read_musicxml` is the function to start with; `read_musicxml_report` also says what a score has no
place for. The parser is `formats.xml`, compressed files go through `archive`, repeats and ties
through `formats.bars`.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from partimento.errors import FormatError, LimitError, PartimentoError
from partimento.formats.bars import SIGNS, BarRead, NoteRead, PartRead, assemble
from partimento.formats.midi.limits import USUAL_LIMITS, Limits
from partimento.formats.midi.texts import printable
from partimento.formats.musicxml.archive import unpack
from partimento.formats.musicxml.percussion import PLACES, SNARE
from partimento.formats.musicxml.writer import FORTE, REMARK
from partimento.formats.xml import Element, parse_xml
from partimento.music.notes import DEFAULT_VELOCITY
from partimento.music.score import Score
from partimento.music.spelling import STEP_PITCH_CLASSES, STEPS

ZIP_MAGIC = b"PK\x03\x04"
BEAT_UNITS: dict[str, int | Fraction] = {
    "breve": 8, "whole": 4, "half": 2, "quarter": 1, "eighth": Fraction(1, 2),
    "16th": Fraction(1, 4), "32nd": Fraction(1, 8),
}  # fmt: skip
# Velocities as notation programs play the signs.
DYNAMICS = {
    "pppp": 10, "ppp": 16, "pp": 33, "p": 49, "mp": 64, "mf": 80, "f": 96, "ff": 112, "fff": 126,
    "ffff": 127,
}  # fmt: skip
SLOWEST, FASTEST = 60_000_000 / (2**24 - 1), 60_000_000.0  # quarters a minute
MAX_DIVISIONS = 16_384 * 16
DRUM_AT = {(place.step, place.octave, place.head): pitch for pitch, place in PLACES.items()}


class MusicXmlReading(NamedTuple):
    """A score, and how many of which things of the file it has no place for."""

    score: Score
    notices: dict[str, int]


def read_musicxml(
    data: bytes, *, limits: Limits = USUAL_LIMITS, source: str = "MusicXML data"
) -> Score:
    """Read a MusicXML file, compressed or not.

    Parameters
    ----------
    data
        The whole file: ``score-partwise``, as text or as .mxl.
    limits
        How large it may be: `max_text_bytes`, `max_notes` and others.
    source
        Name of the file, for error messages.

    Raises
    ------
    FormatError
        If it is not what it should be; the message names the line.
    LimitError
        If it passes a limit.

    Notes
    -----
    - Repeats and endings are unfolded, jumps (D.C., D.S., coda, fine) followed, bar by bar.
    - Notes sound as the instrument does: transpositions are applied.
    - Grace and cue notes are left out and counted. Dynamics become velocities, 80 without any.
    - A first bar that is shorter than its meter, a pickup, has a meter of its own in the score.
    - Chord symbols, slurs, articulations and layout have no place in a score.
    """
    return read_musicxml_report(data, limits=limits, source=source).score


def read_musicxml_report(
    data: bytes, *, limits: Limits = USUAL_LIMITS, source: str = "MusicXML data"
) -> MusicXmlReading:
    """Read a MusicXML file as `read_musicxml` does, and say what was left out."""
    try:
        if data.startswith(ZIP_MAGIC):
            if len(data) > limits.max_bytes:
                limits.refuse("max_bytes", f"the file has {len(data):,} bytes")
            data = unpack(data, limits)
        if len(data) > limits.max_text_bytes:
            limits.refuse("max_text_bytes", f"the text has {len(data):,} bytes")
        reader = _Reader(limits)
        parse_xml(data, reader.take)
        return reader.finish()
    except LimitError as error:
        raise LimitError(f"{printable(source)}: {error}", error.limit, error.offset) from None
    except PartimentoError as error:
        raise FormatError(f"{printable(source)}: {error}") from None


@dataclass
class _Instrument:
    """What the part list says of a part."""

    part: PartRead
    unpitched: dict[str, int] = field(default_factory=dict)  # pitch of a drum, by its id
    divisions: int = 1
    transposition: int = 0
    velocity: int = DEFAULT_VELOCITY
    endings: frozenset[int] = frozenset()


class _Reader:
    """Takes the elements of a file as they end."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.notices: Counter[str] = Counter()
        self.instruments: dict[str, _Instrument] = {}
        self.bars: list[BarRead] = []
        self.title = ""
        self.remarks: list[str] = []
        self.num_notes = 0
        self.num_parts_read: set[str] = set()
        self.is_score = False

    def take(self, element: Element, parents: list[Element]) -> bool:
        if not parents:
            if element.tag == "score-timewise":
                raise FormatError(
                    f"line {element.line}: the score is sorted by time (score-timewise): save it "
                    "as score-partwise, as notation programs do"
                )
            if element.tag != "score-partwise":
                raise FormatError(
                    f"line {element.line}: a {printable(element.tag[:40])} document is no MusicXML "
                    "score: score-partwise is expected"
                )
            self.is_score = True
            return False
        if parents[-1].tag == "part" and element.tag == "measure":
            self._measure(parents[-1], element)
            return True
        if len(parents) > 1:
            return False
        if element.tag == "part-list":
            self._part_list(element)
        elif element.tag == "work":
            self.title = self.title or _cut(element.words("work-title"), self.limits)
        elif element.tag == "movement-title":
            self.title = self.title or _cut(element.text, self.limits)
        elif element.tag == "identification":
            fields = element.find("miscellaneous")
            for one in fields.children if fields else ():
                if one.attributes.get("name") == REMARK:
                    self.remarks.append(_cut(one.text, self.limits))
        return True

    def finish(self) -> MusicXmlReading:
        if not self.is_score:
            raise FormatError("line 1: an empty file is no MusicXML score")
        parts = []
        for name in self.instruments:
            instrument = self.instruments[name]
            if name not in self.num_parts_read:
                self.notices["parts without bars"] += 1
            parts.append(instrument.part)
        score = assemble(
            parts, self.bars, self.limits, self.notices, title=self.title, remarks=self.remarks
        )
        return MusicXmlReading(
            score, {name: count for name, count in self.notices.items() if count}
        )

    # The list of parts.

    def _part_list(self, element: Element) -> None:
        for one in element.all("score-part"):
            if len(self.instruments) >= self.limits.max_parts:
                self.limits.refuse("max_parts", f"line {one.line}: there are more parts")
            part = PartRead(name=_cut(one.words("part-name"), self.limits))
            instrument = _Instrument(part)
            for number, midi in enumerate(one.all("midi-instrument")):
                name = midi.attributes.get("id", "")
                if number == 0:
                    part.program = _whole(midi, "midi-program", 1, 1, 128) - 1
                    part.is_drum = _whole(midi, "midi-channel", 1, 1, 16) == 10
                if midi.find("midi-unpitched"):
                    instrument.unpitched[name] = _whole(midi, "midi-unpitched", 1, 1, 128) - 1
                    part.is_drum = True
            self.instruments[one.attributes.get("id", "")] = instrument

    # A bar of a part.

    def _measure(self, part: Element, measure: Element) -> None:
        name = part.attributes.get("id", "")
        if name not in self.instruments:
            raise FormatError(
                f"line {part.line}: part '{printable(name[:40])}' is not in the part-list"
            )
        self.num_parts_read.add(name)
        instrument = self.instruments[name]
        number = len(instrument.part.bars)
        notes: list[NoteRead] = []
        instrument.part.bars.append(notes)
        if number == len(self.bars):
            self.bars.append(BarRead())
        bar = self.bars[number]
        bar.may_be_short |= measure.attributes.get("implicit") == "yes"
        is_first = len(self.num_parts_read) == 1
        at = end = onset = Fraction(0)
        for element in measure.children:
            tag = element.tag
            if tag == "note":
                is_chord = element.find("chord") is not None
                duration = self._duration(element, instrument)
                if duration is None:
                    continue
                onset = onset if is_chord else at
                self._note(element, instrument, notes, onset, duration)
                at = max(at, onset + duration) if is_chord else at + duration
            elif tag in ("backup", "forward"):
                step = _length(element, instrument)
                at += step if tag == "forward" else -step
                if at < 0:
                    self.notices["steps back beyond the start of a bar"] += 1
                    at = Fraction(0)
            elif tag == "attributes":
                self._attributes(element, instrument, bar)
            elif tag in ("direction", "sound"):
                self._direction(element, instrument, bar, at, is_first)
            elif tag == "barline":
                self._barline(element, instrument, bar, is_first)
            elif tag == "harmony":
                self.notices["chord symbols"] += 1
            end = max(end, at)
        if is_first and instrument.endings:
            bar.endings = instrument.endings
            self._close_ending(measure, instrument)
        bar.length = max(bar.length, end)

    def _close_ending(self, measure: Element, instrument: _Instrument) -> None:
        for barline in measure.all("barline"):
            ending = barline.find("ending")
            if ending is not None and ending.attributes.get("type") in ("stop", "discontinue"):
                instrument.endings = frozenset()

    def _duration(self, element: Element, instrument: _Instrument) -> Fraction | None:
        if element.find("grace") is not None:
            self.notices["grace notes"] += 1
            return None
        return _length(element, instrument)

    def _note(
        self,
        element: Element,
        instrument: _Instrument,
        notes: list[NoteRead],
        onset: Fraction,
        duration: Fraction,
    ) -> None:
        if element.find("rest") is not None or duration <= 0:
            return
        if element.find("cue") is not None:
            self.notices["cue notes"] += 1
            return
        pitch = self._pitch(element, instrument)
        if pitch is None:
            return
        self.num_notes += 1
        if self.num_notes > self.limits.max_notes:
            self.limits.refuse("max_notes", f"line {element.line}: there are more notes")
        ties = {tie.attributes.get("type") for tie in element.all("tie")}
        velocity = instrument.velocity
        if "dynamics" in element.attributes:
            velocity = _velocity(element.attributes["dynamics"], velocity)
        lyric = element.find("lyric")
        words = _cut(lyric.words("text"), self.limits) if lyric else ""
        notes.append(
            NoteRead(onset, duration, pitch, velocity, "stop" in ties, "start" in ties, words)
        )

    def _pitch(self, element: Element, instrument: _Instrument) -> int | None:
        """Sounding pitch of a note, or of its drum."""
        line = element.line
        found = element.find("pitch")
        if found is not None:
            step = found.words("step")
            if step not in STEPS or not step:
                raise FormatError(
                    f"line {line}: a note has the step '{printable(step[:20])}': A to G"
                )
            alter = round(_number(found, "alter", 0))
            octave = _whole(found, "octave", 4, -1, 10)
            pitch = 12 * (octave + 1) + STEP_PITCH_CLASSES[STEPS.index(step)] + alter
            pitch += instrument.transposition
            if not 0 <= pitch <= 127:
                raise FormatError(
                    f"line {line}: {step}{octave} is pitch {pitch} as it sounds: MIDI has 0 to 127"
                )
            return pitch
        unpitched = element.find("unpitched")
        if unpitched is None:
            raise FormatError(f"line {line}: a note has no pitch, and is no rest")
        used = element.find("instrument")
        name = used.attributes.get("id", "") if used else ""
        instrument.part.is_drum = True
        if name in instrument.unpitched:
            return instrument.unpitched[name]
        if len(instrument.unpitched) == 1:
            return next(iter(instrument.unpitched.values()))
        place = unpitched.words("display-step"), _whole(unpitched, "display-octave", 4, -1, 10)
        head = element.words("notehead")
        drum = DRUM_AT.get((*place, head), DRUM_AT.get((*place, ""), SNARE))
        self.notices["drums told by their place on the staff"] += 1
        return drum

    def _attributes(self, element: Element, instrument: _Instrument, bar: BarRead) -> None:
        if element.find("divisions"):
            divisions = _number(element, "divisions", 1)
            if divisions != int(divisions) or not 1 <= divisions <= MAX_DIVISIONS:
                raise FormatError(
                    f"line {element.line}: divisions are {divisions:g}: a whole number from 1 to "
                    f"{MAX_DIVISIONS:,} is expected"
                )
            instrument.divisions = int(divisions)
        key = element.find("key")
        if key is not None and key.find("fifths"):
            fifths = _whole(key, "fifths", 0, -7, 7)
            # Parts that transpose are written in another key than the piece sounds in.
            is_transposed = instrument.transposition % 12 or element.find("transpose/chromatic")
            if not instrument.part.is_drum and not (is_transposed and bar.key):
                shift = 7 * self._transposition(element, instrument)
                sounding = fifths if not is_transposed else (fifths + shift + 5) % 12 - 5
                bar.key = (sounding, key.words("mode") == "minor")
        time = element.find("time")
        if time is not None and time.find("beats"):
            bar.meter = _meter(time)
        instrument.transposition = self._transposition(element, instrument)

    def _transposition(self, element: Element, instrument: _Instrument) -> int:
        """Semitones from the written to the sounding pitch."""
        transpose = element.find("transpose")
        if transpose is None:
            return instrument.transposition
        octaves = round(_number(transpose, "octave-change", 0))
        return round(_number(transpose, "chromatic", 0)) + 12 * octaves

    def _direction(
        self, element: Element, instrument: _Instrument, bar: BarRead, at: Fraction, is_first: bool
    ) -> None:
        """Tempo, loudness and rehearsal marks."""
        offset = _number(element, "offset", 0)
        where = max(
            Fraction(0), at + Fraction(offset).limit_denominator(10**6) / instrument.divisions
        )
        sound = element if element.tag == "sound" else element.find("sound")
        qpm = None
        if sound is not None:
            if "tempo" in sound.attributes:
                qpm = _tempo(sound.attributes["tempo"], sound.line)
            if "dynamics" in sound.attributes:
                instrument.velocity = _velocity(sound.attributes["dynamics"], instrument.velocity)
            for jump in SIGNS:
                if is_first and sound.attributes.get(jump, "no") != "no":
                    bar.signs[jump] = sound.attributes[jump]
        for kind in element.all("direction-type"):
            for one in kind.children:
                if one.tag == "metronome" and qpm is None:
                    qpm = _metronome(one)
                elif one.tag == "dynamics" and not (sound and "dynamics" in sound.attributes):
                    for sign in one.children:
                        instrument.velocity = DYNAMICS.get(sign.tag, instrument.velocity)
                elif one.tag == "rehearsal" and is_first:
                    bar.markers.append((where, _cut(one.text, self.limits)))
        if qpm is not None and (where, qpm) not in bar.tempos:
            if len(bar.tempos) >= self.limits.max_changes:
                self.limits.refuse("max_changes", f"line {element.line}: there are more tempos")
            bar.tempos.append((where, qpm))

    def _barline(
        self, element: Element, instrument: _Instrument, bar: BarRead, is_first: bool
    ) -> None:
        """Repeats and endings; those of the first part count."""
        if not is_first:
            return
        repeat = element.find("repeat")
        if repeat is not None:
            bar.may_be_short = True
            if repeat.attributes.get("direction") == "forward":
                bar.starts_repeat = True
            else:
                times = repeat.attributes.get("times", "2")
                bar.passes = min(int(times), 100) if times.isdecimal() and len(times) < 9 else 2
        ending = element.find("ending")
        if ending is not None and ending.attributes.get("type") == "start":
            words = ending.attributes.get("number", "").replace(" ", ",").split(",")
            numbers = {int(word) for word in words if word.isdecimal() and len(word) < 3}
            instrument.endings = frozenset(numbers) or frozenset({1})


def _length(element: Element, instrument: _Instrument) -> Fraction:
    """Duration of an element in quarters."""
    duration = element.find("duration")
    if duration is None:
        raise FormatError(f"line {element.line}: a {element.tag} has no duration")
    words = duration.text
    if words.isdecimal() and len(words) < 10:
        return Fraction(int(words), instrument.divisions)
    length = _number(element, "duration", 0)
    if not 0 <= length <= 1e9:
        raise FormatError(f"line {duration.line}: a duration of {length:g} is impossible")
    return Fraction(length).limit_denominator(1000) / instrument.divisions


def _number(element: Element, tag: str, usual: float) -> float:
    """Read a number; what is no number is refused with its line."""
    found = element.find(tag)
    if found is None:
        return usual
    try:
        number = float(found.text)
        if abs(number) < 1e12:
            return number
    except ValueError:
        pass
    raise FormatError(
        f"line {found.line}: {tag} is '{printable(found.text[:20])}': a number is expected"
    )


def _whole(element: Element, tag: str, usual: int, lowest: int, highest: int) -> int:
    """Read a whole number within bounds."""
    number = _number(element, tag, usual)
    if number != int(number) or not lowest <= number <= highest:
        line = found.line if (found := element.find(tag)) else element.line
        raise FormatError(
            f"line {line}: {tag} is {number:g}: "
            f"a whole number from {lowest} to {highest} is expected"
        )
    return int(number)


def _meter(time: Element) -> tuple[int, int]:
    """Read a meter; a sum of beats, as in 3+2, counts as one."""
    pairs = zip(time.all("beats"), time.all("beat-type"), strict=False)
    meters = []
    for beats, kind in pairs:
        terms = beats.text.split("+")
        if not (all(t.strip().isdecimal() and len(t) < 6 for t in terms) and kind.text.isdecimal()):
            break
        meters.append((sum(map(int, terms)), int(kind.text[:6])))
    if meters:
        denominator = max(kind for _, kind in meters)
        if denominator in (1, 2, 4, 8, 16, 32, 64, 128):
            numerator = sum(count * denominator // kind for count, kind in meters if kind)
            if 1 <= numerator <= 255:
                return numerator, denominator
    raise FormatError(
        f"line {time.line}: a meter of {printable(time.words('beats')[:20])}/"
        f"{printable(time.words('beat-type')[:20])} is impossible"
    )


def _tempo(words: str, line: int) -> float:
    try:
        qpm = float(words)
    except ValueError:
        qpm = 0.0
    if not SLOWEST - 1e-6 <= qpm <= FASTEST:
        raise FormatError(
            f"line {line}: a tempo of '{printable(words[:20])}' is impossible: 4 and more quarters "
            "a minute are expected"
        )
    return max(qpm, SLOWEST)


def _metronome(element: Element) -> float | None:
    """Quarters a minute of a metronome mark; `None` where it names no number."""
    words = element.words("per-minute")
    unit = Fraction(BEAT_UNITS.get(element.words("beat-unit"), 0))
    try:
        beats = float(words)
    except ValueError:
        return None
    dots = len(element.all("beat-unit-dot"))
    qpm = beats * float(unit * (2 - Fraction(1, 2 ** min(dots, 4))))
    return qpm if SLOWEST <= qpm <= FASTEST else None


def _velocity(words: str, usual: int) -> int:
    try:
        share = float(words)
    except ValueError:
        return usual
    return max(1, min(127, round(share * FORTE / 100))) if 0 <= share < 1e6 else usual


def _cut(words: str, limits: Limits) -> str:
    return " ".join(words.split())[: limits.max_text_characters]


def notice_lines(notices: dict[str, int]) -> Iterator[str]:
    """Say what was left out, one thing a line."""
    for what, count in notices.items():
        yield f"{what}: {count:,}"
