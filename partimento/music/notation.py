"""The notation: music typed as a list of pitch and length, or as one line of text.

::

    from partimento.music.durations import den, hn, qn, sn
    from partimento.music.pitches import c4, d4, e4, g4, rest

    tune = seq([(c4, qn), (c4, den), (d4, sn), (rest, qn), ((c4, e4, g4), hn)])
    tune = seq("c4:q c4:e. d4:s r:q [c4 e4 g4]:h")  # the same

`seq` is where to start. In text an item is a pitch (`c4`, `f#4`, `bb3`, the Python spellings
`fs4` and `bf3`, `r` for a rest, a chord in square brackets), a colon and a duration
(`partimento.music.durations` lists them); bar lines `|` are for the eye only. What cannot be read
raises `NotationError`, which says where.
"""

import math
import numbers
import operator
import re
import reprlib
from collections import Counter
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from partimento.errors import NotationError, ParameterError
from partimento.music.durations import LONGEST_QN, check_length, duration_name, length_qn
from partimento.music.keys import parse_key
from partimento.music.notes import DEFAULT_VELOCITY, HIGHEST_PITCH, LOWEST_PITCH, MAX_TICK, Notes
from partimento.music.pitches import Rest, pitch_name, pitch_number
from partimento.music.score import (
    DEFAULT_TICKS_PER_QUARTER,
    MAX_TICKS_PER_QUARTER,
    Key,
    Meter,
    Part,
    Score,
    Tempo,
)
from partimento.music.timing import BarMap

MAX_CHARACTERS = 1_000_000
MAX_ITEMS = 1_000_000
NEAR = Fraction(1, 1_000_000)  # quarters: closer than any ear or file can tell

ITEM = re.compile(r"(\[[^\[\]]*\]|[^\s:|\[\]]+):([^\s:|\[\]]+)(?=[\s|]|$)")
BETWEEN = re.compile(r"[\s|]*")


class Item(NamedTuple):
    """One entry of the notation: pitches that sound together, none for a rest."""

    pitches: tuple[int, ...]
    length: Fraction


class TextPosition(NamedTuple):
    """A place in a text, as words that an error begins with."""

    text: str
    at: int

    def __str__(self) -> str:
        line_start = self.text.rfind("\n", 0, self.at) + 1
        line = self.text.count("\n", 0, line_start) + 1
        return f"line {line}, column {self.at - line_start + 1}"


def seq(
    notes: str | Iterable[Any],
    *,
    qpm: float = 120,
    meter: Meter | tuple[int, int] | str = "4/4",
    key: Key | str | None = None,
    program: int = 0,
    velocity: int = DEFAULT_VELOCITY,
    ticks_per_quarter: int = DEFAULT_TICKS_PER_QUARTER,
) -> Score:
    """Make a score of one part out of notes that follow each other.

    Parameters
    ----------
    notes
        Pairs of pitch and length, as tuples or lists, or text. A pitch is a name of
        `partimento.music.pitches`, a number 0-127, `rest`, or several in a tuple: a chord. A
        length is a name of `partimento.music.durations` or a number of quarters.
    qpm
        Tempo in quarter notes a minute.
    meter
        ``"3/4"``, ``(3, 4)`` or a `Meter`.
    key
        ``"g major"`` or a `Key`; `None` writes no key signature.
    program
        General MIDI program of the part, 0-127.
    velocity
        1-127, for every note.
    ticks_per_quarter
        At least so many: raised to a multiple where the lengths are no whole ticks, so that
        triplets and quintuplets stay exact.

    Returns
    -------
    Score
        It ends where the last note or rest ends.

    Raises
    ------
    NotationError
        If an item is no music; the message names its position.

    Examples
    --------
    >>> from partimento.music.durations import hn, qn
    >>> from partimento.music.pitches import c4, e4, g4, rest
    >>> tune = seq([(c4, qn), (rest, qn), ((c4, e4, g4), hn)])
    >>> tune
    Score(1 part, 4 notes, 4 quarters, 4/4, 120 qpm)
    >>> tune == seq("c4:q r:q [c4 e4 g4]:h")
    True
    """
    items: Iterator[tuple[Any, Item]]
    items = _read_text(notes) if isinstance(notes, str) else _read_list(notes)
    if not 1 <= velocity <= 127:
        raise ParameterError(f"velocity must be 1 to 127, got {velocity}")
    if not 0 <= program <= 127:
        raise ParameterError(f"program must be 0 to 127, got {program}")
    rows, division, end_tick = _place(items, ticks_per_quarter)
    onset, duration, pitch = rows.T
    table = Notes(onset, duration, pitch, np.full(len(rows), velocity))
    return Score(
        parts=(Part(table, program=program),),
        ticks_per_quarter=division,
        tempos=(Tempo.from_qpm(qpm),),
        meters=(parse_meter(meter),),
        keys=() if key is None else (parse_key(key),),
        end_tick=end_tick,
    )


