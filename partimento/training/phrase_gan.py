"""Teach a `PhraseGenerator`: from phrases to a checkpoint. `teach_phrases` is the whole road.

Now and then the averaged generator gets thresholds that make its rhythm as frequent as that of the
training phrases (`training.phrase_rates`) and writes phrases. Their statistics are set beside those
of the training phrases (`music.phrase_statistics`). The score of a look is the mean, over metrics,
of that distance as a multiple of the distance between held-out and training phrases: 1 is as close
as music by the same hands. The weights with the lowest score are kept. What usually goes wrong with
a GAN is looked for at the same time, and said in words: silence, and collapse. At the end these
weights and the last ones, not averaged, are compared once more, and the better become the model.
"""

import copy
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from partimento.checkpoints import save_checkpoint
from partimento.errors import ParameterError
from partimento.music.phrase_statistics import Figures, distances, measure, spread
from partimento.networks.phrase_gan import PhraseCritic, PhraseGANConfig, PhraseGenerator
from partimento.representations.phrases import PhraseRepresentation
from partimento.training.adversarial import ContestProgress, ContestSettings, Look, contest
from partimento.training.course import Taught, checkpoint_config, enough_memory, plain
from partimento.training.distributed import joined
from partimento.training.loop import Outcome
from partimento.training.phrase_gan_card import write_phrase_gan_card
from partimento.training.phrase_graphs import check_graph, graph_of
from partimento.training.phrase_rates import set_rates, written
from partimento.training.phrases import Phrases, check_enough
from partimento.training.rounding import rounded_to_bytes, stored
from partimento.training.run_folder import PIECES, RunFolder
from partimento.training.verdict import Verdict

WRITTEN = 1000  # phrases at a look
COMPARED = 4000  # training and held-out phrases that are measured
CLOSEST = 0.01  # distances between real phrases below this are taken for it
SILENT, COLLAPSED = 0.2, 0.6  # of the notes, and of the spread, of real phrases
CHECKED = 16  # phrases that graph and network must agree on
SHOWN = 4  # phrases that a look hands on to be shown
NEITHER = ("qualified_notes",)  # always 1 on a grid this coarse


@dataclass(frozen=True)
class PhraseGANLesson:
    """Everything that decides what the two networks learn.

    Attributes
    ----------
    name, config : str
        Of the finished model, and preset it comes from.
    representation : PhraseRepresentation
    network : dict
        Fields of `PhraseGANConfig`; what is left out is the default.
    settings : ContestSettings
    data : tuple of str
        Sources as asked for, for the card.
    as_learned : bool
        Leave the thresholds of the rhythm as they were learned: see `training.phrase_rates`.
    """

    name: str
    config: str
    representation: PhraseRepresentation
    network: dict[str, Any]
    settings: ContestSettings
    data: tuple[str, ...] = ()
    as_learned: bool = False

    def network_config(self) -> PhraseGANConfig:
        """Size of the networks that fit the representation."""
        representation = self.representation
        for name in self.network:
            if name not in PhraseGANConfig.__dataclass_fields__:
                raise ParameterError(f"a GAN of phrases has no setting {name!r}")
        return PhraseGANConfig(
            lowest=representation.lowest,
            pitches=representation.pitches,
            bars=representation.bars,
            beats=representation.bar_steps // representation.beat_steps,
            beat_steps=representation.beat_steps,
            **self.network,
        )

    def new_networks(self) -> tuple[PhraseGenerator, PhraseCritic]:
        """Make both of random weights, by the seed of the settings."""
        torch.manual_seed(self.settings.seed)
        config = self.network_config()
        return PhraseGenerator(config), PhraseCritic(config)

    def facts(self) -> dict[str, Any]:
        """All of it as plain values, for `run.json` and the checkpoint."""
        return plain({**asdict(self), "network": asdict(self.network_config())})


