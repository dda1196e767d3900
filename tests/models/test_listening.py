import json
import sys
import types

import numpy as np
import pytest
from generation.tiny_graph import random_weights, step_graph

from partimento.data import Piece
from partimento.errors import EnvironmentFault, TrainingError
from partimento.formats import write
from partimento.generation.engine import StepEngine
from partimento.models.listening import (
    BARS,
    USUAL,
    Learning,
    player,
    primer_end_of,
    primer_kept,
    primer_of,
)
from partimento.music.notation import seq
from partimento.music.notes import Notes
from partimento.music.provenance import read_stamps, stamp
from partimento.music.score import Meter, Part, Score
from partimento.representations.melody import MelodyRepresentation
from partimento.training.samples import FACTS, FOLDER

REPRESENTATION = MelodyRepresentation(with_position=True)


def engine(representation=REPRESENTATION):
    weights = random_weights(representation.feature_sizes, representation.vocab_size)
    return StepEngine(step_graph(weights))


def piece(text, meter="4/4", split="valid"):
    return Piece("a", "b", split, seq(text, meter=meter))


TUNE = "c4:q d4:q e4:q f4:q g4:q f4:q e4:q d4:q c4:h c4:h"


def test_the_primer_is_the_opening_of_a_held_out_melody_in_the_commonest_meter():
    pieces = [
        piece(TUNE, split="train"),
        piece("c4:q d4:q e4:q f4:q g4:q e4:q", meter="3/4"),
        piece("r:q d4:q e4:q f4:q g4:q f4:q e4:q d4:q"),  # begins with a rest
        piece("c4:w c4:w"),  # too few notes
        piece("c4:q c4:q c4:q c4:q c4:q c4:q c4:q d4:q"),  # too few pitches
        piece(TUNE),
    ]
    assert primer_of(pieces) == pieces[-1].score.slice(0, 2)
    assert primer_of(pieces).duration_qn == 8


@pytest.mark.parametrize("pieces", [[], [piece("c4:w")], [piece(TUNE, split="train")]])
def test_where_no_held_out_melody_will_do_there_is_a_usual_primer(pieces):
    assert primer_of(pieces) == seq(USUAL)


def test_it_goes_on_from_the_primer_and_says_where_that_ends():
    primer = seq(TUNE).slice(0, 2)
    play = player(REPRESENTATION, primer, seed=5, name="mine")
    made = play(engine())
    assert made == play(engine())
    assert made.duration_qn == 4 * (2 + BARS)
    assert primer_end_of(made) == primer.end_tick
    (facts,) = read_stamps(made)
    assert (facts["model"], facts["seed"], facts["verb"]) == ("mine", 5, "continue")


@pytest.mark.parametrize(
    ("primer", "representation"),
    [
        (seq("c3:q c5:q c4:h c4:w"), MelodyRepresentation(lowest=60, highest=65)),
        (seq(TUNE), MelodyRepresentation(steps_per_quarter=1, lowest=60, highest=61)),
        (seq("c4:q d4:q e4:e", meter="5/8"), MelodyRepresentation(steps_per_quarter=1)),
    ],
)
def test_a_vocabulary_without_room_for_the_primer_begins_from_nothing(primer, representation):
    made = player(representation, primer, seed=0, name="mine")(engine(representation))
    assert made.duration_qn == 4 * BARS
    assert primer_end_of(made) == 0
    assert made.num_notes


# What a run has kept.


def run_of(folder, steps=(0, 1, 2), best=3, figures=None, log=()):
    """A run folder with samples, as training leaves it."""
    (folder / FOLDER).mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({"name": "mine"}))
    (folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in log))
    play = player(REPRESENTATION, seq(TUNE).slice(0, 2), seed=5, name="mine")
    for step in steps:
        facts = {"step": step, "loss": 3.0 - step, "held_out": 3.5 - step}
        write(stamp(play(engine()), {FACTS: facts}), folder / FOLDER / f"step-{step:08d}.mid")
    if best is not None:
        score = stamp(play(engine()), {FACTS: {"step": best, "held_out": 0.25}})
        write(score, folder / FOLDER / "best.mid")
    if figures is not None:
        (folder / "checkpoint").mkdir()
        (folder / "checkpoint" / "config.json").write_text(json.dumps({"figures": figures}))
    return folder


