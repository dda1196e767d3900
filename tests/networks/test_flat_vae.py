"""The flat VAE: what it reads, and that one step is what the whole is."""

import pytest
import torch

from partimento.errors import ParameterError
from partimento.networks.flat_vae import FlatVAE, FlatVAEConfig

VOCAB, SIZES = 90, {"latent_size": 6, "encoder_size": 8, "decoder_size": 5}


def network(vocab=VOCAB, **fields):
    torch.manual_seed(3)
    made = FlatVAE(FlatVAEConfig(vocab, **{**SIZES, **fields})).eval()
    with torch.no_grad():  # so that random weights say something
        for weights in made.parameters():
            weights.mul_(3)
    return made


def tables(steps=16, count=3):
    made = torch.full((count, 2, 24), VOCAB)
    made[:, :, :steps] = torch.randint(0, VOCAB, (count, 2, steps))
    return made


@pytest.mark.parametrize(("vocab", "bits", "weights"), [(VOCAB, 0, 4_429_914), (512, 9, 4_638_720)])
def test_the_usual_sizes_are_those_of_the_field(vocab, bits, weights):
    made = FlatVAE(FlatVAEConfig(vocab, bits=bits))
    assert sum(tensor.numel() for tensor in made.parameters()) == weights


def test_writing_step_by_step_is_writing_at_once():
    made, given = network(), tables()
    with torch.inference_mode():
        z = torch.randn(3, 6)
        whole = made.decode(z, given).view(3, 2, 24, VOCAB)
        plan, states = made.planner(z)
        token, state = torch.full((3,), made.config.nothing), states[:, 0]
        for bar in range(2):
            for place in range(16):
                logits, state = made.writer.step(token, plan[:, bar, place], state)
                torch.testing.assert_close(logits, whole[:, bar, place], atol=1e-5, rtol=1e-5)
                token = given[:, bar, place]


def test_what_was_written_before_a_bar_line_is_remembered_and_what_comes_later_is_unknown():
    made, given = network(), tables()
    other = given.clone()
    other[:, 0, 9] = (given[:, 0, 9] + 1) % VOCAB
    with torch.inference_mode():
        z = torch.randn(3, 6)
        one, two = (made.decode(z, t).view(3, 2, 24, VOCAB) for t in (given, other))
    torch.testing.assert_close(one[:, 0, :10], two[:, 0, :10])
    assert ((one[:, 0, 10:16] - two[:, 0, 10:16]).abs().amax(dim=(1, 2)) > 1e-6).all()
    assert ((one[:, 1, 0] - two[:, 1, 0]).abs().amax(dim=1) > 1e-9).all()


@pytest.mark.parametrize("steps", [16, 12, 24])
def test_the_encoder_reads_the_real_steps_from_both_sides(steps):
    made, given = network(), tables(steps)
    encoder = made.encoder
    both = torch.nn.LSTM(VOCAB, 8, batch_first=True, bidirectional=True)
    with torch.inference_mode():
        for name, weights in encoder.ahead.named_parameters():
            both.get_parameter(name).copy_(weights)
        for name, weights in encoder.back.named_parameters():
            both.get_parameter(f"{name}_reverse").copy_(weights)
        row = torch.nn.functional.one_hot(given[:, :, :steps].flatten(1), VOCAB).float()
        ends = both(row)[1][0].transpose(0, 1).flatten(1)
        mu, log_variance = encoder(given)
        sigma = torch.nn.functional.softplus(encoder.sigma(ends))
        torch.testing.assert_close(mu, encoder.mu(ends), atol=1e-5, rtol=1e-5)
        torch.testing.assert_close((log_variance / 2).exp(), sigma, atol=1e-5, rtol=1e-4)


def test_a_window_is_read_and_written_alike_beside_others_of_other_meters():
    made = network()
    waltz, march = tables(12), tables(16)
    together = torch.cat([waltz, march])
    with torch.inference_mode():
        alone, among = made.encoder(waltz), made.encoder(together)
        for one, two in zip(alone, among, strict=True):
            torch.testing.assert_close(one, two[:3], atol=1e-6, rtol=1e-6)
        silent = made.encoder(torch.full((1, 2, 24), VOCAB))
        assert all(torch.isfinite(part).all() for part in silent)


def test_the_encoder_of_drums_reads_a_column_a_drum():
    made = network(512, bits=9)
    assert made.encoder.symbols[0b101].tolist() == [1, 0, 1, 0, 0, 0, 0, 0, 0]
    assert made.encoder.ahead.input_size == 9
    assert made.writer.lstm.input_size == 512 + 6


@pytest.mark.parametrize("fields", [{"own_tokens": 0.5}, {"dropout": 0.5}])
def test_its_own_tokens_and_dropped_ones_are_read_in_training_alone(fields):
    made, given = network(**fields), tables()
    torch.manual_seed(1)
    one = made.train()(given)[0]
    torch.manual_seed(1)
    two = made.eval()(given)[0]
    assert one.shape == two.shape == (3, 48, VOCAB)
    assert not torch.allclose(one, two)
    one.square().sum().backward()
    assert all(torch.isfinite(weights.grad).all() for weights in made.writer.parameters())


def test_sizes_follow_each_other_and_those_that_make_no_sense_are_refused():
    config = FlatVAEConfig(VOCAB, **SIZES)
    assert (config.step_size, config.writer_size, config.design) == (6, 20, "flat")
    for fields in ({"encoder_size": 0}, {"decoder_size": 0}, {"free_nats": -1.0}, {"bits": 3}):
        with pytest.raises(ParameterError):
            FlatVAEConfig(VOCAB, **fields)
