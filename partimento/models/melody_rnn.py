"""melody-rnn: an LSTM that knows how melodies go on.

It reads a melody as one event a grid step (`representations.melody`): a note starts, a note ends,
or all stays as it is. From all events so far it predicts the next, and was trained on thousands of
tunes to give what really came next a high probability: the loss is the mean negative logarithm of
that probability, in nats per step (`training.melody`). The network is `networks.melody_rnn`; its
sizes and lessons stand in `models.lessons`. What it has learned runs on ONNX Runtime, one step at a
time (`generation.engine`), and four verbs use it: `continue`, `sample`, `next` and `likelihood`.

::

    from partimento import load, seq

    model = load("melody-rnn")
    tune = seq("c4:q c4:q c4:e. d4:s e4:q")
    more = model.continue_from(tune, bars=4, seed=7)
    model.next(tune)
    model.likelihood(tune).nats_per_note

References
----------
Magenta's `melody_rnn` (configurations `basic_rnn` and `lookback_rnn`), 2016.
"""

import os
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from partimento.checkpoints import Checkpoint
from partimento.errors import CheckpointError, ParameterError
from partimento.generation.constraints import Constraints
from partimento.generation.continuation import (
    check_bars,
    continue_score,
    sample_scores,
    seeds_of,
)
from partimento.generation.engine import StepEngine
from partimento.generation.expectations import Expectations, melody_expectations
from partimento.generation.hearing import AUTO, Heard, hear
from partimento.generation.likelihood import Likelihood, likelihoods
from partimento.generation.next import NextNotes, next_notes
from partimento.generation.sampling import Sampling
from partimento.models.load import FAMILIES
from partimento.models.page import HASH_DIGITS, ModelPage, facts_of, read_fields
from partimento.music.notation import parse_meter, seq
from partimento.music.score import Meter, Score
from partimento.representations.melody import MelodyRepresentation

FAMILY = "melody-rnn"

Music = Score | str | os.PathLike[str] | Sequence[Any]


