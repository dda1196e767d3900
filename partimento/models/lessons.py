"""Lessons: how each model is taught, by name. `partimento train MODEL --config NAME` starts here.

A preset fixes representation, network and settings; whatever the user gives replaces it. `basic` is
the configuration Magenta published as `basic_rnn`, `small` its little sister, and `tunes` what the
shipped `melody-rnn` is trained with.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from partimento.data import MelodyData, MelodyRules, load_melodies
from partimento.data.found import WalkLimits
from partimento.errors import EnvironmentFault, ParameterError
from partimento.representations.melody import MelodyRepresentation

if TYPE_CHECKING:
    from partimento.training.loop import Progress
    from partimento.training.melody import Lesson, Taught

MELODY_RNN: dict[str, dict[str, dict[str, Any]]] = {
    "basic": {
        "representation": {"lowest": 48, "highest": 83},
        "network": {"hidden_size": 512, "num_layers": 2, "dropout": 0.5},
        "settings": {
            "learning_rate": 1e-3,
            "clip_norm": 5.0,
            "weight_decay": 0.0,
            "batch_size": 128,
        },
    },
    "small": {
        "representation": {"lowest": 48, "highest": 83},
        "network": {"hidden_size": 128, "num_layers": 2, "dropout": 0.2},
        "settings": {"learning_rate": 3e-3},
    },
    "tunes": {
        "representation": {
            "lowest": 45,
            "highest": 88,
            "with_position": True,
            "lookback_bars": (1, 2, 4, 8),
            "countdown_bars": 16,
        },
        "network": {"hidden_size": 256, "num_layers": 2, "dropout": 0.2},
        "settings": {"learning_rate": 2e-3, "warmup_steps": 300},
    },
}

PRESETS = {"melody-rnn": MELODY_RNN}
USUAL_CONFIG = "tunes"
MAX_NAME = 80


def lesson_for(
    model: str, config: str, data: tuple[str, ...], *, name: str, **changes: Any
) -> "Lesson":
    """Put a preset and the user's changes together.

    Parameters
    ----------
    model, config
        Names in `PRESETS`.
    data
        Sources, for the card.
    name
        Of the finished model.
    **changes
        Fields of the representation, the network or `TrainingSettings`; `None` keeps the preset's
        value. ``threads=0`` means all cores.
    """
    _need_torch()
    from partimento.training.loop import TrainingSettings
    from partimento.training.melody import Lesson

    preset = _preset(model, config)
    if not (1 <= len(name) <= MAX_NAME and name.isprintable()):
        raise ParameterError(
            f"name must be 1 to {MAX_NAME} printable characters, got {name!r}: give --name"
        )
    parts = {part: dict(values) for part, values in preset.items()}
    if changes.get("threads") == 0:
        changes["threads"] = os.cpu_count() or 1
    for field, value in changes.items():
        if value is None:
            continue
        if field in MelodyRepresentation.__dataclass_fields__:
            parts["representation"][field] = value
        elif field in ("hidden_size", "num_layers", "dropout"):
            parts["network"][field] = value
        else:
            parts["settings"][field] = value
    lesson = Lesson(
        name=name,
        config=config,
        representation=MelodyRepresentation(**parts["representation"]),
        settings=TrainingSettings(**parts["settings"]),
        data=data,
        **parts["network"],
    )
    lesson.network_config()  # refuses sizes that make no sense, before any data are read
    return lesson


def check_run(lesson: "Lesson", out: Path, *, resume: bool = False) -> None:
    """Refuse at once, before any data are read, what training into a folder would refuse later.

    Raises
    ------
    TrainingError
        If the folder holds a run and `resume` is not set, or one with other settings.
    EnvironmentFault
        If another process trains there, or the folder is none.
    """
    _need_torch()
    from partimento.training.run_folder import RunFolder

    if out.exists():
        run = RunFolder(out)
        with run.locked():
            run.check(lesson.facts(), resume=resume)


def load_pieces(lesson: "Lesson", **options: Any) -> MelodyData:
    """Read the sources of a lesson, as melodies that its representation can hold.

    Parameters
    ----------
    **options
        See `read_pieces`.
    """
    return read_pieces(lesson.data, lesson.representation, **options)


def read_pieces(
    sources: Sequence[str],
    representation: MelodyRepresentation,
    *,
    salvage: bool = False,
    max_file_mb: int = 16,
    workers: int = 1,
    split_seed: int = 0,
    cache: Path | None = None,
    progress: Callable[[int], None] | None = None,
    **rules: Any,
) -> MelodyData:
    """Read sources as melodies that a representation can hold.

    Training, evaluation and the data report all read with this, so they see the same melodies.

    Parameters
    ----------
    salvage
        Mend damaged files where players would.
    max_file_mb
        Larger files are left out.
    workers
        Processes that read; 0 is one a core.
    split_seed, cache, progress
        See `partimento.data.load_melodies`.
    **rules
        Fields of `MelodyRules`; `None` keeps the usual value.
    """
    if max_file_mb < 1:
        raise ParameterError(f"max_file_mb must be at least 1, got {max_file_mb}")
    if workers < 0:
        raise ParameterError(f"workers must be 0 or more, got {workers}")
    asked = MelodyRules(
        steps_per_quarter=representation.steps_per_quarter,
        lowest=representation.lowest,
        highest=representation.highest,
        **{field: value for field, value in rules.items() if value is not None},
    )
    return load_melodies(
        sources,
        rules=asked,
        seed=split_seed,
        salvage=salvage,
        workers=workers or os.cpu_count() or 1,
        limits=replace(WalkLimits(), max_file_bytes=max_file_mb * 2**20),
        cache=cache,
        progress=progress,
    )


def representation_for(name: str, **changes: Any) -> MelodyRepresentation:
    """Representation of a preset, as `lesson_for` would make it.

    Parameters
    ----------
    name
        A preset (``basic``), a model (``melody-rnn``) or a kind of music (``melody``); the last two
        mean the preset that is trained where none is named.
    **changes
        Fields of the representation; `None` keeps the preset's value.
    """
    for model, presets in PRESETS.items():
        config = USUAL_CONFIG if name in (model, model.partition("-")[0]) else name
        if config in presets:
            fields = {**presets[config]["representation"]}
            fields |= {field: value for field, value in changes.items() if value is not None}
            return MelodyRepresentation(**fields)
    known = [name for model, presets in PRESETS.items() for name in (model, *presets)]
    raise ParameterError(f"--for must be melody, {', '.join(known[:-1])} or {known[-1]}: {name!r}")


def train_melody_rnn(
    lesson: "Lesson",
    data: MelodyData,
    out: Path,
    *,
    resume: bool = False,
    on_start: Callable[[int, int], None] = lambda parameters, batches: None,
    report: Callable[["Progress"], None] = lambda progress: None,
    tell: Callable[[str], None] = lambda words: None,
) -> "Taught":
    """Train a melody network into a run folder; ``out/checkpoint`` is the finished model."""
    _need_torch()
    from partimento.training.melody import teach
    from partimento.training.run_folder import RunFolder

    return teach(
        lesson,
        data.pieces,
        RunFolder(out),
        resume=resume,
        data_facts=data.report.facts(),
        on_start=on_start,
        report=report,
        tell=tell,
    )


def _preset(model: str, config: str) -> dict[str, dict[str, Any]]:
    if model not in PRESETS:
        raise ParameterError(f"no model {model!r} to train: there is {', '.join(PRESETS)}")
    if config not in PRESETS[model]:
        raise ParameterError(
            f"{model} has no config {config!r}: there is {', '.join(PRESETS[model])}"
        )
    return PRESETS[model][config]


def _need_torch() -> None:
    try:
        import torch  # noqa: F401
    except ImportError:
        raise EnvironmentFault(
            "training needs PyTorch: pip install 'partimento[train]' (README says how to get its "
            "CPU build)"
        ) from None
