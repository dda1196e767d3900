"""Whether training survives a full disk: exit code 4, the old state whole, the same weights after.

    python benchmarks/training_full_disk.py [--sizes 20] [--json]

Trains on a file system of its own (a small tmpfs, mounted here) in which another file leaves just
so much room, from less than one state needs to nearly all that the run needs. Each run must end
with exit code 4 and one line; what it saved before must be whole. Then the other file is removed,
and `--resume` must reach the weights of a run that never met a full disk. Where mounting is not
allowed (it takes root), the size of a single file is limited instead (RLIMIT_FSIZE). Exits with 1
if anything differs.
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from training_kills import weights_of, write_tunes

from partimento.training.run_folder import RunFolder

STEPS, SPACE = 4, 8 * 2**20  # bytes of the small disk
WORDS = f"""
    train melody-rnn --data tunes --name disk --config small --steps {STEPS} --hidden-size 48
    --batch-size 4 --evaluate-every 1 --workers 1 --threads 1 --precision float32 --resume --out
""".split()


def main() -> None:
    """Train in peace, then on disks of every size, compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_tunes(root / "tunes")
        assert train(root, root / "peace").returncode == 0, "the run in peace failed"
        expected = weights_of(root / "peace", STEPS)
        disk = root / "disk"
        disk.mkdir()
        is_mounted = mount(disk)
        try:
            needed = most_needed(root, disk, is_mounted)
            found = [
                one_size(root, disk, int(size), is_mounted, expected)
                for size in np.linspace(0.02, 0.98, asked.sizes) * needed
            ]
        finally:
            if is_mounted:
                subprocess.run(["umount", str(disk)], check=True)
    summary = {
        "how": "tmpfs" if is_mounted else "RLIMIT_FSIZE",
        "sizes": [entry.pop("bytes") for entry in found],
        "full": sum(entry["exit_code"] == 4 for entry in found),
        "exit_codes": sorted({entry["exit_code"] for entry in found}),
        "states_whole": sum(entry["is_whole"] for entry in found),
        "equal": sum(entry["is_equal"] for entry in found),
    }
    print(json.dumps(summary) if asked.json else "\n".join(f"{k}: {v}" for k, v in summary.items()))
    good = all(e["exit_code"] == 4 and e["is_whole"] and e["is_equal"] for e in found)
    sys.exit(not good)


def one_size(root: Path, disk: Path, size: int, is_mounted: bool, expected: list[str]) -> dict:
    """Train where only so many bytes fit, then go on where there is room."""
    run, filler = disk / "run", disk / "filler"
    if is_mounted:
        free = shutil.disk_usage(disk).free
        filler.write_bytes(bytes(max(0, free - size)))
    full = train(root, run, None if is_mounted else size)
    states = RunFolder(run)
    saved = bool(list((run / "state").glob("*.json"))) if run.exists() else False
    is_whole = not saved or not states.load_state()[2]  # nothing passed over
    filler.unlink(missing_ok=True)
    again = train(root, run)
    entry = {
        "bytes": size,
        "exit_code": full.returncode if full.stderr.count("\n") == 1 else -1,
        "is_whole": is_whole,
        "is_equal": again.returncode == 0 and weights_of(run, STEPS) == expected,
    }
    shutil.rmtree(run)
    return entry


def train(root: Path, run: Path, largest: int | None = None) -> subprocess.CompletedProcess[str]:
    """Begin or resume a run; no file may become larger than `largest` bytes."""

    def limit() -> None:
        if largest is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))

    words = [sys.executable, "-B", "-m", "partimento", *WORDS, str(run)]
    return subprocess.run(words, cwd=root, capture_output=True, text=True, preexec_fn=limit)


def mount(disk: Path) -> bool:
    """Make a folder a small disk of its own, if that is allowed."""
    words = ["mount", "-t", "tmpfs", "-o", f"size={SPACE}", "none", str(disk)]
    try:
        return subprocess.run(words, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


def most_needed(root: Path, disk: Path, is_mounted: bool) -> int:
    """Bytes below which a run must fail: two states are there and a third is written."""
    states = sorted((root / "peace" / "state").glob("*.safetensors"))
    largest = max(state.stat().st_size for state in states)
    return (3 if is_mounted else 1) * largest


if __name__ == "__main__":
    main()
