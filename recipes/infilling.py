"""How our rows of the table infilling were made: have models find hidden cells of chorales.

    python recipes/infilling.py --split valid                 # while anything is chosen
    python recipes/infilling.py --frames                      # all rows, of the test part: stores

Measures `bach-cnn` on the frozen masks (conditional nats, exact match, voice leading of what it
writes beside Bach's own); on alto, tenor and bass given the soprano, exactly, beside the causal
figure of `bach-rnn` for the same cells; and with ``--frames`` by Coconet's own evaluator (half an
hour of a core). What each measure is, and what it is not, says `partimento.evaluation.infilling`.
Needs the corpora; `--filler` and `--causal` take other models.
"""

import argparse
import json

from partimento.data.chorales import load_chorales
from partimento.evaluation.infilling_rows import infilling_rows
from partimento.evaluation.tables import store_row
from partimento.models.load import load


def main() -> None:
    """Measure, print, store."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--filler", default="bach-cnn", help="name, run or checkpoint folder")
    parser.add_argument("--causal", default="bach-rnn", help="one whose soprano comes first")
    parser.add_argument("--split", choices=["valid", "test"], default="test")
    parser.add_argument("--pieces", type=int, help="only the first so many; nothing is stored")
    parser.add_argument("--frames", action="store_true", help="Coconet's evaluator too")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    pieces = [piece for piece in load_chorales() if piece.split == asked.split][: asked.pieces]
    command = f"python recipes/infilling.py{' --frames' * asked.frames}"
    models = load(asked.filler), load(asked.causal)
    for section, row in infilling_rows(*models, pieces, asked.seed, frames=asked.frames):
        row["command"] = command
        print(json.dumps({section: row}, indent=2), flush=True)
        if asked.split == "test" and asked.pieces is None:
            store_row("infilling", section, row)


if __name__ == "__main__":
    main()
