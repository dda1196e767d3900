"""drums-groove: how drums are played, as drummers of the set `groove` play them.

A step of a drum pattern says what is struck; this model says how hard, and how early or late
(`networks.groove`; lessons in `models.groove_lessons`). Its verbs are `humanize`, from a straight
pattern to a played one, and `drums`, from any rhythm to drums that go with it::

    from partimento import load, seq

    model = load("drums-groove")
    model.humanize(Path("beat.mid"), seed=3)
    model.humanize(Path("beat.mid"), like=Path("played.mid"))
    model.drums(seq("c4:q c4:q c4:e. d4:s e4:q"))
    model.drums(Path("beat.mid"), keep=["kick", "snare"])

References
----------
Gillick, Roberts, Engel, Eck and Bamman, "Learning to Groove with Inverse Sequence Transformations",
ICML 2019.
"""

from collections.abc import Sequence
from functools import cache, cached_property
from typing import Any

import numpy as np

from partimento.checkpoints import Checkpoint
from partimento.errors import GenerationError, ParameterError
from partimento.generation.continuation import seeds_of
from partimento.generation.groove_engine import GrooveEngine
from partimento.generation.hearing_groove import OFF_GRID, Heard, hear_groove, hear_tap, moved
from partimento.generation.sampling import Sampling, generator_of, real
from partimento.models.load import GROOVE_VERBS, load
from partimento.models.melody_rnn import Music, as_score
from partimento.models.page import HASH_DIGITS, ModelPage, read_fields
from partimento.music.drums import Hits, ending_by
from partimento.music.grid import Grid
from partimento.music.score import Part, Score
from partimento.representations.drums import DrumsRepresentation
from partimento.representations.groove import (
    Given,
    GrooveRepresentation,
    Played,
    check_drum,
    meter_of,
)

LIKE_BARS = 8  # of a performance to play like
DRUMS_TEMPERATURE = 0.5  # a beat that holds together
TRIES = 4  # for drums that come out silent
WRITTEN = ("velocity", "time")
SHIPPED = "drums-groove"


