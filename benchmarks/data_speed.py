"""How fast music is prepared: our reading of a folder beside pretty_midi and Python loops.

    pip install pretty_midi
    python benchmarks/data_speed.py [SET …] [--files 1000] [--rounds 3] [--workers 1 8] [--json]

Both read the same MIDI files from a folder and make training melodies of them: parse, pick the
parts of one voice, lay them on a sixteenth grid, cut at long rests, drop what is short or of few
pitches, write one event a step. The other side does it the way it is usually written: pretty_midi
and loops over notes, one process. Ours also finds duplicates, splits and counts. Each set is
measured by itself, and the sides in turn; the best round of each counts, by the clock and, for one
process, by the processor, so that a busy machine matters less. With more processes there is only
the clock: look at the load of the machine, which is printed. Then ours alone on one, two and four
times as many files: time, memory beyond the result and peak memory of the process show whether it
is linear and flat. Last, how long the same files take when the cache remembers them.
"""

import argparse
import gc
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import tracemalloc
import warnings
import zipfile
from itertools import pairwise
from pathlib import Path

from partimento.data import MelodyRules, load_melodies
from partimento.data.sources import data_root
from partimento.representations.melody import MelodyRepresentation

SETS = ["open-hymnal", "irish-cre", "nottingham", "mutopia", "openscore-lieder", "pop909"]
STEPS_PER_QUARTER = 4


def ours(folder: Path, workers: int = 1) -> tuple[int, int]:
    """Melodies and notes that our pipeline makes of a folder, written as tokens."""
    pieces = load_melodies([folder], rules=MelodyRules(), workers=workers).pieces
    representation = MelodyRepresentation(STEPS_PER_QUARTER)
    tokens = [
        representation.encode(piece.score.parts[0].notes, piece.score.ticks_per_quarter)
        for piece in pieces
    ]
    return len(pieces), sum(int((melody > 1).sum()) for melody in tokens)


def with_pretty_midi(folder: Path) -> tuple[int, int]:
    """Do the same with pretty_midi and loops over notes."""
    import pretty_midi

    melodies = notes = 0
    for path in sorted(folder.rglob("*.mid")):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                midi = pretty_midi.PrettyMIDI(str(path))
            except Exception:
                continue
        for instrument in midi.instruments:
            if instrument.is_drum:
                continue
            for events in _melodies(midi, instrument):
                melodies += 1
                notes += sum(event > 1 for event in events)
    return melodies, notes