def parse_text(text: str, **settings: Any) -> Score:
    """Read notation from text; the settings are those of `seq`.

    Examples
    --------
    >>> parse_text("d4:q e4:e f#4:e | g4:h", meter="2/4", qpm=96)
    Score(1 part, 4 notes, 4 quarters, 2/4, 96 qpm)
    """
    if not isinstance(text, str):
        raise NotationError(f"parse_text reads text, got {_shown(text)}; seq reads lists too")
    return seq(text, **settings)


def format_text(score: Score, *, with_bars: bool = False) -> str:
    """Write a score of one part as notation, spelled in its key.

    `parse_text` gives the same notes back. What does not survive: velocities, tempo, meter, key,
    program, and everything that is no note; rests that follow each other become one.

    Parameters
    ----------
    score
        One part (or one with notes), in which notes that sound together form chords.
    with_bars
        Put `|` before each item that starts a bar, except the first.

    Raises
    ------
    NotationError
        If notes overlap in another way than a chord, or several parts have notes.

    Examples
    --------
    >>> format_text(seq("c4:q bb3:e. r:s [c4 e4]:h g4:w", key="f major"), with_bars=True)
    'c4:q bb3:e. r:s [c4 e4]:h | g4:w'
    """
    notes = _notes_of_one_part(score)
    key = score.keys[0] if score.keys else None
    onset, first, count = np.unique(notes.onset, return_index=True, return_counts=True)
    _check_is_one_voice(notes, first, count)
    items: list[tuple[int, int, str]] = []  # onset, end, pitches
    reached = 0
    for tick, end, start, size in zip(
        onset.tolist(), notes.offset[first].tolist(), first.tolist(), count.tolist(), strict=True
    ):
        if tick > reached:
            items.append((reached, tick, "r"))
        chord = notes.pitch[start : start + size].tolist()
        names = " ".join(pitch_name(pitch, key, with_signs=True) for pitch in chord)
        items.append((tick, end, names if size == 1 else f"[{names}]"))
        reached = end
    if score.end_tick > reached:
        items.append((reached, score.end_tick, "r"))
    words = [f"{names}:{_duration_of(end - tick, score)}" for tick, end, names in items]
    if with_bars:
        is_start = _starts_bar(np.array([tick for tick, _, _ in items]), score)
        words = [f"| {word}" if bar else word for word, bar in zip(words, is_start, strict=True)]
    return " ".join(words).removeprefix("| ")


def parse_meter(meter: Meter | tuple[int, int] | str) -> Meter:
    """Read a meter: ``"3/4"``, a pair of numbers, or a `Meter`, which is moved to tick 0.

    Raises `ParameterError` where no bar can be made of it.

    Examples
    --------
    >>> parse_meter("6/8")
    Meter(tick=0, numerator=6, denominator=8)
    """
    pair: Any = meter[1:] if isinstance(meter, Meter) else meter
    if isinstance(pair, str):
        pair = [
            int(n) if n.isascii() and n.isdecimal() and len(n) < 5 else 0 for n in pair.split("/")
        ]
    try:
        numerator, denominator = (_integer(number) for number in pair)
        Score(meters=(Meter(0, numerator, denominator),))
    except (TypeError, ValueError):
        raise ParameterError(
            f"meter must be like 3/4: 1 to 255 notes of length 1/1 to 1/128 (a power of two), got "
            f"{_shown(meter)}"
        ) from None
    return Meter(0, numerator, denominator)


# Reading: each reader yields where an item stands, and the item.


