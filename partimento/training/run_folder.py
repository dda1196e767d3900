"""`RunFolder`: what a training run leaves on disk, so that stopping it loses nothing.

| file | holds |
|---|---|
| `run.json` | what was asked: model, data, settings |
| `log.jsonl` | one line an evaluation |
| `state/step-N.safetensors`, `.json` | weights and optimizer at a step, and their SHA-256 |
| `best.safetensors`, `.json` | the weights with the lowest held-out loss |
| `samples/` | what the network played at doubling steps, and at the end: `training.samples` |
| `folds/1/` … | runs like this one, where small data are dealt out to folds |
| `checkpoint/` | the finished model |
| `run.lock` | held by the process that trains; the kernel frees it when that process ends |

Every file is written beside its place, synced, and renamed into it. The two newest states stay, so
one that a crash or a bad disk damaged has a whole one behind it.
"""

import errno
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from safetensors import SafetensorError
from safetensors.torch import load as tensors_of
from safetensors.torch import save as bytes_of
from torch import Tensor

from partimento.checkpoints.saving import sync_folder
from partimento.errors import EnvironmentFault, TrainingError
from partimento.training.samples import FOLDER as SAMPLES
from partimento.training.samples import read_log

KEPT_STATES = 2
PIECES = "pieces_sha256"  # what `run.json` calls the digest of the music


