import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from strategies import scores

from partimento.music.examples import row_your_boat, row_your_boat_canon
from partimento.music.notes import Notes
from partimento.music.provenance import stamp
from partimento.music.score import Part, Score
from partimento.rendering.terminal import COLORS, Coloured, print_roll, roll_text
from partimento.rendering.theme import DARK

SCALE = Score(parts=(Part(Notes([0, 480, 960, 1440], [480] * 4, [60, 62, 64, 65])),))


def test_a_scale_rises_in_letters():
    assert roll_text(SCALE, width=40, is_unicode=False).plain == (
        "     1\n"
        "f4   |           #===\n"
        "     |       #===\n"
        "     |\n"
        "     |   #===\n"
        "     |\n"
        "c4   #===\n"
    )


def test_a_scale_rises_in_half_blocks():
    assert roll_text(SCALE, width=40).plain == (
        "     1\nf4   │       ▄▄▄▄▀▀▀▀\n     │   ▄▄▄▄        \nc4   ▄▄▄▄            \n"
    )


def test_repeated_notes_have_a_gap_between_them():
    tune = Score(parts=(Part(Notes([0, 480], [480, 480], [60, 60])),))
    assert "▀▀▀ ▀▀▀▀" in roll_text(tune, width=40).plain


def test_parts_and_primer_have_colours():
    made = stamp(row_your_boat().repeat(2), {"verb": "continue", "settings": {"bars": 4}})
    styles = {str(span.style) for span in roll_text(made, width=100).spans}
    dim = Coloured(DARK, "part").dim(COLORS[0])
    assert {COLORS[0], dim} <= styles
    styles = {str(span.style) for span in roll_text(row_your_boat_canon(), width=100).spans}
    assert set(COLORS[:3]) <= styles and dim not in styles


def test_bars_are_counted_from_where_the_music_was_cut():
    head = roll_text(row_your_boat(), width=100, first_bar=9).plain.splitlines()[0]
    assert head.split() == ["9", "10", "11", "12"]


def test_a_long_piece_is_not_shown_to_the_end():
    lines = roll_text(row_your_boat().repeat(50), width=80).plain.splitlines()
    assert len(lines) <= 45
    assert lines[-1].endswith("more bars")


def test_drums_have_rows_with_their_names():
    beat = Score(parts=(Part(Notes([0, 480, 960], [60] * 3, [36, 38, 42]), is_drum=True),))
    for is_unicode in (True, False):
        lines = roll_text(beat, width=60, is_unicode=is_unicode).plain.splitlines()
        assert [line[:13].strip() for line in lines[1:]] == ["closed hat", "snare", "bass drum"]


def test_velocity_can_be_shown_in_colours():
    loud = SCALE.with_parts([Part(Notes([0, 480], [480] * 2, [60, 62], [1, 127]))])
    styles = {str(span.style) for span in roll_text(loud, width=60, colour="velocity").spans}
    assert {DARK.velocity.at(1 / 127), DARK.velocity.at(1)} <= styles


def test_nothing_is_said_of_nothing():
    assert roll_text(Score()).plain == "(no notes)\n"


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_a_terminal_gets_only_what_it_can_show(encoding):
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, errors="strict")
    print_roll(row_your_boat(), Console(file=file, width=80))
    file.flush()
    text = raw.getvalue().decode(encoding)
    assert ("▀" in text) == (encoding == "utf-8")
    assert ("#" in text) == (encoding != "utf-8")
    assert "\x1b" not in text  # no colour codes in a file


@settings(max_examples=60)
@given(scores(), st.integers(1, 150), st.booleans())
def test_any_score_fits_its_terminal(score, width, is_unicode):
    lines = roll_text(score, width=width, is_unicode=is_unicode).plain.splitlines()
    assert max(len(line) for line in lines) <= max(width, 32)
    if not is_unicode:
        assert all(line.isascii() for line in lines)