def _read_list(notes: Iterable[Any]) -> Iterator[tuple[str, Item]]:
    """Take a list apart."""
    if isinstance(notes, bytes | dict | Score | Notes) or not isinstance(notes, Iterable):
        raise NotationError(f"notes must be text or a list of (pitch, length), got {_shown(notes)}")
    for index, entry in enumerate(notes):
        where = f"item {index} (the first is 0)"
        if index >= MAX_ITEMS:
            raise NotationError(f"{where}: at most {MAX_ITEMS:,} items are read at once")
        try:
            yield where, _listed_item(entry)
        except NotationError as error:
            raise NotationError(f"{where}: {error}") from None


def _listed_item(entry: Any) -> Item:
    if not _is_list(entry) or len(entry) != 2:
        raise NotationError(
            f"{_shown(entry)} is not a pair of pitch and length, as (c4, qn) or [c4, qn] is"
        )
    pitches, length = entry
    if isinstance(pitches, Rest):
        return Item((), _listed_length(length))
    if _is_list(pitches):
        return Item(_chord([_listed_pitch(pitch) for pitch in pitches]), _listed_length(length))
    return Item((_listed_pitch(pitches),), _listed_length(length))


def _listed_pitch(entry: Any) -> int:
    try:
        pitch = _integer(entry)
    except TypeError:
        raise NotationError(
            f"{_shown(entry)} is not a pitch: write c4, fs4 or bf3 from partimento.music.pitches, "
            "a number 0-127, or rest (outside chords)"
        ) from None
    return _midi_pitch(pitch)


def _listed_length(entry: Any) -> Fraction:
    """Exact length of a number; a float stands for the simple fraction it is near."""
    is_number = isinstance(entry, numbers.Real) and not isinstance(entry, bool | np.bool_)
    if not is_number or not math.isfinite(entry):
        raise NotationError(
            f"{_shown(entry)} is not a length: write qn, den or ent from "
            "partimento.music.durations, or a number of quarters"
        )
    if isinstance(entry, numbers.Rational):
        return check_length(Fraction(int(entry.numerator), int(entry.denominator)))
    exact = Fraction(float(entry))
    length = exact.limit_denominator(MAX_TICKS_PER_QUARTER)  # 1/3 is no exact float, but means it
    if abs(length - exact) > NEAR:
        raise NotationError(f"{entry} quarters is near no simple fraction: write Fraction(a, b)")
    return check_length(length)


def _read_text(text: str) -> Iterator[tuple[TextPosition, Item]]:
    """Take a text apart."""
    if len(text) > MAX_CHARACTERS:
        raise NotationError(
            f"{TextPosition(text, MAX_CHARACTERS)}: the text goes on, {len(text):,} characters in "
            f"all, and at most {MAX_CHARACTERS:,} are read at once"
        )
    at = _skip_blanks(text, 0)
    while at < len(text):
        where = TextPosition(text, at)
        found = ITEM.match(text, at)
        if not found:
            raise NotationError(f"{where}: {_what_is_wrong(text[at : at + 80])}")
        pitches, length = found.groups()
        try:
            yield where, Item(_written_pitches(pitches), length_qn(length))
        except NotationError as error:
            raise NotationError(f"{where}: {error}") from None
        at = _skip_blanks(text, found.end())


def _skip_blanks(text: str, at: int) -> int:
    """Index of the next item, beyond blanks and bar lines."""
    found = BETWEEN.match(text, at)
    return found.end() if found else at


def _written_pitches(word: str) -> tuple[int, ...]:
    if word.lower() in ("r", "rest"):
        return ()
    if word.startswith("["):
        return _chord([_written_pitch(name) for name in word[1:-1].split()])
    return (_written_pitch(word),)


def _written_pitch(name: str) -> int:
    if name.isascii() and name.isdecimal() and len(name) <= 9:
        return _midi_pitch(int(name))
    return pitch_number(name)


def _what_is_wrong(text: str) -> str:
    """Say why no item starts here."""
    if text[0] in "[]":
        return (
            f"{text[:20]!r} is not a chord: pitches in one pair of square brackets, then a colon "
            "and a duration, as in [c4 e4 g4]:h"
        )
    word = text.split()[0].split("|")[0][:20]
    if ":" not in word:
        return f"{word!r} has no duration: write pitch:duration, as in c4:q"
    return f"{word!r} is not a note: write pitch:duration, as in c4:q or f#4:e."