@dataclass(frozen=True)
class PhraseBatches:
    """Phrases of each move, and which of their tracks are given."""

    phrases: Phrases
    batch_size: int
    given: float
    seed: int

    @property
    def batches_per_epoch(self) -> int:
        """Batches that are as many phrases as there are."""
        return -(-len(self.phrases) // self.batch_size)

    def __call__(self, move: int) -> tuple[Tensor, Tensor]:
        """Draw the phrases of one move."""
        generator = np.random.default_rng((self.seed, 1, move))
        rolls = self.phrases.rolls(generator.integers(0, len(self.phrases), self.batch_size))
        tracks = rolls.shape[2]
        is_given = np.zeros((self.batch_size, tracks), dtype=np.float32)
        rows = np.arange(round(self.batch_size * self.given))
        is_given[rows, generator.integers(0, tracks, len(rows))] = 1
        return torch.from_numpy(rolls.astype(np.float32)), torch.from_numpy(is_given)


class Judge:
    """Sets what a generator writes beside real phrases."""

    def __init__(self, train: Phrases, valid: Phrases, lesson: PhraseGANLesson) -> None:
        self._lesson = lesson
        self.sample = some_of(train, COMPARED)
        self.train = self.measured(self.sample)
        self.yardstick = distances(self.measured(some_of(valid, COMPARED)), self.train)
        self._spread = spread(self.sample)
        self._notes = float(self.train.notes.mean())

    def measured(self, phrases: np.ndarray) -> Figures:
        """Measure phrases of the lesson's shape."""
        r = self._lesson.representation
        return measure(phrases, r.lowest, r.bar_steps, r.beat_steps, r.steps_per_quarter)

    def judge(self, phrases: np.ndarray) -> Look:
        """Give the score of phrases, and say what is wrong with them."""
        found = self.measured(phrases)
        away = distances(found, self.train)
        ratios = {
            name: value / max(self.yardstick[name], CLOSEST)
            for name, value in away.items()
            if name not in NEITHER
        }
        diversity = spread(phrases) / self._spread
        words = []
        if float(found.notes.mean()) < SILENT * self._notes:
            words.append(
                "it writes next to nothing: the critic has won too early; lower --critic-rate"
            )
        elif diversity < COLLAPSED:
            words.append(
                f"its phrases are {diversity:.2f} times as different as real ones: it collapses "
                "to a few; lower --generator-rate, or give it more music"
            )
        score = float(np.mean(list(ratios.values())))
        figures = {"diversity": diversity, **{f"ratio_{n}": v for n, v in ratios.items()}}
        return Look(score, figures, tuple(words))


def teach_phrases(
    lesson: PhraseGANLesson,
    train: Phrases,
    valid: Phrases,
    run: RunFolder,
    *,
    resume: bool = False,
    data_facts: dict[str, Any] | None = None,
    on_start: Callable[[int, int], None] = lambda parameters, batches: None,
    report: Callable[[ContestProgress], None] = lambda progress: None,
    tell: Callable[[str], None] = lambda words: None,
    show: Callable[[int, np.ndarray], None] = lambda step, phrases: None,
) -> Taught:
    """Train on some phrases, choose by others, and write the checkpoint.

    Parameters
    ----------
    resume, data_facts, on_start, tell
        As in `training.melody.teach`.
    report
        Called after every round and every look.
    show
        Called at every look with a few phrases, as bool arrays.

    Raises
    ------
    DataError
        If there is nothing to train on, or nothing held out.
    ParameterError
        If several processes were started: a contest is one process.
    """
    check_enough(train, valid, lesson.representation)
    settings = lesson.settings
    batches = PhraseBatches(train, settings.batch_size, settings.given, settings.seed)
    with run.locked(), joined() as group:
        if group.size > 1:
            raise ParameterError(
                "a GAN trains in one process: start it without torchrun (a GPU is used if there "
                "is one)"
            )
        with enough_memory():
            generator, critic = lesson.new_networks()
        asked = lesson.facts() | {
            "phrases": len(train) + len(valid),
            PIECES: train.digest + valid.digest,
        }
        run.begin(asked, resume=resume)
        parameters = sum(w.numel() for n in (generator, critic) for w in n.parameters())
        on_start(parameters, batches.batches_per_epoch)
        judge = Judge(train, valid, lesson)

        def look(step: int, average: nn.Module) -> Look:
            assert isinstance(average, PhraseGenerator)
            candidate = copy.deepcopy(average)
            if step and not lesson.as_learned:
                set_rates(candidate, judge.sample)
            phrases = written(candidate, WRITTEN)
            show(step, phrases[:SHOWN])
            found = judge.judge(phrases)
            return found if step else replace(found, words=())  # random weights say nothing

        with enough_memory():
            generator.to(group.device)
            critic.to(group.device)
            outcome = contest(generator, critic, batches, look, settings, run, report, tell)
        return conclude_phrases(lesson, generator, run, outcome, train, judge, data_facts or {})


def some_of(phrases: Phrases, count: int) -> np.ndarray:
    """Choose so many phrases, always the same."""
    rows = np.random.default_rng(0).permutation(len(phrases))[:count]
    return phrases.rolls(np.sort(rows))


def conclude_phrases(
    lesson: PhraseGANLesson,
    generator: PhraseGenerator,
    run: RunFolder,
    outcome: Outcome,
    train: Phrases,
    judge: Judge,
    data_facts: dict[str, Any],
) -> Taught:
    """Take the best generator of a run that has ended, judge it, and write the checkpoint."""
    weights, best = run.load_best()
    candidates = {best["step"]: weights, outcome.step: generator.cpu().state_dict()}
    looks = {}
    for step, found in candidates.items():
        candidate = PhraseGenerator(lesson.network_config()).eval()
        candidate.load_state_dict(found)
        rounded_to_bytes(candidate)
        if not lesson.as_learned:
            set_rates(candidate, judge.sample)
            rounded_to_bytes(candidate)  # the biases that are new
        looks[step] = judge.judge(written(candidate, WRITTEN)), candidate
    best_step = min(looks, key=lambda step: looks[step][0].score)
    look, generator = looks[best_step]
    phrases = written(generator, WRITTEN)
    graph = graph_of(generator)
    same = check_graph(generator, graph, some_of(train, CHECKED))
    figures: dict[str, Any] = {
        "score": look.score,
        "diversity": look.figures["diversity"],
        **{f"written_{name}": value for name, value in judge.measured(phrases).as_dict().items()},
        **{f"training_{name}": value for name, value in judge.train.as_dict().items()},
        "train_phrases": len(train),
        "parameters": sum(w.numel() for w in generator.parameters()),
        "best_step": best_step,
        "same_decisions": same,
    }
    verdict = judged(look, run.read_log(), best_step, outcome)
    facts = lesson.facts()
    config = checkpoint_config(
        "quartet-gan", facts, ["write"], outcome, figures, data_facts, verdict
    )
    save_checkpoint(
        run.checkpoint,
        config=config,
        weights=stored(generator),
        graphs={"write.onnx": graph},
        card=write_phrase_gan_card(config, run.read_log()),
    )
    return Taught(outcome, figures, run, verdict)


def judged(look: Look, log: list[dict[str, Any]], best_step: int, outcome: Outcome) -> Verdict:
    """Say in words what was learned."""
    worst = sorted(
        (
            (value, name.removeprefix("ratio_"))
            for name, value in look.figures.items()
            if name.startswith("ratio_")
        ),
        reverse=True,
    )[:3]
    words = [
        f"Its phrases lie {look.score:.1f} times as far from the training phrases as held-out ones "
        "do, in the mean over the metrics; farthest in "
        + ", ".join(f"{name.replace('_', ' ')} ({value:.1f})" for value, name in worst)
        + ".",
        f"They differ from each other {look.figures['diversity']:.2f} times as much as real ones.",
        *(f"What is wrong: {word}." for word in look.words),
    ]
    scores = [line["score"] for line in log if line["step"] > 0]
    recent = scores[-max(1, len(scores) // 4) :]
    was_improving = len(scores) > 4 and min(recent) < min(scores[: -len(recent)])
    advice = ["train longer: it was still getting better"] if was_improving else []
    if outcome.step - best_step > outcome.step / 2:
        advice.append("lower the learning rates: it was best early, and got worse")
    return Verdict(None, False, was_improving, None, tuple(words), tuple(advice))
