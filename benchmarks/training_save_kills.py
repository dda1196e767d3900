"""Whether training survives `kill -9` while it saves: the same weights as a run nobody disturbed.

    python benchmarks/training_save_kills.py [--kills 200] [--seed 0] [--steps 40] [--json]

Trains a tiny network in processes that are killed inside a save of their state: each at a random
moment of the time a save takes, counted from the random save it falls into (files are written,
synced, renamed, old ones removed). Each killed run is resumed until it has reached its end, and
killed again on the way as often as asked. Compared is the last state: weights, optimizer and best
weights. Exits with 1 if any differ. Needs `os.fork` (not on Windows).
"""

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
import torch._dynamo  # the optimizer imports it, at length: here once, not in every process
from training_kills import write_tunes

from partimento.data import load_melodies
from partimento.networks.melody_rnn import MelodyRNN, MelodyRNNConfig
from partimento.representations.melody import FIRST_PITCH, MelodyRepresentation
from partimento.training.batches import MelodyBatches, encode_pieces, whole_pieces
from partimento.training.loop import TrainingSettings, held_out_loss, train
from partimento.training.run_folder import RunFolder

REPRESENTATION = MelodyRepresentation(lowest=48, highest=83)


def main() -> None:
    """Train in peace, train under kills, compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    generator = np.random.default_rng(asked.seed)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_tunes(root / "tunes")
        pieces = encode_pieces(load_melodies((str(root / "tunes"),)).pieces, REPRESENTATION)
        assert in_child(pieces, root / "peace", asked.steps, None) == 0
        expected = last_state(root / "peace", asked.steps)
        duration = save_duration(root / "peace")
        left: Counter[str] = Counter()
        kills, runs, equal = 0, 0, 0
        while kills < asked.kills or runs == 0:
            run = root / "killed"
            while True:
                moment = None
                if kills < asked.kills:
                    moment = int(generator.integers(1, 4)), generator.uniform(0, duration)
                if in_child(pieces, run, asked.steps, moment) == 0:
                    break
                kills += 1
                left[what_is_left(run)] += 1
                print(f"\r{kills} kills", end="", file=sys.stderr, flush=True)
            runs += 1
            equal += last_state(run, asked.steps) == expected
            shutil.rmtree(run)
    found = {
        "kills": kills,
        "save_milliseconds": round(1000 * duration, 1),
        "left_by_a_kill": dict(left),
        "runs": runs,
        "equal": equal,
    }
    print(json.dumps(found) if asked.json else "\n".join(f"{k}: {v}" for k, v in found.items()))
    sys.exit(equal != runs)


def in_child(pieces: list, run: Path, steps: int, moment: tuple[int, float] | None) -> int:
    """Train in a process of its own, which kills itself in a save; 0 if it came to its end.

    Parameters
    ----------
    moment
        Which save it is, counted from 1, and how many seconds after its start; `None` is never.
    """
    child = os.fork()
    if child == 0:
        saves = 0

        def save_state(self: RunFolder, *arguments: object) -> None:
            nonlocal saves
            saves += 1
            if moment is not None and saves == moment[0]:
                threading.Thread(target=die_after, args=(moment[1],), daemon=True).start()
            save(self, *arguments)
            if moment is not None and saves == moment[0]:
                die_after(1)  # the save was faster than the moment: die right after it

        save, RunFolder.save_state = RunFolder.save_state, save_state
        try:
            learn(pieces, RunFolder(run), steps)
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, -signal.SIGKILL), f"training ended with {code}"
    return code


def die_after(seconds: float) -> None:
    """Kill this process as `kill -9` does."""
    time.sleep(seconds)
    os.kill(os.getpid(), signal.SIGKILL)


def learn(pieces: list, run: RunFolder, steps: int) -> None:
    """Train a tiny network, looking and saving at every step."""
    settings = TrainingSettings(
        steps=steps, evaluate_every=1, batch_size=4, patience=1000, precision="float32"
    )
    torch.manual_seed(settings.seed)
    sizes = MelodyRNNConfig(REPRESENTATION.vocab_size, REPRESENTATION.feature_sizes, 64)
    batches = MelodyBatches(pieces[4:], REPRESENTATION, settings.batch_size, 64, settings.seed)

    def evaluate(network: torch.nn.Module) -> object:
        return held_out_loss(network, whole_pieces(pieces[:2], REPRESENTATION, 2), FIRST_PITCH)

    with run.locked():
        train(MelodyRNN(sizes), batches, evaluate, settings, run)


def save_duration(run: Path) -> float:
    """Seconds a save takes."""
    folder = RunFolder(run)
    tensors, facts, _ = folder.load_state()
    started = time.monotonic()
    for _ in range(5):
        folder.save_state(facts["step"], tensors, facts)
    return (time.monotonic() - started) / 5


def what_is_left(run: Path) -> str:
    """Say what the killed process has left behind."""
    if any(run.glob("**/.*.part")):
        return "a file half written"
    states = run / "state"
    if {f.stem for f in states.glob("*.safetensors")} - {f.stem for f in states.glob("*.json")}:
        return "weights without their facts"
    if len(list(states.glob("*.json"))) > 2:
        return "an old state not yet removed"
    return "whole states"


def last_state(run: Path, steps: int) -> str:
    """SHA-256 of the last weights, optimizer and best weights."""
    content = (run / "state" / f"step-{steps:08d}.safetensors").read_bytes()
    return sha256(content).hexdigest()


if __name__ == "__main__":
    main()
