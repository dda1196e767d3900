"""Lessons to choose from: `partimento train MODEL --config NAME` starts here.

A preset fixes representation, network, settings and which melodies are worth learning from;
whatever the user gives replaces it. Four are configurations that Magenta published, each with its
own vocabulary, inputs and settings (Adam, constant rate, dropout of a half):

| config | classes | reads |
|---|---|---|
| `basic` | 38 | the event before |
| `mono` | 130 | the event before, of all pitches |
| `lookback` | 40 | also the events 1 and 2 bars ago, repeats, the place in the bar |
| `attention` | 40 | pitch, direction, repeats, place, keys; and its own last 40 outputs |

Each exists with layers of 128, as published, and of 512 (`basic-512`). `tunes` is ours, what the
shipped `melody-rnn` is trained with, and `small` its little sister. The dropout of `tunes` is
chosen by the size of the data, once they are read (`models.regularisation`).

References
----------
Magenta's `melody_rnn` (`default_configs`, layers of 128); Waite, "Generating Long-Term Structure in
Songs and Stories", 2016.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from partimento.data import MelodyData, MelodyRules, load_melodies
from partimento.data.found import MEBIBYTE, WalkLimits
from partimento.errors import EnvironmentFault, ParameterError
from partimento.models.regularisation import dropout_for
from partimento.music.score import Score
from partimento.representations.melody import MelodyRepresentation
from partimento.training.run_folder import RunFolder, RunFolderElsewhere

if TYPE_CHECKING:
    from partimento.training.bars import BarsLesson
    from partimento.training.chorales import VoicesLesson
    from partimento.training.course import Taught
    from partimento.training.estimate import Estimate
    from partimento.training.groove import GrooveLesson
    from partimento.training.loop import Progress
    from partimento.training.melody import Lesson
    from partimento.training.phrase_gan import PhraseGANLesson

Preset = dict[str, dict[str, Any]]


def _published(
    representation: dict[str, Any], clip_norm: float = 5.0, attention_length: int = 0
) -> Preset:
    """One of Magenta's configurations."""
    return {
        "representation": {"lowest": 48, "highest": 83, **representation},
        "network": {
            "hidden_size": 128,
            "num_layers": 2,
            "dropout": 0.5,
            "one_hot": True,
            "attention_length": attention_length,
        },
        "settings": {
            "learning_rate": 1e-3,
            "warmup_steps": 1,
            "final_rate": 1.0,
            "clip_norm": clip_norm,
            "weight_decay": 0.0,
            "batch_size": 128,
            "transpose": 0,
        },
        "rules": {"min_bars": 7, "min_pitches": 5},
    }


BARS_BACK = (1, 2, 3, 4, 8, 16)
PUBLISHED: dict[str, Preset] = {
    "basic": _published({}),
    "mono": _published({"lowest": 0, "highest": 127}),
    "lookback": _published(
        {"lookback_bars": (1, 2), "repeat_bars": (1, 2), "match_bars": (1, 2), "counter_bits": 5}
    ),
    "attention": _published(
        {"key_aware": True, "repeat_bars": (1, 2), "match_bars": (1, 2), "counter_bits": 7},
        clip_norm=3.0,
        attention_length=40,
    ),
}
MELODY_RNN: dict[str, Preset] = {
    **PUBLISHED,
    **{
        f"{name}-512": {**preset, "network": {**preset["network"], "hidden_size": 512}}
        for name, preset in PUBLISHED.items()
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
            "lookback_bars": BARS_BACK,
            "countdown_bars": 16,
            "match_bars": BARS_BACK,
            "match_limit": 32,
            "repeat_bars": BARS_BACK,
            "from_first_note": True,
        },
        "network": {"hidden_size": 480, "num_layers": 1, "dropout": None},
        "settings": {"learning_rate": 2e-3, "warmup_steps": 300, "transpose": 0, "crop": 0.5},
    },
}

