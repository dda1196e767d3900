"""Comparison: what a model makes, beside tunes by people that it has not seen.

`compare` samples melodies from a model and takes as many bars of held-out tunes, and sets side by
side what they are like (`statistics`), how surprised the model is by them, and how long the runs
are that they share with the training tunes (`memorisation`).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from partimento.data import MelodyData
from partimento.data.folds import deal
from partimento.data.note_runs import hashed_runs
from partimento.errors import DataError, ParameterError
from partimento.evaluation.distances import jensen_shannon, overlap, set_overlap
from partimento.evaluation.memorisation import (
    SharedRun,
    SharedRuns,
    copying,
    copying_text,
    longest_shared_runs,
    training_runs,
)
from partimento.evaluation.statistics import NAMES, histograms, measure
from partimento.music.score import Meter, Score
from partimento.music.timing import BarMap

HELD_OUT = ("valid", "test")
MOST = 10_000  # melodies


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation over melodies."""

    mean: float
    deviation: float

    @classmethod
    def of(cls, values: Sequence[float] | np.ndarray) -> "Spread":
        """Describe some numbers, at least one."""
        return cls(float(np.mean(values)), float(np.std(values)))

    def __str__(self) -> str:
        return f"{self.mean:.2f} ± {self.deviation:.2f}"


@dataclass(frozen=True)
class StatisticPair:
    """One statistic of both sets; `overlap` is that of `distances.set_overlap`."""

    generated: Spread
    held_out: Spread
    overlap: float


@dataclass(frozen=True)
class HistogramPair:
    """How far two histograms are apart: 0 bits and overlap 1 where they are alike."""

    jensen_shannon_bits: float
    overlap: float


@dataclass(frozen=True)
class Surprise:
    """Nats of a model over whole melodies, all steps and notes weighing alike."""

    melodies: int
    nats_per_step: float
    nats_per_note: float


@dataclass(frozen=True)
class Comparison:
    """What `compare` found.

    Attributes
    ----------
    model, hash : str
    split : str
    bars, seed : int
    settings : dict
        Of the sampling.
    generated, held_out, too_short : int
        Melodies on both sides, and held-out tunes of fewer bars, which have no statistics here.
    statistics : dict of str to StatisticPair
        By the names of `MelodyStatistics`.
    histograms : dict of str to HistogramPair
        Intervals, lengths, degrees.
    likelihood : dict of str to Surprise
        Of ``held_out`` tunes, whole, and of what the model ``generated`` itself.
    memorisation : dict of str to SharedRuns
        Of ``generated`` and ``held_out`` melodies; empty where no training tunes are known.
    """

    model: str
    hash: str
    split: str
    bars: int
    seed: int
    settings: dict[str, Any]
    generated: int
    held_out: int
    too_short: int
    statistics: dict[str, StatisticPair]
    histograms: dict[str, HistogramPair]
    likelihood: dict[str, Surprise]
    memorisation: dict[str, SharedRuns]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    def text(self) -> str:
        """Lay the figures out as tables."""
        lines = [
            f"{self.generated} generated melodies of {self.bars} bars (seed {self.seed}) beside "
            f"the last {self.bars} bars of {self.held_out} {self.split} tunes"
            + (f" ({self.too_short} shorter left out)" if self.too_short else ""),
            "",
            f"{'':24}{'generated':>16}{'held-out':>16}{'overlap':>9}",
        ]
        for name, pair in self.statistics.items():
            words = name.replace("_qn", " (quarters)").replace("_", " ")
            both = f"{pair.generated!s:>16}{pair.held_out!s:>16}"
            lines.append(f"{words:24}{both}{pair.overlap:9.2f}")
        lines += ["", f"{'histogram of':24}{'JS divergence':>16}{'overlap':>16}"]
        for name, distance in self.histograms.items():
            bits = f"{distance.jensen_shannon_bits:.3f} bits"
            lines.append(f"{name:24}{bits:>16}{distance.overlap:16.2f}")
        lines += ["", f"{'surprise of the model':24}{'nats a step':>16}{'nats a note':>16}"]
        for name, surprise in self.likelihood.items():
            words = f"{name.replace('_', '-')} ({surprise.melodies})"
            lines.append(f"{words:24}{surprise.nats_per_step:16.4f}{surprise.nats_per_note:16.3f}")
        if self.memorisation:
            lines += ["", *copying_text(self.memorisation)]
        return "\n".join(lines)


