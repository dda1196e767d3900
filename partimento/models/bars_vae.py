"""melody-vae, drums-vae, quartet-vae: a map of music, every point a few bars.

A variational autoencoder reads a window of whole bars (`representations.bars`), says where in a
space it lies, and writes it again from there (`networks.bars_vae`; lessons in
`models.bars_lessons`). Neighbours sound alike, and there are roads between any two. What it has
learned runs on ONNX Runtime (`generation.latent_engine`), and the verbs are ways about the map:
`sample`, `reconstruct`, `interpolate`, `vary`, `likelihood`, and `encode` and `decode` themselves.

::

    from partimento import load, seq

    model = load("melody-vae")
    tune = seq("c4:q c4:q c4:e. d4:s e4:q  e4:e. d4:s e4:e. f4:s g4:h")
    road = model.interpolate(tune, model.sample(seed=3), steps=8)
    model.vary(tune, amount=0.3, seed=1)
    model.vary(tune, more={"density": 1.5})

References
----------
Roberts, Engel, Raffel, Hawthorne and Eck, "A Hierarchical Latent Vector Model for Learning
Long-Term Structure in Music" (MusicVAE), ICML 2018.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from partimento.checkpoints import Checkpoint
from partimento.errors import CheckpointError, GenerationError, ParameterError
from partimento.generation.attributes import Sliders, attribute_names, measured
from partimento.generation.continuation import check_bars, seeds_of
from partimento.generation.hearing import AUTO
from partimento.generation.hearing_windows import (
    HeardWindows,
    hear_windows,
    score_of,
    scores_of,
    steps_equal,
)
from partimento.generation.latent import Prior, normal_log_density, slerp, strayed
from partimento.generation.latent_engine import LatentEngine
from partimento.generation.sampling import Sampling, check_seed, generator_of, real, whole
from partimento.models.groove import GrooveModel, usual_drummer
from partimento.models.latent_results import LatentLikelihood, Reconstruction, Road
from partimento.models.load import LATENT_VERBS
from partimento.models.melody_rnn import Music, as_score
from partimento.models.page import HASH_DIGITS, ModelPage, facts_of, read_fields
from partimento.models.playing import Performed, performed
from partimento.music.drums import Hits
from partimento.music.notation import parse_meter
from partimento.music.score import Meter, Score
from partimento.representations.bars import BarsRepresentation

LATENT = "latent.npz"  # prior and sliders, in a checkpoint
TRIES = 4  # for a window that comes out silent
USUAL_TEMPERATURE = 0.5  # where a point is given: what stands there, not all that might
WANDERING = 0.4  # how far one window lies from the next where more bars are asked for than it has
FINE_STEPS = 129  # of a road, from which those are chosen that lie evenly
MOST_STEPS, MOST_SAMPLES, MOST_TURN = 64, 4096, 8.0
FARTHEST = 100.0  # number of a point: music lies within ten or so
# Steps that are tried along a slider, how many of each length, and how noisy all but the first.
STEP_LENGTHS = np.array([0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0])
NOISES, NOISE = 6, 0.3
OTHERS_COUNT = 0.2  # a change of another attribute, beside a miss of the one asked for
LEARNED_LENGTH = 2.0  # step along a slider whose attribute cannot be measured


class BarsVAEModel(ModelPage):
    """A trained VAE of bars and what it can do.

    Music goes in as a `Score`, as notation (text or list), or as the path of a file
    (`pathlib.Path`); it comes out as a `Score`.

    Attributes
    ----------
    name, hash, card
        See `ModelPage`.
    representation : BarsRepresentation
    bars : int
        Of a window.
    is_straight : bool
        Of drums: whether strokes are even and on the grid. Set it to have them so; else
        `drums-groove` plays them.
    """

    family = "melody-vae"
    verbs = LATENT_VERBS
    representation: BarsRepresentation

    def __init__(self, checkpoint: Checkpoint, threads: int = 1) -> None:
        super().__init__(checkpoint, threads)
        self.family = checkpoint.family  # type: ignore[misc]  # of the music's kind
        fields = checkpoint.config.get("representation")
        self.representation = read_fields(BarsRepresentation, fields)
        self.bars = self.representation.bars
        self.is_straight = False
        if self.family != f"{self.representation.kind}-vae":
            raise CheckpointError(
                f"the checkpoint is a {self.family} of {self.representation.kind}: its config is "
                "damaged"
            )

    # ---- making music

    def sample(
        self,
        bars: int | None = None,
        *,
        seed: int = 0,
        meter: Meter | tuple[int, int] | str = "4/4",
        qpm: float = 120,
        temperature: float = USUAL_TEMPERATURE,
        top_k: int = 0,
        top_p: float = 1.0,
    ) -> Score:
        """Make music from nothing.

        Parameters
        ----------
        bars
            By default a window. Of more, each window lies a little way from the one before.
        meter
            Any whose bar fits: see `BarsRepresentation.bar_steps`.
        qpm
            Tempo in quarter notes a minute.
        seed, temperature, top_k, top_p
            The same seed gives the same notes. 1 is all that a point may mean, 0 the likeliest.
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
        )[0]

    def sample_many(
        self,
        count: int,
        bars: int | None = None,
        *,
        seed: int = 0,
        meter: Meter | tuple[int, int] | str = "4/4",
        qpm: float = 120,
        **drawing: Any,
    ) -> list[Score]:
        """Make `count` pieces at once: seeds `seed`, ``seed + 1``, and so on."""
        sampling = _sampling(drawing)
        seeds, meter = seeds_of(seed, count), parse_meter(meter)
        bars = self.bars if bars is None else check_bars(bars)
        bar_steps = self.representation.bar_steps(meter)
        tables = self._sampled(seeds, -(-bars // self.bars), bar_steps, sampling)
        if self.representation.kind == "drums":
            strokes = self._performed(tables, meter, qpm, seeds)
            made = [
                score_of(
                    piece,
                    self.representation,
                    meter,
                    qpm,
                    bars=bars,
                    velocity=how.velocity,
                    offset=how.offset,
                )
                for piece, how in zip(tables, strokes, strict=True)
            ]
        else:
            made = scores_of(tables, self.representation, meter, qpm, bars=bars)
        facts = {"bars": bars, "meter": str(meter), "qpm": qpm, **facts_of(sampling, NoMore())}
        return self.stamped("sample", made, seeds, facts)

    def sample_tables(
        self, count: int, *, seed: int = 0, bar_steps: int = 16, temperature: float = 1.0
    ) -> np.ndarray:
        """Make windows as tables, (window, row, position): for statistics."""
        seeds = seeds_of(seed, count)
        return self._sampled(seeds, 1, bar_steps, Sampling(temperature))[:, 0]

    def _sampled(
        self, seeds: Sequence[int], windows: int, bar_steps: int, sampling: Sampling
    ) -> np.ndarray:
        """Tables of pieces from nothing: (piece, window, row, position)."""
        shape = (len(seeds), windows, self.representation.rows, self.representation.positions)
        tables = np.zeros(shape, dtype=np.int64)
        silent = np.arange(len(seeds))
        for attempt in range(TRIES):
            generators = [generator_of(seeds[row], attempt) for row in silent.tolist()]
            z = self._prior.draw(generators)
            for window in range(windows):
                if window:
                    z = np.concatenate(
                        [
                            strayed(point[None], WANDERING, self._prior, generator)
                            for point, generator in zip(z, generators, strict=True)
                        ]
                    )
                tables[silent, window] = self._engine.decode(z, bar_steps, generators, sampling)
            is_silent = ~self.representation.is_onset(tables[silent]).any(axis=(1, 2, 3))
            silent = silent[is_silent]
            if not len(silent):
                return tables
        raise GenerationError(
            f"{TRIES} tries were silence with seed {seeds[silent[0]]}: use another seed, or a "
            "higher temperature"
        )

    def reconstruct(
        self,
        music: Music,
        *,
        melody: str | int = AUTO,
        seed: int = 0,
        temperature: float = 0.0,
        top_k: int = 0,
        top_p: float = 1.0,
    ) -> Reconstruction:
        """Send a piece through the bottleneck, and see what comes back.

        Parameters
        ----------
        melody
            Which part is the melody, as in `MelodyRNNModel.continue_from`.
        """
        sampling = _sampling({"temperature": temperature, "top_k": top_k, "top_p": top_p})
        score = as_score(music)
        heard = hear_windows(score, self.representation, melody)
        mu, _ = self._engine.encode(heard.tables)
        tables = self._decoded(mu, heard, check_seed(seed), sampling)
        made = self._score(tables, heard, seed)
        same = np.where(heard.tables != self.representation.pad, (tables == heard.tables), np.nan)
        representation = self.representation
        same = same.reshape(len(same), representation.parts, self.bars, representation.positions)
        by_bar = np.nanmean(same, axis=(1, 3)).reshape(-1)[: heard.bars]
        facts = {**facts_of(sampling, NoMore()), "primer": score.digest[:HASH_DIGITS]}
        stamped = self.stamped("reconstruct", [made], [seed], facts)
        return Reconstruction(stamped[0], float(by_bar.mean()), by_bar, heard.remarks)

    def interpolate(
        self,
        a: Music,
        b: Music,
        steps: int = 8,
        *,
        melody: str | int = AUTO,
        seed: int = 0,
        temperature: float = 0.0,
        top_k: int = 0,
        top_p: float = 1.0,
    ) -> Road:
        """Walk from the first window of one piece to that of another.

        The way is that of `slerp`; its steps are chosen so that each changes about as much.

        Parameters
        ----------
        steps
            Pieces, A and B among them (as they are, not as reconstructed).
        """
        number = whole("steps", steps)
        if not 2 <= number <= MOST_STEPS:
            raise ParameterError(f"steps must be 2 to {MOST_STEPS}, got {number}")
        sampling = _sampling({"temperature": temperature, "top_k": top_k, "top_p": top_p})
        scores = [as_score(a), as_score(b)]
        heard, remarks = [], []
        for name, score in zip("AB", scores, strict=True):
            found = hear_windows(score, self.representation, melody)
            if found.bars > self.bars:
                remarks.append(f"{name} has {found.bars} bars: its first {self.bars} are used")
            remarks += [f"{name}: {remark}" for remark in found.remarks]
            heard.append(found)
        one, other = heard
        if one.bar_steps != other.bar_steps:
            raise ParameterError(
                f"A is in {one.meter} and B in {other.meter}: there is a road only between bars of "
                "one length"
            )
        ends = np.stack([one.tables[0], other.tables[0]])
        mu, _ = self._engine.encode(ends)
        shares = np.linspace(0, 1, max(FINE_STEPS, number))
        mean = self._prior.mean
        points = np.stack(
            [mean + slerp(mu[0] - mean, mu[1] - mean, float(share)) for share in shares]
        )
        generators = [generator_of(check_seed(seed)) for _ in shares]  # the same dice all the way
        tables = self._engine.decode(points, one.bar_steps, generators, sampling)
        tables[0], tables[-1] = ends
        tables = tables[_even_paces(self._gone(tables), number)]
        road, whole_road = self._road_scores(tables, one, other, seed)
        facts = {
            "steps": number,
            **facts_of(sampling, NoMore()),
            "a": scores[0].digest[:HASH_DIGITS],
            "b": scores[1].digest[:HASH_DIGITS],
        }
        stamped = self.stamped("interpolate", [*road, whole_road], [seed] * (number + 1), facts)
        away = [
            np.array([1 - steps_equal(table, end, self.representation) for table in tables])
            for end in ends
        ]
        return Road(stamped[:-1], stamped[-1], away[0], away[1], tuple(remarks))

    def vary(
        self,
        music: Music,
        amount: float | None = None,
        *,
        more: Mapping[str, float] | None = None,
        melody: str | int = AUTO,
        seed: int = 0,
        temperature: float = 0.0,
        top_k: int = 0,
        top_p: float = 1.0,
    ) -> Score:
        """Make something like a piece.

        Parameters
        ----------
        amount
            0 is the piece itself, 1 anything; by default 0.3, or 0 where sliders are turned.
        more
            Sliders to turn, and how far, in standard deviations; less where negative.
        """
        return self.vary_many(
            music,
            1,
            amount,
            more=more,
            melody=melody,
            seed=seed,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
        )[0]

    def vary_many(
        self,
        music: Music,
        count: int,
        amount: float | None = None,
        *,
        more: Mapping[str, float] | None = None,
        melody: str | int = AUTO,
        seed: int = 0,
        **drawing: Any,
    ) -> list[Score]:
        """Make `count` pieces like one: seeds `seed`, ``seed + 1``, and so on."""
        sampling = _sampling({"temperature": 0.0, **drawing})
        turned = dict(more or {})
        amount = real("amount", (0.0 if turned else 0.3) if amount is None else amount)
        if not 0 <= amount <= 1:
            raise ParameterError(f"amount must be 0 (the same) to 1 (anything), got {amount:g}")
        for name, turn in turned.items():
            turned[name] = real(name, turn)
            self.sliders.direction(name)  # refuses what is none
            if abs(turned[name]) > MOST_TURN:
                raise ParameterError(
                    f"{name} must be turned by {MOST_TURN:g} standard deviations at most, got "
                    f"{turn:g}"
                )
        seeds, score = seeds_of(seed, count), as_score(music)
        heard = hear_windows(score, self.representation, melody)
        mu, _ = self._engine.encode(heard.tables)
        facts = {
            "amount": amount,
            **({"more": turned} if turned else {}),
            **facts_of(sampling, NoMore()),
            "primer": score.digest[:HASH_DIGITS],
        }
        made = []
        for each in seeds:
            if amount == 0 and not turned:
                made.append(self._score(heard.tables, heard, each))
                continue
            for attempt in range(TRIES):
                generator = generator_of(each, attempt)
                points = mu
                if turned:
                    points = self.turned(heard.tables, mu, turned, generator)
                if amount:
                    points = strayed(points, amount, self._prior, generator)
                tables = self._decoded(points, heard, each, sampling, attempt)
                if self.representation.is_onset(tables).any():
                    break
            else:
                raise GenerationError(
                    f"{TRIES} tries were silence with seed {each}: use another seed, or turn less"
                )
            made.append(self._score(tables, heard, each))
        return self.stamped("vary", made, seeds, facts)

    # ---- the map itself

    def encode(self, music: Music, *, melody: str | int = AUTO) -> np.ndarray:
        """Say where the windows of a piece lie: float32, shape (window, latent)."""
        heard = hear_windows(as_score(music), self.representation, melody)
        return self._engine.encode(heard.tables)[0]

    def decode(
        self,
        z: Any,
        *,
        seed: int = 0,
        meter: Meter | tuple[int, int] | str = "4/4",
        qpm: float = 120,
        temperature: float = 0.0,
        top_k: int = 0,
        top_p: float = 1.0,
    ) -> Score:
        """Write the windows that lie at points, in a row.

        Parameters
        ----------
        z
            Shape (window, latent), or (latent,) for one.
        """
        sampling = _sampling({"temperature": temperature, "top_k": top_k, "top_p": top_p})
        points = np.asarray(z)
        points = points[None] if points.ndim == 1 else points
        latent = self._engine.latent_size
        is_number = points.dtype.kind in "fiu"
        if points.ndim != 2 or points.shape[1] != latent or not len(points) or not is_number:
            raise ParameterError(
                f"z must be numbers of shape (window, {latent}), got shape {points.shape} of "
                f"{points.dtype}"
            )
        if not np.isfinite(points).all():
            raise ParameterError("z holds NaN or infinite numbers")
        if np.abs(points).max() > FARTHEST:
            raise ParameterError(
                f"z reaches {np.abs(points).max():.3g}: no music lies beyond {FARTHEST:g}"
            )
        meter = parse_meter(meter)
        bar_steps = self.representation.bar_steps(meter)
        generators = [generator_of(check_seed(seed), number) for number in range(len(points))]
        tables = self._engine.decode(points, bar_steps, generators, sampling)
        how = self._performed(tables[None], meter, qpm, [seed])[0]
        made = score_of(
            tables, self.representation, meter, qpm, velocity=how.velocity, offset=how.offset
        )
        facts = {"meter": str(meter), "qpm": qpm, **facts_of(sampling, NoMore())}
        return self.stamped("decode", [made], [seed], facts)[0]

    def likelihood(
        self, music: Music, *, melody: str | int = AUTO, samples: int = 64, seed: int = 0
    ) -> LatentLikelihood:
        """Estimate how surprised the model is by a piece, window by window.

        By importance sampling from each window's Gaussian, with the checkpoint's prior.
        """
        number = whole("samples", samples)
        if not 1 <= number <= MOST_SAMPLES:
            raise ParameterError(f"samples must be 1 to {MOST_SAMPLES}, got {number}")
        heard = hear_windows(as_score(music), self.representation, melody)
        weights = self.log_weights(heard.tables, heard.bar_steps, number, check_seed(seed))
        largest = weights.max(axis=1, keepdims=True)
        estimate = -(largest[:, 0] + np.log(np.exp(weights - largest).mean(axis=1)))
        return LatentLikelihood(
            float(estimate.sum()),
            float(-weights.mean(axis=1).sum()),
            estimate,
            number,
            int(self.representation.is_onset(heard.tables).sum()),
            int((heard.tables != self.representation.pad).sum()),
            heard.remarks,
        )

    def log_weights(
        self, tables: np.ndarray, bar_steps: int, samples: int, seed: int = 0
    ) -> np.ndarray:
        """Logarithms of ``p(x|z) p(z) / q(z|x)``, in nats; (window, sample)."""
        mu, log_variance = (found.astype(np.float64) for found in self._engine.encode(tables))
        found = np.zeros((len(tables), samples))
        for window in range(len(tables)):
            generator = generator_of(seed, window)
            noise = generator.standard_normal((samples, mu.shape[1]))
            z = mu[window] + np.exp(0.5 * log_variance[window]) * noise
            repeated = np.repeat(tables[window : window + 1], samples, axis=0)
            nats = self._engine.nats(z, repeated, bar_steps).sum(axis=(1, 2))
            posterior = normal_log_density(z, mu[window], log_variance[window])
            found[window] = -nats + self._prior.log_density(z) - posterior
        return found

    def hear(self, music: Music, *, melody: str | int = AUTO) -> HeardWindows:
        """Show what the model hears of a piece: its windows, and what was changed for its ears."""
        return hear_windows(as_score(music), self.representation, melody)

    @property
    def sliders(self) -> Sliders:
        """Directions with names.

        Raises
        ------
        ParameterError
            If the checkpoint has none.
        """
        found = self._sliders
        if found is None:
            raise ParameterError(
                f"{self.name} has no sliders: `partimento sliders MODEL --data MY` learns some"
            )
        return found

    def measured(self, tables: np.ndarray) -> dict[str, np.ndarray]:
        """Measure attributes of windows, by name."""
        names = attribute_names(self.representation)
        return dict(zip(names, measured(tables, self.representation).T, strict=True))

    def turned(
        self,
        tables: np.ndarray,
        points: np.ndarray,
        turns: Mapping[str, float],
        generator: np.random.Generator,
    ) -> np.ndarray:
        """Move points along sliders until what is asked is heard.

        A decoder forgives: near a point all sounds the same, and further off it changes at once. So
        steps of several lengths are tried along the direction, some with a little noise, and of
        those the one is taken whose attributes come nearest to what was asked: those turned
        changed by so much, the others not at all.

        Parameters
        ----------
        tables, points
            Windows, and where they lie; (window, bar, position) and (window, latent).
        turns
            Standard deviations by slider.

        Returns
        -------
        points : float64 array, shape (window, latent)
        """
        sliders = self.sliders
        step = sum(turn * sliders.direction(name) for name, turn in turns.items())
        wanted = np.array([turns.get(name, 0.0) for name in sliders.names])
        weight = np.where(wanted != 0, 1.0, OTHERS_COUNT)
        lengths = np.repeat(STEP_LENGTHS, NOISES)  # try
        noise = self._prior.draw([generator] * len(lengths)) - self._prior.mean
        noise[::NOISES] = 0
        tries = lengths[:, None] * step + np.sin(NOISE) * noise  # try latent
        attributes = attribute_names(self.representation)
        found = points.astype(np.float64)
        if not set(turns) <= set(attributes):  # sliders from folders: nothing to measure them by
            return found + LEARNED_LENGTH * step
        known = [number for number, name in enumerate(sliders.names) if name in attributes]
        columns = [attributes.index(sliders.names[number]) for number in known]
        wanted, weight, deviations = wanted[known], weight[known], sliders.deviations[known]
        for window, table in enumerate(tables):
            bar_steps = int((table[0] != self.representation.pad).sum())
            candidates = points[window] + tries
            dice = [generator_of(0)] * len(candidates)
            made = self._engine.decode(candidates, bar_steps, dice, Sampling(0.0))
            before = measured(table[None], self.representation)
            change = (measured(made, self.representation) - before)[:, columns] / deviations
            is_heard = self.representation.is_onset(made).any(axis=(1, 2))
            cost = (weight * (change - wanted) ** 2).sum(axis=1)
            found[window] = candidates[int(np.where(is_heard, cost, np.inf).argmin())]
        return found

    # ---- underneath

    def _gone(self, tables: np.ndarray) -> np.ndarray:
        """How far windows have gone from the first to the last, 0 to 1."""
        real = tables[0] != self.representation.pad
        to_a, to_b = ((tables != end)[:, real].mean(axis=1) for end in (tables[0], tables[-1]))
        gone: np.ndarray = (to_a - to_b) / max(1e-9, float(to_a[-1]))
        return (gone + 1) / 2

    def _decoded(
        self,
        points: np.ndarray,
        heard: HeardWindows,
        seed: int,
        sampling: Sampling,
        attempt: int = 0,
    ) -> np.ndarray:
        generators = [
            generator_of(seed, TRIES * (number + 1) + attempt) for number in range(len(points))
        ]
        return self._engine.decode(points, heard.bar_steps, generators, sampling)

    def _score(self, tables: np.ndarray, heard: HeardWindows, seed: int) -> Score:
        """Put windows in a row; strokes that the piece had are played as they were."""
        how = self._performed(tables[None], heard.meter, heard.qpm, [seed], heard.hits)[0]
        return score_of(
            tables,
            self.representation,
            heard.meter,
            heard.qpm,
            bars=heard.bars,
            shift=heard.shift,
            velocity=how.velocity,
            offset=how.offset,
            players=heard.players,
        )

    def _road_scores(
        self, tables: np.ndarray, one: HeardWindows, other: HeardWindows, seed: int
    ) -> tuple[list[Score], Score]:
        """Make a piece of each window of a road, and one of all; ends are played as they were."""
        about = one.meter, one.qpm
        strokes = self._performed(tables[:, None], *about, [seed] * len(tables))
        for end, heard in ((0, one), (-1, other)):
            strokes[end] = self._performed(tables[end][None, None], *about, [seed], heard.hits)[0]

        def made(windows: np.ndarray, how: Sequence[Performed]) -> Score:
            velocity, offset = (
                None if how[0].velocity is None else np.concatenate(column)
                for column in zip(*how, strict=True)
            )
            return score_of(
                windows,
                self.representation,
                *about,
                shift=one.shift,
                velocity=velocity,
                offset=offset,
                players=one.players,
            )

        road = [made(table[None], [how]) for table, how in zip(tables, strokes, strict=True)]
        return road, made(tables, strokes)

    def _performed(
        self,
        tables: np.ndarray,
        meter: Meter,
        qpm: float,
        seeds: Sequence[int],
        known: Hits | None = None,
    ) -> list[Performed]:
        return performed(tables, self.representation, meter, qpm, seeds, self._groove, known)

    def stamped(
        self,
        verb: str,
        scores: Sequence[Score],
        seeds: Sequence[int],
        settings: dict[str, Any],
        **more: Any,
    ) -> list[Score]:
        """Write into each score how it was made, and who played its strokes."""
        if self._groove is not None:
            more["played_by"] = f"{self._groove.name} {self._groove.hash[:HASH_DIGITS]}"
        return super().stamped(verb, scores, seeds, settings, **more)

    @property
    def _groove(self) -> GrooveModel | None:
        """Who plays the strokes: nobody, where they are straight or on another grid."""
        if self.representation.kind != "drums" or self.is_straight:
            return None
        drummer = usual_drummer()
        same_grid = (
            drummer.representation.steps_per_quarter == self.representation.steps_per_quarter
        )
        return drummer if same_grid else None

    @cached_property
    def _engine(self) -> LatentEngine:
        names = ("encode", "plan", "write")
        network = self.checkpoint.config.get("network")
        return LatentEngine(
            {name: self.checkpoint.graph(name) for name in names},
            self.representation,
            network if isinstance(network, dict) else {},
            self._threads,
        )

    @cached_property
    def _latent(self) -> dict[str, np.ndarray] | None:
        return self.checkpoint.arrays(LATENT)

    @cached_property
    def _prior(self) -> Prior:
        return Prior.of_arrays(self._latent, self._engine.latent_size)

    @cached_property
    def _sliders(self) -> Sliders | None:
        about = self.checkpoint.config.get("sliders")
        names = about.get("names") if isinstance(about, dict) else None
        return Sliders.of_arrays(self._latent, names, self._engine.latent_size)

    def __repr__(self) -> str:
        kind = self.representation.kind
        return (
            f"{self.name} {self.hash[:12]} (VAE of {self.bars} bars of {kind}, "
            f"{self.representation.steps_per_quarter} steps a quarter: {', '.join(self.verbs)})"
        )


def _even_paces(gone: np.ndarray, steps: int) -> np.ndarray:
    """Choose steps of a fine road that lie about equally far apart, the first and the last too.

    Near its ends a road hardly changes, since a decoder forgives; in the middle it changes fast.
    """
    ahead = np.maximum.accumulate(gone)
    wanted = np.linspace(0, 1, steps)
    chosen = np.abs(ahead[:, None] - wanted).argmin(axis=0)
    chosen[0], chosen[-1] = 0, len(gone) - 1
    least, most = np.arange(steps), len(gone) - steps + np.arange(steps)
    return np.clip(np.maximum.accumulate(chosen - least) + least, least, most)


@dataclass(frozen=True)
class NoMore:
    """No settings beside those of drawing."""


def _sampling(drawing: dict[str, Any]) -> Sampling:
    """Read settings of drawing; by default those of a point."""
    if unknown := set(drawing) - set(Sampling.__dataclass_fields__):
        raise ParameterError(
            f"unknown setting {sorted(unknown)[0]!r}: there are "
            f"{', '.join(Sampling.__dataclass_fields__)}"
        )
    return Sampling(**{"temperature": USUAL_TEMPERATURE, **drawing})
