"""Engraved pages: drawn by Verovio, alike everywhere, one file a page."""

import re
import sys

import pytest

from partimento.errors import EnvironmentFault, LimitError
from partimento.music.examples import EXAMPLES
from partimento.music.notation import parse_text
from partimento.music.notes import Notes
from partimento.music.score import Part, Score
from partimento.rendering import engraving
from partimento.rendering.engraving import check_engraver, engrave, pages_to_pdf
from partimento.rendering.files import check_extension, render
from partimento.rendering.picture import svg_to_png

ROW = EXAMPLES["row-your-boat"]()


@pytest.fixture(autouse=True)
def _installed(request):
    if "missing" not in request.node.name:
        pytest.importorskip("verovio", exc_type=ImportError)


def glyphs(svg):
    """How often each sign of the music font is drawn."""
    names = re.findall(r'xlink:href="#(E[0-9A-F]{3})-', svg)
    return {name: names.count(name) for name in set(names)}


def test_a_tune_is_one_page_of_notes():
    made = engrave(ROW)
    assert len(made.pages) == 1
    assert made.moved == 0
    signs = glyphs(made.pages[0])
    assert signs["E0A4"] + signs.get("E0A3", 0) == ROW.num_notes  # black and white heads
    assert signs["E050"] == 1  # treble clef
    assert signs["E883"] == 4  # the threes of four triplets
    assert svg_to_png(made.pages[0])[:4] == b"\x89PNG"


def test_the_same_score_gives_the_same_page():
    assert engrave(ROW) == engrave(ROW)


def test_words_are_plain_texts_and_escaped():
    page = engrave(parse_text("c4:q", qpm=90, meter="4/4").with_key("d:major")).pages[0]
    assert (
        ">= 90</tspan>" in page.replace("</tspan><tspan", "</tspan><tspan") or "90</tspan>" in page
    )
    titled = Score((Part(Notes([0], [480], [60])),), title='<b> & "x"')
    page = engrave(titled).pages[0]
    assert "&lt;b&gt; &amp; &quot;x&quot;" in page
    assert "<tspan x=" not in page
    assert "E262" not in glyphs(page)  # no sharps in C


def test_an_empty_score_and_one_note_can_be_engraved():
    assert glyphs(engrave(Score()).pages[0])["E4E3"] == 1  # the rest of a whole bar
    assert glyphs(engrave(parse_text("c4:w")).pages[0])["E0A2"] == 1  # a whole note


def test_a_long_score_makes_pages(tmp_path):
    long = Score((Part(Notes(range(0, 480 * 800, 480), [480] * 800, [60, 64, 67, 72] * 200)),))
    made = engrave(long)
    assert len(made.pages) > 1
    words = render(long, tmp_path / "x.svg", as_score=True)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == sorted(f"x-{number}.svg" for number in range(1, len(made.pages) + 1))
    assert f"{len(made.pages)} pages: x-1.svg to x-{len(made.pages)}.svg" in words


def test_a_pdf_holds_all_pages(tmp_path):
    pytest.importorskip("typst", exc_type=ImportError)
    pages = engrave(ROW).pages
    data = pages_to_pdf(pages * 2)
    assert data[:5] == b"%PDF-"
    assert render(ROW, tmp_path / "x.pdf") == "engraved score, 1 page"
    assert [path.name for path in tmp_path.iterdir()] == ["x.pdf"]


def test_musicxml_needs_no_engraver(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "verovio", None)
    assert render(ROW, tmp_path / "x.musicxml") == "notation as MusicXML"
    assert "<score-partwise" in (tmp_path / "x.musicxml").read_text(encoding="utf-8")


def test_a_performance_says_how_many_notes_were_rounded(tmp_path):
    played = Score((Part(Notes([30, 515, 1010, 1465], [400] * 4, [60, 62, 64, 65])),))
    words = render(played, tmp_path / "x.svg", as_score=True)
    assert words == "engraved score, 1 page; 4 notes off the grid shown at the nearest value"


def test_what_is_missing_is_named_with_its_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "verovio", None)
    monkeypatch.setitem(sys.modules, "typst", None)
    for call in (
        check_engraver,
        lambda: engrave(ROW),
        lambda: pages_to_pdf(["<svg/>"]),
        lambda: check_extension(tmp_path / "x.pdf"),
        lambda: check_extension(tmp_path / "x.png", as_score=True),
    ):
        with pytest.raises(EnvironmentFault, match=r"pip install 'partimento\[score\]'"):
            call()
    assert check_extension(tmp_path / "x.png") == ".png"


def test_too_many_notes_are_refused(monkeypatch):
    monkeypatch.setattr(engraving, "MOST_NOTES", 10)
    with pytest.raises(LimitError, match="27 notes are too many"):
        engrave(ROW)


def test_nothing_half_written_is_left(tmp_path):
    (tmp_path / "x.pdf").mkdir()
    pytest.importorskip("typst", exc_type=ImportError)
    with pytest.raises(OSError):
        render(ROW, tmp_path / "x.pdf")
    assert [path.name for path in tmp_path.iterdir()] == ["x.pdf"]
