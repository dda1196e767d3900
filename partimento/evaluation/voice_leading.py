"""Voice leading: what a teacher of counterpoint marks in four voices, counted.

`check_voices` counts in one piece, `find_parallels` says where parallels stand, `summary` compares
many pieces, `bach` gives the same figures for Bach's chorales. What is counted:

- **Parallel fifths and octaves**: from one step to the next two voices both move, in the same
  direction, from a perfect fifth to a perfect fifth, or from an octave to an octave. Intervals
  count modulo the octave: twelfths are fifths, unisons are octaves.
- **Contrary fifths and octaves**: the same, but the two voices move in opposite directions (fifth
  to twelfth, octave to unison).
- **Crossings**: moments at which a voice comes to lie below the next lower voice.
- **Wide spacings**: moments at which soprano and alto, or alto and tenor, come to lie more than an
  octave apart.
- **Out of range**: notes outside the range that Bach gives the voice (`RANGES`).

All of them are counted where both voices sound, as events (what lasts counts once), and given for
100 beats; a beat is a quarter of the grid.

A piece **ends on a cadence** where its last chord is the tonic triad in root position, with its
third (of either mode: Picardy), and in the `CADENCE_BEATS` beats before that chord begins there is
a chord of the dominant (V or vii, with or without seventh, in any position) or the subdominant (IV,
major or minor, or ii7 in any position). Suspensions and passing notes over the last bass note
belong to the last chord. The key is estimated (`partimento.music.keys.key_of_voices`)
unless it is given.

**In key** is the share of notes that belong to the key's scale; in minor the raised sixth and
seventh belong to it.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from partimento.errors import MusicError, ParameterError
from partimento.music.chords import NAMES, match_chords
from partimento.music.four_voices import RANGES, SILENT, VOICES, FourVoices
from partimento.music.keys import key_of_voices, share_in_key
from partimento.music.notes import Notes
from partimento.music.score import Key

PAIRS = tuple((upper, lower) for lower in range(len(VOICES)) for upper in range(lower))
FIFTH, OCTAVE = 7, 0
WIDEST = 12  # semitones between neighbours of the three upper voices
CADENCE_BEATS = 4
RATES = (
    "parallel_fifths",
    "parallel_octaves",
    "contrary_fifths",
    "contrary_octaves",
    "crossings",
    "wide_spacings",
    "out_of_range",
)
MEASURES = (*RATES, "ends_on_cadence", "share_in_key")
BACH = Path(__file__).with_name("bach_voice_leading.json")
# Chords of the tonic's key that lead home: semitones of the root above the tonic, and qualities.
LEADING_HOME = {
    **dict.fromkeys([(7, quality) for quality in ("", "7", "9", "7b9", "7sus4", "aug", "5")]),
    **dict.fromkeys([(11, quality) for quality in ("dim", "dim7", "m7b5")]),
    **dict.fromkeys([(5, quality) for quality in ("", "m", "maj7", "m7", "add9")]),
    **dict.fromkeys([(2, quality) for quality in ("m7", "m7b5")]),
}
RESAMPLES, CONFIDENCE = 10_000, 0.95


class Parallel(NamedTuple):
    """Two voices that move in parallel: voices as in `VOICES`, the step they arrive at."""

    step: int
    upper: int
    lower: int
    is_octave: bool
    is_contrary: bool


@dataclass(frozen=True)
class VoiceLeading:
    """What was counted in one piece; the module says how.

    Attributes
    ----------
    beats : float
    parallel_fifths, parallel_octaves, contrary_fifths, contrary_octaves : int
    crossings, wide_spacings, out_of_range : int
    ends_on_cadence : bool
    share_in_key : float
        0 to 1.
    """

    beats: float
    parallel_fifths: int
    parallel_octaves: int
    contrary_fifths: int
    contrary_octaves: int
    crossings: int
    wide_spacings: int
    out_of_range: int
    ends_on_cadence: bool
    share_in_key: float

    def figures(self) -> dict[str, float]:
        """Give what is counted for 100 beats, the cadence as 1 or 0, and the share in key."""
        rates = {name: 100 * getattr(self, name) / self.beats for name in RATES}
        return rates | {
            "ends_on_cadence": float(self.ends_on_cadence),
            "share_in_key": self.share_in_key,
        }

    def text(self) -> str:
        """Say the parallels beside Bach's, and the end, in a line."""
        own, ours = bach()["measures"], self.figures()
        said = []
        for name in ("parallel_fifths", "parallel_octaves"):
            low, high = own[name]["of_pieces_95"]
            count = getattr(self, name)
            said.append(
                f"{count} {name.replace('_', ' ')} ({ours[name]:.1f} for 100 beats; Bach's "
                f"chorales {low:.1f}-{high:.1f})"
            )
        return ", ".join(said) + (
            ", ends on a cadence" if self.ends_on_cadence else ", ends on no cadence"
        )


