"""Lessons for groove models: `partimento train drums-groove` starts here.

The preset `groove` fixes the representation, the network's fields and the settings; whatever the
user gives replaces them. The shipped model is that of `RECIPE`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from partimento.data.drums import DrumRules, DrumsReport, load_drums
from partimento.errors import ParameterError
from partimento.models.lessons import check_name, limits_of, need_torch, open_run, with_changes
from partimento.representations.bars import BarsRepresentation
from partimento.representations.groove import GrooveRepresentation
from partimento.training.run_folder import RunFolder
from partimento.training.windows import Windows, drum_windows

if TYPE_CHECKING:
    from partimento.training.course import Taught
    from partimento.training.estimate import Estimate
    from partimento.training.groove import GrooveLesson
    from partimento.training.loop import Progress

NAME = "drums-groove"
WINDOW_BARS = 4
PRESETS: dict[str, dict[str, dict[str, Any]]] = {
    "groove": {
        "representation": {},
        "network": {},
        "settings": {
            "learning_rate": 3e-3,
            "warmup_steps": 100,
            "weight_decay": 0.01,
            "batch_size": 64,
            "averaging": 0.995,
            "evaluate_every": 500,
            "transpose": 0,
        },
    }
}
RECIPE: dict[str, Any] = {"data": ("groove",), "steps": 4500}


class GrooveData(NamedTuple):
    """Windows by split, and the report of where they come from."""

    windows: dict[str, Windows]
    report: DrumsReport

    def text(self) -> str:
        """Say in words how many windows there are."""
        lines = [
            f"  {split:<8} {len(found):,} windows; {found.nearly_silent:,} nearly silent left out"
            for split, found in self.windows.items()
        ]
        return "\n".join(["windows", *lines])

    def facts(self) -> dict[str, Any]:
        """Give what belongs on the card."""
        return self.report.facts() | {
            "windows": {split: len(found) for split, found in self.windows.items()}
        }


def groove_lesson_for(
    config: str | None, data: tuple[str, ...], *, name: str, **changes: Any
) -> "GrooveLesson":
    """Put a preset and the user's changes together; see `bars_lesson_for`."""
    need_torch()
    from partimento.training.groove import GrooveLesson
    from partimento.training.loop import TrainingSettings

    config = config or "groove"
    if config not in PRESETS:
        raise ParameterError(f"{NAME} has no config {config!r}: there is {', '.join(PRESETS)}")
    check_name(name)
    kinds = {"representation": GrooveRepresentation, "settings": TrainingSettings}
    parts = with_changes(PRESETS[config], changes, kinds, others="network")
    lesson = GrooveLesson(
        name=name,
        config=config,
        representation=GrooveRepresentation(**parts["representation"]),
        window_bars=WINDOW_BARS,
        network=parts["network"],
        settings=TrainingSettings(**parts["settings"]),
        data=data,
    )
    lesson.network_config()  # refuses sizes that make no sense, before any data are read
    return lesson


def recipe_groove_lesson(**changes: Any) -> "GrooveLesson":
    """Give the lesson by which the model that ships was taught."""
    usual = {
        "seed": 1,
        "threads": 1,
        "precision": "bfloat16",
        "patience": 100,
        "steps": RECIPE["steps"],
    }
    return groove_lesson_for("groove", RECIPE["data"], name=NAME, **{**usual, **changes})


def read_grooves(
    sources: tuple[str, ...],
    bars: BarsRepresentation,
    *,
    splits: tuple[str, ...] = ("train", "valid"),
    salvage: bool = False,
    max_file_mb: int = 16,
    split_seed: int = 0,
) -> GrooveData:
    """Read sources as windows of drums as played.

    Windows to train on begin at every bar, the others follow one another. Those with the same
    strokes are kept: they are played in other ways.

    Parameters
    ----------
    bars
        How windows are cut.
    splits, salvage, max_file_mb, split_seed
        See `partimento.models.bars_lessons.load_windows`.
    """
    drums = load_drums(
        sources,
        rules=DrumRules(bars.steps_per_quarter, min_bars=bars.bars),
        seed=split_seed,
        salvage=salvage,
        limits=limits_of(max_file_mb),
    )
    return GrooveData(
        {
            split: drum_windows(
                drums.split(split), bars, hop=1 if split == "train" else bars.bars, all_=True
            )
            for split in splits
        },
        drums.report,
    )


def train_groove(
    lesson: "GrooveLesson",
    data: GrooveData,
    out: Path | RunFolder,
    *,
    resume: bool = False,
    on_start: Callable[[int, int], None] = lambda parameters, batches: None,
    report: Callable[["Progress"], None] = lambda progress: None,
    tell: Callable[[str], None] = lambda words: None,
    on_estimate: Callable[["Estimate"], None] = lambda found: None,
) -> "Taught | None":
    """Train a groove model into a run folder; ``out/checkpoint`` is the finished model.

    `out` may be the result of `partimento.models.lessons.open_run`. `None` comes back in a process
    that only helped another.
    """
    need_torch()
    from partimento.training.groove import teach_groove

    return teach_groove(
        lesson,
        data.windows["train"],
        data.windows["valid"],
        out if isinstance(out, RunFolder) else open_run(out),
        resume=resume,
        data_facts=data.facts(),
        on_start=on_start,
        report=report,
        tell=tell,
        on_estimate=on_estimate,
    )
