"""What a model expected: probabilities that sum to 1, surprises that are those of likelihood."""

import numpy as np
import pytest
from models.tiny_cnn import save_tiny_cnn
from models.tiny_model import save_tiny_model

from partimento import load
from partimento.generation.expectations import sounding
from partimento.music.notation import seq

TUNE = "c4:q d4:q r:q e4:e e4:e | f4:h g4:h"
CHORALE = "[c3 e4 g4 c5]:q [b2 d4 g4 d5]:q [c3 e4 g4 c5]:h"


@pytest.fixture(scope="module")
def melody_model(tmp_path_factory):
    return load(save_tiny_model(tmp_path_factory.mktemp("models") / "tiny"))


def check(found):
    for voice in found.voices:
        total = voice.probabilities.sum(axis=1) + voice.silence
        assert total == pytest.approx(np.ones(len(total)))
        assert len(voice.step_ticks) == len(total) + 1
        assert len(voice.notes) == len(voice.note_nats)


def test_a_melody_is_as_surprising_as_its_likelihood_says(melody_model):
    tune = seq(TUNE)
    found = melody_model.expectations(tune)
    check(found)
    assert found.voices[0].note_nats == pytest.approx(melody_model.likelihood(tune).note_nats)
    assert found.voices[0].notes.pitch.tolist() == tune.parts[0].notes.pitch.tolist()
    assert "1 voice, 32 steps" in repr(found)


def test_a_held_note_sounds_by_being_held_or_struck_again():
    said = np.array([[0, 0, 0.5, 0.5], [0.75, 0.125, 0.125, 0]])
    pitches, silence = sounding(said, np.array([3, 0]), first_pitch=2, rest=1, hold=0)
    assert pitches.tolist() == [[0.5, 0.5], [0.125, 0.75]]
    assert silence.tolist() == [0, 0.125]
    pitches, silence = sounding(said, np.array([1, 0]), first_pitch=2, rest=1, hold=0)
    assert silence.tolist() == [0, 0.875]


def test_four_voices_are_said_voice_by_voice(tmp_path):
    model = load(save_tiny_cnn(tmp_path / "tiny"))
    parts = ["c5:h d5:q e5:q", "g4:h g4:h", "e4:h d4:h", "c3:h b2:h"]
    score = seq(parts[0]).stack(*(seq(part) for part in parts[1:]))
    found = model.expectations(score)
    check(found)
    assert [voice.voice for voice in found.voices] == ["soprano", "alto", "tenor", "bass"]
    nats = [voice.note_nats.sum() for voice in found.voices]
    assert sum(nats) == pytest.approx(model.likelihood(score).nats)
