"""Reading voices: which lines of a score are soprano, alto, tenor and bass.

`voices_of` finds them: parts that are one line each are voices; where a part has chords, as on the
two staves of a hymnal, it is taken apart into lines. Names say which voice is which (in English,
Latin, Italian, German, Polish), and where they do not, pitch does, the highest voice first. What
stays unclear is refused in one line that says how to ask for it: ``"soprano,bass"`` names the parts
in their order, ``"soprano=1,bass=3"`` picks parts by number.

A closed score says where a line is silent less clearly than parts do: where fewer notes sound than
there are lines, neighbours sing in unison.
"""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from partimento.errors import ParameterError
from partimento.music.four_voices import VOICES
from partimento.music.notes import Notes
from partimento.music.score import Part, Score
from partimento.music.voices import cut_overlaps, lowest_line, skyline

AUTO = "auto"
MIDDLES = (71, 65, 60, 52)  # median pitch of each voice over Bach's chorales, to the semitone
LEGATO = 8  # notes of a line may overlap by one part in so many of a quarter
MAX_MEETING = 0.05  # share of notes that may sound together in what counts as a line
MAX_UNCLEAR = 0.02  # of the time, in which more notes may sound than a part has lines
MIN_FULL = 0.5  # of the time, in which so many notes sound as a part has lines

# The s of old prints (Baſsus) and V for U (CANTVS) are read too.
NAMES = (  # as whole words
    r"s|sop|sopr|soprano?s?|sopran[iy]?|cant(o|us|i)|discant(o|us)|diskant|descant|superius|treble",
    r"a|alto?s?|alt(us|i|y)|contralto|contratenor",
    r"t|ten|tenore?s?|ten(or|ori|ory)",
    r"b|bas|bass|basse?s?|bass(o|us|i)|bas(us|y|o)",
)
NUMBERS = r"[iv]+|primo?|primus|sec[ou]ndo?|sec[ou]ndus|[mvt]o|d[ou]|solo|voice|vo[xc]"


@dataclass(frozen=True, eq=False)
class VoicesRead:
    """The voices of a score.

    Attributes
    ----------
    notes : tuple of Notes
        Of soprano, alto, tenor and bass, one note at a time; empty where a voice is not there.
    parts : tuple
        Index of the part that each stands in, or `None`.
    left_aside : tuple of int
        Parts with notes that are no voice; drums do not count.
    remarks : tuple of str
        What is worth saying, one sentence each.
    """

    notes: tuple[Notes, ...]
    parts: tuple[int | None, ...]
    left_aside: tuple[int, ...]
    remarks: tuple[str, ...]

    @property
    def is_there(self) -> np.ndarray:
        """Which voices have notes; bool, shape (voice,)."""
        return np.array([part is not None for part in self.parts])


def voices_of(score: Score, voices: str = AUTO, *, fit: bool = False) -> VoicesRead:
    """Find the voices of a score.

    Parameters
    ----------
    score
        With one to four lines, each a part of its own or together on one or two staves.
    voices
        ``"auto"``; or names of voices, one for each part with notes (``"soprano,bass"``), or with
        numbers of parts (``"soprano=1,bass=3"``). A single name takes the first part that is one
        line.
    fit
        Where one voice is wanted and a part has chords, take the top line (the lowest for a bass).

    Raises
    ------
    ParameterError
        If it is not clear which lines are meant.

    Examples
    --------
    >>> from partimento.music.notation import seq
    >>> voices_of(seq("c5:q d5:q").stack(seq("c3:h"))).parts
    (0, None, None, 1)
    """
    sounding = [i for i, part in enumerate(score.parts) if len(part.notes) and not part.is_drum]
    if not sounding:
        raise ParameterError("the music has no notes (drums do not count): give it at least one")
    if voices.strip().lower() == AUTO:
        return _found(score, sounding)
    asked = _asked(score, voices, sounding)
    notes: list[Notes] = [Notes()] * len(VOICES)
    parts: list[int | None] = [None] * len(VOICES)
    remarks = []
    for voice, index in asked.items():
        line, remark = _one_line(score, index, voice, fit)
        notes[voice], parts[voice] = line, index
        remarks += remark
    left = tuple(index for index in sounding if index not in parts)
    remarks += [f"the {VOICES[v]} is {_named(score, i)}" for v, i in asked.items() if left]
    return VoicesRead(tuple(notes), tuple(parts), left, tuple(remarks))