def test_all_samples_stand_in_a_row_with_a_bar_of_rest_between(tmp_path):
    learning = Learning.of(run_of(tmp_path))
    score = learning.score()
    bars = 2 + BARS
    assert score.duration_qn == 4 * (4 * bars + 3)
    assert [m.tick for m in score.markers] == [480 * 4 * n * (bars + 1) for n in range(4)]
    assert [m.text for m in score.markers] == [
        "step 0: held out 3.500 nats a step",
        "step 1: held out 2.500 nats a step",
        "step 2: held out 1.500 nats a step",
        "best weights, step 3: held out 0.250 nats a step",
    ]
    assert learning.starts_seconds() == [n * 2.0 * (bars + 1) for n in range(4)]
    for number, sample in enumerate(learning.samples):
        first = number * (bars + 1)
        assert score.slice(first, first + bars).parts[0].notes == sample.score.parts[0].notes
        if number < 3:
            assert not score.slice(first + bars, first + bars + 1).num_notes
    assert read_stamps(score) == [{"verb": "listen", "model": "mine", "steps": [0, 1, 2, 3]}]


def test_the_log_has_the_last_word_on_losses_and_the_nearest_look_speaks_for_a_sample(tmp_path):
    log = [
        {"step": 0, "loss": None, "held_out_nats_per_step": 3.9},
        {"step": 3, "loss": 1.5, "held_out_nats_per_step": 1.25},
    ]
    run = run_of(tmp_path, steps=(0, 1), best=None, log=log)
    score = stamp(seq(TUNE), {FACTS: {"step": 4, "loss": 0.5}})
    write(score, run / FOLDER / "step-00000004.mid")
    learning = Learning.of(run)
    assert not learning.is_finished
    assert learning.held_out == [(0, 3.9), (1, 2.5), (3, 1.25)]
    assert learning.training == [(0, 3.0), (1, 2.0), (3, 1.5), (4, 0.5)]
    assert learning.caption(learning.samples[-1]) == (
        "step 4: held out 1.250 nats a step (at step 3)"
    )


def test_the_best_weights_are_heard_once_where_they_are_the_last(tmp_path):
    learning = Learning.of(run_of(tmp_path, best=2))
    assert [(s.step, s.is_best) for s in learning.samples] == [(0, False), (1, False), (2, True)]


def test_only_a_finished_run_knows_its_baselines(tmp_path):
    figures = {"uniform_nats_per_step": 3.8, "five_gram_nats_per_step": 1.0, "best_step": 2}
    learning = Learning.of(run_of(tmp_path, figures=figures))
    assert learning.is_finished
    assert learning.baselines == {"by chance": 3.8, "by a 5-gram": 1.0}


def test_a_run_that_goes_on_keeps_the_primer_it_began_with(tmp_path):
    run = run_of(tmp_path / "run")
    assert primer_kept(run) == seq(TUNE).slice(0, 2)
    assert primer_kept(tmp_path / "none") is None
    from_nothing = tmp_path / "from nothing" / FOLDER
    from_nothing.mkdir(parents=True)
    notes = Notes(np.array([0]), np.array([480]), np.array([60]))
    score = stamp(Score((Part(notes),), meters=(Meter(0, 4, 4),)), {FACTS: {"step": 0}})
    write(score, from_nothing / "step-00000000.mid")
    assert primer_kept(from_nothing.parent) is None


def test_what_is_no_run_is_refused(tmp_path):
    run = run_of(tmp_path / "run", figures={})
    (tmp_path / "bare").mkdir()
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "run.json").write_text("[1]")
    for folder, words in (
        (tmp_path / "nowhere", "is no folder: give the --out"),
        (tmp_path / "bare", "is not the folder of a run"),
        (tmp_path / "odd", "is not the folder of a run"),
        (run / "checkpoint", f"maybe {run}"),
    ):
        with pytest.raises(TrainingError, match=words):
            Learning.of(folder)
    for file in (run / FOLDER).iterdir():
        file.write_bytes(b"words")
    with pytest.raises(TrainingError, match=r"no sample to hear: .*step-00000000\.mid"):
        Learning.of(run)
    for file in (run / FOLDER).iterdir():
        file.unlink()
    with pytest.raises(TrainingError, match="no sample to hear yet"):
        Learning.of(run)


def test_a_notebook_shows_a_run_and_watches_it_until_it_is_finished(tmp_path, monkeypatch):
    shown = []

    class Display:
        """What IPython gives back."""

        def update(self, page):
            shown.append(page)
            (tmp_path / "checkpoint").mkdir(exist_ok=True)
            (tmp_path / "checkpoint" / "config.json").write_text("{}")

    def display(page, display_id):
        shown.append(page)
        return Display()

    fake = types.ModuleType("IPython.display")
    fake.HTML, fake.display = str, display
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", fake)
    run_of(tmp_path)
    learning = Learning.watch(tmp_path, every=0.01)
    assert learning.is_finished and len(shown) == 3
    assert "<svg" in shown[0] and "held-out pieces" in shown[0]
    monkeypatch.setitem(sys.modules, "IPython", None)
    monkeypatch.setitem(sys.modules, "IPython.display", None)
    with pytest.raises(EnvironmentFault, match="partimento listen"):
        Learning.watch(tmp_path)
