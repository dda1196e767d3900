"""`AttentionLSTM`: an LSTM whose first layer attends to its own last outputs.

At each step the first layer reads its input together with a summary of its last outputs; the new
cell then asks (a little network scores each remembered output against its state) for a new summary,
and what it gives on is made of both. Magenta's `attention_rnn` remembers 40 outputs. Nothing but
the next step depends on the whole past, so the state has a fixed size.

One thing differs from Magenta's: there what is remembered is what the layer gives on, a linear map
of itself, and nothing bounds it; trained here, it fed on itself until the numbers ran out. Here, as
in Cheng et al., the cell's own outputs are remembered, which stay within -1 and 1.

References
----------
Cheng, Dong and Lapata, "Long Short-Term Memory-Networks for Machine Reading", 2016. Waite,
"Generating Long-Term Structure in Songs and Stories", 2016 (the variant of Magenta).
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class AttentionLSTM(nn.Module):
    """LSTM layers, the first of them with attention over its last outputs.

    Parameters
    ----------
    input_size, hidden_size, num_layers : int
    dropout : float
        Between layers.
    length : int
        Outputs that are remembered.
    """

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int, dropout: float, length: int
    ) -> None:
        super().__init__()
        self.hidden_size, self.num_layers, self.length = hidden_size, num_layers, length
        self.join = nn.Linear(input_size + hidden_size, input_size)
        widths = [input_size, *[hidden_size] * (num_layers - 1)]
        self.cells = nn.ModuleList(nn.LSTMCell(width, hidden_size) for width in widths)
        self.query = nn.Linear(2 * hidden_size, hidden_size)
        self.key = nn.Linear(hidden_size, hidden_size, bias=False)
        self.score = nn.Linear(hidden_size, 1, bias=False)
        self.output = nn.Linear(2 * hidden_size, hidden_size)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, inputs: Float[Tensor, "batch time _"], state: tuple[Tensor, ...] | None = None
    ) -> tuple[Float[Tensor, "batch time hidden"], tuple[Tensor, ...]]:
        """Give the last layer's outputs, and the state after the last step: see `first_state`."""
        state = state or self.first_state(len(inputs))
        outputs = []
        for step in inputs.unbind(dim=1):
            output, state = self.step(step, state)
            outputs.append(output)
        return torch.stack(outputs, dim=1), state

    def first_state(self, batch: int) -> tuple[Tensor, ...]:
        """Zeros: hidden and cell of each layer, the summary, remembered outputs and their keys.

        Shapes are (batch, hidden), and (batch, length, hidden) for the last two. Keys are kept
        beside the outputs they belong to, so that each is computed once.
        """
        zeros = self.score.weight.new_zeros(batch, self.hidden_size)
        memory = self.score.weight.new_zeros(batch, self.length, self.hidden_size)
        return (*(zeros,) * (2 * self.num_layers + 1), memory, memory)

    def step(
        self, inputs: Float[Tensor, "batch _"], state: tuple[Tensor, ...]
    ) -> tuple[Float[Tensor, "batch hidden"], tuple[Tensor, ...]]:
        """Move on by one step."""
        summary = state[-3]
        return self.step_joined(self.join(torch.cat([inputs, summary], dim=-1)), state)

    def step_joined(
        self, joined: Float[Tensor, "batch _"], state: tuple[Tensor, ...]
    ) -> tuple[Float[Tensor, "batch hidden"], tuple[Tensor, ...]]:
        """Move on by one step, inputs and summary already joined."""
        hidden, cell, memory, keys = *state[:2], *state[-2:]
        hidden, cell = self.cells[0](joined, (hidden, cell))
        query = self.query(torch.cat([cell, hidden], dim=-1))
        scores = self.score(torch.tanh(keys + query[:, None]))  # batch length 1
        summary = (torch.softmax(scores, dim=1) * memory).sum(dim=1)
        output = self.output(torch.cat([hidden, summary], dim=-1))
        memory = torch.cat([memory[:, 1:], hidden[:, None]], dim=1)
        keys = torch.cat([keys[:, 1:], self.key(hidden)[:, None]], dim=1)
        states = [hidden, cell]
        for layer, upper in enumerate(list(self.cells)[1:], start=1):
            hidden, cell = upper(self.dropout(output), state[2 * layer : 2 * layer + 2])
            output = hidden
            states += [hidden, cell]
        return output, (*states, summary, memory, keys)
