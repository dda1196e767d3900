"""`PhraseGenerator` and `PhraseCritic`: the two networks of a contest over phrases of a few bars.

The generator turns noise into piano rolls. Its noise is of MuseGAN's four kinds: of the whole
phrase, of each bar, of each track, of each bar of each track. What is shared goes into a trunk of
convolutions over beats that all tracks hear; what is a track's own goes into its branch, which
decides rhythm first (binary neurons: does a step strike, does it hold on) and then, knowing the
rhythm, pitch (a choice, and a binary neuron for a second note). What speaks for a pitch: a chord
that the trunk gives to all tracks, beat by beat; a place in the register, so that lines are near
themselves; and whatever else. A binary neuron of each bar may have it rest, another have it repeat
the one before. Rolls are laid out from these decisions by `held`, so a note lasts until it is
struck again or let go: notes, not speckle. A track may be given; then the trunk hears it, and it
comes out untouched.

The critic reads the rolls and what a musician would hear in them (`PhraseCritic.streams`): pitch
classes, intervals between tracks at each step, moves within a line, rhythm alone. It judges
every beat, and the whole phrase by its bars and by how alike these are.

References
----------
Dong, Hsiao, Yang and Yang, "MuseGAN: Multi-track Sequential Generative Adversarial Networks for
Symbolic Music Generation and Accompaniment", AAAI 2018 (four kinds of noise, bars and tracks,
accompaniment). Dong and Yang, "Convolutional Generative Adversarial Networks with Binary Neurons
for Polyphonic Music Generation", ISMIR 2018 (binary neurons; onsets and offsets as streams).
Bengio, Leonard and Courville, "Estimating or Propagating Gradients Through Stochastic Neurons",
2013 (straight-through). Karras et al., "Progressive Growing of GANs", 2018 (deviation in a batch).
"""

from dataclasses import dataclass
from itertools import combinations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from partimento.errors import ParameterError

NEURONS = ("deterministic", "stochastic", "none")
SLOPE = 0.2  # of leaky units, where they are negative
CLASSES = 12
# Logits that random weights start from: few strikes, notes that last, hardly a second note.
STRIKE, HOLD, SECOND = -1.0, 2.0, -3.0
REST, AGAIN = -3.0, -2.0  # the same of a bar that rests, or repeats the one before
RHYTHM = 3  # strike, hold, second
WIDEST = 12  # semitones of a move that the critic tells from others
MOVES = 2 * WIDEST + 1
WIDTH = 4.0  # semitones around its place in the register that a note is first looked for in


@dataclass(frozen=True)
class PhraseGANConfig:
    """Sizes of both networks.

    Attributes
    ----------
    lowest : tuple of int
        Lowest pitch of each track's roll: as many as there are tracks.
    pitches, bars, beats, beat_steps : int
        Height of a roll; bars of a phrase, beats of a bar, steps of a beat.
    latent_size : int
        Of each of the four kinds of noise.
    wide, narrow : int
        Channels of the trunk and the critic, and of a track's branch.
    neurons : str
        ``"deterministic"`` or ``"stochastic"`` binary neurons; ``"none"``: soft values while it
        learns, cut at a half afterwards.
    rests, repeats : bool
        Whether a bar may be silent, or the one before again, by a binary neuron.
    streams : bool
        Whether the critic hears more than the rolls.
    spectral : bool
        Whether the critic's weights are divided by their spectral norm.
    """

    lowest: tuple[int, ...]
    pitches: int = 48
    bars: int = 4
    beats: int = 4
    beat_steps: int = 4
    latent_size: int = 32
    wide: int = 256
    narrow: int = 128
    neurons: str = "deterministic"
    rests: bool = True
    repeats: bool = True
    streams: bool = True
    spectral: bool = False

    def __post_init__(self) -> None:
        for name in ("pitches", "bars", "beats", "beat_steps", "latent_size", "wide", "narrow"):
            if getattr(self, name) < 1:
                raise ParameterError(f"{name} must be 1 or more, got {getattr(self, name)}")
        if self.neurons not in NEURONS:
            raise ParameterError(f"neurons must be {', '.join(NEURONS)}, got {self.neurons!r}")

    @property
    def tracks(self) -> int:
        """How many there are."""
        return len(self.lowest)

    @property
    def beats_of_phrase(self) -> int:
        """Beats of all bars."""
        return self.bars * self.beats

    @property
    def steps(self) -> int:
        """Steps of all bars."""
        return self.beats_of_phrase * self.beat_steps

    @property
    def noise_size(self) -> int:
        """Numbers of all noise together: see `PhraseGenerator.kinds`."""
        return self.latent_size * (1 + self.bars) * (1 + self.tracks)


