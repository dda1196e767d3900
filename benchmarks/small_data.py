"""Twenty files, learned in several ways: what each says of the same held-out tunes, and copies.

    python benchmarks/small_data.py                   # the table; about half an hour of one core
    python benchmarks/small_data.py --study dropout   # what dropout suits how much music
    python benchmarks/small_data.py --study finetuning   # learning rates, dropouts, note values

Files come from the training part of `nottingham`, which no shipped model has met, and are a user's
folder here; the figures are of its test part. Runs lie in `runs/small-data` and go on where they
were stopped. The corpora lie in `../shared/data` beside the checkout, or where PARTIMENTO_DATA
says.
"""

import argparse
import json
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from partimento.checkpoints import open_checkpoint
from partimento.data import MelodyData, Piece
from partimento.data.note_runs import hashed_runs
from partimento.data.sources import data_root
from partimento.evaluation.comparison import sample_like
from partimento.evaluation.memorisation import copying
from partimento.models.finetuning import finetune_melody_rnn, finetuning_lesson
from partimento.models.lessons import lesson_for, load_pieces, train_melody_rnn
from partimento.models.load import load
from partimento.representations.melody import FIRST_PITCH
from partimento.training.baselines import by_counts, by_five_gram
from partimento.training.batches import encode_pieces, whole_pieces
from partimento.training.loop import HeldOut, held_out_loss, train
from partimento.training.melody import Lesson, batches_of, evaluation_on
from partimento.training.run_folder import RunFolder
from partimento.training.warm_start import network_of

ROOT = Path(__file__).parent.parent
FILES, DRAWS = 20, 3
SAMPLES, BARS = 100, 16
JUDGES = 30  # valid tunes that stop the run from random weights
STEPS = 800  # of that run, at most
SIZES = (  # tunes, most steps, dropouts to try
    (20, 500, (0.2, 0.35, 0.5, 0.65)),
    (100, 800, (0.2, 0.35, 0.5)),
    (400, 1500, (0.2, 0.35, 0.5)),
    (792, 2000, (0.2, 0.35)),
)


