"""Folk tunes: bits a note of ours beside a re-run of the folk-rnn recipe.

    python benchmarks/folk_table.py train [--only irish-cre/ours …] [--minutes 20] [--steps 1200]
    python benchmarks/folk_table.py table

Two sets: `irish-cre` with its own split, and `nottingham` (for benchmarks only) split anew, so that
the versions of a tune stay on one side. Both models learn from the same training tunes, are chosen
on the same validation tunes, and are measured on the same test tunes, in bits a note.

folk-rnn (Sturm, Santos, Ben-Tal and Korshunova, "Music transcription modelling and composition
using deep learning", 2016) reads tunes as ABC, a token for each pitch, length, bar line and tie,
all moved to C, after a token each for meter and mode; three LSTM layers of 512, one-hot inputs,
dropout of a half. Here the tokens come from the same melodies on the same grid; meter and key are
given to it free (the key as the file says), and so is the end of a tune. Its bits are those of all
other tokens. Ours pays for every grid step, silence before an upbeat included, and is told the
meter, not the key. Both train with AdamW, a falling rate, batches of 16 and bfloat16; only the best
weights on the validation tunes count. Ours gets so many minutes; folk-rnn, which learns slowly, so
many steps, however long they take, at that recipe's own rate (1,200 are more than twenty epochs,
half an hour of a core). A run that was stopped goes on where it was.
"""

import argparse
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from partimento.data import Piece
from partimento.data.fingerprints import fingerprint, sketch
from partimento.data.splits import assign, clusters
from partimento.models.lessons import lesson_for, load_pieces, train_melody_rnn
from partimento.music.grid import Grid
from partimento.networks.melody_rnn import MelodyRNN, MelodyRNNConfig
from partimento.training.batches import Batch, pad, whole_pieces
from partimento.training.loop import HeldOut, Progress, TrainingSettings, held_out_loss, train
from partimento.training.melody import by_split, digest_of, encode_pieces
from partimento.training.run_folder import PIECES, RunFolder

RUNS = Path(__file__).parent.parent / "runs" / "folk"
SETS = ("irish-cre", "nottingham")
MODELS = ("ours", "folk-rnn")
BATCH = 16
UNIT = 2  # grid steps of a length that needs no token: an eighth, as in ABC
BEGIN, END = "<s>", "</s>"


def main() -> None:
    """Train the four models, or make the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["train", "table"])
    everything = [f"{name}/{model}" for name in SETS for model in MODELS]
    parser.add_argument("--only", nargs="*", choices=everything, default=everything)
    parser.add_argument("--minutes", type=float, default=20.0, help="of ours")
    parser.add_argument("--steps", type=int, default=1200, help="of folk-rnn")
    asked = parser.parse_args()
    if asked.what == "table":
        table()
        return
    for place in asked.only:
        name, model = place.split("/")
        if model == "ours":
            train_ours(name, asked.minutes)
        else:
            train_folk_rnn(name, asked.steps)


def lesson_of(name: str, minutes: float):
    """Our configuration, on one set alone."""
    return lesson_for(
        "melody-rnn",
        "tunes",
        (f"{name}:tune",),
        name=f"{name}-ours",
        minutes=minutes,
        dropout=0.5,
        threads=1,
        precision="bfloat16",
        evaluate_every=100,
        patience=15,
    )


def pieces_of(name: str) -> list[Piece]:
    """Melodies of a set; the tune families of `nottingham` are kept together."""
    pieces = load_pieces(lesson_of(name, 1.0)).pieces
    if name != "nottingham":
        return pieces
    notes = [piece.score.parts[0].notes for piece in pieces]
    prints = [fingerprint(tune.onset, tune.pitch) for tune in notes]
    families = clusters(
        [piece.name.split("#")[0] for piece in pieces], prints, [sketch(n.pitch) for n in notes]
    )
    sides = assign(families, prints, [None] * len(pieces))
    return [replace(piece, split=side) for piece, side in zip(pieces, sides, strict=True)]


def train_ours(name: str, minutes: float) -> None:
    """Teach ours as `partimento train` does."""
    lesson = lesson_of(name, minutes)
    data = load_pieces(lesson)
    data = replace(data, pieces=pieces_of(name))
    say = teller(f"{name} ours")
    train_melody_rnn(lesson, data, RUNS / name / "ours", resume=True, report=say, tell=print)


def words_of(piece: Piece) -> list[str]:
    """Write a melody as tokens of folk-rnn: meter, mode, then pitches, lengths, ties and bars."""
    score = piece.score
    key = score.keys[0] if score.keys else None
    home = (7 * key.fifths + 9 * key.is_minor) % 12 if key else 0
    up = -home if home <= 6 else 12 - home
    words = [f"M:{score.meter_map[0]}", "K:minor" if key and key.is_minor else "K:major"]
    grid = Grid.of(score, 4)
    lines = np.flatnonzero(grid.position == 0)
    notes = score.parts[0].notes
    onsets = notes.onset * 4 // score.ticks_per_quarter
    offsets = np.maximum(notes.offset * 4 // score.ticks_per_quarter, onsets + 1)
    offsets[:-1] = np.minimum(offsets[:-1], onsets[1:])
    at = int(onsets[0])
    for onset, offset, pitch in zip(onsets, offsets, notes.pitch + up, strict=True):
        for start, stop, what in ((at, onset, "z"), (onset, offset, str(pitch))):
            while start < stop:
                line = lines[lines > start]
                end = min(stop, int(line[0])) if len(line) else stop
                if start in lines and start > at:
                    words.append("|")
                words.append(what)
                if end - start != UNIT:
                    words.append(f"/{end - start}")
                if end < stop and what != "z":
                    words.append("-")
                start = end
        if offset in lines:
            words.append("|")
        at = int(offset)
    return [BEGIN, *words]


class FolkData:
    """Token sequences of one set, as batches."""

    def __init__(self, name: str) -> None:
        self.pieces = pieces_of(name)
        self.words = {s: [words_of(p) for p in self.pieces if p.split == s] for s in SPLITS}
        known = sorted({word for tune in self.words["train"] for word in tune})
        self.index = {word: number for number, word in enumerate([END, *known, "<unknown>"])}
        self.notes = {
            s: sum(len(p.score.parts[0].notes) for p in self.pieces if p.split == s) for s in SPLITS
        }

    def example(self, tune: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Give the token before each token, and the token."""
        numbers = np.array([self.index.get(word, len(self.index) - 1) for word in tune])
        return numbers[:-1, None], numbers[1:]

    def __call__(self, step: int) -> Batch:
        """Batch of a training step: whole tunes, shuffled anew every epoch."""
        tunes = self.words["train"]
        an_epoch = len(tunes) // BATCH
        epoch, index = divmod(step, an_epoch)
        order = np.random.default_rng((1, epoch)).permutation(len(tunes))
        chosen = order[index * BATCH : (index + 1) * BATCH]
        return self.free(pad([self.example(tunes[number]) for number in chosen]))

    def whole(self, split: str) -> Iterator[Batch]:
        """Held-out tunes."""
        tunes = sorted(self.words[split], key=len)
        for first in range(0, len(tunes), BATCH):
            yield self.free(pad([self.example(tune) for tune in tunes[first : first + BATCH]]))

    @staticmethod
    def free(batch: Batch) -> Batch:
        """Meter and mode cost nothing."""
        is_real = batch.is_real.copy()
        is_real[:, :2] = False
        return replace(batch, is_real=is_real)