class Block(nn.Module):
    """A residual block over beats, which may look across bars."""

    def __init__(self, channels: int, dilation: int, *, is_normed: bool) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(1, channels) if is_normed else nn.Identity()
        self.look = nn.Conv1d(channels, channels, 3, padding=dilation, dilation=dilation)
        self.mix = nn.Conv1d(channels, channels, 1)
        nn.init.normal_(self.mix.weight, std=0.02 if is_normed else 0.05)

    def forward(self, x: Float[Tensor, "batch hidden beat"]) -> Float[Tensor, "batch hidden beat"]:
        """Add what the neighbours say."""
        inner = self.look(F.leaky_relu(self.norm(x), SLOPE))
        return x + self.mix(F.leaky_relu(inner, SLOPE))


class PhraseGenerator(nn.Module):
    """Writes phrases from noise."""

    pitch_class: Tensor
    register: Tensor

    def __init__(self, config: PhraseGANConfig) -> None:
        super().__init__()
        self.config = config
        tracks, wide, narrow = config.tracks, config.wide, config.narrow
        latent, steps, bar = config.latent_size, config.beat_steps, config.beats
        self.place = nn.Parameter(0.1 * torch.randn(wide, config.beats_of_phrase))
        self.enter = nn.Conv1d(2 * latent, wide, 1)
        self.hear = nn.Conv1d(tracks * (2 * config.pitches * steps + 1), wide, 1)
        self.trunk = nn.Sequential(
            *[Block(wide, dilation, is_normed=True) for dilation in (1, bar, 2, bar, 1, 1)]
        )
        self.lead = nn.Conv1d(wide, tracks * narrow, 1)
        self.own = nn.Conv1d(tracks * 2 * latent, tracks * narrow, 1, groups=tracks)
        self.branch = nn.ModuleList(
            nn.Sequential(*[Block(narrow, dilation, is_normed=True) for dilation in (1, bar, 1)])
            for _ in range(tracks)
        )
        self.rhythm = nn.ModuleList(nn.Conv1d(narrow, RHYTHM * steps, 1) for _ in range(tracks))
        self.feel = nn.ModuleList(nn.Conv1d(2 * steps, narrow, 3, padding=1) for _ in range(tracks))
        # For each step: two notes over all pitches, their place in the register, and its width.
        self.pitch = nn.ModuleList(
            nn.Sequential(
                nn.LeakyReLU(SLOPE),
                nn.Conv1d(narrow, narrow, 3, padding=1),
                nn.LeakyReLU(SLOPE),
                nn.Conv1d(narrow, 2 * (config.pitches + 2) * steps, 1),
            )
            for _ in range(tracks)
        )
        if config.rests:
            self.rest = nn.ModuleList(nn.Conv1d(narrow, 1, bar, stride=bar) for _ in range(tracks))
        if config.repeats:
            self.again = nn.ModuleList(nn.Conv1d(narrow, 1, bar, stride=bar) for _ in range(tracks))
        self.harmony = nn.Conv1d(wide, CLASSES, 1)
        pitch = torch.arange(config.pitches)
        classes = torch.stack([(low + pitch) % CLASSES for low in config.lowest])
        self.register_buffer("pitch_class", classes, persistent=False)
        place = (pitch + 0.5) / config.pitches
        self.register_buffer("register", place, persistent=False)

    def kinds(self, z: Float[Tensor, "batch noise"]) -> tuple[Tensor, Tensor]:
        """Take noise apart, and lay it out over beats.

        Its numbers stand in this order: of the phrase, of each bar, of each track, of each bar of
        each track.

        Returns
        -------
        shared : (batch, 2 latent, beat)
        own : (batch, track 2 latent, beat)
        """
        config = self.config
        size, bars, tracks = config.latent_size, config.bars, config.tracks
        phrase, of_bar, of_track, of_both = z.split(
            [size, size * bars, size * tracks, size * tracks * bars], dim=1
        )
        beats = config.beats_of_phrase
        of_bar = of_bar.view(-1, size, bars).repeat_interleave(config.beats, dim=-1)
        shared = torch.cat([phrase[:, :, None].expand(-1, -1, beats), of_bar], dim=1)
        of_track = of_track.view(-1, tracks, size, 1).expand(-1, -1, -1, beats)
        of_both = of_both.view(-1, tracks, size, bars).repeat_interleave(config.beats, dim=-1)
        own = torch.cat([of_track, of_both], dim=2).flatten(1, 2)
        return shared, own

    def decide(
        self,
        z: Float[Tensor, "batch noise"],
        given: Float[Tensor, "batch 2 track step pitch"],
        is_given: Float[Tensor, "batch track"],
    ) -> tuple[Tensor, Tensor]:
        """Say what each track does at each step.

        Parameters
        ----------
        z
            Standard normal.
        given, is_given
            Rolls, and which of their tracks are to be heard, as 0 and 1.

        Returns
        -------
        rhythm : (batch, track, 3, step)
            Binary neurons: strikes, holds on, plays a second note. They pass on gradients.
        pitch : (batch, track, 2, step, pitch)
            The first note, and the second if there is one: one-hot, and passing on gradients.
        """
        config = self.config
        tracks, steps = config.tracks, config.beat_steps
        beats = config.beats_of_phrase
        shared, own = self.kinds(z)
        x = self.enter(shared) + self.place + self.hear(self.heard(given, is_given))
        x = self.trunk(x)
        chord = self.harmony(x)  # batch class beat
        hidden = self.lead(x) + self.own(own)
        hidden = hidden.view(-1, tracks, config.narrow, beats)
        rhythms, pitches = [], []
        for track in range(tracks):
            line = self.branch[track](hidden[:, track])
            logits = self.rhythm[track](line).view(-1, RHYTHM, steps, beats)
            logits = logits.transpose(2, 3).flatten(2)  # batch 3 step
            start = torch.tensor([STRIKE, HOLD, SECOND], dtype=logits.dtype, device=z.device)
            rhythm = self.neuron(logits + start[:, None])
            if config.rests:
                rest = self.neuron(self.rest[track](line) + REST)  # batch 1 bar
                rhythm = rhythm * (1 - rest.repeat_interleave(config.beats * steps, dim=-1))
            felt = rhythm[:, :2].view(-1, 2, beats, steps).transpose(2, 3).flatten(1, 2)
            chosen = self.pitch[track](line + self.feel[track](felt))
            chosen = chosen.view(-1, 2, config.pitches + 2, steps, beats)
            chosen = chosen.permute(0, 1, 4, 3, 2)  # batch 2 beat step pitch+2
            suits = chord[:, self.pitch_class[track]].transpose(1, 2)  # batch beat pitch
            free, place, width = chosen.split([config.pitches, 1, 1], dim=-1)
            away = (self.register - torch.sigmoid(place)) * config.pitches / WIDTH
            near = -0.5 * away.square() * torch.exp(width)
            logits = free + near + suits[:, None, :, None]
            pitch = self.choice(logits.flatten(2, 3))
            if config.repeats:
                again = self.neuron(self.again[track](line)[:, 0] + AGAIN)  # batch bar
                rhythm = self.said_again(rhythm, again)
                pitch = self.said_again(pitch.transpose(2, 3), again).transpose(2, 3)
            rhythms.append(rhythm)
            pitches.append(pitch)
        return torch.stack(rhythms, dim=1), torch.stack(pitches, dim=1)

    def forward(
        self,
        z: Float[Tensor, "batch noise"],
        given: Float[Tensor, "batch 2 track step pitch"],
        is_given: Float[Tensor, "batch track"],
    ) -> Float[Tensor, "batch 2 track step pitch"]:
        """Write phrases; tracks that are given come out as they are."""
        rhythm, pitch = self.decide(z, given, is_given)
        rolls = held(rhythm.float(), pitch.float())
        is_kept = is_given[:, None, :, None, None]
        return rolls * (1 - is_kept) + given * is_kept

    def heard(self, given: Tensor, is_given: Tensor) -> Float[Tensor, "batch channel beat"]:
        """Lay out given tracks over beats, and say which they are."""
        config = self.config
        beats = config.beats_of_phrase
        shape = (-1, 2, config.tracks, beats, config.beat_steps, config.pitches)
        rolls = (given * is_given[:, None, :, None, None]).reshape(shape)
        rolls = rolls.permute(0, 2, 1, 4, 5, 3).flatten(1, 4)
        return torch.cat([rolls, is_given[:, :, None].expand(-1, -1, beats)], dim=1)

    def said_again(
        self, decisions: Float[Tensor, "batch ... step"], again: Float[Tensor, "batch bar"]
    ) -> Float[Tensor, "batch ... step"]:
        """Put the bar before in place of each bar that is to repeat it."""
        bars = list(decisions.tensor_split(self.config.bars, dim=-1))
        for bar in range(1, len(bars)):
            share = again[:, bar].view(-1, *[1] * (decisions.dim() - 1))
            bars[bar] = share * bars[bar - 1] + (1 - share) * bars[bar]
        return torch.cat(bars, dim=-1)

    def neuron(self, logits: Tensor) -> Tensor:
        """0 or 1, with the gradient of a sigmoid."""
        soft = torch.sigmoid(logits)
        if self.config.neurons == "none" and self.training:
            return soft
        if self.config.neurons == "stochastic" and self.training:
            hard = (torch.rand_like(soft) < soft).to(soft.dtype)
        else:
            hard = (logits > 0).to(soft.dtype)
        return straight_through(hard, soft)

    def choice(self, logits: Tensor) -> Tensor:
        """One of the last axis, with the gradient of a softmax."""
        soft = torch.softmax(logits, dim=-1)
        if self.config.neurons == "none" and self.training:
            return soft
        if self.config.neurons == "stochastic" and self.training:
            uniform = torch.rand_like(logits).clamp(1e-6, 1 - 1e-6)
            logits = logits - torch.log(-torch.log(uniform))
        hard = F.one_hot(logits.argmax(dim=-1), logits.shape[-1]).to(soft.dtype)
        return straight_through(hard, soft)


