"""`Score`: a piece of music as one immutable value.

A score holds parts (each a `Notes` table with its instrument), a tempo map, meters, keys, markers
and the texts a file carries. Times are integer ticks, `ticks_per_quarter` of them to a quarter
note. Two scores are equal, and hash alike, when their music is. Transforms are pure functions in
`partimento.music.transforms`, and methods here, so they chain:
``seq(tune).repeat(2).transpose(12)``.
"""

import hashlib
import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from partimento.errors import MusicError
from partimento.music.notes import MAX_TICK, Notes

if TYPE_CHECKING:
    import os
    from fractions import Fraction

    from partimento.music.transforms import QuantizationShift

DEFAULT_TICKS_PER_QUARTER = 480
MAX_TICKS_PER_QUARTER = 32767  # the header of a MIDI file has 15 bits for it
DEFAULT_MICROSECONDS_PER_QUARTER = 500_000  # 120 quarters a minute, as the MIDI standard says
MICROSECONDS_PER_MINUTE = 60_000_000
SUSTAIN_PEDAL = 64
# Along the line of fifths.
_FLAT, _NATURAL, _SHARP = "Cb Gb Db Ab Eb Bb", "F C G D A E B", "F# C# G# D# A#"
TONICS = tuple(f"{_FLAT} {_NATURAL} {_SHARP}".split())


class Tempo(NamedTuple):
    """From `tick` on, a quarter note lasts so many microseconds (1 to 2**24 - 1)."""

    tick: int
    microseconds_per_quarter: int

    @property
    def qpm(self) -> float:
        """Quarter notes a minute."""
        return MICROSECONDS_PER_MINUTE / self.microseconds_per_quarter

    @classmethod
    def from_qpm(cls, qpm: float, tick: int = 0) -> "Tempo":
        """Round a speed in quarters a minute to whole microseconds a quarter."""
        if not MICROSECONDS_PER_MINUTE / (2**24 - 1) <= qpm <= MICROSECONDS_PER_MINUTE:
            raise MusicError(f"qpm must be 3.58 to 60,000,000 quarters a minute, got {qpm}")
        return cls(tick, max(1, min(2**24 - 1, round(MICROSECONDS_PER_MINUTE / qpm))))


class Meter(NamedTuple):
    """From `tick` on, a bar holds `numerator` notes of length 1/`denominator`."""

    tick: int
    numerator: int
    denominator: int

    @property
    def quarters_per_bar(self) -> float:
        """Length of a bar in quarter notes: 3 for 6/8, 4 for 4/4."""
        return 4 * self.numerator / self.denominator

    def __str__(self) -> str:
        return f"{self.numerator}/{self.denominator}"


class Key(NamedTuple):
    """From `tick` on, a key signature: `fifths` sharps (flats when negative), major or minor."""

    tick: int
    fifths: int
    is_minor: bool = False

    @property
    def tonic(self) -> int:
        """Pitch class of the tonic: 0 is C. C major has 0 fifths, A minor too."""
        return (self.fifths * 7 + (9 if self.is_minor else 0)) % 12

    def __str__(self) -> str:
        tonic = TONICS[self.fifths + 7 + (3 if self.is_minor else 0)]
        return f"{tonic} {'minor' if self.is_minor else 'major'}"


class Text(NamedTuple):
    """Words at a tick: a marker, a lyric, or a remark of the file."""

    tick: int
    text: str


class Control(NamedTuple):
    """A MIDI controller move: number 64 is the sustain pedal (64 and above is down).

    Numbers 0-127 are MIDI controllers with values 0-127. Number `PITCH_BEND` carries pitch bend,
    value 0-16383 with 8192 in the middle.
    """

    tick: int
    number: int
    value: int


PITCH_BEND = 128


