"""The picture of what a model expected: lanes, colours, words; and `render --model`."""

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from cli.one_verb import refusal, run_verb
from models.tiny_model import save_tiny_model
from models.tiny_vae import save_tiny_vae

from partimento.errors import MusicError
from partimento.music.notation import seq
from partimento.rendering.certainty import Lane, certainty_svg
from partimento.rendering.theme import LIGHT

SCORE = seq("c4:q d4:q e4:h")


def lane(nats, voice="melody"):
    probabilities = np.zeros((16, 3))
    probabilities[:, 0] = 0.9
    notes = SCORE.parts[0].notes
    ticks = np.arange(17) * 120
    return Lane(voice, notes, np.array(nats), ticks, 60, probabilities, np.full(16, 0.1))


def drawn(lanes, **options):
    svg = certainty_svg(SCORE, lanes, model="m", given="given nothing", title="t", **options)
    ElementTree.fromstring(svg)
    return svg


def test_notes_have_the_colour_of_their_surprise_and_say_it():
    svg = drawn([lane([0.0, 8.0, 20.0])])
    assert "c4: 0.00 nats" in svg and "e4: 20.00 nats" in svg
    assert svg.count(f'fill="{LIGHT.surprise.at(1.0)}"') >= 2  # 8 nats and more look alike
    assert "9.33 nats a note on average, 20.0 at most" in svg


def test_each_voice_has_a_lane_and_themes_differ():
    four = [lane([1.0, 1.0, 1.0], voice) for voice in ("soprano", "alto", "tenor", "bass")]
    svg = drawn(four)
    assert all(voice in svg for voice in ("soprano", "alto", "tenor", "bass"))
    assert drawn(four, theme="dark") != svg


def test_a_lane_can_be_cut_to_some_bars():
    cut = lane([1.0, 2.0, 3.0]).cut(480, 960)
    assert cut.notes.onset.tolist() == [0]
    assert cut.note_nats.tolist() == [2.0]
    assert cut.step_ticks.tolist() == [0, 120, 240, 360, 480]


def test_nothing_to_expect_is_refused():
    nothing = lane([1.0, 2.0, 3.0]).cut(5000, 6000)
    with pytest.raises(MusicError, match="no notes"):
        drawn([nothing])


def test_a_model_reads_a_piece_from_the_command_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = save_tiny_model(tmp_path / "tiny")
    asked = ["render", "c4:q d4:q e4:h | f4:w", "--model", model]
    result = run_verb(*asked, "-o", "a.svg", "-o", "a.png", "--theme", "dark")
    assert "wrote a.png: what tiny expected of 4 notes" in result.stdout
    assert (tmp_path / "a.png").stat().st_size > 1000
    result = run_verb(*asked, "-o", "b.svg", "--from-bar", 2)
    assert "expected of 1 note\n" in result.stdout
    assert "drawn as .png or .svg" in refusal(*asked, "-o", "a.wav")
    assert "drawn as .png or .svg" in refusal(*asked)
    assert "the music has bars 1 to 2" in refusal(*asked, "-o", "a.svg", "--from-bar", 9)
    other = save_tiny_vae(tmp_path / "vae")
    words = refusal("render", "c4:q", "--model", other, "-o", "a.svg")
    assert "does not go from note to note" in words
