"""Bach's own voice leading: the figures that harmonisations are held against.

    python benchmarks/voice_leading.py --data ../shared/data --out partimento/evaluation

Counts what `partimento.evaluation.voice_leading` counts in the 77 test chorales of the benchmark
and writes ``bach_voice_leading.json``: means, 95 % intervals of the mean and of single pieces.
"""

import argparse
import json
from pathlib import Path

from partimento.data.chorales import CHORALES, load_chorales
from partimento.data.sources import manifest_of
from partimento.evaluation.voice_leading import BACH, RATES, check_voices, summary

COMMAND = "python benchmarks/voice_leading.py --data ../shared/data --out partimento/evaluation"
SEED = 0


def main() -> None:
    """Count, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    chorales = [piece for piece in load_chorales(asked.data) if piece.split == "test"]
    checked = [check_voices(piece.voices) for piece in chorales]
    _, manifest = manifest_of(CHORALES, asked.data)
    figures = {
        "of": f"{len(chorales)} test chorales of {CHORALES}, Boulanger-Lewandowski's split",
        "sha256": manifest["archive_sha256"],
        "command": COMMAND,
        "bootstrap_seed": SEED,
        **summary(checked, SEED),
    }
    print(f"{figures['of']}, {figures['beats']:,.0f} beats")
    print(f"{'for 100 beats, or share':24} {'mean':>7} {'95 % of mean':>16} {'95 % of pieces':>18}")
    for name, found in figures["measures"].items():
        mean, pieces = (
            "{:.2f} to {:.2f}".format(*found[interval])
            for interval in ("of_mean_95", "of_pieces_95")
        )
        print(f"{name.replace('_', ' '):24} {found['mean']:7.2f} {mean:>16} {pieces:>18}")
    totals = {name: sum(getattr(piece, name) for piece in checked) for name in RATES}
    print(", ".join(f"{count} {name.replace('_', ' ')}" for name, count in totals.items()))
    if asked.out:
        text = json.dumps(figures, indent=1) + "\n"
        (asked.out / BACH.name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
