"""How fast a GAN of phrases is: one phrase, and many against one after another.

    python benchmarks/gan_speed.py [--model quartet-gan] [--count 256]

CPU time of one thread; ratios from this one run.
"""

import argparse
import time

from partimento.models.load import load


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="quartet-gan")
    parser.add_argument("--count", type=int, default=256)
    asked = parser.parse_args()
    model = load(asked.model)
    model.sample_many(asked.count)  # warm
    few = max(1, asked.count // 8)
    one = cpu_seconds(lambda: [model.sample(seed=seed) for seed in range(few)]) / few
    many = cpu_seconds(lambda: model.sample_many(asked.count)) / asked.count
    alone = cpu_seconds(lambda: [model.sample_phrases(1, seed=s) for s in range(few)]) / few
    rolls = cpu_seconds(lambda: model.sample_phrases(asked.count)) / asked.count
    print(f"one phrase after another: {1e3 * one:.1f} ms each ({few} of them)")
    print(f"{asked.count} at once: {1e3 * many:.1f} ms each, {one / many:.1f} times faster")
    print(f"as rolls alone: {1e3 * alone:.1f} and {1e3 * rolls:.1f} ms, {alone / rolls:.1f} times")


def cpu_seconds(work) -> float:
    """CPU time of some work."""
    started = time.process_time()
    work()
    return time.process_time() - started


if __name__ == "__main__":
    main()
