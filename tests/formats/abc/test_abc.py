"""Tunes in ABC: each sign by a small tune, and errors that name the line."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from partimento.errors import FormatError, LimitError, PartimentoError
from partimento.formats import read
from partimento.formats.abc import read_abc, read_abc_report, split_tunes
from partimento.formats.midi import Limits
from partimento.music.score import Key, Meter

HEAD = "X:1\nT:A tune\nM:4/4\nL:1/8\nK:{}\n"


def tune(music, key="C", head=HEAD):
    return read_abc((head.format(key) + music + "\n").encode())


def pitches(music, key="C"):
    return tune(music, key).parts[0].notes.pitch.tolist()


def lengths(music):
    """Lengths in eighths."""
    score = tune(music)
    eighth = score.ticks_per_quarter / 2
    return [round(ticks / eighth, 3) for ticks in score.parts[0].notes.duration.tolist()]


@pytest.mark.parametrize(
    "music, heard",
    [
        ("C c C, c'", [60, 72, 48, 84]),
        ("^C _D =C ^^C __D", [61, 61, 60, 62, 60]),
        ("^C C | C", [61, 61, 60]),  # to the bar line
        ("^C c", [61, 72]),  # in its octave
        ("^C-|C C", [61, 60]),  # a tie keeps the sign
        ("[CEG] z c", [60, 64, 67, 72]),
        ('"Am"A !trill!B .c ~d (ef) {g}a', [69, 71, 72, 74, 76, 77, 81]),
        ("A B % a remark", [69, 71]),
        ("C[K:D]F", [60, 66]),
    ],
)
def test_pitches(music, heard):
    assert pitches(music) == heard


@pytest.mark.parametrize(
    "key, f, b",
    [
        ("G", 66, 71), ("F", 65, 70), ("Gmaj", 66, 71), ("Am", 65, 71), ("Ador", 66, 71),
        ("D mixolydian", 66, 71), ("Edorian", 66, 71), ("E phrygian", 65, 71), ("Flyd", 65, 71),
        ("Bloc", 65, 71), ("Bb", 65, 70), ("F# minor", 66, 71), ("none", 65, 71), ("HP", 65, 71),
        ("Hp", 66, 71), ("C ^f _b", 66, 70), ("G clef=treble", 66, 71), ("", 65, 71),
    ],
)  # fmt: skip
def test_keys(key, f, b):
    assert pitches("F B", key) == [f, b]


@pytest.mark.parametrize(
    "music, heard",
    [
        ("C C2 C/ C/2 C// C3/2 C/4", [1, 2, 0.5, 0.5, 0.25, 1.5, 0.25]),
        ("C>D E<F", [1.5, 0.5, 0.5, 1.5]),
        ("C>>D C2>D2", [1.75, 0.25, 3, 1]),
        ("(3CDE F", [0.667, 0.667, 0.667, 1]),
        ("(3:2:2C2D E", [1.333, 0.667, 1]),
        ("(5CDEFG A", [0.4, 0.4, 0.4, 0.4, 0.4, 1]),
        ("C2-C2 D-|D", [4, 2]),
        ("[CE]2 [C2E2]", [2, 2, 2, 2]),
        ("C2- | C2- | C2", [6]),
        ("C2 -C2 D2 -|D2", [4, 4]),
    ],
)
def test_lengths(music, heard):
    assert lengths(music) == heard


@pytest.mark.parametrize(
    "music, heard",
    [
        ("|:C8:|D8|]", "CCD"),
        ("C8:|D8|", "CCD"),
        ("|:C8|1D8:|2E8||F8|", "CDCEF"),
        ("|:C8|[1D8:|[2E8|]", "CDCE"),
        ("|:C8::D8:|", "CCDD"),
        ("|:C8:||:D8:|", "CCDD"),
        ("|:C8|1,3D8:|2E8:|F8|", "CDCECDF"),
        ("C8||D8|]", "CD"),
        ("|:C8|1D8:|2E8:|", "CDCE"),
    ],
)
def test_repeats_are_unfolded(music, heard):
    names = dict(zip("CDEFG", (60, 62, 64, 65, 67), strict=True))
    assert pitches(music) == [names[letter] for letter in heard]


def test_headers_are_read():
    score = read_abc(
        b"X: 7\nT: The Tune\nT: Another name\nM: 6/8\nQ: 3/8=40\nR: jig\nK: Em\nE3 G3|\n"
    )
    assert score.title == "The Tune"
    assert score.meters == (Meter(0, 6, 8),)
    assert score.keys == (Key(0, 1, True),)
    assert score.qpm == pytest.approx(60)
    assert score.parts[0].notes.duration.tolist() == [720, 720]


def test_without_a_unit_short_meters_count_sixteenths():
    assert read_abc(b"X:1\nM:2/4\nK:C\nC4|\n").parts[0].notes.duration.tolist() == [480]
    assert read_abc(b"X:1\nM:3/4\nK:C\nC2|\n").parts[0].notes.duration.tolist() == [480]


def test_a_pickup_gets_a_meter_of_its_own():
    score = tune("G|C2D2E2F2|G8|]")
    assert score.meters == (Meter(0, 1, 8), Meter(240, 4, 4))


def test_voices_are_parts():
    head = "X:1\nM:4/4\nL:1/4\nV:S\nV:B clef=bass\nK:C\n"
    score = tune("V:S\ncdef|g4|\nV:B\nC4|G,4|\n[V:S] a4|", head=head)
    assert [part.name for part in score.parts] == ["S", "B"]
    assert [part.notes.pitch.tolist() for part in score.parts] == [
        [72, 74, 76, 77, 79, 81],
        [60, 55],
    ]


def test_what_has_no_place_is_counted():
    reading = read_abc_report((HEAD.format("C") + '"C"C {de}D E & F\n').encode())
    assert reading.notices == {"chord symbols and words": 1, "grace notes": 2, "overlays (&)": 1}
    assert reading.score.parts[0].notes.pitch.tolist() == [60, 62, 64]


COLLECTION = (
    HEAD.format("C")
    + "C8|\n\nwords between\n\nX:12\nT:B\nM:4/4\nL:1/8\nK:C\nD8|\n\nX:3\nK:C\nE8|\n"
)


def test_a_tune_of_many_is_chosen_by_its_number(tmp_path):
    path = tmp_path / "tunes.abc"
    path.write_text(COLLECTION)
    assert [found.number for found in split_tunes(COLLECTION)] == ["1", "12", "3"]
    assert read(path).parts[0].notes.pitch.tolist() == [60]
    assert read(f"{path}#12").parts[0].notes.pitch.tolist() == [62]
    with pytest.raises(FormatError, match=r"no tune has the number X:5: there are 1, 12, 3"):
        read(f"{path}#5")


def test_a_folder_gives_every_tune(tmp_path):
    from partimento.data.found import Found
    from partimento.data.walking import walk

    (tmp_path / "tunes.abc").write_text(COLLECTION)
    (tmp_path / "one.abc").write_text(HEAD.format("C") + "C8|")
    found = [item for item in walk(tmp_path) if isinstance(item, Found)]
    assert [item.name for item in found] == [
        "one.abc",
        "tunes.abc#1",
        "tunes.abc#12",
        "tunes.abc#3",
    ]


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "line 1: no tune begins here"),
        ("hello", "line 1: no tune begins here"),
        ("X:1\nT:x\nCDE", "line 3: the tune has no key"),
        ("X:1\nK:Q\nC", "line 2: the key 'Q' is unknown"),
        ("X:1\nK:C\nC D\nE \x07 F", "line 4: '\\x07 F' at column 3 is no sign"),
        ("X:1\nM:4/5\nK:C\nC", "line 2: the meter '4/5'"),
        ("X:1\nL:x\nK:C\nC", "line 2: the unit length 'x'"),
        ("X:1\nK:C\n> C", "line 3: '>' follows no note"),
        ("X:1\nK:C\n[CE", "line 3: the chord"),
        ("X:1\nK:C\nC/0", "divides by nothing"),
        ("X:1\nK:C\n" + "c" + "'" * 9, "line 3"),
        ("X:1\nK:C\nZ9999|", "9,999 bars"),
    ],
)
def test_errors_name_the_line(text, words):
    with pytest.raises(FormatError) as caught:
        read_abc(text.encode(), source="x.abc")
    assert str(caught.value).startswith("x.abc: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_limits_hold():
    with pytest.raises(LimitError, match="max_notes"):
        read_abc((HEAD.format("C") + "C" * 50).encode(), limits=Limits(max_notes=10))
    with pytest.raises(LimitError, match="max_text_bytes"):
        read_abc(b"X:1\n" * 1000, limits=Limits(max_text_bytes=100))


@given(st.text("CDEcde^_=,'/234|:[]()<>-zZ \"{}&%\n123KV:G~!", max_size=80))
@settings(max_examples=200)
def test_no_text_breaks_the_reader(music):
    try:
        tune(music)
    except PartimentoError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    "music, heard",
    [
        ("C8 | D8 !fine! | E8 !D.C.! |]", [60, 62, 64, 60, 62]),
        ("C8 | !segno! D8 | !fine! E8 | F8 | !D.S.alfine! |]", [60, 62, 64, 65, 62, 64]),
        ("C8 !dacoda! | D8 !D.C.alcoda! | !coda! E8 |]", [60, 62, 60, 64]),
        ("C8 !trill! | D8 |]", [60, 62]),
    ],
)
def test_jumps_are_followed(music, heard):
    assert pitches(music) == heard
