"""Pickups: learn the template of `partimento.music.pickup`, and measure it on known bar lines.

    python benchmarks/pickup.py [--learn] [--json]

``pickup_labels.json`` holds the upbeats of some tunes of irish-cre and open-hymnal, in sixteenths,
marked by reading them as text. The template is learned from these alone (``--learn`` writes it; it
needs PyTorch). It is measured on tunes it never saw: nottingham and leadsheets write the silence
before an upbeat, so their bar lines are known. Each is moved so that its first note stands at tick
0, as a file with lost bar lines has it, and the upbeat is estimated. Then the labelled tunes, each
by a template learned from the others. Last, every set as it is: how many of its files begin with
an upbeat that is clear.
"""

import argparse
import json
import zlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from partimento.data.found import WalkLimits
from partimento.data.melodies import is_one_voice
from partimento.data.sources import SourceFile, open_source
from partimento.errors import PartimentoError
from partimento.formats.midi import read_midi
from partimento.music import pickup
from partimento.music.notes import Notes
from partimento.music.pickup import FEATURES, LONGEST, STEPS_PER_QUARTER, estimate_pickup, profile
from partimento.music.score import Meter
from partimento.music.timing import ticks_to_steps

LABELS = Path(__file__).with_name("pickup_labels.json")
TEMPLATE = Path(pickup.__file__).with_name("pickup.json")
LABELLED = ("irish-cre:tune", "open-hymnal:tune+line")
KNOWN = ("nottingham:tune", "leadsheets:tune")
COUNTED = ("irish-cre:tune", "open-hymnal:tune+line", "mutopia:line", "openscore-lieder:song")
PENALTY = 0.3  # on squared weights
FOLDS = 5
SCALE = 100


class Tune(NamedTuple):
    """Melodies of a file that sound together, and their meter."""

    name: str
    voices: list[Notes]
    ticks_per_quarter: int
    meter: Meter
    is_plain: bool  # one meter throughout
    is_at_start: bool  # something sounds at tick 0

    @property
    def bar_steps(self) -> int:
        """Sixteenths of a bar."""
        return 16 * self.meter.numerator // self.meter.denominator

    @property
    def first(self) -> int:
        """Step of the first note."""
        first = min(int(notes.onset[0]) for notes in self.voices)
        return int(ticks_to_steps(np.array(first), self.ticks_per_quarter, STEPS_PER_QUARTER))

    def estimate(self) -> int:
        """Upbeat in sixteenths."""
        ticks = estimate_pickup(self.voices, self.ticks_per_quarter, self.meter)
        return ticks * STEPS_PER_QUARTER // self.ticks_per_quarter


def tunes(name: str) -> Iterable[Tune]:
    """Yield the files of a set that hold melodies."""
    for item in open_source(name).items(WalkLimits()):
        if not isinstance(item, SourceFile):
            continue
        try:
            score = read_midi(item.data)
        except PartimentoError:
            continue
        parts = [part for part in score.parts if len(part.notes)]
        numbers = [track.number for track in item.tracks or ()]
        voices = [parts[n].notes for n in numbers if is_one_voice(parts[n].notes, score)]
        if voices:
            division = score.ticks_per_quarter
            first = min(int(part.notes.onset[0]) for part in parts)
            yield Tune(
                item.name,
                voices,
                division,
                score.meter,
                is_plain=len(score.meter_map) == 1,
                is_at_start=2 * STEPS_PER_QUARTER * first < division,
            )


def from_first_note(tune: Tune) -> Tune:
    """Lose the silence before the upbeat, and with it the bar lines."""
    first = min(int(notes.onset[0]) for notes in tune.voices)
    moved = [
        Notes(notes.onset - first, notes.duration, notes.pitch, notes.velocity)
        for notes in tune.voices
    ]
    return tune._replace(voices=moved)


