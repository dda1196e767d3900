"""What a melody network plays while it learns: always the same primer and the same seed.

`Learning` reads what a run has kept and puts the samples in a row; `primer_of` and `player` are
what training makes them with.

`primer_of` takes the opening of a held-out melody, so that the network is asked to go on with music
of the kind it is shown, in its meter and range, that it is never trained on.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from partimento.data import Piece
from partimento.errors import EnvironmentFault, PartimentoError, TrainingError
from partimento.generation.constraints import Constraints
from partimento.generation.continuation import continue_score, sample_scores
from partimento.generation.hearing import Heard, hear
from partimento.generation.sampling import Sampling
from partimento.music.notation import seq
from partimento.music.provenance import read_stamps, stamp
from partimento.music.score import Score, Text
from partimento.music.timing import BarMap, TempoMap
from partimento.representations.melody import MelodyRepresentation
from partimento.training.samples import Sample, read_log, read_samples

PRIMER_BARS, BARS = 2, 6
BASELINES = {"uniform": "by chance", "counts": "by counts", "five_gram": "by a 5-gram"}
FEWEST_NOTES, FEWEST_PITCHES = 4, 3
USUAL = "c4:q d4:q e4:q c4:q e4:q f4:q g4:h"  # where no held-out melody will do


def primer_of(pieces: Sequence[Piece]) -> Score:
    """Take the first two bars of a held-out melody.

    Of those in the commonest meter it is the first that begins on the beat and has four notes and
    three pitches or more in these bars.
    """
    held_out = [piece.score for piece in pieces if piece.split == "valid"]
    meters = Counter(str(score.meter) for score in held_out)
    for meter, _ in meters.most_common():
        for score in held_out:
            if str(score.meter) != meter or len(score.meter_map) > 1:
                continue
            opening = score.slice(0, PRIMER_BARS)
            notes = opening.parts[0].notes
            if (
                len(notes) >= FEWEST_NOTES
                and notes.onset[0] == 0
                and len(set(notes.pitch.tolist())) >= FEWEST_PITCHES
            ):
                return opening
    return seq(USUAL)


def primer_kept(run: Path) -> Score | None:
    """Take the primer of a run's samples, `None` where it has none: a run that goes on keeps it."""
    for sample in read_samples(run)[0]:
        if end := primer_end_of(sample.score):
            primer = sample.score.slice(0, end, unit="ticks")
            return replace(primer, remarks=())
    return None


def player(
    representation: MelodyRepresentation, primer: Score, *, seed: int, name: str
) -> Callable[[Any], Score]:
    """Make the function that has an engine go on from the primer.

    Parameters
    ----------
    representation
        Of the network that will play.
    primer
        Where the vocabulary has no place for it, the network begins from nothing.
    seed, name
        Of the draws; of the model, for the stamp.

    Returns
    -------
    play
        From an engine to a score: the primer and `BARS` new bars.
    """
    facts = {"model": name, "seed": seed, "settings": {"bars": BARS, "temperature": 1.0}}
    heard = _heard(primer, representation)
    sampling, constraints = Sampling(), Constraints()

    def go_on(engine: Any) -> Score:
        assert heard is not None
        made = continue_score(engine, heard, BARS, [seed], sampling, constraints)[0]
        end = primer.end_tick * made.ticks_per_quarter // primer.ticks_per_quarter
        return stamp(made, {**facts, "verb": "continue", "primer_end_tick": end})

    def begin(engine: Any) -> Score:
        made = sample_scores(engine, representation, BARS, [seed], sampling, constraints)[0]
        return stamp(made, {**facts, "verb": "sample"})

    return begin if heard is None else go_on


def _heard(primer: Score, representation: MelodyRepresentation) -> Heard | None:
    try:
        heard = hear(primer, representation)
        heard.grid(more_bars=BARS)  # refuses a meter that the grid cannot hold
    except PartimentoError:
        return None
    return heard