def main() -> None:
    """Make the table, or one of the studies behind the settings."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=DRAWS)
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "small-data")
    parser.add_argument("--study", choices=["dropout", "finetuning"])
    asked = parser.parse_args()
    torch.set_num_threads(1)
    if asked.study == "dropout":
        study_dropout()
    elif asked.study == "finetuning":
        study_finetuning()
    else:
        table(asked.draws, asked.out)


def table(draws: int, out: Path) -> None:
    """Print what each way of learning twenty files gives, draw by draw and on average."""
    lesson = finetuning_lesson("melody-rnn", ("nottingham:tune",), name="reader", minutes=1.0)
    parts = load_pieces(lesson)
    rows: list[dict[str, Any]] = []
    for draw in range(draws):
        for row in one_draw(draw, parts, out / f"draw-{draw}"):
            print(json.dumps({"draw": draw, **row}), flush=True)
            rows.append(row)
    print(f"\n{draws} draws of {FILES} files; {len(parts.split('test'))} test tunes\n")
    print("| | nats a note | run shared, mean | longest | minutes |\n|---|---|---|---|---|")
    for name in dict.fromkeys(row["name"] for row in rows):
        of = [row for row in rows if row["name"] == name]
        cells = [_mean(of, "nats_per_note", 3), _mean(of, "mean_run", 1)]
        cells += [_most(of, "longest_run"), _mean(of, "minutes", 1)]
        print(f"| {name} | {' | '.join(cells)} |")


def one_draw(draw: int, parts: MelodyData, out: Path) -> list[dict[str, Any]]:
    """Figures of every way to learn one draw of files."""
    folder = draw_files(draw, out / "files")
    fine = finetuning_lesson("melody-rnn", (str(folder),), name="fine-tuned", minutes=600.0)
    data = load_pieces(fine)
    known = [replace(piece, split="train") for piece in data.pieces]
    data = MelodyData(known, data.report)  # folds are held out; the test tunes are elsewhere
    tests = encode_pieces(parts.split("test"), fine.representation)
    training = encode_pieces(known, fine.representation)
    hashes = hashed_runs(piece.score for piece in known)
    tunes = [piece.score for piece in parts.split("test")]
    human = copying({"human": [tune.slice(-BARS) for tune in tunes]}, hashes)["human"]
    rows = [row("tunes by people (test)", mean_run=human.mean, longest_run=human.longest)]

    def of_model(name: str, folder: str | Path, minutes: float | None) -> dict[str, Any]:
        model = load(folder)
        made = sample_like(model, tunes, SAMPLES, BARS, seed=0)
        copied = copying({"made": made}, hashes)["made"]
        network = network_of(open_checkpoint(folder))
        found = held_out_loss(network, whole_pieces(tests, fine.representation, 32), FIRST_PITCH)
        return row(name, found, copied.mean, copied.longest, minutes)

    size, transpose = fine.representation.vocab_size, fine.settings.transpose
    rows.append(row("counts of the files", by_counts(training, tests, size)))
    rows.append(row("5-gram of the files", by_five_gram(training, tests, size, transpose)))
    rows.append(of_model("shipped, untouched", "melody-rnn", 0.0))
    judges = chosen(parts.split("valid"), JUDGES, seed=0)
    scratch = lesson_for(
        "melody-rnn",
        "tunes",
        (str(folder),),
        name="from random weights",
        steps=STEPS,
        evaluate_every=40,
        patience=5,
        warmup_steps=50,
    )
    mixed = MelodyData([*known, *(replace(piece, split="valid") for piece in judges)], data.report)
    taught = train_melody_rnn(scratch, mixed, out / "scratch", resume=True, tell=print)
    assert taught is not None
    minutes = taught.outcome.seconds / 60
    rows.append(of_model("from random weights", out / "scratch", minutes))
    taught = finetune_melody_rnn(fine, data, out / "fine", resume=True, tell=print)
    assert taught is not None
    rows.append(of_model("fine-tuned", out / "fine", taught.outcome.seconds / 60))
    return rows


def study_dropout() -> None:
    """Best held-out nats per note of `tunes`, from random weights, by dropout and size of data."""
    lesson = lesson_for("melody-rnn", "tunes", ("irish-cre:tune",), name="study", steps=1)
    data = load_pieces(lesson)
    for count, steps, dropouts in SIZES:
        pieces = chosen(data.split("train"), count, seed=1)
        for dropout in dropouts:
            changed = replace(
                lesson,
                dropout=dropout,
                settings=replace(
                    lesson.settings, steps=steps, evaluate_every=50, patience=4, warmup_steps=50
                ),
            )
            words = f"{count} tunes, {notes_of(pieces):,} notes, dropout {dropout}"
            tried(words, changed, pieces, chosen(data.split("valid"), JUDGES, seed=0))


def study_finetuning() -> None:
    """Held-out nats per note of fine-tuning on twenty tunes, setting by setting."""
    lesson = finetuning_lesson("melody-rnn", ("nottingham:tune",), name="study", steps=280)
    lesson = replace(lesson, settings=replace(lesson.settings, evaluate_every=40, patience=2))
    data = load_pieces(lesson)
    judges = chosen(data.split("valid"), JUDGES, seed=0)
    for draw in range(2):
        pieces = chosen(data.split("train"), FILES, seed=draw)
        for dropout in (0.1, 0.2, 0.35, 0.5):
            tried(
                f"draw {draw}, dropout {dropout}", replace(lesson, dropout=dropout), pieces, judges
            )
        for rate in (2.5e-4, 1e-3):
            settings = replace(lesson.settings, learning_rate=rate)
            tried(f"draw {draw}, rate {rate}", replace(lesson, settings=settings), pieces, judges)
        still = replace(lesson, settings=replace(lesson.settings, transpose=0))
        tried(f"draw {draw}, in their own keys", still, pieces, judges)
        doubled = [replace(piece, score=piece.score.stretch(2)) for piece in pieces]
        tried(f"draw {draw}, doubled note values too", lesson, [*pieces, *doubled], judges)


def tried(words: str, lesson: Lesson, pieces: Sequence[Piece], judges: Sequence[Piece]) -> None:
    """Train, and print the best look at the held-out tunes."""
    network = lesson.new_network()
    held_out = encode_pieces(judges, lesson.representation)
    batches = batches_of(encode_pieces(pieces, lesson.representation), lesson)
    look = evaluation_on(held_out, lesson.representation)
    with tempfile.TemporaryDirectory() as folder:
        run = RunFolder(Path(folder))
        with run.locked():
            outcome = train(network, batches, look, lesson.settings, run)
        curve = {line["step"]: line["held_out_nats_per_note"] for line in run.read_log()}
    best = min(curve, key=lambda step: curve[step])
    print(
        f"{words}: {curve[best]:.4f} nats a note at step {best} of {outcome.step}, "
        f"{outcome.seconds:.0f} s",
        flush=True,
    )


def draw_files(draw: int, folder: Path) -> Path:
    """Unpack some files of the training part, as a user's folder."""
    if not folder.exists():
        folder.mkdir(parents=True)
        with zipfile.ZipFile(data_root() / "nottingham" / "midi.zip") as archive:
            names = sorted(
                n for n in archive.namelist() if n.startswith("train/") and n[-4:] == ".mid"
            )
            for name in chosen(names, FILES, seed=draw):
                (folder / Path(name).name).write_bytes(archive.read(name))
    return folder


def chosen(items: Sequence[Any], count: int, *, seed: int) -> list[Any]:
    """Draw some items without repetition, in their order."""
    drawn = np.random.default_rng(seed).choice(len(items), min(count, len(items)), replace=False)
    return [items[index] for index in sorted(drawn)]


def notes_of(pieces: Sequence[Piece]) -> int:
    """Count the notes of all pieces."""
    return sum(piece.score.num_notes for piece in pieces)


def row(
    name: str,
    found: HeldOut | None = None,
    mean_run: float | None = None,
    longest_run: int | None = None,
    minutes: float | None = None,
) -> dict[str, Any]:
    """Put one way's figures under their names."""
    return {
        "name": name,
        "nats_per_note": found.nats_per_note if found else None,
        "nats_per_step": found.nats_per_step if found else None,
        "mean_run": mean_run,
        "longest_run": longest_run,
        "minutes": minutes,
    }


def _mean(rows: Sequence[dict[str, Any]], column: str, digits: int) -> str:
    values = [row[column] for row in rows if row[column] is not None]
    return f"{np.mean(values):.{digits}f}" if values else ""


def _most(rows: Sequence[dict[str, Any]], column: str) -> str:
    values = [row[column] for row in rows if row[column] is not None]
    return str(max(values)) if values else ""


if __name__ == "__main__":
    main()