class RunFolder:
    """Files of one run. Use it inside ``with run.locked():``."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self.states = self.path / "state"
        self.checkpoint = self.path / "checkpoint"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for this process, or raise `EnvironmentFault` naming who does."""
        try:
            self.states.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise EnvironmentFault(f"{self.path} is no folder: choose another --out") from None
        with (self.path / "run.lock").open("a+", encoding="utf-8") as handle:
            if not _try_lock(handle):
                handle.seek(0)
                holder = handle.read(20).strip() or "unknown"
                raise EnvironmentFault(
                    f"{self.path} is in use by process {holder}, which trains there: wait for it, "
                    "stop it, or choose another --out"
                )
            handle.seek(0)
            handle.truncate()
            handle.write(f"{os.getpid()}\n")
            handle.flush()
            self._clear_leavings()
            yield

    # What was asked.

    def begin(self, asked: dict[str, Any], *, resume: bool) -> None:
        """Note what was asked, or check on resuming that the same is asked again.

        Raises `TrainingError` if the folder holds a run and `resume` is not set, or if the run in
        it was asked for otherwise.
        """
        if self._holds_run():
            self.check(asked, resume=resume)
        else:
            for sample in (self.path / SAMPLES).glob("*.mid"):  # of a run that failed early on
                sample.unlink()
            write_atomically(self.path / "run.json", _json(asked))

    def check(self, asked: dict[str, Any], *, resume: bool) -> None:
        """Raise what `begin` would, of as much as is known of what is asked; write nothing."""
        if not self._holds_run():
            return
        if not resume:
            raise TrainingError(
                f"{self.path} holds a run already: go on with it by --resume, or choose another "
                "--out"
            )
        file = self.path / "run.json"
        try:
            before = _flat(dict(json.loads(file.read_text(encoding="utf-8"))))
        except (OSError, ValueError, TypeError) as error:
            raise TrainingError(f"{file} cannot be read ({error}): choose another --out") from None
        now = _flat(json.loads(_json(asked)))
        changed = [
            _difference(name, before.get(name), now[name])
            for name in sorted(now)
            if before.get(name) != now[name]
        ]
        if changed:
            raise TrainingError(
                f"cannot resume {self.path} with other settings: {'; '.join(changed)}. Ask as "
                "before, or choose another --out"
            )

    # States.

    def save_state(self, step: int, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        """Save a state, then drop the oldest beyond `KEPT_STATES`."""
        self._save(self.states / f"step-{step:08d}", tensors, {"step": step, **facts})
        for old in self._state_files()[:-KEPT_STATES]:
            old.with_suffix(".safetensors").unlink(missing_ok=True)
            old.unlink(missing_ok=True)

    def load_state(self) -> tuple[dict[str, Tensor], dict[str, Any], list[str]] | None:
        """Return tensors and facts of the newest whole state, and what was passed over for it."""
        passed_over: list[str] = []
        for file in reversed(self._state_files()):
            try:
                tensors, facts = _load(file.with_suffix(""))
            except TrainingError as error:
                passed_over.append(str(error))
            else:
                return tensors, facts, passed_over
        if passed_over:
            raise TrainingError(
                f"no whole state is left in {self.states}: {passed_over[0]}. Start again in "
                "another folder"
            )
        return None

    def reached(self) -> tuple[int, float]:
        """Step and seconds of the last look, as far as the log knows; zeros before there is one."""
        last = self.read_log()[-1:] or [{}]
        return int(last[0].get("step", 0)), float(last[0].get("seconds", 0.0))

    def save_best(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        """Keep the best weights so far."""
        self._save(self.path / "best", tensors, facts)

    def load_best(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Weights with the lowest held-out loss."""
        return _load(self.path / "best")

    # The log.

    def log(self, line: dict[str, Any]) -> None:
        """Add one line to the log."""
        with (self.path / "log.jsonl").open("ab+") as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":  # a crash cut the last line off
                    file.write(b"\n")
            file.write(json.dumps(line).encode() + b"\n")

    def read_log(self) -> list[dict[str, Any]]:
        """Return all whole lines of the log, each step once (the last word counts)."""
        return read_log(self.path / "log.jsonl")

    def _holds_run(self) -> bool:
        """Whether anything was trained here; a run that failed before its first state is none."""
        begun = self._state_files() or list(self.path.glob("folds/*/state/step-*.json"))
        return (self.path / "run.json").exists() and bool(begun)

    def _clear_leavings(self) -> None:
        """Remove what a killed process left half written; nobody else writes while we hold it."""
        for folder in (self.path, self.states, self.path / SAMPLES):
            for part in folder.glob(".*.part"):
                part.unlink(missing_ok=True)
        for weights in self.states.glob("step-*.safetensors"):
            if not weights.with_suffix(".json").exists():
                weights.unlink(missing_ok=True)

    def _state_files(self) -> list[Path]:
        return sorted(self.states.glob("step-*.json"))

    def _save(self, stem: Path, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        content = bytes_of({name: tensor.contiguous() for name, tensor in tensors.items()})
        facts = {**facts, "sha256": hashlib.sha256(content).hexdigest()}
        write_atomically(stem.with_suffix(".safetensors"), content)
        write_atomically(stem.with_suffix(".json"), _json(facts))


def write_atomically(file: Path, content: bytes) -> None:
    """Write a file so that at every moment the old or the new one is whole on disk."""
    beside = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        beside.replace(file)
        sync_folder(file.parent)
    except OSError as error:
        beside.unlink(missing_ok=True)
        hint = "free some space" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "see to that"
        raise EnvironmentFault(
            f"could not write {file} ({error.strerror}): {hint} and --resume; what was saved "
            "before is whole"
        ) from error


def _load(stem: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    file = stem.with_suffix(".safetensors")
    try:
        facts = json.loads(stem.with_suffix(".json").read_text(encoding="utf-8"))
        content = file.read_bytes()
        if hashlib.sha256(content).hexdigest() != facts["sha256"]:
            raise TrainingError(f"{file} is damaged: its SHA-256 is not the one noted beside it")
        return tensors_of(content), facts
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise TrainingError(f"{file} cannot be read ({error})") from error


def _flat(asked: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Name settings within settings with dots."""
    flat: dict[str, Any] = {}
    for name, value in asked.items():
        flat |= (
            _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
        )
    return flat


def _difference(name: str, before: Any, now: Any) -> str:
    if name == PIECES:
        return (
            "the melodies of the data are not those of before (other files, other switches, or "
            "another version of partimento)"
        )
    return f"{name.rpartition('.')[2]} was {before!r}, now {now!r}"


def _json(value: dict[str, Any]) -> bytes:
    return (json.dumps(value, indent=2, sort_keys=True) + "\n").encode()


if sys.platform == "win32":
    import msvcrt

    def _try_lock(handle: TextIO) -> bool:
        handle.seek(1024)  # beyond the holder's number, which stays readable
        try:
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(handle: TextIO) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