class GrooveModel(ModelPage):
    """A trained groove model and what it can do.

    Music goes in as a `Score`, as notation (text or list), or as the path of a file
    (`pathlib.Path`); it comes out as a `Score`.

    Attributes
    ----------
    name, hash, card
        See `ModelPage`.
    representation : GrooveRepresentation
    """

    family = "drums-groove"
    verbs = GROOVE_VERBS
    representation: GrooveRepresentation

    def __init__(self, checkpoint: Checkpoint, threads: int = 1) -> None:
        super().__init__(checkpoint, threads)
        fields = checkpoint.config.get("representation")
        self.representation = read_fields(GrooveRepresentation, fields)

    # ---- humanize

    def humanize(
        self,
        music: Music,
        *,
        seed: int = 0,
        temperature: float = 1.0,
        amount: float = 1.0,
        only: str | None = None,
        like: Music | None = None,
    ) -> Score:
        """Play the drums of a piece as a drummer would.

        Every stroke stays; its velocity and its time change. What is no drum stays as it is, and so
        do drums of none of the nine kinds.

        Parameters
        ----------
        seed, temperature
            The same seed gives the same notes. 1 is as drummers differ, 0 the middle of it.
        amount
            How far strokes go from where they are: 0 not at all, 1 to where the model plays them.
        only
            ``"velocity"`` or ``"time"``: the other stays.
        like
            A performance to play like: its first bars are what the model has "just played".
        """
        return self.humanize_many(
            music, 1, seed=seed, temperature=temperature, amount=amount, only=only, like=like
        )[0]

    def humanize_many(
        self,
        music: Music,
        count: int,
        *,
        seed: int = 0,
        temperature: float = 1.0,
        amount: float = 1.0,
        only: str | None = None,
        like: Music | None = None,
    ) -> list[Score]:
        """Play the drums of a piece in several ways: seeds `seed`, ``seed + 1``, and so on."""
        temperature = Sampling(temperature).temperature
        amount = real("amount", amount)
        if not 0 <= amount <= 1:
            raise ParameterError(
                f"amount must be 0 (as it is) to 1 (as the model plays), got {amount:g}"
            )
        if only not in (None, *WRITTEN):
            raise ParameterError(f"only must be {' or '.join(WRITTEN)}, got {str(only)[:40]!r}")
        seeds, score = seeds_of(seed, count), as_score(music)
        heard = self.hear(score)
        made = self._played(heard, seeds, temperature, only, like)
        scores = [
            moved(heard, Hits(*(table[row] for table in made)), amount, self._per_quarter)
            for row in range(count)
        ]
        facts: dict[str, Any] = {"temperature": temperature, "amount": amount}
        if only:
            facts["only"] = only
        if like is not None:
            facts["like"] = as_score(like).digest[:HASH_DIGITS]
        facts["primer"] = score.digest[:HASH_DIGITS]
        return self.stamped("humanize", scores, seeds, facts)

    def _played(
        self,
        heard: Heard,
        seeds: Sequence[int],
        temperature: float,
        only: str | None,
        like: Music | None,
    ) -> Played:
        hits, meter = heard.hits, heard.meter
        everywhere = np.ones_like(hits.is_hit)
        off_grid = np.abs(hits.offset) > OFF_GRID
        told = [everywhere, everywhere & (only == "time"), off_grid | (only == "velocity")]
        if like is None:
            return self.write(
                hits, told, meter, [generator_of(seed) for seed in seeds], temperature
            )
        other = self.hear(as_score(like))
        first = int(np.searchsorted(other.grid.bar, LIKE_BARS))  # steps
        before = [table[:first] for table in other.hits]
        hits = Hits(*(np.concatenate(both) for both in zip(before, hits, strict=True)))
        told = [np.concatenate([np.ones_like(before[0]), table]) for table in told]
        meter = np.concatenate([other.meter[:first], meter])
        generators = [generator_of(seed) for seed in seeds]
        made = self.write(hits, told, meter, generators, temperature)
        return Played(*(table[:, first:] for table in made))

    # ---- drums

    def drums(
        self,
        music: Music,
        *,
        keep: Sequence[str] = (),
        alone: bool = False,
        seed: int = 0,
        temperature: float = DRUMS_TEMPERATURE,
    ) -> Score:
        """Write drums that go with a rhythm.

        The rhythm is that of all pitched notes; where there are none, that of the drums, which are
        taken for taps. Velocity and micro-timing count where they say something.

        Parameters
        ----------
        keep
            Drums of the piece, by name, that stay as they are: the others are written to go with
            them, and nothing else counts. Without it, drums of the piece are replaced.
        alone
            Leave the pitched parts out.
        seed
            The same seed gives the same notes.
        temperature
            Of what is struck: 1 as drummers differ, below plainer, 0 what is likeliest. How it is
            played is drawn at 1, except at 0.
        """
        return self.drums_many(
            music, 1, keep=keep, alone=alone, seed=seed, temperature=temperature
        )[0]

    def drums_many(
        self,
        music: Music,
        count: int,
        *,
        keep: Sequence[str] = (),
        alone: bool = False,
        seed: int = 0,
        temperature: float = DRUMS_TEMPERATURE,
    ) -> list[Score]:
        """Write several drum parts for a rhythm: seeds `seed`, ``seed + 1``, and so on."""
        temperature = Sampling(temperature).temperature
        kept = [check_drum(name) for name in keep]
        seeds, score = seeds_of(seed, count), as_score(music)
        if kept:
            heard = self.hear(score)
            is_kept = np.zeros_like(heard.hits.is_hit)
            is_kept[:, kept] = True
            if not (is_kept & heard.hits.is_hit).any():
                raise ParameterError(f"the piece has no {' or '.join(keep)} to keep")
            told, tap = [is_kept] * 3, None
        else:
            heard, tap = hear_tap(score, self.representation)
            told = [np.zeros_like(heard.hits.is_hit)] * 3
        made: list[Played] = []
        for each in seeds:
            for attempt in range(TRIES):
                generators = [generator_of(each, attempt)]
                found = self.write(
                    heard.hits,
                    told,
                    heard.meter,
                    generators,
                    min(1.0, np.ceil(temperature)),
                    strokes=temperature,
                    tap=tap,
                )
                if found.is_hit.any():
                    break
            else:
                raise GenerationError(
                    f"{TRIES} tries were silence with seed {each}: use another seed, or a higher "
                    "temperature"
                )
            made.append(found)
        scores = [self._with_drums(heard.score, found, alone) for found in made]
        facts: dict[str, Any] = {"temperature": temperature}
        if keep:
            facts["keep"] = list(keep)
        facts["primer"] = score.digest[:HASH_DIGITS]
        return self.stamped("drums", scores, seeds, facts)

    def _with_drums(self, score: Score, made: Played, alone: bool) -> Score:
        hits = Hits(*(table[0] for table in made))
        notes = DrumsRepresentation(self._per_quarter).decode(
            hits.tokens, score.ticks_per_quarter, velocity=hits.velocity, offset=hits.offset
        )
        others = [part for part in score.parts if not part.is_drum and not alone]
        drums = Part(ending_by(notes, score.end_tick), "drums", is_drum=True)
        return score.with_parts([*others, drums])

    # ---- underneath

    def hear(self, music: Music) -> Heard:
        """Show what the model hears of the drums of a piece; see `hear_groove`."""
        return hear_groove(as_score(music), self.representation)

    def described_drums(self, score: Score) -> dict[str, Any]:
        """Say how the drums of a piece are played: strokes, velocities, mean distance in ms."""
        heard = self.hear(score)
        velocity = np.concatenate([part.notes.velocity for part in score.parts if part.is_drum])
        is_hit = heard.hits.is_hit
        # The last number of a step's meter is its tempo, in octaves above 120.
        seconds_per_step = 60 / (120 * 2.0 ** heard.meter[:, -1] * self._per_quarter)
        away = np.abs(heard.hits.offset) * seconds_per_step[:, None]
        return {
            "strokes": len(velocity),
            "softest": int(velocity.min()),
            "loudest": int(velocity.max()),
            "off_grid_ms": round(float(1000 * away[is_hit].mean()), 2),
        }

    def write(
        self,
        hits: Hits,
        told: Sequence[np.ndarray],
        meter: np.ndarray,
        generators: Sequence[np.random.Generator],
        temperature: float = 1.0,
        *,
        strokes: float | None = None,
        tap: np.ndarray | None = None,
    ) -> Played:
        """Write one pattern once for each generator: what is not told is drawn.

        Parameters
        ----------
        hits
            Of which the told cells count.
        told
            Where strokes, velocities and offsets are told: bool, (step, 9) each.
        meter
            See `meter_numbers`; (step, number).
        temperature, strokes
            See `GrooveEngine.write`.
        tap
            See `tap_of`; (step, 6).
        """
        count = len(generators)
        tap = Given.nothing(1, len(meter)).tap[0] if tap is None else tap
        tables = (np.repeat(table[None], count, axis=0) for table in (*told, tap))
        shown = np.repeat(meter[None], count, axis=0)
        played = Played.of(hits, count)
        return self.engine.write(played, Given(*tables), shown, generators, temperature, strokes)

    def finish(
        self,
        played: Played,
        is_told: np.ndarray,
        grid: Grid,
        qpm: float,
        generators: Sequence[np.random.Generator],
    ) -> Played:
        """Play patterns of whole bars, some of whose strokes are played already.

        Parameters
        ----------
        played
            Of several pieces; velocity and offset count where they are told.
        is_told
            Bool, (batch, step, 9).
        grid, qpm
            Of all pieces.
        generators
            One a piece.
        """
        meter = meter_of(grid, qpm, self._per_quarter)
        batch = len(generators)
        given = Given.nothing(batch, len(grid))._replace(
            hit=np.ones_like(played.is_hit), velocity=is_told, offset=is_told
        )
        return self.engine.write(played, given, np.repeat(meter[None], batch, axis=0), generators)

    @property
    def _per_quarter(self) -> int:
        return self.representation.steps_per_quarter

    @cached_property
    def engine(self) -> GrooveEngine:
        """The graphs, ready to run."""
        network = self.checkpoint.config.get("network")
        return GrooveEngine(
            {name: self.checkpoint.graph(name) for name in ("ahead", "write", "stroke")},
            self.representation,
            network if isinstance(network, dict) else {},
            self._threads,
        )

    def __repr__(self) -> str:
        return (
            f"{self.name} {self.hash[:12]} (how drums are played, {self._per_quarter} steps a "
            f"quarter: {', '.join(self.verbs)})"
        )


@cache
def usual_drummer() -> GrooveModel:
    """Open the model that ships, once."""
    model = load(SHIPPED)
    assert isinstance(model, GrooveModel)
    return model