def voice_numbers(text: str) -> tuple[int, ...]:
    """Read names of voices, ``"alto,tenor"`` or ``"A T"``: their numbers, soprano 0, in order.

    Examples
    --------
    >>> voice_numbers("tenor, alto")
    (1, 2)
    """
    names = [name for name in re.split(r"[\s,+]+", text.strip()) if name]
    numbers = sorted(voice_number(name) for name in names)
    if not numbers or len(set(numbers)) < len(numbers):
        raise ParameterError(
            f"voices must be some of {', '.join(VOICES)}, each once, got {text[:40]!r}"
        )
    return tuple(numbers)


def parse_voices(text: str) -> list[tuple[int, str | None]]:
    """Read what a user says of parts: each voice, and the number of its part if it is given.

    Examples
    --------
    >>> parse_voices("soprano,bass"), parse_voices("bass=2")
    ([(0, None), (3, None)], [(3, '2')])
    """
    pairs = [pair.partition("=") for pair in re.split(r"[\s,+]+", text.strip()) if pair]
    if not pairs:
        raise ParameterError(f"voices must be auto or some of {', '.join(VOICES)}, got nothing")
    found = [(voice_number(name), part if equals else None) for name, equals, part in pairs]
    if len({number for number, _ in found}) < len(found):
        raise ParameterError(f"voices names a voice twice: {text[:40]!r}")
    return found


def voice_number(name: str) -> int:
    """Read the name of a voice, or its first letter: soprano is 0."""
    found = _voice_of_name(name)
    if found is None:
        raise ParameterError(f"voice {name[:20]!r} is unknown: {', '.join(VOICES)} are the voices")
    return found


def _asked(score: Score, voices: str, sounding: list[int]) -> dict[int, int]:
    """Parts of the voices that a user names, by voice."""
    pairs = parse_voices(voices)
    numbers = [number for number, _ in pairs]
    if any(part is not None for _, part in pairs):
        parts = [_part_index(score, part or "") for _, part in pairs]
        if len(set(parts)) < len(parts):
            raise ParameterError(f"voices names a part twice: {voices[:40]!r}")
        return dict(zip(numbers, parts, strict=True))
    if len(numbers) == 1:
        lines = [i for i in sounding if is_line(score.parts[i], score)]
        return {numbers[0]: (lines or sounding)[0]}
    if len(numbers) != len(sounding):
        raise ParameterError(
            f"voices names {len(numbers)} voices, {len(sounding)} parts have notes: name one for "
            f"each, or pick parts by number, as in {VOICES[numbers[0]]}=1"
        )
    return dict(zip(numbers, sounding, strict=True))


def _part_index(score: Score, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= len(score.parts)):
        raise ParameterError(
            f"voices: part {text[:20]!r} is none: write a number from 1 to {len(score.parts)} "
            "after each =, as in soprano=1,bass=2"
        )
    index = int(text) - 1
    if not len(score.parts[index].notes) or score.parts[index].is_drum:
        raise ParameterError(f"voices: part {text} has no notes that can be sung")
    return index


def is_line(part: Part, score: Score) -> bool:
    """Whether hardly any notes of a part sound together; legato may reach into the next note."""
    if len(part.notes) < 2:
        return True
    return _meetings(part.notes, score) <= MAX_MEETING * (len(part.notes) - 1)


