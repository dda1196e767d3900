"""A straight beat, and the same as a drummer plays it: two bars of each.

    python examples/humanize_a_beat.py out

It writes beat.mid, played.mid, and both in a row as beat-played.mid, .wav and .png.
"""

import sys
from pathlib import Path

import numpy as np

from partimento import load
from partimento.formats import write
from partimento.music.notes import Notes
from partimento.music.score import Part, Score
from partimento.rendering.files import write_picture
from partimento.rendering.piano_roll import piano_roll_svg

KICK, SNARE, HAT, SIXTEENTH = 36, 38, 42, 120
PATTERN = {
    KICK: "x.....x...x.....x.....x...x..x..",
    SNARE: "....x.......x.......x..x.x..x...",
    HAT: "x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.",
}


def beat() -> Score:
    """Two bars, every stroke as loud as every other and exactly on the grid."""
    strokes = [(step, p) for p, row in PATTERN.items() for step, c in enumerate(row) if c == "x"]
    step, pitch = np.array(strokes).T
    notes = Notes(step * SIXTEENTH, np.full(len(step), SIXTEENTH), pitch, np.full(len(step), 96))
    return Score(end_tick=32 * SIXTEENTH).with_parts([Part(notes, "drums", is_drum=True)])


def main(folder: Path) -> None:
    """Write everything."""
    folder.mkdir(parents=True, exist_ok=True)
    straight = beat().with_tempo(96)
    played = load("drums-groove").humanize(straight, seed=1)
    both = straight.concat(played)
    for score, name in ((straight, "beat"), (played, "played"), (both, "beat-played")):
        write(score, folder / f"{name}.mid")
    title = "Two bars as they are written, and as drums-groove plays them"
    write_picture(piano_roll_svg(both, title=title, primer_end=0), folder / "beat-played.png")
    print(f"wrote {folder}: beat.mid, played.mid, beat-played.mid and .png")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out"))