def learn(marked: list[tuple[Tune, int]]) -> dict[str, np.ndarray]:
    """Fit the template by penalised logistic regression over the upbeats looked for."""
    import torch

    weights = {}
    for (numerator, denominator), longest in LONGEST.items():
        name = f"{numerator}/{denominator}"
        counts, truth = [], []
        for tune, steps in marked:
            if (tune.meter.numerator, tune.meter.denominator) in _alike(numerator, denominator):
                for notes in tune.voices:
                    halves = profile(notes, tune.ticks_per_quarter, tune.bar_steps)
                    counts.append(halves.sum(axis=0))
                    truth.append(steps)
        if name == "2/2" or not counts:
            continue
        seen = torch.tensor(np.stack(counts))
        right = torch.tensor(truth)
        weight = torch.zeros(seen.shape[1:], dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.LBFGS([weight], max_iter=300, line_search_fn="strong_wolfe")

        def cost(seen=seen, right=right, weight=weight, longest=longest, optimizer=optimizer):
            optimizer.zero_grad()
            shifted = torch.stack([torch.roll(weight, steps, 1) for steps in range(longest)])
            fits = torch.einsum("nfp,sfp->ns", seen, shifted)
            nll = torch.nn.functional.cross_entropy(fits, right)
            loss = nll + PENALTY * weight.square().sum() / len(seen)
            loss.backward()
            return loss

        optimizer.step(cost)
        weights[name] = weight.detach().numpy()
    return weights


def _alike(numerator: int, denominator: int) -> tuple[tuple[int, int], ...]:
    return ((4, 4), (2, 2)) if numerator == denominator == 4 else ((numerator, denominator),)


def write(weights: dict[str, np.ndarray], path: Path) -> None:
    """Write a template as whole numbers, a feature a line."""
    rows = {meter: np.rint(SCALE * table).astype(int).tolist() for meter, table in weights.items()}
    tables = ",\n".join(
        f'  "{meter}": [\n' + ",\n".join(f"   {json.dumps(row)}" for row in table) + "\n  ]"
        for meter, table in rows.items()
    )
    features = json.dumps(FEATURES, indent=2)
    path.write_text(
        f'{{"scale": {SCALE},\n"features": {features},\n"weights": {{\n{tables}\n}}}}\n',
        encoding="utf-8",
    )


class Tally:
    """How often the estimate was right, by what it said."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []

    def add(self, tune: Tune, truth: int, said: int) -> None:
        """Count one tune."""
        self.counts["tunes"] += 1
        self.counts["with an upbeat"] += truth > 0
        self.counts["found"] += said > 0 and said == truth
        self.counts["changed"] += said > 0
        self.counts["changed though at the bar"] += said > 0 and truth == 0
        if said and said != truth:
            self.wrong.append(f"{tune.name}: {truth} heard as {said}")

    def text(self) -> str:
        """Say it in a line."""
        c = self.counts
        share = f"{c['found'] / c['changed']:.1%}" if c["changed"] else "none"
        return (
            f"{c['tunes']:,} tunes, {c['with an upbeat']:,} with an upbeat: {c['changed']:,} "
            f"changed, {c['found']:,} right ({share}); of {c['tunes'] - c['with an upbeat']:,} at "
            f"the bar {c['changed though at the bar']:,} changed"
        )


def measure_known(name: str) -> Tally:
    """Estimate the upbeats of tunes whose bar lines are known."""
    tally = Tally()
    for tune in tunes(name):
        longest = LONGEST.get((tune.meter.numerator, tune.meter.denominator), 0)
        if not tune.is_plain or not longest:
            continue
        # Where a leadsheet starts at tick 0 nobody knows: its origin leaves some upbeats unmarked.
        if name.startswith("leadsheets") and tune.first == 0:
            continue
        truth = -tune.first % tune.bar_steps
        if truth < longest:
            tally.add(tune, truth, from_first_note(tune).estimate())
    return tally


def measure_held_out(marked: list[tuple[Tune, int]]) -> Tally:
    """Estimate each labelled tune by a template learned from the others."""
    fold = np.array([zlib.crc32(tune.name.encode()) % FOLDS for tune, _ in marked])
    tally = Tally()
    original = pickup._template
    for held in range(FOLDS):
        weights = learn([pair for pair, at in zip(marked, fold, strict=True) if at != held])
        template = {**weights, "2/2": weights["4/4"]}
        pickup._template = lambda template=template: template
        pickup._shifted.cache_clear()
        for (tune, truth), at in zip(marked, fold, strict=True):
            if at == held:
                tally.add(tune, truth, tune.estimate())
    pickup._template = original
    pickup._shifted.cache_clear()
    return tally


def main() -> None:
    """Learn if asked, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--learn", action="store_true", help="write the template")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    labels = json.loads(LABELS.read_bytes())
    marked = [
        (tune, labels[name.partition(":")[0]][tune.name])
        for name in LABELLED
        for tune in tunes(name)
        if tune.name in labels[name.partition(":")[0]] and tune.is_plain
    ]
    if options.learn:
        write(learn(marked), TEMPLATE)
        pickup._template.cache_clear()
        pickup._shifted.cache_clear()
    tallies = {name: measure_known(name) for name in KNOWN}
    tallies["labelled, held out"] = measure_held_out(marked)
    heard = {}
    for name in COUNTED:
        found = [
            tune.estimate() if tune.is_plain and tune.is_at_start else 0 for tune in tunes(name)
        ]
        heard[name] = {"files": len(found), "with an upbeat": sum(steps > 0 for steps in found)}
    if options.json:
        known = {name: {**t.counts, "wrong": t.wrong} for name, t in tallies.items()}
        print(json.dumps({"known": known, "heard": heard}, indent=2))
        return
    for name, tally in tallies.items():
        print(f"{name}: {tally.text()}")
        for line in tally.wrong:
            print(f"    {line}")
    for name, counts in heard.items():
        print(f"{name}: {counts['with an upbeat']:,} of {counts['files']:,} files begin with one")


if __name__ == "__main__":
    main()
