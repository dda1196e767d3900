"""bach-cnn: a convolutional network that fills in any part of four voices from the rest.

It reads the cells of four voices that are known, on a sixteenth grid (`representations.filling`),
and predicts all others (`networks.bach_cnn`). It was trained on Bach's chorales with cells hidden
in all ways (`training.infilling`, lessons in `models.voice_lessons`). What it has learned runs on
ONNX Runtime (`generation.fill_engine`), and five verbs use it: `harmonize`, `infill`, `sample`,
`next` and `likelihood`. What it writes, it writes little by little and then over again in parts
(`generation.gibbs`).

::

    from partimento import load, seq

    model = load("bach-cnn")
    tune = seq("g4:q g4:q a4:q b4:q c5:h")
    four = model.harmonize(tune, seed=3)
    model.infill(four, bars=(1, 1), voices="alto,tenor", seed=4)

Music goes in as a `Score` of one to four voices, as notation or as the path of a file, in any key,
meter and tempo, and comes out as it was with the new voices beside it
(`generation.hearing_voices`).

References
----------
Huang et al., "Counterpoint by Convolution", ISMIR 2017 (Coconet); Huang et al., "The Bach Doodle",
ISMIR 2019.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from partimento.checkpoints import Checkpoint
from partimento.errors import CheckpointError, ParameterError
from partimento.generation.continuation import check_bars, seeds_of
from partimento.generation.fill_engine import FillEngine
from partimento.generation.fill_frames import start_filling
from partimento.generation.gibbs import FillTask, fill
from partimento.generation.hearing_voices import HeardVoices, hear_voices
from partimento.generation.next_voices import (
    HORIZON_QUARTERS,
    NextVoices,
    gathered,
    spread_out,
)
from partimento.generation.sampling import Sampling, check_seed, log_softmax
from partimento.generation.voice_continuation import Blank
from partimento.generation.voice_likelihood import VoiceLikelihood, by_note
from partimento.generation.voice_rules import VoiceRules
from partimento.models.load import FAMILIES, MissingVerbError, cannot, verb_of_method
from partimento.models.melody_rnn import HASH_DIGITS, Music, as_score
from partimento.models.voices_page import read_satb, stamped, voice_facts
from partimento.music.four_voices import VOICES, FourVoices
from partimento.music.keys import key_of_tonic, parse_key
from partimento.music.notation import parse_meter
from partimento.music.score import Meter, Score
from partimento.music.voice_reading import AUTO
from partimento.representations.filling import key_value

FAMILY = "bach-cnn"
LEAST_FOLLOWED = 1e-3  # probability of a beginning of a frame that `next` follows up
HIDDEN_VOICE = (
    "each cell is measured with its whole voice hidden and the other three known: such surprises "
    "can be compared, but do not add up to that of the piece"
)


@dataclass(frozen=True, eq=False)
class HiddenLikelihood(VoiceLikelihood):
    """Surprise at cells that were hidden: each voice in turn, given the other three.

    `cell_nats` are conditional on the whole of the other voices, and not on each other.
    """

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as `partimento likelihood --json` prints them."""
        return {"hidden": "each voice in turn, whole", **super().as_dict()}


