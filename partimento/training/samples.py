"""Samples a run keeps while it learns, and its log, read back. Needs no PyTorch.

`training.listening` writes ``samples/step-00000064.mid`` into the run folder: the same primer and
the same seed at every step that `is_sample_step` names, and ``samples/best.mid`` when the run is
over. Each is a MIDI file that plays by itself, and carries its facts (step, losses) as a stamp.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from partimento.errors import FormatError, PartimentoError
from partimento.formats import read
from partimento.music.provenance import read_stamps
from partimento.music.score import Score

FOLDER, BEST = "samples", "best.mid"
FACTS = "training"  # what the stamp calls them


@dataclass(frozen=True)
class Sample:
    """What a network played at one step of its training.

    Attributes
    ----------
    step : int
        Steps it had learned for; 0 is before the first.
    is_best : bool
        Played by the best weights, once the run was over.
    score : Score
        The primer, and what the network made of it.
    loss : float or None
        Training loss around that step, in nats a grid step.
    held_out : float or None
        Nats a grid step on the held-out pieces, where they were looked at.
    """

    step: int
    is_best: bool
    score: Score
    loss: float | None = None
    held_out: float | None = None


def is_sample_step(step: int) -> bool:
    """Whether a sample is made before this step: 0, 1, 2, 4, 8 and so on."""
    return step & (step - 1) == 0


def sample_file(run: Path, step: int) -> Path:
    """Name the file of the sample at a step."""
    return run / FOLDER / f"step-{step:08d}.mid"


def read_samples(run: Path) -> tuple[list[Sample], list[str]]:
    """Read the samples of a run, in order of their steps, the best weights last.

    Returns
    -------
    samples
    problems : list of str
        Why files were passed over.
    """
    samples, problems = [], []
    files = sorted((run / FOLDER).glob("step-*.mid"))
    for file in [*files, run / FOLDER / BEST]:
        if not file.exists():
            continue
        try:
            samples.append(read_sample(file))
        except PartimentoError as error:
            problems.append(str(error))
    return samples, problems


def read_sample(file: Path) -> Sample:
    """Read one file; raises `FormatError` if it is damaged or none of ours."""
    score = read(file)
    found = [stamp[FACTS] for stamp in read_stamps(score) if isinstance(stamp.get(FACTS), dict)]
    facts = found[-1] if found else {}
    step = facts.get("step")
    if type(step) is not int or step < 0:
        raise FormatError(f"{file.name}: it does not say at which step of training it was made")
    return Sample(
        step, file.name == BEST, score, _number(facts.get("loss")), _number(facts.get("held_out"))
    )


def read_log(file: Path) -> list[dict[str, Any]]:
    """Read a run's `log.jsonl`: all whole lines, each step once (the last word counts)."""
    lines: dict[int, dict[str, Any]] = {}
    if file.exists():
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                entry = json.loads(line)
            except json.JSONDecodeError:  # cut off by a crash while it was written
                continue
            if isinstance(entry, dict) and type(entry.get("step")) is int:
                lines[entry["step"]] = entry
    return [lines[step] for step in sorted(lines)]


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None
