"""quartet-gan: phrases for four instruments, written by the winner of a contest.

Two networks learned from each other (`networks.phrase_gan`, `training.adversarial`; lessons in
`models.phrase_lessons`): one writes phrases of a few bars as piano rolls, the other tells them from
real ones. What the writer has learned runs on ONNX Runtime (`generation.phrase_engine`). A GAN has
no likelihood: it cannot say how probable a piece is, only make some.

::

    from partimento import load, seq

    model = load("quartet-gan")
    model.sample(bars=16, seed=3, key="D major").save("quartet.mid")
    model.accompany(seq("c4:q c4:q c4:e. d4:s e4:q"), seed=1)
    model.interpolate(3, 7, steps=8)

References
----------
Dong, Hsiao, Yang and Yang, "MuseGAN", AAAI 2018; Dong and Yang, "Convolutional Generative
Adversarial Networks with Binary Neurons for Polyphonic Music Generation", ISMIR 2018.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from partimento.checkpoints import Checkpoint
from partimento.errors import GenerationError, ParameterError
from partimento.generation.continuation import check_bars, seeds_of
from partimento.generation.hearing import AUTO
from partimento.generation.hearing_tracks import HeardTrack, hear_track
from partimento.generation.latent import slerp
from partimento.generation.phrase_engine import PhraseEngine
from partimento.generation.sampling import check_seed, generator_of, real, whole
from partimento.models.bars_vae import MOST_STEPS
from partimento.models.latent_results import Road
from partimento.models.melody_rnn import Music, as_score
from partimento.models.page import HASH_DIGITS, ModelPage, read_fields
from partimento.music.joining import concat
from partimento.music.keys import parse_key
from partimento.music.notation import parse_meter
from partimento.music.notes import Notes
from partimento.music.score import Key, Meter, Score
from partimento.representations.phrases import SUSTAIN, PhraseRepresentation

TRIES = 4  # for phrases that come out silent
USUAL_QPM = 100.0
MOST_TEMPERATURE = 4.0


class QuartetGANModel(ModelPage):
    """A trained generator and what it can do.

    Music goes in as a `Score`, as notation (text or list), or as the path of a file
    (`pathlib.Path`); it comes out as a `Score`.

    Attributes
    ----------
    name, hash, card
        See `ModelPage`.
    representation : PhraseRepresentation
    bars : int
        Of a phrase.
    """

    family = "quartet-gan"
    verbs = ("sample", "accompany", "interpolate")
    representation: PhraseRepresentation

    def __init__(self, checkpoint: Checkpoint, threads: int = 1) -> None:
        super().__init__(checkpoint, threads)
        fields = checkpoint.config.get("representation")
        self.representation = read_fields(PhraseRepresentation, fields)
        self.bars = self.representation.bars

    def described(self, size: str) -> str:
        """Say in a line what the model is, `size` being its network's."""
        r = self.representation
        return (
            f"{self.name} {self.hash[:12]} ({size}, {r.bars} bars of {r.meter} for "
            f"{r.tracks} tracks, {r.steps_per_quarter} steps a quarter: {', '.join(self.verbs)})"
        )

    # ---- making music

    def sample(
        self,
        bars: int | None = None,
        *,
        seed: int = 0,
        key: Key | str | None = None,
        meter: Meter | tuple[int, int] | str | None = None,
        qpm: float = USUAL_QPM,
        temperature: float = 1.0,
    ) -> Score:
        """Make music from nothing.

        Parameters
        ----------
        bars
            By default a phrase. More are phrases in a row that share what is of the whole.
        seed
            The same seed gives the same notes.
        key
            Moves the music there; by default the key near C that suits the instruments best.
        meter
            Only the model's own, or `None`.
        qpm
            Tempo in quarter notes a minute.
        temperature
            Size of the noise: 1 is what it learned from, less is nearer to what is usual.
        """
        return self.sample_many(
            1, bars, seed=seed, key=key, meter=meter, qpm=qpm, temperature=temperature
        )[0]

    def sample_many(
        self,
        count: int,
        bars: int | None = None,
        *,
        seed: int = 0,
        key: Key | str | None = None,
        meter: Meter | tuple[int, int] | str | None = None,
        qpm: float = USUAL_QPM,
        temperature: float = 1.0,
    ) -> list[Score]:
        """Make `count` pieces at once: seeds `seed`, ``seed + 1``, and so on."""
        seeds, temperature = seeds_of(seed, count), _temperature(temperature)
        bars = self.bars if bars is None else check_bars(bars)
        self._check_meter(meter)
        tonic = None if key is None else parse_key(key)
        phrases = self._sampled(seeds, -(-bars // self.bars), temperature)
        made = [self._score(piece, tonic, qpm, bars) for piece in phrases]
        facts: dict[str, Any] = {"bars": bars, "qpm": qpm, "temperature": temperature}
        if tonic is not None:
            facts["key"] = str(tonic)
        return self.stamped("sample", made, seeds, facts)

    def sample_phrases(self, count: int, *, seed: int = 0, temperature: float = 1.0) -> np.ndarray:
        """Write phrases as rolls, bool (phrase, 2, track, step, pitch) in C: for statistics."""
        return self._sampled(seeds_of(seed, count), 1, _temperature(temperature))[:, 0]

    def accompany(
        self,
        music: Music,
        *,
        part: str | int = AUTO,
        track: str = AUTO,
        fit: bool = False,
        seed: int = 0,
        temperature: float = 1.0,
    ) -> Score:
        """Write the other parts to one that is given, which comes back as it was.

        Parameters
        ----------
        part
            Which part of the music is given: see `partimento.generation.hearing_tracks`.
        track
            The instrument that plays it, by its name; by default the first that can.
        fit
            Move it by octaves, read other meters in the model's, cut what is too long.
        seed, temperature
            As in `sample`.
        """
        return self.accompany_many(
            music, 1, part=part, track=track, fit=fit, seed=seed, temperature=temperature
        )[0]

    def accompany_many(
        self,
        music: Music,
        count: int,
        *,
        part: str | int = AUTO,
        track: str = AUTO,
        fit: bool = False,
        seed: int = 0,
        temperature: float = 1.0,
    ) -> list[Score]:
        """Write `count` accompaniments: seeds `seed`, ``seed + 1``, and so on."""
        seeds, score = seeds_of(seed, count), as_score(music)
        temperature = _temperature(temperature)
        heard = self.heard(score, part=part, track=track, fit=fit)
        rolls = heard.phrases
        given = np.zeros((len(rolls), *self.representation.shape), dtype=bool)
        given[:, :, heard.track] = rolls
        is_given = np.zeros((len(rolls), self.representation.tracks), dtype=bool)
        is_given[:, heard.track] = True
        made = []
        for each in seeds:
            for attempt in range(TRIES):
                z = self._engine.noise(generator_of(each, attempt), len(rolls), temperature)
                written = self._accompanied(self._engine.write(z, given, is_given), heard)
                if written.num_notes > len(heard.notes):
                    break
            else:
                raise _silence(each)
            made.append(written)
        facts = {
            "track": self.representation.track_names[heard.track],
            "temperature": temperature,
            "given": score.digest[:HASH_DIGITS],
        }
        return self.stamped("accompany", made, seeds, facts)

    def heard(
        self, music: Music, *, part: str | int = AUTO, track: str = AUTO, fit: bool = False
    ) -> HeardTrack:
        """Lay the part that is given out as `accompany` would."""
        return hear_track(as_score(music), self.representation, part=part, track=track, fit=fit)

    def interpolate(
        self,
        a: int,
        b: int,
        steps: int = 8,
        *,
        key: Key | str | None = None,
        qpm: float = USUAL_QPM,
        temperature: float = 1.0,
    ) -> Road:
        """Walk from the phrase of one seed to that of another.

        The noise goes along the sphere (`slerp`); all steps sound in one key.

        Parameters
        ----------
        a, b
            Seeds: what `sample` makes of them is the first step, and the last.
        steps
            Phrases, those of both seeds among them.
        """
        number = whole("steps", steps)
        if not 2 <= number <= MOST_STEPS:
            raise ParameterError(f"steps must be 2 to {MOST_STEPS}, got {number}")
        temperature = _temperature(temperature)
        seeds = [check_seed(seed) for seed in (a, b)]
        start, end = (self._engine.noise(generator_of(seed), 1, temperature)[0] for seed in seeds)
        z = np.stack([slerp(start, end, float(share)) for share in np.linspace(0, 1, number)])
        phrases = self._engine.write(z.astype(np.float32))
        tonic = None if key is None else parse_key(key)
        shift = int(self.representation.shift_for(phrases[:1], tonic)[0])
        scores = [self.representation.score_of(phrase, shift, qpm) for phrase in phrases]
        facts = {"steps": number, "seeds": seeds, "qpm": qpm, "temperature": temperature}
        whole_road = concat(*scores)
        stamped = self.stamped(
            "interpolate", [*scores, whole_road], [seeds[0]] * (number + 1), facts
        )
        away = [
            np.array([_different(phrase, one) for phrase in phrases])
            for one in (phrases[0], phrases[-1])
        ]
        return Road(stamped[:-1], stamped[-1], away[0], away[1], ())

    # ---- inside

    def _sampled(self, seeds: Sequence[int], count: int, temperature: float) -> np.ndarray:
        """Phrases of pieces from nothing: (piece, phrase, 2, track, step, pitch)."""
        made = np.zeros((len(seeds), count, *self.representation.shape), dtype=bool)
        silent = np.arange(len(seeds))
        for attempt in range(TRIES):
            z = [
                self._engine.noise(generator_of(seeds[row], attempt), count, temperature)
                for row in silent.tolist()
            ]
            phrases = self._engine.write(np.concatenate(z))
            made[silent] = phrases.reshape(len(silent), *made.shape[1:])
            silent = silent[~made[silent].any(axis=(1, 2, 3, 4, 5))]
            if not len(silent):
                return made
        raise _silence(seeds[int(silent[0])])

    def _score(self, phrases: np.ndarray, key: Key | None, qpm: float, bars: int) -> Score:
        """Make one score of phrases in a row."""
        shift = int(self.representation.shift_for(_joined(phrases)[None], key)[0])
        score = self.representation.score_of(_joined(phrases), shift, _qpm(qpm))
        return score if bars == len(phrases) * self.bars else score.slice(0, bars)

    def _accompanied(self, phrases: np.ndarray, heard: HeardTrack) -> Score:
        """Set what was written beside what was given, in the time and key of the piece."""
        r, score = self.representation, heard.score
        written = r.score_of(
            _joined(phrases), -heard.shift, ticks_per_quarter=score.ticks_per_quarter
        )
        step = score.ticks_per_quarter // r.steps_per_quarter
        early = heard.first_step * step
        end = heard.bars * r.bar_steps * step - early
        given = replace(score.parts[heard.part], notes=heard.notes)
        parts = []
        for number, part in enumerate(written.parts):
            if number == heard.track:
                parts.append(replace(given, name=given.name or part.name, program=part.program))
                continue
            start = np.maximum(part.notes.onset - early, 0)
            stop = np.minimum(part.notes.onset + part.notes.duration - early, end)
            notes = Notes(start, np.maximum(stop - start, 1), part.notes.pitch, part.notes.velocity)
            is_heard = (stop > 0) & (start < end)
            parts.append(replace(part, notes=notes.where(is_heard)))
        return replace(score, parts=tuple(parts), end_tick=max(end, heard.notes.end))

    def _check_meter(self, meter: Meter | tuple[int, int] | str | None) -> None:
        if meter is None or self.representation.fits(parse_meter(meter)):
            return
        asked = str(parse_meter(meter))
        raise ParameterError(
            f"{self.name} writes in {self.representation.meter}, not in {asked}: train one with "
            f"--config {asked.replace('/', '-')}"
        )

    @cached_property
    def _engine(self) -> PhraseEngine:
        network = self.checkpoint.config.get("network")
        return PhraseEngine(
            self.checkpoint.graph("write"),
            self.representation,
            network if isinstance(network, dict) else {},
            self._threads,
        )


def _joined(phrases: np.ndarray) -> np.ndarray:
    """Set phrases, (phrase, 2, track, step, pitch), in a row."""
    return np.concatenate(list(phrases), axis=2)


def _different(one: np.ndarray, other: np.ndarray) -> float:
    """Share of what sounds in two phrases that does not sound in both."""
    together = one[SUSTAIN].sum() + other[SUSTAIN].sum()
    return float(1 - 2 * (one[SUSTAIN] & other[SUSTAIN]).sum() / max(1, together))


def _silence(seed: int) -> GenerationError:
    return GenerationError(
        f"{TRIES} tries were silence with seed {seed}: use another seed, or a higher temperature"
    )


def _temperature(value: Any) -> float:
    temperature = real("temperature", value)
    if not 0 <= temperature <= MOST_TEMPERATURE:
        raise ParameterError(f"temperature must be 0 to {MOST_TEMPERATURE:g}, got {temperature:g}")
    return temperature


def _qpm(value: Any) -> float:
    return real("qpm", value)
