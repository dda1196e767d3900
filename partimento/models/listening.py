"""What a melody network plays while it learns: always the same primer and the same seed.

`primer_of` takes the opening of a held-out melody, so that the network is asked to go on with music
of the kind it is shown, in its meter and range, that it is never trained on.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from partimento.data import Piece
from partimento.errors import PartimentoError
from partimento.generation.constraints import Constraints
from partimento.generation.continuation import continue_score, sample_scores
from partimento.generation.hearing import Heard, hear
from partimento.generation.sampling import Sampling
from partimento.music.notation import seq
from partimento.music.provenance import read_stamps, stamp
from partimento.music.score import Score
from partimento.representations.melody import MelodyRepresentation
from partimento.training.samples import read_samples

PRIMER_BARS, BARS = 2, 6
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
        if end := next(
            (
                facts["primer_end_tick"]
                for facts in read_stamps(sample.score)
                if type(facts.get("primer_end_tick")) is int
            ),
            0,
        ):
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
