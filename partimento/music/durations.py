"""Note lengths by name, in quarter notes: ``from partimento.music.durations import qn, den, ent``.

| | note | dotted | triplet |
|---|---|---|---|
| whole | `wn` 4 | `dwn` 6 | `wnt` 8/3 |
| half | `hn` 2 | `dhn` 3 | `hnt` 4/3 |
| quarter | `qn` 1 | `dqn` 3/2 | `qnt` 2/3 |
| eighth | `en` 1/2 | `den` 3/4 | `ent` 1/3 |
| sixteenth | `sn` 1/4 | `dsn` 3/8 | `snt` 1/6 |
| thirty-second | `tn` 1/8 | `dtn` 3/16 | `tnt` 1/12 |

A triplet is one of three notes in the time of two: three `ent` fill a quarter, twelve a bar of
4/4. All are exact fractions, so they add and multiply: ``hn + en``, ``3 * qn``. Aliases: the dot
behind (`qnd`), the triplet in front (`ten`), two dots (`ddqn`). In text the `n` may go, a dot is
a dot, and a sum or a number of quarters will do: ``q e. et h+e 5/2``. `length_qn` reads it and
`duration_name` writes it.
"""

import re
from fractions import Fraction

from partimento.errors import NotationError
from partimento.music.score import MAX_TICKS_PER_QUARTER

wn, hn, qn = Fraction(4), Fraction(2), Fraction(1)
en, sn, tn = Fraction(1, 2), Fraction(1, 4), Fraction(1, 8)

DOT, TWO_DOTS, TRIPLET = Fraction(3, 2), Fraction(7, 4), Fraction(2, 3)

dwn, dhn, dqn, den, dsn, dtn = wn * DOT, hn * DOT, qn * DOT, en * DOT, sn * DOT, tn * DOT
wnd, hnd, qnd, end, snd, tnd = dwn, dhn, dqn, den, dsn, dtn
ddwn, ddhn, ddqn, dden = wn * TWO_DOTS, hn * TWO_DOTS, qn * TWO_DOTS, en * TWO_DOTS

wnt, hnt, qnt = wn * TRIPLET, hn * TRIPLET, qn * TRIPLET
ent, snt, tnt = en * TRIPLET, sn * TRIPLET, tn * TRIPLET
twn, thn, tqn, ten, tsn = wnt, hnt, qnt, ent, snt

LETTERS = {"w": wn, "h": hn, "q": qn, "e": en, "s": sn, "t": tn}
LONGEST_QN = 65_536  # nine hours at 120 quarters a minute; whole in ticks at any division
NUMBER = re.compile(r"[0-9]{1,9}(/[0-9]{1,6}|\.[0-9]{1,9})?")


def _spellings() -> dict[str, Fraction]:
    """All names text may use for one note value."""
    names = {}
    for letter, length in LETTERS.items():
        for note in (letter, letter + "n"):
            names[note] = length
            for dotted in (note + ".", "d" + note, note + "d"):
                names[dotted] = length * DOT
            for twice in (note + "..", "dd" + note):
                names[twice] = length * TWO_DOTS
            names[note + "t"] = length * TRIPLET
        names[f"t{letter}n"] = length * TRIPLET
    return names


SPELLINGS = _spellings()


def _shortest_names() -> dict[Fraction, str]:
    """One short name for each length: a note value, or two of them tied."""
    plain = {length: letter for letter, length in LETTERS.items()}
    names = {a + b: f"{m}+{n}" for a, m in plain.items() for b, n in plain.items() if a > b}
    for ending, factor in (("..", TWO_DOTS), ("t", TRIPLET), (".", DOT)):
        names |= {length * factor: letter + ending for length, letter in plain.items()}
    return names | plain


NAMES = _shortest_names()


def length_qn(text: str) -> Fraction:
    """Length in quarter notes of a duration as text.

    Raises `NotationError`.

    Examples
    --------
    >>> length_qn("q"), length_qn("e."), length_qn("ent"), length_qn("h+e"), length_qn("5/12")
    (Fraction(1, 1), Fraction(3, 4), Fraction(1, 3), Fraction(5, 2), Fraction(5, 12))
    """
    return check_length(sum((_one_length(value, text) for value in text.split("+")), Fraction(0)))


def duration_name(length: Fraction | int) -> str:
    """Write a length in quarter notes as short as `length_qn` reads it.

    Examples
    --------
    >>> duration_name(den), duration_name(ent), duration_name(hn + en), duration_name(5 * snt)
    ('e.', 'et', 'h+e', '5/6')
    """
    return NAMES.get(Fraction(length), str(length))


def check_length(length: Fraction) -> Fraction:
    """Refuse lengths that are not positive, or beyond all use."""
    if not 0 < length <= LONGEST_QN:
        raise NotationError(
            f"a note cannot last {length} quarters: more than 0, up to {LONGEST_QN:,}"
        )
    if length.denominator > MAX_TICKS_PER_QUARTER:
        raise NotationError(f"a length of {length} quarters is finer than the finest tick of MIDI")
    return length


def _one_length(value: str, text: str) -> Fraction:
    name = value.lower()
    if name in SPELLINGS:
        return SPELLINGS[name]
    if NUMBER.fullmatch(name):
        above, _, below = name.partition("/")
        if int(below or 1) > 0:
            return Fraction(above) / int(below or 1)
    raise NotationError(
        f"{text[:20]!r} is not a duration: w h q e s t (whole to thirty-second), with . (dotted) "
        "or t (triplet) behind, as in q, e., et; or a number of quarters, as in 3/2"
    )
