"""`VoicesPage`: what the pages of four-voice models share.

Writing the voices that a piece lacks and writing four from nothing are the same for all of them but
for the network that chooses the cells: `_completed` and `_written`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from partimento.checkpoints import Checkpoint
from partimento.errors import ParameterError
from partimento.generation.continuation import check_bars, seeds_of
from partimento.generation.hearing_voices import HeardVoices, hear_voices
from partimento.generation.sampling import Sampling
from partimento.generation.voice_continuation import Blank
from partimento.generation.voice_rules import VoiceRules
from partimento.models.melody_rnn import Music, as_score
from partimento.models.page import HASH_DIGITS, ModelPage, facts_of, read_fields
from partimento.music.four_voices import VOICES
from partimento.music.keys import key_of_tonic, parse_key
from partimento.music.notation import parse_meter
from partimento.music.score import Key, Meter, Score
from partimento.music.voice_reading import AUTO
from partimento.representations.satb import SatbRepresentation


class VoicesPage(ModelPage):
    """A trained model of four voices: the base of `bach-rnn` and `bach-cnn`.

    Music goes in as a `Score` of one to four voices, as notation or as the path of a file, in any
    key, meter and tempo, and comes out as it was with the new voices beside it
    (`partimento.generation.hearing_voices`).

    Attributes
    ----------
    representation : SatbRepresentation
    reads_key : bool
        Whether the network can be told a key.
    """

    representation: SatbRepresentation
    reads_key: bool

    def __init__(self, checkpoint: Checkpoint, threads: int = 1) -> None:
        super().__init__(checkpoint, threads)
        self.representation = read_fields(
            SatbRepresentation, checkpoint.config.get("representation")
        )

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
        **more: Any,
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
        **more
            What the family's own way to write can be told: see its `_completed`.

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
        made = self._completed(heard, seeds, sampling, rules, **more)
        given = [voice for voice, is_there in zip(VOICES, heard.is_given, strict=True) if is_there]
        facts = {
            "given": ",".join(given),
            **facts_of(sampling, rules),
            "primer": score.digest[:HASH_DIGITS],
        }
        return self.stamped("harmonize", made, seeds, facts)

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
        if key is not None and not self.reads_key:
            raise ParameterError(f"{self.name} reads no key: leave key out")
        blank = Blank.of(self.representation, bars, meter, qpm)
        cells = np.full((blank.steps, len(VOICES)), self.representation.unknown)
        told = None if key is None else parse_key(key)
        written = self._written(cells, told, seeds, sampling, rules)
        made = [blank.score(self.representation.decode(tokens)) for tokens in written]
        facts = {"bars": bars, "meter": str(meter), "qpm": qpm, **facts_of(sampling, rules)}
        if told is not None:
            facts["key"] = str(told)
        return self.stamped("sample", made, seeds, facts)

    def hear(self, music: Music, *, voices: str = AUTO, fit: bool = False) -> HeardVoices:
        """Show what the model hears of a piece, and what was changed for its ears."""
        return hear_voices(as_score(music), self.representation, voices=voices, fit=fit)

    def _completed(
        self,
        heard: HeardVoices,
        seeds: Sequence[int],
        sampling: Sampling,
        rules: VoiceRules,
    ) -> list[Score]:
        """Write the voices that are not given, once for each seed, beside those that are."""
        raise NotImplementedError

    def _written(
        self,
        cells: np.ndarray,
        key: Key | None,
        seeds: Sequence[int],
        sampling: Sampling,
        rules: VoiceRules,
    ) -> np.ndarray:
        """Write all cells of a table of unknown ones: shape (seed, step, voice)."""
        raise NotImplementedError


def check_complete(heard: HeardVoices, why: str) -> None:
    """Refuse music that lacks a voice."""
    if not heard.is_given.all():
        missing = VOICES[int(heard.is_given.argmin())]
        raise ParameterError(
            f"there is no {missing}: {why}. `harmonize` writes those that are missing"
        )


def spelled_in(heard: HeardVoices) -> Key:
    """Key of a piece as it was written, by which its notes are spelled."""
    return key_of_tonic((heard.key.tonic - heard.shift) % 12, heard.key.is_minor)
