import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import scores

from partimento.errors import LimitError, ParameterError
from partimento.music.examples import row_your_boat, row_your_boat_canon
from partimento.music.notes import Notes
from partimento.music.provenance import stamp
from partimento.music.score import Meter, Part, Score, Text
from partimento.rendering.piano_roll import (
    LINE_WIDTH,
    MAX_TITLE,
    PALETTE,
    part_names,
    piano_roll_svg,
    primer_end_tick,
)
from partimento.rendering.roll_line import WIDEST_QUARTER
from partimento.rendering.svg import text_width
from partimento.rendering.theme import DARK, MARGIN

SVG = "{http://www.w3.org/2000/svg}"


def parsed(score, **options):
    return ET.fromstring(piano_roll_svg(score, **options))


def notes_of(root):
    """Rectangles of each part: left edge, top edge, width, opacity."""
    return [
        [
            tuple(float(shape.get(name)) for name in ("x", "y", "width", "fill-opacity"))
            for shape in group.findall(f"{SVG}rect")
        ]
        for group in root.findall(f"{SVG}g")
    ]


def words_of(root):
    return [text.text for text in root.iter(f"{SVG}text")]


def test_every_note_is_drawn_once_and_in_order():
    (notes,) = notes_of(parsed(row_your_boat()))
    assert len(notes) == 27
    lefts = [note[0] for note in notes]
    assert lefts == sorted(lefts)


def test_higher_notes_stand_higher_and_longer_ones_are_longer():
    tune = row_your_boat()
    (drawn,) = notes_of(parsed(tune))
    notes = tune.parts[0].notes
    for one, first in zip(notes, drawn, strict=True):
        for other, second in zip(notes, drawn, strict=True):
            if one.pitch > other.pitch:
                assert first[1] < second[1]
            if one.duration > other.duration:
                assert first[2] > second[2]


def test_time_is_drawn_to_scale():
    (notes,) = notes_of(parsed(row_your_boat()))  # 16 quarters on one line
    quarter = LINE_WIDTH / 16
    assert notes[1][0] - notes[0][0] == pytest.approx(quarter, abs=0.2)
    assert notes[-1][0] - notes[0][0] == pytest.approx(14 * quarter, abs=0.2)
    assert notes[0][2] == pytest.approx(quarter, abs=3)


def test_bars_and_pitches_are_named():
    words = words_of(parsed(row_your_boat(), first_bar=9))
    assert {"9", "10", "11", "12", "c4", "e4", "g4", "c5"} <= set(words)
    assert "8" not in words and "13" not in words


def test_black_keys_are_spelt_as_the_key_does():
    tune = Score(parts=(Part(Notes([0, 480], [480, 480], [58, 65])),))
    assert "a3" in words_of(parsed(tune.with_key("f:major")))


def test_parts_have_names_and_colours_of_their_own():
    canon = row_your_boat_canon()
    canon = canon.with_parts([replace(canon.parts[0], name="Oboe <1>"), *canon.parts[1:]])
    root = parsed(canon)
    colours = [group.get("fill") for group in root.findall(f"{SVG}g")]
    assert colours == list(PALETTE[2::-1])  # the first part lies on top
    assert {"Oboe <1>", "part 2", "part 3"} <= set(words_of(root))
    assert part_names(canon)[0] == "Oboe <1>"


def test_parts_in_unison_share_the_row_and_all_are_seen():
    tune = row_your_boat()
    root = parsed(tune.with_parts([tune.parts[0], tune.parts[0]]))
    below, above = notes_of(root)  # the first part is drawn last
    for one, other in zip(above, below, strict=True):
        assert one[0] == other[0] and one[1] < other[1]


def test_drums_have_a_lane_with_their_names():
    beat = Part(Notes([0, 480, 960], [60] * 3, [36, 38, 42]), is_drum=True)
    words = words_of(parsed(Score(parts=(beat,))))
    assert {"bass drum", "snare", "closed hat"} <= set(words)
    root = parsed(row_your_boat().with_parts([*row_your_boat().parts, beat]))
    assert len(root.findall(f"{SVG}g")[0].findall(f"{SVG}path")) == 3


def test_a_primer_is_pale_and_what_follows_is_not():
    tune = row_your_boat()
    made = stamp(tune.repeat(2), {"verb": "continue", "settings": {"bars": 4}})
    assert primer_end_tick(made) == tune.end_tick
    (notes,) = notes_of(parsed(made))
    assert max(note[3] for note in notes[:27]) < 0.4 < min(note[3] for note in notes[27:])
    assert "primer" in words_of(parsed(made))
    assert "primer" not in words_of(parsed(tune))
    assert "primer" not in words_of(parsed(made, primer_end=0))


def test_the_end_of_the_primer_may_be_named_exactly():
    tune = row_your_boat().repeat(2)
    facts = {"verb": "continue", "settings": {"bars": 4, "primer_end_tick": 1000}}
    assert primer_end_tick(stamp(tune, facts)) == 1000
    for nonsense in ({"bars": 99}, {"bars": True}, {"bars": "4"}, {"primer_end_tick": -1}, {}):
        assert primer_end_tick(stamp(tune, {"verb": "continue", "settings": nonsense})) == 0
    assert primer_end_tick(stamp(tune, {"verb": "sample", "settings": {"bars": 4}})) == 0