class MelodyRNNModel(ModelPage):
    """A trained melody network and what it can do.

    Music goes in as a `Score`, as notation (text or list), or as the path of a file
    (`pathlib.Path`); it comes out as a `Score`.

    Attributes
    ----------
    name : str
        As the checkpoint says.
    hash : str
        Of the whole checkpoint, 64 hexadecimal digits.
    card : str
        Data, licences and figures, as Markdown.
    representation : MelodyRepresentation
    verbs : tuple of str
    """

    family = FAMILY
    verbs = FAMILIES[FAMILY].verbs
    representation: MelodyRepresentation

    def __init__(self, checkpoint: Checkpoint, threads: int = 1) -> None:
        super().__init__(checkpoint, threads)
        self.representation = read_representation(checkpoint.config.get("representation"))

    def continue_from(
        self,
        primer: Music,
        bars: int = 8,
        *,
        seed: int = 0,
        melody: str | int = AUTO,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        key: Any = None,
        lowest: Any = None,
        highest: Any = None,
        hold_bars: float | None = None,
        rest_bars: float | None = 2.0,
    ) -> Score:
        """Go on from a primer, in its meter and tempo.

        Parameters
        ----------
        primer
            Comes back unchanged, followed by what the model makes of it. If it stops inside a bar,
            that bar is filled first.
        bars
            New bars, 1 to 1024.
        seed
            The same seed gives the same notes.
        melody
            Which part to go on with: ``"auto"`` takes the first single line, ``"skyline"`` the top
            line of the first part, a number from 1 that part. Other parts stay as they are.
        temperature
            1 is what the model learned, below is safer, above bolder; 0 takes the likeliest.
        top_k, top_p
            Draw only from the so many likeliest tokens, or from the fewest that have so much
            probability together.
        key
            Keep to the scale of a key, ``"g:major"``; minor with raised sixth and seventh.
        lowest, highest
            Keep to a range: MIDI numbers or names, ``"g3"``.
        hold_bars, rest_bars
            Longest note and longest rest, in bars; `None` for no limit.

        Raises
        ------
        ParameterError, VocabularyError
            If a parameter, or the primer, is not what this model can work with.
        GenerationError
            If several tries gave silence.

        Examples
        --------
        ``load("melody-rnn").continue_from(tune, bars=4, key="c:major", seed=7).save("more.mid")``
        """
        return self.continue_many(
            primer,
            1,
            bars,
            seed=seed,
            melody=melody,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            key=key,
            lowest=lowest,
            highest=highest,
            hold_bars=hold_bars,
            rest_bars=rest_bars,
        )[0]

    def continue_many(
        self,
        primer: Music,
        count: int,
        bars: int = 8,
        *,
        seed: int = 0,
        melody: str | int = AUTO,
        **settings: Any,
    ) -> list[Score]:
        """Go on from a primer in `count` ways at once: seeds `seed`, ``seed + 1``, and so on.

        The settings are those of `continue_from`. Each result is what `continue_from` gives with
        its seed.
        """
        sampling, constraints = _split(settings)
        seeds, bars = seeds_of(seed, count), check_bars(bars)
        score = as_score(primer)
        heard = hear(score, self.representation, melody)
        made = continue_score(self._engine, heard, bars, seeds, sampling, constraints)
        facts = {
            "bars": bars,
            **facts_of(sampling, constraints),
            "primer": score.digest[:HASH_DIGITS],
        }
        if melody != AUTO:
            facts["melody"] = melody
        end = score.end_tick * made[0].ticks_per_quarter // score.ticks_per_quarter
        return self.stamped("continue", made, seeds, facts, primer_end_tick=end)

    def sample(
        self,
        bars: int = 8,
        *,
        seed: int = 0,
        meter: Meter | tuple[int, int] | str = "4/4",
        qpm: float = 120,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        key: Any = None,
        lowest: Any = None,
        highest: Any = None,
        hold_bars: float | None = None,
        rest_bars: float | None = 2.0,
    ) -> Score:
        """Make a melody from nothing.

        Parameters
        ----------
        bars
            1 to 1024.
        meter
            ``"3/4"``, ``(3, 4)`` or a `Meter`.
        qpm
            Tempo in quarter notes a minute.
        seed, temperature, top_k, top_p, key, lowest, highest, hold_bars, rest_bars
            As in `continue_from`.
        """
        return self.sample_many(
            1,
            bars,
            seed=seed,
            meter=meter,
            qpm=qpm,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            key=key,
            lowest=lowest,
            highest=highest,
            hold_bars=hold_bars,
            rest_bars=rest_bars,
        )[0]

    def sample_many(
        self,
        count: int,
        bars: int = 8,
        *,
        seed: int = 0,
        meter: Meter | tuple[int, int] | str = "4/4",
        qpm: float = 120,
        **settings: Any,
    ) -> list[Score]:
        """Make `count` melodies at once: seeds `seed`, ``seed + 1``, and so on.

        The settings are those of `sample`.
        """
        sampling, constraints = _split(settings)
        seeds, meter, bars = seeds_of(seed, count), parse_meter(meter), check_bars(bars)
        made = sample_scores(
            self._engine,
            self.representation,
            bars,
            seeds,
            sampling,
            constraints,
            meter=meter,
            qpm=qpm,
        )
        facts = {"bars": bars, "meter": str(meter), "qpm": qpm, **facts_of(sampling, constraints)}
        return self.stamped("sample", made, seeds, facts)

    def next(self, primer: Music, *, melody: str | int = AUTO) -> NextNotes:
        """Say which note comes next, and how certain that is: see `generation.next`."""
        return next_notes(self._engine, self.hear(primer, melody))

    def likelihood(self, music: Music, *, melody: str | int = AUTO) -> Likelihood:
        """Measure how surprised the model is by a melody: see `generation.likelihood`."""
        return self.likelihood_of([music], melody=melody)[0]

    def likelihood_of(
        self, pieces: Iterable[Music], *, melody: str | int = AUTO
    ) -> list[Likelihood]:
        """Measure many melodies, together for speed."""
        heard = [hear(as_score(music), self.representation, melody, whole=True) for music in pieces]
        return likelihoods(self._engine, heard)

    def expectations(self, music: Music, *, melody: str | int = AUTO) -> Expectations:
        """Say what the model expected at each step of a melody: see `generation.expectations`."""
        heard = hear(as_score(music), self.representation, melody, whole=True)
        return melody_expectations(self._engine, heard)

    def hear(self, primer: Music, melody: str | int = AUTO) -> Heard:
        """Show what the model hears of a primer: its tokens, and what was changed for its ears."""
        return hear(as_score(primer), self.representation, melody)

    @cached_property
    def _engine(self) -> StepEngine:
        engine = StepEngine(self.checkpoint.graph("step"), self._threads)
        expected = len(self.representation.feature_sizes), self.representation.vocab_size
        if (engine.num_features, engine.vocab_size) != expected:
            raise CheckpointError(
                f"the step graph of {self.name} reads {engine.num_features} features and writes "
                f"{engine.vocab_size} tokens, its config says {expected[0]} and {expected[1]}"
            )
        return engine

    def __repr__(self) -> str:
        network = self.checkpoint.config.get("network")
        network = network if isinstance(network, dict) else {}
        size = f"{network.get('num_layers', '?')}x{network.get('hidden_size', '?')} LSTM"
        return self.described(size)


def as_score(music: Music) -> Score:
    """Take a score, notation as text or list, or the path of a file as music."""
    if isinstance(music, Score):
        return music
    if isinstance(music, os.PathLike):
        from partimento.formats import read

        return read(music)
    return seq(music)


def read_representation(fields: Any) -> MelodyRepresentation:
    """Read the representation of a checkpoint's config: see `partimento.models.page`."""
    return read_fields(MelodyRepresentation, fields)


def _split(settings: dict[str, Any]) -> tuple[Sampling, Constraints]:
    """Sort keywords into settings of drawing and constraints."""
    sampling = {name: settings[name] for name in Sampling.__dataclass_fields__ if name in settings}
    rest = {name: value for name, value in settings.items() if name not in sampling}
    if unknown := set(rest) - set(Constraints.__dataclass_fields__):
        raise ParameterError(
            f"unknown setting {sorted(unknown)[0]!r}: there are "
            f"{', '.join([*Sampling.__dataclass_fields__, *Constraints.__dataclass_fields__])}"
        )
    return Sampling(**sampling), Constraints(**rest)
