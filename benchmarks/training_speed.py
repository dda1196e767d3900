"""How much of the machine training uses: steps beside the matrix products they are made of.

    python benchmarks/training_speed.py [--threads 1 2] [--seconds 8] [--json]

Every row is real training: batches of tunes made here, forward, loss, backward, clipping, AdamW,
through the function the loop calls. Its floating-point operations are those of the matrix products
alone (LSTM layers and head; embeddings, gates, loss and optimizer count nothing, padding neither),
three times those of the forward pass. The peak is the fastest product of two square matrices of
1024 to 2048, in the same precision, on as many threads, measured between the rows of the same run:
the best of all, by `torch.mm` and by oneDNN, since the library behind the former leaves half of
some machines unused. A row takes the best of its steps too. On one thread both are timed by the
processor time they take, so that what else runs on the machine does not count; on several, by the
clock.
"""

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch.utils.mkldnn import to_mkldnn

from partimento.music.grid import Grid
from partimento.music.score import Meter
from partimento.networks.melody_rnn import MelodyRNN, MelodyRNNConfig
from partimento.representations.melody import FIRST_PITCH, MelodyRepresentation
from partimento.training.batches import EncodedPiece, MelodyBatches
from partimento.training.distributed import Group
from partimento.training.loop import TrainingSettings, gradients

ROWS = (  # hidden size, examples, precision
    (512, 128, "float32"),
    (512, 32, "float32"),
    (256, 128, "float32"),
    (256, 16, "float32"),
    (128, 128, "float32"),
    (128, 16, "float32"),
    (512, 128, "bfloat16"),
    (512, 32, "bfloat16"),
    (256, 16, "bfloat16"),
    (128, 16, "bfloat16"),
)
SIZES = 1024, 1536, 2048  # of the square matrices
STEPS = 128  # of the grid, an example
LAYERS = 2


def main() -> None:
    """Measure and print one table a number of threads."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, nargs="+", default=[1])
    parser.add_argument("--seconds", type=float, default=4.0, help="of each row, about")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = [row for threads in asked.threads for row in measure(threads, asked.seconds)]
    if asked.json:
        print(json.dumps({"torch": torch.__version__, "rows": found}, indent=1))
        return
    print(
        f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}, PyTorch "
        f"{torch.__version__}; GFLOP/s of matrix products\n"
    )
    print(
        "| network | batch | precision | threads | events/s | GFLOP/s | torch.mm | peak | share "
        "| of it the batches |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for row in found:
        print(
            f"| {LAYERS}x{row['hidden']} | {row['batch']} | {row['precision']} | {row['threads']} "
            f"| {row['events_per_second']:,.0f} | {row['gflops']:.0f} | {row['torch_mm']:.0f} "
            f"| {row['peak']:.0f} | {row['share']:.0%} | {row['data_share']:.1%} |"
        )


def measure(threads: int, seconds: float) -> list[dict]:
    """Time every row, and the peak of its precision between the rows."""
    torch.set_num_threads(threads)
    peaks = {precision: np.zeros(2) for precision in ("float32", "bfloat16")}
    rows = []
    for hidden, batch, precision in ROWS:
        peaks[precision] = np.maximum(peaks[precision], peaks_of(precision, threads))
        rows.append(one_row(hidden, batch, precision, threads, seconds))
        print(rows[-1], file=sys.stderr, flush=True)
    for row in rows:
        peak = float(peaks[row["precision"]].max())
        row["torch_mm"] = round(float(peaks[row["precision"]][0]), 1)
        row["peak"] = round(peak, 1)
        row["share"] = round(row["gflops"] / peak, 3)
    return rows


@torch.inference_mode()
def peaks_of(precision: str, threads: int) -> np.ndarray:
    """GFLOP/s of the fastest product of two square matrices, by `torch.mm` and by oneDNN."""
    best = np.zeros(2)
    for size in SIZES:
        dtype = getattr(torch, precision)
        left, right = (torch.randn(size, size).to(dtype) for _ in range(2))
        ways = [partial(torch.mm, left, right)]
        if torch.backends.mkldnn.is_available():
            linear = torch.nn.Linear(size, size, bias=False).eval()
            ways.append(partial(to_mkldnn(linear, dtype), left.to_mkldnn()))
        for index, way in enumerate(ways):
            best[index] = max(best[index], 2 * size**3 / fastest(way, 0.1, threads) / 1e9)
    return best


def one_row(hidden: int, batch: int, precision: str, threads: int, seconds: float) -> dict:
    """Train for some seconds; figures of the fastest step."""
    representation = MelodyRepresentation(lowest=48, highest=83)
    pieces = tunes(representation)
    batches = MelodyBatches(pieces, representation, batch, STEPS, seed=0)
    config = MelodyRNNConfig(
        representation.vocab_size, representation.feature_sizes, hidden, LAYERS, dropout=0.5
    )
    network = MelodyRNN(config)
    settings = TrainingSettings(steps=1, precision=precision, threads=threads)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    group = Group(device="cpu")

    def step() -> None:
        gradients(network, batches, 0, 0.0, settings, group)
        torch.nn.utils.clip_grad_norm_(network.parameters(), settings.clip_norm)
        optimizer.step()

    step()
    duration = fastest(step, seconds, threads)
    real = int(batches(0).is_real.sum())
    of_an_event = LAYERS * 2 * 4 * hidden * 2 * hidden + 2 * hidden * representation.vocab_size
    return {
        "hidden": hidden,
        "batch": batch,
        "precision": precision,
        "threads": threads,
        "events_per_second": round(real / duration),
        "gflops": round(3 * real * of_an_event / duration / 1e9, 1),
        "data_share": round(fastest(partial(batches, 0), 0.2, threads) / duration, 4),
    }


def tunes(representation: MelodyRepresentation) -> list[EncodedPiece]:
    """Tunes of 8 to 32 bars of 4/4 in eighths."""
    generator = np.random.default_rng(0)
    pieces = []
    for _ in range(200):
        grid = Grid.regular(Meter(0, 4, 4), 4, int(generator.integers(8, 33)))
        tokens = np.zeros(len(grid), dtype=np.int64)
        drawn = generator.integers(60, 73, len(grid) // 2)
        tokens[::2] = drawn - representation.lowest + FIRST_PITCH
        pieces.append(EncodedPiece(tokens, grid))
    return pieces


def fastest(function: Callable[[], object], seconds: float, threads: int) -> float:
    """Seconds of the fastest of the calls that fit into some time, two at least."""
    clock = time.process_time if threads == 1 else time.perf_counter
    durations: list[float] = []
    while len(durations) < 2 or sum(durations) < seconds:
        started = clock()
        function()
        durations.append(clock() - started)
    return min(durations)


if __name__ == "__main__":
    main()
