"""Thresholds of a finished `PhraseGenerator`: how often each track rests, strikes, holds, doubles.

A binary neuron says yes where its logit is above 0, and averaged weights make logits tamer than the
critic ever saw: fast passages get lost. So when training is over, the biases of the binary neurons
are set anew, until as much comes of them as in the training phrases:

- for each track and place in the beat, the shares of steps that strike, hold on and double;
- for each track, the shares of bars that are silent or repeat an earlier one, and of sounding steps
  with more than one pitch. What is written decides here: where it has too much, less is aimed at.

Nothing else of what was learned is touched.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from partimento.music.phrase_statistics import double_stops, empty_bars, repeated_bars
from partimento.networks.phrase_gan import (
    AGAIN,
    HOLD,
    REST,
    RHYTHM,
    SECOND,
    STRIKE,
    PhraseGenerator,
)
from partimento.representations.phrases import ONSET, SUSTAIN

ROUNDS = 4  # of aiming, writing and looking
HOLD_ROUNDS = 3  # what can be held depends on what was
WRITTEN = 1000  # phrases that biases are set by
AT_ONCE = 100
FEWEST = 50  # steps that a share is counted over
FASTEST = 3.0  # times that an aim may grow or shrink in a round
STRIKES, HOLDS, SECONDS = range(RHYTHM)


class Shares(NamedTuple):
    """What phrases have, one number a track: see `music.phrase_statistics`."""

    empty_bars: np.ndarray
    repeated_bars: np.ndarray
    double_stops: np.ndarray

    @classmethod
    def of(cls, phrases: np.ndarray, bars: int) -> "Shares":
        """Count them in bool rolls, (phrase, 2, track, step, pitch)."""
        onset, sustain = phrases[:, ONSET], phrases[:, SUSTAIN]
        return cls(
            empty_bars(sustain, bars), repeated_bars(onset, sustain, bars), double_stops(sustain)
        )


def set_rates(generator: PhraseGenerator, phrases: np.ndarray) -> None:
    """Set the biases of the binary neurons, in place.

    Parameters
    ----------
    phrases
        Of training, bool (phrase, 2, track, step, pitch).
    """
    generator.eval()
    config = generator.config
    neurons = _Neurons(generator)
    asked = rates(phrases, config.beat_steps, config.bars)
    wanted = Shares.of(phrases, config.bars)
    aims = wanted
    more_seconds = np.ones(config.tracks)
    for _ in range(ROUNDS):
        neurons.aim(aims, asked, more_seconds)
        found = Shares.of(written(generator, WRITTEN), config.bars)
        factors = [
            np.clip(want / np.maximum(have, 1e-4), 1 / FASTEST, FASTEST)
            for want, have in zip(wanted, found, strict=True)
        ]
        aims = Shares(*(np.clip(a * f, 0, 1) for a, f in zip(aims, factors, strict=True)))
        more_seconds = more_seconds * factors[-1]


class _Neurons:
    """The binary neurons of a generator, and their logits in phrases from nothing.

    These do not depend on any threshold, so they are taken down once.
    """

    def __init__(self, generator: PhraseGenerator) -> None:
        self.config = config = generator.config
        names = ["rhythm", *(["rest"] * config.rests), *(["again"] * config.repeats)]
        modules = {name: list(getattr(generator, name)) for name in names}
        self.biases = {name: [module.bias for module in modules[name]] for name in names}
        self.learned = {
            name: [bias.detach().clone() for bias in self.biases[name]] for name in names
        }
        taken: dict[str, list[list[Tensor]]] = {name: [[] for _ in modules[name]] for name in names}
        hooks = [
            module.register_forward_hook(lambda _, __, out, kept=kept: kept.append(out.cpu()))
            for name in names
            for module, kept in zip(modules[name], taken[name], strict=True)
        ]
        written(generator, WRITTEN)
        for hook in hooks:
            hook.remove()
        laid = {
            name: np.stack([torch.cat(kept).float().numpy() for kept in tracks], axis=1)
            for name, tracks in taken.items()
        }  # phrase track channel beat, or bar
        rhythm = laid["rhythm"]
        count, tracks, _, beats = rhythm.shape
        rhythm = rhythm.reshape(count, tracks, RHYTHM, config.beat_steps, beats)
        start = np.array([STRIKE, HOLD, SECOND])[:, None, None, None, None]
        self.rhythm = rhythm.transpose(2, 0, 1, 4, 3) + start  # kind phrase track beat place
        self.bars = {
            name: laid[name][:, :, 0] + start
            for name, start in (("rest", REST), ("again", AGAIN))
            if name in names
        }

    def aim(self, aims: Shares, asked: np.ndarray, more_seconds: np.ndarray) -> None:
        """Set biases so that so many logits are above 0.

        Parameters
        ----------
        aims
            Shares of the bars that are to rest and to repeat; its double stops are not read.
        asked
            As by `rates`.
        more_seconds
            Times that the share of struck steps with a second note is taken, by track.
        """
        shape = self.rhythm.shape[1:]
        is_silent = np.zeros((*shape[:2], self.config.bars), dtype=bool)
        if "rest" in self.bars:
            above = self._cut("rest", aims.empty_bars)
            is_silent = self.bars["rest"] > above[:, None]
        if "again" in self.bars:
            self._cut("again", aims.repeated_bars)
        per_bar = shape[2] * shape[3] // self.config.bars
        may_strike = ~is_silent.repeat(per_bar, axis=-1).reshape(shape)
        strikes = may_strike & (self.rhythm[STRIKES] > self._place(STRIKES, may_strike, asked))
        holds = np.ones(shape, dtype=bool)
        for _ in range(HOLD_ROUNDS):
            sounds = _sounding(strikes, holds & may_strike)
            may_hold = _before(sounds) & ~strikes & may_strike
            holds = self.rhythm[HOLDS] > self._place(HOLDS, may_hold, asked)
        seconds = asked.copy()
        seconds[SECONDS] = np.minimum(seconds[SECONDS] * more_seconds[:, None], 1)
        self._place(SECONDS, strikes, seconds)

    def _cut(self, name: str, shares: np.ndarray) -> np.ndarray:
        """Set the biases of neurons of bars; return the logits above which they say yes."""
        logits = self.bars[name]
        if name == "again":
            logits = logits[:, :, 1:]  # the first has none before it
        cuts = np.array(
            [np.quantile(logits[:, track], 1 - share) for track, share in enumerate(shares)]
        )
        with torch.no_grad():
            for track, cut in enumerate(cuts):
                self.biases[name][track].copy_(self.learned[name][track] - float(cut))
        return cuts

    def _place(self, kind: int, could: np.ndarray, asked: np.ndarray) -> np.ndarray:
        """Set the biases of one kind of the rhythm; return as `_cut` does, (track, 1, place)."""
        tracks, places = self.config.tracks, self.config.beat_steps
        cuts = np.zeros((tracks, 1, places))
        for track, place in np.ndindex(tracks, places):
            found = self.rhythm[kind, :, track, :, place][could[:, track, :, place]]
            share = asked[kind, track, place]
            if len(found) >= FEWEST and not np.isnan(share):
                cuts[track, 0, place] = np.quantile(found, 1 - share)
            channel = kind * places + place
            with torch.no_grad():
                learned = self.learned["rhythm"][track][channel]
                self.biases["rhythm"][track][channel] = learned - float(cuts[track, 0, place])
        return cuts


def rates(phrases: np.ndarray, beat_steps: int, bars: int) -> np.ndarray:
    """Count how often each track strikes, holds on and plays two notes, where it could.

    It could strike in a bar that is not silent, hold on where it sounded and does not strike, and
    play two notes where it strikes.

    Returns
    -------
    rates : float array, shape (kind, track, place in the beat)
        NaN where it hardly ever could.
    """
    struck, sounds = phrases[:, ONSET].sum(axis=-1), np.asarray(phrases[:, SUSTAIN].any(axis=-1))
    in_bars = sounds.reshape(*sounds.shape[:-1], bars, -1)
    plays = np.broadcast_to(in_bars.any(axis=-1, keepdims=True), in_bars.shape)
    could = np.stack(
        [plays.reshape(sounds.shape), _before_step(sounds) & (struck == 0), struck > 0]
    )
    did = could & np.stack([struck > 0, sounds, struck > 1])
    counts = [
        found.reshape(*found.shape[:-1], -1, beat_steps).sum(axis=(1, 3)) for found in (could, did)
    ]
    return np.where(counts[0] < FEWEST, np.nan, counts[1] / np.maximum(counts[0], 1))


def written(generator: PhraseGenerator, count: int, seed: int = 0) -> np.ndarray:
    """Write phrases from nothing, always from the same noise: bool, as in `Phrases.rolls`."""
    generator.eval()
    config = generator.config
    device = next(generator.parameters()).device
    draws = torch.Generator().manual_seed(seed)
    shape = 2, config.tracks, config.steps, config.pitches
    made = []
    with torch.inference_mode():
        for start in range(0, count, AT_ONCE):
            rows = min(AT_ONCE, count - start)
            z = torch.randn(rows, config.noise_size, generator=draws).to(device)
            nothing = torch.zeros(rows, *shape, device=device)
            is_given = torch.zeros(rows, config.tracks, device=device)
            made.append((generator(z, nothing, is_given) > 0.5).cpu().numpy())
    return np.concatenate(made)


def _before_step(sounds: np.ndarray) -> np.ndarray:
    """Say whether a track sounded in the step before: (…, step)."""
    before = np.zeros_like(sounds)
    before[..., 1:] = sounds[..., :-1]
    return before


def _before(sounds: np.ndarray) -> np.ndarray:
    """Say the same of steps that lie in beats: (…, beat, place)."""
    return _before_step(sounds.reshape(*sounds.shape[:-2], -1)).reshape(sounds.shape)


def _sounding(strikes: np.ndarray, holds: np.ndarray) -> np.ndarray:
    """Say where a track sounds that strikes and holds on so: (…, beat, place)."""
    sounds = strikes.reshape(*strikes.shape[:-2], -1).copy()
    holds = holds.reshape(sounds.shape)
    for step in range(1, sounds.shape[-1]):
        sounds[..., step] |= holds[..., step] & sounds[..., step - 1]
    return sounds.reshape(strikes.shape)