def _melodies(midi, instrument):
    """Event lists of an instrument of one voice, cut at rests of more than two bars."""
    rows = []
    for note in sorted(instrument.notes, key=lambda note: (note.start, note.pitch)):
        ticks = midi.time_to_tick(note.start), midi.time_to_tick(note.end)
        first, last = (round(tick / midi.resolution * STEPS_PER_QUARTER) for tick in ticks)
        rows.append([first, max(last, first + 1), note.pitch])
    meeting = 0
    for before, after in pairwise(rows):
        if after[0] == before[0] or before[1] > after[0] + 1:
            meeting += 1
        before[1] = min(before[1], after[0])
    if not rows or meeting > 0.05 * len(rows):
        return
    bar = 4 * STEPS_PER_QUARTER
    if midi.time_signature_changes:
        meter = midi.time_signature_changes[0]
        bar = max(1, 4 * STEPS_PER_QUARTER * meter.numerator // meter.denominator)
    group: list[list[int]] = []
    for row in [*rows, None]:
        if row is not None and (not group or row[0] - group[-1][1] <= 2 * bar):
            group.append(row)
            continue
        start = group[0][0] // bar * bar
        length = -(-(group[-1][1] - start) // bar) * bar
        if length >= 4 * bar and len({pitch for _, _, pitch in group}) >= 3:
            events = [0] * (length + 1)
            for first, last, pitch in group:
                events[last - start] = 1
                events[first - start] = 2 + pitch
            yield events[:length]
        if row is not None:
            group = [row]


def best_time(function, rounds: int, *arguments):
    """Shortest time of some rounds by the clock and by the processor, and what came out."""
    times, busy = [], []
    for _ in range(rounds):
        gc.collect()
        start, busy_start = time.perf_counter(), time.process_time()
        result = function(*arguments)
        times.append(time.perf_counter() - start)
        busy.append(time.process_time() - busy_start)
    return min(times), min(busy), result


PEAK = """
import resource, sys
from partimento.data import load_melodies
load_melodies([sys.argv[1]])
unit = 1 if sys.platform == "darwin" else 1024
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)
"""


def peak_of_process(folder: Path) -> float | None:
    """Most memory of a process that does nothing else, in MB; `None` where nobody counts it."""
    if sys.platform == "win32":
        return None
    command = [sys.executable, "-c", PEAK, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return round(int(done.stdout) / 1e6, 1)


def peak_memory(function, *arguments) -> int:
    """Most bytes Python and NumPy held at once beyond the result."""
    tracemalloc.start()
    kept = function(*arguments)  # noqa: F841 (alive, so that only what is beyond it is transient)
    current, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak - current


def unpack(names: list[str], files: int, folder: Path) -> tuple[int, int]:
    """Write some files of each set below a folder; files and bytes written."""
    root = data_root()
    if root is None:
        sys.exit("the corpora are not there: set PARTIMENTO_DATA to their folder")
    count = size = 0
    for name in names:
        (folder / name).mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(root / name / "midi.zip") as archive:
            members = sorted(archive.namelist())
            for member in members[:: max(1, len(members) // files)][:files]:
                data = archive.read(member)
                (folder / name / f"{count:05}.mid").write_bytes(data)
                count, size = count + 1, size + len(data)
    return count, size


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*", default=SETS)
    parser.add_argument("--files", type=int, default=300, help="files of each set")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--workers",
        type=int,
        nargs="+",
        default=sorted({1, os.cpu_count() or 1}),
        help="processes; one and as many as there are cores by default",
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        rows = [
            row
            for name in options.sets
            for row in compared(name, options.files, options.workers, options.rounds, temporary)
        ]
        growth = grown(options.sets, options.files, Path(temporary))
        folder, cache = Path(temporary) / options.sets[0], Path(temporary) / "cache"
        first = load_melodies([folder], cache=cache).preparing
        again = load_melodies([folder], cache=cache).preparing
        remembered = {"first": round(first.seconds, 3), "again": round(again.seconds, 3)}
    found = {
        "machine": platform.platform(),
        "cores": os.cpu_count(),
        "load": [round(load, 1) for load in os.getloadavg()] if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
    }
    if options.json:
        print(json.dumps({**found, "rows": rows, "growth": growth, "cache": remembered}, indent=2))
        return
    print(f"{found['cores']} cores, load {found['load']}")
    for row in rows:
        by_processor = f"({row['times_by_processor']} x by the processor)"
        print(
            f"{row['set']:<18} {row['what']:<24} {row['seconds']:8.2f} s "
            f"{row['files_a_second']:8.0f} files/s {row['times']:6.1f} x   {row['files']} files, "
            f"{row['melodies']} melodies {by_processor if row['times_by_processor'] else ''}"
        )
    for row in growth:
        print(
            f"{row['files']} files: {row['seconds']} s, {row['processor_seconds']} s of processor, "
            f"{row['transient_mb']} MB beyond the result, {row['peak_mb']} MB at most"
        )
    print(f"remembered: {remembered['again']} s instead of {remembered['first']} s")


def compared(
    name: str, files: int, workers: list[int], rounds: int, temporary: str
) -> list[dict[str, object]]:
    """Measure both sides on some files of one set."""
    folder = Path(temporary) / name
    count, size = unpack([name], files, folder)
    theirs = best_time(with_pretty_midi, max(1, rounds // 2), folder)
    rows = [_row(name, "pretty_midi and loops", theirs, theirs, count, size, alone=True)]
    for number in workers:
        taken = best_time(ours, rounds, folder, number)
        what = f"partimento, {number} process{'es' * (number > 1)}"
        rows.append(_row(name, what, taken, theirs, count, size, alone=number == 1))
    return rows


def grown(names: list[str], files: int, temporary: Path) -> list[dict[str, object]]:
    """Measure ours on more and more files."""
    growth: list[dict[str, object]] = []
    for times in (1, 2, 4):
        larger = temporary / f"x{times}"
        count, _ = unpack(names, times * files // 4 or 1, larger)
        seconds, busy, _ = best_time(ours, 1, larger)
        transient = peak_memory(lambda folder: load_melodies([folder]), larger)
        growth.append(
            {
                "files": count,
                "seconds": round(seconds, 3),
                "processor_seconds": round(busy, 3),
                "transient_mb": round(transient / 1e6, 1),
                "peak_mb": peak_of_process(larger),
            }
        )
    return growth


def _row(
    name: str, what: str, taken, theirs, count: int, size: int, *, alone: bool
) -> dict[str, object]:
    seconds, busy, made = taken
    return {
        "set": name,
        "what": what,
        "seconds": round(seconds, 3),
        "processor_seconds": round(busy, 3) if alone else None,
        "files": count,
        "megabytes": round(size / 1e6, 2),
        "files_a_second": round(count / seconds, 1),
        "times": round(theirs[0] / seconds, 2),
        "times_by_processor": round(theirs[1] / busy, 2) if alone else None,
        "melodies": made[0],
        "notes": made[1],
    }


if __name__ == "__main__":
    main()
