"""What each part of quartet-gan bought: short trainings, each with one thing changed.

    python recipes/gan_ablations.py                       # all, one after the other, stored
    python recipes/gan_ablations.py --only hinge --steps 50

Scores are of the averaged generator against held-out phrases of the validation part: the test part
is not looked at. Runs that were stopped go on: the same command again.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from quartet_gan import report

from partimento.evaluation.tables import store_row
from partimento.models.load import load
from partimento.models.phrase_lessons import read_phrases, recipe_lesson, train_phrases

ROOT = Path(__file__).parent.parent
STEPS = 1000
# Thresholds stay as they were learned: set anew, they would hide part of what is compared.
BASE: dict[str, Any] = {"as_learned": True, "averaging": 0.999, "evaluate_every": 250}
WASSERSTEIN = {"loss": "wasserstein", "penalty": 10.0, "critic_moves": 2}
VARIANTS: dict[str, dict[str, Any]] = {
    "hinge, deterministic neurons": {},
    "Wasserstein with gradient penalty": WASSERSTEIN,
    "spectral norm in the critic": {"spectral": True},
    "stochastic binary neurons": {"neurons": "stochastic"},
    "no binary neurons, cut at a half": {"neurons": "none"},
    "the critic reads rolls alone": {"streams": False},
    "no neuron for bars that rest": {"rests": False},
    "no neuron for bars said again": {"repeats": False},
}


def main() -> None:
    """Train the variants, and store a row of each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=list(VARIANTS))
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "gan-ablations")
    asked = parser.parse_args()
    data = read_phrases(recipe_lesson().data, recipe_lesson().representation)
    for number, (name, changes) in enumerate(VARIANTS.items()):
        if asked.only in (None, name):
            print(name, flush=True)
            lesson = recipe_lesson(**{"steps": asked.steps, **BASE, **changes})
            run = asked.out / str(number)
            taught = train_phrases(lesson, data, run, resume=True, report=report, tell=print)
            last = taught.folder.read_log()[-1]
            row = {
                "model": name,
                "score": round(taught.figures["score"], 2),
                "diversity": round(taught.figures["diversity"], 3),
                **{n: round(last[f"ratio_{n}"], 2) for n in ("notes", "harmony", "intervals")},
                "minutes": round(taught.outcome.seconds / 60, 1),
                "steps": taught.figures["best_step"],
                "seed": lesson.settings.seed,
                "sha256": load(taught.folder.checkpoint).hash,
                "data_sha256": data.phrases["train"].digest,
                "command": "python recipes/gan_ablations.py",
            }
            print(json.dumps(row), flush=True)
            store_row("gan", "ablations", row)


if __name__ == "__main__":
    main()
