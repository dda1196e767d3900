import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import melodies

from partimento.errors import MusicError
from partimento.music.examples import row_your_boat
from partimento.music.score import Part, Score
from partimento.rendering.learning import BEST, HELD_OUT, TRAINING, Roll, learning_svg
from partimento.rendering.picture import svg_to_png

SVG = "{http://www.w3.org/2000/svg}"
TUNE = row_your_boat()
STEPS = (0, 1, 2, 4, 8, 16, 20)


def rolls_of(steps=STEPS, best=20):
    return [Roll(s, f"step {s}", TUNE, TUNE.end_tick // 2, s == best) for s in steps]


def drawn(held_out=((0, 3.8), (10, 1.5), (20, 1.0)), training=((1, 3.7), (20, 0.9)), **given):
    asked = {
        "baselines": [("by chance", 3.83), ("by counts", 1.8), ("by a 5-gram", 1.78)],
        "rolls": rolls_of(),
    } | given
    return ET.fromstring(learning_svg("mine <learns>", held_out, training, **asked))


def words_of(root):
    return [text.text for text in root.iter(f"{SVG}text")]


def test_it_says_what_is_in_it():
    words = words_of(drawn())
    for said in ("mine <learns>", "by chance: 3.83", "by a 5-gram: 1.78", "best", "random weights"):
        assert said in words
    assert [word for word in words if word.startswith("step ")] == [f"step {s}" for s in STEPS]


def test_every_sample_has_its_notes_and_a_dot_on_the_held_out_line():
    root = drawn()
    groups = root.findall(f"{SVG}g")
    assert [len(group) for group in groups] == [TUNE.num_notes] * len(STEPS)
    assert [group.get("fill") for group in groups] == [HELD_OUT] * 6 + [BEST]
    pale = [note for note in groups[0] if note.get("fill-opacity") == "0.35"]
    assert len(pale) == sum(TUNE.parts[0].notes.onset < TUNE.end_tick // 2)
    dots = [float(dot.get("cx")) for dot in root.iter(f"{SVG}circle")]
    assert len(dots) == len(STEPS)
    assert dots == sorted(dots)
    # Each doubling is as wide as the one before; step 0 stands one doubling left of step 1.
    widths = np.diff(dots[:6])
    assert widths == pytest.approx(np.full(5, widths[0]), abs=0.11)


def test_labels_of_baselines_that_are_close_do_not_lie_on_each_other():
    root = drawn()
    places = [float(t.get("y")) for t in root.iter(f"{SVG}text") if t.text.startswith("by ")]
    assert min(abs(a - b) for a in places for b in places if a is not b) >= 12


def test_a_run_that_has_only_begun_is_drawn_too():
    root = drawn(held_out=[], training=[], baselines=[], rolls=rolls_of((0,), None))
    assert len(root.findall(f"{SVG}g")) == 1
    assert not [path for path in root.iter(f"{SVG}path") if path.get("stroke") == TRAINING]
    assert svg_to_png(ET.tostring(drawn(rolls=rolls_of((0,))), "unicode").replace("ns0:", ""))


def test_samples_without_a_note_are_refused():
    with pytest.raises(MusicError, match="no notes"):
        drawn(rolls=[Roll(0, "step 0", Score((Part(),)), 0)])


values = st.floats(0.01, 30, allow_nan=False)


@settings(max_examples=25)
@given(
    st.dictionaries(st.integers(0, 10**6), values, min_size=1, max_size=9),
    st.lists(values, max_size=3),
    melodies(),
)
def test_nothing_leaves_the_page(points, baselines, notes):
    curve = sorted(points.items())
    score = Score((Part(notes), TUNE.parts[0]))
    root = drawn(
        held_out=curve,
        training=curve,
        baselines=[("by chance", value) for value in baselines],
        rolls=[Roll(step, "a", score, 0, False) for step, _ in curve],
    )
    width, height = float(root.get("width")), float(root.get("height"))
    for shape in root.iter():
        for name, limit in (("x", width), ("cx", width), ("y", height), ("cy", height)):
            if shape.get(name) is not None:
                assert 0 <= float(shape.get(name)) <= limit
