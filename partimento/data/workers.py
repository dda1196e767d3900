"""Workers: the same work on many batches, on one core or on all of them, results in order.

Other processes take a while to start: longer than reading a thousand small files. So this process
starts alone, calls for help when the work goes on, and goes on working beside its helpers. Which
of them does what changes nothing in the result.
"""

import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

ALONE_SECONDS = 0.3  # of our processor time before helpers are called: what starting one takes

Work = Callable[..., Any]


class _Job:
    """A batch, and its result as soon as somebody has it."""

    def __init__(self, work: Work, arguments: tuple[Any, ...], future: Future[Any] | None) -> None:
        self.work, self.arguments, self.future = work, arguments, future
        self.result: Any = None

    @property
    def is_done(self) -> bool:
        return self.future is None or self.future.done()

    def do_ourselves(self) -> bool:
        """Do it here, unless a helper has begun."""
        if self.future is None or not self.future.cancel():
            return False
        self.future, self.result = None, self.work(*self.arguments)
        return True

    def wait(self) -> Any:
        """Get the result; of a helper that died, by our own work."""
        if self.future is not None:
            try:
                self.result = self.future.result()
            except BrokenProcessPool:  # it was killed, or could not start
                self.result = self.work(*self.arguments)
            self.future = None
        return self.result


class _Helpers:
    """Processes that work beside this one."""

    def __init__(self, count: int) -> None:
        self.count = count
        context = multiprocessing.get_context("spawn")
        self.pool = ProcessPoolExecutor(count, mp_context=context, initializer=_ignore_interrupts)
        self.first: Future[int] | None = self.pool.submit(os.getpid)

    def are_ready(self) -> bool:
        """Whether the first of them has started, and none has died."""
        return self.first is not None and self.first.done() and self.first.exception() is None

    def take(self, work: Work, arguments: tuple[Any, ...]) -> _Job:
        """Hand out a job."""
        try:
            return _Job(work, arguments, self.pool.submit(work, *arguments))
        except BrokenProcessPool:
            self.first = None
            job = _Job(work, arguments, None)
            job.result = work(*arguments)
            return job


def in_order(
    work: Work, batches: Iterable[Any], rest: tuple[Any, ...] = (), *, workers: int = 1
) -> Iterator[Any]:
    """Yield ``work(batch, *rest)`` of every batch, in order, holding a few at a time.

    With more than one worker, processes may be spawned, which import the main module again: a
    script that asks for them must guard what it does with ``if __name__ == "__main__":``.
    """
    helpers: _Helpers | None = None
    most = 3 * workers
    waiting: deque[_Job] = deque()
    start = time.process_time()  # the clock would call for help where the machine is busy already
    try:
        for batch in batches:
            if helpers and helpers.are_ready():
                waiting.append(helpers.take(work, (batch, *rest)))
                while waiting and waiting[0].is_done:
                    yield waiting.popleft().wait()
                if len(waiting) > most:  # more than the helpers hold: take the next one of it
                    any(job.do_ourselves() for job in waiting)
                if len(waiting) > 2 * most:
                    yield waiting.popleft().wait()
                continue
            while waiting:  # of helpers that died
                yield waiting.popleft().wait()
            yield work(batch, *rest)
            if workers > 1 and not helpers and time.process_time() - start > ALONE_SECONDS:
                helpers = _Helpers(workers - 1)
        while waiting:
            if not waiting[0].is_done and any(job.do_ourselves() for job in waiting):
                continue
            yield waiting.popleft().wait()
    finally:
        if helpers:
            helpers.pool.shutdown(wait=False, cancel_futures=True)


def _ignore_interrupts() -> None:
    """Leave Ctrl-C to the process that started us."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
