"""How our rows of the table jsb16 were made: measure chorale models, one by one and together.

    python recipes/jsb16.py --counts                       # the row without a network
    python recipes/jsb16.py runs/a/checkpoint              # one model, on the validation part
    python recipes/jsb16.py runs/a/checkpoint --test       # and the test part: stores the row
    python recipes/jsb16.py runs/*/checkpoint --name "bach-rnn, 5 models" --test

Several checkpoints are one row, their ensemble. They are to be trained on the training part alone:
`partimento train bach-rnn --config jsb16 --data jsb-chorales --seed 1 --out runs/a`. The validation
part chooses; the test part is looked at when nothing is left to choose.
"""

import argparse
import json
from pathlib import Path
from shlex import quote

from partimento.data.chorales import load_chorales
from partimento.evaluation.jsb16_rows import count_row, model_row
from partimento.evaluation.tables import store_row


def main() -> None:
    """Measure one row."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoints", type=Path, nargs="*")
    parser.add_argument("--counts", action="store_true", help="count in the training chorales")
    parser.add_argument("--name", help="of the row")
    parser.add_argument("--test", action="store_true", help="measure the test part, and store")
    asked = parser.parse_args()
    if asked.counts == bool(asked.checkpoints):
        parser.error("give checkpoints, or --counts")
    pieces = load_chorales()
    if asked.counts:
        row = count_row(pieces, has_test=asked.test)
    else:
        row = model_row(asked.checkpoints, pieces, name=asked.name or "", has_test=asked.test)
    words = [*map(str, asked.checkpoints), *(["--counts"] if asked.counts else [])]
    words += ["--name", quote(asked.name)] if asked.name else []
    row["command"] = " ".join(["python recipes/jsb16.py", *words, "--test"])
    print(json.dumps(row, indent=2))
    if asked.test:
        store_row("jsb16", "joint", row)


if __name__ == "__main__":
    main()
