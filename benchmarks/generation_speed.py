"""How fast a melody is written: one step of our engine beside NumPy, PyTorch and magenta.js.

    python benchmarks/generation_speed.py [--rounds 60] [--node-modules FOLDER] [--json]

Everything runs in one process on one thread, in turn, for many short rounds, and the best round of
each counts. Times are the process's own (what a clock shows on a quiet machine), because whatever
else a machine does would only make things slower; magenta.js keeps its own clock. The networks have
the sizes of the presets `small` (2x128) and `basic` (2x512), random weights, and one feature (the
token before), as magenta's `basic_rnn` has. `engine` is one step of the network; `write` is a step
with all around it (features, constraints, drawing); `continue` is what a user calls, from a primer
of four bars to scores, per new step. Needs `partimento[train]`; magenta.js is measured where Node
and the package are there (`magenta_step.cjs` says how to install it).
"""

# ruff: noqa: E402

import os

for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[name] = "1"  # before NumPy is imported

import argparse
import json
import platform
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch

from partimento.generation.constraints import Constraints
from partimento.generation.engine import StepEngine
from partimento.generation.sampling import Sampling
from partimento.generation.writing import Task, write_on
from partimento.models.melody_rnn import MelodyRNNModel
from partimento.music.examples import row_your_boat
from partimento.music.grid import Grid
from partimento.music.score import Meter
from partimento.networks.melody_rnn import MelodyRNN, MelodyRNNConfig
from partimento.representations.melody import MelodyRepresentation
from partimento.training.export import step_graph

REPRESENTATION_FIELDS = {"lowest": 48, "highest": 83}
REPRESENTATION = MelodyRepresentation(**REPRESENTATION_FIELDS)
MANY = 64
ROUND_SECONDS = 0.002  # short, so that on a busy machine some rounds are left alone
BARS = 2
PUBLISHED_MAGENTA_JS = (700, 1100)  # us a step for 2x128 in plain Node


def numpy_step(network):
    """Write the step as one would in NumPy: one sequence, its state kept between calls."""
    weights = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    embedding = weights["embeddings.0.weight"]
    layers = [
        (
            np.ascontiguousarray(weights[f"lstm.weight_ih_l{layer}"].T),
            np.ascontiguousarray(weights[f"lstm.weight_hh_l{layer}"].T),
            weights[f"lstm.bias_ih_l{layer}"] + weights[f"lstm.bias_hh_l{layer}"],
        )
        for layer in range(network.config.num_layers)
    ]
    head, head_bias = np.ascontiguousarray(weights["head.weight"].T), weights["head.bias"]
    size = network.config.hidden_size
    states = [np.zeros((2, size), dtype=np.float32) for _ in layers]

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    def step(token=5):
        below = embedding[token]
        for state, (from_below, from_hidden, bias) in zip(states, layers, strict=True):
            gates = below @ from_below + state[0] @ from_hidden + bias
            open_gates = sigmoid(gates)
            i, f, o = open_gates[:size], open_gates[size : 2 * size], open_gates[3 * size :]
            state[1] = f * state[1] + i * np.tanh(gates[2 * size : 3 * size])
            state[0] = o * np.tanh(state[1])
            below = state[0]
        return below @ head + head_bias

    return step


def torch_step(network):
    """Run the network itself, as training does, one step at a time."""
    state = None
    features = torch.full((1, 1, 1), 5)

    def step():
        nonlocal state
        with torch.inference_mode():
            logits, state = network(features, state)
        return logits

    return step


def engine_step(engine, rows):
    """Run our engine: states in place, logits out."""
    sequences = engine.start(rows)
    features = np.full((rows, 1), 5)
    return lambda: sequences.step(features)


def continuing(graph):
    """Call what a user calls: `continue_many` with a tune, for eight bars in so many ways."""
    checkpoint = SimpleNamespace(
        config={"name": "random", "representation": REPRESENTATION_FIELDS},
        hash="0" * 64,
        graph=lambda name: graph,
    )
    model = MelodyRNNModel(checkpoint)
    tune = row_your_boat()
    model.continue_from(tune)  # opens the graph
    return lambda count: lambda: model.continue_many(tune, count, bars=8)