class BachCNNModel:
    """A trained network that fills in four voices, and what it can do.

    Attributes
    ----------
    name : str
        As the checkpoint says.
    hash : str
        Of the whole checkpoint, 64 hexadecimal digits.
    representation : SatbRepresentation
    verbs : tuple of str
    """

    verbs = FAMILIES[FAMILY].verbs

    def __init__(self, checkpoint: Checkpoint, threads: int = 1) -> None:
        self.checkpoint = checkpoint
        self.name = str(checkpoint.config.get("name") or FAMILY)
        self.hash = checkpoint.hash
        self.representation = read_satb(checkpoint.config.get("representation"))
        self._reads_key = read_key(checkpoint.config.get("network"))
        self._threads = threads

    def harmonize(self, music: Music, *, seed: int = 0, **settings: Any) -> Score:
        """Write the voices that a piece lacks: see `harmonize_many`."""
        return self.harmonize_many(music, 1, seed=seed, **settings)[0]

    def harmonize_many(
        self,
        music: Music,
        count: int,
        *,
        seed: int = 0,
        voices: str = AUTO,
        fit: bool = False,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        keep_ranges: bool = True,
        no_crossing: bool = False,
    ) -> list[Score]:
        """Write the voices that a piece lacks in `count` ways: seeds `seed`, ``seed + 1``, ….

        Parameters
        ----------
        music
            One to three voices; they come back as they were.
        seed
            The same seed gives the same notes.
        voices
            Which voices these are: ``"auto"``, or names as in ``"soprano"`` or ``"soprano,bass"``.
        fit
            Whether to move what does not fit: see
            `partimento.generation.hearing_voices.hear_voices`.
        temperature
            1 is what the model learned, below is safer, above bolder; 0 takes the likeliest.
        top_k, top_p
            Draw only from the so many likeliest tokens, or from the fewest that have so much
            probability together.
        keep_ranges, no_crossing
            See `partimento.generation.voice_rules.VoiceRules`.

        Raises
        ------
        ParameterError, VocabularyError
            If a parameter, or the music, is not what this model can work with.
        GenerationError
            If the rules leave a voice no pitch.
        """
        seeds = seeds_of(seed, count)
        sampling, rules = Sampling(temperature, top_k, top_p), VoiceRules(keep_ranges, no_crossing)
        score = as_score(music)
        heard = hear_voices(score, self.representation, voices=voices, fit=fit)
        if heard.is_given.all():
            raise ParameterError("all four voices are there: nothing is left to write")
        is_hidden = np.broadcast_to(~heard.is_given, heard.tokens.shape)
        made = self._filled(heard, is_hidden, seeds, sampling, rules)
        given = [voice for voice, is_there in zip(VOICES, heard.is_given, strict=True) if is_there]
        facts = {
            "given": ",".join(given),
            **voice_facts(sampling, rules),
            "primer": score.digest[:HASH_DIGITS],
        }
        return stamped(self, "harmonize", made, seeds, facts)

    def infill(self, music: Music, *, seed: int = 0, **settings: Any) -> Score:
        """Write some bars of some voices anew: see `infill_many`."""
        return self.infill_many(music, 1, seed=seed, **settings)[0]

    def infill_many(
        self,
        music: Music,
        count: int,
        *,
        bars: tuple[int, int] | None = None,
        voices: str = "all",
        seed: int = 0,
        read_as: str = AUTO,
        fit: bool = False,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        keep_ranges: bool = True,
        no_crossing: bool = False,
    ) -> list[Score]:
        """Write some bars of some voices anew in `count` ways: seeds `seed`, ``seed + 1``, ….

        Parameters
        ----------
        music
            One to four voices; what is not written anew comes back as it was.
        bars
            First and last, counted from 1; `None` is all of them.
        voices
            Names of the voices to write, as in ``"alto,tenor"``, or ``"all"``. Voices that are not
            there and not named stay away.
        read_as
            Which voices the music has: see `voices` of `harmonize_many`.
        seed, fit, temperature, top_k, top_p, keep_ranges, no_crossing
            As in `harmonize_many`.
        """
        seeds, named = seeds_of(seed, count), voices_named(voices)
        sampling, rules = Sampling(temperature, top_k, top_p), VoiceRules(keep_ranges, no_crossing)
        score = as_score(music)
        heard = hear_voices(score, self.representation, voices=read_as, fit=fit)
        is_hidden = np.zeros(heard.tokens.shape, dtype=bool)
        steps = slice(None) if bars is None else heard.steps_of_bars(*bars)
        is_hidden[steps] = [voice in named for voice in VOICES]
        if (is_hidden | ~heard.is_given).all():
            raise ParameterError(
                "bars and voices name all there is: nothing would be kept. `sample` writes from "
                "nothing"
            )
        made = self._filled(heard, is_hidden, seeds, sampling, rules)
        facts = {
            "bars": "all" if bars is None else f"{bars[0]}-{bars[1]}",
            "voices": voices,
            **voice_facts(sampling, rules),
            "primer": score.digest[:HASH_DIGITS],
        }
        return stamped(self, "infill", made, seeds, facts)

    def sample(self, bars: int = 8, *, seed: int = 0, **settings: Any) -> Score:
        """Make four voices from nothing: see `sample_many`."""
        return self.sample_many(1, bars, seed=seed, **settings)[0]

    def sample_many(
        self,
        count: int,
        bars: int = 8,
        *,
        seed: int = 0,
        meter: Meter | tuple[int, int] | str = "4/4",
        qpm: float = 80,
        key: Any = None,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        keep_ranges: bool = True,
        no_crossing: bool = False,
    ) -> list[Score]:
        """Make `count` pieces of four voices at once: seeds `seed`, ``seed + 1``, and so on.

        Parameters
        ----------
        key
            Asked of a model that reads keys, as in ``"g:major"``; `None` leaves it to the model.
        meter, qpm
            Of the piece.
        bars, seed, temperature, top_k, top_p, keep_ranges, no_crossing
            As in `harmonize_many`; 1 to 1024 bars.
        """
        seeds, meter, bars = seeds_of(seed, count), parse_meter(meter), check_bars(bars)
        sampling, rules = Sampling(temperature, top_k, top_p), VoiceRules(keep_ranges, no_crossing)
        if key is not None and not self._reads_key:
            raise ParameterError(f"{self.name} reads no key: leave key out")
        blank = Blank.of(self.representation, bars, meter, qpm)
        cells = np.full((blank.steps, len(VOICES)), self.representation.unknown)
        told = None if key is None else key_value(parse_key(key), self.representation)
        task = FillTask(cells, np.ones(cells.shape, dtype=bool), 0, told)
        written = fill(self.engine, task, seeds, sampling, rules)
        made = [blank.score(self.representation.decode(tokens)) for tokens in written]
        facts = {"bars": bars, "meter": str(meter), "qpm": qpm, **voice_facts(sampling, rules)}
        if key is not None:
            facts["key"] = str(parse_key(key))
        return stamped(self, "sample", made, seeds, facts)

    def next(
        self, primer: Music, *, voices: str = AUTO, fit: bool = False, seed: int = 0
    ) -> NextVoices:
        """Say which note comes next in every voice, and how certain that is.

        See `partimento.generation.next_voices`. Voices that the primer lacks are written first,
        in a way that the seed chooses.
        """
        heard = self.hear(primer, voices=voices, fit=fit)
        frames = start_filling(self.engine, self._task(heard), check_seed(seed))
        steps = HORIZON_QUARTERS * self.representation.steps_per_quarter
        spread = spread_out(frames, frames.last, steps, least=LEAST_FOLLOWED)
        return gathered(
            self.representation,
            spread,
            np.ones(1),
            heard.tokens[-1],
            heard.shift,
            key_of_tonic((heard.key.tonic - heard.shift) % 12, heard.key.is_minor),
        )

    def likelihood(
        self, music: Music, *, voices: str = AUTO, fit: bool = False
    ) -> HiddenLikelihood:
        """Measure how surprised the model is by each voice, given the other three.

        See `HiddenLikelihood`: these are surprises at hidden cells, not the probability of the
        piece, which `partimento.evaluation.infilling` measures.
        """
        heard = self.hear(music, voices=voices, fit=fit)
        if not heard.is_given.all():
            missing = VOICES[int(heard.is_given.argmin())]
            raise ParameterError(
                f"there is no {missing}: surprise is measured of each voice given the other three. "
                "`harmonize` writes those that are missing"
            )
        nats = np.zeros(heard.tokens.shape)
        for voice in range(len(VOICES)):
            is_hidden = np.broadcast_to(np.arange(len(VOICES)) == voice, nats.shape)
            nats += self.hidden_nats(heard.voices, is_hidden)
        measured = vars(by_note(heard, nats))
        return HiddenLikelihood(**{**measured, "remarks": (*heard.remarks, HIDDEN_VOICE)})

    def hidden_nats(self, voices: FourVoices, is_hidden: np.ndarray) -> np.ndarray:
        """Surprise at each hidden cell, given all cells that are not; 0 at those.

        Parameters
        ----------
        voices
            At the model's pitches.
        is_hidden
            Shape (step, voice).
        """
        tokens = self.representation.encode(voices)
        logits = self.logits(voices, is_hidden)  # step voice vocab
        nats = -np.take_along_axis(log_softmax(logits), tokens[..., None], axis=-1)[..., 0]
        return np.where(is_hidden, nats, 0.0)

    def logits(self, voices: FourVoices, is_hidden: np.ndarray) -> np.ndarray:
        """Logits of each cell when some are hidden; float32, shape (step, voice, vocab)."""
        tokens = self.representation.encode(voices)
        cells = np.where(is_hidden, self.representation.unknown, tokens)
        return self.engine.logits(cells[None], first=voices.first)[0]

    def hear(self, music: Music, *, voices: str = AUTO, fit: bool = False) -> HeardVoices:
        """Show what the model hears of a piece, and what was changed for its ears."""
        return hear_voices(as_score(music), self.representation, voices=voices, fit=fit)

    @property
    def card(self) -> str:
        """Where the model comes from and what it can do, as Markdown."""
        return self.checkpoint.card

    def _task(self, heard: HeardVoices, is_hidden: np.ndarray | None = None) -> FillTask:
        """Tell the network what is known, and the key if it reads it."""
        if is_hidden is None:
            is_hidden = np.broadcast_to(~heard.is_given, heard.tokens.shape)
        key = key_value(heard.key, self.representation) if self._reads_key else None
        return FillTask(heard.tokens, is_hidden, heard.first, key)

    def _filled(
        self,
        heard: HeardVoices,
        is_hidden: np.ndarray,
        seeds: Sequence[int],
        sampling: Sampling,
        rules: VoiceRules,
    ) -> list[Score]:
        """Write the hidden cells and bring them back to the piece."""
        task = self._task(heard, is_hidden)
        written = fill(self.engine, task, seeds, sampling, rules)
        return [heard.with_voices(_read(heard, tokens, is_hidden), is_hidden) for tokens in written]

    @cached_property
    def engine(self) -> FillEngine:
        """What runs the network."""
        return FillEngine(self.checkpoint.graph("fill"), self.representation, self._threads)

    def __getattr__(self, name: str) -> Any:
        """Verbs of other families: say who can."""
        verb = verb_of_method(name)
        if verb is None or verb in self.verbs:
            raise AttributeError(f"a {FAMILY} model has no attribute {name!r}")
        raise MissingVerbError(cannot(FAMILY, verb))

    def __repr__(self) -> str:
        network = self.checkpoint.config["network"]
        layers = network.get("dilations")
        count = len(layers) if isinstance(layers, list) else "?"
        size = f"{count}x{network.get('hidden_size', '?')} convolutions"
        span = f"pitches {self.representation.lowest}-{self.representation.highest}"
        grid = f"{self.representation.steps_per_quarter} steps a quarter"
        return f"{self.name} {self.hash[:12]} ({size}, {span}, {grid}: {', '.join(self.verbs)})"


