"""How our rows of the piano-roll tables were made: train, choose on validation, measure, store.

    python recipes/rolls.py --set jsb --column joint
    python recipes/rolls.py --set nottingham --column independent --network RollTCN
    python recipes/rolls.py --set jsb --column joint --with dropout=0.4 steps=800 --out runs/try
    python recipes/rolls.py --set piano-midi --column joint --test      # the last word: stores

Without `--test` only the validation part is looked at, for choosing. The settings are in
`partimento/training/roll_lessons.py`. The corpora lie in `../shared/data` beside the checkout, or
where PARTIMENTO_DATA says. A run that was stopped goes on where it was; the same command with
`--test` measures a run that has ended.
"""

import argparse
import json
from pathlib import Path

from partimento.data.rolls import ROLL_SETS, load_rolls
from partimento.evaluation.retraining import made_row
from partimento.evaluation.rolls import COLUMNS
from partimento.evaluation.tables import store_row

ROOT = Path(__file__).parent.parent
NETWORKS = ("RollRNN", "RollTCN")


def main() -> None:
    """Make one row."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--set", choices=ROLL_SETS, required=True)
    parser.add_argument("--column", choices=COLUMNS, required=True)
    parser.add_argument("--network", choices=NETWORKS, default="RollRNN")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--with",
        dest="changes",
        nargs="+",
        default=[],
        metavar="NAME=VALUE",
        help="fields of network or settings, in place of the lesson's",
    )
    parser.add_argument("--name", help="of the row")
    parser.add_argument("--out", type=Path, help="folder of the run")
    parser.add_argument("--test", action="store_true", help="measure the test part, and store")
    asked = parser.parse_args()
    name = f"rolls-{asked.set}-{asked.column}-{asked.network}-{asked.seed}"
    row = made_row(
        load_rolls(asked.set),
        asked.network,
        asked.column,
        asked.out or ROOT / "runs" / name,
        seed=asked.seed,
        has_test=asked.test,
        tell=lambda words: print(words, flush=True),
        **{name: json.loads(value) for name, _, value in (c.partition("=") for c in asked.changes)},
    )
    row["model"] = asked.name or row["model"]
    print({name: value for name, value in row.items() if name != "lesson"})
    if asked.test:
        store_row(asked.set, asked.column, row)


if __name__ == "__main__":
    main()
