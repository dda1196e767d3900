"""How melody-vae, drums-vae and the other VAEs of bars were made: train one, and ship it.

    python recipes/bars_vae.py melody-vae
    python recipes/bars_vae.py melody-vae --set beta=0.5 --out runs/try      # does not ship
    python recipes/bars_vae.py drums-vae --steps 50 --out runs/try --ship runs/try/shipped

The settings stand in `partimento.models.bars_lessons`. The corpora lie in `../shared/data` beside
the checkout, or where PARTIMENTO_DATA says. A run that was stopped goes on where it was: the same
command again.
"""

import argparse
import shutil
from pathlib import Path
from typing import Any

from partimento.data.cache import cache_folder
from partimento.models.bars_lessons import RECIPES, load_windows, recipe_lesson, train_bars
from partimento.training.loop import Progress
from partimento.training.run_folder import RunFolder

ROOT = Path(__file__).parent.parent
SHIPPED = ROOT / "partimento" / "checkpoints" / "shipped"


def main() -> None:
    """Train, and ship."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", choices=list(RECIPES))
    parser.add_argument("--steps", type=int)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--ship", type=Path)
    asked = parser.parse_args()
    changes = dict(setting(text) for text in asked.set)
    if asked.steps:
        changes["steps"] = asked.steps
    lesson = recipe_lesson(asked.model, **changes)
    data = load_windows(lesson, cache=cache_folder())
    print(data.report.text())
    print(data.text(), flush=True)
    out = asked.out or ROOT / "runs" / asked.model
    train_bars(lesson, data, out, resume=True, report=report, tell=print)
    place = asked.ship or (SHIPPED / asked.model if asked.out is None else None)
    if place:
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(RunFolder(out).checkpoint, place)
        print(f"shipped {place}")


def setting(text: str) -> tuple[str, Any]:
    """Read ``name=value``: true, false or a number."""
    name, _, value = text.partition("=")
    if value in ("true", "false"):
        return name, value == "true"
    return name, float(value) if "." in value else int(value)


def report(progress: Progress) -> None:
    """Print a line whenever the held-out pieces were looked at."""
    if progress.held_out is not None and progress.evaluated_at == progress.step:
        print(
            f"step {progress.step:,}: {progress.done:.0%}, loss {progress.loss:.4f}, held out "
            f"{progress.held_out.nats_per_step:.4f} nats a step, {progress.seconds:.0f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