def test_a_long_piece_is_broken_into_lines_at_bars():
    notes = [note for line in notes_of(parsed(row_your_boat().repeat(20))) for note in line]
    lefts = [note[0] for note in notes]
    breaks = [i for i in range(1, len(lefts)) if lefts[i] < lefts[i - 1]]
    assert len(notes) >= 27 * 20
    assert 5 <= len(breaks) <= 8
    assert len({lefts[i] for i in breaks}) == 1  # each line begins at the same edge


def test_a_note_over_a_line_break_goes_on_in_the_next_line():
    score = Score(parts=(Part(Notes([0], [480 * 4 * 30], [60])),))
    notes = notes_of(parsed(score))
    assert len(notes) > 1 and all(len(line) == 1 for line in notes)


@pytest.mark.parametrize(
    "words", ["<script>alert(1)</script>", "a & b", '"', "\x00\x1b[31m\ud800", "a\u202eb"]
)
def test_words_from_a_file_are_only_words(words):
    tune = replace(row_your_boat(), title=words, markers=(Text(0, words),))
    tune = tune.with_parts([replace(tune.parts[0], name=words)])
    root = parsed(tune)
    assert not list(root.iter(f"{SVG}script"))
    assert not any(ord(c) < 32 for text in words_of(root) for c in text or "")


def test_a_long_title_is_cut():
    assert (
        max(len(text) for text in words_of(parsed(row_your_boat(), title="x" * 999))) == MAX_TITLE
    )


def test_an_empty_score_is_an_empty_roll_that_says_so():
    words = words_of(parsed(Score()))
    assert {"no notes", "1"} <= set(words)
    assert not any(notes_of(parsed(Score())))


def test_one_note_is_a_quarter_of_its_bar():
    score = Score(parts=(Part(Notes([0], [480], [60])),))
    ((note,),) = notes_of(parsed(score))
    assert note[2] == pytest.approx(WIDEST_QUARTER, abs=3)


def test_velocity_can_be_told_by_colour():
    notes = Notes([0, 480], [480, 480], [60, 62], [1, 127])
    root = parsed(Score(parts=(Part(notes),)), colour="velocity", theme="dark")
    fills = [shape.get("fill") for shape in root.find(f"{SVG}g").findall(f"{SVG}rect")]
    assert fills == [DARK.velocity.at(1 / 127), DARK.velocity.at(1)]
    assert "velocity 1" in words_of(root)


def test_a_dark_page_is_dark_and_takes_the_palette_for_it():
    root = parsed(row_your_boat_canon(), theme="dark")
    assert root.find(f"{SVG}rect").get("fill") == DARK.paper
    assert [group.get("fill") for group in root.findall(f"{SVG}g")] == list(DARK.palette[2::-1])


@pytest.mark.parametrize("wrong", [{"theme": "blue"}, {"colour": "pitch"}])
def test_other_looks_are_refused(wrong):
    with pytest.raises(ParameterError, match="must be"):
        piano_roll_svg(row_your_boat(), **wrong)


def test_many_long_names_of_parts_stand_below_the_facts_and_inside_the_page():
    tune = row_your_boat().parts[0]
    score = Score(
        parts=tuple(replace(tune, name=f"A very long name of part {n}") for n in range(12))
    )
    root = parsed(score)
    legend = [t for t in root.iter(f"{SVG}text") if (t.text or "").startswith(("A very", "and 4"))]
    assert len(legend) == 9
    ends = [float(text.get("x")) + text_width(text.text) for text in legend]
    assert max(ends) <= float(root.get("width")) - MARGIN
    assert len({text.get("y") for text in legend}) == 2


def test_markers_stand_above_the_bar_numbers_and_not_on_each_other():
    markers = (Text(0, "Verse one of the song"), Text(240, "hidden"), Text(1920, "Chorus"))
    root = parsed(replace(row_your_boat(), markers=markers))
    assert {"Verse one of the song", "Chorus"} <= set(words_of(root))
    assert "hidden" not in words_of(root)
    at = {text.text: float(text.get("y")) for text in root.iter(f"{SVG}text")}
    assert at["Chorus"] < at["2"] - 10


def test_endless_music_is_refused():
    note = Part(Notes([0], [1], [60]))
    with pytest.raises(LimitError, match="bars"):
        piano_roll_svg(Score(parts=(note,), ticks_per_quarter=1, end_tick=2**31 - 1))


@settings(max_examples=60)
@given(scores(), st.integers(0, 2000))
def test_any_score_can_be_drawn(score, primer_end):
    if not score.num_notes:
        return
    try:
        root = parsed(score, primer_end=primer_end)
    except LimitError:
        assert score.end_tick > 10_000
        return
    width = float(root.get("width"))
    for notes in notes_of(root):
        assert all(x >= 0 and x + w <= width and w > 0 for x, _, w, _ in notes)


def test_meters_with_bars_shorter_than_a_tick_are_drawn():
    note = Part(Notes([0, 3], [2, 1], [60, 61]))
    score = Score(parts=(note,), ticks_per_quarter=1, meters=(Meter(0, 1, 128), Meter(2, 3, 8)))
    assert sum(len(part) for part in notes_of(parsed(score))) >= 2
