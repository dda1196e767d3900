"""A road as small piano rolls: one each, on one axis, what is new in colour."""

import pytest

from partimento.errors import MusicError
from partimento.music.notation import seq
from partimento.rendering.piano_roll import PALETTE
from partimento.rendering.picture import svg_to_png
from partimento.rendering.road import KEPT, road_svg

STEPS = [seq("c4:q d4:q e4:h"), seq("c4:q d4:q g4:h"), seq("c5:q d4:q g4:h")]


def test_each_step_is_drawn_and_what_is_new_is_in_colour():
    drawn = road_svg(STEPS, ["one", "two", "three <"], title="A & B")
    assert "1. one" in drawn
    assert "3. three &lt;" in drawn
    assert "A &amp; B" in drawn
    assert drawn.count(f'fill="{KEPT}"') == 3 + 2 + 2
    assert drawn.count(f'fill="{PALETTE[0]}"') == 2
    assert svg_to_png(drawn).startswith(b"\x89PNG")


def test_a_road_without_notes_is_refused():
    with pytest.raises(MusicError, match="nothing to see"):
        road_svg([seq("r:w")], ["silence"])