def writing(engine, rows):
    """Do all it takes to write `BARS` bars: features, step, constraints, drawing."""
    grid = Grid.regular(Meter(0, 4, 4), REPRESENTATION.steps_per_quarter, BARS)
    task = Task(np.zeros(0, dtype=np.int64), grid, BARS)
    constraints = Constraints(rest_bars=1)  # so that no melody is silent and tried again

    def write():
        write_on(engine, REPRESENTATION, task, range(rows), Sampling(), constraints)

    return write, len(grid)


def contenders(hidden_size):
    """List name, function, and steps in one call."""
    torch.manual_seed(0)
    network = MelodyRNN(
        MelodyRNNConfig(REPRESENTATION.vocab_size, REPRESENTATION.feature_sizes, hidden_size)
    ).eval()
    graph = step_graph(network)
    engine = StepEngine(graph)
    continue_in = continuing(graph)
    return [
        ("numpy", numpy_step(network), 1),
        ("pytorch", torch_step(network), 1),
        ("engine", engine_step(engine, 1), 1),
        ("engine_64", engine_step(engine, MANY), 1),
        ("write", *writing(engine, 1)),
        ("write_64", *writing(engine, MANY)),
        ("continue", continue_in(1), 128),
        ("continue_64", continue_in(MANY), 128),
    ]


def measure(hidden_size, rounds):
    """Find the best time of a step of each contender, in microseconds."""
    best = {}
    runners = contenders(hidden_size)
    for _ in range(rounds):
        for name, call, steps in runners:
            call()  # the one before has pushed our weights out of the cache
            start = time.process_time()
            calls = 0
            while (spent := time.process_time() - start) < ROUND_SECONDS:
                call()
                calls += 1
            each = spent / calls / steps * 1e6
            best[name] = min(best.get(name, each), each)
    return best


def magenta_js(node_modules, hidden_size):
    """Find the best time of a step of magenta.js, or why there is none."""
    script = Path(__file__).with_name("magenta_step.cjs")
    environment = {**os.environ, "NODE_PATH": str(node_modules or "")}
    try:
        ran = subprocess.run(
            ["node", str(script), str(hidden_size)],
            capture_output=True,
            env=environment,
            text=True,
            timeout=300,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, str(error)
    if ran.returncode:
        return None, ran.stderr.strip().splitlines()[0][:100]
    return json.loads(ran.stdout)["best"], ""


def ratios(times, js):
    """Name what the targets are about: ratio, bound, and whether a larger ratio is better."""
    found = [
        ("engine / numpy", times["engine"] / times["numpy"], 1.5, False),
        ("pytorch / engine", times["pytorch"] / times["engine"], 6, True),
        (
            "64 at once: steps",
            MANY * times["engine"] / times["engine_64"],
            15,
            True,
        ),
        (
            "64 at once: notes written, beside one",
            MANY * times["write"] / times["write_64"],
            15,
            True,
        ),
    ]
    if js:
        found.append(("magenta.js / all it takes to write", js / times["write"], 15, True))
    return found


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--node-modules", type=Path, help="where @magenta/music is installed")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    results = {}
    for hidden_size in (128, 512):
        times = measure(hidden_size, options.rounds)
        js, why = None, "only measured for 2x128"
        if hidden_size == 128:
            js, why = magenta_js(options.node_modules, hidden_size)
        if js:
            times["magenta_js"] = js
        results[f"2x{hidden_size}"] = times
        if options.json:
            continue
        print(f"2x{hidden_size}, microseconds a step, one thread, {platform.machine()}")
        for name, spent in times.items():
            each = f"  ({spent / MANY:.1f} a sequence)" if name.endswith("_64") else ""
            print(f"  {name:12} {spent:9.1f}{each}")
        if not js:
            print(f"  magenta.js not measured ({why}); published for 2x128: 700 to 1,100")
        if hidden_size == 128 and not js:
            js = PUBLISHED_MAGENTA_JS[0]
        for name, ratio, bound, is_least in ratios(times, js):
            holds = ratio >= bound if is_least else ratio <= bound
            wanted = f"{'at least' if is_least else 'at most'} {bound:g}"
            print(f"  {name:40} {ratio:6.2f}  wanted {wanted}: {'yes' if holds else 'NO'}")
    if options.json:
        print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