@dataclass(frozen=True)
class Part:
    """One voice or instrument.

    Attributes
    ----------
    notes : Notes
        Overlapping notes are allowed: a piano is one part.
    name : str
        As written in the file; may be empty.
    program : int
        General MIDI program, 0-127; 0 is a piano.
    is_drum : bool
        Pitches name drums of the General MIDI kit (MIDI channel 10).
    controls : tuple of Control
        In order of tick. Kept as data; `transforms.apply_sustain` turns pedals into lengths.
    lyrics : tuple of Text
        Syllables, in order of tick.
    """

    notes: Notes = field(default_factory=Notes)
    name: str = ""
    program: int = 0
    is_drum: bool = False
    controls: tuple[Control, ...] = ()
    lyrics: tuple[Text, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.program <= 127:
            raise MusicError(f"program {self.program} of part {self.name!r} is outside 0-127")
        object.__setattr__(self, "program", _plain(self.program))
        object.__setattr__(self, "is_drum", bool(self.is_drum))
        object.__setattr__(self, "controls", _by_tick(Control, self.controls))
        object.__setattr__(self, "lyrics", _by_tick(Text, self.lyrics))

    @classmethod
    def of_checked(
        cls,
        notes: Notes,
        name: str = "",
        program: int = 0,
        is_drum: bool = False,
        controls: tuple[Control, ...] = (),
        lyrics: tuple[Text, ...] = (),
    ) -> "Part":
        """Make a part of what is known to be valid and in order; nothing is checked."""
        part = object.__new__(cls)
        part.__dict__.update(
            notes=notes,
            name=name,
            program=program,
            is_drum=is_drum,
            controls=controls,
            lyrics=lyrics,
        )
        return part

    @property
    def end(self) -> int:
        """Tick at which the last note ends."""
        return self.notes.end


@dataclass(frozen=True, eq=False)
class Score:
    """A piece: parts side by side under one tempo map.

    Attributes
    ----------
    parts : tuple of Part
    ticks_per_quarter : int
        1 to 32,767.
    tempos, meters, keys : tuple
        In order of tick, at most one a tick (the last given wins). Before the first tempo 120
        quarters a minute hold, before the first meter 4/4; `tempo_map` and `meter_map` say so.
    markers : tuple of Text
        Rehearsal marks and section names.
    end_tick : int
        Where the piece ends: never before its last note, later when it closes with rests.
        0 (the default) means at the last note.
    title : str
    remarks : tuple of Text
        Other texts the file carries; `provenance` lives in one of them.
    """

    parts: tuple[Part, ...] = ()
    ticks_per_quarter: int = DEFAULT_TICKS_PER_QUARTER
    tempos: tuple[Tempo, ...] = ()
    meters: tuple[Meter, ...] = ()
    keys: tuple[Key, ...] = ()
    markers: tuple[Text, ...] = ()
    end_tick: int = 0
    title: str = ""
    remarks: tuple[Text, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.ticks_per_quarter <= MAX_TICKS_PER_QUARTER:
            raise MusicError(
                f"ticks_per_quarter {self.ticks_per_quarter} is outside 1-32767; 480 is usual"
            )
        set_field = object.__setattr__
        set_field(self, "ticks_per_quarter", _plain(self.ticks_per_quarter))
        set_field(self, "parts", tuple(self.parts))
        set_field(self, "tempos", _one_a_tick(_by_tick(Tempo, self.tempos)))
        set_field(self, "meters", _one_a_tick(_by_tick(Meter, self.meters)))
        set_field(self, "keys", _one_a_tick(_by_tick(Key, self.keys)))
        set_field(self, "markers", _by_tick(Text, self.markers))
        set_field(self, "remarks", _by_tick(Text, self.remarks))
        last = max((part.end for part in self.parts), default=0)
        set_field(self, "end_tick", max(int(self.end_tick), last))
        if self.end_tick > MAX_TICK:
            raise MusicError(f"the piece ends at tick {self.end_tick}: ticks run to {MAX_TICK}")
        for tempo in self.tempos:
            if not 1 <= tempo.microseconds_per_quarter < 2**24:
                raise MusicError(
                    f"tempo at tick {tempo.tick} is {tempo.microseconds_per_quarter} microseconds "
                    "a quarter: it must be 1 to 16,777,215"
                )
        for meter in self.meters:
            is_power = meter.denominator in (1, 2, 4, 8, 16, 32, 64, 128)
            if not (1 <= meter.numerator <= 255 and is_power):
                raise MusicError(
                    f"meter {meter} at tick {meter.tick} is impossible: 1 to 255 notes of length "
                    "1/1 to 1/128"
                )
        for key in self.keys:
            if not -7 <= key.fifths <= 7:
                raise MusicError(f"key at tick {key.tick} has {key.fifths} sharps: -7 to 7")

    @classmethod
    def of_checked(
        cls,
        parts: tuple[Part, ...],
        ticks_per_quarter: int,
        end_tick: int,
        *,
        tempos: tuple[Tempo, ...] = (),
        meters: tuple[Meter, ...] = (),
        keys: tuple[Key, ...] = (),
        markers: tuple[Text, ...] = (),
        title: str = "",
        remarks: tuple[Text, ...] = (),
    ) -> "Score":
        """Make a score of what is known to be valid, in order and complete; nothing is checked."""
        score = object.__new__(cls)
        score.__dict__.update(
            parts=parts,
            ticks_per_quarter=ticks_per_quarter,
            tempos=tempos,
            meters=meters,
            keys=keys,
            markers=markers,
            end_tick=end_tick,
            title=title,
            remarks=remarks,
        )
        return score

    # What it is.

    @property
    def num_notes(self) -> int:
        """Notes in all parts."""
        return sum(len(part.notes) for part in self.parts)

    @property
    def duration_qn(self) -> float:
        """Length in quarter notes."""
        return self.end_tick / self.ticks_per_quarter

    @property
    def tempo_map(self) -> tuple[Tempo, ...]:
        """The tempos, starting at tick 0."""
        if self.tempos and self.tempos[0].tick == 0:
            return self.tempos
        return (Tempo(0, DEFAULT_MICROSECONDS_PER_QUARTER), *self.tempos)

    @property
    def meter_map(self) -> tuple[Meter, ...]:
        """The meters, starting at tick 0."""
        if self.meters and self.meters[0].tick == 0:
            return self.meters
        return (Meter(0, 4, 4), *self.meters)

    @property
    def qpm(self) -> float:
        """Tempo at the start, in quarter notes a minute."""
        return self.tempo_map[0].qpm

    @property
    def meter(self) -> Meter:
        """Meter at the start."""
        return self.meter_map[0]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the music, as 64 hexadecimal digits; equal scores have equal digests."""
        hasher = hashlib.sha256()
        for name in ("ticks_per_quarter", "tempos", "meters", "keys", "markers", "end_tick"):
            hasher.update(f"{name}={getattr(self, name)!r};".encode())
        hasher.update(f"title={self.title!r};remarks={self.remarks!r};".encode())
        for part in self.parts:
            facts = (part.name, part.program, part.is_drum, part.controls, part.lyrics)
            hasher.update(f"{facts!r};{len(part.notes)};".encode())
            hasher.update(part.notes.as_bytes())
        return hasher.hexdigest()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Score):
            return NotImplemented
        return self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        count = len(self.parts)
        return (
            f"Score({count} part{'' if count == 1 else 's'}, {self.num_notes} notes, "
            f"{self.duration_qn:g} quarters, {self.meter}, {self.qpm:g} qpm)"
        )

    # What can be made of it: each is a function of `partimento.music.transforms`, where its
    # parameters are explained. Imported late, since transforms are made of scores.

    def with_parts(self, parts: Sequence[Part]) -> "Score":
        """Give the same piece with other parts."""
        return replace(self, parts=tuple(parts))

    def with_remarks(self, remarks: Iterable[Text]) -> "Score":
        """Give the same piece with more remarks at its start, after those it has there."""
        more = _by_tick(Text, [*self.remarks, *remarks])
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return Score.of_checked(**{**fields, "remarks": more})

    def repeat(self, times: int, *, at_bar: bool = False) -> "Score":
        """Play the piece so many times in a row."""
        return _transforms().repeat(self, times, at_bar=at_bar)

    def concat(self, *others: "Score", at_bar: bool = False) -> "Score":
        """Play others after this one."""
        return _transforms().concat(self, *others, at_bar=at_bar)

    def stack(self, *others: "Score") -> "Score":
        """Play others at the same time, under the tempo and meter of this one."""
        return _transforms().stack(self, *others)

    def delay(self, quarters: "float | Fraction") -> "Score":
        """Rest first, for so many quarters."""
        return _transforms().delay(self, quarters)

    def transpose(self, semitones: int) -> "Score":
        """Move every pitch, except drums, and the key signatures."""
        return _transforms().transpose(self, semitones)

    def reverse(self) -> "Score":
        """Play the piece backwards."""
        return _transforms().reverse(self)

    def stretch(self, factor: "float | Fraction") -> "Score":
        """Make all note lengths so many times as long."""
        return _transforms().stretch(self, factor)

    def slice(
        self,
        start: "float | Fraction" = 0,
        stop: "float | Fraction | None" = None,
        *,
        unit: str = "bars",
    ) -> "Score":
        """Cut out the bars (or quarters, ticks) from `start` to before `stop`."""
        return _transforms().cut_out(self, start, stop, unit=unit)

    def crop(self, *, at_bar: bool = True) -> "Score":
        """Cut away the silence before the first and after the last note."""
        return _transforms().crop(self, at_bar=at_bar)

    def quantize(self, steps_per_quarter: int = 4) -> "Score":
        """Move notes to the nearest step of a grid; `quantization_shift` says how far."""
        return _transforms().quantize(self, steps_per_quarter)

    def quantization_shift(self, steps_per_quarter: int = 4) -> "QuantizationShift":
        """Say how far `quantize` would move the notes."""
        return _transforms().quantization_shift(self, steps_per_quarter)

    def merge(self, name: str = "") -> "Score":
        """Put all parts into one (drums into another)."""
        return _transforms().merge(self, name)

    def apply_sustain(self) -> "Score":
        """Turn the sustain pedal into note lengths."""
        return _transforms().apply_sustain(self)

    def with_ticks_per_quarter(self, ticks_per_quarter: int, *, may_round: bool = False) -> "Score":
        """Write the same music with another division of the quarter."""
        return _transforms().with_ticks_per_quarter(self, ticks_per_quarter, may_round=may_round)

    def with_tempo(self, qpm: float) -> "Score":
        """Play the whole piece at one tempo."""
        return replace(self, tempos=(Tempo.from_qpm(qpm),))

    def with_meter(self, meter: "Meter | tuple[int, int] | str") -> "Score":
        """Count the whole piece in one meter; the notes stay where they are."""
        return _transforms().with_meter(self, meter)

    def with_key(self, key: "Key | str") -> "Score":
        """Write one key signature for the whole piece; the notes stay as they are."""
        return _transforms().with_key(self, key)

    def with_program(self, program: int) -> "Score":
        """Give every part, except drums, one General MIDI program."""
        parts = (part if part.is_drum else replace(part, program=program) for part in self.parts)
        return self.with_parts(tuple(parts))

    def save(self, path: "str | os.PathLike[str]") -> None:
        """Write a file; its extension chooses the format."""
        # Here, in `play`, `continue_` and `_repr_html_` alone `music` reaches up: a score that
        # cannot be saved, heard or seen in one word would be no use to a musician.
        # tests/test_layers.py knows.
        from partimento.formats import write

        write(self, path)

    def play(self) -> None:
        """Hear the score through the loudspeakers; Ctrl-C stops."""
        from partimento.rendering.playing import play  # late, as in `save`

        play(self)

    def continue_(self, bars: int = 8, *, model: str = "melody-rnn", **settings: Any) -> "Score":
        """Have a model go on from here; `settings` are those of its `continue_from`."""
        from partimento.models.load import load  # late, as in `save`

        return load(model, verb="continue").continue_from(self, bars, **settings)

    def _repr_html_(self) -> str:
        """Show the score in a notebook: a piano roll and a player."""
        from partimento.rendering.notebook import to_html  # late, as in `save`

        return to_html(self)


def _transforms() -> Any:
    """Get the transforms, which import this module."""
    from partimento.music import transforms

    return transforms


def _by_tick(kind: type, events: Sequence[Any]) -> tuple[Any, ...]:
    """Sort events by tick (stable), as tuples of their kind."""
    if not events:
        return ()
    made: list[Any] = [event if type(event) is kind else kind(*event) for event in events]
    if not {type(value) for event in made for value in event} <= {int, str, bool}:
        made = [kind(*map(_plain, event)) for event in made]
    made.sort(key=operator.itemgetter(0))
    for event in (made[0], made[-1]):
        if not 0 <= event.tick <= MAX_TICK:
            raise MusicError(f"{event!r} stands outside ticks 0-{MAX_TICK}")
    return tuple(made)


def _plain(value: Any) -> Any:
    """Python's own value of a NumPy scalar, so that equal music has one digest and one JSON."""
    if isinstance(value, str | bool):
        return value
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, bool | str):
        return plain
    try:
        return operator.index(plain)
    except TypeError:
        raise MusicError(f"{value!r} must be a whole number: times are integer ticks") from None


def _one_a_tick(events: tuple[Any, ...]) -> tuple[Any, ...]:
    """Where several stand at one tick, keep the last given."""
    return tuple({event.tick: event for event in events}.values())
