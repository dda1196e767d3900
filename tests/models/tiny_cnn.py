"""A checkpoint of a small random network that fills in, which needs no training."""

from dataclasses import asdict

from generation.tiny_fill_graph import SATB, tiny_graph, tiny_network

from partimento.checkpoints import save_checkpoint
from partimento.training.course import plain


def save_tiny_cnn(folder, **config):
    """Write the checkpoint, and say where; keywords replace entries of its config."""
    network = tiny_network()
    save_checkpoint(
        folder,
        config={
            "format": 1,
            "family": "bach-cnn",
            "name": "tiny-cnn",
            "representation": asdict(SATB),
            "network": plain(asdict(network.config)),
            "graphs": {"fill": "fill.onnx"},
            **config,
        },
        weights={name: tensor.numpy() for name, tensor in network.state_dict().items()},
        graphs={"fill.onnx": tiny_graph()},
        card="# tiny-cnn\nRandom weights.\n",
    )
    return folder
