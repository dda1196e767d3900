"""bach-rnn: a recurrent network that knows how four voices go on together.

It reads four voices as frames of a sixteenth grid (`representations.satb`) and predicts the next
frame voice by voice, so that the probabilities of all cells multiply to that of the piece
(`networks.bach_rnn`). It was trained on Bach's chorales (`training.chorales`, `training.frames`,
lessons in `models.voice_lessons`). What it has learned runs on ONNX Runtime
(`generation.frame_engine`), and five verbs use it: `continue`, `sample`, `next`, `harmonize` and
`likelihood`.

::

    from partimento import load, seq

    model = load("bach-rnn")
    tune = seq("g4:q g4:q a4:q b4:q c5:h")
    model.harmonize(tune, seed=3).save("four.mid")
    model.next(tune).voice("bass", 3)

Music goes in as a `Score` of one to four voices, as notation or as the path of a file, in any key,
meter and tempo, and comes out as it was with the new voices beside it
(`generation.hearing_voices`).
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from partimento.checkpoints import Checkpoint
from partimento.errors import CheckpointError
from partimento.generation.continuation import check_bars, seeds_of
from partimento.generation.expectations import Expectations, frame_expectations
from partimento.generation.frame_engine import FrameEngine
from partimento.generation.frame_writing import VERSIONS, FrameTask, frame_nats, write_frames
from partimento.generation.hearing_voices import HeardVoices, hear_voices
from partimento.generation.next_voices import NextVoices, next_along, next_voices
from partimento.generation.sampling import Sampling, check_seed
from partimento.generation.voice_continuation import joined_strikes, lengthened
from partimento.generation.voice_likelihood import VoiceLikelihood, by_note
from partimento.generation.voice_rules import VoiceRules
from partimento.models.load import FAMILIES
from partimento.models.melody_rnn import Music, as_score
from partimento.models.page import HASH_DIGITS, facts_of
from partimento.models.voices_page import VoicesPage, check_complete, spelled_in
from partimento.music.four_voices import VOICES, FourVoices
from partimento.music.score import Key, Score
from partimento.music.voice_reading import AUTO
from partimento.representations.frames import MOST_LEFT, NO_KEY, key_number, key_of

FAMILY = "bach-rnn"


class BachRNNModel(VoicesPage):
    """A trained network of four voices and what it can do.

    Attributes
    ----------
    name : str
        As the checkpoint says.
    hash : str
        Of the whole checkpoint, 64 hexadecimal digits.
    representation : SatbRepresentation
    temperature : float
        Found on held-out music: what `next` says with it is right as often as it says.
    verbs : tuple of str
    """

    family = FAMILY
    verbs = FAMILIES[FAMILY].verbs

    def __init__(self, checkpoint: Checkpoint, threads: int = 1) -> None:
        super().__init__(checkpoint, threads)
        self._network = read_network(checkpoint.config.get("network"))
        self.reads_key = self._network["key"]
        self.temperature = read_temperature(checkpoint.config.get("calibration"))

    def continue_from(
        self, primer: Music, bars: int = 8, *, seed: int = 0, **settings: Any
    ) -> Score:
        """Go on from a primer, in its meter and tempo: see `continue_many`."""
        return self.continue_many(primer, 1, bars, seed=seed, **settings)[0]

    def continue_many(
        self,
        primer: Music,
        count: int,
        bars: int = 8,
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
        """Go on from a primer in `count` ways at once: seeds `seed`, ``seed + 1``, and so on.

        Parameters
        ----------
        primer
            Comes back unchanged, followed by what the model makes of it. Voices that it lacks are
            written from its beginning.
        bars
            New bars, 1 to 1024, after the one that the primer ends in.
        voices, fit
            Which voices the primer has, and whether to move what does not fit: see
            `partimento.generation.hearing_voices.hear_voices`.
        temperature, top_k, top_p
            As in `partimento.models.melody_rnn.MelodyRNNModel.continue_from`.
        keep_ranges, no_crossing
            See `partimento.generation.voice_rules.VoiceRules`.
        """
        seeds, bars = seeds_of(seed, count), check_bars(bars)
        sampling, rules = Sampling(temperature, top_k, top_p), VoiceRules(keep_ranges, no_crossing)
        score = as_score(primer)
        heard = hear_voices(score, self.representation, voices=voices, fit=fit)
        longer = lengthened(heard, bars)
        unknown = np.full((len(longer) - len(heard), len(VOICES)), self.representation.unknown)
        task = self._task(np.concatenate([heard.tokens, unknown]), heard)
        written = write_frames(self._engine, task, seeds, sampling, rules)
        is_written = np.ones(task.cells.shape, dtype=bool)
        is_written[: len(heard)] = ~heard.is_given
        made = []
        for tokens in written:
            voices_made = joined_strikes(tokens, self.representation, heard)
            made.append(longer.with_voices(voices_made, is_written))
        facts = {"bars": bars, **facts_of(sampling, rules), "primer": score.digest[:HASH_DIGITS]}
        end = score.end_tick * made[0].ticks_per_quarter // score.ticks_per_quarter
        return self.stamped("continue", made, seeds, facts, primer_end_tick=end)

    def fill(
        self,
        cells: np.ndarray,
        *,
        seed: int = 0,
        first: int = 0,
        temperature: float = 1.0,
        keep_ranges: bool = True,
        no_crossing: bool = False,
        versions: int = VERSIONS,
    ) -> np.ndarray:
        """Fill the unknown cells of a table, shape (step, voice): `harmonize` without a score.

        Parameters
        ----------
        cells
            As `representation` has them, `unknown` where the model writes.
        first
            Where the first step stands in its beat.
        """
        rules = VoiceRules(keep_ranges, no_crossing)
        key = key_of(cells, self.representation) if self.reads_key else NO_KEY
        task = FrameTask(cells, first, key, self._left(len(cells)))
        sampling = Sampling(temperature)
        return write_frames(self._engine, task, [check_seed(seed)], sampling, rules, versions)[0]

    def next(
        self, primer: Music, *, voices: str = AUTO, fit: bool = False, seed: int = 0
    ) -> NextVoices:
        """Say which note comes next in every voice, and how certain that is.

        See `partimento.generation.next_voices`. The seed counts where the primer lacks voices.
        """
        heard = self.hear(primer, voices=voices, fit=fit)
        task = FrameTask(heard.tokens, heard.first)
        return next_voices(
            self._engine,
            task,
            shift=heard.shift,
            spelled_in=spelled_in(heard),
            temperature=self.temperature,
            seed=check_seed(seed),
        )

    def likelihood(self, music: Music, *, voices: str = AUTO, fit: bool = False) -> VoiceLikelihood:
        """Measure how surprised the model is by four voices: see `generation.voice_likelihood`."""
        heard = self.hear(music, voices=voices, fit=fit)
        check_complete(heard, "the likelihood is of all four voices")
        (nats,) = frame_nats(self._engine, [heard.tokens], [heard.first])
        return by_note(heard, nats)

    def expectations(self, music: Music, *, voices: str = AUTO, fit: bool = False) -> Expectations:
        """Say what the model expected at each step of each voice: see `generation.expectations`."""
        heard = self.hear(music, voices=voices, fit=fit)
        check_complete(heard, "what was expected is said of all four voices")
        return frame_expectations(self._engine, heard)

    def nll(self, voices: FourVoices) -> np.ndarray:
        """Surprise at each cell in nats, shape (step, voice): its sum is exact."""
        return self.nll_of([voices])[0]

    def nll_of(self, pieces: Sequence[FourVoices]) -> list[np.ndarray]:
        """Measure many pieces, together for speed: see `nll`."""
        cells = [self.representation.encode(voices) for voices in pieces]
        return frame_nats(self._engine, cells, [voices.first for voices in pieces])

    def next_along(
        self, pieces: Sequence[FourVoices], every: int = 4
    ) -> Iterator[tuple[int, int, NextVoices]]:
        """Say what comes next after every beat of some pieces: piece, step, and what `next` says.

        Parameters
        ----------
        every
            Steps from one question to the next.
        """
        cells = [self.representation.encode(voices) for voices in pieces]
        return next_along(self._engine, cells, every, self.temperature)

    def _completed(
        self,
        heard: HeardVoices,
        seeds: Sequence[int],
        sampling: Sampling,
        rules: VoiceRules,
        versions: int = VERSIONS,
    ) -> list[Score]:
        """`versions` are written side by side: see `partimento.generation.frame_writing`."""
        task = self._task(heard.tokens, heard)
        written = write_frames(self._engine, task, seeds, sampling, rules, versions)
        return [heard.with_tokens(tokens) for tokens in written]

    def _written(
        self,
        cells: np.ndarray,
        key: Key | None,
        seeds: Sequence[int],
        sampling: Sampling,
        rules: VoiceRules,
    ) -> np.ndarray:
        number = NO_KEY if key is None else key_number(key)
        task = FrameTask(cells, 0, number, self._left(len(cells)))
        return write_frames(self._engine, task, seeds, sampling, rules)

    def _task(self, cells: np.ndarray, heard: HeardVoices) -> FrameTask:
        """Tell the network the key and how far the end is, as far as it reads these."""
        key = key_number(heard.key) if self.reads_key else NO_KEY
        return FrameTask(cells, heard.first, key, self._left(len(cells)))

    def _left(self, steps: int) -> np.ndarray | None:
        if not self._network["countdown"]:
            return None
        return self.representation.countdown(steps, MOST_LEFT)

    @cached_property
    def _engine(self) -> FrameEngine:
        return FrameEngine(
            self.checkpoint.graph("frame"),
            self.checkpoint.graph("voice"),
            self.representation,
            tuple(self._network["order"]),
            self._threads,
        )

    def __repr__(self) -> str:
        size = f"{self._network['num_layers']}x{self._network['hidden_size']} GRU"
        return self.described(size)


def read_network(fields: Any) -> dict[str, Any]:
    """Read what generation needs to know of the network from a config, trusting nothing.

    Raises `CheckpointError`.
    """
    kinds = {
        "order": list,
        "key": bool,
        "countdown": bool,
        "num_layers": int,
        "hidden_size": int,
    }
    read: dict[str, Any] = {
        name: fields.get(name) if isinstance(fields, dict) else None for name in kinds
    }
    for name, kind in kinds.items():
        if type(read[name]) is not kind:
            raise CheckpointError(f"{name} in the checkpoint's network is {str(read[name])[:40]!r}")
    if sorted(map(str, read["order"])) != ["0", "1", "2", "3"]:
        raise CheckpointError(f"order in the checkpoint's network is {str(read['order'])[:40]!r}")
    return read


def read_temperature(fields: Any) -> float:
    """Read the temperature of a config; 1 where there is none. Raises `CheckpointError`."""
    temperature = 1.0 if fields is None else fields
    if isinstance(temperature, dict):
        temperature = temperature.get("temperature", 1.0)
    if type(temperature) not in (int, float) or not 0.1 <= temperature <= 10:
        raise CheckpointError(f"calibration in the checkpoint is {str(fields)[:40]!r}")
    return float(temperature)
