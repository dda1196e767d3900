"""How fast MIDI files are read: ours beside symusic and mido, in one run on the same files.

    pip install symusic mido
    python benchmarks/midi_speed.py [--data ../shared/data] [--files 300] [--rounds 3] [--json]

For each set some of its files are read from memory, one after the other, by each library in turn;
the best round counts, in processor time, so that a busy machine changes little. mido reads a few
of them only. `ours, wall` is the wall clock of our best round.
"""

import argparse
import io
import json
import platform
import time
import zipfile
from pathlib import Path

import mido
import symusic

from partimento.formats.midi import read_midi, write_midi

ROOT = Path(__file__).parent.parent
FEW = 12  # files for mido


def main():
    """Print a line a set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    wishes = parser.parse_args()
    results = {}
    everything = []
    for archive in sorted(wishes.data.glob("*/midi.zip")):
        with zipfile.ZipFile(archive) as packed:
            infos = [i for i in packed.infolist() if i.filename.endswith(".mid")]
            files = [packed.read(i) for i in infos[:: max(1, len(infos) // wishes.files)]]
        everything += files
        results[archive.parent.name] = measure(files, wishes.rounds)
        if not wishes.json:
            say(archive.parent.name, results[archive.parent.name])
    results["all of these"] = measure(everything, 1)
    if wishes.json:
        print(json.dumps({"python": platform.python_version(), "sets": results}, indent=2))
    else:
        say("all of these", results["all of these"])


def measure(files, rounds):
    """MB a second of each reader, and of our writer in bytes written."""
    size = sum(map(len, files))
    few = files[:: max(1, len(files) // FEW)][:FEW]
    best = {}
    for _ in range(rounds):
        timed(best, "ours", lambda: [read_midi(data) for data in files])
        timed(best, "symusic", lambda: [symusic.Score.from_midi(data) for data in files])
    timed(best, "mido", lambda: [mido.MidiFile(file=io.BytesIO(data)) for data in few])
    scores = [read_midi(data) for data in few]
    written = sum(len(write_midi(score)) for score in scores)
    timed(best, "writing", lambda: [write_midi(score) for score in scores])
    sizes = {"ours": size, "ours, wall": size, "symusic": size}
    sizes |= {"mido": sum(map(len, few)), "writing": written}
    return {
        "files": len(files),
        "bytes": size,
        **{name: round(sizes[name] / 1e6 / best[name], 2) for name in sizes},
    }


def timed(best, name, read):
    """Keep the least processor time, and of ours the wall clock too."""
    wall, cpu = time.perf_counter(), time.process_time()
    read()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    best[name] = min(best.get(name, cpu), cpu)
    if name == "ours":
        best["ours, wall"] = min(best.get("ours, wall", wall), wall)


def say(name, result):
    """Print one line."""
    speeds = ", ".join(
        f"{what} {result[what]:.1f}"
        for what in ("ours", "ours, wall", "symusic", "mido", "writing")
    )
    size = result["bytes"] / 1e6
    print(f"{name:22} {result['files']:5} files {size:6.1f} MB; MB/s: {speeds}", flush=True)


if __name__ == "__main__":
    main()
