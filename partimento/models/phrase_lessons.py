"""Lessons for GANs of phrases: `partimento train quartet-gan` starts here.

| config | phrases |
|---|---|
| `4-4` | 4 bars of 4/4 (and 2/2) for two violins, viola and cello: the shipped `quartet-gan` |
| `3-4` | the same in 3/4 |
| `2-4` | the same in 2/4 |
| `6-8` | the same in 6/8 |
| `5-4`, `9-8` … | the same in any other meter |

A preset fixes the representation, the networks' fields and the settings; whatever the user gives
replaces them.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from partimento.data.tracks import TrackRules, TracksReport, load_tracks
from partimento.errors import ParameterError
from partimento.formats.midi import write_midi
from partimento.models.lessons import check_name, limits_of, need_torch, open_run, with_changes
from partimento.music.joining import concat
from partimento.music.provenance import stamp
from partimento.representations.phrases import PhraseRepresentation
from partimento.training.phrases import Phrases, cut_phrases
from partimento.training.run_folder import RunFolder, write_atomically
from partimento.training.samples import FACTS, FOLDER, sample_file

if TYPE_CHECKING:
    from partimento.training.adversarial import ContestProgress
    from partimento.training.course import Taught
    from partimento.training.phrase_gan import PhraseGANLesson

Preset = dict[str, dict[str, Any]]


def _preset(meter: str) -> Preset:
    return {"representation": {"meter": meter}, "network": {}, "settings": {}}


PRESETS: dict[str, Preset] = {
    meter.replace("/", "-"): _preset(meter) for meter in ("4/4", "3/4", "2/4", "6/8")
}
USUAL_CONFIG = "4-4"
METER = re.compile(r"[0-9]{1,2}-[0-9]{1,2}")
OF_PHRASES = ("quartet-gan",)  # families
RECIPE: dict[str, Any] = {"data": ("openscore-quartets",), "steps": 4000, "evaluate_every": 200}


class PhraseData(NamedTuple):
    """Phrases by split, and the report of the pieces they come from."""

    phrases: dict[str, Phrases]
    report: TracksReport

    def facts(self) -> dict[str, Any]:
        """Give what belongs on the card of a model."""
        return self.report.facts() | {"phrases": {n: len(p) for n, p in self.phrases.items()}}

    def text(self) -> str:
        """Say how many phrases there are, and why others are none."""
        counts = ", ".join(f"{len(found):,} {name}" for name, found in self.phrases.items())
        totals: dict[str, int] = {}
        for found in self.phrases.values():
            for reason, count in found.left_out.items():
                totals[reason] = totals.get(reason, 0) + count
        left = ", ".join(f"{count:,} {reason}" for reason, count in totals.items() if count)
        return f"phrases    {counts}" + (f"; left out: {left}" if left else "")


def phrase_lesson_for(
    config: str | None, data: tuple[str, ...], *, name: str, **changes: Any
) -> "PhraseGANLesson":
    """Put a preset and the user's changes together.

    Parameters
    ----------
    config
        Name in `PRESETS`; `None` is the usual one.
    data
        Sources, for the card.
    name
        Of the finished model.
    **changes
        Fields of `PhraseRepresentation`, `PhraseGANConfig` or `ContestSettings`, or ``as_learned``
        of the lesson; `None` keeps the preset's value. ``threads=0`` means all cores.
    """
    need_torch()
    from partimento.networks.phrase_gan import PhraseGANConfig
    from partimento.training.adversarial import ContestSettings
    from partimento.training.phrase_gan import PhraseGANLesson

    config = config or USUAL_CONFIG
    preset = _preset_of(config)
    check_name(name)
    kinds = {"representation": PhraseRepresentation, "network": PhraseGANConfig}
    as_learned = bool(changes.pop("as_learned", False))
    parts = with_changes(preset, changes, kinds, others="settings")
    lesson = PhraseGANLesson(
        name=name,
        config=config,
        representation=PhraseRepresentation(**parts["representation"]),
        network=parts["network"],
        settings=ContestSettings(**parts["settings"]),
        data=data,
        as_learned=as_learned,
    )
    lesson.network_config()  # refuses sizes that make no sense, before any data are read
    return lesson


def _preset_of(config: str) -> Preset:
    if config in PRESETS:
        return PRESETS[config]
    if not METER.fullmatch(config):
        raise ParameterError(
            f"quartet-gan has no config {config!r}: there is {', '.join(PRESETS)}, and any other "
            "meter written so"
        )
    return _preset(config.replace("-", "/"))


def recipe_lesson(**changes: Any) -> "PhraseGANLesson":
    """Give the lesson by which the model that ships was taught."""
    usual = {"seed": 1, "threads": 1, "precision": "bfloat16"}
    usual |= {name: RECIPE[name] for name in ("steps", "evaluate_every")}
    return phrase_lesson_for(
        USUAL_CONFIG, RECIPE["data"], name="quartet-gan", **{**usual, **changes}
    )


def read_phrases(
    sources: tuple[str, ...],
    representation: PhraseRepresentation,
    *,
    splits: tuple[str, ...] = ("train", "valid"),
    tracks: str = "auto",
    salvage: bool = False,
    max_file_mb: int = 16,
    split_seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> PhraseData:
    """Read sources as phrases that a representation can hold.

    Parameters
    ----------
    splits
        Which are cut up.
    tracks
        Which parts are the tracks: see `partimento.data.tracks.TrackRules`.
    salvage, max_file_mb, split_seed, progress
        See `partimento.data.tracks.load_tracks`.
    """
    rules = TrackRules(
        representation.track_names,
        tracks,
        representation.steps_per_quarter,
        representation.bars,
    )
    found = load_tracks(
        sources,
        rules=rules,
        seed=split_seed,
        salvage=salvage,
        limits=limits_of(max_file_mb),
        progress=progress,
    )
    return PhraseData(
        {split: cut_phrases(found.split(split), representation) for split in splits}, found.report
    )


def train_phrases(
    lesson: "PhraseGANLesson",
    data: PhraseData,
    out: Path | RunFolder,
    *,
    resume: bool = False,
    on_start: Callable[[int, int], None] = lambda parameters, batches: None,
    report: Callable[["ContestProgress"], None] = lambda progress: None,
    tell: Callable[[str], None] = lambda words: None,
    draw: Callable[[Path], None] = lambda midi: None,
) -> "Taught":
    """Train a GAN of phrases into a run folder; ``out/checkpoint`` is the finished model.

    Parameters
    ----------
    draw
        Called with the MIDI file of each look's phrases, once it is written.
    """
    need_torch()
    from partimento.training.phrase_gan import teach_phrases

    run = out if isinstance(out, RunFolder) else open_run(out)

    def show(step: int, phrases: np.ndarray) -> None:
        representation = lesson.representation
        shifts = representation.shift_for(phrases)
        scores = [
            representation.score_of(phrase, int(shift))
            for phrase, shift in zip(phrases, shifts, strict=True)
        ]
        file = sample_file(run.path, step)
        (run.path / FOLDER).mkdir(exist_ok=True)
        write_atomically(file, write_midi(stamp(concat(*scores), {FACTS: {"step": step}})))
        draw(file)

    return teach_phrases(
        lesson,
        data.phrases["train"],
        data.phrases["valid"],
        run,
        resume=resume,
        data_facts=data.facts(),
        on_start=on_start,
        report=report,
        tell=tell,
        show=show,
    )