def check_voices(voices: FourVoices, key: Key | None = None) -> VoiceLeading:
    """Count what stands in the head of this module.

    Parameters
    ----------
    voices
        With at least one note; voices may rest.
    key
        At the pitches of `voices`; by default estimated.
    """
    pitch = voices.pitch
    notes = _all_notes(voices)
    if not len(notes):
        raise MusicError("no notes, nothing to check: the voices rest throughout")
    key = key or key_of_voices(voices)
    parallels = find_parallels(voices)
    sounds = pitch != SILENT
    both = sounds[:, :-1] & sounds[:, 1:]  # step, pair of neighbours
    gap = pitch[:, :-1] - pitch[:, 1:]
    low, high = np.array(RANGES).T
    is_outside = (pitch < low) | (pitch > high)
    return VoiceLeading(
        beats=len(voices) / voices.steps_per_quarter,
        parallel_fifths=sum(not p.is_octave and not p.is_contrary for p in parallels),
        parallel_octaves=sum(p.is_octave and not p.is_contrary for p in parallels),
        contrary_fifths=sum(not p.is_octave and p.is_contrary for p in parallels),
        contrary_octaves=sum(p.is_octave and p.is_contrary for p in parallels),
        crossings=_beginnings(both & (gap < 0)),
        wide_spacings=_beginnings((both & (gap > WIDEST))[:, :2]),
        out_of_range=int((voices.is_struck & is_outside).sum()),
        ends_on_cadence=ends_on_cadence(voices, key),
        share_in_key=share_in_key(notes, key),
    )


def find_parallels(voices: FourVoices) -> list[Parallel]:
    """Find parallel and contrary fifths and octaves, in order.

    Examples
    --------
    >>> table = np.array([[67, -1, -1, 48], [69, -1, -1, 50]])
    >>> find_parallels(FourVoices(table, np.ones_like(table, dtype=bool)))
    [Parallel(step=1, upper=0, lower=3, is_octave=False, is_contrary=False)]
    """
    pitch = voices.pitch
    upper, lower = np.array(PAIRS).T
    sounds = pitch != SILENT
    both = sounds[:, upper] & sounds[:, lower]  # step pair
    interval = (pitch[:, upper] - pitch[:, lower]) % 12
    moves = np.sign(np.diff(pitch, axis=0))
    first, second = moves[:, upper], moves[:, lower]
    is_same = (interval[1:] == interval[:-1]) & both[1:] & both[:-1] & (first * second != 0)
    found = []
    for step, pair in np.argwhere(is_same & np.isin(interval[1:], (FIFTH, OCTAVE))).tolist():
        is_octave = bool(interval[step + 1, pair] == OCTAVE)
        is_contrary = bool(first[step, pair] != second[step, pair])
        found.append(Parallel(step + 1, *PAIRS[pair], is_octave, is_contrary))
    return found


