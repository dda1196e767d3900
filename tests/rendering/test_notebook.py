import base64
import io
import re
import sys
import wave
from dataclasses import replace

from partimento.music.examples import row_your_boat
from partimento.music.score import Score
from partimento.rendering.notebook import to_html


def player(page):
    data = base64.b64decode(re.search(r"base64,([^\"]+)", page).group(1))
    with wave.open(io.BytesIO(data)) as file:
        return file.getnframes() / file.getframerate()


def test_a_page_has_a_picture_and_a_player():
    page = to_html(row_your_boat())
    assert page.count("<svg ") == 1 and page.count("<audio ") == 1
    assert 8 < player(page) < 12
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")  # nothing is fetched


def test_words_of_a_file_do_nothing_in_a_page():
    page = to_html(replace(row_your_boat(), title="<img src=x onerror=alert(1)>"))
    assert "<img src=x" not in page


def test_long_music_is_played_in_part_and_says_so():
    page = to_html(row_your_boat().repeat(20))
    assert 115 < player(page) <= 120.1
    assert "first two minutes" in page


def test_an_empty_score_is_only_named():
    assert to_html(Score()).startswith("<p>Score(0 parts")


def test_notation_is_shown_as_pictures_of_its_own(monkeypatch):
    page = to_html(row_your_boat())
    pictures = re.findall(r"data:image/svg\+xml;base64,([^\"]+)", page)
    assert len(pictures) == 1
    assert base64.b64decode(pictures[0]).startswith(b"<svg")
    long = to_html(row_your_boat().repeat(60))
    assert long.count("data:image/svg+xml") == 2
    assert "pages: the first 2 are shown" in long


def test_without_the_extra_a_line_says_what_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "verovio", None)
    page = to_html(row_your_boat())
    assert "data:image/svg" not in page
    assert "pip install 'partimento[score]'" in page
    assert page.count("<audio ") == 1
