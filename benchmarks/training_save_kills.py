"""Whether training survives `kill -9` while it saves: the same weights as a run nobody disturbed.

    python benchmarks/training_save_kills.py [--kills 200] [--seed 0] [--steps 40] [--json]

Trains a tiny network in processes that are killed inside a save of their state: at a random moment
of it, taken from how long the save before took (files are written, synced, renamed, old ones
removed). A kill counts if the save had begun and had not ended; the others are counted apart. Each
killed run is resumed, and killed again on the way, until it has reached its end; then the next
begins. Compared is the last state: weights, optimizer and best weights. Exits with 1 if any differ.
Needs `os.fork` (not on Windows).
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
        assert in_child(pieces, root / "peace", asked.steps, None) is None
        expected = last_state(root / "peace", asked.steps)
        left: Counter[str] = Counter()
        inside, outside, runs, equal = 0, 0, 0, 0
        while inside < asked.kills or runs == 0:
            run = root / "killed"
            while True:
                moment = None
                if inside < asked.kills:
                    moment = int(generator.integers(2, 4)), generator.uniform()
                ended = in_child(pieces, run, asked.steps, moment)
                if ended is None:
                    break
                inside, outside = inside + (not ended), outside + ended
                if not ended:
                    left[what_is_left(run)] += 1
                print(f"\r{inside} kills", end="", file=sys.stderr, flush=True)
            runs += 1
            equal += last_state(run, asked.steps) == expected
            shutil.rmtree(run)
    found = {
        "kills_inside_a_save": inside,
        "kills_just_after": outside,
        "left_by_the_former": dict(left),
        "runs": runs,
        "equal": equal,
    }
    print(json.dumps(found) if asked.json else "\n".join(f"{k}: {v}" for k, v in found.items()))
    sys.exit(equal != runs)


def in_child(pieces: list, run: Path, steps: int, moment: tuple[int, float] | None) -> bool | None:
    """Train in a process of its own, which kills itself in a save.

    Parameters
    ----------
    moment
        Which save it is, counted from 1, and how far into it; `None` is never.

    Returns
    -------
    bool or None
        Whether the save had ended when it was killed; `None` if the run came to its end.
    """
    told, telling = os.pipe()
    child = os.fork()
    if child == 0:
        saves, duration = 0, 0.0

        def save_state(self: RunFolder, *arguments: object) -> None:
            nonlocal saves, duration
            saves += 1
            is_deadly = moment is not None and saves == moment[0]
            if is_deadly:
                after = moment[1] * duration
                threading.Thread(target=die_after, args=(after,), daemon=True).start()
            started = time.monotonic()
            save(self, *arguments)
            duration = time.monotonic() - started
            if is_deadly:
                os.write(telling, b"ended")
                time.sleep(60)

        save, RunFolder.save_state = RunFolder.save_state, save_state
        try:
            learn(pieces, RunFolder(run), steps)
            os._exit(0)
        finally:
            os._exit(1)
    os.close(telling)
    _, status = os.waitpid(child, 0)
    ended = bool(os.read(told, 10))
    os.close(told)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, -signal.SIGKILL), f"training ended with {code}"
    return None if code == 0 else ended


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
