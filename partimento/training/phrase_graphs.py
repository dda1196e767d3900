"""From a trained `PhraseGenerator` to the graph that generation runs, checked against the network.

The graph makes the decisions; rolls are laid out from them in NumPy (`generation.phrase_engine`).
Weights stand in it in 8 bits: see `training.rounding`.
"""

import numpy as np
import torch
from torch import Tensor, nn

from partimento.errors import TrainingError
from partimento.networks.phrase_gan import PhraseGenerator
from partimento.training.export import exported
from partimento.training.rounding import with_few_bits

FEWEST_SAME = 0.999  # of the decisions: logits near 0 may fall to either side by rounding


class _Write(nn.Module):
    """Decisions as whole numbers."""

    def __init__(self, generator: PhraseGenerator) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, z: Tensor, given: Tensor, is_given: Tensor) -> tuple[Tensor, Tensor]:
        rhythm, pitch = self.generator.decide(z, given, is_given)
        return rhythm, pitch.argmax(dim=-1)


def graph_of(generator: PhraseGenerator) -> bytes:
    """ONNX graph ``write``.

    Reads ``z`` (batch, noise), ``given`` (batch, 2, track, step, pitch) and ``is_given`` (batch,
    track), all float32; gives ``rhythm`` (batch, track, 3, step) float32, 0 or 1: strikes, holds
    on, plays a second note; and ``pitch`` (batch, track, 2, step) int64: first and second note.
    """
    generator = generator.cpu().eval()
    config = generator.config
    shape = 2, config.tracks, config.steps, config.pitches
    batch = torch.export.Dim("batch")
    graph = exported(
        _Write(generator).eval(),
        (torch.zeros(3, config.noise_size), torch.zeros(3, *shape), torch.zeros(3, config.tracks)),
        ["z", "given", "is_given"],
        ["rhythm", "pitch"],
        {"z": {0: batch}, "given": {0: batch}, "is_given": {0: batch}},
    )
    return with_few_bits(graph)


def check_graph(generator: PhraseGenerator, graph: bytes, phrases: np.ndarray) -> float:
    """Have graph and network write to given phrases; return the share of equal decisions.

    Raises `TrainingError` where fewer than `FEWEST_SAME` are equal.
    """
    import onnxruntime

    generator = generator.cpu().eval()
    config = generator.config
    draws = torch.Generator().manual_seed(0)
    z = torch.randn(len(phrases), config.noise_size, generator=draws)
    given = torch.from_numpy(phrases.astype(np.float32))
    is_given = torch.zeros(len(phrases), config.tracks)
    is_given[::2, 0] = 1
    with torch.inference_mode():
        rhythm, pitch = generator.decide(z, given, is_given)
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    found = session.run(
        ["rhythm", "pitch"],
        {"z": z.numpy(), "given": given.numpy(), "is_given": is_given.numpy()},
    )
    right = [(found[0] == rhythm.numpy()).mean(), (found[1] == pitch.argmax(-1).numpy()).mean()]
    same = float(np.mean(right))
    if not same >= FEWEST_SAME:
        raise TrainingError(
            f"the exported graph disagrees with the network: {same:.2%} of the decisions are the "
            f"same, {FEWEST_SAME:.1%} at least is rounding"
        )
    return same
