"""How fast a VAE of bars is: a road from a cold start, and many windows against one after another.

    python benchmarks/vae_speed.py [--model melody-vae] [--count 1000]

CPU time of one thread; ratios from this one run.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time

from partimento.models.load import load

ROAD = ("interpolate", "c4:q d4:q e4:q f4:q g4:h c4:h", "g4:h a4:q b4:q c5:h d5:h")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="melody-vae")
    parser.add_argument("--count", type=int, default=1000)
    asked = parser.parse_args()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, "-m", "partimento", *ROAD, "--model", asked.model],
            check=True,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cold = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"a road of 8 steps from a cold start: {cold:.2f} s of CPU")
    model = load(asked.model)
    model.sample_many(64, seed=1)  # warm
    few = max(1, asked.count // 20)
    one = cpu_seconds(lambda: [model.sample(seed=seed) for seed in range(few)]) / few
    many = cpu_seconds(lambda: model.sample_many(asked.count)) / asked.count
    tables = cpu_seconds(lambda: model.sample_tables(asked.count)) / asked.count
    print(f"one window after another: {1e3 * one:.2f} ms each ({few} of them)")
    print(f"{asked.count} at once: {1e3 * many:.2f} ms each, {one / many:.1f} times faster")
    print(f"  without making scores of them: {1e3 * tables:.2f} ms, {one / tables:.1f} times")


def cpu_seconds(work) -> float:
    """CPU time of some work."""
    started = time.process_time()
    work()
    return time.process_time() - started


if __name__ == "__main__":
    main()
