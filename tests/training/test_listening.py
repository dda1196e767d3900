"""A run is listened to, and nothing of it changes for that."""

import os
import signal

import numpy as np
import pytest
import torch
from training.music import REPRESENTATION, small_pieces

from partimento.errors import FormatError, GenerationError
from partimento.generation.engine import StepEngine
from partimento.models.listening import BARS, player
from partimento.music.notation import seq
from partimento.networks.melody_rnn import MelodyRNN, MelodyRNNConfig
from partimento.representations.melody import FIRST_PITCH
from partimento.training import run_folder
from partimento.training.batches import MelodyBatches, whole_pieces
from partimento.training.export import step_graph
from partimento.training.listening import Listener, NetworkEngine
from partimento.training.loop import TrainingSettings, held_out_loss, train
from partimento.training.run_folder import RunFolder
from partimento.training.samples import is_sample_step, read_log, read_sample, read_samples

PRIMER = seq("c4:e d4:e e4:e f4:e g4:q", meter="2/4")
PLAY = player(REPRESENTATION, PRIMER, seed=3, name="small")
HELD_OUT = small_pieces(6, seed=1)
SETTINGS = TrainingSettings(steps=20, evaluate_every=10, warmup_steps=5, batch_size=8)


def fresh():
    torch.manual_seed(0)
    return MelodyRNN(MelodyRNNConfig(REPRESENTATION.vocab_size, REPRESENTATION.feature_sizes, 24))


def look(network):
    return held_out_loss(network, whole_pieces(HELD_OUT, REPRESENTATION, 4), FIRST_PITCH)


def go(folder, *, play=PLAY, report=lambda progress: None, tell=print):
    """Train a small network, listened to unless `play` is None; its weights."""
    network, run = fresh(), RunFolder(folder)
    batches = MelodyBatches(small_pieces(20), REPRESENTATION, 8, 64, 0)
    with run.locked():
        hooks = [Listener(folder, play, look, 10, tell)] if play else []
        train(network, batches, look, SETTINGS, run, report, None, lambda words: None, *hooks)
    return torch.cat([tensor.flatten() for tensor in network.state_dict().values()])


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Folder of an uninterrupted run, and its weights."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, go(folder)


def files_of(folder):
    return {file.name: file.read_bytes() for file in (folder / "samples").iterdir()}


def played(folder):
    """Notes of every sample; a run that was stopped knows less of the losses before."""
    names = {file.name for file in (folder / "samples").iterdir()}
    assert all(name.endswith(".mid") for name in names)  # nothing half written among them
    samples, problems = read_samples(folder)
    assert problems == []
    return [(sample.step, sample.held_out, sample.score.parts) for sample in samples]


def test_it_plays_before_the_first_step_and_at_every_doubling(whole):
    samples, problems = read_samples(whole[0])
    assert [sample.step for sample in samples] == [0, 1, 2, 4, 8, 16]
    assert problems == []
    assert [step for step in range(70) if is_sample_step(step)] == [0, 1, 2, 4, 8, 16, 32, 64]
    for sample in samples:
        heard = sample.score.slice(0, PRIMER.end_tick, unit="ticks")
        assert heard.parts[0].notes == PRIMER.parts[0].notes
        assert sample.score.num_notes > PRIMER.num_notes
        assert sample.score.duration_qn == 2 * (2 + BARS)
    assert samples[0].loss is None
    assert samples[4].loss < samples[1].loss
    # The loop looks at steps 0, 10 and 20; the listener before step 10, at its own.
    assert [sample.held_out is None for sample in samples] == [False] * 5 + [True]
    log = read_log(whole[0] / "log.jsonl")
    assert samples[0].held_out == pytest.approx(log[0]["held_out_nats_per_step"])


def test_the_weights_are_those_of_a_run_nobody_listened_to(whole, tmp_path):
    assert torch.equal(whole[1], go(tmp_path, play=None))


def test_what_it_plays_is_a_function_of_the_weights(whole, tmp_path):
    go(tmp_path)
    assert files_of(whole[0]) == files_of(tmp_path)


@pytest.mark.parametrize("moment", [1, 7, 8, 9])
def test_a_stopped_run_keeps_its_samples_and_makes_only_what_is_missing(whole, tmp_path, moment):
    def stop(progress):
        if progress.step == moment:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(Exception, match="--resume goes on"):
        go(tmp_path, report=stop)
    before = {file.name: file.stat().st_mtime_ns for file in (tmp_path / "samples").iterdir()}
    assert torch.equal(whole[1], go(tmp_path))
    assert played(whole[0]) == played(tmp_path)
    for name, made in before.items():
        assert (tmp_path / "samples" / name).stat().st_mtime_ns == made


