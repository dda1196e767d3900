"""A small training run in a process that may be one of several: started by `test_distributed`."""

import sys
from pathlib import Path

import torch
from training.music import REPRESENTATION, small_pieces

from partimento.errors import PartimentoError
from partimento.networks.melody_rnn import MelodyRNN, MelodyRNNConfig
from partimento.representations.melody import FIRST_PITCH
from partimento.training.batches import MelodyBatches, whole_pieces
from partimento.training.distributed import joined
from partimento.training.loop import TrainingSettings, held_out_loss, train
from partimento.training.run_folder import RunFolder, RunFolderElsewhere


def learn(out, asked):
    """Train without dropout; a process that helps draws other weights, and gets the first's."""
    settings = TrainingSettings(steps=20, evaluate_every=10, batch_size=7, precision="float32")
    vocab_size, features = REPRESENTATION.vocab_size, REPRESENTATION.feature_sizes
    sizes = MelodyRNNConfig(vocab_size, features, 24, dropout=0.0)
    batches = MelodyBatches(small_pieces(20), REPRESENTATION, settings.batch_size, 64, 0)

    def evaluate(module):
        held_out = whole_pieces(small_pieces(6), REPRESENTATION, 4)
        return held_out_loss(module, held_out, FIRST_PITCH)

    with joined() as group:
        torch.manual_seed(group.rank)
        network = MelodyRNN(sizes)
        run = RunFolder(out) if group.is_first else RunFolderElsewhere(out)
        with run.locked():
            group.check_same(asked.encode())
            train(network, batches, evaluate, settings, run, speak, group)


def speak(progress):
    """Say how far it is."""
    print(progress.step, flush=True)


if __name__ == "__main__":
    try:
        learn(Path(sys.argv[1]), sys.argv[2])
    except PartimentoError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
