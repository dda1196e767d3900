"""A checkpoint of a small random network, which needs no training."""

from dataclasses import asdict

from generation.tiny_graph import graph_for, random_weights

from partimento.checkpoints import save_checkpoint
from partimento.representations.melody import MelodyRepresentation

REPRESENTATION = MelodyRepresentation(with_position=True, lookback_bars=(1, 2), countdown_bars=16)


def save_tiny_model(
    folder, representation=REPRESENTATION, *, rest_bias=0.0, says=None, extras=None, **config
):
    """Write the checkpoint, and say where.

    Its config `says` another representation than the graph's, if given; keywords replace entries.
    """
    weights = random_weights(representation.feature_sizes, representation.vocab_size)
    save_checkpoint(
        folder,
        config={
            "format": 1,
            "family": "melody-rnn",
            "name": "tiny",
            "representation": says
            or {
                **asdict(representation),
                "lookback_bars": list(representation.lookback_bars),
            },
            "network": {"hidden_size": 12, "num_layers": 2},
            "graphs": {"step": "step.onnx"},
            **config,
        },
        weights={"head": weights["head"][0]},
        graphs={"step.onnx": graph_for(representation, rest_bias=rest_bias)},
        card="# tiny\nRandom weights.\n",
        extras=extras,
    )
    return folder
