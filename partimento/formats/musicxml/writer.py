"""Writing MusicXML 4.0: from a `Score` to the text of a score-partwise file.

`write_musicxml` is the function to start with. The steps are a file each: `grid` (bars, and notes
on them), `staves` (hands and voices), `values` (notes and rests that paper has), `beams`; names of
notes are found by `music.spelling`. The same score always gives the same bytes.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

from partimento.formats.musicxml.beams import beams
from partimento.formats.musicxml.grid import QUARTER, Bar, Placed, full_length, on_grid, page_bars
from partimento.formats.musicxml.percussion import SNARE, place_of
from partimento.formats.musicxml.staves import Head, Voice, lay_out
from partimento.formats.musicxml.values import Written, fill_bar
from partimento.music.notes import DEFAULT_VELOCITY
from partimento.music.score import MICROSECONDS_PER_MINUTE, Key, Part, Score, Text
from partimento.music.spelling import STEPS, key_heard, spell_one

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" \
"http://www.musicxml.org/dtds/partwise.dtd">
"""
REMARK = "partimento-remark"
FORTE = 90  # velocity that the attribute `dynamics` counts as 100 %
SEEN_CHANGE = 0.04  # share by which a tempo must change to be printed
SIGNS = {-2: "flat-flat", -1: "flat", 0: "natural", 1: "sharp", 2: "double-sharp"}
# Lowest and highest pitch without a ledger line but one.
CLEFS = {
    "G": ("G", 2, 0, 60, 81), "F": ("F", 4, 0, 40, 60), "C": ("C", 3, 0, 50, 71),
    "G8": ("G", 2, -1, 48, 69), "F8": ("F", 4, -1, 28, 48),
}  # fmt: skip
MOST_GROUPED = 8  # parts under one bracket
NO_XML = re.compile("[^\\t\\n\\r -\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
GUITARS, BASSES, VIOLA = range(24, 32), range(32, 40), 41


class Page(NamedTuple):
    """MusicXML, and how many notes it shows elsewhere than they sound (rounded to the grid)."""

    text: str
    moved: int


class _Staff(NamedTuple):
    """A staff of a part: its clef and its voices, numbered through the part."""

    clef: str
    voices: list[tuple[int, Voice]]


class _Layout(NamedTuple):
    """A part, ready to be written."""

    part: Part
    staves: list[_Staff]


def write_musicxml(score: Score) -> str:
    """Write a score as MusicXML.

    Parameters
    ----------
    score
        Any. Bars are filled with rests, the last one too; notes that overlap become voices, a
        keyboard part for two hands two staves. Notes that stand on no note value or tuplet are
        shown on the nearest (`musicxml_page` counts them). Where the score names no key, the key
        heard is written. Drums last until the next stroke. Controllers are left out.

    Raises
    ------
    LimitError
        If it has more than 20,000 bars.
    """
    return musicxml_page(score).text


def musicxml_page(score: Score, *, first_bar: int = 1) -> Page:
    """Write a score as `write_musicxml` does, and say how many notes had to be rounded.

    `first_bar` is the number of its first bar, which a pickup does not count.
    """
    bars = page_bars(score)
    placed = [on_grid(part.notes, bars, score.ticks_per_quarter) for part in score.parts]
    keys = score.keys or (key_heard(score.parts),)
    pairs = list(zip(score.parts, placed, strict=True)) or [
        (Part(), on_grid(Part().notes, bars, 1))
    ]
    layouts = [_layout(part, at, bars) for part, at in pairs]
    lines = [HEAD, '<score-partwise version="4.0">\n', *_header(score), *_part_list(layouts)]
    for number, layout in enumerate(layouts, start=1):
        writer = _PartWriter(score, layout, number, bars, keys, first_bar)
        lines.append(f'<part id="P{number}">\n')
        lines += writer.measures()
        lines.append("</part>\n")
    lines.append("</score-partwise>\n")
    return Page("".join(lines), sum(at.moved for at in placed))


def _layout(part: Part, placed: Placed, bars: Sequence[Bar]) -> _Layout:
    staves = []
    count = 0
    for place, voices in enumerate(lay_out(part, placed, bars)):
        first = 4 * place + 1
        numbered = [(first + at, voice) for at, voice in enumerate(voices)]
        staves.append(_Staff(_clef(part, voices, place), numbered))
        count += 1
    if count == 2:
        staves[1] = staves[1]._replace(clef="F")
    return _Layout(part, staves)


def _clef(part: Part, voices: Sequence[Voice], place: int) -> str:
    """Choose the clef that needs the fewest ledger lines."""
    if part.is_drum:
        return "percussion"
    pitches = [head.pitch for voice in voices for chord in voice for head in chord.heads]
    choices = ["G", "F"]
    if part.program in GUITARS:
        choices = ["G8"]
    elif part.program in BASSES or part.program == 43:
        choices = ["F8", "F"]
    elif part.program == VIOLA:
        choices = ["C", "G"]

    def ledgers(name: str) -> int:
        *_, lowest, highest = CLEFS[name]
        return sum(max(lowest - pitch, pitch - highest, 0) for pitch in pitches)

    return min(choices, key=ledgers)


def _header(score: Score) -> Iterator[str]:
    if score.title:
        yield f"<work><work-title>{_text(score.title)}</work-title></work>\n"
    yield "<identification><encoding><software>partimento</software></encoding>"
    if score.remarks:
        yield "<miscellaneous>"
        for _, words in score.remarks:
            yield f'<miscellaneous-field name="{REMARK}">{_text(words)}</miscellaneous-field>'
        yield "</miscellaneous>"
    yield "</identification>\n"


def _part_list(layouts: Sequence[_Layout]) -> Iterator[str]:
    yield "<part-list>\n"
    is_grouped = 1 < len(layouts) <= MOST_GROUPED
    if is_grouped:
        yield '<part-group type="start" number="1"><group-symbol>bracket</group-symbol>'
        yield "</part-group>\n"
    for number, (part, _) in enumerate(layouts, start=1):
        name = part.name
        yield f'<score-part id="P{number}"><part-name>{_text(name)}</part-name>'
        channel = 10 if part.is_drum else [n for n in range(1, 17) if n != 10][(number - 1) % 15]
        if not part.is_drum:
            yield f'<score-instrument id="P{number}-I1"><instrument-name>{_text(name)}'
            yield f'</instrument-name></score-instrument><midi-instrument id="P{number}-I1">'
            yield f"<midi-channel>{channel}</midi-channel>"
            yield f"<midi-program>{part.program + 1}</midi-program></midi-instrument>"
        else:
            drums = sorted(set(part.notes.pitch.tolist())) or [SNARE]
            for pitch in drums:
                yield f'<score-instrument id="P{number}-D{pitch}"><instrument-name>Drum {pitch}'
                yield "</instrument-name></score-instrument>"
            for pitch in drums:
                yield f'<midi-instrument id="P{number}-D{pitch}"><midi-channel>10</midi-channel>'
                yield f"<midi-program>{part.program + 1}</midi-program>"
                yield f"<midi-unpitched>{pitch + 1}</midi-unpitched></midi-instrument>"
        yield "</score-part>\n"
    if is_grouped:
        yield '<part-group type="stop" number="1"/>\n'
    yield "</part-list>\n"


class _PartWriter:
    """Writes the measures of one part."""

    def __init__(
        self,
        score: Score,
        layout: _Layout,
        number: int,
        bars: Sequence[Bar],
        keys: Sequence[Key],
        first_bar: int,
    ) -> None:
        self.score, self.layout, self.number, self.bars = score, layout, number, bars
        self.first_bar = first_bar
        scale = QUARTER / score.ticks_per_quarter
        self.keys = keys
        self.key_starts = [round(key.tick * scale) for key in keys]
        is_drum = layout.part.is_drum
        self.staves = [
            [(at, voice if is_drum else self._spelled(voice)) for at, voice in staff.voices]
            for staff in layout.staves
        ]
        lyrics = (Text(round(at * scale), words) for at, words in layout.part.lyrics)
        self.lyrics = {text.tick: text.text for text in lyrics}
        self.directions = self._directions(scale) if number == 1 else {}
        self.at_voice = [0] * 9  # where each voice has come to

    def measures(self) -> Iterator[str]:
        """Write all bars."""
        shown_meter, shown_key = None, None
        first = self.first_bar - 1 if self.bars[0].is_pickup else self.first_bar
        for place, bar in enumerate(self.bars):
            is_partial = bar.length != full_length(bar.meter)
            implicit = ' implicit="yes"' if is_partial else ""
            yield f'<measure number="{place + first}"{implicit}>\n'
            key = self._key_at(bar.start)
            meter = (bar.meter.numerator, bar.meter.denominator)
            yield from self._attributes(
                place == 0,
                key if key[1:] != shown_key else None,
                meter if meter != shown_meter else None,
            )
            shown_meter, shown_key = meter, key[1:]
            yield from self.directions.get(place, ())
            yield from self._content(bar)
            if place == len(self.bars) - 1:
                yield '<barline location="right"><bar-style>light-heavy</bar-style></barline>\n'
            yield "</measure>\n"

    def _attributes(
        self, is_first: bool, key: Key | None, meter: tuple[int, int] | None
    ) -> Iterator[str]:
        if not (is_first or key or meter):
            return
        yield "<attributes>"
        if is_first:
            yield f"<divisions>{QUARTER}</divisions>"
        if key is not None and not self.layout.part.is_drum:
            mode = "minor" if key.is_minor else "major"
            yield f"<key><fifths>{key.fifths}</fifths><mode>{mode}</mode></key>"
        if meter is not None:
            yield f"<time><beats>{meter[0]}</beats><beat-type>{meter[1]}</beat-type></time>"
        if is_first:
            staves = self.layout.staves
            if len(staves) > 1:
                yield f"<staves>{len(staves)}</staves>"
            for number, staff in enumerate(staves, start=1):
                where = f' number="{number}"' if len(staves) > 1 else ""
                yield f"<clef{where}>{_clef_words(staff.clef)}</clef>"
        yield "</attributes>\n"

    def _content(self, bar: Bar) -> Iterator[str]:
        """Write the voices of a bar one after the other."""
        is_begun = False
        for place, voices in enumerate(self.staves, start=1):
            every = [(number, self._filled(number, voice, bar)) for number, voice in voices]
            filled = [
                (number, written)
                for number, written in every
                if number == voices[0][0] or any(sign.chord for sign in written)
            ]
            signs = self._accidentals(filled, bar)
            for number, written in filled:
                if is_begun:
                    yield f"<backup><duration>{bar.length}</duration></backup>\n"
                is_begun = True
                joined = beams(written, bar)
                sounding = [at for at, sign in enumerate(written) if sign.chord]
                for at, (sign, its_beams) in enumerate(zip(written, joined, strict=True)):
                    # Before and after a second voice the first one shows the time.
                    is_inside = bool(sounding) and sounding[0] < at < sounding[-1]
                    is_seen = number == voices[0][0] or (is_inside and number == voices[1][0])
                    yield from self._sign(
                        sign, number, place, its_beams, signs, bar, len(filled), is_seen
                    )

    def _filled(self, number: int, voice: Voice, bar: Bar) -> list[Written]:
        at = self.at_voice[number]
        while at < len(voice) and voice[at].offset <= bar.start:
            at += 1
        self.at_voice[number] = at
        stop = at
        while stop < len(voice) and voice[stop].onset < bar.end:
            stop += 1
        return fill_bar(voice[at:stop], bar)

    def _accidentals(
        self, filled: Sequence[tuple[int, list[Written]]], bar: Bar
    ) -> set[tuple[int, int, int]]:
        """Find the notes of a staff that need a sign: (voice, start, pitch)."""
        if self.layout.part.is_drum:
            return set()
        key = self._key_at(bar.start)
        in_force = {
            (step, octave): _alter_in(key, step) for step in STEPS for octave in range(-2, 11)
        }
        needed = set()
        every = [(sign.start, number, sign) for number, written in filled for sign in written]
        for start, number, sign in sorted(every, key=lambda row: row[:2]):
            for head in sign.chord.heads if sign.chord else ():
                name = head.name
                assert name is not None
                where = (name.step, name.octave)
                # Tied over a bar line it needs no sign, and leaves none.
                if in_force[where] != name.alter and not head.is_continued:
                    needed.add((number, start, head.pitch))
                    in_force[where] = name.alter
        return needed

    def _sign(
        self,
        sign: Written,
        voice: int,
        staff: int,
        its_beams: Sequence[str],
        signs: set[tuple[int, int, int]],
        bar: Bar,
        num_voices: int,
        is_seen: bool,
    ) -> Iterator[str]:
        """Write a note, a chord or a rest."""
        tail = f"<voice>{voice}</voice>"
        if sign.value:
            tail += f"<type>{sign.value}</type>" + "<dot/>" * sign.dots
        where = f"<staff>{staff}</staff>" if len(self.layout.staves) > 1 else ""
        modified, notation = "", ""
        if sign.tuplet:
            _, _, actual, normal = sign.tuplet
            modified = (
                f"<time-modification><actual-notes>{actual}</actual-notes>"
                f"<normal-notes>{normal}</normal-notes></time-modification>"
            )
            bracket = "" if all(its_beams) and its_beams else ' bracket="yes"'
            if sign.start == sign.tuplet.start:
                notation += f'<tuplet type="start" number="1"{bracket}/>'
            if sign.stop == sign.tuplet.stop:
                notation += '<tuplet type="stop" number="1"/>'
        if sign.chord is None:
            rest = "<rest/>" if sign.value else '<rest measure="yes"/>'
            hidden = "" if is_seen or sign.tuplet else ' print-object="no"'
            notation = f"<notations>{notation}</notations>" if notation else ""
            yield (
                f"<note{hidden}>{rest}<duration>{sign.length}</duration>{tail}{modified}{where}"
                f"{notation}</note>\n"
            )
            return
        stem = ""
        if self.layout.part.is_drum and num_voices > 1:
            stem = f"<stem>{'up' if voice == 1 else 'down'}</stem>"
        words = self.lyrics.get(bar.start + sign.start) if voice == 1 and staff == 1 else None
        for number, head in enumerate(sign.chord.heads):
            loudness = ""
            if head.velocity != DEFAULT_VELOCITY:
                loudness = f' dynamics="{head.velocity / FORTE * 100:.2f}"'
            yield f"<note{loudness}>{'<chord/>' if number else ''}"
            accidental, shape, instrument = "", "", ""
            if self.layout.part.is_drum:
                place = place_of(head.pitch)
                yield (
                    f"<unpitched><display-step>{place.step}</display-step>"
                    f"<display-octave>{place.octave}</display-octave></unpitched>"
                )
                instrument = f'<instrument id="P{self.number}-D{head.pitch}"/>'
                shape = f"<notehead>{place.head}</notehead>" if place.head else ""
            else:
                name = head.name
                assert name is not None
                alter = f"<alter>{name.alter}</alter>" if name.alter else ""
                yield f"<pitch><step>{name.step}</step>{alter}"
                yield f"<octave>{name.octave}</octave></pitch>"
                if (voice, sign.start, head.pitch) in signs:
                    accidental = f"<accidental>{SIGNS[name.alter]}</accidental>"
            ties = '<tie type="stop"/>' * head.is_continued + '<tie type="start"/>' * head.goes_on
            tied = '<tied type="stop"/>' * head.is_continued + '<tied type="start"/>' * head.goes_on
            yield f"<duration>{sign.length}</duration>{ties}{instrument}"
            yield f"{tail}{accidental}{modified}{stem}{shape}{where}"
            if number == 0:
                for level, what in enumerate(its_beams, start=1):
                    yield f'<beam number="{level}">{what}</beam>'
            all_notation = tied + (notation if number == 0 else "")
            if all_notation:
                yield f"<notations>{all_notation}</notations>"
            if words and number == 0 and not head.is_continued:
                yield f"<lyric><syllabic>single</syllabic><text>{_text(words)}</text></lyric>"
            yield "</note>\n"

    def _spelled(self, voice: Voice) -> Voice:
        """Name the notes of a voice, the last first: what is repeated or tied keeps its name."""
        spelled: Voice = []
        after: dict[int, Head] = {}
        for chord in reversed(voice):
            key = self._key_at(chord.onset)
            heads = tuple(
                head._replace(
                    name=after[head.pitch].name
                    if head.pitch in after
                    else spell_one(head.pitch, key, tuple(after))
                )
                for head in chord.heads
            )
            spelled.append(chord._replace(heads=heads))
            after = {head.pitch: head for head in heads}
        return spelled[::-1]

    def _key_at(self, start: int) -> Key:
        place = bisect_right(self.key_starts, start)
        return self.keys[place - 1] if place else Key(0, 0)

    def _directions(self, scale: float) -> dict[int, list[str]]:
        """Tempos and markers, by the bar they stand in."""
        starts = [bar.start for bar in self.bars]

        def bar_at(at: int) -> int:
            return max(0, bisect_right(starts, at) - 1)

        found: dict[int, list[str]] = {}
        shown = 0.0

        def add(at: int, words: str, sound: str = "") -> None:
            place = bar_at(at)
            offset = at - starts[place]
            late = f"<offset>{offset}</offset>" if offset else ""
            if words:
                text = f'<direction placement="above"><direction-type>{words}</direction-type>'
                text += f"{late}{sound}</direction>\n"
            else:
                text = f"{sound[:-2]}>{late}</sound>\n" if late else f"{sound}\n"
            found.setdefault(place, []).append(text)

        for tick, words in self.score.markers:
            add(round(tick * scale), f"<rehearsal>{_text(words)}</rehearsal>")
        for tick, microseconds in self.score.tempos:
            qpm = MICROSECONDS_PER_MINUTE / microseconds
            at = round(tick * scale)
            bar = self.bars[bar_at(at)]
            is_compound = bar.meter.denominator >= 8 and bar.meter.numerator % 3 == 0
            dot = "<beat-unit-dot/>" if is_compound else ""
            beats = qpm / 1.5 if is_compound else qpm
            mark = (
                f"<metronome><beat-unit>quarter</beat-unit>{dot}<per-minute>{beats:.4g}</per-minute>"
                "</metronome>"
            )
            is_seen = abs(qpm - shown) > SEEN_CHANGE * shown
            shown = qpm if is_seen else shown
            add(at, mark if is_seen else "", f'<sound tempo="{qpm:.10g}"/>')
        return found


def _alter_in(key: Key, step: str) -> int:
    """Say what a key signature does to a letter."""
    place = "FCGDAEB".index(step)
    return (key.fifths - place + 6) // 7


def _clef_words(name: str) -> str:
    if name == "percussion":
        return "<sign>percussion</sign>"
    sign, line, octave, *_ = CLEFS[name]
    change = f"<clef-octave-change>{octave}</clef-octave-change>" if octave else ""
    return f"<sign>{sign}</sign><line>{line}</line>{change}"


def _text(words: str) -> str:
    """Words that XML can hold."""
    return escape(NO_XML.sub(" ", words))