@dataclass(frozen=True)
class Copied:
    """What `compare_with_training` found: runs that samples share with the training tunes."""

    model: str
    hash: str
    bars: int
    seed: int
    settings: dict[str, Any]
    generated: int
    memorisation: dict[str, SharedRuns]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    def text(self) -> str:
        """Lay the figures out as a table."""
        lines = [f"{self.generated} generated melodies of {self.bars} bars (seed {self.seed})", ""]
        lines += copying_text(self.memorisation)
        lines += ["", "With --data, the same of held-out tunes by people, and more, beside it."]
        return "\n".join(lines)


def compare_with_training(
    model: Any, *, count: int = 100, bars: int = 16, seed: int = 0, **settings: Any
) -> Copied:
    """Say how far what a model makes copies its training tunes, by their hashes alone.

    Raises `DataError` where the model's checkpoint carries none.
    """
    _check_sampling(count, bars, seed)
    training = training_runs(model)
    if training is None:
        raise DataError(
            f"{model.name} carries no hashes of its training tunes (training.npz), so that nothing "
            "can be said without music: give held-out tunes, --data"
        )
    generated = model.sample_many(count, bars, seed=seed, **settings)
    runs = copying({"generated": generated}, training)
    return Copied(model.name, model.hash, bars, seed, settings, count, runs)


def copying_words(model: Any, data: MelodyData, *, count: int = 40, seed: int = 0) -> str:
    """Say in a line how far a model that was just trained copies, beside tunes by people.

    Parameters
    ----------
    model
        Whose checkpoint carries hashes of its training tunes.
    data
        What it was trained on: the held-out tunes share runs with the training tunes, too. Where
        folds were held out, each tune is compared with those of the other folds.
    count
        Melodies to sample, of 16 bars or of 8 where the tunes are shorter.
    """
    training = training_runs(model)
    known = [piece for piece in data.pieces if piece.split != "test"]
    sides = deal(known) if model.checkpoint.config["figures"].get("folds") else []
    tunes = known if sides else data.split("valid")
    bars = next((b for b in (16, 8) if len(_last_bars([p.score for p in tunes], b)) >= 2), 4)
    meters = [piece.score for piece in tunes]
    generated = sample_like(model, meters, count, bars, seed)
    assert training is not None
    ours = copying({"generated": generated}, training)["generated"]
    if sides:
        runs: list[SharedRun] = []
        for side in sides:
            rest = hashed_runs(p.score for other in sides if other is not side for p in other)
            runs += longest_shared_runs(_last_bars([p.score for p in side], bars), rest)
        theirs = SharedRuns.of(runs, training) if runs else None
    else:
        held_out = _last_bars([piece.score for piece in tunes], bars)
        theirs = copying({"held_out": held_out}, training).get("held_out")
    words = (
        f"{count} melodies of {bars} bars share {ours.mean:.1f} notes in a row with a training "
        f"tune on average, {ours.longest} at most"
    )
    if theirs is None:
        return words
    return f"{words}; tunes by people that were held out: {theirs.mean:.1f}, {theirs.longest}"


