"""From a trained `BachRNN` to the two graphs that generation runs, checked against the network.

`frame` moves the recurrent layers on by one frame and says what each voice's head hears of the
past. `voice` is the head: asked once a voice, it says the logits of that voice's cell. So a frame
costs one large step and four small ones.
"""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from partimento.errors import TrainingError
from partimento.networks.bach_rnn import NOW, NUM_COLUMNS, NUM_VOICES, BachRNN, comes_before
from partimento.training.export import LARGEST_DIFFERENCE, exported


class FrameStep(nn.Module):
    """One step of the recurrent layers, written as matrix products and pointwise operators.

    ONNX Runtime runs these faster than its fused GRU when a batch is small.
    """

    def __init__(self, network: BachRNN) -> None:
        super().__init__()
        self.front, self.gru, self.join = network.front, network.gru, network.join

    def forward(
        self, features: Int[Tensor, "batch column"], *states: Float[Tensor, "batch hidden"]
    ) -> tuple[Tensor, ...]:
        """Give what the heads hear of the past, (batch, voice * head), and each layer's state."""
        output = self.front(features)  # batch input
        new_states = []
        for layer, hidden in enumerate(states):
            up = _linear(self.gru, "ih", layer, output)
            across = _linear(self.gru, "hh", layer, hidden)
            (r_up, z_up, n_up), (r, z, n) = up.chunk(3, dim=1), across.chunk(3, dim=1)
            stays = torch.sigmoid(z_up + z)
            candidate = torch.tanh(n_up + torch.sigmoid(r_up + r) * n)
            output = candidate + stays * (hidden - candidate)
            new_states.append(output)
        return (self.join(output), *new_states)


def _linear(gru: nn.GRU, which: str, layer: int, values: Tensor) -> Tensor:
    weight, bias = getattr(gru, f"weight_{which}_l{layer}"), getattr(gru, f"bias_{which}_l{layer}")
    made: Tensor = nn.functional.linear(values, weight, bias)
    return made


class VoiceStep(nn.Module):
    """The head of one voice."""

    def __init__(self, network: BachRNN) -> None:
        super().__init__()
        self.heads = network.heads

    def forward(
        self,
        past: Float[Tensor, "batch head"],
        features: Int[Tensor, "batch column"],
        seen: Int[Tensor, "batch voice"],
        voice: Int[Tensor, " 1"],
    ) -> Float[Tensor, "batch vocab"]:
        """Logits of a voice's cell, for a batch of frames."""
        logits: Tensor = self.heads(past[:, None], features, seen[:, None], voice)
        return logits[:, 0]


def frame_graph(network: BachRNN) -> bytes:
    """ONNX graph ``frame``: ``features`` and states in, ``past`` and new states out.

    Inputs are ``features`` (batch, column) int64 and ``state_0`` … float32 with the batch first,
    zero at the start; outputs are ``past`` (batch, voice * head) and ``next_state_0`` ….
    """
    config = network.config
    names = [f"state_{layer}" for layer in range(config.num_layers)]
    states = tuple(torch.zeros(4, config.hidden_size) for _ in names)
    batch = torch.export.Dim("batch")
    return exported(
        FrameStep(network.cpu().eval()).eval(),
        (torch.zeros(4, NUM_COLUMNS, dtype=torch.int64), *states),
        ["features", *names],
        ["past", *(f"next_{name}" for name in names)],
        {"features": {0: batch}, "states": tuple({0: batch} for _ in names)},
    )


def voice_graph(network: BachRNN) -> bytes:
    """ONNX graph ``voice``: the head of one voice, to ``logits`` (batch, vocab).

    ``past`` (batch, head) is that of this voice, ``features`` (batch, column) are those of the
    frame; ``seen`` (batch, voice) int64 are the cells of the frame that
    are chosen already, the others ``vocab_size``; ``voice`` (1,) int64.
    """
    config = network.config
    batch = torch.export.Dim("batch")
    return exported(
        VoiceStep(network.cpu().eval()).eval(),
        (
            torch.zeros(4, config.head_size),
            torch.zeros(4, NUM_COLUMNS, dtype=torch.int64),
            torch.full((4, NUM_VOICES), config.vocab_size),
            torch.zeros(1, dtype=torch.int64),
        ),
        ["past", "features", "seen", "voice"],
        ["logits"],
        {"past": {0: batch}, "features": {0: batch}, "seen": {0: batch}, "voice": None},
    )


def check_graphs(
    network: BachRNN, graphs: dict[str, bytes], features: Int[np.ndarray, "batch time column"]
) -> float:
    """Play frames through PyTorch and through the graphs; return the largest difference.

    Raises `TrainingError` above `LARGEST_DIFFERENCE`.

    Parameters
    ----------
    features
        With the cells `NOW`.
    """
    import onnxruntime

    network = network.cpu().eval()
    config = network.config
    with torch.inference_mode():
        expected = network(torch.from_numpy(features))[0].numpy()  # batch time voice vocab
    providers = ["CPUExecutionProvider"]
    frame = onnxruntime.InferenceSession(graphs["frame"], providers=providers)
    voice = onnxruntime.InferenceSession(graphs["voice"], providers=providers)
    is_seen = comes_before(config.order).numpy()
    states = {
        f"state_{layer}": np.zeros((len(features), config.hidden_size), dtype=np.float32)
        for layer in range(config.num_layers)
    }
    largest = 0.0
    for step in range(features.shape[1]):
        rows, now = features[:, step, :NUM_COLUMNS], features[:, step, NOW]
        past, *new_states = frame.run(None, {"features": rows, **states})
        states = dict(zip(states, new_states, strict=True))
        heard = past.reshape(len(rows), NUM_VOICES, -1)
        for number in range(NUM_VOICES):
            feeds = {
                "past": heard[:, number],
                "features": rows,
                "seen": np.where(is_seen[number], now, config.vocab_size),
                "voice": np.array([number]),
            }
            (logits,) = voice.run(None, feeds)
            largest = max(largest, float(np.abs(logits - expected[:, step, number]).max()))
    if not largest <= LARGEST_DIFFERENCE:
        raise TrainingError(
            f"the exported graphs disagree with the network: logits differ by {largest:.2g}, "
            f"{LARGEST_DIFFERENCE:g} at most is rounding"
        )
    return largest
