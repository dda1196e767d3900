"""How our rows of the table vae were made: measure the shipped models, and store.

    python recipes/vae_rows.py melody-vae             # on the validation part: prints
    python recipes/vae_rows.py melody-vae --test      # the last word: stores

The corpora lie in `../shared/data` beside the checkout, or where PARTIMENTO_DATA says.
"""

import argparse
import json

from partimento.evaluation.tables import store_row
from partimento.evaluation.vae_rows import vae_rows
from partimento.models.bars_lessons import RECIPES
from partimento.models.load import load


def main() -> None:
    """Make the rows of a model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=list(RECIPES))
    parser.add_argument("--model", help="checkpoint, in place of the shipped one")
    parser.add_argument("--test", action="store_true", help="measure the test part, and store")
    asked = parser.parse_args()
    model = load(asked.model or asked.name)
    data = RECIPES[asked.name]["data"]
    for section, row in vae_rows(model, data, "test" if asked.test else "valid"):
        row["command"] = f"python recipes/vae_rows.py {asked.name} --test"
        print(section, json.dumps(row))
        if asked.test:
            store_row("vae", section, row)


if __name__ == "__main__":
    main()
