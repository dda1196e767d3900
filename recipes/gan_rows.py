"""How our rows of the table gan were made: measure the shipped model, and store.

    python recipes/gan_rows.py             # on the validation part: prints
    python recipes/gan_rows.py --test      # the last word: stores

The corpora lie in `../shared/data` beside the checkout, or where PARTIMENTO_DATA says.
"""

import argparse
import json

from partimento.evaluation.gan_rows import gan_rows
from partimento.evaluation.tables import store_row
from partimento.models.load import load
from partimento.models.phrase_lessons import RECIPE


def main() -> None:
    """Make the rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="quartet-gan", help="checkpoint, or shipped model")
    parser.add_argument("--test", action="store_true", help="measure the test part, and store")
    asked = parser.parse_args()
    split = "test" if asked.test else "valid"
    for section, row in gan_rows(load(asked.model), RECIPE["data"], split):
        row["command"] = "python recipes/gan_rows.py --test"
        print(section, json.dumps(row), flush=True)
        if asked.test:
            store_row("gan", section, row)


if __name__ == "__main__":
    main()
