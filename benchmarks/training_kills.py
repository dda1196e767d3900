"""Whether training survives `kill -9`: the same weights, bit by bit, as a run nobody disturbed.

    python benchmarks/training_kills.py [--kills 50] [--seed 0] [--steps 150] [--json]

Trains on small tunes made here, once in peace; then again, killed at random moments (while it
starts, trains, looks at the held-out tunes, saves, exports) and resumed each time by `--resume`,
until it has been killed as often as asked. A run that ends before is compared, and the next begins
in a new folder. It looks and saves after every step; the kills that left a half-written file are
counted, and `training_save_kills.py` kills inside saves alone. Compared are the last state
(weights, optimizer and best weights) and the checkpoint's weights. Exits with 1 if any differ.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path

import numpy as np

from partimento.formats.midi import write_midi
from partimento.music.notes import Notes
from partimento.music.score import Meter, Part, Score

TUNES, BARS = 30, 12
SCALE = np.array([60, 62, 64, 65, 67, 69, 71, 72])


def main() -> None:
    """Train in peace, train under kills, compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    generator = np.random.default_rng(asked.seed)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_tunes(root / "tunes")
        started = time.monotonic()
        assert start(root, "peace", asked.steps).wait() == 0, "the run in peace failed"
        seconds = time.monotonic() - started
        expected = weights_of(root / "peace", asked.steps)
        kills, in_a_save, runs, equal = 0, 0, 0, 0
        while kills < asked.kills or runs == 0:
            name = f"killed-{runs}"
            while True:
                process = start(root, name, asked.steps)
                try:
                    wait = generator.uniform(0.3, 0.9) * seconds if kills < asked.kills else None
                    process.wait(wait)
                    break
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
                    kills += 1
                    in_a_save += any((root / name).glob("**/.*.part"))
            assert process.returncode == 0, f"resuming failed with {process.returncode}"
            runs += 1
            equal += weights_of(root / name, asked.steps) == expected
    found = {
        "kills": kills,
        "kills_in_a_save": in_a_save,
        "runs": runs,
        "equal": equal,
        "seconds_in_peace": round(seconds, 1),
    }
    if asked.json:
        print(json.dumps(found))
    else:
        print(
            f"{kills} kills ({in_a_save} left a half-written file), {runs} runs resumed to their "
            f"end: {equal} with the weights of the run in peace, bit by bit"
        )
    sys.exit(equal != runs)


def write_tunes(folder: Path) -> None:
    """Write MIDI files of tunes that walk up and down a scale."""
    folder.mkdir()
    generator = np.random.default_rng(0)
    for number in range(TUNES):
        onset = 240 * np.arange(8 * BARS)
        walk = np.abs(np.cumsum(generator.choice([-2, -1, 1, 1], 8 * BARS))) % len(SCALE)
        part = Part(Notes(onset, np.full(8 * BARS, 240), SCALE[walk]))
        score = Score((part,), meters=(Meter(0, 4, 4),))
        (folder / f"{number}.mid").write_bytes(write_midi(score))


def start(root: Path, name: str, steps: int) -> subprocess.Popen[bytes]:
    """Begin or resume a run, as a user would."""
    words = (
        f"train melody-rnn --data tunes --out {name} --name kills --config small --steps {steps}"
    )
    words += " --hidden-size 96 --batch-size 8 --evaluate-every 1 --patience 1000 --workers 1"
    return subprocess.Popen(
        [sys.executable, "-m", "partimento", *words.split(), "--threads", "1", "--resume"],
        cwd=root,
        stdout=subprocess.DEVNULL,
    )


def weights_of(run: Path, steps: int) -> list[str]:
    """Hashes of everything that training has made."""
    files = [f"state/step-{steps:08d}", "checkpoint/model"]
    return [sha256((run / f"{file}.safetensors").read_bytes()).hexdigest() for file in files]


if __name__ == "__main__":
    main()
