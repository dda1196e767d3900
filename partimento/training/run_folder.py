"""`RunFolder`: what a training run leaves on disk, so that stopping it loses nothing.

| file | holds |
|---|---|
| `run.json` | what was asked: model, data, settings |
| `log.jsonl` | one line an evaluation |
| `state/step-N.safetensors` | weights and optimizer at a step, and the best weights until then |
| `state/step-N.json` | where the run was; SHA-256 of both files |
| `samples/` | what the network played at doubling steps, and at the end: `training.samples` |
| `folds/1/` … | runs like this one, where small data are dealt out to folds |
| `checkpoint/` | the finished model |
| `run.lock` | held by the process that trains; the kernel frees it when that process ends |

Every file is written beside its place, synced, and renamed into it. The two newest states stay, so
one that a crash or a bad disk damaged has a whole one behind it; each holds all that the rest of
the run depends on. Nothing here waits for PyTorch to be loaded before it knows that a folder is in
use.
"""

import hashlib
import json
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from partimento.checkpoints.saving import NO_SPACE, sync_folder
from partimento.errors import EnvironmentFault, TrainingError
from partimento.training.samples import FOLDER as SAMPLES
from partimento.training.samples import read_log

if TYPE_CHECKING:
    from torch import Tensor

KEPT_STATES = 2
BEST = "best."  # before the names of the best weights in a state
PIECES = "pieces_sha256"  # what `run.json` calls the digest of the music


