"""How quartet-gan was made: train it, judge it, ship it.

    python recipes/quartet_gan.py --ship partimento/checkpoints/shipped/quartet-gan
    python recipes/quartet_gan.py --steps 500 --set loss=hinge --out runs/try

The settings stand in `partimento.models.phrase_lessons`. The corpora lie in `../shared/data` beside
the checkout, or where PARTIMENTO_DATA says. A run that was stopped goes on where it was: the same
command again.
"""

import argparse
import shutil
from pathlib import Path
from typing import Any

from partimento.models.phrase_lessons import read_phrases, recipe_lesson, train_phrases
from partimento.training.adversarial import ContestProgress

ROOT = Path(__file__).parent.parent


def main() -> None:
    """Train and judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "quartet-gan")
    parser.add_argument("--ship", type=Path, help="where the model goes when it is done")
    asked = parser.parse_args()
    changes = dict(setting(text) for text in asked.set)
    if asked.steps:
        changes["steps"] = asked.steps
    lesson = recipe_lesson(**changes)
    data = read_phrases(lesson.data, lesson.representation)
    print(data.report.text())
    print(data.text(), flush=True)
    taught = train_phrases(lesson, data, asked.out, resume=True, report=report, tell=print)
    for words in taught.verdict.words:
        print(words)
    if asked.ship is not None:
        shutil.rmtree(asked.ship, ignore_errors=True)
        shutil.copytree(taught.folder.checkpoint, asked.ship)
        print(f"shipped {asked.ship}")


def setting(text: str) -> tuple[str, Any]:
    """Read ``name=value``: true, false, a number or a word."""
    name, _, value = text.partition("=")
    if value in ("true", "false"):
        return name, value == "true"
    try:
        return name, float(value) if "." in value or "e" in value else int(value)
    except ValueError:
        return name, value


def report(progress: ContestProgress) -> None:
    """Print a line at every look."""
    if progress.look is None or progress.looked_at != progress.step:
        return
    look = progress.look
    figures = ", ".join(
        f"{name.removeprefix('ratio_')} {value:.2f}" for name, value in look.figures.items()
    )
    print(
        f"step {progress.step:,}: {progress.done:.0%}, {progress.seconds / 60:.1f} min, critic "
        f"{progress.critic_loss:.3f}, gap {progress.gap:.3f}, score {look.score:.2f} "
        f"({progress.best:.2f}): {figures}",
        flush=True,
    )
    for word in look.words:
        print(f"  {word}", flush=True)


if __name__ == "__main__":
    main()
