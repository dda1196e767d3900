"""Thresholds of a finished `PhraseGenerator`: how often each track strikes, holds and doubles.

A binary neuron says yes where its logit is above 0, and averaged weights make logits tamer than the
critic ever saw: fast passages get lost. So when training is over, the biases of the rhythm are set
anew, one for each track, kind and place in the beat, until the shares of yes are those of the
training phrases. Nothing else of what was learned is touched.
"""

import numpy as np
import torch
from torch import Tensor

from partimento.networks.phrase_gan import HOLD, RHYTHM, SECOND, STRIKE, PhraseGenerator
from partimento.representations.phrases import ONSET, SUSTAIN

ROUNDS = 3
WRITTEN = 1000  # phrases that biases are set by
AT_ONCE = 100
FEWEST = 50  # steps that a share is counted over


def set_rates(generator: PhraseGenerator, phrases: np.ndarray) -> None:
    """Set the biases of the rhythm, in place.

    Parameters
    ----------
    phrases
        Of training, bool (phrase, 2, track, step, pitch).
    """
    generator.eval()
    steps = generator.config.beat_steps
    asked = rates(phrases, steps)
    biases = [weights for name, weights in generator.rhythm.named_parameters() if "bias" in name]
    for kind in list(range(RHYTHM)) * ROUNDS:  # holding depends on striking, and on having held
        logits, struck, sounds = _rhythm(generator)
        could = by_place(chances(struck, sounds)[0], steps)[kind]  # phrase track beat place
        logits = by_place(logits, steps)[kind]
        for track, place in np.ndindex(asked.shape[1:]):
            found = logits[:, track, :, place][could[:, track, :, place]]
            share = asked[kind, track, place]
            if len(found) < FEWEST or np.isnan(share):
                continue
            with torch.no_grad():
                bias = biases[track]
                bias[kind * steps + place] -= float(np.quantile(found, 1 - share))


def rates(phrases: np.ndarray, beat_steps: int) -> np.ndarray:
    """Count how often each track strikes, holds on and plays two notes, where it could.

    Returns
    -------
    rates : float array, shape (kind, track, place in the beat)
        NaN where it hardly ever could.
    """
    struck, sounds = phrases[:, ONSET].sum(axis=-1), np.asarray(phrases[:, SUSTAIN].any(axis=-1))
    could, did = (by_place(found, beat_steps).sum(axis=(1, 3)) for found in chances(struck, sounds))
    return np.where(could < FEWEST, np.nan, did / np.maximum(could, 1))


def chances(struck: np.ndarray, sounds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Say where a track could strike, hold on or play two notes, and where it did.

    Parameters
    ----------
    struck
        Notes that are struck, shape (phrase, track, step).
    sounds
        Whether the track sounds, of the same shape.

    Returns
    -------
    could, did : bool arrays, shape (kind, phrase, track, step)
    """
    before = np.zeros_like(sounds)
    before[..., 1:] = sounds[..., :-1]
    could = np.stack([np.ones_like(sounds), before & (struck == 0), struck > 0])
    return could, could & np.stack([struck > 0, sounds, struck > 1])


def by_place(found: np.ndarray, beat_steps: int) -> np.ndarray:
    """Split the steps, the last axis, into beats and places in them."""
    return found.reshape(*found.shape[:-1], -1, beat_steps)


def _rhythm(generator: PhraseGenerator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Write the rhythm of phrases from nothing.

    Returns
    -------
    logits : float array, shape (kind, phrase, track, step)
    struck, sounds
        As in `chances`.
    """
    config = generator.config
    kept: list[list[Tensor]] = [[] for _ in range(config.tracks)]
    hooks = [
        module.register_forward_hook(lambda _, __, found, kept=kept[track]: kept.append(found))
        for track, module in enumerate(generator.rhythm)
    ]
    draws = torch.Generator().manual_seed(0)
    rows, decided = [], []
    shape = 2, config.tracks, config.steps, config.pitches
    device = next(generator.parameters()).device
    nothing = torch.zeros(AT_ONCE, *shape, device=device)
    is_given = torch.zeros(AT_ONCE, config.tracks, device=device)
    with torch.inference_mode():
        for _ in range(WRITTEN // AT_ONCE):
            z = torch.randn(AT_ONCE, config.noise_size, generator=draws).to(device)
            rhythm, _ = generator.decide(z, nothing, is_given)
            decided.append(rhythm.cpu().numpy() > 0.5)  # phrase track kind step
    for hook in hooks:
        hook.remove()
    for found in kept:
        laid = torch.cat(found).unflatten(1, (RHYTHM, config.beat_steps)).transpose(2, 3)
        rows.append(laid.flatten(2).float().cpu().numpy())
    start = np.array([STRIKE, HOLD, SECOND])[:, None, None, None]
    logits = np.stack(rows, axis=1).transpose(2, 0, 1, 3) + start
    strikes, holds, doubles = np.moveaxis(np.concatenate(decided), 2, 0)
    sounds = strikes.copy()
    for step in range(1, sounds.shape[-1]):
        sounds[..., step] |= holds[..., step] & sounds[..., step - 1]
    return logits, strikes.astype(np.int64) + (strikes & doubles), sounds


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
