"""Whether anything stops the data report: 1,000 good files among everything a folder may hold.

    python benchmarks/data_mess.py [--files 1000] [--keep FOLDER]

Builds the folder, runs ``partimento data`` on it in a process of its own, and checks that all good
files are used, that each bad thing is listed with its reason, that the exit code is 0 (3 with
``--strict``), that nothing was written, and how long it took and how much memory. What a system
cannot make (pipes on Windows, unreadable files as root) is left out, and said.
"""

import argparse
import io
import json
import os
import socket
import struct
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import zipfile
from pathlib import Path

import numpy as np

from partimento.formats.midi import write_midi
from partimento.music.notes import Notes
from partimento.music.score import Part, Score

GIBIBYTE = 2**30
DEEP = 150  # folders in folders; a path may be 4,096 bytes long


def tune(seed: int) -> bytes:
    """Make a MIDI file of some bars that nobody wrote."""
    generator = np.random.default_rng(seed)
    length = 240 * generator.choice([1, 2], 96)
    pitch = 60 + generator.choice([0, 2, 4, 5, 7, 9, 11, 12], 96)
    return write_midi(Score((Part(Notes(np.cumsum(length) - length, length, pitch)),)))


class Mess:
    """A folder, and what the report should say of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.good = 0
        self.reasons: dict[str, str] = {}  # a part of the shown name: the reason
        self.left_out: list[str] = []  # what this system cannot make

    def put(self, name: str, data: bytes) -> Path:
        """Write a file that is good music."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        self.good += 1
        return path

    def bad(self, name: str, reason: str, data: bytes | None = b"") -> Path:
        """Write a file that must be skipped for a reason."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if data is not None:
            path.write_bytes(data)
        self.reasons[path.name] = reason
        return path

    def attempt(self, what: str, make) -> None:
        """Do what not every system can."""
        try:
            make()
        except (OSError, AttributeError, NotImplementedError, ValueError) as error:
            self.left_out.append(f"{what} ({error})")


def build(root: Path, files: int) -> Mess:
    """Fill a folder."""
    mess = Mess(root)
    for number in range(files):
        mess.put(f"tunes/{number % 37}/tune {number}.mid", tune(number))
    _damaged_files(mess)
    _special_files(mess)
    _odd_names(mess)
    _archives(mess)
    return mess


def _damaged_files(mess: Mess) -> None:
    whole = tune(10_001)
    mess.bad("bad/empty.mid", "unreadable")
    mess.bad("bad/words.mid", "unreadable", b"these are words")
    mess.bad("bad/half.mid", "unreadable", whole[: len(whole) // 2])
    mess.bad("bad/header only.mid", "unreadable", whole[:14])
    mess.bad("bad/noise.mid", "unreadable", np.random.default_rng(1).bytes(5000))
    mess.bad("bad/claims.mid", "unreadable", whole[:18] + struct.pack(">I", 2**32 - 1) + whole[22:])
    with mess.bad("bad/sparse.mid", "too large").open("wb") as file:
        file.truncate(5 * GIBIBYTE)
    (mess.root / "bad" / "cover.jpg").write_bytes(b"a picture")
    (mess.root / "bad" / "README").write_bytes(b"words")


def _special_files(mess: Mess) -> None:
    bad = mess.root / "bad"
    mess.attempt("a pipe", lambda: os.mkfifo(mess.bad("bad/pipe.mid", "not a file", None)))
    mess.attempt("a socket", lambda: _bind(mess.bad("bad/socket.mid", "not a file", None)))
    mess.attempt("a link", lambda: (bad / "to the root").symlink_to(mess.root))
    mess.attempt("a link", lambda: (bad / "to itself.mid").symlink_to(bad / "to itself.mid"))
    mess.attempt("a link", lambda: (bad / "dangling.mid").symlink_to(bad / "nowhere"))
    if (bad / "dangling.mid").is_symlink():
        mess.reasons |= {
            "to the root": "met before",
            "to itself.mid": "loop of links",
            "dangling.mid": "broken link",
        }
    secret = bad / "secret.mid"
    secret.write_bytes(tune(1))
    secret.chmod(0)
    if os.access(secret, os.R_OK):  # root reads everything
        secret.unlink()
        mess.left_out.append("files and folders that may not be read")
        return
    (bad / "secret folder").mkdir(mode=0)
    mess.reasons |= {"secret.mid": "cannot be opened", "secret folder": "folder cannot be read"}


def _bind(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # the path of a socket must be short
    try:
        socket.socket(socket.AF_UNIX).bind(path.name)
    finally:
        os.chdir(here)


def _odd_names(mess: Mess) -> None:
    # Each on its own, since systems refuse different ones.
    mess.attempt("a newline", lambda: mess.put("odd/two\nlines.mid", tune(20_001)))
    mess.attempt("no text", lambda: mess.put("odd/\udcff\udcfe.mid", tune(20_002)))
    mess.attempt("255 bytes", lambda: mess.put(f"odd/{'x' * 251}.mid", tune(20_003)))
    mess.attempt("an escape", lambda: mess.put("odd/\x1b[31mred.mid", tune(20_004)))
    mess.attempt("a right-to-left name", lambda: mess.put("odd/\u202edim.mid", tune(20_005)))
    mess.attempt("no name", lambda: mess.put("odd/.mid", tune(20_006)))
    mess.attempt("deep folders", lambda: _deep(mess))


def _deep(mess: Mess) -> None:
    here = Path.cwd()
    os.chdir(mess.root)
    try:
        for _ in range(DEEP):  # one by one: the whole path is longer than a call may take
            Path("d" * 20).mkdir()
            os.chdir("d" * 20)
        Path("deep.mid").write_bytes(tune(20_007))
        mess.good += 1
    finally:
        os.chdir(here)


def _archives(mess: Mess) -> None:
    with zipfile.ZipFile(mess.root / "travels.zip", "w") as archive:
        archive.writestr("../../../escaped.mid", tune(30_001))
        archive.writestr("/absolute.mid", tune(30_002))
        archive.writestr("C:\\windows.mid", tune(30_003))
    mess.good += 3
    with tarfile.open(mess.root / "links.tar.gz", "w:gz") as archive:
        info = tarfile.TarInfo("link.mid")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(info)
        info = tarfile.TarInfo("../tar.mid")
        info.size = len(tune(30_004))
        archive.addfile(info, io.BytesIO(tune(30_004)))
    mess.good += 1
    with zipfile.ZipFile(mess.root / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(40):
            archive.writestr(f"{number}.mid", bytes(15 * 2**20))
    mess.reasons["bomb.zip"] = "archive too large"
    inner = tune(30_005)
    for level in range(4):
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w") as archive:
            archive.writestr("in.mid" if level == 0 else f"level {level}.zip", inner)
        inner = held.getvalue()
    (mess.root / "nested.zip").write_bytes(inner)
    mess.reasons["level 2.zip"] = "archive too deep"
    with zipfile.ZipFile(mess.root / "locked.zip", "w") as archive:
        archive.writestr("locked.mid", tune(30_006))
    data = bytearray((mess.root / "locked.zip").read_bytes())
    for magic, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):  # the flag that says encrypted
        data[data.index(magic) + place] |= 1
    (mess.root / "locked.zip").write_bytes(data)
    mess.reasons["locked.mid"] = "cannot be unpacked"
    (mess.root / "cut.zip").write_bytes((mess.root / "travels.zip").read_bytes()[:500])
    mess.reasons["cut.zip"] = "archive damaged"


def watch(stop: threading.Event, path: Path) -> None:
    """Let a file grow, shrink and go while others read it."""
    whole = tune(40_001)
    while not stop.is_set():
        for data in (whole, whole[:50], b"", whole * 3):
            path.write_bytes(data)
            time.sleep(0.001)
        path.unlink()


def ask(root: Path, *options: str) -> tuple[int, str, str, float]:
    """Run the report: exit code, output, errors, seconds."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "partimento", "data", str(root), "--no-cache", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    return done.returncode, done.stdout, done.stderr, time.perf_counter() - start


