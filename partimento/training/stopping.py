"""Stopping at any moment: signals are heard while a thread computes. Start at `listening`.

Python hears a signal between two instructions of its main thread only, and one step of a large
network is a single call that takes many seconds. So whatever is long runs in a thread
(`Listener.wait_for`) while the main thread listens. When a signal comes, what the thread does is
abandoned: it must change nothing that would be saved.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

import torch

Result = TypeVar("Result")

HEARD_WITHIN = 0.1  # seconds


class InterruptedRun(Exception):  # noqa: N818 (nothing has gone wrong)
    """A signal asked the run to stop."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class Listener:
    """Collects the signals that ask to stop, and computes in a thread of its own."""

    def __init__(self, threads: int) -> None:
        self._received: list[int] = []
        self._worker = ThreadPoolExecutor(1, initializer=torch.set_num_threads, initargs=(threads,))

    def note(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal: the first ends the run with a save, the second ends it at once."""
        if self._received:
            signal.signal(number, signal.SIG_DFL)
            if number == signal.SIGINT:
                raise KeyboardInterrupt
            signal.raise_signal(number)
        self._received.append(number)

    def check(self) -> None:
        """Raise `InterruptedRun` if a signal has come."""
        if self._received:
            raise InterruptedRun(self._received[0])

    def wait_for(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Call a function in the thread; raise `InterruptedRun` as soon as a signal comes."""
        self.check()
        call = self._worker.submit(function, *arguments)
        while not wait((call,), timeout=HEARD_WITHIN).done:
            self.check()
        self.check()
        return call.result()

    def close(self) -> None:
        """Let the thread go; it ends by itself once what it computes is done."""
        self._worker.shutdown(wait=False, cancel_futures=True)


@contextmanager
def listening(threads: int) -> Iterator[Listener]:
    """Hear Ctrl-C and SIGTERM inside the block.

    Outside the main thread of a program signals cannot be heard, and are left to the program.

    Parameters
    ----------
    threads
        Of PyTorch, in the thread that computes.
    """
    listener = Listener(threads)
    is_main = threading.current_thread() is threading.main_thread()
    watched = (signal.SIGINT, signal.SIGTERM) if is_main else ()
    before = [(number, signal.signal(number, listener.note)) for number in watched]
    try:
        yield listener
    finally:
        for number, handler in before:
            signal.signal(number, handler)
        listener.close()
