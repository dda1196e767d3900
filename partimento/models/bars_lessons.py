"""Lessons for VAEs of bars: `partimento train melody-vae` (drums-vae, quartet-vae) starts here.

| config | window | what for |
|---|---|---|
| `2bar` | 2 bars of melody | the shipped `melody-vae` |
| `16bar` | 16 bars of melody | the shipped `melody-vae-16bar` |
| `16bar-sampler` | the same, at a high price | `melody-vae-16bar-sampler`, which invents better |
| `drums` | 2 bars of nine drums | the shipped `drums-vae` |
| `2bar-flat`, `drums-flat` | as `2bar`, `drums` | MusicVAE's own sizes, to compare with |
| `quartet` | 2 bars of four parts | the shipped `quartet-vae` |

A preset fixes the representation, the network's fields and the settings; whatever the user gives
replaces them. A low `beta` reconstructs better, a high one samples better.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from partimento.data import MelodyRules, load_melodies
from partimento.data.drums import DrumRules, load_drums
from partimento.data.tracks import TrackRules, load_tracks
from partimento.errors import ParameterError
from partimento.models.lessons import check_name, limits_of, need_torch, open_run, with_changes
from partimento.representations.bars import BarsRepresentation
from partimento.training.run_folder import RunFolder
from partimento.training.windows import (
    Windows,
    drum_windows,
    melody_windows,
    quartet_windows,
)

if TYPE_CHECKING:
    from partimento.training.bars import BarsLesson
    from partimento.training.course import Taught
    from partimento.training.estimate import Estimate
    from partimento.training.loop import Progress

Preset = dict[str, dict[str, Any]]
_SETTINGS = {
    "learning_rate": 2e-3,
    "warmup_steps": 100,
    "weight_decay": 0.01,
    "batch_size": 128,
    "averaging": 0.995,
    "evaluate_every": 500,
}
_FLAT = {"design": "flat", "latent_size": 256, "beta": 0.2, "beta_steps": 2000}

PRESETS: dict[str, Preset] = {
    "2bar": {
        "representation": {"kind": "melody", "bars": 2},
        "network": {
            "latent_size": 256,
            "bar_size": 352,
            "conductor_size": 352,
            "beta": 0.2,
            "beta_steps": 2000,
        },
        "settings": _SETTINGS,
    },
    "16bar": {
        "representation": {"kind": "melody", "bars": 16},
        "network": {
            "latent_size": 384,
            "bar_size": 352,
            "conductor_size": 352,
            "bars_apart": True,
            "beta": 0.32,
            "beta_steps": 3000,
        },
        "settings": {**_SETTINGS, "batch_size": 64, "learning_rate": 1.5e-3},
    },
    "16bar-sampler": {
        "representation": {"kind": "melody", "bars": 16},
        "network": {
            "latent_size": 128,
            "bar_size": 256,
            "conductor_size": 256,
            "bars_apart": True,
            "beta": 1.0,
            "beta_steps": 3000,
        },
        "settings": {**_SETTINGS, "batch_size": 64, "learning_rate": 1.5e-3},
    },
    "drums": {
        "representation": {"kind": "drums", "bars": 2},
        "network": {
            "latent_size": 256,
            "bits": 9,
            "dropout": 0.1,
            "bar_size": 288,
            "conductor_size": 288,
            "beta": 0.2,
            "beta_steps": 2000,
        },
        "settings": {**_SETTINGS, "transpose": 0},
    },
    "2bar-flat": {
        "representation": {"kind": "melody", "bars": 2},
        "network": {**_FLAT},
        "settings": _SETTINGS,
    },
    "drums-flat": {
        "representation": {"kind": "drums", "bars": 2},
        "network": {**_FLAT, "bits": 9, "dropout": 0.1},
        "settings": {**_SETTINGS, "transpose": 0},
    },
    "quartet": {
        "representation": {"kind": "quartet", "bars": 2, "lowest": 36, "highest": 103},
        "network": {
            "latent_size": 320,
            "bar_size": 352,
            "conductor_size": 352,
            "bars_apart": True,
            "bars_at_once": True,
            "beta": 0.2,
            "beta_steps": 2000,
        },
        "settings": {**_SETTINGS, "batch_size": 64, "learning_rate": 1.5e-3},
    },
}
CONFIGS = {  # the first is the usual one
    "melody-vae": ("2bar", "16bar", "16bar-sampler", "2bar-flat"),
    "drums-vae": ("drums", "drums-flat"),
    "quartet-vae": ("quartet",),
}
CLEAN = ("irish-cre:tune", "open-hymnal:tune+line", "openscore-lieder:song", "mutopia:line")
RECIPES: dict[str, dict[str, Any]] = {  # of the models that ship
    "melody-vae": {"model": "melody-vae", "config": "2bar", "data": CLEAN, "steps": 10_000},
    "melody-vae-16bar": {"model": "melody-vae", "config": "16bar", "data": CLEAN, "steps": 8_000},
    "melody-vae-16bar-sampler": {
        "model": "melody-vae",
        "config": "16bar-sampler",
        "data": CLEAN,
        "steps": 8_000,
    },
    "drums-vae": {"model": "drums-vae", "config": "drums", "data": ("groove",), "steps": 8_000},
    "quartet-vae": {
        "model": "quartet-vae",
        "config": "quartet",
        "data": ("openscore-quartets", "open-hymnal", "mutopia"),
        "steps": 10_000,
    },
}


class BarsData(NamedTuple):
    """Windows by split, and the report of where they come from.

    Attributes
    ----------
    windows : dict of split to Windows
    report
        With ``text()``, ``facts()`` and ``files_skipped``.
    """

    windows: dict[str, Windows]
    report: Any

    def text(self) -> str:
        """Say in words how many windows there are."""
        lines = []
        for split, found in self.windows.items():
            left = f"{found.nearly_silent:,} nearly silent"
            left += f" and {found.repeated:,} repeated ones" if found.repeated else ""
            left += f" and {found.unfit:,} off the grid or out of range" if found.unfit else ""
            lines.append(f"  {split:<8} {len(found):,} windows; {left} left out")
        return "\n".join(["windows", *lines])

    def facts(self) -> dict[str, Any]:
        """Give what belongs on the card."""
        return self.report.facts() | {
            "windows": {split: len(found) for split, found in self.windows.items()}
        }


def bars_lesson_for(
    model: str, config: str | None, data: tuple[str, ...], *, name: str, **changes: Any
) -> "BarsLesson":
    """Put a preset and the user's changes together.

    Parameters
    ----------
    model
        ``"melody-vae"``, ``"drums-vae"`` or ``"quartet-vae"``.
    config
        One of its configurations; `None` is the usual one.
    data
        Sources, for the card.
    name
        Of the finished model.
    **changes
        Fields of the representation, of the network or of `TrainingSettings`; `None` keeps the
        preset's value. ``threads=0`` means all cores.
    """
    need_torch()
    from partimento.training.bars import BarsLesson
    from partimento.training.loop import TrainingSettings

    config = config or CONFIGS[model][0]
    if config not in CONFIGS[model]:
        raise ParameterError(
            f"{model} has no config {config!r}: there is {', '.join(CONFIGS[model])}"
        )
    check_name(name)
    kinds = {"representation": BarsRepresentation, "settings": TrainingSettings}
    parts = with_changes(PRESETS[config], changes, kinds, others="network")
    lesson = BarsLesson(
        name=name,
        config=config,
        representation=BarsRepresentation(**parts["representation"]),
        network=parts["network"],
        settings=TrainingSettings(**parts["settings"]),
        data=data,
    )
    lesson.network_config()  # refuses sizes that make no sense, before any data are read
    return lesson


def recipe_lesson(name: str, **changes: Any) -> "BarsLesson":
    """Give the lesson by which a model that ships was taught."""
    recipe = RECIPES[name]
    usual = {
        "seed": 1,
        "threads": 1,
        "precision": "bfloat16",
        "patience": 100,
        "steps": recipe["steps"],
    }
    return bars_lesson_for(
        recipe["model"], recipe["config"], recipe["data"], name=name, **{**usual, **changes}
    )


def load_windows(
    lesson: "BarsLesson",
    *,
    splits: tuple[str, ...] = ("train", "valid"),
    salvage: bool = False,
    max_file_mb: int = 16,
    workers: int = 1,
    split_seed: int = 0,
    cache: Path | None = None,
    **rules: Any,
) -> BarsData:
    """Read the sources of a lesson, as windows that its representation can hold.

    Parameters
    ----------
    splits
        Which are cut up. Only those of training leave repeats within a piece out.
    salvage, workers, split_seed, cache
        See `partimento.data.load_melodies`.
    max_file_mb
        Larger files are left out.
    **rules
        Fields of `MelodyRules`, `DrumRules` or `TrackRules`; `None` is the usual value.
    """
    return read_windows(
        lesson.data,
        lesson.representation,
        splits=splits,
        salvage=salvage,
        max_file_mb=max_file_mb,
        workers=workers,
        split_seed=split_seed,
        cache=cache,
        **rules,
    )


def read_windows(
    sources: tuple[str, ...],
    representation: BarsRepresentation,
    *,
    splits: tuple[str, ...] = ("train", "valid"),
    salvage: bool = False,
    max_file_mb: int = 16,
    workers: int = 1,
    split_seed: int = 0,
    cache: Path | None = None,
    **rules: Any,
) -> BarsData:
    """Read sources as windows; see `load_windows`."""
    limits = limits_of(max_file_mb)
    given = {field: value for field, value in rules.items() if value is not None}
    common: dict[str, Any] = {"seed": split_seed, "salvage": salvage, "limits": limits}
    if representation.kind == "drums":
        asked = DrumRules(
            representation.steps_per_quarter,
            **{"min_bars": representation.bars, **_known(DrumRules, given)},
        )
        drums = load_drums(sources, rules=asked, **common)
        return BarsData(
            {
                split: drum_windows(drums.split(split), representation, all_=split != "train")
                for split in splits
            },
            drums.report,
        )
    if representation.kind == "quartet":
        wanted = TrackRules(
            steps_per_quarter=representation.steps_per_quarter,
            **{"min_bars": representation.bars, **_known(TrackRules, given)},
        )
        tracks = load_tracks(sources, rules=wanted, **common)
        return BarsData(
            {
                split: quartet_windows(tracks.split(split), representation, all_=split != "train")
                for split in splits
            },
            tracks.report,
        )
    melody_rules = MelodyRules(
        **{
            "steps_per_quarter": representation.steps_per_quarter,
            "lowest": representation.lowest,
            "highest": representation.highest,
            "min_bars": representation.bars,
            **_known(MelodyRules, given),
        }
    )
    found = load_melodies(
        sources,
        rules=melody_rules,
        workers=workers or os.cpu_count() or 1,
        cache=cache,
        **common,
    )
    return BarsData(
        {
            split: melody_windows(found.split(split), representation, all_=split != "train")
            for split in splits
        },
        found.report,
    )


def _known(kind: Any, given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name in kind.__dataclass_fields__}


def train_bars(
    lesson: "BarsLesson",
    data: BarsData,
    out: Path | RunFolder,
    *,
    resume: bool = False,
    on_start: Callable[[int, int], None] = lambda parameters, batches: None,
    report: Callable[["Progress"], None] = lambda progress: None,
    tell: Callable[[str], None] = lambda words: None,
    on_estimate: Callable[["Estimate"], None] = lambda found: None,
) -> "Taught | None":
    """Train a VAE of bars into a run folder; ``out/checkpoint`` is the finished model.

    `out` may be the result of `partimento.models.lessons.open_run`. `None` comes back in a process
    that only helped another.
    """
    need_torch()
    from partimento.models.bars_space import furnish
    from partimento.training.bars import teach_bars

    train, valid = data.windows["train"], data.windows["valid"]
    taught = teach_bars(
        lesson,
        train,
        valid,
        out if isinstance(out, RunFolder) else open_run(out),
        resume=resume,
        data_facts=data.facts(),
        on_start=on_start,
        report=report,
        tell=tell,
        on_estimate=on_estimate,
    )
    if taught is not None:
        furnish(taught.folder.checkpoint, train, valid)
    return taught
