"""Fine-tuning: a model that ships, or one of your own, learns your music on top of what it knows.

`finetuning_lesson` takes representation and network from the checkpoint and settings for small
data; `finetune_melody_rnn` teaches it. They are to `partimento finetune` what `lesson_for` and
`train_melody_rnn` are to `partimento train`, and share its run folder, data report and loop.

The settings were chosen on melodies of Nottingham that the shipped model has not met
(docs/small-data.md): a learning rate of a quarter that does not fall, transposition, and an early
stop. Where a folder is so small that hardly anything could be held out, folds say when to stop
(`partimento.training.folds`). Tempo is no augmentation here: on a grid of note values a tune has
none.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from partimento.checkpoints import open_checkpoint
from partimento.data import MelodyData
from partimento.errors import CheckpointError
from partimento.models.lessons import check_name, need_torch, taught_by
from partimento.models.regularisation import DROPOUT_OF_FINETUNING
from partimento.music.score import Score
from partimento.training.run_folder import RunFolder

if TYPE_CHECKING:
    from partimento.training.course import Taught
    from partimento.training.loop import Progress
    from partimento.training.melody import Lesson

FINETUNING: dict[str, Any] = {
    "learning_rate": 5e-4,
    "warmup_steps": 20,
    "final_rate": 1.0,
    "evaluate_every": 20,
    "patience": 4,
}
CONFIG = "finetune"  # stands in a run's facts where a preset's name would
FEW_HELD_OUT = 10  # melodies: with fewer to stop by, folds are dealt


def finetuning_lesson(
    model: str,
    data: tuple[str, ...],
    *,
    name: str,
    start: str | os.PathLike[str] | None = None,
    dropout: float | None = None,
    **changes: Any,
) -> "Lesson":
    """Put together what a checkpoint fixes and what the user asks for.

    Parameters
    ----------
    model
        Family: ``"melody-rnn"``.
    data
        Sources, for the card.
    name
        Of the finished model.
    start
        Checkpoint to go on from: a shipped model's name, a checkpoint's folder, or a run's; `None`
        is the shipped model of the family.
    dropout
        `None` is what suits small data.
    **changes
        Fields of `TrainingSettings`; `None` keeps what is set here. ``threads=0`` means all cores.

    Raises
    ------
    CheckpointError
        If there is no such checkpoint, or none of the family.
    """
    need_torch()
    from partimento.models.melody_rnn import read_representation
    from partimento.training.loop import TrainingSettings
    from partimento.training.melody import Lesson
    from partimento.training.warm_start import Parent, network_config

    check_name(name)
    checkpoint = open_checkpoint(model if start is None else start)
    if checkpoint.family != model:
        raise CheckpointError(
            f"{checkpoint.name} is of the family {checkpoint.family}, and {model} is to be "
            "fine-tuned: give a checkpoint of it, --from"
        )
    asked = {field: value for field, value in changes.items() if value is not None}
    if asked.get("threads") == 0:
        asked["threads"] = os.cpu_count() or 1
    network = network_config(checkpoint)
    lesson = Lesson(
        name=name,
        config=CONFIG,
        representation=read_representation(checkpoint.config.get("representation")),
        hidden_size=network.hidden_size,
        num_layers=network.num_layers,
        dropout=DROPOUT_OF_FINETUNING if dropout is None else dropout,
        settings=TrainingSettings(**{**FINETUNING, **asked}),
        data=data,
        one_hot=network.one_hot,
        attention_length=network.attention_length,
        embedding_size=network.embedding_size,
        parent=Parent.of(checkpoint),
    )
    lesson.network_config()
    return lesson


def finetune_melody_rnn(
    lesson: "Lesson",
    data: MelodyData,
    out: Path | RunFolder,
    *,
    resume: bool = False,
    on_start: Callable[[int, int], None] = lambda parameters, batches: None,
    report: Callable[["Progress"], None] = lambda progress: None,
    tell: Callable[[str], None] = lambda words: None,
    listen_primer: Score | None = None,
) -> "Taught | None":
    """Fine-tune into a run folder; ``out/checkpoint`` is the finished model.

    Parameters and result are those of `train_melody_rnn`.
    """
    need_torch()
    from partimento.training.folds import teach_by_folds
    from partimento.training.melody import teach

    few = len(data.split("valid")) < FEW_HELD_OUT
    return taught_by(
        teach_by_folds if few else teach,
        lesson,
        data,
        out,
        listen_primer=listen_primer,
        resume=resume,
        on_start=on_start,
        report=report,
        tell=tell,
    )
