"""`RollRNN`: which keys sound in the next frame of a piano roll.

A frame is a set of the 88 keys of a piano. The network reads the frames before with recurrent
layers, and can look back at all of them: where the music went on from a place like this one, it may
go on so again. What it says of the next frame has one of two forms, which differ in what they can
know, so that their likelihoods must not stand in one column:

- ``"set"``: the keys of the frame from the lowest up, each knowing those below it, then the end.
  The probabilities of all sets of keys add up to 1, and any dependence between keys can be said.
- ``"keys"``: 88 probabilities, each key by itself given the past.

Frames are read, and logits counted, from the bottom of the keyboard, and besides from keys that
sound (the lowest of the last frame; each key of the last two frames; keys below in the same frame),
so that a chord or an interval learned at one place is known at all.

References
----------
Boulanger-Lewandowski, Bengio and Vincent, "Modeling Temporal Dependencies in High-Dimensional
Sequences", ICML 2012 (a distribution over sets of keys, given a recurrent state). Larochelle and
Murray, "The Neural Autoregressive Distribution Estimator", 2011 (keys in turn). Vinyals, Fortunato
and Jaitly, "Pointer Networks", 2015 (probabilities that point at the past). Gal and Ghahramani, "A
Theoretically Grounded Application of Dropout in Recurrent Neural Networks", 2016 (one mask for all
steps).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from partimento.errors import ParameterError
from partimento.networks.checks import check_shares

KEYS = 88
END = KEYS  # class after the keys: the frame is complete
PLACE, INTERVAL = KEYS, KEYS + 1  # columns of features after the keys
CYCLE = 48  # places that are told apart: bars of 6, 8, 12 and 16 frames fit in
READ_FRAMES = 4  # the last frames, which each step reads
MOST_TRANSPOSED = 12
REACH = 24  # semitones that a sounding key speaks of; those farther off share a logit
NO_KEY = -1  # where a list of keys is filled up
BELOW_BASS = 24  # semitones under a key from which others are counted that can still be counted
RANKS = 3  # keys of the last frame that are told apart from the bottom up, and as many from the top


@dataclass(frozen=True)
class RollRNNConfig:
    """Size and regularisation of a `RollRNN`.

    Attributes
    ----------
    form : str
        ``"set"`` or ``"keys"``.
    hidden_size, num_layers : int
        Of the recurrent layers.
    frame_size : int
        Width of the layers that say the keys of a frame.
    heads, head_size : int
        Of the look back at the frames before; 0 heads is none.
    window : int
        Frames that it reaches.
    dropout, input_dropout : float
        Of the outputs of layers; of the keys that are read.
    knows_interval : bool
        Whether the network is told how far its music was moved, so that a corpus in a common key
        can be moved as an augmentation without that knowledge being lost.
    """

    form: str = "set"
    hidden_size: int = 384
    num_layers: int = 1
    frame_size: int = 256
    heads: int = 4
    head_size: int = 32
    window: int = 512
    dropout: float = 0.4
    input_dropout: float = 0.1
    knows_interval: bool = False

    def __post_init__(self) -> None:
        if self.form not in ("set", "keys"):
            raise ParameterError(f'form must be "set" or "keys", got {self.form!r}')
        for name in ("hidden_size", "num_layers", "frame_size", "head_size", "window"):
            if getattr(self, name) < 1:
                raise ParameterError(f"{name} must be at least 1, got {getattr(self, name)}")
        check_shares(self, "dropout", "input_dropout")

    @property
    def references(self) -> int:
        """Keys from which logits are counted."""
        return 5 if self.form == "set" else 2 * RANKS


class RollRNN(nn.Module):
    """Predicts each frame from those before it."""

    offsets: Tensor

    def __init__(self, config: RollRNNConfig) -> None:
        super().__init__()
        self.config = config
        size, width, heads = config.hidden_size, config.frame_size, config.heads
        self.read = nn.Linear(2 * READ_FRAMES * KEYS, size)
        self.place = nn.Embedding(CYCLE, size)
        self.interval = nn.Embedding(2 * MOST_TRANSPOSED + 1 if config.knows_interval else 1, size)
        for embedding in (self.place, self.interval):
            nn.init.normal_(embedding.weight, std=0.1)
        between = config.dropout if config.num_layers > 1 else 0.0
        self.gru = nn.GRU(size, size, config.num_layers, batch_first=True, dropout=between)
        self.recall = Recall(config) if heads else None
        self.context = nn.Linear(size + heads * KEYS, width)
        self.below = nn.Linear(3 * KEYS, width, bias=False)
        self.mix = nn.Linear(width, width)
        self.absolute = nn.Linear(width, KEYS + 1)
        self.relative = nn.Linear(width, config.references * (2 * REACH + 1))
        self.around = nn.Linear(width, 2 * (2 * REACH + 1))  # all keys of the last two frames
        self.trust = nn.Linear(width, heads) if heads else None  # in what is recalled
        self.register_buffer("offsets", offset_table(), persistent=False)
        for layer in (self.relative, self.around, self.trust):
            if layer is not None:
                nn.init.zeros_(layer.weight)
                nn.init.zeros_(layer.bias)

    def forward(
        self, features: Int[Tensor, "batch time feature"]
    ) -> tuple[Float[Tensor, "batch time slot class"], None]:
        """Logits of each frame, given those before.

        Parameters
        ----------
        features
            A frame of 88 keys, its number in the piece (`PLACE`), and how far the piece was moved
            (`INTERVAL`). The frame itself is read only where the form is "set", for what stands
            above.

        Returns
        -------
        logits
            Form "keys": a slot for each key, classes "rests" and "sounds". Form "set": a slot for
            each key that sounds and for the end, as `slots_of` orders them; classes are the keys
            and the end. Slots that a frame does not need are zeros.
        """
        frames = features[..., :KEYS]
        last, other = (keys_of(later(frames, by)) for by in (1, 2))  # batch time note
        context, recalled = self._contexts(features, last[..., 0])
        if self.config.form == "set":
            return self._set_logits(frames, context, recalled, last, other), None
        kept = self._masks(context)
        ranks = [in_turn(last, rank) for rank in (*range(RANKS), *range(-RANKS, 0))]
        logits = self._say(context, recalled, ranks, kept)[..., :KEYS]
        logits = logits + self._say_around(context, [last, other], kept)
        return torch.stack([torch.zeros_like(logits), logits], dim=-1), None

    def _contexts(self, features: Tensor, bass: Tensor) -> tuple[Tensor, Tensor]:
        """Sum up what is known before each frame, and recall what came at places like it."""
        frames = features[..., :KEYS].to(self.read.weight.dtype)
        before = torch.stack([later(frames, by) for by in range(1, READ_FRAMES + 1)], dim=2)
        before = F.dropout(before, self.config.input_dropout, self.training)
        read = torch.cat([before, counted_from(bass.unsqueeze(-1), before)], dim=2).flatten(2)
        inputs = self.read(read) + self.place(features[..., PLACE] % CYCLE)
        if self.config.knows_interval:
            inputs = inputs + self.interval(features[..., INTERVAL] + MOST_TRANSPOSED)
        hidden, _ = self.gru(inputs * self._masks(inputs))  # batch time hidden
        hidden = hidden * self._masks(hidden)
        if self.recall is None:
            nothing = frames.new_zeros(*frames.shape[:2], 0, KEYS)
            return self.context(hidden), nothing
        recalled = self.recall(hidden, frames)  # batch time head key
        return self.context(torch.cat([hidden, recalled.flatten(2)], dim=-1)), recalled

    def _set_logits(
        self, frames: Tensor, context: Tensor, recalled: Tensor, last: Tensor, other: Tensor
    ) -> Tensor:
        """Logits of every slot; those that are real are computed side by side, without padding."""
        slots = slots_of(frames)  # batch time slot
        example, step, slot = torch.nonzero(slots != NO_KEY, as_tuple=True)  # row
        target = slots[example, step, slot]
        kept = self._masks(context)
        around = self._say_around(context, [last, other], kept)  # batch time key
        last = last[example, step]  # row note
        keys = torch.arange(KEYS, device=frames.device)
        below = (frames[example, step] > 0) & (keys < target[:, None])  # row key
        highest = torch.where(below, keys, NO_KEY).amax(dim=-1)
        lowest = torch.where(below.any(dim=-1), below.int().argmax(dim=-1), NO_KEY)
        said = below.to(context.dtype)
        given = [said, counted_from(lowest, said), counted_from(last[:, 0], said)]
        voice = last.gather(-1, slot.clamp(max=last.shape[-1] - 1)[:, None]).squeeze(-1)
        logits = self._say(
            context[example, step] + self.below(torch.cat(given, dim=-1)),
            recalled[example, step],
            [highest, lowest, voice, last[:, 0], in_turn(last, -1)],
            kept[example, 0],
        )  # row class
        logits = logits + F.pad(around[example, step], (0, 1))
        is_over = keys <= highest[:, None]  # keys are said from the lowest up
        is_over = torch.cat([is_over, torch.zeros_like(is_over[:, :1])], dim=-1)
        logits = logits.masked_fill(is_over, -torch.inf)
        dense = logits.new_zeros(*slots.shape, KEYS + 1)
        return dense.index_put((example, step, slot), logits)

    def _say(
        self,
        context: Float[Tensor, "*row width"],
        recalled: Float[Tensor, "*row head key"],
        references: list[Tensor],
        kept: Tensor,
    ) -> Float[Tensor, "*row class"]:
        """Logits of keys and end; each reference is a key for each row."""
        x = F.relu(context) * kept
        x = x + F.relu(self.mix(x)) * kept
        logits = self.absolute(x).float()
        kernels = _kernels(self.relative(x), self.config.references)  # row reference offset
        counted = kernels.new_zeros(())  # row key
        if self.trust is not None:
            counted = (self.trust(x).float().unsqueeze(-1) * recalled).sum(dim=-2)
        for number, reference in enumerate(references):
            counted = counted + kernels[..., number, :].gather(-1, self.offsets[reference + 1])
        return logits + F.pad(counted, (0, 1))

    def _say_around(
        self, context: Float[Tensor, "*row width"], references: list[Tensor], kept: Tensor
    ) -> Float[Tensor, "*row key"]:
        """Logits of keys; each reference is several keys for each row, which speak alike."""
        kernels = _kernels(self.around(F.relu(context) * kept), len(references))
        counted = []
        for number, reference in enumerate(references):
            offset = self.offsets[reference + 1]  # row note key
            found = kernels[..., number, :].gather(-1, offset.flatten(-2)).view(offset.shape)
            counted.append(found.sum(dim=-2))
        return torch.stack(counted).sum(dim=0)

    def _masks(self, values: Tensor) -> Tensor:
        """Dropout that is the same at all steps of an example; (batch, 1, width)."""
        shape = (len(values), 1, values.shape[-1])
        return F.dropout(values.new_ones(shape), self.config.dropout, self.training)


class Recall(nn.Module):
    """Attention from each place to those before it: which keys came there."""

    def __init__(self, config: RollRNNConfig) -> None:
        super().__init__()
        self.heads, self.size, self.window = config.heads, config.head_size, config.window
        width = config.heads * config.head_size
        self.queries = nn.Linear(config.hidden_size, width)
        self.keys = nn.Linear(config.hidden_size, width)
        self.by_distance = nn.Embedding(config.window + 1, config.heads)
        nn.init.zeros_(self.by_distance.weight)

    def forward(
        self, hidden: Float[Tensor, "batch time hidden"], frames: Float[Tensor, "batch time 88"]
    ) -> Float[Tensor, "batch time head 88"]:
        """How much each head recalls of each key, 0 to 1.

        ``hidden[:, t]`` knows the frames before t, and ``frames[:, t]`` came then. A head may also
        look at nothing.
        """
        batch, time, _ = hidden.shape
        query = self.queries(hidden).view(batch, time, self.heads, self.size).transpose(1, 2)
        key = self.keys(hidden).view(batch, time, self.heads, self.size).transpose(1, 2)
        scores = (query @ key.transpose(2, 3)).float() / self.size**0.5  # batch head time place
        places = torch.arange(time, device=hidden.device)
        distance = places[:, None] - places  # time place
        biases = self.by_distance(distance.clamp(0, self.window)).permute(2, 0, 1)
        is_hidden = (distance < 1) | (distance > self.window)
        scores = (scores + biases).masked_fill(is_hidden, -torch.inf)
        weights = F.pad(scores, (0, 1)).softmax(dim=-1)[..., :-1]  # the last place is nothing
        return (weights.to(frames.dtype) @ frames.unsqueeze(1)).transpose(1, 2)


def offset_table() -> Int[Tensor, "reference key"]:
    """Place in a kernel of each key, as counted from each other; the first row is `NO_KEY`."""
    keys = torch.arange(KEYS)
    offsets = (keys - keys[:, None]).clamp(-REACH, REACH) + REACH
    nothing = torch.full((1, KEYS), 2 * REACH + 1)
    return torch.cat([nothing, offsets])


def _kernels(values: Tensor, count: int) -> Tensor:
    """Logits by offset, in so many kernels; after them stands what `NO_KEY` says: nothing."""
    return F.pad(values.float().view(*values.shape[:-1], count, 2 * REACH + 1), (0, 1))


def later(frames: Tensor, by: int) -> Tensor:
    """Move frames so that each place has what stood `by` frames before, or silence."""
    return F.pad(frames, (0, 0, by, 0))[:, : frames.shape[1]]


def keys_of(frames: Int[Tensor, "batch time 88"]) -> Int[Tensor, "batch time note"]:
    """Keys that sound in each frame, from the lowest up, filled up with `NO_KEY`."""
    most = max(1, int(frames.sum(dim=-1).amax()))
    numbers = torch.arange(KEYS, device=frames.device)
    listed = torch.where(frames > 0, numbers, KEYS).sort(dim=-1).values[..., :most]
    return listed.masked_fill(listed == KEYS, NO_KEY)


def in_turn(keys: Int[Tensor, "*row note"], number: int) -> Int[Tensor, "*row"]:
    """Pick a key of each frame: the n-th from the bottom, or with -1, -2 … from the top."""
    if number < 0:
        place = (keys != NO_KEY).sum(dim=-1, keepdim=True) + number
        found = keys.gather(-1, place.clamp(min=0)).squeeze(-1)
        return found.masked_fill(place.squeeze(-1) < 0, NO_KEY)
    if number >= keys.shape[-1]:
        return torch.full_like(keys[..., 0], NO_KEY)
    return keys[..., number]


def counted_from(
    bass: Int[Tensor, "*#row"], frames: Float[Tensor, "*row 88"]
) -> Float[Tensor, "*row 88"]:
    """Write frames as if a key were the one at `BELOW_BASS`; nothing where there is no such key."""
    numbers = torch.arange(KEYS, device=frames.device) - BELOW_BASS
    source = bass.unsqueeze(-1) + numbers
    is_there = (source >= 0) & (source < KEYS) & (bass.unsqueeze(-1) != NO_KEY)
    moved = frames.gather(-1, source.clamp(0, KEYS - 1).expand_as(frames))
    return moved.masked_fill(~is_there, 0.0)


def slots_of(frames: Int[Tensor, "batch time 88"]) -> Int[Tensor, "batch time slot"]:
    """List what is to be said of each frame: keys from the lowest up, `END`, then `NO_KEY`."""
    keys = keys_of(frames)
    room = F.pad(keys, (0, 1), value=NO_KEY)
    count = (frames > 0).sum(dim=-1, keepdim=True)
    return room.scatter(-1, count, END)