def _read(heard: HeardVoices, tokens: np.ndarray, is_hidden: np.ndarray) -> FourVoices:
    """Read cells as voices, which begin their notes with the leader where it is not new itself."""
    mine = np.where(is_hidden, tokens, heard.representation.encode(heard.voices))
    led = heard.representation.decode(mine, first=heard.first, lead=heard.lead)
    alone = heard.representation.decode(mine, first=heard.first)
    is_led = heard.is_given[heard.leader] & ~is_hidden[:, heard.leader]
    struck = np.where(is_led[:, None], led.is_struck, alone.is_struck)
    return replace(led, is_struck=struck)


def voices_named(names: str) -> list[str]:
    """Read names of voices, as in ``"alto,tenor"``; ``"all"`` is all four.

    Raises
    ------
    ParameterError
        If a name is none of a voice.
    """
    found = [name.strip().lower() for name in str(names).split(",")]
    if found == ["all"]:
        return list(VOICES)
    for name in found:
        if name not in VOICES:
            raise ParameterError(
                f"there is no voice {name[:40]!r}: voices are {', '.join(VOICES)}, or all"
            )
    return found


def read_key(fields: Any) -> bool:
    """Whether the network of a config reads the key; trusting nothing. Raises `CheckpointError`."""
    key = fields.get("key", False) if isinstance(fields, dict) else None
    if type(key) is not bool:
        raise CheckpointError(f"key in the checkpoint's network is {str(key)[:40]!r}")
    return key
