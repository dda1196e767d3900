"""What is chosen where nothing is said: by the checkpoint, and by the size of the data."""

import pytest
from evaluation_music import found, tune
from models.tiny_model import save_tiny_model

from partimento.errors import CheckpointError
from partimento.models.finetuning import CONFIG, finetuning_lesson
from partimento.models.lessons import lesson_for, settled
from partimento.models.load import load
from partimento.models.regularisation import FEW_NOTES, dropout_for


def test_the_less_music_the_more_dropout():
    assert dropout_for(FEW_NOTES - 1) > dropout_for(FEW_NOTES)


def test_a_dropout_that_is_given_stands_and_another_is_chosen_when_the_data_are_known():
    data = found(valid=[], train=[tune(8, 0)])
    asked = lesson_for("melody-rnn", "tunes", (), name="x", steps=1)
    assert asked.dropout is None
    assert "dropout" not in asked.facts()
    assert settled(asked, data).dropout == dropout_for(32)
    given = lesson_for("melody-rnn", "tunes", (), name="x", steps=1, dropout=0.0)
    assert settled(given, data).dropout == 0.0


def test_the_published_dropout_of_basic_stands():
    assert lesson_for("melody-rnn", "basic", (), name="x", steps=1).dropout == 0.5


def test_the_shipped_model_is_the_start_where_nothing_is_said():
    lesson = finetuning_lesson("melody-rnn", ("here",), name="mine", minutes=10.0)
    shipped = load("melody-rnn")
    assert lesson.representation == shipped.representation
    assert lesson.facts()["parent"] == {"name": "melody-rnn", "hash": shipped.hash}
    assert (lesson.config, lesson.settings.final_rate) == (CONFIG, 1.0)
    assert lesson.facts()["data"] == ["here"]


def test_a_checkpoint_of_another_family_is_refused(tmp_path):
    folder = save_tiny_model(tmp_path / "other", family="opera-gan")
    with pytest.raises(CheckpointError, match="is of the family opera-gan, and"):
        finetuning_lesson("melody-rnn", (), name="mine", start=folder, minutes=1.0)
