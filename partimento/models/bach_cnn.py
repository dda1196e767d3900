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
from partimento.generation.continuation import seeds_of
from partimento.generation.expectations import Expectations, voices_expected
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
from partimento.generation.voice_likelihood import VoiceLikelihood, by_note
from partimento.generation.voice_rules import VoiceRules
from partimento.models.load import FAMILIES
from partimento.models.melody_rnn import Music, as_score
from partimento.models.page import HASH_DIGITS, facts_of
from partimento.models.voices_page import VoicesPage, check_complete, spelled_in
from partimento.music.four_voices import VOICES, FourVoices
from partimento.music.score import Key, Score
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


class BachCNNModel(VoicesPage):
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

    family = FAMILY
    verbs = FAMILIES[FAMILY].verbs

    def __init__(self, checkpoint: Checkpoint, threads: int = 1) -> None:
        super().__init__(checkpoint, threads)
        self.reads_key = read_key(checkpoint.config.get("network"))

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
            **facts_of(sampling, rules),
            "primer": score.digest[:HASH_DIGITS],
        }
        return self.stamped("infill", made, seeds, facts)

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
            spelled_in(heard),
        )

    def likelihood(
        self, music: Music, *, voices: str = AUTO, fit: bool = False
    ) -> HiddenLikelihood:
        """Measure how surprised the model is by each voice, given the other three.

        See `HiddenLikelihood`: these are surprises at hidden cells, not the probability of the
        piece, which `partimento.evaluation.infilling` measures.
        """
        heard = self.hear(music, voices=voices, fit=fit)
        check_complete(heard, "surprise is measured of each voice given the other three")
        nats = np.zeros(heard.tokens.shape)
        for voice in range(len(VOICES)):
            is_hidden = np.broadcast_to(np.arange(len(VOICES)) == voice, nats.shape)
            nats += self.hidden_nats(heard.voices, is_hidden)
        measured = vars(by_note(heard, nats))
        return HiddenLikelihood(**{**measured, "remarks": (*heard.remarks, HIDDEN_VOICE)})

    def expectations(self, music: Music, *, voices: str = AUTO, fit: bool = False) -> Expectations:
        """Say what the model expected of each voice, hidden whole, given the other three.

        See `HiddenLikelihood` and `partimento.generation.expectations`.
        """
        heard = self.hear(music, voices=voices, fit=fit)
        check_complete(heard, "what was expected is said of each voice given the other three")
        said = np.zeros((*heard.tokens.shape, self.representation.vocab_size))
        for voice in range(len(VOICES)):
            is_hidden = np.broadcast_to(np.arange(len(VOICES)) == voice, heard.tokens.shape)
            said[:, voice] = log_softmax(self.logits(heard.voices, is_hidden))[:, voice]
        return voices_expected(
            heard, said, "masked: each voice hidden, given the other three whole"
        )

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

    def _completed(
        self,
        heard: HeardVoices,
        seeds: Sequence[int],
        sampling: Sampling,
        rules: VoiceRules,
    ) -> list[Score]:
        is_hidden = np.broadcast_to(~heard.is_given, heard.tokens.shape)
        return self._filled(heard, is_hidden, seeds, sampling, rules)

    def _written(
        self,
        cells: np.ndarray,
        key: Key | None,
        seeds: Sequence[int],
        sampling: Sampling,
        rules: VoiceRules,
    ) -> np.ndarray:
        told = None if key is None else key_value(key, self.representation)
        task = FillTask(cells, np.ones(cells.shape, dtype=bool), 0, told)
        return fill(self.engine, task, seeds, sampling, rules)

    def _task(self, heard: HeardVoices, is_hidden: np.ndarray | None = None) -> FillTask:
        """Tell the network what is known, and the key if it reads it."""
        if is_hidden is None:
            is_hidden = np.broadcast_to(~heard.is_given, heard.tokens.shape)
        key = key_value(heard.key, self.representation) if self.reads_key else None
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

    def __repr__(self) -> str:
        network = self.checkpoint.config["network"]
        layers = network.get("dilations")
        count = len(layers) if isinstance(layers, list) else "?"
        size = f"{count}x{network.get('hidden_size', '?')} convolutions"
        return self.described(size)


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
