"""Fields of ABC: keys, meters, unit lengths and tempos, as words."""

import re
from fractions import Fraction
from typing import NamedTuple

from partimento.errors import FormatError
from partimento.formats.midi.texts import printable

LINE_OF_FIFTHS = "FCGDAEB"
MODES = {
    "": 0, "maj": 0, "ion": 0, "m": -3, "min": -3, "aeo": -3, "mix": -1, "dor": -2, "phr": -4,
    "lyd": 1, "loc": -5,
}  # fmt: skip
KEY = re.compile(r"([A-Ga-g])([#b♯♭]?)\s*([A-Za-z]*)")
SIGN = re.compile(r"(?<![\w=])(\^{1,2}|_{1,2}|=)([A-Ga-g])(?![\w=])")
OCTAVE = re.compile(r"\b(transpose|octave)=(-?\d{1,2})")
METER = re.compile(r"\(?\s*(\d{1,3}(?:\s*\+\s*\d{1,3})*)\s*\)?\s*/\s*(\d{1,3})")
FRACTION = re.compile(r"(\d{1,4})\s*/\s*(\d{1,4})")
TEMPO = re.compile(r"((?:\d{1,3}/\d{1,3}\s*)+)=\s*(\d{1,4}(?:\.\d{1,4})?)")
ALTER = {"^^": 2, "^": 1, "=": 0, "_": -1, "__": -2}
COMMON = {"C": (4, 4), "C|": (2, 2)}


class AbcKey(NamedTuple):
    """A key: its signature, what it does to each letter, and by how much it moves all notes."""

    fifths: int
    is_minor: bool
    alter: dict[str, int]
    transposition: int = 0


def read_key(words: str, line: int, *, before: AbcKey | None = None) -> AbcKey:
    """Read what stands behind ``K:``.

    Examples
    --------
    >>> key = read_key("A dorian", 5)
    >>> key.fifths, key.alter["F"], key.alter["C"]
    (1, 1, 0)
    """
    shift = sum(
        int(number) * (12 if what == "octave" else 1) for what, number in OCTAVE.findall(words)
    )
    name = words.strip()
    found = KEY.match(name)
    is_minor = False
    if name.startswith(("HP", "Hp")):
        fifths = 2 if name.startswith("Hp") else 0
    elif not name or name.lower().startswith("none") or name.startswith(("^", "_", "=")):
        fifths = 0
    elif found and (mode := _mode(found[3])) is not None:
        sharps = {"#": 7, "♯": 7, "b": -7, "♭": -7}.get(found[2], 0)
        fifths = LINE_OF_FIFTHS.index(found[1].upper()) - 1 + sharps + MODES[mode]
        is_minor = MODES[mode] == -3
    elif before is not None and "=" in name:  # K:clef=bass changes no key
        return before._replace(transposition=shift)
    else:
        raise FormatError(
            f"line {line}: the key '{printable(name[:20])}' is unknown: a tonic and a mode are "
            "expected, as in G, Em or Ador"
        )
    if not -7 <= fifths <= 7:
        raise FormatError(f"line {line}: the key '{printable(name[:20])}' has too many signs")
    alter = {letter: (fifths - place + 6) // 7 for place, letter in enumerate(LINE_OF_FIFTHS)}
    for sign, letter in SIGN.findall(name):
        alter[letter.upper()] = ALTER[sign]
    return AbcKey(fifths, is_minor, alter, shift)


def _mode(word: str) -> str | None:
    """Find the mode that a word names; words that name none belong to what follows the key."""
    low = word.lower()
    if low in ("", "m"):
        return low
    if low[:3] in MODES:
        return low[:3]
    return "" if low in ("clef", "transpose", "octave", "treble", "bass", "alto", "exp") else None


def read_meter(words: str, line: int) -> tuple[int, int] | None:
    """Read what stands behind ``M:``; `None` for free meter."""
    name = words.strip()
    if name in COMMON:
        return COMMON[name]
    if not name or name.lower() == "none":
        return None
    found = METER.fullmatch(name)
    if found:
        numerator = sum(int(term) for term in found[1].split("+"))
        denominator = int(found[2])
        if 1 <= numerator <= 255 and denominator in (1, 2, 4, 8, 16, 32, 64, 128):
            return numerator, denominator
    raise FormatError(
        f"line {line}: the meter '{printable(name[:20])}' is impossible: 4/4, C or none are "
        "expected"
    )


def read_unit(words: str, line: int) -> Fraction:
    """Read what stands behind ``L:``, in quarters."""
    name = words.strip()
    found = FRACTION.fullmatch(name)
    if found and int(found[2]) and int(found[1]) and int(found[2]) <= 512:
        return Fraction(4 * int(found[1]), int(found[2]))
    if name == "1":
        return Fraction(4)
    raise FormatError(
        f"line {line}: the unit length '{printable(name[:20])}' is unknown: 1/8 or 1/4 are expected"
    )


def usual_unit(meter: tuple[int, int] | None) -> Fraction:
    """Give the unit in quarters where ``L:`` is missing: a sixteenth below 3/4, else an eighth."""
    return Fraction(1, 4) if meter and 4 * meter[0] < 3 * meter[1] else Fraction(1, 2)


def read_tempo(words: str, unit: Fraction) -> float | None:
    """Quarters a minute of what stands behind ``Q:``; `None` where it holds words alone."""
    text = re.sub(r'"[^"]*"', " ", words).strip()
    found = TEMPO.search(text)
    if found:
        pairs = FRACTION.findall(found[1])
        beats = sum(Fraction(int(a), int(b)) for a, b in pairs if int(b)) * 4
        qpm = float(found[2]) * float(beats)
    else:
        number = re.search(r"(\d{1,4})\s*$", text)
        if not number:
            return None
        qpm = int(number[1]) * float(unit)  # so many units a minute
    return qpm if 4 <= qpm <= 10_000 else None
