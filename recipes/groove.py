"""How drums-groove was made: train it, put it in its place.

    python recipes/groove.py
    python recipes/groove.py --set writer_size=192 --out runs/try      # does not ship
    python recipes/groove.py --steps 50 --out runs/try --ship runs/try/shipped

The settings stand in `partimento.models.groove_lessons`. The corpora lie in `../shared/data` beside
the checkout, or where PARTIMENTO_DATA says. A run that was stopped goes on where it was: the same
command again.
"""

import argparse
import shutil
from pathlib import Path

from bars_vae import report, setting

from partimento.models.groove_lessons import NAME, read_grooves, recipe_groove_lesson, train_groove

ROOT = Path(__file__).parent.parent
PLACE = ROOT / "partimento" / "checkpoints" / "shipped" / NAME


def main() -> None:
    """Train, and ship."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--ship", type=Path)
    asked = parser.parse_args()
    changes = dict(setting(text) for text in asked.set)
    if asked.steps:
        changes["steps"] = asked.steps
    lesson = recipe_groove_lesson(**changes)
    data = read_grooves(lesson.data, lesson.bars)
    print(data.report.text())
    print(data.text(), flush=True)
    out = asked.out or ROOT / "runs" / NAME
    train_groove(lesson, data, out, resume=True, report=report, tell=print)
    place = asked.ship or (PLACE if asked.out is None else None)
    if place:
        if place.exists():
            shutil.rmtree(place)
        shutil.copytree(out / "checkpoint", place)
        print(f"shipped {place}")


if __name__ == "__main__":
    main()
