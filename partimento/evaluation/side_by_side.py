"""Two pieces side by side in numbers: `side_by_side`, what `partimento compare` prints."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from partimento.evaluation.statistics import measure, notes_of
from partimento.music.keys import estimate_key
from partimento.music.pitches import pitch_name
from partimento.music.score import MAX_TICKS_PER_QUARTER, Score
from partimento.music.time_transforms import with_ticks_per_quarter
from partimento.music.timing import BarMap, TempoMap


@dataclass(frozen=True)
class SideBySide:
    """Figures of two pieces.

    Attributes
    ----------
    facts : dict of name to (str, str)
        Length, key, range and the like of A and B, in words.
    figures : dict of name to (float, float)
        Fields of `MelodyStatistics`, all pitched parts taken together; none where either piece has
        no pitched notes.
    common : int
        Notes with the same onset and pitch in both.
    of_a, of_b : float
        Which share of its notes that is.
    """

    facts: dict[str, tuple[str, str]]
    figures: dict[str, tuple[float, float]]
    common: int
    of_a: float
    of_b: float

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as `partimento compare --json` prints them."""
        return {
            "facts": {name: list(pair) for name, pair in self.facts.items()},
            "figures": {name: list(pair) for name, pair in self.figures.items()},
            "notes_in_common": self.common,
            "share_of_a": self.of_a,
            "share_of_b": self.of_b,
        }


def side_by_side(a: Score, b: Score) -> SideBySide:
    """Measure two pieces, and count the notes that they have in common."""
    a, b = in_common_ticks(a, b)
    facts = [_facts(score) for score in (a, b)]
    figures: dict[str, tuple[float, float]] = {}
    if len(notes_of(a)) and len(notes_of(b)):
        one, other = (asdict(measure(score)) for score in (a, b))
        figures = {name: (float(one[name]), float(other[name])) for name in one}
    shared_a, shared_b = (np.concatenate([*found, []]) for found in notes_in_both(a, b))
    common = int(shared_a.sum())
    return SideBySide(
        {name: (facts[0][name], facts[1][name]) for name in facts[0]},
        figures,
        common,
        common / max(1, len(shared_a)),
        float(shared_b.sum()) / max(1, len(shared_b)),
    )


def in_common_ticks(a: Score, b: Score) -> tuple[Score, Score]:
    """Write both in ticks of one length."""
    division = math.lcm(a.ticks_per_quarter, b.ticks_per_quarter)
    if division > MAX_TICKS_PER_QUARTER:  # no file is that fine: to the nearest tick of the finer
        division = max(a.ticks_per_quarter, b.ticks_per_quarter)
    one, other = (with_ticks_per_quarter(s, division, may_round=True) for s in (a, b))
    return one, other


def notes_in_both(a: Score, b: Score) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Find the notes that begin at the same tick, and have the same pitch, in both.

    Both must have ticks of one length.

    Returns
    -------
    of_a, of_b : list of bool arrays
        One a part, in order of its notes.
    """
    keys = [
        [part.notes.onset * 256 + part.notes.pitch + 128 * part.is_drum for part in score.parts]
        for score in (a, b)
    ]
    whole = [np.concatenate([*parts, np.zeros(0, dtype=np.int64)]) for parts in keys]
    return (
        [np.isin(part, whole[1]) for part in keys[0]],
        [np.isin(part, whole[0]) for part in keys[1]],
    )


def _facts(score: Score) -> dict[str, str]:
    notes = notes_of(score)
    names = [pitch_name(int(pitch), with_signs=True) for pitch in _ends(notes.pitch)]
    return {
        "bars": f"{BarMap.of(score).count(score.end_tick):,}",
        "seconds": f"{float(TempoMap.of(score).seconds(score.end_tick)):.1f}",
        "meter": str(score.meter),
        "parts": str(sum(len(part.notes) > 0 for part in score.parts)),
        "notes": f"{score.num_notes:,}",
        "key, by its notes": str(estimate_key(notes)) if len(notes) else "none",
        "range": " to ".join(names) or "none",
    }


def _ends(pitch: np.ndarray) -> list[int]:
    return [int(pitch.min()), int(pitch.max())] if len(pitch) else []
