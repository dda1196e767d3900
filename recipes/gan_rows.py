"""How our rows of the table gan were made: measure the shipped model, and store.

    python recipes/gan_rows.py             # on the validation part: prints
    python recipes/gan_rows.py --test      # the last word: stores
    python recipes/gan_rows.py --picture docs/images/quartets.png

The corpora lie in `../shared/data` beside the checkout, or where PARTIMENTO_DATA says.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from partimento.evaluation.gan_rows import gan_rows
from partimento.evaluation.tables import store_row
from partimento.models.load import load
from partimento.models.phrase_lessons import RECIPE, read_phrases
from partimento.models.quartet_gan import QuartetGANModel
from partimento.music.joining import concat
from partimento.music.score import Text
from partimento.rendering.files import write_picture
from partimento.rendering.piano_roll import piano_roll_svg

SHOWN = 4


def main() -> None:
    """Make the rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="quartet-gan", help="checkpoint, or shipped model")
    parser.add_argument("--test", action="store_true", help="measure the test part, and store")
    parser.add_argument("--picture", type=Path, help="draw phrases beside held-out ones, instead")
    asked = parser.parse_args()
    if asked.picture is not None:
        draw(load(asked.model), asked.picture)
        return
    split = "test" if asked.test else "valid"
    for section, row in gan_rows(load(asked.model), RECIPE["data"], split):
        row["command"] = "python recipes/gan_rows.py --test"
        print(section, json.dumps(row), flush=True)
        if asked.test:
            store_row("gan", section, row)


def draw(model: QuartetGANModel, path: Path) -> None:
    """Draw phrases of the model and of the validation part in turns."""
    held_out = read_phrases(RECIPE["data"], model.representation, splits=("valid",)).phrases[
        "valid"
    ]
    rows = np.random.default_rng(0).integers(0, len(held_out), SHOWN)
    scores = []
    for made, real in zip(model.sample_phrases(SHOWN), held_out.rolls(rows), strict=True):
        for phrase, words in ((made, f"by {model.name}"), (real, "held out")):
            shift = int(model.representation.shift_for(phrase[None])[0])
            score = model.representation.score_of(phrase, shift)
            scores.append(replace(score, markers=(Text(0, words),)))
    title = f"Phrases by {model.name} and by people"
    write_picture(piano_roll_svg(concat(*scores), title=title), path)
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