PRESETS = {"melody-rnn": MELODY_RNN}
USUAL_CONFIG = "tunes"
FOUR_VOICES = ("bach-rnn", "bach-cnn")  # families of `models.voice_lessons`
OF_BARS = ("melody-vae", "drums-vae", "quartet-vae")  # families of `models.bars_lessons`
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
    need_torch()
    from partimento.training.loop import TrainingSettings
    from partimento.training.melody import Lesson

    preset = _preset(model, config)
    check_name(name)
    kinds = {"representation": MelodyRepresentation, "network": Lesson}
    parts = with_changes(preset, changes, kinds, others="settings")
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


def with_changes(
    preset: Preset, changes: dict[str, Any], kinds: dict[str, Any], *, others: str
) -> Preset:
    """Put the user's changes into a preset; `None` keeps its value.

    Parameters
    ----------
    kinds
        Dataclass whose fields belong to a part of the preset, the first that has them.
    others
        The part that all other fields belong to.
    """
    parts: Preset = {part: dict(preset.get(part, {})) for part in (*kinds, others)}
    if changes.get("threads") == 0:
        changes = changes | {"threads": os.cpu_count() or 1}
    for field, value in changes.items():
        fits = (part for part, kind in kinds.items() if field in kind.__dataclass_fields__)
        if value is not None:
            parts[next(fits, others)][field] = value
    return parts


def is_helper() -> bool:
    """Whether torchrun has started this process beside a first one, which writes and speaks."""
    return os.environ.get("RANK", "0") != "0"


def open_run(out: Path) -> RunFolder:
    """Run folder as this process sees it: its own, or that of the first of several processes.

    ``with open_run(out).locked() as run:`` holds the folder before PyTorch is loaded and any data
    are read.
    """
    return RunFolderElsewhere(out) if is_helper() else RunFolder(out)


def check_run(
    lesson: "Lesson | VoicesLesson | BarsLesson | GrooveLesson | PhraseGANLesson",
    run: RunFolder,
    *,
    resume: bool = False,
) -> None:
    """Refuse at once, before any data are read, what training into a folder would refuse later.

    Raises
    ------
    TrainingError
        If the folder holds a run and `resume` is not set, or one with other settings.
    EnvironmentFault
        If another process trains there, or the folder is none.
    """
    with run.locked():
        run.check(lesson.facts(), resume=resume)


def load_pieces(lesson: "Lesson", **options: Any) -> MelodyData:
    """Read the sources of a lesson, as melodies that its representation can hold.

    Parameters
    ----------
    **options
        See `read_pieces`; where a rule is `None` or left out, the preset's counts.
    """
    preset = MELODY_RNN.get(lesson.config, {})
    return read_pieces(lesson.data, lesson.representation, preset, **options)