SPLITS = ("train", "valid", "test")


def folk_rnn(data: FolkData) -> MelodyRNN:
    """Three layers of 512 that read one-hot tokens."""
    size = len(data.index)
    return MelodyRNN(
        MelodyRNNConfig(size, (size + 1,), hidden_size=512, num_layers=3, dropout=0.5, one_hot=True)
    )


def train_folk_rnn(name: str, steps: int) -> None:
    """Teach the folk-rnn recipe."""
    data = FolkData(name)
    print(f"{name}: {len(data.index)} tokens, {sum(map(len, data.words['train'])):,} to learn from")
    settings = TrainingSettings(
        steps=steps,
        learning_rate=3e-3,
        clip_norm=5.0,
        batch_size=BATCH,
        evaluate_every=100,
        patience=15,
        precision="bfloat16",
    )
    torch.manual_seed(0)
    network = folk_rnn(data)
    run = RunFolder(RUNS / name / "folk-rnn")

    def evaluate(module: torch.nn.Module) -> HeldOut:
        found = held_out_loss(module, data.whole("valid"), 0)
        return replace(found, notes=data.notes["valid"])

    with run.locked():
        run.begin({"steps": steps, PIECES: digest_of(data.pieces)}, resume=True)
        train(network, data, evaluate, settings, run, teller(f"{name} folk-rnn"), None, print)


def teller(what: str):
    """Print a line for every look."""

    def report(progress: Progress) -> None:
        if progress.held_out is not None and progress.evaluated_at == progress.step:
            bits = progress.held_out.nats_per_note / math.log(2)
            print(
                f"{what} step {progress.step:,}: {progress.done:.0%}, valid {bits:.3f} bits a note",
                flush=True,
            )

    return report


def table() -> None:
    """Print bits a note of both models on both sets."""
    print("| set | tunes, train / valid / test | folk-rnn, valid | ours, valid | folk-rnn, test |")
    print("| ours, test | fewer bits |\n|---|---|---|---|---|---|---|")
    for name in SETS:
        data = FolkData(name)
        network = folk_rnn(data)
        weights, _ = RunFolder(RUNS / name / "folk-rnn").load_best()
        network.load_state_dict(weights)
        lesson = lesson_of(name, 1.0)
        by_split(data.pieces, lesson.representation)
        ours = MelodyRNN(lesson.network_config())
        weights, _ = RunFolder(RUNS / name / "ours").load_best()
        ours.load_state_dict(weights)
        bits: dict[str, float] = {}
        for split in ("valid", "test"):
            notes = data.notes[split] * math.log(2)
            bits[f"folk {split}"] = held_out_loss(network, data.whole(split), 0).nats / notes
            pieces = [piece for piece in data.pieces if piece.split == split]
            encoded = encode_pieces(pieces, lesson.representation)
            whole = whole_pieces(encoded, lesson.representation, 32)
            bits[f"ours {split}"] = held_out_loss(ours, whole, 2).nats / notes
        counts = " / ".join(str(len(data.words[split])) for split in SPLITS)
        order = ("folk valid", "ours valid", "folk test", "ours test")
        fewer = 1 - bits["ours test"] / bits["folk test"]
        cells = " | ".join(f"{bits[key]:.3f}" for key in order)
        print(f"| {name} | {counts} | {cells} | {fewer:.1%} |")


if __name__ == "__main__":
    main()