def ends_on_cadence(voices: FourVoices, key: Key) -> bool:
    """Whether the last chord is the tonic in root position, and one that leads home precedes."""
    sounding = np.flatnonzero((voices.pitch != SILENT).any(axis=1))
    if not len(sounding):
        return False
    pitch = voices.pitch[: sounding[-1] + 1]
    root, quality, bass, others = match_chords(pitch)
    is_triad = (quality == NAMES.index("")) | (quality == NAMES.index("m"))
    is_home = is_triad & (root == key.tonic) & (bass == key.tonic) & (others == 0)
    has_third = _has(pitch, key.tonic + 3) | _has(pitch, key.tonic + 4)
    if not (is_home & has_third)[-1]:
        return False
    # The last chord begins where its bass did, whatever is suspended over it.
    lowest = np.where(pitch == SILENT, 127, pitch).min(axis=1)
    differs = np.flatnonzero(lowest % 12 != lowest[-1] % 12)
    begins = int(differs[-1]) + 1 if len(differs) else 0
    # Over a bass that does not move (a plagal end) what leads home may sound within.
    before = slice(max(0, begins - CADENCE_BEATS * voices.steps_per_quarter), len(pitch))
    degree = (root[before] - key.tonic) % 12
    chords = zip(degree.tolist(), quality[before].tolist(), strict=True)
    return any((step, NAMES[kind]) in LEADING_HOME for step, kind in chords if kind < len(NAMES))


def summary(pieces: Sequence[VoiceLeading], seed: int = 0) -> dict[str, Any]:
    """Compare many pieces: of each measure the mean and two intervals of 95 %.

    Parameters
    ----------
    seed
        Of the bootstrap.

    Returns
    -------
    dict
        ``pieces``, ``beats``, and under ``measures`` for each of `MEASURES`: ``mean``, the mean of
        the pieces; ``of_mean_95``, where it would lie for other pieces of this kind (percentile
        bootstrap over pieces); ``of_pieces_95``, where 95 % of the single pieces lie.

    References
    ----------
    Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.
    """
    if not pieces:
        raise ParameterError("no pieces: summary needs at least one")
    table = np.array([list(piece.figures().values()) for piece in pieces])  # piece measure
    generator = np.random.default_rng(seed)
    drawn = generator.integers(0, len(pieces), size=(RESAMPLES, len(pieces)))
    tails = np.array([(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    measures = {}
    for name, column in zip(MEASURES, table.T, strict=True):
        measures[name] = {
            "mean": float(column.mean()),
            "of_mean_95": np.quantile(column[drawn].mean(axis=1), tails).tolist(),
            "of_pieces_95": np.quantile(column, tails).tolist(),
        }
    beats = float(sum(piece.beats for piece in pieces))
    return {"pieces": len(pieces), "beats": beats, "measures": measures}


@cache
def bach() -> dict[str, Any]:
    """Read Bach's own figures: `summary` of the 77 test chorales, and the command that made it."""
    figures: dict[str, Any] = json.loads(BACH.read_bytes())
    return figures


def as_dict(piece: VoiceLeading) -> dict[str, Any]:
    """Give counts and figures as plain values for JSON."""
    return asdict(piece) | {"for_100_beats": {n: piece.figures()[n] for n in RATES}}


def _all_notes(voices: FourVoices) -> Notes:
    tables = voices.notes(voices.steps_per_quarter)
    onset, duration, pitch = (
        np.concatenate([getattr(notes, name) for notes in tables])
        for name in ("onset", "duration", "pitch")
    )
    return Notes(onset, duration, pitch)


def _beginnings(is_so: np.ndarray) -> int:
    """Count where something comes to be so; shape (step, pair)."""
    before = np.concatenate([np.zeros((1, is_so.shape[1]), dtype=bool), is_so[:-1]])
    return int((is_so & ~before).sum())


def _has(pitch: np.ndarray, tone: int) -> np.ndarray:
    """Whether a pitch class sounds; bool, shape (step,)."""
    return np.asarray(((pitch != SILENT) & (pitch % 12 == tone % 12)).any(axis=1))
