"""The listening environment: instruments, effects, and music played on them.

::

    from partimento.rendering.listening import create_env, fx, inst, seq

    env = create_env()
    piano = inst.sampler(env, "piano")
    env.connect(fx.compressor(env), fx.reverb(env), env.master)
    seq.play(seq("c4:q e4:q g4:h").repeat(2).quantize(96), piano)
    env.render("tune.wav")

Everything that is played begins together; `Phrase.delay` lets a voice enter later.
"""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from partimento.errors import MusicError, ParameterError
from partimento.music import notation
from partimento.music.score import Score
from partimento.music.timing import TempoMap
from partimento.rendering import effects
from partimento.rendering.audio import (
    FADE_SECONDS,
    MAX_SECONDS,
    SAMPLE_RATE,
    TAIL_SECONDS,
    count_frames,
    dry_blocks,
)
from partimento.rendering.audio_file import check_audio_format, write_audio
from partimento.rendering.instruments import find_program
from partimento.rendering.loudness import level
from partimento.rendering.soundfont import open_font


class Phrase:
    """Music to be played: a `Score` with the words of this notation.

    Its other methods are those of `Score` (`repeat`, `transpose`, `delay`, `slice` …), and give
    phrases again; `score` is the score itself.
    """

    def __init__(self, score: Score) -> None:
        self.score = score

    def quantize(self, bpm: float) -> "Phrase":
        """Lay the notes on the beats of a tempo, in quarters a minute."""
        return Phrase(self.score.with_tempo(bpm))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "score":
            raise AttributeError(name)
        value = getattr(self.score, name)
        if not callable(value):
            return value

        def call(*arguments: Any, **settings: Any) -> Any:
            plain = [a.score if isinstance(a, Phrase) else a for a in arguments]
            result = value(*plain, **settings)
            return Phrase(result) if isinstance(result, Score) else result

        return call

    def __repr__(self) -> str:
        return f"Phrase({self.score!r})"


@dataclass(eq=False)
class Instrument:
    """A sampler with one sound of the environment's SoundFont."""

    env: "Environment"
    program: int
    is_drum: bool = False
    chain: tuple[effects.Effect, ...] | None = None


class Master:
    """Where every chain ends."""


@dataclass
class Environment:
    """Instruments, how they are connected, and what they play; `create_env` makes one."""

    sample_rate: int = SAMPLE_RATE
    sound_font: Path | None = None
    master: Master = field(default_factory=Master)
    chain: tuple[effects.Effect, ...] = ()
    played: list[tuple[Score, Instrument, bool]] = field(default_factory=list)

    def connect(self, *nodes: Any) -> None:
        """Send sound through effects, in order, to `master`.

        Parameters
        ----------
        nodes
            Effects, then `master`. Instruments at the beginning have this chain for themselves;
            without any it is for all instruments that have none.
        """
        if not nodes or nodes[-1] is not self.master:
            raise ParameterError("connect(…) ends in env.master: nothing else is heard")
        instruments = [node for node in nodes[:-1] if isinstance(node, Instrument)]
        chain = [node for node in nodes[:-1] if isinstance(node, effects.Effect)]
        if [*instruments, *chain, self.master] != list(nodes):
            raise ParameterError("connect(…) takes instruments, then effects, then env.master")
        for instrument in instruments:
            instrument.chain = tuple(chain)
        if not instruments:
            self.chain = tuple(chain)

    def score(self) -> Score:
        """Give what is played as one score, its loops unrolled; the first piece's tempo holds."""
        scores = [_on(score, instrument) for score, instrument in self._unrolled()]
        return scores[0].stack(*scores[1:])

    def audio(self) -> np.ndarray:
        """Play everything: samples of shape (frame, 2), at -16 LUFS and below -1 dBTP."""
        played = self._unrolled()
        longest = max(_seconds(score) for score, _ in played)
        chains = [self.chain, *(i.chain for _, i in played if i.chain is not None)]
        tail = TAIL_SECONDS + max(sum(e.tail_seconds for e in chain) for chain in chains)
        frames = int(np.ceil((longest + tail) * self.sample_rate))
        buses: dict[Any, np.ndarray] = {}
        for score, instrument in played:
            count_frames(score, self.sample_rate, max_seconds=MAX_SECONDS)
            key = None if instrument.chain is None else id(instrument)
            bus = buses.setdefault(key, np.zeros((2, frames), dtype=np.float32))
            heard = _on(score, instrument)
            for start, block in dry_blocks(heard, frames, self.sample_rate, self.sound_font):
                bus[:, start : start + block.shape[1]] += block
        mix = np.zeros((2, frames), dtype=np.float32)
        own = {id(i): i.chain for _, i in played if i.chain is not None}
        for key, bus in buses.items():
            chain = self.chain if key is None else own[key]
            peak = float(np.abs(bus).max())
            scale = np.float32(0.5 / peak if peak else 1)  # effects meet a usual level
            wet = bus * scale
            for effect in chain:
                wet = effect.process(wet, self.sample_rate)
            mix += wet / scale
        fade = int(FADE_SECONDS * self.sample_rate)
        mix[:, -fade:] *= np.linspace(1, 0, fade, dtype=np.float32) ** 2
        return level(mix.T, self.sample_rate)

    def render(self, path: Path | str) -> None:
        """Write what is played to ``.wav``, ``.flac``, ``.mp3`` or ``.ogg``."""
        check_audio_format(Path(path), self.sample_rate)
        write_audio(self.audio(), path, sample_rate=self.sample_rate)

    def play(self) -> None:
        """Hear it now; Ctrl-C stops."""
        from partimento.rendering.playing import play_samples

        play_samples(self.audio(), sample_rate=self.sample_rate)

    def _unrolled(self) -> list[tuple[Score, Instrument]]:
        """Repeat loops until the last of the others has ended."""
        if not self.played:
            raise MusicError("nothing is played yet: seq.play(theme, instrument) first")
        ends = [_seconds(score) for score, _, is_loop in self.played if not is_loop]
        longest = max(ends) if ends else max(_seconds(score) for score, _, _ in self.played)
        result = []
        for score, instrument, is_loop in self.played:
            times = max(1, round(longest / _seconds(score))) if is_loop else 1
            result.append((score.repeat(times), instrument))
        return result


