"""Thresholds of a GAN of phrases: set anew, it rests, strikes and doubles as often as the music."""

import numpy as np
import pytest
import torch

from partimento.networks.phrase_gan import PhraseGANConfig, PhraseGenerator
from partimento.representations.phrases import PhraseRepresentation
from partimento.training import phrase_rates
from partimento.training.phrase_rates import Shares, rates, set_rates, written

FOUR = PhraseRepresentation()
PHRASES = 300


@pytest.fixture(autouse=True)
def few_phrases(monkeypatch):
    monkeypatch.setattr(phrase_rates, "WRITTEN", PHRASES)


def generator(**fields):
    torch.manual_seed(2)
    sizes = {"latent_size": 3, "wide": 8, "narrow": 6, **fields}
    found = PhraseGenerator(PhraseGANConfig(FOUR.lowest, **sizes)).eval()
    with torch.no_grad():  # so that random weights say something
        for module in (*found.rhythm, found.enter, found.own):
            module.weight.mul_(8)
    return found


def music(rests=0.0, doubles=0.0, again=0.0):
    """Phrases whose tracks strike at every beat, rest in some bars and repeat others."""
    draws = np.random.default_rng(0)
    rolls = np.zeros((200, *FOUR.shape), dtype=bool)
    for phrase, track, bar in np.ndindex(200, FOUR.tracks, FOUR.bars):
        steps = slice(16 * bar, 16 * bar + 16)
        if bar and draws.random() < again:
            rolls[phrase, :, track, steps] = rolls[phrase, :, track, 16 * bar - 16 : 16 * bar]
        elif draws.random() >= rests:
            for beat in range(4 * bar, 4 * bar + 4):
                count = 1 + (draws.random() < doubles)
                for pitch in draws.choice(np.arange(10, 30), count, replace=False):
                    rolls[phrase, 0, track, 4 * beat, pitch] = True
                    rolls[phrase, 1, track, 4 * beat : 4 * beat + 4, pitch] = True
    return rolls


def test_beats_are_struck_and_held_as_often_as_in_the_music():
    phrases, model = music(), generator(rests=False, repeats=False)
    set_rates(model, phrases)
    found, asked = (rates(made, 4, 4) for made in (written(model, PHRASES), phrases))
    assert np.abs(found - asked)[0].max() < 0.06
    assert np.nanmax(np.abs(found - asked)[1]) < 0.06


def test_bars_rest_and_repeat_and_notes_are_doubled_as_often_as_in_the_music():
    phrases, model = music(rests=0.3, doubles=0.4, again=0.3), generator()
    before = Shares.of(written(model, PHRASES), 4)
    set_rates(model, phrases)
    found, asked = (Shares.of(made, 4) for made in (written(model, PHRASES), phrases))
    for name, was, now, want in zip(Shares._fields, before, found, asked, strict=True):
        assert np.abs(now - want).max() < 0.12, name
        assert np.abs(now - want).mean() < np.abs(was - want).mean(), name


def test_only_biases_of_binary_neurons_are_touched():
    model = generator()
    before = {name: weights.clone() for name, weights in model.state_dict().items()}
    set_rates(model, music(rests=0.2, doubles=0.2, again=0.2))
    moved = {name for name, w in model.state_dict().items() if not torch.equal(w, before[name])}
    assert {name.split(".")[0] for name in moved} == {"rhythm", "rest", "again"}
    assert all(name.endswith("bias") for name in moved)


def test_the_same_music_sets_the_same_thresholds():
    one, other = generator(), generator()
    phrases = music(rests=0.2)
    set_rates(one, phrases)
    set_rates(other, phrases)
    assert all(map(torch.equal, one.state_dict().values(), other.state_dict().values()))


def test_silent_music_is_no_reason_to_fail():
    model = generator()
    set_rates(model, np.zeros((20, *FOUR.shape), dtype=bool))
    assert not written(model, 20).any()
