"""Lessons for networks of four voices: `partimento train bach-rnn` or `bach-cnn` starts here.

A preset fixes the network's fields and the settings; whatever the user gives replaces them.
`jsb16` is the configuration of the benchmark: nothing but what all published models are told.
`chorales` is what the shipped models are trained with.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from partimento.data.chorales import CHORALES
from partimento.data.voices import VoiceData, VoiceRules, load_voices
from partimento.errors import ParameterError
from partimento.models.lessons import check_name, limits_of, need_torch, open_run, with_changes
from partimento.representations.satb import SatbRepresentation
from partimento.training.run_folder import RunFolder

if TYPE_CHECKING:
    from partimento.training.chorales import VoicesLesson
    from partimento.training.course import Taught
    from partimento.training.estimate import Estimate
    from partimento.training.loop import Progress

Preset = dict[str, dict[str, Any]]


def _bach_rnn(**network: Any) -> Preset:
    return {
        "network": {
            "dropout": 0.5,
            "input_dropout": 0.3,
            "weight_dropout": 0.5,
            "cell_dropout": 0.2,
            **network,
        },
        "settings": {
            "learning_rate": 3e-3,
            "warmup_steps": 50,
            "batch_size": 16,
            "chunk_steps": 320,
            "weight_decay": 0.1,
            "averaging": 0.995,
        },
    }


BACH_RNN: dict[str, Preset] = {
    "jsb16": _bach_rnn(),
    "chorales": _bach_rnn(key=True, countdown=True),
}


def _bach_cnn(**network: Any) -> Preset:
    return {
        "network": network,
        "settings": {
            "learning_rate": 2e-3,
            "warmup_steps": 100,
            "batch_size": 16,
            "chunk_steps": 128,
            "averaging": 0.999,
            "evaluate_every": 500,
        },
    }


BACH_CNN: dict[str, Preset] = {
    "jsb16": _bach_cnn(),
    "chorales": _bach_cnn(key=True),
}
VOICE_PRESETS: dict[str, dict[str, Preset]] = {"bach-rnn": BACH_RNN, "bach-cnn": BACH_CNN}
USUAL_VOICE_CONFIG = "chorales"
RECIPES = {  # how long, and how often the held-out pieces are looked at
    "bach-rnn": {"steps": 1200, "evaluate_every": 50},
    "bach-cnn": {"steps": 28_000, "evaluate_every": 1000},
}


def voice_lesson_for(
    family: str, config: str, data: tuple[str, ...], *, name: str, **changes: Any
) -> "VoicesLesson":
    """Put a preset and the user's changes together.

    Parameters
    ----------
    family, config
        Names in `VOICE_PRESETS`.
    data
        Sources, for the card.
    name
        Of the finished model.
    **changes
        Fields of the representation, of the network or of `TrainingSettings`; `None` keeps the
        preset's value. ``threads=0`` means all cores.
    """
    need_torch()
    from partimento.training.chorales import VoicesLesson
    from partimento.training.loop import TrainingSettings

    if config not in VOICE_PRESETS[family]:
        raise ParameterError(
            f"{family} has no config {config!r}: there is {', '.join(VOICE_PRESETS[family])}"
        )
    check_name(name)
    kinds = {"representation": SatbRepresentation, "settings": TrainingSettings}
    parts = with_changes(VOICE_PRESETS[family][config], changes, kinds, others="network")
    lesson = VoicesLesson(
        name=name,
        family=family,
        config=config,
        representation=SatbRepresentation(**parts["representation"]),
        network=parts["network"],
        settings=TrainingSettings(**parts["settings"]),
        data=data,
    )
    lesson.network_config()  # refuses sizes that make no sense, before any data are read
    return lesson


def recipe_lesson(
    family: str, config: str, *, name: str = "", seed: int = 1, **changes: Any
) -> "VoicesLesson":
    """Give the lesson by which a model that ships, or one of the benchmark, was taught.

    Parameters
    ----------
    name
        Of the finished model; by default of its family, config and seed.
    **changes
        See `voice_lesson_for`.
    """
    usual = "" if config == USUAL_VOICE_CONFIG else f"-{config}-{seed}"
    return voice_lesson_for(
        family,
        config,
        (CHORALES,),
        name=name or f"{family}{usual}",
        **{
            "seed": seed,
            "threads": 1,
            "precision": "bfloat16",
            "patience": 100,
            **RECIPES[family],
            **changes,
        },
    )


def load_voice_pieces(
    lesson: "VoicesLesson",
    *,
    salvage: bool = False,
    max_file_mb: int = 16,
    split_seed: int = 0,
    **rules: Any,
) -> VoiceData:
    """Read the sources of a lesson, as voices that its representation can hold.

    Parameters
    ----------
    salvage, split_seed
        See `partimento.data.voices.load_voices`.
    max_file_mb
        Larger files are left out.
    **rules
        Fields of `VoiceRules`; `None` is the usual value.
    """
    limits = limits_of(max_file_mb)
    representation = lesson.representation
    asked = VoiceRules(
        steps_per_quarter=representation.steps_per_quarter,
        lowest=representation.lowest,
        highest=representation.highest,
        **{field: value for field, value in rules.items() if value is not None},
    )
    return load_voices(lesson.data, rules=asked, seed=split_seed, salvage=salvage, limits=limits)


def train_voices(
    lesson: "VoicesLesson",
    data: VoiceData,
    out: Path | RunFolder,
    *,
    resume: bool = False,
    on_start: Callable[[int, int], None] = lambda parameters, batches: None,
    report: Callable[["Progress"], None] = lambda progress: None,
    tell: Callable[[str], None] = lambda words: None,
    on_estimate: Callable[["Estimate"], None] = lambda found: None,
) -> "Taught | None":
    """Train a network of four voices into a run folder; ``out/checkpoint`` is the finished model.

    `out` may be the result of `partimento.models.lessons.open_run`. `None` comes back in a process
    that only helped another.
    """
    need_torch()
    from partimento.training.chorales import teach_voices

    return teach_voices(
        lesson,
        data.pieces,
        out if isinstance(out, RunFolder) else open_run(out),
        data_facts=data.facts,
        resume=resume,
        on_start=on_start,
        report=report,
        tell=tell,
        on_estimate=on_estimate,
    )