def everything_below(root: Path) -> set[tuple[str, int]]:
    """Names and sizes, to see whether anything was written."""
    found = set()
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)  # noqa: PTH118 (names that are no text)
            found.add((path, os.lstat(path).st_size))
    return found


def main() -> None:
    """Build, ask, check, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--keep", type=Path, help="build it here, and leave it there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = (options.keep or Path(temporary)) / "music"
        root.mkdir(parents=True)
        mess = build(root, options.files)
        before = everything_below(root.parent)
        exit_code, out, err, seconds = ask(root, "--json")
        report = json.loads(out)
        faults = [] if exit_code == 0 else [f"exit code {exit_code}: {err}"]
        if report["files"]["used"] != mess.good:
            faults.append(f"{report['files']['used']} of {mess.good} good files used")
        for name, reason in mess.reasons.items():
            said = [s["reason"] for s in report["skipped"] if s["file"].rstrip("/").endswith(name)]
            if said != [reason]:
                faults.append(f"{name}: {said or 'not listed'}, expected {reason}")
        others = [s for s in report["skipped"] if "bomb.zip/" not in s["file"]]
        if len(others) != len(mess.reasons):
            faults.append(f"{len(others)} listed, {len(mess.reasons)} bad: {others}")
        if (strict := ask(root, "--strict")[0]) != 3:
            faults.append(f"exit code with --strict: {strict}")
        if everything_below(root.parent) != before:
            faults.append("something was written")
        stop = threading.Event()
        moving = threading.Thread(target=watch, args=(stop, root / "moving.mid"))
        moving.start()
        for _ in range(3):
            exit_code, out, err, _ = ask(root, "--json")
            if exit_code or json.loads(out)["files"]["used"] not in (mess.good, mess.good + 1):
                faults.append(f"while a file changes: exit code {exit_code}: {err}")
        stop.set()
        moving.join()
        try:
            import resource

            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
            memory = f", {peak * (1 if sys.platform == 'darwin' else 1024) / 2**20:.0f} MiB at most"
        except ImportError:
            memory = ""
        print(f"{mess.good:,} good files used, {len(mess.reasons)} bad ones listed")
        print(f"{seconds:.1f} s{memory}, on {os.cpu_count()} cores")
        for what in mess.left_out:
            print(f"not tried here: {what}")
        for fault in faults:
            print(f"FAULT {fault}")
        sys.exit(bool(faults))


if __name__ == "__main__":
    main()