def _chord(pitches: list[int]) -> tuple[int, ...]:
    if not pitches:
        raise NotationError("a chord needs at least one pitch; rest (r in text) is silence")
    for pitch, count in Counter(pitches).items():
        if count > 1:
            raise NotationError(f"pitch {pitch} ({pitch_name(pitch)}) stands twice in a chord")
    return tuple(pitches)


def _midi_pitch(pitch: int) -> int:
    if not LOWEST_PITCH <= pitch <= HIGHEST_PITCH:
        raise NotationError(f"pitch {pitch} is outside {LOWEST_PITCH}-{HIGHEST_PITCH}")
    return pitch


def _integer(entry: Any) -> int:
    """Value of an integer of any make; `TypeError` for all else, booleans too."""
    if isinstance(entry, bool | np.bool_):
        raise TypeError
    return operator.index(entry)


def _is_list(entry: Any) -> bool:
    return isinstance(entry, tuple | list)


def _shown(entry: Any) -> str:
    """Show anything, shortly and safely."""
    return reprlib.repr(entry)


# Placing items in time, and finding them again.


def _place(
    items: Iterator[tuple[Any, Item]], ticks_per_quarter: int
) -> tuple[np.ndarray, int, int]:
    """Lay items end to end: rows of onset, duration, pitch; ticks per quarter; the end tick."""
    if not 1 <= ticks_per_quarter <= MAX_TICKS_PER_QUARTER:
        raise ParameterError(
            f"ticks_per_quarter must be 1 to {MAX_TICKS_PER_QUARTER}, got {ticks_per_quarter}"
        )
    unit = 1  # the division in which all lengths so far are whole
    reached = Fraction(0)  # quarters
    placed = []
    for where, item in items:
        unit = math.lcm(unit, item.length.denominator)
        placed += [(reached, item.length, pitch) for pitch in item.pitches]
        reached += item.length
        if unit > MAX_TICKS_PER_QUARTER:
            raise NotationError(
                f"{where}: with a length of {item.length} quarters the music needs {unit} ticks a "
                f"quarter, and MIDI has at most {MAX_TICKS_PER_QUARTER}: use simpler fractions"
            )
        if reached > LONGEST_QN:
            raise NotationError(f"{where}: the music is longer than {LONGEST_QN:,} quarters")
    division = math.lcm(unit, ticks_per_quarter)
    if division > MAX_TICKS_PER_QUARTER:
        fewest = -(-ticks_per_quarter // unit)
        division = unit * min(fewest, MAX_TICKS_PER_QUARTER // unit)
    rows = [(int(at * division), int(length * division), pitch) for at, length, pitch in placed]
    return np.array(rows, dtype=np.int64).reshape(-1, 3), division, int(reached * division)


def _notes_of_one_part(score: Score) -> Notes:
    """Find the only part that has notes."""
    with_notes = [part.notes for part in score.parts if len(part.notes)]
    if len(with_notes) > 1:
        raise NotationError(
            f"{len(with_notes)} parts have notes, and text has one: choose with "
            "score.with_parts([score.parts[0]]), or merge() them"
        )
    return with_notes[0] if with_notes else Notes()


def _check_is_one_voice(notes: Notes, first: np.ndarray, count: np.ndarray) -> None:
    """Refuse overlaps that are no chords; `first` and `count` say where each chord stands."""
    differs = notes.duration != np.repeat(notes.duration[first], count)
    doubles = np.append((np.diff(notes.pitch) == 0) & (np.diff(notes.onset) == 0), False)
    runs_on = np.repeat(notes.offset[first] > np.append(notes.onset[first][1:], MAX_TICK), count)
    if (is_wrong := differs | doubles | runs_on).any():
        raise NotationError(
            f"the notes at tick {notes.onset[is_wrong][0]} overlap others, and text has one voice "
            "and chords of equal length: take the top line with skyline()"
        )


def _duration_of(ticks: int, score: Score) -> str:
    return duration_name(Fraction(ticks, score.ticks_per_quarter))


def _starts_bar(ticks: np.ndarray, score: Score) -> list[bool]:
    """Which of these ticks are the first of a bar."""
    bars = BarMap.of(score)
    return (bars.start(bars.bar(ticks)) == ticks).tolist()