def create_env(
    *, sample_rate: int = SAMPLE_RATE, sound_font: Path | str | None = None
) -> Environment:
    """Make an environment to listen in.

    Parameters
    ----------
    sample_rate
        8,000 to 96,000 Hz.
    sound_font
        An SF2 file; without one the bundled font plays.
    """
    path = None if sound_font is None else Path(sound_font)
    open_font(path)
    return Environment(sample_rate, path)


class _Instruments:
    """`inst`: makes instruments."""

    def sampler(self, env: Environment, name: str) -> Instrument:
        """Instrument of a General MIDI name: "piano", "violin", "church organ"; "drums"."""
        if str(name).strip().lower() in ("drums", "drum kit"):
            return Instrument(env, 0, is_drum=True)
        return Instrument(env, find_program(name))


class _Effects:
    """`fx`: makes effects; settings and units are those of `partimento.rendering.effects`."""

    _kinds = ("compressor", "reverb", "delay", "filter", "gain", "limiter")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name not in self._kinds:
            near = difflib.get_close_matches(name, self._kinds, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(self._kinds)}"
            raise ParameterError(f"there is no effect {name!r}: {hint}")
        kind = getattr(effects, name.capitalize())

        def make(env: Environment, **settings: Any) -> effects.Effect:
            try:
                return kind(**settings)
            except TypeError:
                known = ", ".join(kind.__dataclass_fields__)
                raise ParameterError(f"{name} has the settings {known}; got {settings}") from None

        return make


class _Seq:
    """`seq`: writes phrases, and plays them."""

    def __call__(self, notes: Any, **settings: Any) -> Phrase:
        """Make a phrase of notes (see `partimento.seq`) or of a score."""
        if isinstance(notes, Phrase):
            return notes
        return Phrase(notes if isinstance(notes, Score) else notation.seq(notes, **settings))

    def concat(self, *phrases: "Phrase | Score | Sequence[Any]") -> Phrase:
        """Put phrases one after another; each keeps its tempo."""
        if len(phrases) == 1 and isinstance(phrases[0], list | tuple):
            phrases = tuple(phrases[0])
        if not phrases:
            raise ParameterError("seq.concat needs at least one phrase")
        first, *others = (self(phrase).score for phrase in phrases)
        return Phrase(first.concat(*others))

    def play(self, phrase: "Phrase | Score", instrument: Instrument) -> None:
        """Play a phrase once, from the beginning of the piece."""
        self._add(phrase, instrument, is_loop=False)

    def loop(self, phrase: "Phrase | Score", instrument: Instrument) -> None:
        """Play a phrase again and again, until everything that is played once has ended."""
        self._add(phrase, instrument, is_loop=True)

    def _add(self, phrase: "Phrase | Score", instrument: Any, *, is_loop: bool) -> None:
        if not isinstance(instrument, Instrument):
            raise ParameterError(f"{instrument!r} is no instrument: inst.sampler(env, name)")
        score = self(phrase).score
        if not score.end_tick:
            raise MusicError("the phrase is empty: there is nothing to play")
        instrument.env.played.append((score, instrument, is_loop))


inst, fx, seq = _Instruments(), _Effects(), _Seq()


def _seconds(score: Score) -> float:
    return float(TempoMap.of(score).seconds(score.end_tick))


def _on(score: Score, instrument: Instrument) -> Score:
    return score.with_parts(
        tuple(
            replace(part, program=instrument.program, is_drum=instrument.is_drum)
            for part in score.parts
        )
    )