@dataclass(frozen=True)
class Learning:
    """What a run has left of its learning: samples, losses, baselines.

    Attributes
    ----------
    name : str
        Of the model.
    is_finished : bool
    samples : list of Sample
        In order; the best weights last.
    held_out, training : list of (int, float)
        Steps and nats a step, from the log and the samples together.
    baselines : dict of str to float
        Nats a step; only a finished run knows them.
    problems : list of str
        Files passed over.
    """

    name: str
    is_finished: bool
    samples: list[Sample]
    held_out: list[tuple[int, float]]
    training: list[tuple[int, float]]
    baselines: dict[str, float]
    problems: list[str]

    @classmethod
    def of(cls, run: Path) -> "Learning":
        """Read a run folder, under way or finished.

        Raises
        ------
        TrainingError
            If it is none, or has no sample yet.
        """
        if not run.is_dir():
            raise TrainingError(f"{run} is no folder: give the --out of a `partimento train`")
        asked = _json(run / "run.json")
        if asked is None:
            where = run.parent if (run / "config.json").exists() else run
            raise TrainingError(
                f"{run} is not the folder of a run (there is no run.json in it): give the --out of "
                "a `partimento train`"
                + (f", maybe {where}" if (where / "run.json").exists() else "")
            )
        samples, problems = read_samples(run)
        if not samples:
            raise TrainingError(
                f"{run} has no sample to hear"
                + (
                    f": {problems[0]}"
                    if problems
                    else " yet: the first comes before the first step"
                )
            )
        if samples[-1].is_best:  # the last step's weights may be the best: heard once
            best = samples[-1].step
            samples = [*(s for s in samples[:-1] if s.step != best), samples[-1]]
        log = read_log(run / "log.jsonl")
        config = _json(run / "checkpoint" / "config.json")
        looks = {line["step"]: line.get("held_out_nats_per_step") for line in log}
        losses = {line["step"]: line.get("loss") for line in log}
        for sample in samples:
            for values, value in ((looks, sample.held_out), (losses, sample.loss)):
                if values.get(sample.step) is None:
                    values[sample.step] = value
        figures = (config or {}).get("figures", {})
        return cls(
            str(asked.get("name") or run.resolve().name),
            config is not None,
            samples,
            _known(looks),
            _known(losses),
            {
                words: float(figures[f"{name}_nats_per_step"])
                for name, words in BASELINES.items()
                if f"{name}_nats_per_step" in figures
            },
            problems,
        )

    @classmethod
    def watch(cls, run: Path | str, *, every: float = 5.0) -> "Learning":
        """Show a run in a notebook, and draw it anew while it trains, until it is finished.

        Ctrl-C (the notebook's stop) ends the watching; the training goes on.

        Parameters
        ----------
        every
            Seconds between two looks at the folder.
        """
        try:
            from IPython.display import HTML, display
        except ImportError:
            raise EnvironmentFault(
                "watching needs a notebook (IPython): elsewhere `partimento listen RUN --picture "
                "learning.svg` draws the same"
            ) from None
        learning = cls.of(Path(run))
        shown = display(HTML(learning._repr_html_()), display_id=True)
        try:
            while not learning.is_finished:
                time.sleep(every)
                learning = cls.of(Path(run))
                shown.update(HTML(learning._repr_html_()))
        except KeyboardInterrupt:
            pass
        return learning

    def svg(self) -> str:
        """Draw losses, and below them what was played."""
        from partimento.rendering.learning import Roll, learning_svg  # late, as in `Score`

        rolls = [
            Roll(s.step, self.caption(s), s.score, primer_end_of(s.score), s.is_best)
            for s in self.samples
        ]
        baselines = list(self.baselines.items())
        return learning_svg(self.title, self.held_out, self.training, baselines, rolls)

    def _repr_html_(self) -> str:
        """Show it in a notebook."""
        from partimento.rendering.notebook import scaled

        return scaled(self.svg())

    @property
    def title(self) -> str:
        """What to write above it."""
        return f"{self.name}: a network learns"

    def caption(self, sample: Sample) -> str:
        """Step and surprise of a sample, in words."""
        step = f"{'best weights, ' if sample.is_best else ''}step {sample.step:,}"
        near = self.look_near(sample)
        if near is None:
            return step
        when = "" if near[0] == sample.step else f" (at step {near[0]:,})"
        return f"{step}: held out {near[1]:.3f} nats a step{when}"

    def look_near(self, sample: Sample) -> tuple[int, float] | None:
        """Step and held-out loss of the last look up to a sample."""
        before = [look for look in self.held_out if look[0] <= sample.step]
        return before[-1] if before else None

    def starts_seconds(self) -> list[float]:
        """Seconds at which each sample begins in `score`."""
        score = self.score()
        tempo, markers = TempoMap.of(score), iter(score.markers)  # a primer may have its own
        captions = [self.caption(sample) for sample in self.samples]
        ticks = [next(tick for tick, words in markers if words == said) for said in captions]
        return [float(tempo.seconds(tick)) for tick in ticks]

    def score(self) -> Score:
        """All samples in a row, a bar of rest between, each with a marker."""
        scores = []
        for sample in self.samples:
            bar = int(BarMap.of(sample.score).start(1))
            marker = Text(0, self.caption(sample))
            scores.append(
                replace(
                    sample.score,
                    markers=(marker, *sample.score.markers),
                    remarks=(),
                    end_tick=sample.score.end_tick + bar,
                )
            )
        joined = scores[0].concat(*scores[1:], at_bar=True)
        end = joined.end_tick - int(BarMap.of(self.samples[-1].score).start(1))
        facts = {"verb": "listen", "model": self.name, "steps": [s.step for s in self.samples]}
        return stamp(replace(joined, end_tick=end, title=self.title), facts)


def primer_end_of(score: Score) -> int:
    """Tick at which a sample's primer ends; 0 where it has none."""
    ends = [facts.get("primer_end_tick") for facts in read_stamps(score)]
    return next((end for end in ends if type(end) is int and 0 < end < score.end_tick), 0)


def _known(values: dict[int, Any]) -> list[tuple[int, float]]:
    return [(step, float(values[step])) for step in sorted(values) if values[step] is not None]


def _json(file: Path) -> dict[str, Any] | None:
    """Content of a JSON file, `None` where it is missing or no object."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return content if isinstance(content, dict) else None
