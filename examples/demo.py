"""The first music: a machine goes on with Row Your Boat. `make demo` runs this.

    python examples/demo.py out/demo

It loads the shipped model, lets it add eight bars to the tune, and leaves the result as a MIDI
file, as sound and as a picture. The same seed makes the same files.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from partimento import load
from partimento.errors import PartimentoError
from partimento.music.examples import row_your_boat
from partimento.rendering.files import render
from partimento.rendering.terminal import print_roll

MODEL, BARS, SEED = "melody-rnn", 8, 12


def main() -> None:
    """Make the music, and say what was made and how to make more."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=Path("out/demo"))
    parser.add_argument("--model", default=MODEL)
    parser.add_argument("--seed", type=int, default=SEED)
    arguments = parser.parse_args()
    folder, seed = arguments.folder, arguments.seed
    folder.mkdir(parents=True, exist_ok=True)

    tune = row_your_boat()
    model = load(arguments.model)
    music = model.continue_from(tune, bars=BARS, temperature=1.0, seed=seed)
    music = replace(music, title=f"Row, Row, Row Your Boat, and {BARS} bars by a machine")
    music.save(folder / "row-your-boat.mid")
    heard = render(music, folder / "row-your-boat.wav")
    seen = render(music, folder / "row-your-boat.png")

    print_roll(music)
    new = music.num_notes - tune.num_notes
    print(f"""
Bars 1 to 4 are Row Your Boat. Bars 5 to {4 + BARS}, {new} notes, are new: made by {model.name}
({model.hash[:12]}) with seed {seed}, at temperature 1.0.

  {folder / "row-your-boat.mid"}   for your music program
  {folder / "row-your-boat.wav"}   to listen to: {heard}
  {folder / "row-your-boat.png"}   to look at: {seen}

The next one, and how to hear and see it:
  {command()} continue row-your-boat --bars {BARS} --seed {seed + 1} -o out/next.mid
  {command()} render out/next.mid -o out/next.wav -o out/next.png
A tune of your own, a little bolder:
  {command()} continue "g4:q a4:q b4:h d5:q. c5:e b4:h" --temperature 1.2 -o out/mine.mid""")


def command() -> Path:
    """Where the command line of this Python is, as short as it can be typed here."""
    script = Path(sys.executable).with_name("partimento")
    here = Path.cwd()
    return script.relative_to(here) if script.is_relative_to(here) else script


if __name__ == "__main__":
    try:
        main()
    except PartimentoError as error:
        raise SystemExit(f"demo: {error}") from None