class RunFolder:
    """Files of one run. Use it inside ``with run.locked():``."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self.states = self.path / "state"
        self.checkpoint = self.path / "checkpoint"
        self._is_locked = False

    @contextmanager
    def locked(self) -> Iterator["RunFolder"]:
        """Hold the folder for this process, or raise `EnvironmentFault` naming who does.

        May be entered again inside. A folder that is empty in the end is not left behind.
        """
        if self._is_locked:
            yield self
            return
        made = [place for place in (self.path, *self.path.parents) if not place.exists()]
        try:
            self.states.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise EnvironmentFault(f"{self.path} is no folder: choose another --out") from None
        lock = self.path / "run.lock"
        with lock.open("a+", encoding="utf-8") as handle:
            if not _try_lock(handle) or not os.fstat(handle.fileno()).st_nlink:  # or just removed
                handle.seek(0)
                holder = handle.read(300).strip() or "unknown"
                raise EnvironmentFault(
                    f"{self.path} is in use by process {holder}, which trains there: wait for it, "
                    "stop it, or choose another --out"
                )
            with _disk_faults(lock):
                handle.seek(0)
                handle.truncate()
                handle.write(f"{os.getpid()} on {platform.node()}\n")
                handle.flush()
            self._clear_leavings()
            self._is_locked = True
            try:
                yield self
            finally:
                self._is_locked = False
                if made and not self._holds_run():
                    self._remove(made)

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
            and (name in before or now[name])  # older runs do not name what was off
        ]
        if changed:
            raise TrainingError(
                f"cannot resume {self.path} with other settings: {'; '.join(changed)}. Ask as "
                "before, or choose another --out"
            )

    # States.

    def save_state(self, step: int, tensors: "dict[str, Tensor]", facts: dict[str, Any]) -> None:
        """Save a state, then drop the oldest beyond `KEPT_STATES`.

        Later ones are dropped too: they were damaged, or the run would not be here.
        """
        place = self.states / f"step-{step:08d}"
        self._save(place, tensors, {"step": step, **facts})
        until = [file for file in self._state_files() if file.stem <= place.name]
        for file in set(self._state_files()) - set(until[-KEPT_STATES:]):
            file.unlink(missing_ok=True)  # first: weights alone are no state
            file.with_suffix(".safetensors").unlink(missing_ok=True)

    def load_state(self) -> "tuple[dict[str, Tensor], dict[str, Any], list[str]] | None":
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

    def load_best(self) -> "tuple[dict[str, Tensor], dict[str, Any]]":
        """Weights with the lowest held-out loss, and what that look found."""
        files = self._state_files()
        if not files:
            raise TrainingError(f"{self.states} holds no state: nothing was trained there")
        tensors, facts = _load(files[-1].with_suffix(""))
        weights = {
            name.removeprefix(BEST): t for name, t in tensors.items() if name.startswith(BEST)
        }
        return weights, facts["best"]

    # The log.

    def log(self, line: dict[str, Any]) -> None:
        """Add one line to the log."""
        place = self.path / "log.jsonl"
        with _disk_faults(place), place.open("ab+") as file:
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
        return bool(self._state_files() or list(self.path.glob("folds/*/state/step-*.json")))

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

    def _remove(self, made: list[Path]) -> None:
        """Remove folders that we made for nothing, if nobody has put anything into them."""
        for name in ("run.lock", "run.json"):
            with suppress(OSError):
                (self.path / name).unlink(missing_ok=True)
        for folder in (self.states, *made):
            with suppress(OSError):
                folder.rmdir()

    def _save(self, stem: Path, tensors: "dict[str, Tensor]", facts: dict[str, Any]) -> None:
        from safetensors.torch import save as bytes_of

        content = bytes_of({name: tensor.contiguous() for name, tensor in tensors.items()})
        facts = {**facts, "sha256": hashlib.sha256(content).hexdigest()}
        facts["sha256_of_the_above"] = _digest(facts)
        write_atomically(stem.with_suffix(".safetensors"), content)
        write_atomically(stem.with_suffix(".json"), _json(facts))


class RunFolderElsewhere(RunFolder):
    """The folder of a run as a process sees it that only helps: another one keeps the files."""

    @contextmanager
    def locked(self) -> Iterator["RunFolder"]:
        """Hold nothing."""
        yield self

    def check(self, asked: dict[str, Any], *, resume: bool) -> None:
        """Leave it to the other."""

    def begin(self, asked: dict[str, Any], *, resume: bool) -> None:
        """Leave it to the other."""

    def save_state(self, step: int, tensors: "dict[str, Tensor]", facts: dict[str, Any]) -> None:
        """Leave it to the other."""

    def load_state(self) -> None:
        """Find nothing: the other hands it on."""

    def log(self, line: dict[str, Any]) -> None:
        """Leave it to the other."""


def write_atomically(file: Path, content: bytes) -> None:
    """Write a file so that at every moment the old or the new one is whole on disk."""
    beside = file.with_name(f".{file.name}.{os.getpid()}.part")
    with _disk_faults(file):
        try:
            with beside.open("wb") as handle:
                handle.write(content)
                handle.flush()
                os.fsync(handle.fileno())
            beside.replace(file)
            sync_folder(file.parent)
        except OSError:
            with suppress(OSError):
                beside.unlink(missing_ok=True)
            raise


@contextmanager
def _disk_faults(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        hint = "free some space" if error.errno in NO_SPACE else "see to that"
        raise EnvironmentFault(
            f"could not write {file} ({error.strerror}): {hint} and --resume; what was saved "
            "before is whole"
        ) from error


def _load(stem: Path) -> "tuple[dict[str, Tensor], dict[str, Any]]":
    """Return tensors and facts, if both are what was saved."""
    from safetensors.torch import load as tensors_of

    noted, file = stem.with_suffix(".json"), stem.with_suffix(".safetensors")
    try:
        facts = dict(json.loads(noted.read_text(encoding="utf-8")))
        if facts.pop("sha256_of_the_above", None) != _digest(facts):
            raise TrainingError(f"{noted} is damaged: its own SHA-256 is another")
        content = file.read_bytes()
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise TrainingError(f"the state {stem} cannot be read ({error})") from error
    if hashlib.sha256(content).hexdigest() != facts["sha256"]:
        raise TrainingError(f"{file} is damaged: its SHA-256 is not the one noted beside it")
    return tensors_of(content), facts


def _digest(facts: dict[str, Any]) -> str:
    return hashlib.sha256(_json(facts)).hexdigest()


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