def read_pieces(
    sources: Sequence[str],
    representation: MelodyRepresentation,
    preset: Preset | None = None,
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
    preset
        Whose rules count where none is given.
    salvage
        Mend damaged files where players would.
    max_file_mb
        Larger files are left out.
    workers
        Processes that read; 0 is one a core.
    split_seed, cache, progress
        See `partimento.data.load_melodies`.
    **rules
        Fields of `MelodyRules`; `None` keeps the preset's value, or the usual one.
    """
    limits = limits_of(max_file_mb)
    if workers < 0:
        raise ParameterError(f"workers must be 0 or more, got {workers}")
    given = {field: value for field, value in rules.items() if value is not None}
    asked = MelodyRules(
        steps_per_quarter=representation.steps_per_quarter,
        lowest=representation.lowest,
        highest=representation.highest,
        **{**(preset or {}).get("rules", {}), **given},
    )
    return load_melodies(
        sources,
        rules=asked,
        seed=split_seed,
        salvage=salvage,
        workers=workers or os.cpu_count() or 1,
        limits=limits,
        cache=cache,
        progress=progress,
    )


def limits_of(max_file_mb: int) -> WalkLimits:
    """Leave larger files out."""
    if max_file_mb < 1:
        raise ParameterError(f"max_file_mb must be at least 1, got {max_file_mb}")
    return WalkLimits(max_file_bytes=max_file_mb * MEBIBYTE)


def preset_for(name: str) -> Preset:
    """Preset that a name means where music is looked at: see `representation_for`."""
    for model, presets in PRESETS.items():
        config = USUAL_CONFIG if name in (model, model.partition("-")[0]) else name
        if config in presets:
            return presets[config]
    known = [name for model, presets in PRESETS.items() for name in (model, *presets)]
    raise ParameterError(
        f"--for must be melody, satb, {', '.join(known[:-1])} or {known[-1]}: {name!r}"
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
    given = {field: value for field, value in changes.items() if value is not None}
    return MelodyRepresentation(**{**preset_for(name)["representation"], **given})


def train_melody_rnn(
    lesson: "Lesson",
    data: MelodyData,
    out: Path | RunFolder,
    *,
    resume: bool = False,
    on_start: Callable[[int, int], None] = lambda parameters, batches: None,
    report: Callable[["Progress"], None] = lambda progress: None,
    tell: Callable[[str], None] = lambda words: None,
    on_estimate: Callable[["Estimate"], None] = lambda found: None,
    listen_primer: Score | None = None,
) -> "Taught | None":
    """Train a melody network into a run folder; ``out/checkpoint`` is the finished model.

    `out` may be the result of `open_run`. `None` comes back in a process that only helped another.
    As it learns it goes on from `listen_primer` now and then, by default from the opening of a
    held-out melody: ``out/samples`` (see `training.listening`).
    """
    need_torch()
    from partimento.training.melody import teach

    return taught_by(
        teach,
        settled(lesson, data),
        data,
        out,
        listen_primer=listen_primer,
        resume=resume,
        on_start=on_start,
        report=report,
        tell=tell,
        on_estimate=on_estimate,
    )


def taught_by(
    teacher: Callable[..., "Taught | None"],
    lesson: "Lesson",
    data: MelodyData,
    out: Path | RunFolder,
    *,
    listen_primer: Score | None,
    **told: Any,
) -> "Taught | None":
    """Have a lesson taught into a run folder, by `teach` or one like it, and played from a primer.

    `told` are the other keywords of the teacher.
    """
    from partimento.models.listening import player, primer_kept, primer_of

    run = out if isinstance(out, RunFolder) else open_run(out)
    return teacher(
        lesson,
        data.pieces,
        run,
        data_facts=data.report.facts(),
        play=player(
            lesson.representation,
            primer_kept(run.path) or listen_primer or primer_of(data.pieces),
            seed=lesson.settings.seed,
            name=lesson.name,
        ),
        **told,
    )


def _preset(model: str, config: str) -> dict[str, dict[str, Any]]:
    if model not in PRESETS:
        raise ParameterError(
            f"no model {model!r} to train: there is {', '.join([*PRESETS, *FOUR_VOICES, *OF_BARS])}"
        )
    if config not in PRESETS[model]:
        raise ParameterError(
            f"{model} has no config {config!r}: there is {', '.join(PRESETS[model])}"
        )
    return PRESETS[model][config]


def settled(lesson: "Lesson", data: MelodyData) -> "Lesson":
    """Choose what a lesson leaves open until the data are known: the dropout, by their size."""
    if lesson.dropout is not None:
        return lesson
    notes = sum(piece.score.num_notes for piece in data.split("train"))
    return replace(lesson, dropout=dropout_for(notes))


def check_name(name: str) -> None:
    """Refuse a name that no checkpoint can have."""
    if not (1 <= len(name) <= MAX_NAME and name.isprintable()):
        raise ParameterError(
            f"name must be 1 to {MAX_NAME} printable characters, got {name!r}: give --name"
        )


def need_torch() -> None:
    """Refuse in one line where PyTorch is missing."""
    try:
        import torch  # noqa: F401
    except ImportError:
        raise EnvironmentFault(
            "training needs PyTorch: pip install 'partimento[train]' (README says how to get its "
            "CPU build)"
        ) from None