def _meetings(notes: Notes, score: Score) -> int:
    """Count the notes that begin together with one before, or while it sounds."""
    reaches = np.maximum.accumulate(notes.offset)[:-1] - notes.onset[1:]
    meets = (np.diff(notes.onset) == 0) | (reaches > score.ticks_per_quarter // LEGATO)
    return int(meets.sum())


def _top_line(score: Score, index: int) -> tuple[Notes, list[str]]:
    """Take the line of a part that is one, or nearly."""
    notes = score.parts[index].notes
    line = skyline(notes)
    if len(line) == len(notes):
        return line, []
    lower = len(notes) - len(line)
    return line, [f"{lower} of {len(notes)} notes of {_named(score, index)} stand under others"]


def _one_line(score: Score, index: int, voice: int, fit: bool) -> tuple[Notes, list[str]]:
    """Take one voice out of a part."""
    part = score.parts[index]
    if is_line(part, score):
        return _top_line(score, index)
    where, name = _named(score, index), VOICES[voice]
    if not fit:
        raise ParameterError(
            f"the {name} must be one line, {where} has chords: give a part that is one voice, or "
            "take the outer line of the chords with fit"
        )
    if voice == VOICES.index("bass"):
        line, which = lowest_line(part.notes), "lowest"
    else:
        line, which = skyline(part.notes), "top"
    dropped = len(part.notes) - len(line)
    return line, [
        f"the {name} is the {which} line of {where}: {dropped} of {len(part.notes)} notes are "
        "left aside"
    ]


def _found(score: Score, sounding: list[int]) -> VoicesRead:
    """Find the voices without being told."""
    singing = [index for index in sounding if is_line(score.parts[index], score)]
    if not singing:
        lines, origin = _taken_apart(score, sounding)
        if not lines:
            raise ParameterError(_unclear(sounding))
        return _placed(score, lines, origin, (), [])
    remarks: list[str] = []
    aside = [index for index in sounding if index not in singing]
    if len(singing) > len(VOICES):
        raise ParameterError(
            f"{len(singing)} parts are lines, and four voices are {', '.join(VOICES)}: pick parts "
            "by number, as in voices soprano=1,bass=4"
        )
    if aside:
        which = ", ".join(_named(score, index) for index in aside)
        remarks.append(f"{which} {'has' if len(aside) == 1 else 'have'} chords and no part in it")
    found = [_top_line(score, index) for index in singing]
    remarks += itertools.chain.from_iterable(said for _, said in found)
    return _placed(score, [line for line, _ in found], singing, tuple(aside), remarks)


def _placed(
    score: Score,
    lines: list[Notes],
    origin: list[int],
    aside: tuple[int, ...],
    remarks: list[str],
) -> VoicesRead:
    """Say which voice each line is, by the names of their parts or by pitch."""
    named = [_voice_of_name(score.parts[index].name) for index in origin]
    if len(set(origin)) < len(origin) or None in named or len(set(named)) < len(named):
        named = list(_by_pitch(lines, {i: v for i, v in enumerate(named) if v is not None}))
        if len(lines) < len(VOICES) and len(set(origin)) > 1:
            heard = (
                f"{_named(score, i)} the {VOICES[v or 0]}"
                for i, v in zip(origin, named, strict=True)
            )
            remarks.append(f"by its pitches {', '.join(heard)}")
    notes: list[Notes] = [Notes()] * len(VOICES)
    parts: list[int | None] = [None] * len(VOICES)
    for line, index, voice in zip(lines, origin, named, strict=True):
        assert voice is not None
        notes[voice], parts[voice] = line, index
    return VoicesRead(tuple(notes), tuple(parts), aside, tuple(remarks))


def _by_pitch(lines: Sequence[Notes], known: dict[int, int]) -> tuple[int, ...]:
    """Voices of lines: in the order of their pitches, as near as can be to where voices are.

    A melody alone is a soprano. Names hold where they are in order.
    """
    if len(lines) == 1:
        return (known.get(0, 0),)
    medians = np.array([_median(notes) for notes in lines])
    order = np.argsort(-medians, kind="stable")
    choices = itertools.combinations(range(len(VOICES)), len(lines))
    costs = {
        choice: float(np.abs(np.array(MIDDLES)[list(choice)] - medians[order]).sum())
        for choice in choices
    }
    fitting = {
        choice: cost
        for choice, cost in costs.items()
        if all(choice[order.tolist().index(line)] == voice for line, voice in known.items())
    }
    best = min(fitting or costs, key=lambda choice: costs[choice])
    voices = np.empty(len(lines), dtype=np.int64)
    voices[order] = best
    return tuple(voices.tolist())


def _median(notes: Notes) -> float:
    """Median pitch by time: half of the line lies above."""
    order = np.argsort(notes.pitch, kind="stable")
    reached = np.cumsum(notes.duration[order])
    return float(notes.pitch[order][np.searchsorted(reached, reached[-1] / 2)])


def _taken_apart(score: Score, sounding: list[int]) -> tuple[list[Notes], list[int]]:
    """Lines of one or two staves, the upper first; none where that is unclear."""
    if len(sounding) > 2:
        return [], []
    staves = sorted(sounding, key=lambda index: -_median(score.parts[index].notes))
    lines: list[Notes] = []
    origin: list[int] = []
    for index in staves:
        staff = lines_of(score.parts[index].notes, score.ticks_per_quarter // LEGATO)
        lines += staff
        origin += [index] * len(staff)
    is_clear = 2 <= len(lines) <= len(VOICES) and len(set(origin)) == len(staves)
    return (lines, origin) if is_clear else ([], [])


def lines_of(notes: Notes, tolerance: int = 0) -> list[Notes]:
    """Take chords apart into lines, the highest first; none where too many notes sound at once.

    There are as many lines as notes sound together most of the time. Where fewer sound, lines next
    to each other sing the same note, those that have the least way to go.

    Parameters
    ----------
    notes
        One part.
    tolerance
        Ticks; what sounds together for no longer is legato.
    """
    edges = np.unique(np.concatenate([notes.onset, notes.offset]))
    edges = edges[np.append(True, np.diff(edges) > tolerance)]
    start, stop = edges[:-1], edges[1:]
    if not len(start):  # nothing lasts longer than legato
        return []
    # Which notes sound in each stretch: those that began by its start and last beyond it.
    chords: list[np.ndarray] = []
    first = np.searchsorted(notes.onset, start + tolerance, side="right")
    longest = int(notes.duration.max())
    oldest = np.searchsorted(notes.onset, start - longest, side="left")
    for begin, end, low, high in zip(start, stop, oldest, first, strict=True):
        near = np.arange(low, high)
        near = near[notes.offset[near] > min(begin + tolerance, end - 1)]
        chords.append(near[np.argsort(-notes.pitch[near], kind="stable")])
    sizes = np.array([len(chord) for chord in chords])
    lengths = (stop - start).astype(np.float64)
    lasting = np.bincount(sizes, weights=lengths)[1:]  # of chords of 1, 2 … notes
    if not lasting.sum():
        return []
    over = lasting[::-1].cumsum()[::-1] / lasting.sum()  # share of time with so many or more
    count = int((over > MAX_UNCLEAR).sum())
    if count > len(VOICES) or (count > 1 and over[count - 1] < MIN_FULL):
        return []
    return _sung(notes, chords, start, stop, count)


def _sung(
    notes: Notes, chords: list[np.ndarray], start: np.ndarray, stop: np.ndarray, count: int
) -> list[Notes]:
    """Give each line a note of each chord, and join what goes on."""
    sung = np.full((len(chords), count), -1)  # stretch line: a note
    before: np.ndarray | None = None
    for number, chord in enumerate(chords):
        if not len(chord):
            continue
        if len(chord) > count:  # rare (see MAX_UNCLEAR): the outer lines stay
            chord = np.append(chord[: count - 1], chord[-1]) if count > 1 else chord[:1]
        ways = chord[_unisons(len(chord), count)]  # way line
        if before is not None and len(ways) > 1:
            moved = np.abs(notes.pitch[ways] - notes.pitch[before]).sum(axis=1)
            ways = ways[moved.argmin()][None]
        sung[number] = before = ways[0]
    lines = []
    for line in range(count):
        owner = sung[:, line]
        is_new = np.append(True, owner[1:] != owner[:-1])
        firsts = np.flatnonzero(is_new)
        lasts = np.append(firsts[1:], len(owner)) - 1
        is_note = owner[firsts] >= 0
        firsts, lasts = firsts[is_note], lasts[is_note]
        who = owner[firsts]
        onset = np.maximum(start[firsts], notes.onset[who])
        offset = np.maximum(np.minimum(stop[lasts], notes.offset[who]), onset + 1)
        lines.append(Notes(onset, offset - onset, notes.pitch[who], notes.velocity[who]))
    return [cut_overlaps(line) for line in lines]


@cache
def _unisons(size: int, count: int) -> np.ndarray:
    """All ways in which lines sing all notes of a chord in order; shape (way, line)."""
    cuts = itertools.combinations(range(1, count), size - 1)
    return np.array([np.searchsorted(cut, np.arange(count), side="right") for cut in cuts])


def _voice_of_name(name: str) -> int | None:
    """Voice that a name says: one word of `NAMES`, with numbers at most."""
    words = re.sub(r"[\W_\d]+", " ", name.lower().replace("ſ", "s")).split()
    words = [word for word in words if not re.fullmatch(NUMBERS, word)]
    if len(words) != 1:
        return None
    word = re.sub(r"v(?=[sm]$)", "u", words[0])
    return next((v for v, names in enumerate(NAMES) if re.fullmatch(names, word)), None)


def _named(score: Score, index: int) -> str:
    name = score.parts[index].name
    return f"part {index + 1}" + (f" ({name[:40]!r})" if name else "")


def _unclear(sounding: list[int]) -> str:
    return (
        f"no part of the music is one line, and its chords ({len(sounding)} part"
        f"{'' if len(sounding) == 1 else 's'}) are not two to four voices throughout: give one "
        "voice a part, or name the voice that the top line is and take it with fit"
    )