def compare(
    model: Any,
    data: MelodyData,
    *,
    split: str = "valid",
    count: int = 100,
    bars: int = 16,
    seed: int = 0,
    **settings: Any,
) -> Comparison:
    """Set what a melody model makes beside held-out tunes.

    Parameters
    ----------
    model
        From `partimento.load`, with the verbs `sample` and `likelihood`.
    data
        Tunes, found by rules that fit the model's representation.
    split
        ``"valid"`` or ``"test"``: which tunes to compare with. Copying is looked for in the tunes
        that the model's checkpoint says it was trained on, or else in the ``"train"`` tunes.
    count
        Melodies to sample, in the meters of the held-out tunes, in their proportions.
    bars
        Length of the sampled melodies; held-out tunes are compared by as many of their last bars,
        since repetition grows with length. Shorter ones are left out (but not of the likelihood).
    seed
        Of the sampling and of the choice of meters.
    **settings
        Of the sampling: ``temperature``, ``top_p`` and so on.

    Raises
    ------
    ParameterError, DataError
        If a parameter is out of range, or too few tunes are that long.
    """
    if split not in HELD_OUT:
        raise ParameterError(f"split must be valid or test, got {split!r}")
    _check_sampling(count, bars, seed)
    tunes = [piece.score for piece in data.split(split)]
    held_out = _last_bars(tunes, bars)
    if len(held_out) < 2:
        raise DataError(
            f"{len(held_out)} of {len(tunes)} {split} tunes have {bars} bars: at least 2 are "
            "needed. Compare fewer bars (--bars), or more data (--data)"
        )
    generated = sample_like(model, held_out, count, bars, seed, **settings)
    training = training_runs(model) or [piece.score for piece in data.split("train")]
    both = {"generated": generated, "held_out": held_out}
    return Comparison(
        model=model.name,
        hash=model.hash,
        split=split,
        bars=bars,
        seed=seed,
        settings=settings,
        generated=len(generated),
        held_out=len(held_out),
        too_short=len(tunes) - len(held_out),
        statistics=_statistics(generated, held_out),
        histograms=_histograms(generated, held_out),
        likelihood={"held_out": _surprise(model, tunes), "generated": _surprise(model, generated)},
        memorisation=copying(both, training) if training else {},
    )


def sample_like(
    model: Any, tunes: Sequence[Score], count: int, bars: int, seed: int, **settings: Any
) -> list[Score]:
    """Sample melodies in the meters of some tunes, each as often as there."""
    meters = [tune.meter._replace(tick=0) for tune in tunes]
    drawn = np.random.default_rng(seed).integers(len(meters), size=count)
    wanted: dict[Meter, int] = {}
    for index in drawn.tolist():
        wanted[meters[index]] = wanted.get(meters[index], 0) + 1
    made: list[Score] = []
    for meter, times in sorted(wanted.items()):
        made += model.sample_many(times, bars, seed=seed + len(made), meter=meter, **settings)
    return made


def _check_sampling(count: int, bars: int, seed: int) -> None:
    if not 2 <= count <= MOST:
        raise ParameterError(f"count must be 2 to {MOST:,}, got {count}")
    if seed < 0:
        raise ParameterError(f"seed must be 0 or more, got {seed}")
    if not 1 <= bars <= 1024:
        raise ParameterError(f"bars must be 1 to 1024, got {bars}")


def _last_bars(tunes: Sequence[Score], bars: int) -> list[Score]:
    """Cut tunes that are long enough to their last bars."""
    long_enough = [tune for tune in tunes if BarMap.of(tune).count(tune.end_tick) >= bars]
    cut = [tune.slice(-bars) for tune in long_enough]
    return [tune for tune in cut if tune.num_notes]


def _statistics(generated: Sequence[Score], held_out: Sequence[Score]) -> dict[str, StatisticPair]:
    ours, theirs = ([measure(score) for score in scores] for scores in (generated, held_out))
    pairs = {}
    for name in NAMES:
        one, other = (np.array([getattr(m, name) for m in many]) for many in (ours, theirs))
        pairs[name] = StatisticPair(Spread.of(one), Spread.of(other), set_overlap(one, other))
    return pairs


def _histograms(generated: Sequence[Score], held_out: Sequence[Score]) -> dict[str, HistogramPair]:
    ours, theirs = histograms(generated), histograms(held_out)
    return {
        name: HistogramPair(
            jensen_shannon(ours[name], theirs[name]), overlap(ours[name], theirs[name])
        )
        for name in ours
    }


def _surprise(model: Any, scores: Sequence[Score]) -> Surprise:
    measured = model.likelihood_of(scores)
    nats = sum(one.nats for one in measured)
    steps = sum(len(one.step_nats) for one in measured)
    notes = sum(len(one.note_nats) for one in measured)
    return Surprise(len(measured), nats / steps, nats / notes)
