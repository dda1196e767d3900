"""How our rows of the table vae were made: measure the shipped models, and store.

    python recipes/vae_rows.py melody-vae             # on the validation part: prints
    python recipes/vae_rows.py melody-vae --test      # the last word: stores

The corpora lie in `../shared/data` beside the checkout, or where PARTIMENTO_DATA says.
"""

import argparse
import json

from partimento.evaluation.groove import groove_rows
from partimento.evaluation.tables import store_row
from partimento.evaluation.vae_rows import vae_rows
from partimento.models import groove_lessons
from partimento.models.bars_lessons import RECIPES
from partimento.models.load import load


def main() -> None:
    """Make the rows of a model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=[*RECIPES, groove_lessons.NAME])
    parser.add_argument("--model", help="checkpoint, in place of the shipped one")
    parser.add_argument("--test", action="store_true", help="measure the test part, and store")
    asked = parser.parse_args()
    model = load(asked.model or asked.name)
    is_groove = asked.name == groove_lessons.NAME
    recipe, measure = (
        (groove_lessons.RECIPE, groove_rows) if is_groove else (RECIPES[asked.name], vae_rows)
    )
    for section, row in measure(model, recipe["data"], "test" if asked.test else "valid"):
        row["command"] = f"python recipes/vae_rows.py {asked.name} --test"
        print(section, json.dumps(row))
        if asked.test:
            store_row("vae", section, row)


if __name__ == "__main__":
    main()
