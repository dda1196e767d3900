"""Generator and critic of phrases: what is given stays, noise of a kind moves its own."""

import pytest
import torch
from models.tiny_gan import tiny_config

from partimento.errors import ParameterError
from partimento.networks.phrase_gan import (
    WIDEST,
    PhraseCritic,
    PhraseGANConfig,
    PhraseGenerator,
    held,
)


def networks(**fields):
    torch.manual_seed(1)
    config = tiny_config(**fields)
    return PhraseGenerator(config), PhraseCritic(config)


def nothing(config, count):
    shape = count, 2, config.tracks, config.steps, config.pitches
    return torch.zeros(shape), torch.zeros(count, config.tracks)


@pytest.mark.parametrize("neurons", ["deterministic", "stochastic"])
@pytest.mark.parametrize("repeats", [False, True])
def test_phrases_are_binary_and_what_is_struck_sounds(neurons, repeats):
    generator, critic = networks(neurons=neurons, repeats=repeats)
    rolls = generator(torch.randn(3, generator.config.noise_size), *nothing(generator.config, 3))
    assert ((rolls - rolls.round()).abs() < 1e-5).all()
    assert (rolls[:, 0] <= rolls[:, 1] + 1e-5).all()
    assert critic(rolls).shape == (3,)


def test_gradients_reach_every_weight_of_the_generator():
    generator, critic = networks(repeats=True)
    rolls = generator(torch.randn(8, generator.config.noise_size), *nothing(generator.config, 8))
    critic(rolls).mean().backward()
    without = {name for name, w in generator.named_parameters() if w.grad is None}
    assert not without


def test_what_is_given_comes_out_and_changes_the_others():
    generator, _ = networks()
    generator.eval()
    config = generator.config
    given, is_given = nothing(config, 1)
    given[:, :, 1, :, 20] = 1
    is_given[:, 1] = 1
    z = torch.randn(1, config.noise_size)
    with torch.inference_mode():
        rolls = generator(z, given, is_given)
        plain, _ = generator.decide(z, *nothing(config, 1))
        heard, _ = generator.decide(z, given, is_given)
    assert (rolls[:, :, 1] == given[:, :, 1]).all()
    assert plain.shape == heard.shape


def test_noise_of_a_track_moves_that_track_alone():
    generator, _ = networks()
    generator.eval()
    config = generator.config
    size = config.latent_size
    z = torch.randn(1, config.noise_size)
    other = z.clone()
    start = size * (1 + config.bars)
    other[:, start + size : start + 2 * size] += 3  # of the second track
    with torch.inference_mode():
        shared, own = generator.kinds(z)
        moved_shared, moved_own = generator.kinds(other)
    assert (shared == moved_shared).all()
    away = (own != moved_own).view(config.tracks, -1).any(dim=1)
    assert away.tolist() == [False, True, False, False]


def test_notes_hold_until_they_are_let_go_or_struck_again():
    rhythm = torch.zeros(1, 1, 3, 6)
    rhythm[0, 0, 0, [0, 4]] = 1  # strikes
    rhythm[0, 0, 1, [1, 2, 5]] = 1  # holds on
    pitch = torch.zeros(1, 1, 2, 6, 5)
    pitch[..., 2] = 1
    onset, sustain = held(rhythm, pitch)[0, :, 0, :, 2]
    assert onset.tolist() == [1, 0, 0, 0, 1, 0]
    assert sustain.tolist() == [1, 1, 1, 0, 1, 1]


def test_the_critic_hears_intervals_and_not_keys():
    _, critic = networks(wide=16)
    config = critic.config
    rolls, _ = nothing(config, 2)
    for row, move in enumerate((0, 1)):
        for track, pitch in enumerate((60, 64, 55, 48)):
            rolls[row, :, track, :, pitch + move - config.lowest[track]] = 1
    _, _, harmony, _, *_ = critic.streams(rolls)
    assert (harmony[0] == harmony[1]).all()
    assert harmony[0].sum() == 6 * config.steps


def test_the_critic_tells_an_octave_from_the_same_note_again():
    _, critic = networks(wide=16)
    config = critic.config
    rolls, _ = nothing(config, 2)
    for row, move in enumerate((0, 12)):
        for step, pitch in enumerate((20, 20 + move)):
            rolls[row, :, 0, step, pitch] = 1
    *_, moves, _, _ = critic.streams(rolls)
    found = moves.unflatten(1, (config.tracks, -1))[:, 0, :, 1]
    assert found.argmax(dim=-1).tolist() == [WIDEST, 2 * WIDEST]
    assert moves.sum() == 2


def test_a_bar_that_rests_is_silent():
    generator, _ = networks(rests=True)
    generator.eval()
    config = generator.config
    with torch.no_grad():
        for module in generator.rest:
            module.bias.fill_(99)
        rolls = generator(torch.randn(2, config.noise_size), *nothing(config, 2))
    assert not rolls.any()


@pytest.mark.parametrize("fields", [{"neurons": "many"}, {"wide": 0}])
def test_senseless_sizes_are_refused(fields):
    with pytest.raises(ParameterError):
        PhraseGANConfig((50,), **fields)
