"""Damage MIDI files at random, very often: they must be read, mended or refused, never else.

    python benchmarks/midi_fuzz.py [--count 1000000] [--seed 0] [--data ../shared/data]

Files of the sets (below 3 kB, so that many get their turn) and the hand-made odd files of the
tests are damaged with `tests/formats/midi/mutations.py`, read strictly and with salvage, written
and read again. The first file that fails is kept as midi_fuzz_failure.mid.
"""

import argparse
import random
import sys
import time
import zipfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from formats.midi.mutations import check, mutated  # noqa: E402
from formats.midi.odd_files import BAD, GOOD  # noqa: E402

LARGEST = 3000
SLOW_SECONDS = 2.0


def main():
    """Damage and read until the count is done; print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    wishes = parser.parse_args()
    chance = random.Random(wishes.seed)
    files = pool(wishes.data)
    print(f"{len(files):,} files to damage, seed {wishes.seed}", flush=True)
    outcomes, slowest, start = Counter(), 0.0, time.perf_counter()
    for number in range(1, wishes.count + 1):
        data = mutated(chance.choice(files), chance)
        before = time.process_time()
        try:
            outcomes[check(data)] += 1
        except BaseException:
            Path("midi_fuzz_failure.mid").write_bytes(data)
            print(f"failed at file {number:,}: kept as midi_fuzz_failure.mid", flush=True)
            raise
        slowest = max(slowest, time.process_time() - before)
        if number % 20_000 == 0 or number == wishes.count:
            rate = number / (time.perf_counter() - start)
            said = ", ".join(f"{count:,} {what}" for what, count in sorted(outcomes.items()))
            print(f"{number:,} files: {said}; slowest {slowest:.3f} s; {rate:.0f}/s", flush=True)
    assert slowest < SLOW_SECONDS, f"a file took {slowest:.1f} s"


def pool(root):
    """Small files of all sets, and the odd ones."""
    files = [data for data, *_ in (*GOOD.values(), *BAD.values()) if len(data) < LARGEST]
    for archive in sorted(root.glob("*/midi.zip")):
        with zipfile.ZipFile(archive) as packed:
            infos = [info for info in packed.infolist() if 0 < info.file_size < LARGEST]
            files += [packed.read(info) for info in infos[:200]]
    return files


if __name__ == "__main__":
    main()