def straight_through(hard: Tensor, soft: Tensor) -> Tensor:
    """One value forwards, the gradient of another backwards."""
    return hard + (soft - soft.detach())


def held(
    rhythm: Float[Tensor, "batch track 3 step"], pitch: Float[Tensor, "batch track 2 step pitch"]
) -> Float[Tensor, "batch 2 track step pitch"]:
    """Lay out rolls from decisions: what is struck, and what is held on to from the step before."""
    strike, hold, double = rhythm[:, :, 0], rhythm[:, :, 1], rhythm[:, :, 2]
    second = pitch[:, :, 1] * double[..., None]
    first = pitch[:, :, 0]
    onset = (first + second - first * second) * strike[..., None]
    stays = ((1 - strike) * hold)[..., None]
    sounding = onset[:, :, 0]
    steps = [sounding]
    for step in range(1, onset.shape[2]):
        sounding = onset[:, :, step] + stays[:, :, step] * sounding
        steps.append(sounding)
    return torch.stack([onset, torch.stack(steps, dim=2)], dim=1)


class PhraseCritic(nn.Module):
    """Says how real phrases look: the higher, the more."""

    chroma: Tensor
    turn: Tensor
    one: Tensor
    other: Tensor

    def __init__(self, config: PhraseGANConfig) -> None:
        super().__init__()
        self.config = config
        tracks, wide = config.tracks, config.wide
        place = torch.arange(config.pitches)
        chroma = torch.zeros(tracks, config.pitches, CLASSES)
        for track, low in enumerate(config.lowest):
            chroma[track, place, (low + place) % CLASSES] = 1
        classes = torch.arange(CLASSES)
        pairs = list(combinations(range(tracks), 2))
        self.register_buffer("chroma", chroma, persistent=False)
        self.register_buffer("turn", (classes[:, None] + classes) % CLASSES, persistent=False)
        for name, index in (("one", 0), ("other", 1)):
            numbers = torch.tensor([pair[index] for pair in pairs], dtype=torch.int64)
            self.register_buffer(name, numbers, persistent=False)
        channels = [2 * tracks * config.pitches]
        if config.streams:
            channels += [CLASSES * n for n in (tracks, tracks, len(pairs))]
            channels += [MOVES * tracks, tracks, tracks]
        bar = config.beats
        # An entrance each: a norm over all would leave little of those that are seldom on.
        self.enter = nn.ModuleList(
            nn.Conv1d(number * config.beat_steps, wide, 1) for number in channels if number
        )
        self.place = nn.Parameter(torch.zeros(wide, config.beats_of_phrase))
        self.blocks = nn.Sequential(
            *[Block(wide, dilation, is_normed=False) for dilation in (1, bar, 2, bar)]
        )
        self.by_beat = nn.Conv1d(wide, 1, 3, padding=1)
        self.by_bar = nn.Conv1d(wide, wide, bar, stride=bar)
        self.whole = nn.Linear(wide * config.bars + config.bars**2 + 1, wide)
        self.verdict = nn.Linear(wide, 1)
        if config.spectral:
            for module in self.modules():
                if isinstance(module, nn.Conv1d | nn.Linear):
                    nn.utils.parametrizations.spectral_norm(module)

    def streams(self, rolls: Float[Tensor, "batch 2 track step pitch"]) -> list[Tensor]:
        """Hear in rolls more than their cells, each (batch, channel, step).

        Pitch classes that sound and that are struck; interval classes between each two tracks;
        moves within a track, from what sounds in the step before to what is struck, -12 to 12; how
        many notes are struck and sound.
        """
        onset, sustain = rolls[:, 0], rolls[:, 1]
        sounding = torch.einsum("btsp,tpc->btsc", sustain, self.chroma)
        struck = torch.einsum("btsp,tpc->btsc", onset, self.chroma)
        upper = sounding[:, self.other][..., self.turn]  # batch pair step class interval
        harmony = torch.einsum("bpsc,bpscd->bpsd", sounding[:, self.one], upper)
        before = F.pad(sustain[:, :, :-1], (0, 0, 1, 0))
        around = F.pad(onset, (WIDEST, WIDEST)).unfold(-1, MOVES, 1)  # batch track step pitch move
        moves = torch.einsum("btsp,btspd->btsd", before, around)
        laid = [x.transpose(2, 3).flatten(1, 2) for x in (sounding, struck, harmony, moves)]
        return [*laid, onset.sum(dim=-1), sustain.sum(dim=-1)]

    def forward(self, rolls: Float[Tensor, "batch 2 track step pitch"]) -> Float[Tensor, " batch"]:
        """Judge phrases."""
        config = self.config
        parts = [rolls.transpose(3, 4).flatten(1, 3)]  # batch channel step
        if config.streams:
            parts += [part for part in self.streams(rolls) if part.shape[1]]
        x: Tensor = self.place
        for enter, part in zip(self.enter, parts, strict=True):
            beats = part.unflatten(2, (config.beats_of_phrase, config.beat_steps))
            x = x + enter(beats.transpose(2, 3).flatten(1, 2))  # batch hidden beat
        x = F.leaky_relu(self.blocks(x), SLOPE)
        local = self.by_beat(x).mean(dim=(1, 2))
        bars = F.leaky_relu(self.by_bar(x), SLOPE)  # batch hidden bar
        direction = F.normalize(bars, dim=1, eps=1e-4)
        alike = torch.einsum("bci,bcj->bij", direction, direction).flatten(1)
        deviation = (bars.var(dim=0, unbiased=False) + 1e-6).sqrt().mean().expand(len(bars), 1)
        whole = self.whole(torch.cat([bars.flatten(1), alike, deviation], dim=1))
        return local + self.verdict(F.leaky_relu(whole, SLOPE))[:, 0]