def test_a_signal_does_not_wait_for_the_end_of_a_sample(whole, tmp_path):
    steps = []

    def interrupted(engine):
        steps.append(1)
        if len(steps) == 4:
            signal.raise_signal(signal.SIGTERM)
        return PLAY(engine)

    with pytest.raises(Exception, match="--resume goes on") as stopped:
        go(tmp_path, play=interrupted)
    assert stopped.value.exit_code == 143
    assert torch.equal(whole[1], go(tmp_path))
    assert played(whole[0]) == played(tmp_path)


class Killed(BaseException):
    """Nothing of ours catches it: as after kill -9."""


@pytest.mark.parametrize("moment", range(4))
def test_a_run_killed_while_it_keeps_a_sample_makes_it_again(whole, tmp_path, monkeypatch, moment):
    actions = []

    def deadly(action):
        def act(*arguments):
            actions.append(action)
            if len(actions) > moment:
                raise Killed
            return action(*arguments)

        return act

    with monkeypatch.context() as patched:
        patched.setattr(run_folder.os, "fsync", deadly(os.fsync))
        patched.setattr(run_folder.Path, "replace", deadly(run_folder.Path.replace))
        with pytest.raises(Killed):
            go(tmp_path)
    assert torch.equal(whole[1], go(tmp_path))
    assert played(whole[0]) == played(tmp_path)


@pytest.mark.parametrize("error", [GenerationError("silence"), OSError(28, "disk full"), KeyError])
def test_a_network_that_cannot_play_still_learns(whole, tmp_path, error):
    def broken(engine):
        raise error

    told = []
    assert torch.equal(whole[1], go(tmp_path, play=broken, tell=told.append))
    assert len(told) == 1
    assert told[0].startswith("no sample at step 0, training goes on")
    assert read_samples(tmp_path) == ([], [])


def test_the_best_weights_play_once(tmp_path):
    plays = []

    def counted(engine):
        plays.append(1)
        return PLAY(engine)

    listener, network = Listener(tmp_path, counted, look, 10), fresh()
    listener.best(network, 12, 0.5)
    listener.best(network, 12, 0.5)
    assert len(plays) == 1
    (sample,), _ = read_samples(tmp_path)
    assert (sample.step, sample.is_best, sample.held_out) == (12, True, 0.5)
    listener.best(network, 16, 0.4)  # the run went on
    assert read_sample(tmp_path / "samples" / "best.mid").step == 16
    (tmp_path / "samples" / "best.mid").write_bytes(b"half")
    listener.best(network, 16, 0.4)
    assert len(plays) == 3


def test_a_network_in_training_plays_what_its_graph_plays():
    network = fresh()
    assert PLAY(NetworkEngine(network.train())) == PLAY(StepEngine(step_graph(network)))


def test_files_that_are_damaged_or_no_samples_are_passed_over(whole, tmp_path):
    folder = tmp_path / "samples"
    folder.mkdir()
    for name, content in files_of(whole[0]).items():
        (folder / name).write_bytes(content)
    (folder / "step-00000002.mid").write_bytes(b"words")
    PRIMER.save(folder / "step-00000004.mid")
    samples, problems = read_samples(tmp_path)
    assert [sample.step for sample in samples] == [0, 1, 8, 16]
    assert len(problems) == 2
    with pytest.raises(FormatError, match="does not say at which step"):
        read_sample(folder / "step-00000004.mid")


def test_a_log_of_odd_lines_gives_the_whole_ones(tmp_path):
    file = tmp_path / "log.jsonl"
    assert read_log(file) == []
    file.write_text('{"step": 1}\n[1]\n7\n{"loss": 1}\n{"step": 0}\n{"step": 1, "loss": 2}\n{"st')
    assert read_log(file) == [{"step": 0}, {"step": 1, "loss": 2}]


def test_samples_of_a_run_that_never_got_going_do_not_stay(tmp_path):
    run = RunFolder(tmp_path)
    with run.locked():
        run.begin({"seed": 1}, resume=False)
        Listener(tmp_path, PLAY, look, 10)(0, np.nan, fresh())
        assert len(read_samples(tmp_path)[0]) == 1
        run.begin({"seed": 2}, resume=False)
    assert read_samples(tmp_path) == ([], [])
